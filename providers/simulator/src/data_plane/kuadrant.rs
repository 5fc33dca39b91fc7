//! What runs of Kuadrant for a Gateway: whether Authorino can be asked, and what Limitador was told and holds.
//!
//! Source: reference/serving.md §1.5 (operands), §1.9 and P5 (TLS between the proxy and Authorino), §1.8 and P20 (the payload
//! processing fails closed), §3.4 (Limitador's API, Redis);
//! <https://docs.kuadrant.io/latest/kuadrant-operator/doc/overviews/> (without an answer Authorino denies, Limitador allows).
//!
//! Invariants:
//! - Proxy and Authorino understand each other when both speak TLS or neither does. MaaS needs both to: without it every call
//!   of its API ends in 500, as the reference says, also where plain text would do.
//! - Authorino trusts serving certificates only with the service CA in its environment (step 4c).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::Value;

use super::authorino::Authorino;
use super::endpoints;
use super::limitador::{self, Limit};
use super::shared::Shared;
use crate::operators::kinds::{AUTHORINO, DEPLOYMENT, ENVOY_FILTER, GATEWAY, KUADRANT, LIMITADOR, TENANT};
use crate::operators::object::Read;
use crate::operators::world::World;

/// What runs of Kuadrant.
#[derive(Clone, Debug)]
pub(super) enum Kuadrant {
    /// Nobody asked for it, so no policy is enforced.
    Absent,
    /// It runs, as far as its parts do.
    Present {
        authorino: Option<Authorino>,
        limits: Vec<Limit>,
        /// What holds the counters; none while no Limitador answers.
        counters: Option<String>,
    },
}

impl Kuadrant {
    /// Returns what runs for a Gateway.
    pub(super) fn of(world: &World, gateway: &Value) -> Self {
        let Some(kuadrant) = world.list(KUADRANT).find(|kuadrant| !kuadrant.is_deleting()) else {
            return Self::Absent;
        };
        let namespace = kuadrant.namespace();
        let (limits, counters) = counting(world, namespace);
        Self::Present {
            authorino: authorino(world, namespace).filter(|_| understand(world, namespace, gateway)),
            limits,
            counters,
        }
    }

    /// Returns the Authorino that can be asked.
    pub(super) fn authorino(&self) -> Option<&Authorino> {
        match self {
            Self::Absent => None,
            Self::Present { authorino, .. } => authorino.as_ref(),
        }
    }

    /// Returns every limit that Limitador was told.
    pub(super) fn limits(&self) -> &[Limit] {
        match self {
            Self::Absent => &[],
            Self::Present { limits, .. } => limits,
        }
    }

    /// Returns what holds the counters.
    pub(super) fn counters(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Present { counters, .. } => counters.as_deref(),
        }
    }
}

fn authorino(world: &World, namespace: &str) -> Option<Authorino> {
    let pod = endpoints::labelled(world, namespace, "authorino-resource", "authorino")?;
    let trusts_services = pod.list("/spec/containers").iter().any(|container| {
        container
            .list("/env")
            .iter()
            .any(|variable| variable.text("/name") == "SSL_CERT_FILE")
    });
    Some(Authorino {
        pod: pod.uid().to_owned(),
        trusts_services,
    })
}

fn understand(world: &World, namespace: &str, gateway: &Value) -> bool {
    let tls = world
        .list_in(AUTHORINO, namespace)
        .any(|authorino| authorino.is_true("/spec/listener/tls/enabled"));
    let filter = world.has(
        ENVOY_FILTER,
        gateway.namespace(),
        &format!("{}-authn-ssl", gateway.name()),
    );
    let of_maas = world.list(TENANT).any(|tenant| {
        tenant.text("/spec/gatewayRef/name") == gateway.name()
            && tenant.text("/spec/gatewayRef/namespace") == gateway.namespace()
    });
    if of_maas { tls && filter } else { tls == filter }
}

/// Returns what Limitador was told, and what holds its counters.
fn counting(world: &World, namespace: &str) -> (Vec<Limit>, Option<String>) {
    let Some(limitador) = world
        .list_in(LIMITADOR, namespace)
        .find(|limitador| !limitador.is_deleting())
    else {
        return (Vec::new(), None);
    };
    let pod = endpoints::labelled(world, namespace, "app", "limitador");
    let holder = pod.map(|pod| {
        let redis = ["redis", "redis-cached"]
            .iter()
            .map(|kind| limitador.text(&format!("/spec/storage/{kind}/configSecretRef/name")))
            .find(|secret| !secret.is_empty());
        redis.map_or_else(|| format!("pod {}", pod.uid()), |secret| format!("redis {secret}"))
    });
    (limitador::limits(limitador), holder)
}

/// Returns whether the payload processing of a Gateway answers; one that has none needs none.
pub(super) fn payload_is_processed(world: &World, gateway: &Value) -> bool {
    const NAME: &str = "payload-processing";
    let filter = world.get(ENVOY_FILTER, gateway.namespace(), NAME);
    let concerned = filter.is_some_and(|filter| {
        let targets = filter.list("/spec/targetRefs");
        targets
            .iter()
            .any(|target| target.text("/kind") == GATEWAY.kind && target.text("/name") == gateway.name())
    });
    let deployment = world.get(DEPLOYMENT, gateway.namespace(), NAME);
    !concerned || deployment.is_some_and(|deployment| !deployment.is_deleting() && deployment.is("Available"))
}

/// Limitador's own HTTP API.
pub(super) fn api(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/status", get(async || axum::body::Body::from("{}")))
        .route("/limits/{namespace}", get(limits_of))
        .route("/counters/{namespace}", get(counters_of))
        .route("/metrics", get(metrics))
        .with_state(shared)
}

impl Shared {
    fn told(&self) -> (Vec<Limit>, Option<String>) {
        self.view.read(|world| {
            let kuadrant = world.list(KUADRANT).next();
            kuadrant.map_or_else(|| (Vec::new(), None), |kuadrant| counting(world, kuadrant.namespace()))
        })
    }
}

fn json(value: &Value) -> ([(http::HeaderName, &'static str); 1], String) {
    ([(http::header::CONTENT_TYPE, "application/json")], value.to_string())
}

async fn limits_of(
    State(shared): State<Arc<Shared>>,
    Path(namespace): Path<String>,
) -> impl axum::response::IntoResponse {
    json(&limitador::shown(&shared.told().0, &namespace))
}

async fn counters_of(
    State(shared): State<Arc<Shared>>,
    Path(namespace): Path<String>,
) -> impl axum::response::IntoResponse {
    let (limits, holder) = shared.told();
    let time = shared.time;
    json(&shared.with_counters(&holder.unwrap_or_default(), |counters| {
        counters.shown(&limits, &namespace, time)
    }))
}

async fn metrics(State(shared): State<Arc<Shared>>) -> String {
    let (_, holder) = shared.told();
    shared.with_counters(&holder.unwrap_or_default(), |counters| counters.metrics())
}
