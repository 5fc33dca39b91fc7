//! The only thing an execution tells.
//!
//! Invariant: events flow out; nothing flows back.

use crate::{address::Address, object_key::ObjectRef};
use std::{fmt, time::Duration};

/// Something that happened in an execution.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A resource may start and does.
    Started {
        /// The resource.
        address: Address,
    },
    /// A write was accepted and journalled.
    Written {
        /// The resource.
        address: Address,
        /// What it did.
        did: Did,
        /// The object.
        object: Option<ObjectRef>,
    },
    /// A resource waits, and on what; told again when the words change.
    Waiting {
        /// The resource.
        address: Address,
        /// On what.
        why: String,
    },
    /// The remedy of a gate was carried out.
    Remedied {
        /// The gate.
        address: Address,
        /// What the remedy is.
        why: String,
    },
    /// Something a person should know, which changes nothing.
    Noted {
        /// The resource.
        address: Address,
        /// What.
        text: String,
    },
    /// A resource is done: ready, or gone.
    Ready {
        /// The resource.
        address: Address,
        /// What was seen.
        why: String,
        /// Since it started.
        took: Duration,
    },
    /// A resource failed.
    Failed {
        /// The resource.
        address: Address,
        /// How.
        failure: Failure,
        /// Since it started.
        took: Duration,
    },
    /// A resource will not start, because of one that failed.
    Blocked {
        /// The resource.
        address: Address,
        /// The one that failed.
        by: Address,
    },
    /// For a while the cluster has told nothing of what is waited for.
    Unheard {
        /// Why, in the words of whoever asks it.
        why: String,
    },
    /// After that it tells again.
    Heard {
        /// How long it told nothing.
        after: Duration,
    },
    /// The person asked to stop: nothing new starts.
    Interrupted,
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Did {
    /// Made an object, or took fields for the first time.
    Created,
    /// Changed it.
    Updated,
    /// Found it there and took it as ours.
    Adopted,
    /// Found nothing to change.
    Unchanged,
    /// Deleted it.
    Deleted,
    /// Gave it back.
    Released,
    /// Dropped the record.
    Forgotten,
    /// Ran.
    Ran,
}

/// How a resource failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong, a lowercase fragment.
    pub what: String,
    /// The causes below it, outermost first.
    pub because: Vec<String>,
    /// What to type or change next.
    pub hint: Option<String>,
    /// Whether an object that was deleted is still there.
    pub is_still_there: bool,
}

impl Failure {
    /// A failure in one sentence.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            because: Vec::new(),
            hint: None,
            is_still_there: false,
        }
    }

    /// Adds the cause below.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.because.push(cause.into());
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Adopted => "adopted",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::Released => "released",
            Self::Forgotten => "forgotten",
            Self::Ran => "done",
        })
    }
}
