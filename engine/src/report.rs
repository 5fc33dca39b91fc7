//! The verdict of an execution: a fold of its events.

use crate::{
    address::Address,
    execute::{Did, Event, Failure},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What an execution did.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Report {
    /// How many writes did what.
    pub created: usize,
    /// Changed.
    pub updated: usize,
    /// Taken as ours.
    pub adopted: usize,
    /// Resources whose objects were deleted.
    pub deleted: usize,
    /// Objects that others had made for those, and that were deleted after them.
    pub cleared: usize,
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
    /// How long each of those took until it failed.
    pub failed_after: BTreeMap<Address, Duration>,
    /// Resources that never started, and because of which.
    pub blocked: BTreeMap<Address, Address>,
    /// Remedies that were carried out.
    pub remedied: Vec<(Address, String)>,
    /// Whether the person stopped it.
    pub interrupted: bool,
    /// The resources that count as deleted.
    pub deleted_of: BTreeSet<Address>,
}

impl Report {
    /// Takes one event in.
    pub fn fold(&mut self, event: &Event) {
        match event {
            Event::Written { did, address, .. } => match did {
                Did::Created => self.created += 1,
                Did::Updated => self.updated += 1,
                Did::Adopted => self.adopted += 1,
                Did::Deleted if self.deleted_of.insert(address.clone()) => self.deleted += 1,
                Did::Deleted => self.cleared += 1,
                Did::Released => self.released += 1,
                Did::Forgotten => self.forgotten += 1,
                Did::Ran => self.ran += 1,
                Did::Unchanged => {}
            },
            Event::Ready { address, took, .. } => {
                self.ready.insert(address.clone(), *took);
            }
            Event::Failed { address, failure, took } => {
                // What was to go and is still there was not deleted.
                if failure.is_still_there && self.deleted_of.remove(address) {
                    self.deleted -= 1;
                }
                self.failed.insert(address.clone(), failure.clone());
                self.failed_after.insert(address.clone(), *took);
            }
            Event::Blocked { address, by } => {
                self.blocked.insert(address.clone(), by.clone());
            }
            Event::Remedied { address, why } => self.remedied.push((address.clone(), why.clone())),
            Event::Interrupted => self.interrupted = true,
            Event::Started { .. }
            | Event::Waiting { .. }
            | Event::Noted { .. }
            | Event::Unheard { .. }
            | Event::Heard { .. } => {}
        }
    }

    /// Whether everything was done.
    pub fn succeeded(&self) -> bool {
        self.failed.is_empty() && self.blocked.is_empty() && !self.interrupted
    }

    /// The slowest resources, slowest first, whether they are ready or failed.
    pub fn slowest(&self, count: usize) -> Vec<(&Address, Duration)> {
        let ended = self.ready.iter().chain(&self.failed_after);
        let mut all: Vec<_> = ended.map(|(address, took)| (address, *took)).collect();
        all.sort_by_key(|(address, took)| (std::cmp::Reverse(*took), *address));
        all.truncate(count);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_resource_one_deletion_counts_and_what_others_had_made_for_it_is_told_apart() {
        let mut report = Report::default();
        for at in ["a.one", "a.two", "a.one", "a.one"] {
            report.fold(&Event::Written {
                address: at.parse().expect("an address"),
                did: Did::Deleted,
                object: None,
            });
        }
        assert_eq!((report.deleted, report.cleared), (2, 2));
        let mut still_there = Failure::new("did not go");
        still_there.is_still_there = true;
        report.fold(&Event::Failed {
            address: "a.one".parse().expect("an address"),
            failure: Failure::new("could not be made again"),
            took: Duration::ZERO,
        });
        assert_eq!(report.deleted, 2, "it went");
        report.fold(&Event::Failed {
            address: "a.two".parse().expect("an address"),
            failure: still_there,
            took: Duration::ZERO,
        });
        assert_eq!(report.deleted, 1, "it is still there");
    }
}
