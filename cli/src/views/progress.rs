//! Where every resource of a running execution stands: a fold of events that the live and the plain view both read.
//!
//! Invariant: time comes in from outside, as what has passed since the start; nothing here reads a clock.

use stackctl_engine::{Address, execute::{Did, Event}};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// Where an execution stands.
#[derive(Debug)]
pub struct Progress {
    total: usize,
    done: usize,
    running: BTreeMap<Address, Running>,
    failed: BTreeSet<Address>,
    blocked_by: BTreeMap<Address, usize>,
    is_interrupted: bool,
    estimate: Option<Duration>,
}

/// A resource that has started and is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// When it started.
    pub since: Duration,
    /// On what it waits; nothing while it is being written.
    pub waits_on: Option<String>,
    /// What its write did.
    pub did: Option<Did>,
}

impl Progress {
    /// Nothing has started yet.
    pub fn new(total: usize, estimate: Option<Duration>) -> Self {
        Self {
            total,
            done: 0,
            running: BTreeMap::new(),
            failed: BTreeSet::new(),
            blocked_by: BTreeMap::new(),
            is_interrupted: false,
            estimate,
        }
    }

    /// Takes one event in. For an event that ends a resource, what was known of it.
    pub fn fold(&mut self, event: &Event, now: Duration) -> Option<Running> {
        match event {
            Event::Started { address } => {
                self.running.insert(address.clone(), Running { since: now, waits_on: None, did: None });
            }
            Event::Written { address, did, .. } => {
                if let Some(running) = self.running.get_mut(address) {
                    running.did = Some(*did);
                }
            }
            Event::Waiting { address, why } => {
                if let Some(running) = self.running.get_mut(address) {
                    running.waits_on = Some(why.clone());
                }
            }
            Event::Ready { address, .. } => {
                self.done += 1;
                return self.running.remove(address);
            }
            Event::Failed { address, .. } => {
                self.failed.insert(address.clone());
                return self.running.remove(address);
            }
            Event::Blocked { by, .. } => *self.blocked_by.entry(by.clone()).or_default() += 1,
            Event::Interrupted => self.is_interrupted = true,
            Event::Remedied { .. } | Event::Noted { .. } => {}
        }
        None
    }

    /// How many are done, and of how many.
    pub fn count(&self) -> (usize, usize) {
        (self.done, self.total.max(self.done))
    }

    /// What runs, longest first: what holds everything up stands on top.
    pub fn running(&self) -> Vec<(&Address, &Running)> {
        let mut all: Vec<_> = self.running.iter().collect();
        all.sort_by_key(|(address, running)| (running.since, *address));
        all
    }

    /// What a resource that runs is known to do.
    pub fn of(&self, address: &Address) -> Option<&Running> {
        self.running.get(address)
    }

    /// Which failures block how many others.
    pub fn blocked(&self) -> impl Iterator<Item = (&Address, usize)> {
        self.blocked_by.iter().map(|(by, count)| (by, *count))
    }

    /// Whether the person asked to stop.
    pub fn is_interrupted(&self) -> bool {
        self.is_interrupted
    }

    /// How long it may still take, where that is known and not yet over.
    pub fn left(&self, now: Duration) -> Option<Duration> {
        self.estimate?.checked_sub(now).filter(|left| !left.is_zero())
    }
}
