//! How an API server fails its clients on purpose.
//!
//! In: a [`Trouble`], which says how often what goes wrong. Out: for each request a [`Fate`].
//!
//! Invariants:
//! - Equal seeds and equal requests meet equal fates: the fate of the n-th request of a method and path depends on
//!   nothing else, so neither on the clock nor on what other clients do meanwhile.
//! - A request is either carried out as always, or not at all; a fate only decides what the client hears of it. So the
//!   audit log tells what happened.
//! - Users who are spared, health checks and the server's own work are never troubled.

mod answers;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::response::Response;
use http::request::Parts;
use http::{Method, StatusCode};

use super::identity::Identity;
use super::kinds::Kinds;
use super::request::{Query, ResourcePath};
use super::server::Server;
use super::store::ObjectKey;
use answers::{Said, Subject};
pub(super) use answers::{Severed, expired};

/// How often something happens: from 1 to 100 of a hundred times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(u8);

impl Percent {
    /// Returns a percentage; none for 0 and for more than 100.
    #[must_use]
    pub fn new(percent: u8) -> Option<Self> {
        (1..=100).contains(&percent).then_some(Self(percent))
    }
}

/// The seed of whoever names none.
pub const DEFAULT_SEED: u64 = 1;

/// How an API server fails its clients on purpose; by default it does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// How long every request waits before it is looked at, in real time.
    pub latency: Duration,
    /// Requests that are answered 429 with a `Retry-After`.
    pub throttled: Option<Percent>,
    /// Requests that are answered 500, in the forms that a server in trouble has.
    pub errors: Option<Percent>,
    /// Requests that are answered 503 or 504.
    pub unavailable: Option<Percent>,
    /// Writes of what exists that are answered 409: the object has been modified.
    pub conflicts: Option<Percent>,
    /// Requests whose connection breaks instead of an answer, half of them after the request was carried out.
    pub dropped_connections: Option<Percent>,
    /// Watches that break at an event.
    pub dropped_watches: Option<Percent>,
    /// How long a watch lasts at most before it breaks, in real time.
    pub watches_last: Option<Duration>,
    /// Whether a watch can go on only from a fresh list: everything older is answered 410.
    pub history_is_gone: bool,
    /// Kinds whose admission webhook times out.
    pub webhook_timeouts: Vec<String>,
    /// Users who are never troubled.
    pub spared: Vec<String>,
    /// What decides who is met.
    pub seed: u64,
}

impl Default for Trouble {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            throttled: None,
            errors: None,
            unavailable: None,
            conflicts: None,
            dropped_connections: None,
            dropped_watches: None,
            watches_last: None,
            history_is_gone: false,
            webhook_timeouts: Vec::new(),
            spared: Vec::new(),
            seed: DEFAULT_SEED,
        }
    }
}

/// Says how a server fails its clients from now on. Cheap to clone; clones speak of one server.
#[derive(Clone, Debug)]
pub struct TroubleControl(Arc<Troubles>);

impl TroubleControl {
    pub(super) fn of(troubles: &Arc<Troubles>) -> Self {
        Self(Arc::clone(troubles))
    }

    /// Fails clients as this says, in place of what was said before.
    pub fn set(&self, trouble: Trouble) {
        self.0.set(trouble);
    }
}

/// What a client is answered instead.
#[derive(Debug)]
pub(super) enum Fate {
    /// As always.
    Served,
    /// This; the request is not carried out.
    Instead(Response),
    /// This, after the request was carried out.
    Afterwards(Response),
}

/// For the log.
impl fmt::Display for Fate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Served => formatter.write_str("served"),
            Self::Instead(response) => write!(formatter, "{} instead", code(response)),
            Self::Afterwards(response) => write!(formatter, "{} afterwards", code(response)),
        }
    }
}

/// The code of an answer; that of a broken connection is never seen.
fn code(response: &Response) -> String {
    match response.status() {
        StatusCode::OK => "silence".to_owned(),
        code => code.as_u16().to_string(),
    }
}

/// What a watch has to fear.
#[derive(Clone, Copy, Debug)]
pub(super) struct WatchFate {
    pub(super) breaks_after: Option<Duration>,
    /// The chance to break at each event, and the number of the watch on its path.
    pub(super) breaks: Option<(Percent, u64)>,
}

/// The trouble in force, and what is remembered to be even-handed.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    current: RwLock<Arc<Trouble>>,
    /// How often each method and path was asked for.
    asked: Mutex<BTreeMap<String, u64>>,
    /// For each path of a collection, from where on the last list is that nobody watched from yet.
    listed: Mutex<BTreeMap<String, u64>>,
}

impl Troubles {
    pub(super) fn set(&self, trouble: Trouble) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(trouble);
    }

    fn current(&self) -> Arc<Trouble> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The trouble that a user meets.
    fn of(&self, user: &Identity) -> Option<Arc<Trouble>> {
        let trouble = self.current();
        (!trouble.spared.contains(&user.user)).then_some(trouble)
    }

    /// How often this was asked before.
    fn count(&self, line: &str) -> u64 {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let count = asked.entry(line.to_owned()).or_default();
        *count += 1;
        *count
    }

    /// How long a user's request waits first.
    pub(super) fn latency(&self, user: &Identity) -> Duration {
        self.of(user).map_or(Duration::ZERO, |trouble| trouble.latency)
    }

    /// Decides what becomes of a request.
    pub(super) fn fate(&self, server: &Server, kinds: &Kinds, parts: &Parts, user: &Identity) -> Fate {
        let Some(trouble) = self.of(user).filter(|trouble| trouble.meets_requests()) else {
            return Fate::Served;
        };
        let path = parts.uri.path();
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let is_watch = query.is_set("watch");
        let line = format!("{} {path} {is_watch} {}", parts.method, query.is_dry_run());
        let draw = Draw {
            seed: trouble.seed,
            count: self.count(&line),
            line: &line,
        };
        let resource = ResourcePath::parse(path);
        let kind = resource
            .as_ref()
            .and_then(|resource| kinds.get(&resource.group, &resource.plural));
        let subject = Subject {
            method: &parts.method,
            resource: resource.as_ref(),
        };
        let is_write = parts.method != Method::GET;
        let afterwards = |said: Said, is_possible: bool| {
            let response = said.response(subject);
            if is_possible && is_write && draw.coin(&format!("after {said:?}")) {
                Fate::Afterwards(response)
            } else {
                Fate::Instead(response)
            }
        };
        if draw.meets(trouble.dropped_connections, "connection") {
            return afterwards(Said::Nothing, true);
        }
        if draw.meets(trouble.throttled, "throttled") {
            return Fate::Instead(Said::Throttled.response(subject));
        }
        if draw.meets(trouble.unavailable, "unavailable") {
            let said = draw.one_of(&[Said::Unavailable, Said::TimedOut], "unavailable");
            return afterwards(said, said == Said::TimedOut);
        }
        if draw.meets(trouble.errors, "errors") {
            let said = draw.one_of(
                &[
                    Said::StoreTimedOut,
                    Said::LeaderChanged,
                    Said::ServerTimeout,
                    Said::InternalError,
                ],
                "errors",
            );
            // What the store did before it fell silent is not known.
            return afterwards(said, matches!(said, Said::StoreTimedOut | Said::LeaderChanged));
        }
        let is_of_object = resource.as_ref().is_some_and(|resource| resource.subresource.is_none());
        if let Some(kind) =
            kind.filter(|kind| is_write && is_of_object && trouble.webhook_timeouts.contains(&kind.kind))
        {
            return Fate::Instead(answers::webhook_timeout(&kind.kind));
        }
        // A dry run is computed once, against what is there.
        let changes = (parts.method == Method::PATCH || parts.method == Method::PUT) && !query.is_dry_run();
        if changes
            && let Some(resource) = &resource
            && exists(server, resource)
            && draw.meets(trouble.conflicts, "conflicts")
        {
            return Fate::Instead(Said::Modified.response(subject));
        }
        Fate::Served
    }

    /// Notes a list, which a watch may go on from.
    pub(super) fn listed(&self, path: &str, resource_version: u64) {
        if !self.current().history_is_gone {
            return;
        }
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        listed.insert(path.to_owned(), resource_version);
    }

    /// Whether a user's watch from here is answered 410, and how often that was so on this path. From 0 is from now.
    pub(super) fn is_expired(&self, path: &str, from: u64, user: &Identity) -> Option<u64> {
        self.of(user).filter(|trouble| trouble.history_is_gone)?;
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = from == 0 || listed.get(path).is_some_and(|listed| from >= *listed);
        if is_fresh {
            listed.remove(path);
            return None;
        }
        drop(listed);
        Some(self.count(&format!("410 {path}")))
    }

    /// What a user's watch has to fear.
    pub(super) fn of_watch(&self, path: &str, user: &Identity) -> WatchFate {
        let trouble = self.of(user);
        WatchFate {
            breaks_after: trouble.as_ref().and_then(|trouble| trouble.watches_last),
            breaks: trouble
                .and_then(|trouble| trouble.dropped_watches)
                .map(|percent| (percent, self.count(&format!("watch {path}")))),
        }
    }

    /// Whether a watch breaks at its n-th event.
    pub(super) fn breaks(&self, path: &str, (percent, number): (Percent, u64), n_events: u64) -> bool {
        let line = format!("event {path} {number}");
        let draw = Draw {
            seed: self.current().seed,
            count: n_events,
            line: &line,
        };
        draw.meets(Some(percent), "watch")
    }
}

impl Trouble {
    /// Whether any request can meet trouble, so that nothing is counted for nobody.
    fn meets_requests(&self) -> bool {
        let chances = [
            self.throttled,
            self.errors,
            self.unavailable,
            self.conflicts,
            self.dropped_connections,
        ];
        chances.iter().any(Option::is_some) || !self.webhook_timeouts.is_empty()
    }
}

fn exists(server: &Server, resource: &ResourcePath) -> bool {
    resource.name.as_ref().is_some_and(|name| {
        let key = ObjectKey {
            group: resource.group.clone(),
            plural: resource.plural.clone(),
            namespace: resource.namespace.clone().unwrap_or_default(),
            name: name.clone(),
        };
        server.store.get(&key).is_some()
    })
}

/// Numbers that look random, and are the same for the same request.
#[derive(Clone, Copy)]
struct Draw<'a> {
    seed: u64,
    line: &'a str,
    count: u64,
}

impl Draw<'_> {
    /// FNV-1a over the words, mixed at the end as splitmix64 does (Steele, Lea, Flood 2014).
    fn number(self, what: &str) -> u64 {
        let mut state = 0xcbf2_9ce4_8422_2325_u64 ^ self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let count = self.count.to_le_bytes();
        for byte in self.line.bytes().chain(what.bytes()).chain(count) {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^ (state >> 31)
    }

    fn meets(self, chance: Option<Percent>, what: &str) -> bool {
        chance.is_some_and(|Percent(percent)| self.number(what) % 100 < u64::from(percent))
    }

    fn coin(self, what: &str) -> bool {
        self.number(what).is_multiple_of(2)
    }

    fn one_of(self, all: &[Said], what: &str) -> Said {
        let count = u64::try_from(all.len()).unwrap_or(1);
        let index = usize::try_from(self.number(&format!("which {what}")) % count).unwrap_or_default();
        all[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(seed: u64, count: u64) -> bool {
        let draw = Draw {
            seed,
            count,
            line: "GET /api/v1/nodes",
        };
        draw.meets(Percent::new(5), "errors")
    }

    #[test]
    fn the_same_seed_meets_the_same_requests_and_another_meets_others() {
        let met = |seed| (0..2_000).filter(|count| draw(seed, *count)).collect::<Vec<_>>();
        assert_eq!(met(1), met(1));
        assert_ne!(met(1), met(2));
    }

    #[test]
    fn five_of_a_hundred_is_about_that_many() {
        let met = (0..10_000).filter(|count| draw(DEFAULT_SEED, *count)).count();
        assert!((400..600).contains(&met), "{met}");
    }

    #[test]
    fn a_percentage_is_from_1_to_100() {
        assert_eq!(Percent::new(0), None);
        assert_eq!(Percent::new(101), None);
        assert!(Percent::new(100).is_some());
    }

    #[test]
    fn a_watch_goes_on_from_the_last_list_once() {
        let troubles = Troubles::default();
        let user = Identity::named("somebody");
        troubles.set(Trouble {
            history_is_gone: true,
            ..Trouble::default()
        });
        troubles.listed("/api/v1/pods", 7);
        assert_eq!(troubles.is_expired("/api/v1/pods", 7, &user), None);
        assert_eq!(troubles.is_expired("/api/v1/pods", 9, &user), Some(1));
        troubles.listed("/api/v1/pods", 9);
        assert_eq!(troubles.is_expired("/api/v1/pods", 9, &user), None);
    }

    #[test]
    fn who_is_spared_meets_nothing() {
        let troubles = Troubles::default();
        troubles.set(Trouble {
            latency: Duration::from_secs(1),
            spared: vec!["operator:olm".to_owned()],
            ..Trouble::default()
        });
        assert_eq!(troubles.latency(&Identity::named("operator:olm")), Duration::ZERO);
        assert_eq!(troubles.latency(&Identity::named("kube:admin")), Duration::from_secs(1));
    }
}
