//! How long a watch waits before it asks again.

use std::time::Duration;
use tokio::time::sleep;

/// The first pause.
const FIRST: Duration = Duration::from_millis(50);
/// The longest pause before a kind that is not served is looked for again: its operator may be seconds from bringing it.
const LONGEST_FOR_ABSENCE: Duration = Duration::from_secs(1);
/// The longest pause after failures.
const LONGEST_FOR_FAILURE: Duration = Duration::from_secs(10);

/// Doubles with each failure, until something goes well.
#[derive(Debug, Default)]
pub(super) struct Pause {
    n_failures: u32,
    due: Option<Duration>,
}

impl Pause {
    /// Waits for what is due, once.
    pub(super) async fn wait(&mut self) {
        if let Some(due) = self.due.take() {
            sleep(due).await;
        }
    }

    /// Something went well.
    pub(super) fn reset(&mut self) {
        self.n_failures = 0;
    }

    /// The kind is not served.
    pub(super) fn after_absence(&mut self) {
        self.due = Some(self.step(LONGEST_FOR_ABSENCE));
    }

    /// Something failed; the server may have said how long it wants to be left alone.
    pub(super) fn after_failure(&mut self, asked: Option<Duration>) {
        let step = self.step(LONGEST_FOR_FAILURE);
        self.due = Some(asked.unwrap_or(step));
    }

    fn step(&mut self, longest: Duration) -> Duration {
        let step = FIRST.saturating_mul(1 << self.n_failures.min(16)).min(longest);
        self.n_failures = self.n_failures.saturating_add(1);
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_their_caps_and_the_servers_word_wins() {
        let mut pause = Pause::default();
        let mut dues = Vec::new();
        for _ in 0..7 {
            pause.after_absence();
            dues.extend(pause.due.map(|due| due.as_millis()));
        }
        assert_eq!(dues, [50, 100, 200, 400, 800, 1000, 1000]);
        pause.after_failure(None);
        assert_eq!(pause.due, Some(Duration::from_millis(6400)));
        pause.after_failure(Some(Duration::from_secs(3)));
        assert_eq!(pause.due, Some(Duration::from_secs(3)));
        pause.reset();
        pause.after_failure(None);
        assert_eq!(pause.due, Some(FIRST));
    }
}
