//! What is drawn repeats by its seed.

use std::time::Duration;

/// A linear congruential generator (Knuth, MMIX): random enough to spread instants.
pub(super) struct Dice(u64);

impl Dice {
    /// Begins with a seed.
    pub(super) fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below another; zero where there is none.
    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most.max(1)
    }

    /// A time that is shorter than another.
    pub(super) fn within(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.below(most))
    }
}
