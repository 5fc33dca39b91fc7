//! WATCH: changes of a kind as they happen.
//!
//! Invariants (`reference/ssa-semantics.md` §13):
//! - Every change after the asked resourceVersion is sent once and in order, or the stream says 410 and ends.
//! - An object that leaves a selector is `DELETED`, one that enters it `ADDED`.
//! - A stream ends when its time is over or the server stops.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::request::{Call, Form};
use super::selector::Selector;
use super::server::Server;
use super::status::{FieldError, Refusal};
use super::store::{Change, HistoryError, Stored};
use super::table;
use super::trouble::{self, Percent, Severed};

/// How long a watch lasts if it does not say so itself.
const DEFAULT_SECONDS: u64 = 1_800;
/// How often an idle watch that asked for it is told the current resourceVersion.
const BOOKMARK_EVERY: Duration = Duration::from_secs(30);

struct Watch {
    server: Arc<Server>,
    call: Call,
    selector: Selector,
    bookmarks: bool,
    last: u64,
    pending: VecDeque<Vec<u8>>,
    changed: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    deadline: Instant,
    next_bookmark: Instant,
    is_over: bool,
    /// When it breaks on purpose.
    breaks_at: Option<Instant>,
    /// The chance to break at each event, and which watch of its path this is.
    breaks: Option<(Percent, u64)>,
    n_sent: u64,
    path: String,
}

/// Starts a watch of a path; returns the body of its answer.
pub(super) fn start(
    server: &Arc<Server>,
    path: &str,
    call: Call,
    stopping: watch::Receiver<bool>,
) -> Result<Body, Refusal> {
    let selector = Selector::of(&call)?;
    let asked = call.query.get("resourceVersion").unwrap_or_default().to_owned();
    let sends_initial = call.query.is_set("sendInitialEvents");
    if sends_initial && call.query.get("resourceVersionMatch") != Some("NotOlderThan") {
        let detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
        let error = FieldError::forbidden("resourceVersionMatch", detail);
        return Err(Refusal::invalid_options("ListOptions", &[error]));
    }
    let from: u64 = if asked.is_empty() {
        0
    } else {
        asked.parse().map_err(|_| {
            Refusal::untyped(format!(
                "resourceVersion: Invalid value: \"{asked}\": strconv.ParseUint: parsing \"{asked}\": invalid syntax"
            ))
        })?
    };
    let expired = server.troubles.is_expired(path, from, &call.user);
    if expired.is_some() {
        tracing::debug!(path, from, "expired on purpose");
    }
    // Servers say so as the answer, or in the stream: <https://kubernetes.io/docs/reference/using-api/api-concepts/>.
    if expired.is_some_and(|count| count % 2 == 1) {
        return Err(trouble::expired(from));
    }
    let fate = server.troubles.of_watch(path, &call.user);
    let seconds = call
        .query
        .get("timeoutSeconds")
        .and_then(|text| text.parse().ok())
        .unwrap_or(DEFAULT_SECONDS);
    let changed = server.store.subscribe(&call.table());
    let now = Instant::now();
    let mut watch = Watch {
        server: Arc::clone(server),
        selector,
        bookmarks: call.query.is_set("allowWatchBookmarks"),
        last: from,
        pending: VecDeque::new(),
        changed,
        stopping,
        deadline: now + Duration::from_secs(seconds),
        next_bookmark: now + BOOKMARK_EVERY,
        is_over: false,
        breaks_at: fate.breaks_after.map(|after| now + after),
        breaks: fate.breaks,
        n_sent: 0,
        path: path.to_owned(),
        call,
    };
    if expired.is_some() {
        watch.push_error(&trouble::expired(from));
        watch.is_over = true;
    } else if sends_initial || from == 0 {
        watch.send_initial(sends_initial || asked == "0");
    }
    Ok(Body::from_stream(stream::unfold(watch, |mut watch| async move {
        let chunk = watch.next().await?;
        Some((chunk, watch))
    })))
}

impl Watch {
    fn send_initial(&mut self, ends_with_bookmark: bool) {
        let selector = &self.selector;
        let namespace = self.call.path.namespace.as_deref();
        let listing = self
            .server
            .store
            .list(&self.call.table(), namespace, None, None, usize::MAX, |stored| {
                selector.is_empty() || selector.matches(&stored.value)
            });
        let Ok(listing) = listing else { return };
        for stored in &listing.objects {
            let event = self.event("ADDED", stored);
            self.pending.push_back(event);
        }
        self.last = listing.resource_version;
        if ends_with_bookmark && self.bookmarks {
            self.push_bookmark(true);
        }
    }

    fn push_bookmark(&mut self, ends_initial: bool) {
        let mut metadata = json!({ "resourceVersion": self.last.to_string() });
        if ends_initial {
            metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        let version = self.call.version();
        let object = match self.call.form {
            Form::Plain => {
                json!({"kind": self.call.kind.kind, "apiVersion": version.api_version, "metadata": metadata})
            }
            Form::Metadata => table::metadata_only(&json!({ "metadata": metadata })),
            Form::Table => {
                json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": self.last.to_string()},
                "columnDefinitions": [], "rows": [{"cells": [], "object": {"metadata": metadata}}]})
            }
        };
        self.pending
            .push_back(line(&json!({ "type": "BOOKMARK", "object": object })));
    }

    fn push_error(&mut self, refusal: &Refusal) {
        self.pending
            .push_back(line(&json!({ "type": "ERROR", "object": refusal.to_status() })));
    }

    fn event(&self, kind: &str, stored: &Stored) -> Vec<u8> {
        let mut body = format!("{{\"type\":\"{kind}\",\"object\":").into_bytes();
        let version = self.call.version();
        match self.call.form {
            Form::Plain => self.server.write_stored(&self.call, stored, &mut body),
            Form::Metadata => body.extend_from_slice(table::metadata_only(&stored.value).to_string().as_bytes()),
            Form::Table => {
                let include = self.call.query.get("includeObject").unwrap_or("Metadata");
                let view = self.server.view(&self.call.kind, version, &stored.value);
                let table = json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1",
                    "metadata": {"resourceVersion": stored.resource_version.to_string()},
                    "columnDefinitions": table::columns(version), "rows": [table::row(version, &view, include)]});
                body.extend_from_slice(table.to_string().as_bytes());
            }
        }
        body.extend_from_slice(b"}\n");
        body
    }

    fn take_changes(&mut self) {
        match self.server.store.changes_after(&self.call.table(), self.last) {
            Ok((changes, current)) => {
                for change in changes {
                    if let Some(event) = self.event_of(&change) {
                        self.pending.push_back(event);
                    }
                }
                self.last = self.last.max(current);
            }
            Err(HistoryError::TooOld { oldest }) => {
                let refusal = Refusal::expired(format!("too old resource version: {} ({oldest})", self.last), None);
                self.push_error(&refusal);
                self.is_over = true;
            }
            Err(HistoryError::TooNew { .. }) => {}
        }
    }

    fn event_of(&self, change: &Change) -> Option<Vec<u8>> {
        if self
            .call
            .path
            .namespace
            .as_deref()
            .is_some_and(|namespace| change.row.0 != namespace)
        {
            return None;
        }
        let matches = |stored: &Stored| self.selector.is_empty() || self.selector.matches(&stored.value);
        let was = change.before.as_deref().is_some_and(matches);
        let is = !change.is_removal && matches(&change.after);
        match (was, is) {
            (false, false) => None,
            (false, true) => Some(self.event("ADDED", &change.after)),
            (true, true) => Some(self.event("MODIFIED", &change.after)),
            (true, false) if change.is_removal => Some(self.event("DELETED", &change.after)),
            // What left the selector is shown as it was last selected, at the version of its leaving.
            (true, false) => {
                let before = change.before.as_deref()?;
                Some(self.event("DELETED", &before.at(change.resource_version)))
            }
        }
    }

    /// Whether it breaks on purpose at what it would send now.
    fn breaks_here(&mut self) -> bool {
        self.n_sent += 1;
        self.breaks
            .is_some_and(|chance| self.server.troubles.breaks(&self.path, chance, self.n_sent))
    }

    /// The next bytes, or the end, or that it breaks.
    async fn next(&mut self) -> Option<Result<Bytes, Severed>> {
        loop {
            if self.pending.is_empty() && !self.is_over {
                // Seen before looking, so that a change while looking wakes the wait below.
                self.changed.borrow_and_update();
                self.take_changes();
            }
            if !self.pending.is_empty() {
                if self.breaks_here() {
                    // Half of it is on its way: nobody may take it for the whole.
                    let mut cut = self.pending.drain(..).collect::<Vec<_>>().concat();
                    cut.truncate(cut.len() / 2);
                    self.is_over = true;
                    self.breaks_at = Some(Instant::now());
                    return Some(Ok(Bytes::from(cut)));
                }
                return Some(Ok(Bytes::from(self.pending.drain(..).collect::<Vec<_>>().concat())));
            }
            if self.breaks_at.is_some_and(|at| at <= Instant::now()) {
                tracing::debug!(path = self.path, "broken on purpose");
                return Some(Err(Severed));
            }
            if self.is_over || *self.stopping.borrow() {
                return None;
            }
            let breaks_at = self.breaks_at.unwrap_or(self.deadline);
            tokio::select! {
                changed = self.changed.changed() => self.is_over = changed.is_err(),
                _ = self.stopping.changed() => return None,
                // The next round breaks it.
                () = tokio::time::sleep_until(breaks_at), if self.breaks_at.is_some() => {}
                () = tokio::time::sleep_until(self.deadline) => return None,
                () = tokio::time::sleep_until(self.next_bookmark), if self.bookmarks => {
                    self.next_bookmark = Instant::now() + BOOKMARK_EVERY;
                    self.push_bookmark(false);
                }
            }
        }
    }
}

fn line(event: &Value) -> Vec<u8> {
    let mut line = event.to_string().into_bytes();
    line.push(b'\n');
    line
}
