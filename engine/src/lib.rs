//! The words and the pure core of `stackctl`.
//!
//! The pipeline: a catalogue compiles a stack to [`resource::Resource`]s; [`graph::Graph`] orders them; [`plan`] sets
//! what is desired against what is recorded and what is live, with the server's own answer where they may differ;
//! [`execute`] carries a plan out through a [`execute::Provider`] and a [`execute::Journal`] and tells what happens as
//! events; [`report`] folds the events. [`status`] says where everything stands between two runs.
//!
//! Invariants:
//! - Nothing here does I/O, reads a clock other than tokio's, or knows an OpenShift kind.
//! - Only `execute` and `survey` are async, and they reach the world only through their traits.
//! - Equal inputs give equal plans, byte for byte.

pub mod address;
pub mod clearers;
pub mod degraded;
pub mod diff;
pub mod digest;
pub mod document;
mod emptied;
pub mod estimate;
pub mod execute;
pub mod facts;
pub mod field;
pub mod graph;
pub mod handover;
pub mod ignored;
pub mod late;
mod leaving;
pub mod left;
pub mod manifest;
pub mod marks;
pub mod moves;
pub mod object_key;
pub mod ownership;
pub mod packed;
pub mod plan;
pub mod readiness;
pub mod recorded;
pub mod report;
pub mod resource;
pub mod retry;
pub mod rights;
pub mod status;
pub mod survey;
pub mod timeline;
pub mod yields;

pub use address::Address;
pub use field::FieldPath;
pub use manifest::Manifest;
pub use object_key::{GroupKind, ObjectKey, ObjectRef, ObjectType};
pub use resource::Resource;

#[cfg(test)]
mod testing;
