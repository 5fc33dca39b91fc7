//! The reason of an update, by the fields that it changes.
//!
//! [`decide`](super::decide) knows that something differs and whether the stack says what it said; which fields differ is
//! known only after it.
//!
//! Invariants:
//! - "Changed in the stack" is said only where some field of the stack's is another one than was recorded.
//! - What leaves our hands is an update, although no value changes.

use super::{Action, FieldChange, Reason, Shown, Step};
use crate::{
    FieldPath,
    field::PathElement,
    recorded::RecordedObject,
    resource::{Document, Node, Resource},
};

/// Says why a step updates, in place of what could be said before its fields were known.
pub(super) fn say(step: &mut Step, resource: &Resource, last: Option<&RecordedObject>) {
    let leaves_our_hands = step
        .reasons
        .iter()
        .any(|reason| matches!(reason, Reason::KeptBy { .. }));
    if step.action == Action::Record && leaves_our_hands {
        step.action = Action::Update;
        step.reasons[0] = Reason::ChangedInStack;
    }
    if step.action != Action::Update || step.changes.is_empty() {
        return;
    }
    let Some(first) = step.reasons.first_mut() else { return };
    let is_marked = step.changes.iter().all(is_of_marks);
    let mut others = step.changes.iter().filter(|change| !is_of_marks(change));
    match first {
        Reason::ChangedInStack | Reason::StoredOtherwise if is_marked => *first = Reason::Marked,
        Reason::StoredOtherwise if others.any(|change| is_late(resource, &change.path)) => {
            *first = Reason::ValueChanged
        }
        Reason::ChangedInStack if others.all(|change| is_back_to(last, change)) => *first = Reason::Drifted,
        _ => {}
    }
}

/// Whether it is one of the marks that we put on every object.
fn is_of_marks(change: &FieldChange) -> bool {
    let [
        PathElement::Field(metadata),
        PathElement::Field(map),
        PathElement::Field(name),
    ] = change.path.elements()
    else {
        return false;
    };
    let by_us = &**name == "app.kubernetes.io/managed-by" && change.after == Shown::Value("stackctl".into());
    &**metadata == "metadata"
        && matches!(&**map, "labels" | "annotations")
        && (by_us || name.starts_with("stackctl.dev/"))
}

/// Whether the stack leaves the value of a field to something else.
fn is_late(resource: &Resource, path: &FieldPath) -> bool {
    let meets = |other: &FieldPath| other.contains(path) || path.contains(other);
    match &resource.node {
        Node::Object(object) => object.manifest.late().iter().any(|late| meets(&late.path)),
        Node::Overlay(overlay) => {
            let mut late = overlay.documents.iter().filter(|document| document.late().is_some());
            late.any(|document: &Document| meets(&document.at))
        }
        Node::Gate(_) | Node::Action(_) | Node::Check(_) => false,
    }
}

/// Whether somebody changed a field that goes back to what was recorded.
fn is_back_to(last: Option<&RecordedObject>, change: &FieldChange) -> bool {
    let recorded = last.and_then(|last| change.path.get(&last.manifest));
    match &change.after {
        Shown::Value(after) => change.drift.is_some() && recorded == Some(after),
        Shown::Absent | Shown::Secret | Shown::KnownAfter(_) => false,
    }
}
