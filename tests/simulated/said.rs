//! Runs under faults, and what their reports say of one resource: its address, the object in its own words, and what a
//! person is to do.

use crate::sandbox::{Ran, Sandbox};

/// What is said of one resource: its address, the object and its words, and what a person is to do. `*` stands for what
/// is drawn at random.
pub(crate) struct Said {
    /// Of several with `|` between them the first that something is said of: which of two that see the same trouble is seen
    /// to fail first is a matter of pace.
    pub(crate) address: &'static str,
    pub(crate) cause: &'static str,
    pub(crate) remedy: &'static str,
}

/// A time limit that a run on an idle machine needs no more than once.
pub(crate) const SHORT: &str = "8s";

pub(crate) fn stack(text: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write(text);
    sandbox
}

/// Runs a command on the cluster with these faults.
pub(crate) fn under(sandbox: &Sandbox, command: &[&str], faults: &[&str]) -> Ran {
    let mut arguments = command.to_vec();
    for fault in faults {
        arguments.extend(["--fault", fault]);
    }
    sandbox.simulate(&arguments)
}

/// What the report says of one resource, up to its hint.
pub(crate) fn told<'a>(report: &'a str, address: &str) -> Option<&'a str> {
    let mut addresses = address.split('|');
    let start = addresses.find_map(|address| report.find(&format!("error: {address} ")))?;
    let rest = &report[start..];
    let end = rest[1..].find("\nerror: ").map_or(rest.len(), |end| end + 1);
    Some(&rest[..end])
}

/// Whether a text is this pattern, in which `*` stands for anything.
pub(crate) fn is_like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut ends = rest.is_empty();
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        ends = rest.is_empty() || part.is_empty();
    }
    ends
}

/// Why a report does not say this, if it does not.
pub(crate) fn missing(report: &str, said: &Said) -> Option<String> {
    let Some(told) = told(report, said.address) else {
        return Some(format!("nothing is said of {}: {report}", said.address));
    };
    let mut causes = told.lines().filter_map(|line| line.strip_prefix("  "));
    if !causes.any(|cause| is_like(cause, said.cause)) {
        return Some(format!("no cause is `{}`: {told}", said.cause));
    }
    let remedy = told
        .lines()
        .find_map(|line| line.strip_prefix("hint: "))
        .unwrap_or_default();
    let ends = [
        "; then run the same command again",
        "; then run the same command again, or give it longer with `--ready-timeout`",
    ];
    let is_said = ends.iter().any(|end| is_like(remedy, &format!("{}{end}", said.remedy)));
    (!is_said).then(|| format!("the remedy is not `{}`: {told}", said.remedy))
}

#[track_caller]
pub(crate) fn assert_said(ran: &Ran, said: &Said) {
    if let Some(why) = missing(&ran.stderr, said) {
        panic!("{why}");
    }
}

/// Runs a command until all of this is said in one run, a few times at most: on a machine with much else to do a run may
/// end before it has come so far, and the next one goes on from there.
#[track_caller]
pub(crate) fn until_said(sandbox: &Sandbox, command: &[&str], faults: &[&str], all: &[Said]) -> Ran {
    let is_said = |ran: &Ran| all.iter().all(|said| missing(&ran.stderr, said).is_none());
    let mut ran = under(sandbox, command, faults);
    for _ in 0..8 {
        if is_said(&ran) {
            break;
        }
        ran = under(sandbox, command, faults);
    }
    for said in all {
        assert_said(&ran, said);
    }
    ran.expect(1)
}

/// The addresses that a report tells an error of.
pub(crate) fn failed(report: &str) -> Vec<&str> {
    let errors = report.lines().filter_map(|line| line.strip_prefix("error: "));
    errors.filter_map(|error| error.split(' ').next()).collect()
}

/// Applies until the stack converges: what went away is gone once its operator has noticed, and whoever is too early tries
/// again. Returns what the last run said.
#[track_caller]
pub(crate) fn converges(sandbox: &Sandbox) -> Ran {
    let apply = ["apply", "stack.toml", "--yes"];
    let mut ran = under(sandbox, &apply, &[]);
    for _ in 0..4 {
        if ran.code == 0 {
            break;
        }
        ran = under(sandbox, &apply, &[]);
    }
    let ran = ran.expect(0);
    under(sandbox, &["plan", "stack.toml", "--detailed-exitcode"], &[]).expect(0);
    ran
}
