//! What every call has in common, and the way of one call through the cluster.
//!
//! Invariants:
//! - No lock is held while something is waited for.
//! - What a call finds of the cluster it finds at one moment ([`Passage`]); objects that it asks for by name may be newer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;
use serde_json::Value;

use super::authorino::{self, Kept, Verdict};
use super::call::{Answer, Call, Content};
use super::endpoints::{self, NoEndpoint, Program};
use super::expressions::Known;
use super::gateway::{self, Taken};
use super::kuadrant::{Kuadrant, payload_is_processed};
use super::limitador::{Counters, Limit, Variables};
use super::maas_api::{self, Databases};
use super::policies::Policies;
use super::router;
use super::store::Store;
use super::time::Time;
use super::view::View;
use super::{DataPlaneOptions, limits, model_server, provider};
use crate::operators::kinds::SERVICE;
use crate::operators::object::Read;

/// What every call has in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) view: View,
    pub(super) time: Time,
    kept: Mutex<Kept>,
    databases: Mutex<(Databases, Store)>,
    counters: Mutex<(Counters, Store)>,
    turns: Mutex<BTreeMap<String, u32>>,
}

/// What a call finds of the cluster.
struct Passage {
    taken: Taken,
    policies: Policies,
    kuadrant: Kuadrant,
    /// Whether the payload processing answers, where the Gateway has one.
    processed: bool,
}

/// What Kuadrant says in the proxy when it cannot ask Authorino.
fn broken() -> Answer {
    Answer::text(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error.\n")
}

impl Shared {
    /// Reads what was kept.
    pub(super) fn open(options: &DataPlaneOptions) -> std::io::Result<Self> {
        let view = View::new(options.client.clone());
        Self::of(view, Time::from_now(options.clock), options.dir.as_deref())
    }

    /// Returns the same over this view and time.
    pub(super) fn of(view: View, time: Time, dir: Option<&std::path::Path>) -> std::io::Result<Self> {
        Ok(Self {
            view,
            time,
            kept: Mutex::default(),
            databases: Mutex::new(Store::open(dir, "databases.json")?),
            counters: Mutex::new(Store::open(dir, "limitador.json")?),
            turns: Mutex::default(),
        })
    }

    /// Lends what Authorino keeps.
    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lends the databases, and keeps what became of them.
    pub(super) fn with_databases<T>(&self, with: impl FnOnce(&mut Databases) -> T) -> T {
        let mut guard = self.databases.lock().unwrap_or_else(PoisonError::into_inner);
        let (databases, store) = &mut *guard;
        let result = with(databases);
        store.keep(databases);
        result
    }

    /// Lends the counters of whatever holds them now, and keeps what became of them.
    pub(super) fn with_counters<T>(&self, holder: &str, with: impl FnOnce(&mut Counters) -> T) -> T {
        let mut guard = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let (counters, store) = &mut *guard;
        counters.held_by(holder);
        let result = with(counters);
        store.keep(counters);
        result
    }

    /// Keeps an eye on what happens without a call: pods of maas-api that start.
    pub(super) async fn attend(&self) {
        let mut changes = self.view.changes();
        self.view.complete().await;
        loop {
            changes.mark_unchanged();
            maas_api::attend(self).await;
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Returns how often something has had its turn.
    fn turn(&self, of: String) -> u32 {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.entry(of).or_default();
        *turn = turn.wrapping_add(1);
        *turn
    }

    /// Answers a call to a host of the cluster.
    pub(super) async fn serve(&self, call: Call) -> Answer {
        let passage: Result<Passage, Box<Answer>> = self.view.read(|world| {
            let entrance = router::enter(world, &call)?;
            let taken = gateway::taken(world, &entrance, &call)
                .ok_or_else(|| Box::new(Answer::empty(StatusCode::NOT_FOUND)))?;
            let kuadrant = Kuadrant::of(world, &entrance.gateway);
            let policies = match kuadrant {
                Kuadrant::Absent => Policies::none(),
                Kuadrant::Present { .. } => Policies::of(world, &entrance.gateway, &taken.route),
            };
            Ok(Passage {
                taken,
                policies,
                kuadrant,
                processed: payload_is_processed(world, &entrance.gateway),
            })
        });
        match passage {
            Ok(passage) => self.pass(passage, call).await,
            Err(answer) => *answer,
        }
    }

    async fn pass(&self, passage: Passage, mut call: Call) -> Answer {
        let asked = call.clone();
        let mut identity = Value::Null;
        if let Some(policy) = &passage.policies.access {
            let Some(authorino) = passage.kuadrant.authorino() else {
                return broken();
            };
            match authorino::judge(self, authorino, policy, &call).await {
                Verdict::Denied(answer) => return *answer,
                Verdict::Allowed {
                    headers,
                    identity: said,
                } => {
                    for (name, value) in headers {
                        call.set(&name, &value);
                    }
                    identity = said;
                }
            }
        }
        let mut known = Known::of(&asked);
        known.set_identity(identity);
        let requests = self.falls_under(&passage, passage.policies.requests.as_deref(), &known);
        let tokens = self.falls_under(&passage, passage.policies.tokens.as_deref(), &known);
        if let Some(holder) = passage.kuadrant.counters() {
            if self.with_counters(holder, |counters| counters.check_and_report(&requests, self.time)) {
                return exhausted();
            }
            if !tokens.is_empty() && self.with_counters(holder, |counters| counters.check(&tokens, self.time)) {
                return if streams(&asked) { hanging() } else { exhausted() };
            }
        }
        if !passage.processed {
            return broken();
        }
        let answer = self.forward(&passage.taken, call).await;
        let used = answer
            .body()
            .filter(|_| !answer.is_stream())
            .and_then(|body| body.pointer("/usage/total_tokens")?.as_u64());
        if let (Some(holder), Some(used)) = (passage.kuadrant.counters(), used)
            && !tokens.is_empty()
        {
            self.with_counters(holder, |counters| counters.report(&tokens, used, self.time));
        }
        answer
    }

    fn falls_under(&self, passage: &Passage, policy: Option<&Value>, known: &Known) -> Vec<(Limit, Variables)> {
        let limits = passage.kuadrant.limits();
        policy.map_or_else(Vec::new, |policy| {
            limits::selected(limits, policy, &passage.taken.route, known)
        })
    }

    async fn forward(&self, taken: &Taken, mut call: Call) -> Answer {
        let route = &taken.route;
        let turn = self.turn(format!("{} {}", route.uid(), taken.rule["matches"]));
        let Some(backend) = taken.backend(turn) else {
            return Answer::empty(StatusCode::INTERNAL_SERVER_ERROR);
        };
        let pods = usize::try_from(turn).unwrap_or_default();
        let program = self
            .view
            .read(|world| endpoints::behind(world, route.namespace(), backend, pods));
        taken.rewrite(&mut call);
        match program {
            Err(NoEndpoint::Missing) => Answer::empty(StatusCode::INTERNAL_SERVER_ERROR),
            Err(NoEndpoint::NotReady) => Answer::text(StatusCode::SERVICE_UNAVAILABLE, "no healthy upstream"),
            Ok(Program::Model { service, pod }) => model_server::answer(&service, &pod, &call),
            Ok(Program::MaasApi { pod }) => maas_api::answer(self, &pod, &call).await,
            Ok(Program::Elsewhere { model }) => provider::answer(self, &model, call).await,
            Ok(Program::Unplayed) => {
                let why = format!(
                    "nothing plays what is behind {} on a simulated cluster\n",
                    backend.text("/name")
                );
                Answer::text(StatusCode::NOT_IMPLEMENTED, why)
            }
        }
    }

    /// Asks a Service within the cluster, as Authorino does; none where nobody gives an answer that it can use.
    pub(super) async fn inside(&self, url: &str, body: &Value) -> Option<Value> {
        let (_, rest) = url.split_once("://")?;
        let (host, path) = rest.split_once('/')?;
        let mut labels = host.split([':', '.']);
        let (service, namespace) = (labels.next()?, labels.next()?);
        let pod = self.view.read(|world| {
            let service = world.get(SERVICE, namespace, service)?;
            endpoints::ready(world, service).first().map(|pod| Arc::clone(pod))
        })?;
        if !endpoints::is_maas_api(&pod) {
            return None;
        }
        maas_api::inside(self, &pod, &format!("/{path}"), body).await
    }
}

/// Returns whether a question asks for a stream.
fn streams(call: &Call) -> bool {
    serde_json::from_slice::<Value>(&call.body).is_ok_and(|question| question.is_true("/stream"))
}

fn exhausted() -> Answer {
    Answer::text(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests\n")
}

/// What a stream gets when nothing is left: it begins, and goes on without a word (reference/serving.md §4.10).
fn hanging() -> Answer {
    let mut answer = Answer::events(Vec::new());
    answer.content = Content::Hanging;
    answer
}
