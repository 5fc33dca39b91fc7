//! When a cluster that is watched tells nothing for a while, and when it tells something again.
//!
//! Invariants:
//! - An interruption that passes within [`GRACE`] is nobody's news: connections break, and are opened again.
//! - However many watches are interrupted, one silence is told, and its end once all of them go on.

use super::{Event, view::Scope};
use crate::readiness::Sight;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// So long a watch may be interrupted before that is told.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// The watches that are interrupted.
#[derive(Debug, Default)]
pub(super) struct Silences {
    interrupted: BTreeMap<Scope, Interruption>,
    /// Since when the silence lasts that was told.
    told: Option<Instant>,
}

#[derive(Debug)]
struct Interruption {
    since: Instant,
    why: String,
}

impl Silences {
    /// A watch was interrupted, or still is, by now for this reason.
    pub(super) fn interrupted(&mut self, scope: &Scope, why: String, now: Instant) {
        match self.interrupted.get_mut(scope) {
            Some(known) => known.why = why,
            None => drop(self.interrupted.insert(scope.clone(), Interruption { since: now, why })),
        }
    }

    /// A watch told something. The end of the silence, if one was told and this was the last of it.
    pub(super) fn heard(&mut self, scope: &Scope, now: Instant) -> Option<Event> {
        self.interrupted.remove(scope);
        let since = self.told.filter(|_| self.interrupted.is_empty())?;
        self.told = None;
        Some(Event::Heard { after: now - since })
    }

    /// When a silence is to be told, unless it ends before.
    pub(super) fn due(&self) -> Option<Instant> {
        let began = self.interrupted.values().map(|known| known.since).min();
        began.filter(|_| self.told.is_none()).map(|since| since + GRACE)
    }

    /// The silence that is to be told by now.
    pub(super) fn news(&mut self, now: Instant) -> Option<Event> {
        self.due().filter(|due| *due <= now)?;
        let first = self.interrupted.values().min_by_key(|known| known.since)?;
        self.told = Some(first.since);
        Some(Event::Unheard { why: first.why.clone() })
    }

    /// Since when nothing was heard of what these look at, and why, where that is longer than a moment.
    pub(super) fn of(&self, sights: &[Sight], now: Instant) -> Option<(Duration, &str)> {
        let interrupted = sights
            .iter()
            .filter_map(|sight| self.interrupted.get(&sight.scope()))
            .min_by_key(|known| known.since)?;
        let lasts = now - interrupted.since;
        (lasts >= GRACE).then_some((lasts, interrupted.why.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object_key::ObjectType;

    fn scope(kind: &str) -> Scope {
        (ObjectType::new("v1", kind), None)
    }

    #[tokio::test(start_paused = true)]
    async fn a_silence_is_told_once_and_ends_with_the_last_of_the_watches_that_were_interrupted() {
        let mut silences = Silences::default();
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        silences.interrupted(&scope("Pod"), "connection refused".to_owned(), at(0));
        silences.interrupted(&scope("Secret"), "connection refused".to_owned(), at(1));
        silences.interrupted(&scope("Pod"), "no route".to_owned(), at(2));
        assert_eq!(silences.due(), Some(at(5)), "since it began");
        assert_eq!(silences.news(at(4)), None);
        let why = "no route".to_owned();
        assert_eq!(silences.news(at(5)), Some(Event::Unheard { why }));
        assert_eq!((silences.due(), silences.news(at(9))), (None, None), "once");
        let pods = [Sight::All(ObjectType::new("v1", "Pod"), None)];
        assert_eq!(silences.of(&pods, at(9)), Some((Duration::from_secs(9), "no route")));
        assert_eq!(
            silences.heard(&scope("Pod"), at(10)),
            None,
            "the other is still interrupted"
        );
        let after = Duration::from_secs(11);
        assert_eq!(silences.heard(&scope("Secret"), at(11)), Some(Event::Heard { after }));
        assert_eq!(silences.heard(&scope("Secret"), at(12)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_at_once_is_told_to_nobody() {
        let mut silences = Silences::default();
        let now = Instant::now();
        silences.interrupted(&scope("Pod"), "the connection broke".to_owned(), now);
        let pods = [Sight::All(ObjectType::new("v1", "Pod"), None)];
        assert_eq!(silences.of(&pods, now), None);
        assert_eq!(silences.heard(&scope("Pod"), now + GRACE / 2), None);
        assert_eq!((silences.due(), silences.news(now + GRACE)), (None, None));
    }
}
