//! What the checks of a cluster found, for people.

use super::style::{Meaning, Style, counted, padded};
use stackctl_stacks::preflight::{Finding, Verdict};
use std::fmt::Write as _;

/// The verdicts in the order in which they are counted.
const VERDICTS: [Verdict; 4] = [Verdict::Pass, Verdict::Warn, Verdict::Fail, Verdict::Unread];

/// The word for a verdict, for people and for machines.
pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Warn => "warn",
        Verdict::Fail => "fail",
        Verdict::Unread => "unread",
    }
}

/// How many checks came to what.
pub fn counts(findings: &[Finding]) -> [(Verdict, usize); 4] {
    VERDICTS.map(|verdict| {
        let count = findings.iter().filter(|finding| finding.verdict == verdict).count();
        (verdict, count)
    })
}

/// The screen of `preflight`.
pub fn all(stack: &str, cluster: &str, findings: &[Finding], style: &Style) -> String {
    let heading = format!("stack {stack}   cluster {cluster}");
    let mut text = style.paint(Meaning::Quiet, &heading) + "\n";
    if findings.is_empty() {
        text.push_str("nothing to check: the stack has no platform\n");
        return text;
    }
    rows(&mut text, findings.iter(), true, style);
    let counts: Vec<_> = counts(findings)
        .into_iter()
        .filter(|(verdict, count)| *count > 0 || *verdict == Verdict::Fail)
        .map(|(verdict, count)| format!("{count} {}", word(verdict)))
        .collect();
    let summary = format!("{}: {}", counted(findings.len(), "check"), counts.join(", "));
    let _ = writeln!(text, "{}", style.paint(Meaning::Heading, &summary));
    text
}

/// What did not pass, and what to do, for the lines before a plan.
pub fn doubts(findings: &[Finding], style: &Style) -> String {
    let mut text = String::new();
    let doubts = findings.iter().filter(|finding| finding.verdict != Verdict::Pass);
    rows(&mut text, doubts, false, style);
    text
}

/// One row a finding: what was found; below it where, if wanted, and what to do.
fn rows<'a>(text: &mut String, findings: impl Iterator<Item = &'a Finding> + Clone, with_source: bool, style: &Style) {
    let width = findings.clone().map(|finding| finding.check.len()).max().unwrap_or(0);
    let below = " ".repeat(width + 4);
    for Finding {
        check,
        verdict,
        found,
        source,
        remedy,
    } in findings
    {
        let _ = writeln!(text, "{} {}  {found}", mark(*verdict, style), padded(check, width));
        if with_source && *verdict != Verdict::Pass {
            let _ = writeln!(
                text,
                "{below}{}",
                style.paint(Meaning::Quiet, &format!("read: {source}"))
            );
        }
        if let Some(remedy) = remedy {
            let _ = writeln!(text, "{below}{} {remedy}", style.paint(Meaning::Busy, "remedy:"));
        }
    }
}

fn mark(verdict: Verdict, style: &Style) -> String {
    match verdict {
        Verdict::Pass => style.ready_mark(),
        Verdict::Warn => style.paint(Meaning::Attention, "!"),
        Verdict::Fail => style.failed_mark(),
        Verdict::Unread => style.paint(Meaning::Attention, "?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(check: &'static str, verdict: Verdict, found: &str, remedy: Option<&str>) -> Finding {
        Finding {
            check,
            verdict,
            found: found.to_owned(),
            source: "ClusterVersion version .status.desired.version".to_owned(),
            remedy: remedy.map(str::to_owned),
        }
    }

    fn findings() -> Vec<Finding> {
        vec![
            finding("openshift-version", Verdict::Pass, "OpenShift 4.21.3", None),
            finding("platform", Verdict::Warn, "the cluster runs on AWS", Some("write it")),
            finding("storage-class", Verdict::Fail, "no default", Some("annotate one")),
            finding(
                "pull-secret",
                Verdict::Unread,
                "could not be read: forbidden",
                Some("ask"),
            ),
        ]
    }

    #[test]
    fn every_check_has_a_row_and_what_did_not_pass_says_where_and_what_to_do() {
        insta::assert_snapshot!(all("s", "prod-eu", &findings(), &Style::PLAIN), @r"
        stack s   cluster prod-eu
        ✓ openshift-version  OpenShift 4.21.3
        ! platform           the cluster runs on AWS
                             read: ClusterVersion version .status.desired.version
                             remedy: write it
        ✗ storage-class      no default
                             read: ClusterVersion version .status.desired.version
                             remedy: annotate one
        ? pull-secret        could not be read: forbidden
                             read: ClusterVersion version .status.desired.version
                             remedy: ask
        4 checks: 1 pass, 1 warn, 1 fail, 1 unread
        ");
    }

    #[test]
    fn before_a_plan_only_doubts_are_told() {
        insta::assert_snapshot!(doubts(&findings(), &Style::PLAIN), @r"
        ! platform       the cluster runs on AWS
                         remedy: write it
        ✗ storage-class  no default
                         remedy: annotate one
        ? pull-secret    could not be read: forbidden
                         remedy: ask
        ");
    }
}
