//! The wall clock of the API server, and Kubernetes' two ways to write a time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A moment, as time since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(Duration);

impl Moment {
    /// Reads the wall clock.
    #[expect(clippy::disallowed_methods, reason = "a server stamps what it stores; this is its one place that reads the clock")]
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
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        (format!("{year:04}-{month:02}-{day:02}"), format!("{:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_kubernetes_writes_them() {
        let moment = Moment(Duration::from_micros(1_709_210_096_000_042));
        assert_eq!(moment.to_seconds(), "2024-02-29T12:34:56Z");
        assert_eq!(moment.to_micros(), "2024-02-29T12:34:56.000042Z");
    }
}
