//! When a request is sent again: the next delay as a function of the attempt and the class of the error.

use std::time::Duration;

/// What an error says about asking again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryClass {
    /// It will not help.
    Never,
    /// Later, by the back-off.
    BackOff,
    /// Later, by the back-off, a few times: it may pass, and it may be about what was sent.
    AFewTimes,
    /// After what the server said, or by the back-off.
    After(Option<Duration>),
    /// At once, after reading again and deciding again.
    ReadAgain,
}

/// The first delay of the back-off.
const FIRST: Duration = Duration::from_millis(100);
/// The longest delay of the back-off.
const LONGEST: Duration = Duration::from_secs(10);
/// How often is a few times: 3 s in all.
const A_FEW: u32 = 5;

/// How long to wait before attempt `attempt` (the first retry is 1), or `None` when it will not help.
///
/// `jitter` is a number from 0 to 1 that the caller draws; the delay lies between half and all of its step.
pub fn delay(class: RetryClass, attempt: u32, jitter: f64) -> Option<Duration> {
    let step = FIRST
        .saturating_mul(1 << attempt.saturating_sub(1).min(10))
        .min(LONGEST);
    let spread = step.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0));
    match class {
        RetryClass::Never => None,
        RetryClass::AFewTimes if attempt > A_FEW => None,
        RetryClass::BackOff | RetryClass::AFewTimes => Some(spread),
        RetryClass::After(asked) => Some(asked.unwrap_or(spread)),
        RetryClass::ReadAgain => Some(Duration::ZERO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_a_cap_and_the_servers_word_wins() {
        let backed = |attempt| delay(RetryClass::BackOff, attempt, 1.0);
        assert_eq!(backed(1), Some(Duration::from_millis(100)));
        assert_eq!(backed(3), Some(Duration::from_millis(400)));
        assert_eq!(backed(40), Some(LONGEST));
        assert_eq!(
            delay(RetryClass::After(Some(Duration::from_secs(3))), 1, 0.0),
            Some(Duration::from_secs(3))
        );
        assert_eq!(delay(RetryClass::Never, 1, 0.0), None);
        assert_eq!(delay(RetryClass::AFewTimes, A_FEW, 1.0), backed(A_FEW));
        assert_eq!(delay(RetryClass::AFewTimes, A_FEW + 1, 1.0), None);
    }
}
