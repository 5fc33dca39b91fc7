//! The numbers behind the `@` of a fault: how often, how long, how many.

use std::time::Duration;

use super::catalogue::Target;
use crate::apiserver::Percent;

/// A number behind the `@`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    /// How often, of a hundred times.
    Percent(Percent),
    /// How long.
    Duration(Duration),
    /// A whole number.
    Number(u64),
}

impl Amount {
    /// Reads what a fault of this target wants, or says in words what that is.
    pub(super) fn read(target: Target, text: &str) -> Result<Option<Self>, &'static str> {
        match target {
            Target::None | Target::Operator | Target::Named(_) => Ok(None),
            Target::Percent => percent(text).map(Some).ok_or("a percentage from 1 to 100, such as `5`"),
            Target::Duration => lasting(text)
                .map(Some)
                .ok_or("a duration, such as `200ms`, `30s` or `5m`"),
            Target::PercentOrDuration => percent(text)
                .or_else(|| lasting(text))
                .map(Some)
                .ok_or("a percentage such as `5`, or a duration such as `2s`"),
            Target::Number => text
                .parse()
                .map(|number| Some(Self::Number(number)))
                .map_err(|_| "a whole number"),
        }
    }
}

fn percent(text: &str) -> Option<Amount> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok()?;
    Percent::new(number).map(Amount::Percent)
}

fn lasting(text: &str) -> Option<Amount> {
    duration(text)
        .filter(|duration| !duration.is_zero())
        .map(Amount::Duration)
}

/// Reads a whole number and its unit: `ms`, `s`, `m` or `h`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3_600).map(Duration::from_secs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("200ms"), Some(Duration::from_millis(200)));
        assert_eq!(duration("5m"), Some(Duration::from_secs(300)));
        assert_eq!(duration("5"), None);
        assert_eq!(duration("five"), None);
        assert_eq!(lasting("0s"), None);
    }

    #[test]
    fn a_percentage_may_say_that_it_is_one() {
        assert_eq!(percent("5%"), percent("5"));
        assert_eq!(percent("101"), None);
    }
}
