//! What has to be durable, and when; the contract in words.
//!
//! An [`Intent`] is durable before the effect it speaks of, an [`Outcome`] before anybody is told of it. A kill between
//! the two leaves an intent without an outcome: the next run reads the cluster and finishes what it says.
//!
//! Lines are taken up one by one and made durable together, because a disk takes as long for many as for one.

use super::PatchRequest;
use crate::{address::Address, object_key::ObjectRef, recorded::Recorded};

/// Where intents and outcomes are kept.
pub trait Journal {
    /// Takes an intent up; its effect must not begin before [`Self::flush`] has returned.
    fn intend(&mut self, intent: &Intent);

    /// Takes an outcome up; nothing that rests on it may begin before [`Self::flush`] has returned.
    fn record(&mut self, outcome: &Outcome);

    /// Makes everything durable that was taken up since the last call, all of it or none.
    ///
    /// # Errors
    /// When it could not be stored: no effect of those intents may happen, nothing new starts, and the error names what
    /// the state now misses.
    fn flush(&mut self) -> Result<(), JournalError>;

    /// What has to be in the cluster, beyond what is there already, before the effect of an intent; the effect happens
    /// only after this patch was accepted. Patches of different intents commute.
    fn beforehand(&self, _intent: &Intent) -> Option<PatchRequest> {
        None
    }
}

/// Something that is about to happen and could not be told from the cluster alone.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// An object will be created or changed: what will be recorded if the write is seen to have happened. For an
    /// overlay this holds the prior values.
    Write(Box<Recorded>),
    /// An object will be deleted.
    Delete {
        /// The resource.
        address: Address,
        /// The object.
        object: ObjectRef,
        /// The one that is meant.
        uid: String,
    },
    /// An action or a remedy will run.
    Act {
        /// The resource.
        address: Address,
        /// What it does, for people.
        what: String,
    },
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// This is now recorded of an address.
    Recorded(Box<Recorded>),
    /// Nothing is recorded of an address any more.
    Forgotten(Address),
    /// How long an address took to become ready.
    Took {
        /// The resource.
        address: Address,
        /// From the moment it could start, in milliseconds.
        milliseconds: u64,
    },
}

/// Intents and outcomes that could not be stored.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the state could not be written: {reason}")]
pub struct JournalError {
    /// What the place of storage said.
    pub reason: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}
