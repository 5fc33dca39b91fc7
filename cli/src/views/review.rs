//! A change for who reviews it: what it does to those who use the platform first, then what it does to which object.
//!
//! Invariant: every form of it (this one, `markdown`, `junit`) says the same of the same plan, in the same order and words.

use super::{
    estimate,
    plan::{self, BELOW, Fields, Surroundings, line},
    style::{Meaning, Style, broken, item, padded, visible_width},
};
use stackctl_engine::{
    Address,
    plan::{Plan, Risk, Risks, Told},
};
use std::{fmt::Write as _, path::Path};

/// How wide the column of addresses may become.
const WIDEST_ADDRESS: usize = 42;

/// What is said around a change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// The stack's name.
    pub stack: String,
    /// What the old version and the new one are called; nothing where a stack is set against a cluster.
    pub between: Option<(String, String)>,
    /// Which cluster was asked, or what stands for one.
    pub asked: String,
    /// The old name of the stack, where it has another one now.
    pub renamed: Option<String>,
    /// The files of the stack, where the old version has none of them.
    pub nothing_before: Option<Vec<String>>,
    /// Why an apply refuses it.
    pub refused: Vec<String>,
    /// What an apply asks for one more word for.
    pub excess: Vec<String>,
    /// Where the whole is kept.
    pub artefact: Option<String>,
    /// The file that the plan is saved as, and its digest.
    pub saved: Option<(String, String)>,
}

impl Review {
    /// What it means that the stack has another name now, if it has.
    pub fn renaming(&self) -> Option<String> {
        let old = self.renamed.as_ref()?;
        Some(format!(
            "the stack is called {} instead of {old}: on a cluster that is another stack, and nothing of {old} is taken away",
            self.stack
        ))
    }

    /// How many changes are how grave; another name of the stack is one that somebody notices.
    pub fn risks(&self, plan: &Plan) -> Risks {
        let mut risks = plan.risks();
        risks.disruptive += usize::from(self.renamed.is_some());
        risks
    }

    /// How grave it is as a whole; nothing where nothing changes.
    pub fn risk(&self, plan: &Plan) -> Option<Risk> {
        plan.risk().max(self.renamed.as_ref().map(|_| Risk::Disruptive))
    }
}

/// The line above what is wrong with one of two versions.
pub fn about(version: &str) -> String {
    format!("of the version `{version}`:\n")
}

/// The whole screen.
pub fn text(plan: &Plan, around: &Surroundings, review: &Review, compact: bool, style: &Style) -> String {
    let mut text = String::new();
    let mut heading = format!("stackctl {}   stack {}   ", env!("CARGO_PKG_VERSION"), review.stack);
    if let Some((from, to)) = &review.between {
        let _ = write!(heading, "{from} {} {to}   ", style.arrow());
    }
    heading.push_str(&review.asked);
    let width = style.width.unwrap_or(usize::MAX);
    for part in broken(&heading, width) {
        line(&mut text, &style.paint(Meaning::Quiet, &part));
    }
    for part in notes(review).iter().flat_map(|note| broken(note, width)) {
        line(&mut text, &style.paint(Meaning::Attention, &part));
    }
    plan::renames(&mut text, &around.moved, style);
    consequences(&mut text, plan, review, style);
    let fields = if compact { Fields::LeftOut } else { Fields::Shown };
    plan::components(&mut text, plan, fields, style);
    line(&mut text, "");
    line(&mut text, &style.paint(Meaning::Heading, &plan::summary(plan)));
    if let Some(estimate) = around.estimate.as_ref().filter(|_| plan.has_changes()) {
        text.push_str(&estimate::of_plan(plan, estimate, around, style));
    }
    text
}

/// What the plan does to those who use the platform, by how grave it is.
fn consequences(text: &mut String, plan: &Plan, review: &Review, style: &Style) {
    if review.risk(plan).is_none() && !plan.has_changes() {
        return;
    }
    line(text, "");
    line(text, &style.paint(Meaning::Heading, &verdict(&review.risks(plan))));
    let told = plan.told();
    let widths = told.iter().map(|told| visible_width(&place_text(told)));
    let width = widths.filter(|width| *width <= WIDEST_ADDRESS).max().unwrap_or(0);
    for risk in Risk::ALL {
        let of_it: Vec<_> = told.iter().filter(|told| told.risk == risk).collect();
        if of_it.is_empty() {
            continue;
        }
        let meaning = match risk {
            Risk::Destructive => Meaning::Bad,
            Risk::Disruptive => Meaning::Attention,
            Risk::Safe => Meaning::Good,
        };
        line(text, &style.paint(meaning, risk.word()));
        for told in of_it {
            let place = place_text(told);
            let whole = format!("  {} {}  {}", style.dot(), padded(&place, width), told.consequence.text);
            if style.width.is_none_or(|width| visible_width(&whole) <= width) {
                line(text, &whole);
            } else {
                line(text, &format!("  {} {place}", style.dot()));
                line(text, &item(BELOW, &told.consequence.text, style));
            }
        }
    }
}

/// `1 destructive, 2 disruptive, 3 safe`.
pub fn verdict(risks: &Risks) -> String {
    let Risks {
        destructive,
        disruptive,
        safe,
    } = *risks;
    let counts = [
        (destructive, Risk::Destructive),
        (disruptive, Risk::Disruptive),
        (safe, Risk::Safe),
    ];
    let words: Vec<_> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, risk)| format!("{count} {risk}"))
        .collect();
    if words.is_empty() {
        "no changes".to_owned()
    } else {
        words.join(", ")
    }
}

/// Where something is told: the first address, and how many more there are.
pub fn place(told: &Told<'_>) -> (String, usize) {
    let first = told.at.first().map(|address: &&Address| address.to_string());
    (first.unwrap_or_default(), told.at.len().saturating_sub(1))
}

fn place_text(told: &Told<'_>) -> String {
    match place(told) {
        (first, 0) => first,
        (first, more) => format!("{first} and {more} more"),
    }
}

/// What stands for a cluster that was not asked: facts of a file, or values.
pub fn not_asked(facts: Option<&Path>) -> String {
    match facts {
        Some(file) => format!("no cluster asked, facts of {}", file.display()),
        None => "no cluster asked, values stand in for its facts".to_owned(),
    }
}

/// What a reviewer has to know beside the changes themselves.
pub fn notes(review: &Review) -> Vec<String> {
    let nothing_before = review.between.as_ref().zip(review.nothing_before.as_ref());
    let nothing_before =
        nothing_before.map(|((from, _), files)| format!("{from} has no {}: everything is new", files.join(" and no ")));
    let refused = review.refused.iter().map(|why| format!("apply refuses this: {why}"));
    let excess = review
        .excess
        .iter()
        .map(|excess| format!("apply asks for `--yes-delete`: {excess}"));
    let renamed = review.renaming();
    renamed
        .into_iter()
        .chain(nothing_before)
        .chain(refused)
        .chain(excess)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::{plan_with_long_values, surroundings};
    use stackctl_engine::resource::{Consequence, ConsequenceClass};

    #[test]
    fn a_review_fits_a_narrow_and_a_wide_terminal() {
        let mut plan = plan_with_long_values();
        let told = Consequence {
            class: ConsequenceClass::Access,
            text:
                "lowers the limit of tier pro on qwen3-8b from 30,000 to 3,000 tokens per 5m; 12 active API keys keep \
                   the old one until they are revoked"
                    .to_owned(),
        };
        plan.steps
            .iter_mut()
            .filter(|step| step.address.to_string() == "maas.tier[pro].subscription")
            .for_each(|step| step.consequences.push(told.clone()));
        let review = Review {
            stack: "maas-on-aws".to_owned(),
            between: Some(("origin/main (1a2b3c4)".to_owned(), "working tree".to_owned())),
            asked: not_asked(None),
            refused: vec!["`maas.tier[pro].subscription` may not be destroyed (prevent_destroy)".to_owned()],
            ..Review::default()
        };
        for width in [80, 160] {
            let style = Style {
                width: Some(width),
                ..Style::PLAIN
            };
            let text = text(&plan, &surroundings(), &review, false, &style);
            assert!(text.lines().all(|line| visible_width(line) <= width), "{text}");
            insta::assert_snapshot!(format!("a_review_at_{width}"), text);
        }
    }
}
