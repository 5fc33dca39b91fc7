//! Faults by name: how a person asks the simulated cluster to misbehave.
//!
//! A fault is written `NAME` or `NAME@WHERE`, as in `stopped@kuadrant` or `failing-install@rhods-operator`. A file of them
//! says when each begins and ends ([`Scheduled`]).
//!
//! Invariant: a [`Fault`] names something that exists: [`Fault::from_str`] is the only way to get one, and it
//! refuses an unknown name or operator with a suggestion.

mod amount;
mod api;
mod catalogue;
mod scenario;
mod schedule;

use std::{fmt, str::FromStr};

pub(crate) use amount::Amount;
pub(crate) use api::{silent_webhooks, trouble};
pub use catalogue::{Description, FAULTS, FaultName, Group, Target};
pub use scenario::{Moment, ObjectEvent, ScenarioError, ScenarioErrors, Scheduled, read_scenario};
pub(crate) use schedule::Schedule;

use crate::operators;

/// One fault that the simulated cluster shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    name: FaultName,
    text: &'static str,
    /// What stands behind the `@`; empty for a fault about the cluster.
    target: String,
    /// The number that it means, where it means one.
    amount: Option<Amount>,
}

/// The faults of a cluster, for whoever may show them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Faults<'a>(pub(crate) &'a [Fault]);

impl<'a> Faults<'a> {
    /// Returns whether this fault, which is about the whole cluster, was asked for.
    pub(crate) fn on(self, name: FaultName) -> bool {
        self.at(name, "")
    }

    /// Returns the first target that this fault was asked for at.
    pub(crate) fn target_of(self, name: FaultName) -> Option<&'a str> {
        let fault = self.0.iter().find(|fault| fault.name == name)?;
        Some(&fault.target)
    }

    /// Returns whether this fault was asked for at this target.
    pub(crate) fn at(self, name: FaultName, target: &str) -> bool {
        self.0.iter().any(|fault| fault.name == name && fault.target == target)
    }

    /// Returns the targets that this fault was asked for at.
    pub(crate) fn targets(self, name: FaultName) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |fault| fault.name == name);
        named.map(|fault| fault.target.as_str())
    }
}

/// Why a text is not a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FaultError {
    /// No fault has this name.
    #[error("there is no fault `{name}`{}", hint(.suggestion.as_deref()))]
    UnknownFault {
        /// The name as written.
        name: String,
        /// The closest name there is.
        suggestion: Option<String>,
    },
    /// The part after `@` is missing.
    #[error("fault `{name}` needs to know where: write `{form}`")]
    MissingTarget {
        /// The name as written.
        name: String,
        /// How it is written in full.
        form: String,
    },
    /// A part after `@` that means nothing.
    #[error("fault `{name}` is about the whole cluster: write it without `@`")]
    NeedlessTarget {
        /// The name as written.
        name: String,
    },
    /// The number behind `@` is none, or out of bounds.
    #[error("fault `{name}` does not understand `{written}`: write {wanted}")]
    WrongAmount {
        /// The name as written.
        name: String,
        /// What stands behind the `@`.
        written: String,
        /// What it should be, in words.
        wanted: &'static str,
    },
    /// This operator is part of the platform: it is ready from the start.
    #[error("`{operator}` is part of the platform, which is ready from the start: write `stopped@{operator}`")]
    AlwaysReady {
        /// The operator.
        operator: &'static str,
    },
    /// No operator has this name.
    #[error("there is no operator `{operator}`{}; operators: {}", hint(.suggestion.as_deref()), .known.join(", "))]
    UnknownOperator {
        /// The operator as written.
        operator: String,
        /// The closest name there is.
        suggestion: Option<String>,
        /// Every operator there is.
        known: Vec<&'static str>,
    },
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion
        .map(|name| format!(", did you mean `{name}`?"))
        .unwrap_or_default()
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (name, target) = match text.split_once('@') {
            Some((name, target)) => (name, Some(target).filter(|target| !target.is_empty())),
            None => (text, None),
        };
        let Some(known) = FAULTS.iter().find(|fault| fault.text == name) else {
            let names: Vec<&'static str> = FAULTS.iter().map(|fault| fault.text).collect();
            return Err(FaultError::UnknownFault {
                name: name.to_owned(),
                suggestion: closest(name, &names),
            });
        };
        let missing = || FaultError::MissingTarget {
            name: name.to_owned(),
            form: known.form(),
        };
        let target = match (known.target, target) {
            (Target::None, None) => String::new(),
            (Target::None, Some(_)) => return Err(FaultError::NeedlessTarget { name: name.to_owned() }),
            (Target::Operator, target) => operator_named(target.ok_or_else(missing)?)?.to_owned(),
            (_, target) => target.ok_or_else(missing)?.to_owned(),
        };
        if known.name == FaultName::Stuck
            && let Some(operator) = operators::of_platform(&target)
        {
            return Err(FaultError::AlwaysReady { operator });
        }
        let is_of_people = matches!(known.name, FaultName::UserEdits | FaultName::UserDeletes);
        if is_of_people && !operators::is_target_of_people(&target, known.name == FaultName::UserEdits) {
            return Err(FaultError::WrongAmount {
                name: name.to_owned(),
                written: target,
                wanted: "an address of the stack such as `rhoai.dsc`, or KIND/NAMESPACE/NAME (KIND/NAME of an object of the cluster)",
            });
        }
        if known.name == FaultName::WebhookTimeouts && !operators::has_webhook(&target) {
            return Err(FaultError::WrongAmount {
                name: name.to_owned(),
                written: target,
                wanted: "a kind such as `Tenant`, or a webhook of the platform such as `webhook.cert-manager.io`",
            });
        }
        let amount = Amount::read(known.target, &target).map_err(|wanted| FaultError::WrongAmount {
            name: name.to_owned(),
            written: target.clone(),
            wanted,
        })?;
        Ok(Self {
            name: known.name,
            text: known.text,
            target,
            amount,
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text)?;
        if self.target.is_empty() {
            return Ok(());
        }
        write!(formatter, "@{}", self.target)
    }
}

fn operator_named(name: &str) -> Result<&'static str, FaultError> {
    let known = operators::names();
    known
        .iter()
        .copied()
        .find(|operator| *operator == name)
        .ok_or_else(|| FaultError::UnknownOperator {
            operator: name.to_owned(),
            suggestion: closest(name, &known),
            known,
        })
}

/// Returns the candidate that needs the fewest edits, if that is at most a third of what was written (and two).
fn closest(written: &str, candidates: &[&'static str]) -> Option<String> {
    let limit = (written.chars().count() / 3).max(2);
    let distances = candidates
        .iter()
        .map(|candidate| (edits(written, candidate), *candidate));
    distances
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// Returns the Levenshtein distance of two texts.
fn edits(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, from) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in right.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints_back() {
        for text in [
            "stopped@kuadrant",
            "slow@odh-model-controller",
            "failing-install@rhods-operator",
            "authorino-tls-missed@maas-default-gateway",
            "errors@5%",
            "dropped-watches@200ms",
            "seed@7",
            "user-edits@rhoai.dsc",
        ] {
            assert_eq!(text.parse::<Fault>().expect("a fault").to_string(), text);
        }
    }

    #[test]
    fn every_operator_can_be_stopped() {
        for operator in operators::names() {
            let fault: Fault = format!("stopped@{operator}").parse().expect("a fault");
            assert!(Faults(&[fault]).at(FaultName::Stopped, operator));
        }
    }

    #[test]
    fn a_fault_is_what_it_says_it_shows() {
        let gotchas = include_str!("../../../../docs/gotchas.md");
        for fault in FAULTS {
            for row in fault.gotchas {
                assert!(gotchas.contains(&format!("| {row} |")), "{} names {row}", fault.text);
            }
        }
    }

    #[test]
    fn no_two_faults_are_written_alike() {
        let mut texts: Vec<_> = FAULTS.iter().map(|fault| fault.text).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), FAULTS.len());
    }

    #[test]
    fn errors_say_what_to_type() {
        let error = |text: &str| text.parse::<Fault>().expect_err("not a fault").to_string();
        assert_eq!(
            error("stoped@olm"),
            "there is no fault `stoped`, did you mean `stopped`?"
        );
        assert_eq!(
            error("stopped"),
            "fault `stopped` needs to know where: write `stopped@OPERATOR`"
        );
        assert_eq!(
            error("errors@101"),
            "fault `errors` does not understand `101`: write a percentage from 1 to 100, such as `5`"
        );
        assert_eq!(
            error("latency@200"),
            "fault `latency` does not understand `200`: write a duration, such as `200ms`, `30s` or `5m`"
        );
        assert_eq!(
            error("stuck@olm"),
            "`olm` is part of the platform, which is ready from the start: write `stopped@olm`"
        );
        assert!(error("stopped@kuadrent").starts_with("there is no operator `kuadrent`, did you mean `kuadrant`?"));
        assert!(error("stopped@zzzzzzzzz").starts_with("there is no operator `zzzzzzzzz`; operators: olm, "));
    }
}
