//! Where every resource of a running execution stands: a fold of events that the live and the plain view both read.
//!
//! Invariant: time comes in from outside, as what has passed since the start; nothing here reads a clock.

use stackctl_engine::{
    Address,
    execute::{Did, Event},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// From this time on, even something that is as it was is worth a line.
const LONG: Duration = Duration::from_secs(10);

/// Where an execution stands.
#[derive(Debug)]
pub struct Progress {
    /// What the plan does something about; the rest only shows that it is ready, and is worth no line.
    counted: BTreeSet<Address>,
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
    /// Nothing has started yet. `counted` is what the plan does something about.
    pub fn new(counted: BTreeSet<Address>, estimate: Option<Duration>) -> Self {
        Self {
            counted,
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
                self.running.insert(
                    address.clone(),
                    Running {
                        since: now,
                        waits_on: None,
                        did: None,
                    },
                );
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
                self.done += usize::from(self.counted.contains(address));
                return self.running.remove(address);
            }
            Event::Failed { address, .. } => {
                self.failed.insert(address.clone());
                return self.running.remove(address);
            }
            Event::Blocked { by, .. } => *self.blocked_by.entry(by.clone()).or_default() += 1,
            Event::Interrupted => self.is_interrupted = true,
            Event::Remedied { .. } | Event::Noted { .. } | Event::Unheard { .. } | Event::Heard { .. } => {}
        }
        None
    }

    /// How many are done, and of how many.
    pub fn count(&self) -> (usize, usize) {
        (self.done, self.counted.len())
    }

    /// Whether an event is worth a line of its own: not that something is as it was.
    pub fn is_news(&self, event: &Event) -> bool {
        match event {
            Event::Ready { address, took, .. } => self.counted.contains(address) || *took >= LONG,
            _ => true,
        }
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
