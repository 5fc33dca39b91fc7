//! `VersionRequirement`: which versions of OpenShift a stack accepts.
//!
//! Invariant: at least one comparison. A comparison looks only at the parts it names: `4.20` accepts `4.20.3`, and
//! `<=4.20` does too.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Which versions of OpenShift a stack accepts: `>=4.20`, `4.21`, `>=4.20, <4.22`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRequirement {
    comparisons: Vec<Comparison>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Comparison {
    operator: Operator,
    parts: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    AtLeast,
    Above,
    AtMost,
    Below,
    Exactly,
}

/// Why a text is not a version requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not versions with `>=`, `>`, `<=`, `<` or `=` before them, separated by commas")]
pub struct VersionRequirementError;

impl VersionRequirement {
    /// Returns whether it accepts a version as the cluster says it, such as `4.21.3` or `4.21.0-rc.1`.
    ///
    /// What follows the numbers is ignored. A text without numbers is not accepted.
    #[must_use]
    pub fn accepts(&self, version: &str) -> bool {
        let numbers = version.split(['-', '+']).next().unwrap_or_default();
        let Some(live) = parts(numbers) else { return false };
        self.comparisons.iter().all(|comparison| comparison.holds(&live))
    }
}

impl Default for VersionRequirement {
    /// OpenShift 4.20 is the first with the Gateway controller that models need (`reference/platform.md` §7, D01, D02).
    fn default() -> Self {
        Self {
            comparisons: vec![Comparison {
                operator: Operator::AtLeast,
                parts: vec![4, 20],
            }],
        }
    }
}

impl Comparison {
    fn holds(&self, live: &[u32]) -> bool {
        let order = (0..self.parts.len())
            .map(|index| live.get(index).copied().unwrap_or(0).cmp(&self.parts[index]))
            .find(|order| *order != Ordering::Equal)
            .unwrap_or(Ordering::Equal);
        match self.operator {
            Operator::AtLeast => order != Ordering::Less,
            Operator::Above => order == Ordering::Greater,
            Operator::AtMost => order != Ordering::Greater,
            Operator::Below => order == Ordering::Less,
            Operator::Exactly => order == Ordering::Equal,
        }
    }
}

impl FromStr for VersionRequirement {
    type Err = VersionRequirementError;

    fn from_str(text: &str) -> Result<Self, VersionRequirementError> {
        let comparisons = text
            .split(',')
            .map(|part| comparison(part.trim()))
            .collect::<Option<_>>()
            .ok_or(VersionRequirementError)?;
        Ok(Self { comparisons })
    }
}

impl fmt::Display for VersionRequirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Comparison { operator, parts }) in self.comparisons.iter().enumerate() {
            let sign = match operator {
                Operator::AtLeast => ">=",
                Operator::Above => ">",
                Operator::AtMost => "<=",
                Operator::Below => "<",
                Operator::Exactly => "=",
            };
            let comma = if index == 0 { "" } else { ", " };
            let version = parts.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
            write!(formatter, "{comma}{sign}{version}")?;
        }
        Ok(())
    }
}

fn comparison(text: &str) -> Option<Comparison> {
    const SIGNS: &[(&str, Operator)] = &[
        (">=", Operator::AtLeast),
        ("<=", Operator::AtMost),
        (">", Operator::Above),
        ("<", Operator::Below),
        ("=", Operator::Exactly),
        ("", Operator::Exactly),
    ];
    let (rest, operator) = SIGNS
        .iter()
        .find_map(|(sign, operator)| Some((text.strip_prefix(sign)?, *operator)))?;
    Some(Comparison {
        operator,
        parts: parts(rest.trim_start())?,
    })
}

/// Reads one to three numbers separated by dots.
fn parts(text: &str) -> Option<Vec<u32>> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<u32> = text
        .split('.')
        .map(|part| if is_number(part) { part.parse().ok() } else { None })
        .collect::<Option<_>>()?;
    (parts.len() <= 3).then_some(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accepts(requirement: &str, version: &str) -> bool {
        requirement
            .parse::<VersionRequirement>()
            .expect("a requirement")
            .accepts(version)
    }

    #[test]
    fn only_the_named_parts_are_compared() {
        assert!(accepts(">=4.20", "4.21.3"));
        assert!(accepts("4.20", "4.20.11"));
        assert!(accepts("<=4.20", "4.20.11"));
        assert!(!accepts(">4.20", "4.20.11"));
        assert!(accepts(">= 4.20, < 4.22", "4.21.0-rc.1"));
        assert!(!accepts(">=4.20, <4.22", "4.22.0"));
        assert!(!accepts(">=4.9", "4.8.1"));
        assert!(!accepts(">=4.20", "unknown"));
    }

    #[test]
    fn nothing_else_is_a_requirement() {
        for text in ["", ">=", "4.x", "~4.20", "v4.20", ">=4.20,", "4.20.1.2", "4..1"] {
            assert_eq!(
                text.parse::<VersionRequirement>(),
                Err(VersionRequirementError),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverses(text in "(>=|<=|>|<|=)[0-9]{1,3}(\\.[0-9]{1,3}){0,2}") {
            let requirement: VersionRequirement = text.parse().expect("the grammar");
            prop_assert_eq!(requirement.to_string().parse::<VersionRequirement>(), Ok(requirement));
        }
    }
}
