//! The end of an execution: what was done, what failed and why, what to do next.

use super::style::{Meaning, Style, counted, spent};
use stackctl_engine::{Address, execute::Failure, plan::Purpose, report::Report};
use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

/// How many blocked resources are named.
const MOST_BLOCKED: usize = 8;
/// How many of the slowest are named, and from which time on one is slow.
const MOST_SLOW: usize = 3;
const SLOW: Duration = Duration::from_secs(2);

/// The last word on stdout: counts and times.
pub fn summary(report: &Report, purpose: Purpose, took: Duration, style: &Style) -> String {
    // No `..`: a new field does not compile until something is said about it.
    let Report {
        created,
        updated,
        adopted,
        deleted,
        cleared,
        released,
        forgotten,
        ran,
        ready: _,
        failed,
        failed_after: _,
        blocked: _,
        remedied,
        interrupted,
        deleted_of: _,
    } = report;
    let word = match (purpose, interrupted, failed.is_empty()) {
        (_, true, _) => "Stopped after",
        (_, false, false) => "Failed after",
        (Purpose::Apply, false, true) => "Applied in",
        (Purpose::Destroy, false, true) => "Destroyed in",
    };
    let mut counts = match purpose {
        Purpose::Apply => vec![
            format!("{created} created"),
            format!("{updated} updated"),
            format!("{adopted} adopted"),
        ],
        Purpose::Destroy => Vec::new(),
    };
    if *deleted > 0 || purpose == Purpose::Destroy {
        counts.push(match cleared {
            0 => format!("{deleted} deleted"),
            cleared => format!("{deleted} deleted and {cleared} that others had made for them"),
        });
    }
    for (count, word) in [(released, "released"), (forgotten, "forgotten")] {
        if *count > 0 {
            counts.push(format!("{count} {word}"));
        }
    }
    if *ran > 0 {
        counts.push(format!("{} run", counted(*ran, "action")));
    }
    counts.push(format!("{} failed", failed.len()));
    let meaning = if report.succeeded() {
        Meaning::Good
    } else {
        Meaning::Bad
    };
    let mut text = format!(
        "{} {}: {}\n",
        style.paint(meaning, word),
        spent(took),
        counts.join(", ")
    );
    for (address, why) in remedied {
        let _ = writeln!(text, "  remedy       {address}: {why}");
    }
    let slowest: Vec<_> = report
        .slowest(MOST_SLOW)
        .into_iter()
        .filter(|(_, time)| *time >= SLOW)
        .map(|(address, time)| match failed.contains_key(address) {
            true => format!("{address} {} (failed)", spent(time)),
            false => format!("{address} {}", spent(time)),
        })
        .collect();
    if !slowest.is_empty() {
        let _ = writeln!(text, "  slowest      {}", slowest.join(", "));
    }
    text
}

/// The blocks on stderr: each failure, what it blocked, and what is kept.
pub fn failures(report: &Report, purpose: Purpose, recorded: usize, style: &Style) -> String {
    let mut text = String::new();
    for (address, failure) in &report.failed {
        let Failure {
            what, because, hint, ..
        } = failure;
        let _ = writeln!(text, "{} {address} {what}", style.paint(Meaning::Bad, "error:"));
        for cause in because {
            let _ = writeln!(text, "  {cause}");
        }
        if let Some(hint) = hint {
            let _ = writeln!(text, "{} {hint}", style.paint(Meaning::Busy, "hint:"));
        }
        let blocked: Vec<_> = report
            .blocked
            .iter()
            .filter(|(_, by)| *by == address)
            .map(|(address, _)| address)
            .collect();
        if !blocked.is_empty() {
            let _ = writeln!(text, "blocked: {}", named(&blocked));
        }
    }
    let command = match purpose {
        Purpose::Apply => "stackctl apply",
        Purpose::Destroy => "stackctl destroy",
    };
    let _ = writeln!(
        text,
        "kept: {} recorded; nothing was rolled back; `{command}` goes on from here",
        if recorded == 1 {
            "1 resource is".to_owned()
        } else {
            format!("{recorded} resources are")
        }
    );
    text
}

fn named(addresses: &[&Address]) -> String {
    let mut by_component: BTreeMap<&str, usize> = BTreeMap::new();
    for address in addresses {
        *by_component.entry(address.component()).or_default() += 1;
    }
    let of = by_component.keys().copied().collect::<Vec<_>>().join(", ");
    let names: Vec<_> = addresses.iter().take(MOST_BLOCKED).map(ToString::to_string).collect();
    let more = addresses.len() - names.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!(
        "{} of {of}: {}{more}",
        counted(addresses.len(), "resource"),
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::address;
    use stackctl_engine::execute::Event;

    #[test]
    fn a_failure_says_why_what_it_blocked_and_what_to_do() {
        let mut report = Report {
            created: 81,
            ..Report::default()
        };
        let failure = Failure::new("did not become ready")
            .because("LLMInferenceService llm-d-demo/qwen3-8b: WorkloadsReady=False since 6 m")
            .hint("add a node to pool `l40s`, then run `stackctl apply` again");
        report.fold(&Event::Failed {
            address: address("model[qwen3-8b].service"),
            failure,
            took: Duration::from_secs(1200),
        });
        report
            .blocked
            .insert(address("maas.tier[pro].enforced"), address("model[qwen3-8b].service"));
        report.ready.insert(address("nvidia.policy"), Duration::from_secs(570));
        let text = summary(&report, Purpose::Apply, Duration::from_secs(1360), &Style::PLAIN)
            + &failures(&report, Purpose::Apply, 81, &Style::PLAIN);
        insta::assert_snapshot!(text, @r"
        Failed after 22 m 40 s: 81 created, 0 updated, 0 adopted, 1 failed
          slowest      model[qwen3-8b].service 20 m 00 s (failed), nvidia.policy 9 m 30 s
        error: model[qwen3-8b].service did not become ready
          LLMInferenceService llm-d-demo/qwen3-8b: WorkloadsReady=False since 6 m
        hint: add a node to pool `l40s`, then run `stackctl apply` again
        blocked: 1 resource of maas: maas.tier[pro].enforced
        kept: 81 resources are recorded; nothing was rolled back; `stackctl apply` goes on from here
        ");
    }
}
