//! What is recorded and no longer desired: how it ends, and in which order.
//!
//! Invariants: dependents come before what they depend on, by the edges of the record; nothing goes that may not be
//! destroyed; of an object whose uid is another one there is nothing to delete.

use super::{Action, Ending, NodeKind, PlanError, Purpose, Reason, Step, Subject, decide};
use crate::{
    address::Address,
    graph::{Edge, Graph},
    recorded::{Origin, Recorded, RecordedNode},
    survey::Survey,
};
use std::collections::BTreeMap;

/// Steps for what is recorded and no longer desired, dependents before what they depend on.
pub(super) fn removals(
    recorded: &BTreeMap<Address, Recorded>,
    survey: &Survey,
    is_desired: impl Fn(&Address) -> bool,
    purpose: Purpose,
) -> Result<Vec<Step>, Vec<PlanError>> {
    let going: BTreeMap<&Address, &Recorded> = recorded.iter().filter(|(address, _)| !is_desired(address)).collect();
    let edges: Vec<Edge> = going
        .values()
        .flat_map(|known| known.edges.iter().filter(|edge| going.contains_key(&edge.to)).cloned())
        .collect();
    let order = Graph::of_edges(going.keys().map(|address| (*address).clone()), edges).map_err(|errors| {
        errors
            .into_iter()
            .map(|e| PlanError::Recorded(e.to_string()))
            .collect::<Vec<_>>()
    })?;
    let mut steps = Vec::new();
    let mut errors = Vec::new();
    for address in order.order().iter().rev() {
        let Some(known) = going.get(address) else { continue };
        if known.destroy.prevent {
            errors.push(PlanError::Prevented {
                address: address.clone(),
            });
            continue;
        }
        steps.push(removal(known, survey, &order, purpose));
    }
    if errors.is_empty() { Ok(steps) } else { Err(errors) }
}

fn removal(known: &Recorded, survey: &Survey, order: &Graph, purpose: Purpose) -> Step {
    let held = survey.held(&known.address);
    let same = |uid: &str| !uid.is_empty() && held.is_some_and(|held| held.uid() == uid);
    let (node, exists, ending) = match &known.node {
        RecordedNode::Object(object) => {
            let is_deleted = known.is_deleted() && !known.destroy.self_recreating;
            let ending = if is_deleted { Ending::Deleted } else { Ending::Released };
            (
                NodeKind::Object,
                same(&object.uid) || (object.uid.is_empty() && held.is_some()),
                ending,
            )
        }
        RecordedNode::Overlay { object, .. } => {
            let ending = if object.origin == Origin::Created {
                Ending::Deleted
            } else {
                Ending::Released
            };
            (NodeKind::Overlay, same(&object.uid), ending)
        }
        RecordedNode::Gate => (NodeKind::Gate, false, Ending::Released),
        RecordedNode::Action { .. } => (NodeKind::Action, false, Ending::Released),
    };
    let (action, mut reason) = decide(Subject::RecordedOnly { exists, ending }).expect("a record always ends somehow");
    match (&known.destroy.retain, purpose, action) {
        (Some(why), _, Action::Release) if !known.was_there() || known.destroy.delete_adopted => {
            reason = Reason::Retained(why.clone())
        }
        (None, _, Action::Release) if known.destroy.self_recreating => reason = Reason::SelfRecreating,
        (None, Purpose::Destroy, Action::Delete) => reason = Reason::Destroying,
        _ => {}
    }
    let mut reasons = vec![reason];
    if action == Action::Delete && known.was_there() {
        reasons.push(Reason::AdoptedGoes);
    }
    if matches!(action, Action::Delete | Action::Forget) {
        reasons.extend(takes_along(known));
    }
    Step {
        address: known.address.clone(),
        node,
        action,
        reasons,
        object: known.object().map(|object| object.object.clone()),
        changes: Vec::new(),
        note: String::new(),
        waits_for: order
            .dependents(&known.address)
            .into_iter()
            .map(|edge| Edge {
                from: edge.to.clone(),
                to: edge.from.clone(),
                ..edge.clone()
            })
            .collect(),
        readiness: None,
        consequences: Vec::new(),
    }
}

/// That what others made for a resource goes with it, if there is something.
pub(super) fn takes_along(known: &Recorded) -> Option<Reason> {
    let claims = known.claims_that_go();
    let all = || claims.iter().map(|claimed| claimed.object.clone()).collect();
    (!claims.is_empty()).then(|| Reason::TakesAlong(all()))
}
