//! What outlives an execution of `stackctl`: state, journal, locks, saved plans.
//!
//! A [`State`] is what was last applied, per address. It is kept as a snapshot and a journal of what happened since, in
//! a place behind [`Backend`]. While a run is at work it holds the place's lock and a [`StateJournal`], which makes each
//! intent and each outcome durable before it returns.
//!
//! Invariants:
//! - The serial only grows; a swap of the snapshot is all or nothing; older formats stay readable.
//! - Reading creates nothing: `plan` and `show` work in a directory that cannot be written.
//! - Whatever a kill leaves is a state: a line that was cut short is dropped and said, a half-written snapshot is never
//!   seen, and a journal that was already taken in is not taken in again.
//! - No secret is stored, but for the stack's key in a file of its own (0600).
//!
//! Deliberately absent: clocks and the environment. Times and names of people are texts that the caller passes in.

pub mod backend;
pub mod copy;
mod error;
mod format;
mod journal;
pub mod lease;
mod lock;
pub mod planfile;
mod recorded;
#[cfg(test)]
mod sample;
mod seen;

pub use backend::{Backend, FileNumber, LocalBackend, StateLock};
pub use error::StateError;
pub use journal::StateJournal;
pub use lock::LockInfo;
pub use recorded::{DroppedLine, State, StateIdentity, address_of, new_lineage};
pub use seen::SeenDefinitions;

/// The version that this program writes into what it writes.
const WRITTEN_BY: &str = env!("CARGO_PKG_VERSION");
