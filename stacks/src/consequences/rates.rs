//! Limits of so much in so much time, and what a change of them is.
//!
//! Facts: `reference/serving.md` §4 items 3, 4 and 9: all limits of one model apply together, windows are told apart by
//! their length, a new limit counts on from what was used and a new window starts counting anew.

use super::words::{access, disruption, notice};
use crate::stack::{Window, window::WindowError};
use serde_json::Value;
use stackctl_engine::resource::Consequence;

/// So much in so much time, as a manifest says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate<'a> {
    pub(super) limit: u64,
    pub(super) window: &'a str,
}

/// Whose limits are told of, and in which words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    /// `tier pro on qwen3-8b`.
    pub(super) whose: &'a str,
    /// What is counted: `tokens`.
    pub(super) unit: &'a str,
    /// Whom it concerns from the moment it is written: `all its keys`.
    pub(super) whom: &'a str,
}

impl<'a> Rate<'a> {
    /// Reads an item of `tokenRateLimits` or of `rates`.
    pub(super) fn read(item: &'a Value) -> Option<Self> {
        Some(Self {
            limit: item["limit"].as_u64()?,
            window: item["window"].as_str()?,
        })
    }

    /// How long its window is, in seconds; nothing for one that MaaS does not take.
    fn seconds(&self) -> Option<u64> {
        let window: Window = self.window.parse().ok()?;
        Some(u64::from(window.seconds()))
    }

    /// `300 tokens per 5m`.
    pub(super) fn in_words(&self, unit: &str) -> String {
        format!("{} {unit} per {}", self.limit, self.window)
    }

    /// Whether both count over the same time, however it is written.
    fn has_window_of(&self, other: &Self) -> bool {
        self.window == other.window || self.seconds().is_some() && self.seconds() == other.seconds()
    }

    /// Whether it allows less in the long run.
    fn is_tighter_than(&self, other: &Self) -> bool {
        match (self.seconds(), other.seconds()) {
            (Some(own), Some(others)) => {
                u128::from(self.limit) * u128::from(others) < u128::from(other.limit) * u128::from(own)
            }
            _ => false,
        }
    }
}

/// What becomes of the limits of one scope.
pub(super) fn changes(before: &[Rate<'_>], after: &[Rate<'_>], scope: &Scope<'_>) -> Vec<Consequence> {
    let mut told: Vec<Consequence> = before
        .iter()
        .filter_map(|old| Some((old, after.iter().find(|new| new.has_window_of(old))?)))
        .filter(|(old, new)| old.limit != new.limit)
        .map(|(old, new)| moved(old, new, scope))
        .collect();
    let dropped = only_in(before, after);
    let added = only_in(after, before);
    match (dropped.as_slice(), added.as_slice()) {
        ([old], [new]) => told.push(rewound(old, new, scope)),
        (dropped, added) => {
            told.extend(dropped.iter().map(|old| {
                notice(format!(
                    "drops the limit of {} from {}",
                    old.in_words(scope.unit),
                    scope.whose
                ))
            }));
            told.extend(added.iter().map(|new| {
                disruption(format!(
                    "limits {} to {} as well: applies to {} at once",
                    scope.whose,
                    new.in_words(scope.unit),
                    scope.whom
                ))
            }));
        }
    }
    told
}

/// Those over a window that none of the others has.
fn only_in<'r, 'a>(rates: &'r [Rate<'a>], others: &[Rate<'_>]) -> Vec<&'r Rate<'a>> {
    let is_new = |rate: &&Rate<'_>| !others.iter().any(|other| other.has_window_of(rate));
    rates.iter().filter(is_new).collect()
}

/// A limit becomes another over the same window.
fn moved(old: &Rate<'_>, new: &Rate<'_>, scope: &Scope<'_>) -> Consequence {
    let Scope { whose, unit, whom } = scope;
    let says = |verb: &str| {
        let to = new.in_words(unit);
        format!("{verb} {whose} from {} to {to}: applies to {whom} at once", old.limit)
    };
    if new.limit < old.limit {
        disruption(says("lowers"))
    } else {
        notice(says("raises"))
    }
}

/// A limit becomes one over another window.
fn rewound(old: &Rate<'_>, new: &Rate<'_>, scope: &Scope<'_>) -> Consequence {
    let Scope { whose, unit, whom } = scope;
    let text = format!(
        "changes {whose} from {} to {}: applies to {whom} at once, and counting starts anew",
        old.in_words(unit),
        new.in_words(unit)
    );
    if new.is_tighter_than(old) {
        disruption(text)
    } else {
        notice(text)
    }
}

/// What is wrong with limits that were not there like this before. The language refuses them in a stack; a manifest of a
/// person's own may hold them (`reference/serving.md` §4 items 3 and 4).
pub(super) fn doubts(before: &[Rate<'_>], after: &[Rate<'_>], scope: &Scope<'_>) -> Vec<Consequence> {
    if before == after {
        return Vec::new();
    }
    let Scope { whose, unit, .. } = scope;
    let mut told = Vec::new();
    for (index, rate) in after.iter().enumerate() {
        if rate.window.parse::<Window>() == Err(WindowError::TooLong) {
            told.push(access(format!(
                "gives {whose} a window of {}, longer than 8784h: maas-controller leaves it out, and keys may have no limit at all",
                rate.window
            )));
        }
        for other in &after[..index] {
            let (Some(one), Some(two)) = (rate.seconds(), other.seconds()) else {
                continue;
            };
            let (long, short) = if one > two { (rate, other) } else { (other, rate) };
            if one == two {
                told.push(notice(format!(
                    "limits {whose} twice over one time: of {} and {} only one counts",
                    other.in_words(unit),
                    rate.in_words(unit)
                )));
            } else if long.limit <= short.limit {
                told.push(notice(format!(
                    "gives {whose} a limit that never applies: {} allows no more than {}",
                    long.in_words(unit),
                    short.in_words(unit)
                )));
            }
        }
    }
    told
}
