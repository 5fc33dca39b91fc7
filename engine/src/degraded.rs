//! Gates that were ready when they were recorded, and are not any more: no drift, since nothing that we wrote is another.

use crate::{
    address::Address,
    recorded::{Recorded, RecordedNode},
    resource::{Node, Resource},
    survey::Survey,
};
use std::collections::BTreeMap;

/// A gate that was ready and is not any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Degraded {
    /// The gate.
    pub address: Address,
    /// Why it is not ready, in the words of what it looks at.
    pub why: String,
}

/// Every gate that was ready and is not any more, in order of the resources. The survey is one of these resources.
pub fn degraded(resources: &[Resource], recorded: &BTreeMap<Address, Recorded>, survey: &Survey) -> Vec<Degraded> {
    let was_ready = |address: &Address| {
        recorded
            .get(address)
            .is_some_and(|known| matches!(known.node, RecordedNode::Gate))
    };
    let gates = resources
        .iter()
        .filter(|resource| matches!(resource.node, Node::Gate(_)) && was_ready(&resource.address));
    let judged = gates.map(|gate| (gate, survey.readiness(gate)));
    judged
        .filter(|(_, readiness)| !readiness.is_ready())
        .map(|(gate, readiness)| Degraded {
            address: gate.address.clone(),
            why: readiness.why().to_owned(),
        })
        .collect()
}
