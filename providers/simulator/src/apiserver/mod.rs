//! The embedded Kubernetes API server, over HTTP on loopback.
//!
//! It knows Kubernetes and nothing of OpenShift: kinds, server-side apply, watches, definitions, garbage. What it does is
//! what a real kube-apiserver was seen to do (`reference/ssa-semantics.md`).
//!
//! Invariants:
//! - What was acknowledged survives `kill -9` of the process ([`StoreError`] says what stops a start).
//! - Every request that changes an object leaves a line in `audit.ndjson`, also if it is refused or a dry-run.
//! - One process serves a directory.
//!
//! Deliberately absent: rules in CEL, conversion and admission webhooks over HTTP, authorization, pods that run.

mod admission;
mod audit;
mod crd;
mod delete;
mod discovery;
mod fields;
mod garbage;
mod identity;
mod kinds;
mod list;
mod managed;
mod metadata;
mod openapi;
mod options;
mod patch;
mod persist;
mod pod_runtime;
mod request;
mod reviews;
mod routes;
mod scale;
mod schema;
mod selector;
mod server;
mod status;
mod store;
mod streams;
mod table;
mod typed;
mod wall;
mod watch;
mod wire;
mod write;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt as _;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch as signal};
use tokio::task::JoinHandle;

pub use admission::{Admission, AdmissionRegistry, AdmissionRequest, ObjectReader, Operation, Rejection};
pub use identity::Identity;
pub use persist::StoreError;
pub use pod_runtime::{LogLine, Plain, PodRuntime, PodRuntimes, PodStream, plain_log, refused, serve, started};

use audit::Audit;
use identity::Tokens;
use persist::Disk;
use server::Server;
use store::Store;

/// How an API server is started.
#[derive(Clone)]
pub struct ApiServerOptions {
    /// Where objects and the audit log are kept; made if it is missing.
    pub dir: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Who the bearer of a token is. An unknown token is refused.
    pub tokens: BTreeMap<String, Identity>,
    /// Whether a request without a token is `kube:admin`'s.
    pub anonymous_admin: bool,
}

impl ApiServerOptions {
    /// Options to serve `dir` on a free port of loopback, to anybody.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tokens: BTreeMap::new(),
            anonymous_admin: true,
        }
    }
}

impl std::fmt::Debug for ApiServerOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ApiServerOptions")
            .field("dir", &self.dir)
            .field("listen", &self.listen)
            .field("n_tokens", &self.tokens.len())
            .field("anonymous_admin", &self.anonymous_admin)
            .finish()
    }
}

/// Why an API server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ApiServerError {
    /// The directory or its database cannot be used.
    #[error("open the object store")]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error("listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
}

/// A running API server.
#[derive(Debug)]
pub struct ApiServer {
    server: Arc<Server>,
    address: SocketAddr,
    is_new: bool,
    stop: signal::Sender<bool>,
    serving: JoinHandle<std::io::Result<()>>,
    worker: JoinHandle<()>,
}

impl ApiServer {
    /// Opens the store, listens, and serves until [`Self::stop`].
    ///
    /// # Errors
    ///
    /// The directory cannot be written, another process serves it, or the address is taken.
    pub async fn start(options: ApiServerOptions) -> Result<Self, ApiServerError> {
        let (disk, loaded) = Disk::open(&options.dir)?;
        let audit = Audit::open(&options.dir)?;
        let is_new = loaded.objects.is_empty();
        let (work, todo) = mpsc::unbounded_channel();
        let tokens = Tokens::new(options.tokens, options.anonymous_admin);
        let server = Arc::new(Server::new(Store::new(disk, loaded), audit, tokens, work));
        server.load_definitions();
        server.furnish();
        server.survey();
        let listen = |cause| ApiServerError::Listen {
            address: options.listen,
            cause,
        };
        let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (stop, stopping) = signal::channel(false);
        let state = routes::Shared {
            server: Arc::clone(&server),
            stopping: stopping.clone(),
        };
        let router = Router::new().fallback(routes::handle).with_state(state);
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "small answers may be late");
            }
        });
        let mut until = stopping;
        let serving = tokio::spawn(async move {
            let ended = async move {
                // An error means that the sender is gone, which is a stop too.
                drop(until.wait_for(|stop| *stop).await);
            };
            axum::serve(listener, router).with_graceful_shutdown(ended).await
        });
        let worker = tokio::spawn(garbage::run(Arc::clone(&server), todo));
        Ok(Self {
            server,
            address,
            is_new,
            stop,
            serving,
            worker,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL that clients use.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The admissions in force; more can be registered while it runs.
    pub fn admission(&self) -> &AdmissionRegistry {
        &self.server.admission
    }

    /// What runs in pods; more can be registered while it runs.
    pub fn pod_runtimes(&self) -> &PodRuntimes {
        &self.server.pod_runtimes
    }

    /// Whether the store was empty at the start.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// Every object, by group, plural, namespace and name.
    pub fn snapshot(&self) -> Vec<Value> {
        self.server
            .store
            .everything()
            .iter()
            .map(|stored| stored.value.clone())
            .collect()
    }

    /// Ends all watches, finishes what is in flight, and releases the directory.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.serving.await {
            tracing::warn!(%error, "the API server did not end well");
        }
        self.worker.abort();
        if let Err(error) = self.worker.await
            && !error.is_cancelled()
        {
            tracing::warn!(%error, "the background worker did not end well");
        }
    }
}
