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
use serde_json::Value;

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
    let was = |after: &Value| last.is_some_and(|last| change.path.get(&last.manifest.open()) == Some(after));
    match &change.after {
        Shown::Value(after) => change.drift.is_some() && was(after),
        Shown::Absent | Shown::Secret | Shown::KnownAfter(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        late::{Encoding, Late, LateSource, SecretInput},
        manifest::Manifest,
        plan::{DriftedBy, Purpose, testing},
        resource::Object,
    };
    use serde_json::json;

    fn change(path: &str, after: &str) -> FieldChange {
        FieldChange {
            path: FieldPath::of(path),
            before: Shown::Absent,
            after: Shown::Value(json!(after)),
            drift: None,
        }
    }

    fn resource() -> Resource {
        let manifest = Manifest::written(json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "c", "namespace": "n"}, "data": {"k": "1"}}))
        .with_late(Late {
            path: FieldPath::of("data.late"),
            source: LateSource::Input(SecretInput::Environment("LATE".to_owned())),
            encoding: Encoding::Plain,
            sensitive: false,
        });
        Resource::new("a.b".parse().expect("an address"), Node::Object(Object::new(manifest)))
    }

    /// What is said of a step that was decided for this reason.
    fn said(action: Action, reasons: &[Reason], changes: &[FieldChange]) -> (&'static str, &'static str) {
        let mut step = testing::plan(Purpose::Apply, &[action]).steps.remove(0);
        step.reasons = reasons.to_vec();
        step.changes = changes.to_vec();
        say(&mut step, &resource(), None);
        (step.action.code(), step.reasons[0].code())
    }

    #[test]
    fn our_marks_alone_are_no_change_of_the_stack_and_what_looks_like_them_is_one() {
        let of = |changes: &[FieldChange]| said(Action::Update, &[Reason::ChangedInStack], changes).1;
        let mark = || change(r#"metadata.annotations["stackctl.dev/address"]"#, "a.b");
        let by_us = |by: &str| change(r#"metadata.labels["app.kubernetes.io/managed-by"]"#, by);
        assert_eq!(of(&[mark()]), "marked");
        assert_eq!(of(&[mark(), by_us("stackctl")]), "marked");
        assert_eq!(of(&[by_us("helm")]), "changed-in-stack");
        assert_eq!(of(&[mark(), change("data.k", "1")]), "changed-in-stack");
        for unlike in [
            r#"spec.labels["stackctl.dev/address"]"#,
            r#"metadata.others["stackctl.dev/address"]"#,
            r#"metadata.labels["example.com/address"]"#,
            r#"metadata.labels["example.com/managed-by"]"#,
        ] {
            assert_eq!(of(&[change(unlike, "stackctl")]), "changed-in-stack", "{unlike}");
        }
        let stored = said(Action::Update, &[Reason::StoredOtherwise], &[mark()]);
        assert_eq!(stored.1, "marked");
    }

    #[test]
    fn a_value_that_comes_from_elsewhere_is_told_as_changed_there() {
        let of = |path: &str| said(Action::Update, &[Reason::StoredOtherwise], &[change(path, "2")]).1;
        assert_eq!(of("data.late"), "value-changed");
        assert_eq!(of("data"), "value-changed");
        assert_eq!(of("data.late.below"), "value-changed");
        assert_eq!(of("data.k"), "stored-otherwise");
    }

    #[test]
    fn a_field_that_goes_back_to_what_was_recorded_drifted() {
        let mut back = change("data.k", "1");
        back.drift = Some(DriftedBy {
            manager: None,
            time: None,
        });
        let mut step = testing::plan(Purpose::Apply, &[Action::Update]).steps.remove(0);
        step.reasons = vec![Reason::ChangedInStack];
        step.changes = vec![back];
        // Nothing was recorded that it could go back to.
        say(&mut step, &resource(), None);
        assert_eq!(step.reasons[0].code(), "changed-in-stack");
    }

    #[test]
    fn what_leaves_our_hands_is_an_update_and_other_actions_keep_their_reason() {
        let kept = Reason::KeptBy {
            field: ".data.k".to_owned(),
            manager: "other".to_owned(),
        };
        assert_eq!(
            said(Action::Record, &[Reason::RecordOnly, kept.clone()], &[]),
            ("update", "changed-in-stack")
        );
        assert_eq!(
            said(Action::Record, &[Reason::RecordOnly], &[]),
            ("record", "record-only")
        );
        assert_eq!(
            said(Action::NoOp, &[Reason::Converged, kept], &[]),
            ("no-op", "converged")
        );
        let mark = change(r#"metadata.annotations["stackctl.dev/address"]"#, "a.b");
        assert_eq!(
            said(Action::Create, &[Reason::ChangedInStack], &[mark]),
            ("create", "changed-in-stack")
        );
    }
}
