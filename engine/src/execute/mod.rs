//! Carrying out a plan.
//!
//! What is promised: no node starts before each of its edges allows it; a failure blocks its descendants and nothing
//! else; an interruption starts nothing new and awaits what runs; every outcome is journalled before it is told.
//!
//! [`Provider`] and [`Journal`] are the only ways to the world.

mod answers;
mod claims;
mod context;
mod diagnose;
mod drive;
mod effect;
mod event;
mod execution;
mod intended;
mod journal;
mod ledger;
mod look;
mod mend;
mod onlookers;
mod order;
mod provider;
mod record;
mod records;
mod replacements;
mod run;
mod script;
mod secrets;
mod silence;
mod step;
mod supposed;
mod undo;
mod view;
mod waits;
mod write;

#[cfg(test)]
mod tests;

pub use drive::drive;
pub(crate) use effect::scopes as scopes_of_effect;
pub(crate) use secrets::ReadSecrets;

pub use event::{Did, Event, Failure};
pub use execution::{Execution, Options};
pub use intended::{Looked, adopted, intended};
pub use journal::{Intent, Journal, JournalError, Outcome};
pub use look::{Watched, follow, look};
pub use provider::{
    ApplyAnswer, ApplyRequest, Cause, DeleteRequest, Deletion, Patch, PatchRequest, Provider, ProviderError, Selector,
    WatchEvent,
};
pub use secrets::SecretSource;
pub use supposed::Supposed;
