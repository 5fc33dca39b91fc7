//! What is taken away before something is made again.
//!
//! Invariants:
//! - What is in a replaced object goes before it, dependents first: the cluster would tear it all down at once.
//! - Each object is taken away once: by itself, or by the object that it is in.
//! - Fields of others' objects, and what is only given back, are taken away by their own step alone.

use super::records::Records;
use crate::{
    address::Address,
    graph::EdgeClass,
    plan::{Action, Plan, Step},
    recorded::Recorded,
};
use std::collections::{BTreeMap, BTreeSet};

/// The whole objects that a plan deletes and makes again.
#[derive(Debug)]
pub(super) struct Replacements<'a> {
    /// In the order of the plan.
    steps: Vec<&'a Step>,
    addresses: BTreeSet<&'a Address>,
}

impl<'a> Replacements<'a> {
    pub(super) fn of(plan: &'a Plan, recorded: &BTreeMap<Address, Recorded>) -> Self {
        let replaced = plan.steps.iter().filter(|step| step.action == Action::Replace);
        let steps: Vec<_> = replaced
            .filter(|step| recorded.get(&step.address).is_some_and(Recorded::is_deleted))
            .collect();
        Self {
            addresses: steps.iter().map(|step| &step.address).collect(),
            steps,
        }
    }

    /// What goes before a step writes, in order; nothing of a step that is no replacement.
    pub(super) fn going<'r>(&self, step: &Step, recorded: &'r Records<'_>) -> Vec<&'r Recorded> {
        if step.action != Action::Replace
            || self.addresses.contains(&step.address) && is_in(step, |address| self.addresses.contains(address))
        {
            return Vec::new();
        }
        let mut containers = BTreeSet::from([&step.address]);
        let mut going: Vec<&Recorded> = recorded.get(&step.address).into_iter().collect();
        // What is in an object that is only given back stays, and is taken away by itself.
        let others = self.steps.iter().filter(|_| self.addresses.contains(&step.address));
        for other in others {
            if is_in(other, |address| containers.contains(address)) {
                containers.insert(&other.address);
                going.extend(recorded.get(&other.address));
            }
        }
        going.reverse();
        going
    }
}

fn is_in(step: &Step, is_container: impl Fn(&Address) -> bool) -> bool {
    let mut edges = step.waits_for.iter();
    edges.any(|edge| edge.class == EdgeClass::Contains && is_container(&edge.to))
}
