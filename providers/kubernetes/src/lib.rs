//! Everything of `stackctl` that speaks to a cluster.
//!
//! [`KubernetesProvider`] is the engine's [`Provider`](stackctl_engine::execute::Provider) over kube-rs: each verb is one
//! file, builds one request, and turns the answer into the engine's words. [`ConnectOptions`] and [`ConnectError`] are
//! the way in; [`ClusterIdentity`] says which cluster was met, so that a plan is not applied to another one.
//!
//! ```text
//! connect ──▶ client ──▶ get list apply patch delete watch ──▶ discovery, path ──▶ transport ──▶ the server
//!                                        │                                            │
//!                                        └──────────── error (the one table) ◀──── status
//! ```
//!
//! Invariants:
//! - A verb that changes something sends one request: whether to send it again is the executor's to decide, which reads
//!   first. The one exception: a 404 that contradicts what discovery said is asked once more after discovery was read
//!   again, because a custom resource answers 404 for some milliseconds after its CRD is Established (ssa-semantics §9).
//! - What changes nothing (a read, a dry run, a review) is asked again for some seconds while the server is in trouble.
//!   A list restarts when its token expires, and a watch never ends.
//! - What an answer means is said in `error` and nowhere else.
//! - As many requests are in flight as the person allows, and fewer while the server asks for that.
//! - No body of a request gets into an error or a log, and a message about a Secret repeats no value.
//! - No component of OpenShift is known here.
//!
//! Deliberately absent: caches of objects, back-off between writes, and a reader of facts, for which
//! [`Provider::get`](stackctl_engine::execute::Provider::get) and
//! [`Provider::list`](stackctl_engine::execute::Provider::list) suffice.

mod access;
mod apply;
mod beside;
mod client;
mod connect;
mod delete;
mod discovery;
mod error;
mod get;
mod identity;
mod list;
mod logs;
mod pace;
mod patch;
mod path;
mod quoted;
mod status;
mod transport;
mod watch;

pub use access::Denied;
pub use beside::BesideError;
pub use client::KubernetesProvider;
pub use connect::{ConnectError, ConnectOptions};
pub use identity::ClusterIdentity;
pub use logs::{LogLines, PodLog};
