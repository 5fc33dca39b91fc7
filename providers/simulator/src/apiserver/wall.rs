//! The wall clock of the API server, and Kubernetes' two ways to write a time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment, as time since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(Duration);

impl Moment {
    /// Reads the wall clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "a server stamps what it stores; this is its one place that reads the clock"
    )]
    pub(super) fn now() -> Self {
        Self(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    /// `2026-11-24T00:22:12Z`, as `metav1.Time` is written.
    pub(super) fn to_seconds(self) -> String {
        let (date, time) = self.civil();
        format!("{date}T{time}Z")
    }

    /// `2026-11-24T00:22:12.000001Z`, as `metav1.MicroTime` is written.
    pub(super) fn to_micros(self) -> String {
        let (date, time) = self.civil();
        format!("{date}T{time}.{:06}Z", self.0.subsec_micros())
    }

    /// `2026-11-24T00:22:12.000000001Z`, as kubelets stamp lines of logs.
    pub(super) fn to_nanos(self) -> String {
        let (date, time) = self.civil();
        format!("{date}T{time}.{:09}Z", self.0.subsec_nanos())
    }

    /// Reads `2026-11-24T00:22:12Z`, with or without a fraction; `None` for any other form.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let seconds = number(11..13)? * 3_600 + number(14..16)? * 60 + number(17..19)?;
        if !(1970..10_000).contains(&year) || !(1..=12).contains(&month) || !text.ends_with('Z') {
            return None;
        }
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let (era, year_of_era) = (shifted_year / 400, shifted_year % 400);
        let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day.checked_sub(1)?;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = (era * 146_097 + day_of_era).checked_sub(719_468)?;
        Some(Self(Duration::from_secs(days * 86_400 + seconds)))
    }

    /// The time since an earlier moment, in the words of `kubectl get`.
    pub(super) fn age_since(self, earlier: Self) -> String {
        let seconds = self.0.saturating_sub(earlier.0).as_secs();
        let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
        let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| match small {
            0 => format!("{large}{large_unit}"),
            small => format!("{large}{large_unit}{small}{small_unit}"),
        };
        // <https://github.com/kubernetes/apimachinery/blob/v0.32.0/pkg/util/duration/duration.go>
        match (minutes, hours, days) {
            (0..2, _, _) => format!("{seconds}s"),
            (2..10, _, _) => two(minutes, "m", seconds % 60, "s"),
            (_, 0..3, _) => format!("{minutes}m"),
            (_, 3..8, _) => two(hours, "h", minutes % 60, "m"),
            (_, 8..48, _) => format!("{hours}h"),
            (_, _, 2..8) => two(days, "d", hours % 24, "h"),
            (_, _, 8..730) => format!("{days}d"),
            (_, _, 730..2_920) => two(days / 365, "y", days % 365, "d"),
            _ => format!("{}y", days / 365),
        }
    }

    /// So long after the beginning of 1970.
    pub(super) fn since_epoch(seconds: u64, nanos: u32) -> Self {
        Self(Duration::new(seconds, nanos))
    }

    /// The moment that the standard library has; before 1970 there is none.
    pub(super) fn of_system_time(time: SystemTime) -> Self {
        Self(time.duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    /// The same moment as the standard library has it.
    pub(super) fn to_system_time(self) -> SystemTime {
        UNIX_EPOCH + self.0
    }

    /// Nanoseconds since 1970.
    pub(super) fn as_nanos(self) -> u128 {
        self.0.as_nanos()
    }

    /// Days to civil date by the algorithm of Howard Hinnant, `chrono-compatible low-level date algorithms`.
    fn civil(self) -> (String, String) {
        let seconds = self.0.as_secs();
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        let shifted = days + 719_468;
        let era = shifted / 146_097;
        let day_of_era = shifted % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 {
            month_index + 3
        } else {
            month_index - 9
        };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        (
            format!("{year:04}-{month:02}-{day:02}"),
            format!("{:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_kubernetes_writes_them() {
        let moment = Moment(Duration::from_micros(1_709_210_096_000_042));
        assert_eq!(moment.to_seconds(), "2024-02-29T12:34:56Z");
        assert_eq!(
            Moment::parse("2024-02-29T12:34:56Z").map(Moment::to_seconds).as_deref(),
            Some("2024-02-29T12:34:56Z")
        );
        assert_eq!(moment.to_micros(), "2024-02-29T12:34:56.000042Z");
    }
}
