//! What a run is about to write, as far as a plan can tell: what undo would need, before anything is written.
//!
//! In: a plan and what it was made from. Out: the records that the executor will intend. Pure.
//!
//! Invariants:
//! - What would be made or taken is in it, unless its target is still to come: of that the executor tells when it is there.
//! - Gates and actions are in it for the order of a removal alone; that they are ready, or ran, is not said by that.
//!
//! Deliberately absent: what is recorded already and keeps its object, since the record says how it is undone.

use super::record::{Taken, Written, record, record_of_node};
use crate::{
    address::Address,
    diff::leaves,
    digest::{Digest, StackKey},
    graph::Edge,
    marks::Identity,
    plan::{Action, Plan},
    recorded::{Origin, Recorded, RecordedNode, RecordedObject},
    resource::{Node, Object, Overlay, Resource, written_value},
    survey::{Found, Survey},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a plan was made from.
#[derive(Clone, Copy, Debug)]
pub struct Looked<'a> {
    /// What is desired.
    pub resources: &'a [Resource],
    /// What was recorded.
    pub recorded: &'a BTreeMap<Address, Recorded>,
    /// What was found.
    pub survey: &'a Survey,
    /// Who we are.
    pub identity: &'a Identity,
    /// The stack's key.
    pub key: Option<&'a StackKey>,
}

/// What carrying out a plan will intend, in the order of its steps.
pub fn intended(plan: &Plan, from: &Looked<'_>) -> Vec<Recorded> {
    let resources: BTreeMap<_, _> = from.resources.iter().map(|one| (&one.address, one)).collect();
    let mut all = Vec::new();
    for step in &plan.steps {
        let Some(resource) = resources.get(&step.address) else {
            continue;
        };
        let known = from.recorded.get(&step.address);
        let writes = step.action.writes();
        let edges = step.waits_for.as_slice();
        match &resource.node {
            Node::Object(object) if writes => {
                all.extend(of_object(from, resource, object, known, step.action, edges));
            }
            Node::Overlay(overlay) if writes => all.extend(of_overlay(from, resource, overlay, known, edges)),
            Node::Gate(_) | Node::Check(_) | Node::Action(_) if known.is_none() => {
                all.push(record_of_node(resource, RecordedNode::Gate, edges).1);
            }
            Node::Object(_) | Node::Overlay(_) | Node::Gate(_) | Node::Check(_) | Node::Action(_) => {}
        }
    }
    all
}

/// The record of an object that is there and is to be ours: what the stack says of it is recorded as it is now, so that a
/// plan shows each difference and its apply takes each field. Nothing for what makes no object.
pub fn adopted(
    resource: &Resource,
    live: &Value,
    edges: &[Edge],
    identity: &Identity,
    key: Option<&StackKey>,
) -> Option<Recorded> {
    let Node::Object(object) = &resource.node else {
        return None;
    };
    let written = Written {
        object: object.manifest.object(),
        manager: &identity.object_manager(),
        origin: Origin::Adopted,
        fields: &leaves(&written_value(resource)),
        answer: Some(live),
    };
    let node = |mut object: RecordedObject| {
        // It was never sent, so that the next apply writes it, marks included.
        object.sent = Digest::of(&Value::Null);
        object.owned = None;
        RecordedNode::Object(object)
    };
    Some(record(resource, &written, edges, key, node))
}

fn of_object(
    from: &Looked<'_>,
    resource: &Resource,
    object: &Object,
    known: Option<&Recorded>,
    action: Action,
    edges: &[Edge],
) -> Option<Recorded> {
    let named = object.manifest.object();
    let keeps_its_object = known
        .and_then(Recorded::object)
        .is_some_and(|last| last.object.is_same_object(named));
    if matches!(action, Action::Update | Action::Record) && keeps_its_object {
        return None;
    }
    let mut body = written_value(resource).into_owned();
    from.identity.mark(&mut body, &resource.address, named);
    let is_adopted = action == Action::Adopt;
    let written = Written {
        object: named,
        manager: &from.identity.object_manager(),
        origin: if is_adopted { Origin::Adopted } else { Origin::Created },
        fields: &leaves(&body),
        answer: found(from, resource).and_then(Found::live).filter(|_| is_adopted),
    };
    Some(record(resource, &written, edges, from.key, RecordedNode::Object))
}

fn of_overlay(
    from: &Looked<'_>,
    resource: &Resource,
    overlay: &Overlay,
    known: Option<&Recorded>,
    edges: &[Edge],
) -> Option<Recorded> {
    let found = found(from, resource)?;
    let live = found.live();
    if live.is_none() && !overlay.create_if_absent {
        return None;
    }
    let uid = live
        .and_then(|live| live["metadata"]["uid"].as_str())
        .unwrap_or_default();
    let last = known.filter(|known| known.object().is_some_and(|object| object.uid == uid));
    let before = last.map_or(&[][..], |last| last.documents_of(uid));
    let body = overlay.body(live, &found.documents, before).ok()?;
    let manager = from.identity.manager_of_overlay(
        &resource.address,
        &overlay.target,
        from.recorded.get(&resource.address),
        from.recorded.values(),
    );
    let taken = Taken::of(resource, overlay, &body, &found.documents, last, live, manager);
    Some(taken.record(live, &taken.intended, edges, from.key))
}

fn found<'a>(from: &Looked<'a>, resource: &Resource) -> Option<&'a Found> {
    from.survey.found(&resource.address)
}
