//! Faults by name: how a person asks the simulated cluster to misbehave.
//!
//! A fault is written `NAME` or `NAME@WHERE`, as in `stopped@kuadrant` or `failing-install@rhods-operator`.
//!
//! Invariant: a [`Fault`] names something that exists: [`Fault::from_str`] is the only way to get one, and it
//! refuses an unknown name or operator with a suggestion.

use std::{fmt, str::FromStr};

use crate::operators;

/// One fault that the simulated cluster shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This operator does nothing at all.
    Stopped {
        /// The operator's name.
        operator: &'static str,
    },
    /// Everything this operator waits for takes ten times as long.
    Slow {
        /// The operator's name.
        operator: &'static str,
    },
    /// The ClusterServiceVersion of this package ends in phase Failed.
    FailingInstall {
        /// The name of the package, as its PackageManifest has it.
        package: String,
    },
    /// The first look at this Gateway misses that Authorino has TLS, as when a cache is stale
    /// (`reference/serving.md` §1.9, P5): its EnvoyFilter comes with the next changed write or the next start of
    /// odh-model-controller, and not before.
    AuthorinoTlsMissed {
        /// The name of the Gateway.
        gateway: String,
    },
}

/// A line of the list that `--list-faults` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// How the fault is written.
    pub form: &'static str,
    /// What it does, in one line.
    pub effect: &'static str,
}

/// Every fault there is.
pub const FAULTS: &[Description] = &[
    Description {
        form: "stopped@OPERATOR",
        effect: "the operator does nothing: what it should bring never comes",
    },
    Description {
        form: "slow@OPERATOR",
        effect: "everything the operator waits for takes ten times as long",
    },
    Description {
        form: "failing-install@PACKAGE",
        effect: "the package's ClusterServiceVersion ends in phase Failed",
    },
    Description {
        form: "authorino-tls-missed@GATEWAY",
        effect: "odh-model-controller misses once that Authorino has TLS: no EnvoyFilter until the Gateway changes",
    },
];

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
        form: &'static str,
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

impl Fault {
    /// Returns the package whose installation this fault makes fail.
    pub(crate) fn failing_package(&self) -> Option<String> {
        match self {
            Self::FailingInstall { package } => Some(package.clone()),
            Self::Stopped { .. } | Self::Slow { .. } | Self::AuthorinoTlsMissed { .. } => None,
        }
    }

    /// Returns the Gateway whose first look this fault makes a miss.
    pub(crate) fn missed_gateway(&self) -> Option<String> {
        match self {
            Self::AuthorinoTlsMissed { gateway } => Some(gateway.clone()),
            Self::Stopped { .. } | Self::Slow { .. } | Self::FailingInstall { .. } => None,
        }
    }
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
        let names: Vec<&'static str> = FAULTS
            .iter()
            .filter_map(|fault| fault.form.split_once('@').map(|(name, _)| name))
            .collect();
        let Some(known) = FAULTS.iter().find(|fault| fault.form.split('@').next() == Some(name)) else {
            return Err(FaultError::UnknownFault {
                name: name.to_owned(),
                suggestion: closest(name, &names),
            });
        };
        let target = target.ok_or(FaultError::MissingTarget {
            name: name.to_owned(),
            form: known.form,
        })?;
        match name {
            "stopped" => Ok(Self::Stopped {
                operator: operator_named(target)?,
            }),
            "slow" => Ok(Self::Slow {
                operator: operator_named(target)?,
            }),
            "authorino-tls-missed" => Ok(Self::AuthorinoTlsMissed {
                gateway: target.to_owned(),
            }),
            _ => Ok(Self::FailingInstall {
                package: target.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped { operator } => write!(formatter, "stopped@{operator}"),
            Self::Slow { operator } => write!(formatter, "slow@{operator}"),
            Self::FailingInstall { package } => write!(formatter, "failing-install@{package}"),
            Self::AuthorinoTlsMissed { gateway } => write!(formatter, "authorino-tls-missed@{gateway}"),
        }
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
        ] {
            assert_eq!(text.parse::<Fault>().expect("a fault").to_string(), text);
        }
    }

    #[test]
    fn every_operator_can_be_stopped() {
        for operator in operators::names() {
            assert_eq!(
                format!("stopped@{operator}").parse::<Fault>(),
                Ok(Fault::Stopped { operator })
            );
        }
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
        assert!(error("stopped@kuadrent").starts_with("there is no operator `kuadrent`, did you mean `kuadrant`?"));
        assert!(error("stopped@zzzzzzzzz").starts_with("there is no operator `zzzzzzzzz`; operators: olm, "));
    }
}
