//! `Window`: the time a token limit counts over.
//!
//! Invariant: one to four digits without a leading zero and one of `s`, `m`, `h`, at most 8784 h (366 days), which is
//! what the subscription controller takes (`reference/serving.md` §4). Longer windows pass the CRD and are then
//! left out of the policy, so keys would have no limit at all. `Display` and `FromStr` are inverses.

use std::fmt;
use std::str::FromStr;

/// The longest window, in seconds: 366 days.
const LONGEST_SECONDS: u32 = 8784 * 3600;

/// The time a token limit counts over: `30s`, `5m`, `24h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    count: u16,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Unit {
    Seconds,
    Minutes,
    Hours,
}

/// Why a text is not a window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// It is written in days or weeks.
    #[error("days are not a unit here")]
    Days {
        /// The same time in hours, where that is a window.
        same_in_hours: Option<String>,
    },
    /// It is longer than 366 days.
    #[error("longer than 8784h, which is 366 days")]
    TooLong,
    /// It is something else.
    #[error("not a number of 1 to 4 digits and a unit")]
    Malformed,
}

impl Window {
    /// Returns its length in seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        u32::from(self.count) * self.unit.seconds()
    }
}

impl Unit {
    const fn seconds(self) -> u32 {
        match self {
            Self::Seconds => 1,
            Self::Minutes => 60,
            Self::Hours => 3600,
        }
    }

    const fn letter(self) -> char {
        match self {
            Self::Seconds => 's',
            Self::Minutes => 'm',
            Self::Hours => 'h',
        }
    }
}

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let suffix = &text[digits.len()..];
        let is_number = (1..=4).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        let count: u16 = if is_number {
            digits.parse().map_err(|_| WindowError::Malformed)?
        } else {
            0
        };
        let unit = match suffix {
            "s" => Unit::Seconds,
            "m" => Unit::Minutes,
            "h" => Unit::Hours,
            "d" | "day" | "days" => {
                return Err(WindowError::Days {
                    same_in_hours: in_hours(count, 24),
                });
            }
            "w" | "week" | "weeks" => {
                return Err(WindowError::Days {
                    same_in_hours: in_hours(count, 7 * 24),
                });
            }
            _ => return Err(WindowError::Malformed),
        };
        if count == 0 {
            return Err(WindowError::Malformed);
        }
        let window = Self { count, unit };
        if window.seconds() > LONGEST_SECONDS {
            Err(WindowError::TooLong)
        } else {
            Ok(window)
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.count, self.unit.letter())
    }
}

/// Writes a number of days or weeks in hours, if that is a window.
fn in_hours(count: u16, hours: u32) -> Option<String> {
    let text = format!("{}h", u32::from(count) * hours);
    text.parse::<Window>().is_ok().then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn days_and_weeks_are_offered_in_hours() {
        let same = |text: &str| text.parse::<Window>();
        assert_eq!(
            same("1d"),
            Err(WindowError::Days {
                same_in_hours: Some("24h".to_owned())
            })
        );
        assert_eq!(
            same("2w"),
            Err(WindowError::Days {
                same_in_hours: Some("336h".to_owned())
            })
        );
        assert_eq!(same("999d"), Err(WindowError::Days { same_in_hours: None }));
    }

    #[test]
    fn the_longest_window_is_366_days() {
        assert!("8784h".parse::<Window>().is_ok());
        assert_eq!("8785h".parse::<Window>(), Err(WindowError::TooLong));
        assert!("9999m".parse::<Window>().is_ok());
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverses(count in 1u16..=9999, unit in "[smh]") {
            let text = format!("{count}{unit}");
            if let Ok(window) = text.parse::<Window>() {
                prop_assert_eq!(window.to_string(), text);
            }
        }

        #[test]
        fn what_parses_follows_the_grammar(text in ".{0,8}") {
            if let Ok(window) = text.parse::<Window>() {
                prop_assert!((2..=5).contains(&text.len()));
                prop_assert!(!text.starts_with('0'));
                prop_assert!(window.seconds() >= 1 && window.seconds() <= LONGEST_SECONDS);
                prop_assert_eq!(window.to_string(), text);
            }
        }
    }
}
