//! What waits for what in a run, and how long the way is that each step has before it.

use super::{Execution, Options, run::Run};
use crate::{
    address::Address,
    estimate::expected,
    graph::{Edge, EdgeClass, EdgeSource, Graph, Takes, Until, remaining},
    plan,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How long a removal counts for in the order of what could start.
const REMOVAL: Duration = Duration::from_secs(1);

/// The run of a plan: its steps, their edges, and for removals the edges of those that survive.
pub(super) fn run_of(execution: &Execution<'_>) -> Run {
    let steps: BTreeSet<_> = execution.plan.steps.iter().map(|step| step.address.clone()).collect();
    let desired: BTreeSet<_> = execution.resources.iter().map(|resource| &resource.address).collect();
    let mut edges: Vec<(Address, Address, Until)> = execution
        .plan
        .steps
        .iter()
        .flat_map(|step| {
            step.waits_for
                .iter()
                .map(|edge| (edge.from.clone(), edge.to.clone(), edge.until))
        })
        .collect();
    for known in execution
        .recorded
        .values()
        .filter(|known| desired.contains(&known.address))
    {
        for edge in known
            .edges
            .iter()
            .filter(|edge| steps.contains(&edge.to) && !desired.contains(&edge.to))
        {
            edges.push((edge.to.clone(), known.address.clone(), Until::Applied));
        }
    }
    let plain: Vec<_> = edges
        .iter()
        .map(|(from, to, until)| Edge {
            from: from.clone(),
            to: to.clone(),
            until: *until,
            reason: String::new(),
            class: EdgeClass::Needs,
            source: EdgeSource::Declared,
        })
        .collect();
    let resources: BTreeMap<_, _> = execution
        .resources
        .iter()
        .map(|resource| (&resource.address, resource))
        .collect();
    let Options {
        time_scale,
        ref durations,
        ..
    } = execution.options;
    let idle: BTreeSet<_> = execution
        .plan
        .steps
        .iter()
        .filter(|step| !is_work(step))
        .map(|step| &step.address)
        .collect();
    let takes = |address: &Address| match (durations.get(address), resources.get(address)) {
        _ if idle.contains(address) => Takes::default(),
        (Some(&took), Some(resource)) => expected(resource, Some(took)).takes,
        // What is expected is expected of a real cluster.
        (None, Some(resource)) => {
            let Takes { applied, ready } = expected(resource, None).takes;
            Takes {
                applied: applied.mul_f64(time_scale),
                ready: ready.mul_f64(time_scale),
            }
        }
        (_, None) => Takes {
            applied: REMOVAL,
            ready: REMOVAL,
        },
    };
    let ways = Graph::of_edges(steps.iter().cloned(), plain)
        .map(|graph| remaining(&graph, takes))
        .unwrap_or_default();
    Run::new(steps, edges, ways)
}

/// Whether a step does anything but look.
pub(super) fn is_work(step: &plan::Step) -> bool {
    step.action.is_work()
}
