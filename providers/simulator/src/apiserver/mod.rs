//! The embedded Kubernetes API server, over HTTPS, or plain HTTP for whoever measures it.
//!
//! It knows Kubernetes and nothing of OpenShift: kinds, server-side apply, watches, definitions, garbage. What it does is
//! what a real kube-apiserver was seen to do (`reference/ssa-semantics.md`).
//!
//! Invariants:
//! - What was acknowledged survives `kill -9` of the process ([`StoreError`] says what stops a start).
//! - Every request that changes an object leaves a line in `audit.ndjson`, also if it is refused or a dry-run.
//! - One process serves a directory.
//!
//! Deliberately absent: conversion and admission webhooks over HTTP, client certificates, pods that run.

mod access;
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
mod native;
mod openapi;
mod options;
mod patch;
mod persist;
mod pod_runtime;
mod request;
mod routes;
mod scale;
mod selector;
mod server;
mod status;
mod store;
mod streams;
mod table;
mod tls;
mod token;
mod trouble;
mod typed;
mod unjudged;
mod wall;
mod watch;
mod wire;
mod write;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt as _;
use serde_json::Value;
use stackctl_schema as schema;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch as signal};
use tokio::task::JoinHandle;

pub use access::{AccessRegistry, Authenticator, Authorization, Pages, Personal};
pub use admission::{Admission, AdmissionRegistry, AdmissionRequest, ObjectReader, Operation, Rejection};
pub use crd::{NAMES_ANNOTATION, NAMES_IN_PATHS};
pub use identity::Identity;
pub use persist::StoreError;
pub use pod_runtime::{LogLine, Plain, PodRuntime, PodRuntimes, PodStream, plain_log, refused, serve, started};
pub use tls::{ServingCertificate, TlsError};
pub use token::Token;
pub use trouble::{DEFAULT_SEED, Percent, Trouble, TroubleControl};
pub use unjudged::Unjudged;

use access::Access;
use audit::Audit;
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
    pub tokens: BTreeMap<Token, Identity>,
    /// What it proves itself with; without one it speaks plain HTTP.
    pub serving: Option<ServingCertificate>,
    /// Who may do what.
    pub authorization: Authorization,
}

impl ApiServerOptions {
    /// Options to serve `dir` on a free port of loopback, to anybody.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tokens: BTreeMap::new(),
            serving: None,
            authorization: Authorization::Open,
        }
    }
}

impl std::fmt::Debug for ApiServerOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ApiServerOptions")
            .field("dir", &self.dir)
            .field("listen", &self.listen)
            .field("serving", &self.serving)
            .field("n_tokens", &self.tokens.len())
            .field("authorization", &self.authorization)
            .finish()
    }
}

/// Why an API server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ApiServerError {
    /// The directory or its database cannot be used.
    #[error("open the object store")]
    Store(#[from] StoreError),
    /// The certificate cannot be served with.
    #[error("prepare TLS")]
    Tls(#[from] TlsError),
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
    scheme: &'static str,
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
        let authority = options.serving.as_ref().map(|serving| serving.authority.clone());
        let access = Access::open(&options.dir, options.authorization, options.tokens, authority);
        let access = access.map_err(|cause| StoreError::Unwritable {
            dir: options.dir.clone(),
            cause,
        })?;
        let server = Arc::new(Server::new(Store::new(disk, loaded), audit, access, work));
        server.load_definitions();
        server.furnish();
        server.bootstrap_access();
        server.survey();
        let listen = |cause| ApiServerError::Listen {
            address: options.listen,
            cause,
        };
        let acceptor = options.serving.as_ref().map(tls::acceptor).transpose()?;
        let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (stop, stopping) = signal::channel(false);
        let state = routes::Shared {
            server: Arc::clone(&server),
            stopping: stopping.clone(),
        };
        let router = Router::new().fallback(routes::handle).with_state(state);
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let mut until = stopping;
        let serving = tokio::spawn(async move {
            let ended = async move {
                // An error means that the sender is gone, which is a stop too.
                drop(until.wait_for(|stop| *stop).await);
            };
            match acceptor {
                Some(acceptor) => {
                    let listener = tls::TlsListener::new(listener, acceptor);
                    axum::serve(listener, router).with_graceful_shutdown(ended).await
                }
                None => {
                    let listener = listener.tap_io(|stream| send_at_once(stream));
                    axum::serve(listener, router).with_graceful_shutdown(ended).await
                }
            }
        });
        let worker = tokio::spawn(garbage::run(Arc::clone(&server), todo));
        Ok(Self {
            server,
            address,
            scheme,
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

    /// The URL that clients on this machine use.
    pub fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("{}://{address}", self.scheme)
    }

    /// The admissions in force; more can be registered while it runs.
    pub fn admission(&self) -> &AdmissionRegistry {
        &self.server.admission
    }

    /// How it fails clients on purpose; can be changed while it runs.
    pub fn trouble(&self) -> TroubleControl {
        TroubleControl::of(&self.server.troubles)
    }

    /// What runs in pods; more can be registered while it runs.
    pub fn pod_runtimes(&self) -> &PodRuntimes {
        &self.server.pod_runtimes
    }

    /// What others may bring to know more users; more can be brought while it runs.
    pub fn access(&self) -> &AccessRegistry {
        &self.server.access.registry
    }

    /// Whether the store was empty at the start.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The rules of definitions that are not judged, by definition.
    pub fn unjudged(&self) -> Vec<Unjudged> {
        self.server.unjudged.all()
    }

    /// Tells when there is another one.
    pub fn watch_unjudged(&self) -> signal::Receiver<usize> {
        self.server.unjudged.subscribe()
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

/// Small answers do not wait for more to be sent with them.
fn send_at_once(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "small answers may be late");
    }
}
