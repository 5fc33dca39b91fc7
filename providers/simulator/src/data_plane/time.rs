//! Time as the data plane lives it: windows, caches and lives of keys pass at the speed of the cluster.
//!
//! Invariants:
//! - A [`Moment`] is in milliseconds since 1970 and never goes back within a process.
//! - Under tokio's paused clock it stands still, so tests decide when a window ends.
//! - A cluster without waiting lives a thousand times faster: a window that ended at once would limit nothing.

use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

use crate::clock::Clock;

/// How fast a cluster lives that waits for nothing.
const WITHOUT_WAITING: f64 = 1000.0;

/// A moment, in milliseconds since 1970.
pub(super) type Moment = i64;

/// The clock on the wall of the cluster.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    clock: Clock,
    began: Instant,
    at: Moment,
}

impl Time {
    /// Returns the time from now on, at this speed.
    pub(super) fn from_now(clock: Clock) -> Self {
        let clock = if clock.speed() > 0.0 {
            clock
        } else {
            Clock::new(WITHOUT_WAITING)
        };
        Self {
            clock,
            began: Instant::now(),
            at: Timestamp::now().as_millisecond(),
        }
    }

    /// Returns this moment.
    pub(super) fn now(self) -> Moment {
        self.at
            .saturating_add(i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// Returns the moment when something ends that begins now and lasts so long in a real cluster.
    pub(super) fn after(self, lasts: Duration) -> Moment {
        let scaled = i64::try_from(self.clock.scale(lasts).as_millis()).unwrap_or(i64::MAX);
        self.now().saturating_add(scaled)
    }

    /// Returns how long it is until a moment, as a real cluster would say it; zero if it is over.
    pub(super) fn until(self, moment: Moment) -> Duration {
        let left = u64::try_from(moment.saturating_sub(self.now())).unwrap_or_default();
        Duration::from_millis(left).mul_f64(self.clock.speed())
    }
}

/// Returns a moment as Kubernetes and its users write it; one that cannot be written is empty.
pub(super) fn written(moment: Moment) -> String {
    Timestamp::from_millisecond(moment).map_or(String::new(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
