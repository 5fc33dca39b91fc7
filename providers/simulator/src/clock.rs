//! Scaled time: how long a duration of the reference takes in the simulated cluster.
//!
//! Invariants:
//! - Speed 100 (the default) makes a minute of the reference 0.6 s; speed 0 makes every wait end at once.
//! - A wait is never shorter than the reference's duration divided by the speed.

use std::time::Duration;

/// The default speed: the durations of the reference divided by 100.
pub const DEFAULT_SPEED: f64 = 100.0;

/// How much faster than a real cluster the simulated one lives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    speed: f64,
}

impl Clock {
    /// Returns a clock of this speed; zero, negative and non-finite speeds all mean "no waiting".
    #[must_use]
    pub fn new(speed: f64) -> Self {
        Self {
            speed: if speed.is_finite() && speed > 0.0 { speed } else { 0.0 },
        }
    }

    /// Returns the speed, zero for "no waiting".
    #[must_use]
    pub fn speed(self) -> f64 {
        self.speed
    }

    /// Scales a duration of the reference to one of this clock.
    #[must_use]
    pub fn scale(self, reference: Duration) -> Duration {
        if self.speed == 0.0 {
            Duration::ZERO
        } else {
            reference.div_f64(self.speed)
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(DEFAULT_SPEED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_divides_and_zero_waits_for_nothing() {
        assert_eq!(
            Clock::new(100.0).scale(Duration::from_secs(60)),
            Duration::from_millis(600)
        );
        assert_eq!(Clock::new(0.0).scale(Duration::from_secs(60)), Duration::ZERO);
        assert_eq!(Clock::new(f64::NAN).scale(Duration::from_secs(60)), Duration::ZERO);
    }
}
