//! How many requests are in flight at once: as many as the server bears.
//!
//! Additive increase, multiplicative decrease, as TCP does it (RFC 5681): each answer that comes well lets a little more
//! through, and a refusal halves what is let through. How long the refused one waits, it is told itself.
//!
//! Invariants:
//! - Never more than the ceiling that the person set, never fewer than one.
//! - Requests that were sent before a decrease say nothing about what the server bears after it.
//! - Slow answers alone never bring it below [`PATIENT`]: some webhooks are slow whatever the load.
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
    /// It asks for fewer requests, or for later ones.
    Refused,
}

/// What the server bears, as far as its answers say.
#[derive(Debug)]
struct Pace {
    ceiling: f64,
    limit: f64,
    /// When the limit was lowered last.
    lowered: Option<Instant>,
    /// The shortest time that a method took.
    fastest: BTreeMap<String, Duration>,
}

impl Pace {
    fn new(ceiling: usize) -> Self {
        let ceiling = f64::from(u32::try_from(ceiling.max(1)).unwrap_or(u32::MAX));
        Self {
            ceiling,
            limit: ceiling,
            lowered: None,
            fastest: BTreeMap::new(),
        }
    }

    /// Whether one more may be sent beside so many.
    fn admits(&self, in_flight: usize) -> bool {
        u32::try_from(in_flight).is_ok_and(|in_flight| f64::from(in_flight) + 1.0 <= self.limit)
    }

    /// Takes in what an answer to a request says that was sent at some time.
    fn learn(&mut self, method: &Method, sent: Instant, now: Instant, load: Load) {
        match load {
            Load::Refused => self.lower(sent, now, 0.5, 1.0),
            Load::Borne => {
                let took = now.saturating_duration_since(sent);
                let fastest = self.fastest.entry(method.to_string()).or_insert(took);
                *fastest = took.min(*fastest);
                if took > SLOW.max(*fastest * TIMES_THE_FASTEST) {
                    self.lower(sent, now, 0.75, PATIENT);
                } else {
                    self.limit = (self.limit + 1.0 / self.limit).min(self.ceiling);
                }
            }
        }
    }

    fn lower(&mut self, sent: Instant, now: Instant, by: f64, floor: f64) {
        if self.lowered.is_none_or(|lowered| sent >= lowered) {
            self.limit = (self.limit * by).max(floor.min(self.limit));
            self.lowered = Some(now);
        }
    }
}

/// Lets requests through, as many at once as the server bears.
#[derive(Debug)]
pub(crate) struct Pacer {
    inner: Mutex<(Pace, usize)>,
    /// Something changed that may let somebody through.
    changed: Notify,
}

/// The turn of one request; it is over when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pacer: &'a Pacer,
    since: Instant,
}

impl Pacer {
    /// Lets so many through at most.
    pub(crate) fn new(ceiling: usize) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::new((Pace::new(ceiling), 0)),
            changed: Notify::new(),
        })
    }

    /// Waits for the turn of a request.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.admit() {
                return Turn {
                    pacer: self,
                    since: Instant::now(),
                };
            }
            changed.await;
        }
    }

    fn admit(&self) -> bool {
        let (pace, in_flight) = &mut *self.inner();
        let admits = pace.admits(*in_flight);
        *in_flight += usize::from(admits);
        admits
    }

    fn inner(&self) -> MutexGuard<'_, (Pace, usize)> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Takes in what came of the request.
    pub(crate) fn learn(&self, method: &Method, load: Load) {
        let now = Instant::now();
        self.pacer.inner().0.learn(method, self.since, now, load);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.pacer.inner().1 -= 1;
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
            let turn = pacer.turn().await;
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
                turn.learn(&Method::PATCH, Load::Borne);
                return;
            }
            server.borrow_mut().n_refused += 1;
            turn.learn(&Method::PATCH, Load::Refused);
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
        assert!(!pacer.inner().0.admits(16), "{:?}", pacer.inner().0);
    }

    #[tokio::test(start_paused = true)]
    async fn one_wave_of_refusals_counts_once_and_what_comes_well_wins_back_the_ceiling() {
        let mut pace = Pace::new(16);
        let sent = Instant::now();
        for _ in 0..16 {
            pace.learn(&Method::PUT, sent, sent + Duration::from_millis(5), Load::Refused);
        }
        assert!(pace.admits(7) && !pace.admits(8));
        let later = sent + Duration::from_millis(6);
        for _ in 0..1_000 {
            pace.learn(&Method::PUT, later, later, Load::Borne);
        }
        assert!(pace.admits(15) && !pace.admits(16));
        for round in 1..10 {
            let later = sent + Duration::from_secs(round);
            pace.learn(&Method::PUT, later, later, Load::Refused);
        }
        assert!(pace.admits(0) && !pace.admits(1), "one always goes");
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_became_slow_lower_it_and_what_was_always_slow_does_not() {
        let mut pace = Pace::new(16);
        let at = |seconds| Instant::now() + Duration::from_secs(seconds);
        let mut took = |method: Method, sent: u64, seconds| {
            pace.learn(&method, at(sent), at(sent + seconds), Load::Borne);
            pace.limit
        };
        // A webhook that takes its two seconds.
        assert!(took(Method::PATCH, 0, 2) >= 16.0 && took(Method::PATCH, 5, 3) >= 16.0);
        // Reads took nothing, and take seconds now.
        took(Method::GET, 10, 0);
        assert!(took(Method::GET, 20, 2) < 16.0);
        let lowest = (3..20)
            .map(|round| took(Method::GET, round * 10, 2))
            .fold(16.0, f64::min);
        assert!((lowest - PATIENT).abs() < f64::EPSILON, "{lowest}");
    }
}
