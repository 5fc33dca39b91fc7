//! A stack in a few words.

use super::style::{Meaning, Style, counted};
use schemars::JsonSchema;
use serde::Serialize;
use stackctl_stacks::{Example, Explanation, Severity, Stack, definitions::Coverage};
use std::fmt::Write as _;

/// What `validate` says of a stack that can be used.
pub fn valid(stack: &Stack, warnings: usize, coverage: Coverage, style: &Style) -> String {
    let mut parts = Vec::new();
    if let Some(openshift) = &stack.openshift {
        if !openshift.gpu.is_empty() {
            parts.push(counted(openshift.gpu.len(), "GPU pool"));
        }
        parts.push(counted(openshift.models.len(), "model"));
        if let Some(maas) = &openshift.maas {
            let external = maas.external_models().len();
            if external > 0 {
                parts.push(counted(external, "external model"));
            }
            parts.push(format!("MaaS with {}", counted(maas.n_tiers(), "tier")));
        }
    }
    if !stack.manifests.is_empty() {
        parts.push(counted(stack.manifests.len(), "set") + " of manifests");
    }
    let warned = if warnings > 0 {
        format!("; {}", counted(warnings, "warning"))
    } else {
        String::new()
    };
    format!(
        "{} stack {} can be used: {}{warned}\n",
        style.paint(Meaning::Good, "valid:"),
        stack.name,
        parts.join(", ")
    ) + &checked(coverage)
}

/// How many objects were checked against the definitions of their kinds; nothing where there is no object.
fn checked(coverage: Coverage) -> String {
    let Coverage { objects, judged } = coverage;
    let way_out = match (objects, judged) {
        (0, _) => return String::new(),
        (_, 0) => " (`--crds DIR` names some)",
        _ => "",
    };
    let objects = counted(objects, "object");
    format!("       {judged} of {objects} checked against their definitions{way_out}\n")
}

/// One code at length.
pub fn explanation(explanation: &Explanation, style: &Style) -> String {
    let Explanation { code, title, text } = explanation;
    let width = style.width.unwrap_or(100).clamp(40, 100);
    let mut wrapped = format!("{}: {title}\n\n", style.paint(Meaning::Heading, code));
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            wrapped.push('\n');
            column = 0;
        } else if column > 0 {
            wrapped.push(' ');
            column += 1;
        }
        wrapped.push_str(word);
        column += length;
    }
    wrapped.push('\n');
    let severity = explanation.severity();
    let article = match severity {
        Severity::Error => "An",
        Severity::Warning => "A",
    };
    let _ = if explanation.may_be_allowed() {
        writeln!(
            wrapped,
            "\n{article} {severity} that can be meant so: `allow = [{{ code = \"{code}\", reason = \"…\" }}]` in `[stack]`, or in the model's table"
        )
    } else {
        writeln!(
            wrapped,
            "\n{article} {severity} that is to be put right; it cannot be allowed"
        )
    };
    if let Some(Example { beside, wrong, right }) = explanation.example() {
        let around = beside
            .says()
            .map_or_else(String::new, |around| format!(", beside {around}"));
        for (heading, text) in [("Wrong", wrong), ("Right", right)] {
            let _ = writeln!(wrapped, "\n{}{around}:\n", style.paint(Meaning::Heading, heading));
            for line in text.trim_end().lines() {
                let _ = writeln!(wrapped, "{}", format!("    {line}").trim_end());
            }
        }
    }
    let _ = writeln!(wrapped, "\n{}", explanation.link());
    wrapped
}

/// Every code with its title.
pub fn codes(explanations: &[Explanation]) -> String {
    let mut text = String::new();
    for Explanation { code, title, text: _ } in explanations {
        let _ = writeln!(text, "{code}  {title}");
    }
    text
}

/// What a code means, for machines.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExplanationJson {
    code: &'static str,
    /// `error`, `warning` or `note`.
    severity: String,
    /// Whether `[stack] allow` may name it.
    may_be_allowed: bool,
    title: &'static str,
    text: &'static str,
    /// Where it is explained.
    link: String,
    example: Option<ExampleJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ExampleJson {
    /// `toml`, `yaml` or `text`.
    language: &'static str,
    /// What both texts are in, or read with.
    beside: Option<String>,
    /// A text that trips the code.
    wrong: &'static str,
    /// A text that does not.
    right: &'static str,
}

/// One code for machines.
pub fn explanation_json(is: &Explanation) -> ExplanationJson {
    ExplanationJson {
        code: is.code,
        severity: is.severity().to_string(),
        may_be_allowed: is.may_be_allowed(),
        title: is.title,
        text: is.text,
        link: is.link(),
        example: is.example().map(|example| ExampleJson {
            language: example.beside.language(),
            beside: example.beside.says(),
            wrong: example.wrong,
            right: example.right,
        }),
    }
}

/// Every code for machines.
pub fn codes_json(explanations: &[Explanation]) -> Vec<ExplanationJson> {
    explanations.iter().map(explanation_json).collect()
}
