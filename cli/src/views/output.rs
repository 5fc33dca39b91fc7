//! What a platform offers, for people and machines.

use super::style::{Meaning, Style, broken, padded, visible_width};
use schemars::JsonSchema;
use serde::Serialize;
use stackctl_stacks::components::Output;
use std::fmt::Write as _;

/// One line each: name, value, what it is.
pub fn outputs(outputs: &[Output], style: &Style) -> String {
    let width = |of: fn(&Output) -> &str| {
        outputs
            .iter()
            .map(|output| visible_width(of(output)))
            .max()
            .unwrap_or(0)
    };
    let (names, values) = (width(|output| &output.name), width(|output| &output.value));
    let mut text = String::new();
    for Output {
        name,
        description,
        value,
    } in outputs
    {
        let line = format!(
            "  {}  {}  {}",
            padded(name, names),
            padded(value, values),
            style.paint(Meaning::Quiet, description)
        );
        if style.width.is_none_or(|width| visible_width(&line) <= width) {
            let _ = writeln!(text, "{}", line.trim_end());
        } else {
            let _ = writeln!(text, "  {}  {value}", padded(name, names));
            for part in folded(description, style) {
                let _ = writeln!(text, "      {}", style.paint(Meaning::Quiet, &part));
            }
        }
    }
    text
}

/// A text that stands below what it is about.
fn folded(text: &str, style: &Style) -> Vec<String> {
    broken(
        text,
        style.width.map_or(usize::MAX, |width| width.saturating_sub(6).max(20)),
    )
}

/// `output`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OutputsJson {
    format_version: u32,
    outputs: Vec<OutputJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OutputJson {
    /// Stable.
    name: String,
    description: String,
    value: String,
}

/// The same for machines.
pub fn to_json(outputs: &[Output]) -> OutputsJson {
    let one = |output: &Output| OutputJson {
        name: output.name.clone(),
        description: output.description.clone(),
        value: output.value.clone(),
    };
    OutputsJson {
        format_version: super::json::FORMAT_VERSION,
        outputs: outputs.iter().map(one).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_wide_for_the_terminal_has_its_description_below() {
        let output = |name: &str, value: &str| Output {
            name: name.to_owned(),
            description: "where clients of the models in MaaS get their keys".to_owned(),
            value: value.to_owned(),
        };
        let all = [
            output("maas", "https://maas.apps.example.com"),
            output("model", "https://a"),
        ];
        let narrow = Style {
            width: Some(50),
            ..Style::PLAIN
        };
        insta::assert_snapshot!(outputs(&all, &narrow), @r"
          maas   https://maas.apps.example.com
              where clients of the models in MaaS get
              their keys
          model  https://a
              where clients of the models in MaaS get
              their keys
        ");
    }
}
