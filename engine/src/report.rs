//! The verdict of an execution: a fold of its events.

use crate::{
    address::Address,
    execute::{Did, Event, Failure},
};
use std::{collections::BTreeMap, time::Duration};

/// What an execution did.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Report {
    /// How many writes did what.
    pub created: usize,
    /// Changed.
    pub updated: usize,
    /// Taken as ours.
    pub adopted: usize,
    /// Deleted.
    pub deleted: usize,
    /// Given back.
    pub released: usize,
    /// Records dropped.
    pub forgotten: usize,
    /// Actions run.
    pub ran: usize,
    /// Resources that are ready, or gone, with the time each took.
    pub ready: BTreeMap<Address, Duration>,
    /// Resources that failed, and how.
    pub failed: BTreeMap<Address, Failure>,
    /// Resources that never started, and because of which.
    pub blocked: BTreeMap<Address, Address>,
    /// Remedies that were carried out.
    pub remedied: Vec<(Address, String)>,
    /// Whether the person stopped it.
    pub interrupted: bool,
}

impl Report {
    /// Takes one event in.
    pub fn fold(&mut self, event: &Event) {
        match event {
            Event::Written { did, .. } => match did {
                Did::Created => self.created += 1,
                Did::Updated => self.updated += 1,
                Did::Adopted => self.adopted += 1,
                Did::Deleted => self.deleted += 1,
                Did::Released => self.released += 1,
                Did::Forgotten => self.forgotten += 1,
                Did::Ran => self.ran += 1,
                Did::Unchanged => {}
            },
            Event::Ready { address, took, .. } => {
                self.ready.insert(address.clone(), *took);
            }
            Event::Failed { address, failure, .. } => {
                self.failed.insert(address.clone(), failure.clone());
            }
            Event::Blocked { address, by } => {
                self.blocked.insert(address.clone(), by.clone());
            }
            Event::Remedied { address, why } => self.remedied.push((address.clone(), why.clone())),
            Event::Interrupted => self.interrupted = true,
            Event::Started { .. } | Event::Waiting { .. } | Event::Noted { .. } => {}
        }
    }

    /// Whether everything was done.
    pub fn succeeded(&self) -> bool {
        self.failed.is_empty() && self.blocked.is_empty() && !self.interrupted
    }

    /// The slowest resources, slowest first.
    pub fn slowest(&self, count: usize) -> Vec<(&Address, Duration)> {
        let mut all: Vec<_> = self.ready.iter().map(|(address, took)| (address, *took)).collect();
        all.sort_by_key(|(address, took)| (std::cmp::Reverse(*took), *address));
        all.truncate(count);
        all
    }
}
