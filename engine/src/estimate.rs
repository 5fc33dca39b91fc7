//! How long a plan will take on a real cluster, and because of what.
//!
//! In: resources in their graph, and how long each took before. Out: the chain that takes longest, with what each resource
//! of it adds and how that is known.
//!
//! Invariants:
//! - What was learned wins over what the catalogue says, and that over a part of the time limit; which one it was is told.
//! - The chain's times add up to the whole.
//!
//! Deliberately absent: the clock, and how fast a simulated cluster is. Whoever learned the times says of which cluster.

use crate::{
    address::Address,
    graph::{Graph, Takes, critical_path},
    readiness::Rule,
    resource::{Node, Resource},
};
use std::{collections::BTreeMap, time::Duration};

/// How long a write takes until the server has answered it: admission and a watch event, rounded up.
const WRITE: Duration = Duration::from_secs(1);

/// Of a time limit, so much is expected where nothing else is known: limits are meant to be long enough for a slow day.
const PART_OF_LIMIT: u32 = 3;

/// How it is known how long a resource takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// It took that long when it was last made ready.
    Learned,
    /// The catalogue says so, and where it has it from.
    Usual,
    /// Nobody says: a third of its time limit.
    Limit,
    /// It is ready as soon as it is written, or nothing waits for more than its write.
    Write,
}

/// How long one resource is expected to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Until it is applied, and until it is ready.
    pub takes: Takes,
    /// How that is known.
    pub basis: Basis,
}

/// One resource of the chain that takes longest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leg {
    /// The resource.
    pub address: Address,
    /// What it adds to the whole.
    pub time: Duration,
    /// How that is known.
    pub basis: Basis,
}

/// How long everything takes, if nothing waits for a slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// The chain that takes longest, first to last; what does nothing is left out.
    pub path: Vec<Leg>,
}

impl Estimate {
    /// How long all of it takes.
    pub fn time(&self) -> Duration {
        self.path.iter().map(|leg| leg.time).sum()
    }

    /// Whether every time that counts was learned.
    pub fn is_learned(&self) -> bool {
        let mut known = self.path.iter().filter(|leg| leg.basis != Basis::Write).peekable();
        known.peek().is_some() && known.all(|leg| leg.basis == Basis::Learned)
    }
}

/// How long a resource is expected to take on a real cluster.
pub fn expected(resource: &Resource, learned: Option<Duration>) -> Expected {
    let (ready, basis) = match (learned, resource.usual_time) {
        (Some(learned), _) => (learned, Basis::Learned),
        (None, Some(usual)) => (usual, Basis::Usual),
        (None, None) if is_ready_when_written(resource) => (WRITE, Basis::Write),
        (None, None) => (resource.ready_timeout / PART_OF_LIMIT, Basis::Limit),
    };
    let applied = match resource.node {
        Node::Object(_) | Node::Overlay(_) => WRITE.min(ready),
        Node::Gate(_) | Node::Action(_) | Node::Check(_) => ready,
    };
    Expected {
        takes: Takes { applied, ready },
        basis,
    }
}

fn is_ready_when_written(resource: &Resource) -> bool {
    match &resource.node {
        Node::Object(object) => object.ready == Rule::Exists && object.parts.is_empty(),
        Node::Overlay(overlay) => overlay.ready == Rule::Exists,
        Node::Gate(_) | Node::Action(_) => false,
        Node::Check(_) => true,
    }
}

/// Estimates a graph. `works` says which resources have something to do; the others take no time.
pub fn estimate(
    resources: &[Resource],
    graph: &Graph,
    learned: &BTreeMap<Address, Duration>,
    works: impl Fn(&Address) -> bool,
) -> Estimate {
    let expected: BTreeMap<_, _> = resources
        .iter()
        .filter(|resource| works(&resource.address))
        .map(|resource| {
            (
                &resource.address,
                expected(resource, learned.get(&resource.address).copied()),
            )
        })
        .collect();
    let takes = |address: &Address| expected.get(address).map(|expected| expected.takes).unwrap_or_default();
    let leg = |(address, time)| {
        let Expected { takes, basis } = *expected.get(&address)?;
        // The rest of it holds nothing up: here it counts with its write.
        let basis = if time < takes.ready { Basis::Write } else { basis };
        Some(Leg { address, time, basis })
    };
    Estimate {
        path: critical_path(graph, takes).into_iter().filter_map(leg).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        manifest::Manifest,
        object_key::ObjectRef,
        readiness::{Observation, Target},
        resource::{DependsOn, Gate, Object},
    };
    use serde_json::json;

    fn address(text: &str) -> Address {
        text.parse().expect("an address")
    }

    fn object(name: &str) -> Resource {
        let manifest = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        Resource::new(
            address(&format!("{name}.object")),
            Node::Object(Object::new(Manifest::written(manifest))),
        )
    }

    fn gate(name: &str, limit: u64) -> Resource {
        let target = Target::Named(ObjectRef::cluster("v1", "Namespace", name));
        let gate = Gate::on(Observation::new(target, Rule::Exists));
        let mut resource = Resource::new(address(&format!("{name}.gate")), Node::Gate(gate));
        resource.ready_timeout = Duration::from_secs(limit);
        resource
            .depends_on
            .push(DependsOn::applied(address(&format!("{name}.object")), "its object"));
        resource
    }

    /// The chain in words: `address seconds basis`.
    fn path(resources: &[Resource], learned: &[(&str, u64)], idle: &str) -> Vec<String> {
        let graph = Graph::new(resources).expect("acyclic");
        let learned = learned
            .iter()
            .map(|(name, seconds)| (address(name), Duration::from_secs(*seconds)))
            .collect();
        let estimate = estimate(resources, &graph, &learned, |address| address.to_string() != idle);
        let legs = estimate.path.iter();
        legs.map(|leg| format!("{} {} {:?}", leg.address, leg.time.as_secs(), leg.basis))
            .collect()
    }

    #[test]
    fn a_third_of_the_limit_counts_where_nothing_is_known() {
        let resources = [object("a"), gate("a", 300)];
        assert_eq!(path(&resources, &[], ""), ["a.object 1 Write", "a.gate 100 Limit"]);
    }

    #[test]
    fn what_was_learned_wins_over_what_is_usual_and_that_over_the_limit() {
        let mut resources = [object("a"), gate("a", 300)];
        resources[1].usual_time = Some(Duration::from_secs(40));
        assert_eq!(path(&resources, &[], ""), ["a.object 1 Write", "a.gate 40 Usual"]);
        assert_eq!(
            path(&resources, &[("a.gate", 7)], ""),
            ["a.object 1 Write", "a.gate 7 Learned"]
        );
    }

    #[test]
    fn what_has_nothing_to_do_takes_no_time() {
        let resources = [object("a"), gate("a", 300), object("b"), gate("b", 60)];
        assert_eq!(path(&resources, &[], "a.gate"), ["b.object 1 Write", "b.gate 20 Limit"]);
    }
}
