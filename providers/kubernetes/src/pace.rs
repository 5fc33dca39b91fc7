//! How many requests are in flight at once: as many as the server bears.
//!
//! Additive increase, multiplicative decrease, as TCP does it (RFC 5681): each answer that comes well lets a little more
//! through, and a refusal halves what is let through. How long the refused one waits, it is told itself.
//!
//! Invariants:
//! - Never more than the ceiling that the person set, never fewer than one.
//! - Requests that were sent before a decrease say nothing about what the server bears after it.
//! - What one API group cannot answer, or answers slowly, slows requests to that group alone: behind it may be a server of
//!   its own, or webhooks. That the server asks for fewer requests slows all.
//! - How long an answer takes is compared with its like: a list of many objects says nothing about a read of one.
//! - Slow answers alone never bring a group below [`PATIENT`]: some webhooks are slow whatever the load.
//! - A request that waits for its turn, or until it may be sent again, is not in flight.

use http::Method;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// What an answer took is slow from here on: the service level that Kubernetes sets itself for requests about one object
/// (kubernetes/community, `sig-scalability/slos/api_call_latency.md`: 99 of 100 within a second).
const SLOW: Duration = Duration::from_secs(1);
/// What is always as slow as this many times its fastest is not slow by load.
const TIMES_THE_FASTEST: u32 = 8;
/// Slow answers alone bring it no lower than this.
const PATIENT: f64 = 4.0;

/// What an answer says about the load of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// It answered.
    Borne,
    /// It asks for fewer requests (429).
    Refused,
    /// It, or what is behind it for this group, does not answer in time or at all (503, 504, silence).
    Unavailable,
}

/// What a request asks of whom, as far as that decides how long its answer takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    group: String,
    like: Like,
}

/// Requests to one group whose answers take about as long.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Like {
    method: String,
    /// The plural of what is listed, where the request is a list: how long that takes is a matter of how many there are.
    list_of: Option<String>,
}

impl Asked {
    /// A request by its method and its path; the forms of paths are those of the Kubernetes API
    /// (<https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris>).
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let (group, within) = match segments.as_slice() {
            ["api", _, within @ ..] => ("", within),
            ["apis", group, _, within @ ..] => (*group, within),
            _ => ("", &[][..]),
        };
        let within = match within {
            ["namespaces", _, within @ ..] if !within.is_empty() => within,
            within => within,
        };
        let list_of = match within {
            [plural] if method == Method::GET => Some((*plural).to_owned()),
            _ => None,
        };
        Self {
            group: group.to_owned(),
            like: Like {
                method: method.to_string(),
                list_of,
            },
        }
    }
}

/// So many at once, as learnt.
#[derive(Debug)]
struct Limit {
    now: f64,
    /// When it was lowered last.
    lowered: Option<Instant>,
}

impl Limit {
    fn admits(&self, in_flight: usize) -> bool {
        u32::try_from(in_flight).is_ok_and(|in_flight| f64::from(in_flight) + 1.0 <= self.now)
    }

    fn raise(&mut self, ceiling: f64) {
        self.now = (self.now + 1.0 / self.now).min(ceiling);
    }

    fn lower(&mut self, sent: Instant, now: Instant, by: f64, floor: f64) {
        if self.lowered.is_none_or(|lowered| sent >= lowered) {
            self.now = (self.now * by).max(floor.min(self.now));
            self.lowered = Some(now);
        }
    }
}

/// What one group bears.
#[derive(Debug)]
struct Group {
    limit: Limit,
    in_flight: usize,
    /// The shortest time that its like took.
    fastest: BTreeMap<Like, Duration>,
}

/// What the server bears, as far as its answers say.
#[derive(Debug)]
struct Pace {
    ceiling: f64,
    limit: Limit,
    in_flight: usize,
    groups: BTreeMap<String, Group>,
}

impl Pace {
    fn new(ceiling: usize) -> Self {
        let ceiling = f64::from(u32::try_from(ceiling.max(1)).unwrap_or(u32::MAX));
        Self {
            ceiling,
            limit: Limit {
                now: ceiling,
                lowered: None,
            },
            in_flight: 0,
            groups: BTreeMap::new(),
        }
    }

    fn group(&mut self, name: &str) -> &mut Group {
        let ceiling = self.ceiling;
        self.groups.entry(name.to_owned()).or_insert_with(|| Group {
            limit: Limit {
                now: ceiling,
                lowered: None,
            },
            in_flight: 0,
            fastest: BTreeMap::new(),
        })
    }

    /// Counts one more request to a group as in flight, if it may be sent beside those that are.
    fn admit(&mut self, asked: &Asked) -> bool {
        let of_all = self.limit.admits(self.in_flight);
        let group = self.group(&asked.group);
        let admits = of_all && group.limit.admits(group.in_flight);
        group.in_flight += usize::from(admits);
        self.in_flight += usize::from(admits);
        admits
    }

    /// One request to a group is in flight no more.
    fn end(&mut self, asked: &Asked) {
        self.group(&asked.group).in_flight -= 1;
        self.in_flight -= 1;
    }

    /// Takes in what an answer to a request says that was sent at some time.
    fn learn(&mut self, asked: &Asked, sent: Instant, now: Instant, load: Load) {
        let ceiling = self.ceiling;
        let group = self.group(&asked.group);
        match load {
            Load::Refused => self.limit.lower(sent, now, 0.5, 1.0),
            Load::Unavailable => group.limit.lower(sent, now, 0.5, 1.0),
            Load::Borne => {
                let took = now.saturating_duration_since(sent);
                let fastest = group.fastest.entry(asked.like.clone()).or_insert(took);
                *fastest = took.min(*fastest);
                if took > SLOW.max(*fastest * TIMES_THE_FASTEST) {
                    group.limit.lower(sent, now, 0.75, PATIENT);
                } else {
                    group.limit.raise(ceiling);
                    self.limit.raise(ceiling);
                }
            }
        }
    }
}

/// Lets requests through, as many at once as the server bears.
#[derive(Debug)]
pub(crate) struct Pacer {
    inner: Mutex<Pace>,
    /// Something changed that may let somebody through.
    changed: Notify,
}

/// The turn of one request; it is over when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pacer: &'a Pacer,
    asked: Asked,
    since: Instant,
}

impl Pacer {
    /// Lets so many through at most.
    pub(crate) fn new(ceiling: usize) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::new(Pace::new(ceiling)),
            changed: Notify::new(),
        })
    }

    /// Waits for the turn of a request.
    pub(crate) async fn turn(&self, asked: Asked) -> Turn<'_> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.inner().admit(&asked) {
                return Turn {
                    pacer: self,
                    asked,
                    since: Instant::now(),
                };
            }
            changed.await;
        }
    }

    fn inner(&self) -> MutexGuard<'_, Pace> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Takes in what came of the request.
    pub(crate) fn learn(&self, load: Load) {
        let now = Instant::now();
        self.pacer.inner().learn(&self.asked, self.since, now, load);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.pacer.inner().end(&self.asked);
        self.pacer.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::RefCell, rc::Rc};

    /// A server that bears so many requests at once, each for 10 ms, and refuses every other at once.
    struct Server {
        bears: usize,
        in_flight: usize,
        most: usize,
        n_refused: usize,
    }

    /// Sends one request, again until it is borne; the pause is the server's.
    async fn send(pacer: &Pacer, server: &RefCell<Server>, asks_to_wait: Duration) {
        loop {
            let turn = pacer.turn(patches("apps")).await;
            let is_borne = {
                let mut server = server.borrow_mut();
                server.in_flight += 1;
                server.most = server.most.max(server.in_flight);
                server.in_flight <= server.bears
            };
            if is_borne {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            server.borrow_mut().in_flight -= 1;
            if is_borne {
                turn.learn(Load::Borne);
                return;
            }
            server.borrow_mut().n_refused += 1;
            turn.learn(Load::Refused);
            drop(turn);
            tokio::time::sleep(asks_to_wait).await;
        }
    }

    async fn send_many(pacer: &Arc<Pacer>, server: &Rc<RefCell<Server>>, number: usize) {
        let local = tokio::task::LocalSet::new();
        for _ in 0..number {
            let (pacer, server) = (Arc::clone(pacer), Rc::clone(server));
            local.spawn_local(async move { send(&pacer, &server, Duration::from_secs(1)).await });
        }
        local.await;
    }

    fn server(bears: usize) -> Rc<RefCell<Server>> {
        Rc::new(RefCell::new(Server {
            bears,
            in_flight: 0,
            most: 0,
            n_refused: 0,
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_bears_all_is_asked_as_much_at_once_as_the_person_allows() {
        let (pacer, server) = (Pacer::new(16), server(1_000));
        let began = Instant::now();
        send_many(&pacer, &server, 160).await;
        assert_eq!((server.borrow().most, server.borrow().n_refused), (16, 0));
        assert_eq!(began.elapsed(), Duration::from_millis(100));
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_refuses_is_asked_less_at_once_and_all_is_done_in_the_end() {
        let (pacer, server) = (Pacer::new(64), server(4));
        send_many(&pacer, &server, 500).await;
        let refused = server.borrow().n_refused;
        assert!(refused < 300, "{refused} of 500");
        assert!(!pacer.inner().limit.admits(16), "{:?}", pacer.inner());
    }

    fn patches(group: &str) -> Asked {
        Asked::of(&Method::PATCH, &format!("/apis/{group}/v1/namespaces/n/things/x"))
    }

    #[tokio::test(start_paused = true)]
    async fn one_wave_of_refusals_counts_once_and_what_comes_well_wins_back_the_ceiling() {
        let (mut pace, asked) = (Pace::new(16), patches("apps"));
        let sent = Instant::now();
        for _ in 0..16 {
            pace.learn(&asked, sent, sent + Duration::from_millis(5), Load::Refused);
        }
        assert!(pace.limit.admits(7) && !pace.limit.admits(8));
        let later = sent + Duration::from_millis(6);
        for _ in 0..1_000 {
            pace.learn(&asked, later, later, Load::Borne);
        }
        assert!(pace.limit.admits(15) && !pace.limit.admits(16));
        for round in 1..10 {
            let later = sent + Duration::from_secs(round);
            pace.learn(&asked, later, later, Load::Refused);
        }
        assert!(pace.limit.admits(0) && !pace.limit.admits(1), "one always goes");
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_became_slow_lower_it_and_what_was_always_slow_does_not() {
        let mut pace = Pace::new(16);
        let at = |seconds| Instant::now() + Duration::from_secs(seconds);
        let mut took = |method: &Method, path: &str, sent: u64, seconds| {
            pace.learn(&Asked::of(method, path), at(sent), at(sent + seconds), Load::Borne);
            pace.group("").limit.now
        };
        let (one, pods, secrets) = ("/api/v1/namespaces/n/secrets/x", "/api/v1/pods", "/api/v1/secrets");
        // A webhook that takes its two seconds.
        assert!(took(&Method::PATCH, one, 0, 2) >= 16.0 && took(&Method::PATCH, one, 5, 3) >= 16.0);
        // A read and a short list took nothing; that many pods take seconds to list is no matter of load.
        took(&Method::GET, one, 10, 0);
        took(&Method::GET, secrets, 12, 0);
        assert!(took(&Method::GET, pods, 14, 4) >= 16.0);
        // What took nothing takes seconds now.
        assert!(took(&Method::GET, one, 20, 2) < 16.0);
        let lowest = (3..20)
            .map(|round| took(&Method::GET, one, round * 10, 2))
            .fold(16.0, f64::min);
        assert!((lowest - PATIENT).abs() < f64::EPSILON, "{lowest}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_whose_server_is_away_slows_nobody_else() {
        let mut pace = Pace::new(16);
        let (metrics, apps) = (patches("metrics.k8s.io"), patches("apps"));
        for round in 0..10 {
            let sent = Instant::now() + Duration::from_secs(round);
            pace.learn(&metrics, sent, sent, Load::Unavailable);
        }
        assert!(pace.admit(&metrics) && !pace.admit(&metrics), "one of its own");
        assert_eq!((0..20).filter(|_| pace.admit(&apps)).count(), 15, "beside all others");
        // That the server itself asks for fewer is for everybody.
        let later = Instant::now() + Duration::from_secs(60);
        pace.learn(&metrics, later, later, Load::Refused);
        (0..15).for_each(|_| pace.end(&apps));
        assert_eq!((0..20).filter(|_| pace.admit(&apps)).count(), 7);
    }

    #[test]
    fn a_list_is_told_from_a_read_and_a_group_from_another() {
        let of = |path: &str| {
            let Asked { group, like } = Asked::of(&Method::GET, path);
            format!("{group}: {}", like.list_of.unwrap_or_default())
        };
        assert_eq!(of("/api/v1/namespaces"), ": namespaces");
        assert_eq!(of("/api/v1/namespaces/n"), ": ");
        assert_eq!(of("/api/v1/namespaces/n/pods?limit=500"), ": pods");
        assert_eq!(of("/api/v1/namespaces/n/pods/p"), ": ");
        assert_eq!(of("/apis/apps/v1/deployments?limit=500"), "apps: deployments");
        assert_eq!(of("/apis/apps/v1"), "apps: ");
        assert_eq!(of("/version"), ": ");
    }
}
