//! A change as test results (JUnit's XML, as GitLab and Jenkins read it): one case a change, failed where it is too grave.
//!
//! Source of the form: <https://docs.gitlab.com/ci/testing/unit_test_reports/>, <https://github.com/testmoapp/junitxml>.

use super::{
    plan::why,
    review::{Review, verdict},
};
use stackctl_engine::plan::{Plan, Risk, Step};
use std::fmt::Write as _;

/// The document. A change fails that is as grave as `fail_on`, or graver: by default, one that destroys.
pub fn plan(plan: &Plan, review: &Review, fail_on: Option<Risk>) -> String {
    let fail_on = fail_on.unwrap_or(Risk::Destructive);
    let cases: Vec<(Risk, &Step)> = plan
        .steps
        .iter()
        .filter_map(|step| Some((step.risk()?, step)))
        .collect();
    let renaming = review.renaming();
    let renamed = renaming.iter().map(|_| Risk::Disruptive);
    let risks: Vec<Risk> = cases.iter().map(|(risk, _)| *risk).chain(renamed).collect();
    let failures = risks.iter().filter(|risk| **risk >= fail_on).count();
    let suite = format!("stackctl {}: {}", review.stack, verdict(&review.risks(plan)));
    let counts = format!("tests=\"{}\" failures=\"{failures}\"", risks.len());
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"stackctl\" {counts}>\n  <testsuite name=\"{}\" {counts}>\n",
        escaped(&suite)
    );
    if let Some(said) = renaming {
        case(&mut text, ("stack", "rename"), Risk::Disruptive, &said, fail_on);
    }
    for (risk, step) in cases {
        let name = format!("{} {}", step.action.code(), step.address);
        let told: Vec<_> = step.consequences.iter().map(|told| told.text.as_str()).collect();
        let said = if told.is_empty() { why(step) } else { told.join("; ") };
        case(&mut text, (step.address.component(), &name), risk, &said, fail_on);
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

/// One case, by its class and its name.
fn case(text: &mut String, (class, name): (&str, &str), risk: Risk, said: &str, fail_on: Risk) {
    let [class, name, said] = [class, name, said].map(escaped);
    let _ = write!(text, "    <testcase classname=\"{class}\" name=\"{name}\"");
    let _ = match (said.is_empty(), risk >= fail_on) {
        (_, true) => writeln!(
            text,
            ">\n      <failure type=\"{risk}\" message=\"{risk}: {said}\"/>\n    </testcase>"
        ),
        (false, false) => writeln!(
            text,
            ">\n      <system-out>{risk}: {said}</system-out>\n    </testcase>"
        ),
        (true, false) => writeln!(text, "/>"),
    };
}

/// Text in an attribute or an element; characters that XML has no place for are left out (XML 1.0 §2.2).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(' '),
            other if other.is_control() || matches!(other, '\u{fffe}' | '\u{ffff}') => {}
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::{plan_of_three_components, step};
    use stackctl_engine::{
        plan::{Action, NodeKind, Reason},
        resource::{Consequence, ConsequenceClass},
    };

    /// What nobody should be able to break the document with.
    const HOSTILE: &str = "]]> <!-- & \"quoted\" </failure></testcase> \u{1b}[2J \u{0} \u{fffe} 🟥";

    #[test]
    fn no_text_ends_an_element_or_an_attribute() {
        let mut plan = plan_of_three_components();
        let mut hostile = step(
            "a[\"<&>\"].b",
            NodeKind::Object,
            Action::Delete,
            Reason::NoLongerDesired,
            None,
            "",
        );
        for class in [ConsequenceClass::DataLoss, ConsequenceClass::Notice] {
            let text = HOSTILE.to_owned();
            hostile.consequences = vec![Consequence { class, text }];
            plan.steps.push(hostile.clone());
        }
        let review = Review {
            stack: HOSTILE.to_owned(),
            renamed: Some(HOSTILE.to_owned()),
            ..Review::default()
        };
        let text = super::plan(&plan, &review, Some(Risk::Destructive));
        let expected = [
            ("<testcase ", 9),
            ("</testcase>", 5),
            ("<failure ", 1),
            ("</failure>", 0),
        ];
        insta::assert_snapshot!(text);
        for (word, count) in expected {
            assert_eq!(text.matches(word).count(), count, "{word}");
        }
        assert!(!text.chars().any(|one| one.is_control() && one != '\n'));
    }
}
