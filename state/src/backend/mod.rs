//! Where a state is kept: read, append, swap, lock.
//!
//! A backend keeps bytes and knows no format but that of its lock. What every one of them has to do is written as a
//! test in `contract`.

#[cfg(any(test, feature = "testing"))]
pub mod contract;
mod key;
mod local;

pub use local::{FileNumber, LocalBackend, StateLock};

use crate::{error::StateError, lock::LockInfo};
use stackctl_engine::digest::StackKey;
use std::{fmt, path::PathBuf};

/// Where one stack's state is kept.
pub trait Backend: fmt::Debug {
    /// Holding this is holding the lock; dropping it gives the lock back, and so does the death of the process.
    type Lock: fmt::Debug;

    /// What the place is called, for errors.
    fn place(&self) -> Place;

    /// Reads the snapshot and the journal as they belong together, without a lock and without making anything.
    ///
    /// # Errors
    /// When they cannot be read; that nothing is there is no error.
    fn read(&self) -> Result<Stored, StateError>;

    /// Adds one line to the journal and returns once it is durable.
    ///
    /// # Errors
    /// When it is not durable; a part of it may be there.
    fn append(&self, lock: &Self::Lock, line: &[u8]) -> Result<(), StateError>;

    /// Puts a snapshot in place of the last one, whole or not at all, then clears the journal.
    ///
    /// # Errors
    /// When the snapshot is not in place, or the journal is not cleared.
    fn swap(&self, lock: &Self::Lock, snapshot: &[u8]) -> Result<(), StateError>;

    /// Takes the lock, without waiting.
    ///
    /// # Errors
    /// [`StateError::Held`] when somebody else has it.
    fn lock(&self, who: &LockInfo) -> Result<Self::Lock, StateError>;

    /// Clears what a holder that is gone has left, and says who it was.
    ///
    /// # Errors
    /// [`StateError::Held`] when the holder is alive.
    fn unlock(&self) -> Result<Option<LockInfo>, StateError>;

    /// The stack's key, if it has one.
    ///
    /// # Errors
    /// When it cannot be read or is not a key.
    fn key(&self) -> Result<Option<StackKey>, StateError>;

    /// The stack's key; drawn and stored if it has none.
    ///
    /// # Errors
    /// When it cannot be read, drawn or stored.
    fn key_or_create(&self) -> Result<StackKey, StateError>;
}

/// What a place of storage is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The stack whose state is kept there.
    pub stack: String,
    /// The snapshot.
    pub snapshot: PathBuf,
    /// The journal.
    pub journal: PathBuf,
}

/// What is stored.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Stored {
    /// The snapshot, if there is one.
    pub snapshot: Option<Vec<u8>>,
    /// The lines since; lines that the snapshot already holds may be among them.
    pub journal: Vec<u8>,
}
