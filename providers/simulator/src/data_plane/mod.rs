//! The data plane: the hosts of the cluster's gateways answer.
//!
//! In: what is in the cluster (routes, gateways, policies, models, pods), read like any operator reads it. Out: one
//! listener on loopback that answers for every host, in plain HTTP and TLS.
//!
//! A call goes from room to room: `listener` → `router` (Route, load balancer) → `gateway` (which rule) →
//! `authorino` (may it) → `limits`, `limitador` (how often) → `endpoints` (who is behind) → a program:
//! `model_server`, `maas_api`, `provider`. Whoever reaches a pod itself comes by `pods`.
//!
//! Invariants:
//! - Nothing answers but by what is in the cluster at that moment: no route, 404; no pod, 503; no Authorino, 500.
//! - State is only where a real cluster has it: keys in a database, counters in Limitador, answers in Authorino; each ends
//!   with what holds it.
//! - Tokens and rights are the API server's to judge.
//!
//! Source: reference/serving.md §3 (URLs, status codes), §4 (limits); what each room plays is in its own words.
//!
//! Deliberately absent: an Envoy, timeouts and retries, mesh traffic between pods, network policies.

mod authorino;
mod call;
mod echo;
mod endpoints;
mod expressions;
mod gateway;
mod kuadrant;
mod limitador;
mod limits;
mod listener;
mod maas_api;
mod model_server;
mod pods;
mod policies;
mod provider;
mod reviews;
mod router;
mod shared;
mod store;
#[cfg(test)]
pub(crate) mod testing;
mod time;
mod tls;
mod view;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use kube::Client;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::apiserver::PodRuntime;
use crate::clock::Clock;
use shared::Shared;

/// How a data plane is started.
#[derive(Clone)]
pub struct DataPlaneOptions {
    /// How it asks the API server.
    pub client: Client,
    /// How fast windows, caches and lives of keys pass.
    pub clock: Clock,
    /// Where what databases and Limitador hold is kept over a restart; without one it is not.
    pub dir: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
}

impl std::fmt::Debug for DataPlaneOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            client: _,
            clock,
            dir,
            listen,
        } = self;
        let mut shown = formatter.debug_struct("DataPlaneOptions");
        shown
            .field("clock", clock)
            .field("dir", dir)
            .field("listen", listen)
            .finish_non_exhaustive()
    }
}

/// A running data plane.
#[derive(Debug)]
pub struct DataPlane {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl DataPlane {
    /// Listens, and follows the cluster until [`Self::stop`].
    ///
    /// # Errors
    ///
    /// The address is taken, or what was kept cannot be read.
    pub async fn start(options: DataPlaneOptions) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::open(&options)?);
        let doors = listener::Doors::open(options.listen, Arc::clone(&shared)).await?;
        let address = doors.address();
        let (stop, stopping) = watch::channel(false);
        let following = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move { shared.view.follow().await }
        });
        let attending = tokio::spawn({
            let shared = Arc::clone(&shared);
            async move { shared.attend().await }
        });
        let serving = tokio::spawn(listener::serve(doors, Arc::clone(&shared), stopping));
        Ok(Self {
            address,
            shared,
            stop,
            tasks: vec![serving, following, attending],
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What runs in the pods that it plays (models, maas-api, Limitador), for whoever reaches them past the gateways.
    pub fn pods(&self) -> Arc<dyn PodRuntime> {
        Arc::new(pods::Pods::new(Arc::clone(&self.shared), self.stop.subscribe()))
    }

    /// Ends it; calls in flight are given a moment.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let mut tasks = self.tasks.into_iter();
        if let Some(mut serving) = tasks.next()
            && tokio::time::timeout(listener::ENDS_WITHIN, &mut serving).await.is_err()
        {
            serving.abort();
        }
        for task in tasks {
            task.abort();
        }
    }
}
