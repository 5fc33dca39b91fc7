//! What is recorded while a run goes on: what was, and what changed since.
//!
//! Invariant: what was is borrowed and never copied; what the run wrote of a whole object is held until its step is done,
//! since nobody but that step asks for it.

use crate::{
    address::Address,
    recorded::{Recorded, RecordedNode},
};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct Records<'a> {
    before: &'a BTreeMap<Address, Recorded>,
    /// Nothing for what was forgotten.
    since: BTreeMap<Address, Option<Recorded>>,
}

impl<'a> Records<'a> {
    pub(super) fn new(before: &'a BTreeMap<Address, Recorded>) -> Self {
        Self {
            before,
            since: BTreeMap::new(),
        }
    }

    /// What is recorded of an address now.
    pub(super) fn get(&self, address: &Address) -> Option<&Recorded> {
        match self.since.get(address) {
            Some(now) => now.as_ref(),
            None => self.before.get(address),
        }
    }

    /// Everything that is recorded now, as far as it is held.
    pub(super) fn values(&self) -> impl Iterator<Item = &Recorded> {
        let kept = self
            .before
            .values()
            .filter(|known| !self.since.contains_key(&known.address));
        self.since.values().flatten().chain(kept)
    }

    /// Something is recorded of its address.
    pub(super) fn put(&mut self, recorded: Recorded) {
        self.since.insert(recorded.address.clone(), Some(recorded));
    }

    /// Nothing is recorded of an address any more.
    pub(super) fn forget(&mut self, address: &Address) {
        self.since.insert(address.clone(), None);
    }

    /// The step of an address is done.
    pub(super) fn let_go(&mut self, address: &Address) {
        let is_object = |known: &Option<Recorded>| {
            known
                .as_ref()
                .is_some_and(|known| matches!(known.node, RecordedNode::Object(_)))
        };
        if self.since.get(address).is_some_and(is_object) {
            self.since.remove(address);
        }
    }
}
