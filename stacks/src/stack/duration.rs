//! `Timeout`: how long something may take.
//!
//! Invariant: at least one second, at most seven days; `Display` gives the shortest text that parses to the same value.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const LONGEST_SECONDS: u64 = 7 * 24 * 3600;

/// How long something may take: `90s`, `10m`, `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timeout(Duration);

/// Why a text is not a timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time from 1s to 168h, written as `90s`, `10m` or `1h30m`")]
pub struct TimeoutError;

impl Timeout {
    /// Returns it as the standard library's type.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Timeout {
    type Err = TimeoutError;

    fn from_str(text: &str) -> Result<Self, TimeoutError> {
        let mut seconds: u64 = 0;
        let mut number: Option<u64> = None;
        let mut smallest_so_far = u64::MAX;
        for character in text.chars() {
            if let Some(digit) = character.to_digit(10) {
                number = Some(
                    number
                        .unwrap_or(0)
                        .checked_mul(10)
                        .and_then(|n| n.checked_add(u64::from(digit)))
                        .ok_or(TimeoutError)?,
                );
                continue;
            }
            let unit = match character {
                'h' => 3600,
                'm' => 60,
                's' => 1,
                _ => return Err(TimeoutError),
            };
            if unit >= smallest_so_far {
                return Err(TimeoutError);
            }
            smallest_so_far = unit;
            let part = number.take().and_then(|n| n.checked_mul(unit)).ok_or(TimeoutError)?;
            seconds = seconds.checked_add(part).ok_or(TimeoutError)?;
        }
        if number.is_none() && (1..=LONGEST_SECONDS).contains(&seconds) {
            Ok(Self(Duration::from_secs(seconds)))
        } else {
            Err(TimeoutError)
        }
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        for (amount, unit) in [(seconds / 3600, 'h'), (seconds % 3600 / 60, 'm'), (seconds % 60, 's')] {
            if amount > 0 {
                write!(formatter, "{amount}{unit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn units_go_from_large_to_small_and_each_once() {
        for text in [
            "",
            "10",
            "m",
            "10m1h",
            "1m1m",
            "0s",
            "169h",
            "1d",
            "-1s",
            "1.5h",
            "99999999999999999999h",
        ] {
            assert_eq!(text.parse::<Timeout>(), Err(TimeoutError), "{text}");
        }
        for text in ["1s", "90s", "10m", "1h30m", "1h1m1s"] {
            assert!(text.parse::<Timeout>().is_ok(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverses(seconds in 1u64..=LONGEST_SECONDS) {
            let timeout = Timeout(Duration::from_secs(seconds));
            prop_assert_eq!(timeout.to_string().parse::<Timeout>(), Ok(timeout));
        }
    }
}
