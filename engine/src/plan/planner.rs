//! The whole graph: resources, recorded and found, to a plan or every reason why there is none.
//!
//! Invariant: a resource below a change is planned as one below a change: what it waits for will not be as it is now.

use super::{
    Action, NodeKind, Plan, PlanError, Purpose, Reason, Replaced, Step, removals::removals, replace, written::written,
};
use crate::{
    address::Address,
    digest::{Digest, StackKey},
    graph::Graph,
    marks::Identity,
    readiness::Readiness,
    recorded::{Recorded, RecordedNode},
    resource::{Node, Resource},
    survey::Survey,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Everything that a plan is made of.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// What is desired.
    pub resources: &'a [Resource],
    /// The order of what is desired.
    pub graph: &'a Graph,
    /// What was recorded.
    pub recorded: &'a BTreeMap<Address, Recorded>,
    /// What was found.
    pub survey: &'a Survey,
    /// Who we are.
    pub identity: &'a Identity,
    /// The stack's key, to compare sensitive leaves.
    pub key: Option<&'a StackKey>,
    /// Whether objects that are there and not ours may become ours.
    pub adopt: bool,
    /// Whether fields that others own, and we never recorded, may be taken.
    pub force_conflicts: bool,
    /// What is deleted and made again because a person asked for it, and what goes with it.
    pub replaced: &'a BTreeMap<Address, Replaced>,
}

/// Plans to bring the cluster to the stack.
///
/// # Errors
/// Every reason why it cannot be planned.
pub fn plan(inputs: &Inputs<'_>) -> Result<Plan, Vec<PlanError>> {
    let by_address: BTreeMap<_, _> = inputs.resources.iter().map(|r| (&r.address, r)).collect();
    let mut steps = Vec::new();
    let mut errors = Vec::new();
    // Addresses below a change, with the nearest change above.
    let mut below: BTreeMap<Address, Address> = BTreeMap::new();
    for address in inputs.graph.order() {
        let Some(resource) = by_address.get(address) else {
            continue;
        };
        let above = inputs
            .graph
            .dependencies(address)
            .into_iter()
            .find_map(|edge| below.get(&edge.to).cloned());
        match one(inputs, resource, above.as_ref()) {
            Ok(step) => {
                if step.action.is_change() {
                    below.insert(address.clone(), address.clone());
                } else if let Some(above) = above {
                    below.insert(address.clone(), above);
                }
                steps.push(step);
            }
            Err(error) => errors.push(error),
        }
    }
    match removals(
        inputs.recorded,
        inputs.survey,
        |address| by_address.contains_key(address),
        Purpose::Apply,
    ) {
        Ok(removed) => steps.extend(removed),
        Err(more) => errors.extend(more),
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Plan {
        purpose: Purpose::Apply,
        steps,
        remains: Vec::new(),
        partial: None,
    })
}

/// Plans to take everything of the stack away, from the record alone.
///
/// # Errors
/// When something may not be destroyed, or the record makes no order.
pub fn plan_destroy(recorded: &BTreeMap<Address, Recorded>, survey: &Survey) -> Result<Plan, Vec<PlanError>> {
    let steps = removals(recorded, survey, |_| false, Purpose::Destroy)?;
    let mut remains: Vec<_> = recorded
        .values()
        .flat_map(|known| known.destroy.remains.iter().cloned())
        .collect();
    remains.sort();
    remains.dedup();
    Ok(Plan {
        purpose: Purpose::Destroy,
        steps,
        remains,
        partial: None,
    })
}

/// A digest of what a plan is about: the resources as compiled, every field of every one of them; nothing for a destroy.
/// Only who saves a plan, compares one, or tells machines of it asks for it.
pub fn desired_digest(purpose: Purpose, resources: &[Resource]) -> Digest {
    if purpose == Purpose::Destroy {
        return Digest::of(&Value::Null);
    }
    // The debug form is deterministic: all maps are ordered, and no secret is in a resource.
    let mut sorted: Vec<_> = resources.iter().collect();
    sorted.sort_by_key(|resource| &resource.address);
    Digest::of_debug(&sorted)
}

fn one(inputs: &Inputs<'_>, resource: &Resource, above: Option<&Address>) -> Result<Step, PlanError> {
    let readiness = || inputs.survey.readiness(resource);
    let known = inputs.recorded.get(&resource.address);
    if inputs.replaced.get(&resource.address) == Some(&Replaced::Asked)
        && let Some(why) = replace::no_object_of_its_own(&resource.node)
    {
        return Err(PlanError::NotReplaceable {
            address: resource.address.clone(),
            why: why.to_owned(),
        });
    }
    match &resource.node {
        Node::Object(_) | Node::Overlay(_) => written(inputs, resource, known, above),
        Node::Gate(_) | Node::Check(_) => {
            let readiness = readiness();
            let is_check = matches!(resource.node, Node::Check(_));
            let waits = if is_check { Action::Check } else { Action::Wait };
            let (action, reason) = match (above, readiness.is_ready()) {
                (Some(above), _) => (waits, Reason::WrittenAbove(above.clone())),
                // A gate that was ready and is not any more is no change: apply still waits (DESIGN §5.8).
                (None, false) if known.is_some() => (Action::NoOp, Reason::NotReady),
                (None, false) => (waits, Reason::NotReady),
                (None, true) => (Action::NoOp, Reason::Converged),
            };
            let kind = if is_check { NodeKind::Check } else { NodeKind::Gate };
            Ok(step(inputs.graph, resource, kind, action, reason, Some(readiness)))
        }
        Node::Action(run) => {
            let readiness = readiness();
            let trigger = Digest::of(&run.trigger);
            let ran = matches!(known.map(|known| &known.node),
                Some(RecordedNode::Action { trigger: last }) if *last == trigger);
            let holds = run.satisfied_by_goal && readiness.is_ready() && above.is_none();
            // What it did, it did to an object that goes.
            let is_undone = run.satisfied_by_goal && replace::waits_for_replaced(inputs, resource);
            let (action, reason) = if is_undone {
                (Action::Run, Reason::Triggered)
            } else if ran && (readiness.is_ready() || !run.satisfied_by_goal) || holds {
                (Action::NoOp, Reason::RanAlready)
            } else if ran && above.is_none() {
                (Action::NoOp, Reason::NotReady)
            } else {
                (Action::Run, Reason::Triggered)
            };
            Ok(step(
                inputs.graph,
                resource,
                NodeKind::Action,
                action,
                reason,
                Some(readiness),
            ))
        }
    }
}

/// A step with nothing but what every step has.
pub(super) fn step(
    graph: &Graph,
    resource: &Resource,
    node: NodeKind,
    action: Action,
    reason: Reason,
    readiness: Option<Readiness>,
) -> Step {
    let says = action.is_change();
    Step {
        address: resource.address.clone(),
        node,
        action,
        reasons: vec![reason],
        object: resource.object().cloned(),
        changes: Vec::new(),
        note: resource.note.clone(),
        waits_for: graph.dependencies(&resource.address).into_iter().cloned().collect(),
        readiness,
        consequences: if says {
            resource.consequences.clone()
        } else {
            Vec::new()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Object;
    use serde_json::json;

    #[test]
    fn an_apply_is_about_what_is_desired_and_a_destroy_about_nothing_of_it() {
        let resource = |name: &str| {
            let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}});
            let manifest = crate::Manifest::written(body);
            Resource::new(
                "a.one".parse().expect("an address"),
                Node::Object(Object::new(manifest)),
            )
        };
        let digest = |purpose, resources: &[Resource]| desired_digest(purpose, resources);
        let (one, two) = ([resource("one")], [resource("two")]);
        assert_ne!(digest(Purpose::Apply, &one), digest(Purpose::Apply, &two));
        assert_eq!(digest(Purpose::Destroy, &one), digest(Purpose::Destroy, &two));
    }
}
