//! Watching a type, for ever.
//!
//! List, tell everything, watch from that state; when the connection ends, go on from the last resourceVersion seen;
//! when that is too old, list again.
//!
//! Invariants:
//! - The stream starts with a snapshot and never ends. After anything that may have lost an event a new snapshot comes.
//! - A kind that is not served is an empty snapshot, once, until it is served.
//! - No failure is asked again without a pause, however the server fails; no failure is told twice in a row.
//! - After every failure that was told it is told that the watch goes on: by a snapshot, or in so many words.
//! - It does nothing when nobody polls it, and stops when it is dropped.

mod lines;
mod pause;

use crate::{
    KubernetesProvider,
    error::{Subject, meaning},
    list::{Listed, list_all, typed},
    path,
    status::{Refusal, Status},
    transport::Opened,
};
use futures_util::{StreamExt as _, stream, stream::BoxStream};
use lines::Lines;
use pause::Pause;
use serde::Deserialize;
use serde_json::Value;
use stackctl_engine::{
    ObjectType,
    execute::{ProviderError, Selector, WatchEvent},
};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// After this long the server ends a watch, and it is opened again: the lower end of what client-go asks for
/// (`k8s.io/client-go/tools/cache/reflector.go`, `minWatchTimeout`).
const WATCH_SECONDS: &str = "300";
/// No line for so long means that the connection is dead: the server has ended it by now, or was never there.
const SILENCE: Duration = Duration::from_secs(330);
/// A watch that lived so long was a good one, whatever it told.
const GOOD_WATCH: Duration = Duration::from_secs(1);

/// Watches a type in one namespace, or in all of them.
pub(crate) fn watch(
    provider: KubernetesProvider,
    object_type: ObjectType,
    namespace: Option<String>,
) -> BoxStream<'static, WatchEvent> {
    let watcher = Watcher {
        provider,
        object_type,
        namespace,
        phase: Phase::Listing,
        pause: Pause::default(),
        is_known_absent: false,
        told: None,
    };
    let next = |mut watcher: Watcher| async move { Some((watcher.next().await, watcher)) };
    stream::unfold(watcher, next).boxed()
}

struct Watcher {
    provider: KubernetesProvider,
    object_type: ObjectType,
    namespace: Option<String>,
    phase: Phase,
    pause: Pause,
    /// Whether the empty snapshot of a kind that is not served was told.
    is_known_absent: bool,
    /// The interruption that was told last.
    told: Option<String>,
}

enum Phase {
    /// Everything is to be read.
    Listing,
    /// Everything up to this resourceVersion was told; the watch from there is to be opened.
    Opening { from: String },
    /// The watch is open.
    Reading {
        lines: Lines,
        from: String,
        opened: Instant,
    },
}

/// One line of a watch.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    change: Change,
    object: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Change {
    Added,
    Modified,
    Deleted,
    Bookmark,
    Error,
}

impl Watcher {
    async fn next(&mut self) -> WatchEvent {
        loop {
            self.pause.wait().await;
            let event = match std::mem::replace(&mut self.phase, Phase::Listing) {
                Phase::Listing => self.list().await,
                Phase::Opening { from } => self.open(from).await,
                Phase::Reading { lines, from, opened } => self.read(lines, from, opened).await,
            };
            if let Some(event) = event {
                return event;
            }
        }
    }

    async fn list(&mut self) -> Option<WatchEvent> {
        let everything = Selector::default();
        let namespace = self.namespace.as_deref();
        match list_all(&self.provider, &self.object_type, namespace, &everything).await {
            Ok(Listed {
                items,
                resource_version,
            }) => {
                if std::mem::take(&mut self.is_known_absent) {
                    self.pause.reset();
                }
                self.told = None;
                self.phase = Phase::Opening { from: resource_version };
                Some(WatchEvent::Snapshot(items))
            }
            Err(ProviderError::KindNotServed(_)) => {
                self.pause.after_absence();
                let goes_on = self.told.take().map(|_| WatchEvent::Resumed);
                let is_news = !std::mem::replace(&mut self.is_known_absent, true);
                if is_news {
                    Some(WatchEvent::Snapshot(Vec::new()))
                } else {
                    goes_on
                }
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn open(&mut self, from: String) -> Option<WatchEvent> {
        let opened = match self.provider.served(&self.object_type).await {
            Ok(served) => {
                let list = path::of_list(&self.object_type, &served, self.namespace.as_deref());
                let query = [
                    ("watch", Some("true")),
                    ("allowWatchBookmarks", Some("true")),
                    ("resourceVersion", Some(from.as_str())),
                    ("timeoutSeconds", Some(WATCH_SECONDS)),
                ];
                self.provider.transport().open(&path::with_query(list, &query)).await
            }
            Err(error) => Err(error),
        };
        match opened {
            Ok(Opened::Stream(body)) => {
                self.phase = Phase::Reading {
                    lines: Lines::new(body),
                    from,
                    opened: Instant::now(),
                };
                self.told.take().map(|_| WatchEvent::Resumed)
            }
            Ok(Opened::Refused(refusal)) => self.refused(&refusal, from),
            Err(ProviderError::KindNotServed(_)) => {
                self.pause.after_absence();
                None
            }
            Err(error) => {
                self.phase = Phase::Opening { from };
                self.failed(&error)
            }
        }
    }

    async fn read(&mut self, mut lines: Lines, from: String, opened: Instant) -> Option<WatchEvent> {
        let line = match timeout(SILENCE, lines.next()).await {
            Ok(Ok(Some(line))) => line,
            Ok(Ok(None)) => return self.ended(from, opened, None),
            Ok(Err(reason)) => return self.ended(from, opened, Some(reason)),
            Err(_) => {
                let reason = format!("no sign of life for {} s", SILENCE.as_secs());
                return self.ended(from, opened, Some(reason));
            }
        };
        let Ok(Line { change, object }) = serde_json::from_slice(&line) else {
            return match Status::read(&line) {
                Some(status) => self.refused(&Refusal::of_status(status), from),
                None => self.ended(from, opened, Some("a line that is no event".to_owned())),
            };
        };
        if let Change::Error = change {
            let status = Status::deserialize(object).unwrap_or_default();
            return self.refused(&Refusal::of_status(status), from);
        }
        self.pause.reset();
        let seen = object["metadata"]["resourceVersion"].as_str().map(str::to_owned);
        self.phase = Phase::Reading {
            lines,
            from: seen.unwrap_or(from),
            opened,
        };
        match change {
            Change::Added | Change::Modified => Some(WatchEvent::Changed(typed(object, &self.object_type))),
            Change::Deleted => Some(WatchEvent::Gone(typed(object, &self.object_type))),
            Change::Bookmark | Change::Error => None,
        }
    }

    /// The connection is over; nothing is lost, since the next watch goes on from what was seen.
    fn ended(&mut self, from: String, opened: Instant, reason: Option<String>) -> Option<WatchEvent> {
        self.phase = Phase::Opening { from };
        if opened.elapsed() >= GOOD_WATCH {
            self.pause.reset();
        }
        self.pause.after_failure(None);
        reason.and_then(|reason| self.interrupted(reason))
    }

    /// The server will not go on from here: 410 in whichever shape, a kind that went away, or what is not understood.
    /// Only what passes by itself leaves the resourceVersion in use.
    fn refused(&mut self, refusal: &Refusal, from: String) -> Option<WatchEvent> {
        let subject = Subject {
            object_type: &self.object_type,
            is_in_namespace: self.namespace.is_some(),
        };
        match meaning(refusal, subject) {
            // The list that follows sees the same and says so.
            ProviderError::KindNotServed(_) => {
                self.pause.after_absence();
                None
            }
            error @ (ProviderError::Throttled { .. } | ProviderError::Unavailable(_)) if !refusal.is_expired() => {
                self.phase = Phase::Opening { from };
                self.failed(&error)
            }
            error => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &ProviderError) -> Option<WatchEvent> {
        let asked = match error {
            ProviderError::Throttled { retry_after } => *retry_after,
            _ => None,
        };
        self.pause.after_failure(asked);
        self.interrupted(error.to_string())
    }

    fn interrupted(&mut self, reason: String) -> Option<WatchEvent> {
        let is_news = self.told.as_ref() != Some(&reason);
        self.told = Some(reason.clone());
        is_news.then_some(WatchEvent::Interrupted(reason))
    }
}
