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
    let failures = cases.iter().filter(|(risk, _)| *risk >= fail_on).count();
    let suite = format!("stackctl {}: {}", review.stack, verdict(&plan.risks()));
    let counts = format!("tests=\"{}\" failures=\"{failures}\"", cases.len());
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"stackctl\" {counts}>\n  <testsuite name=\"{}\" {counts}>\n",
        escaped(&suite)
    );
    for (risk, step) in cases {
        let name = format!("{} {}", step.action.code(), step.address);
        let told: Vec<_> = step.consequences.iter().map(|told| told.text.as_str()).collect();
        let said = if told.is_empty() { why(step) } else { told.join("; ") };
        let _ = write!(
            text,
            "    <testcase classname=\"{}\" name=\"{}\"",
            escaped(step.address.component()),
            escaped(&name)
        );
        let said = escaped(&said);
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
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
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
