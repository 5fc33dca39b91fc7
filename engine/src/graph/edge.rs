//! What one resource waits for, how far, and who says so.

use crate::address::Address;
use std::fmt;

/// How far a dependency has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Until {
    /// Its write was accepted.
    Applied,
    /// It was seen ready, after the last write of this run above it.
    Ready,
}

/// What an edge means when its target is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeClass {
    /// The dependent waits again.
    Needs,
    /// The dependent lives inside: it is replaced too.
    Contains,
}

/// Who says that an edge is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeSource {
    /// The engine: an object in a namespace that is a resource.
    Namespace,
    /// The engine: an object of a kind that a resource provides.
    Provider,
    /// The engine: two nodes on one object.
    SameObject,
    /// The engine: a late value.
    Late,
    /// The catalogue, or the stack.
    Declared,
}

/// `from` waits for `to`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who waits.
    pub from: Address,
    /// What is waited for.
    pub to: Address,
    /// How far it has to be.
    pub until: Until,
    /// Why; shown.
    pub reason: String,
    /// What replacing `to` means for `from`.
    pub class: EdgeClass,
    /// Who says so.
    pub source: EdgeSource,
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Applied => "applied",
            Self::Ready => "ready",
        })
    }
}

impl fmt::Display for EdgeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Namespace => "inferred from the namespace",
            Self::Provider => "inferred from the kind",
            Self::SameObject => "inferred from the object",
            Self::Late => "inferred from a late value",
            Self::Declared => "declared",
        })
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} waits for {} until {}: {} ({})",
            self.from, self.to, self.until, self.reason, self.source
        )
    }
}
