//! Fields that others may move (`ignore_fields`): written when their object is made, and theirs once they have written them.
//!
//! Invariants (ssa-semantics §6):
//! - While we own such a field it is sent with its live value; once another manager does, it is not sent at all.
//! - It is never recorded as held by us, so that its moving is no drift, voids no saved plan, and is never forced back.
//! - What the stack does not say is not sent for being ignored.

use crate::{
    FieldPath,
    diff::{ListKeys, drift::Drift, leaves_by},
    field::PathElement,
    ownership::{holder, managed_entries, won},
    resource::Resource,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Whether a field is one that others may move, or lies below one.
pub(crate) fn is_ignored(resource: &Resource, path: &FieldPath) -> bool {
    let mut ignored = resource.lifecycle.ignore_fields.iter();
    ignored.any(|ignored| covers(ignored, path))
}

/// Whether a path as people write it stands for another one or for what is above it: an item may be named by some of its
/// keys.
fn covers(said: &FieldPath, path: &FieldPath) -> bool {
    let (said, path) = (said.elements(), path.elements());
    let is_meant = |(said, step): (&PathElement, &PathElement)| match (said, step) {
        (PathElement::Key(said), PathElement::Key(keys)) => said.iter().all(|(name, is)| keys.get(name) == Some(is)),
        (said, step) => said == step,
    };
    said.len() <= path.len() && said.iter().zip(path).all(is_meant)
}

/// Drops what a stack by now says that others may move: what is recorded learns of that with the next apply.
pub fn without_ignored(drifted: Vec<Drift>, resources: &[Resource]) -> Vec<Drift> {
    let by_address: BTreeMap<_, _> = resources.iter().map(|resource| (&resource.address, resource)).collect();
    let left = drifted.into_iter().filter_map(|mut drift| {
        if let Some(resource) = by_address.get(&drift.address) {
            drift.changes.retain(|change| !is_ignored(resource, &change.path));
        }
        (drift.there.is_gone() || !drift.changes.is_empty()).then_some(drift)
    });
    left.collect()
}

/// Puts into what would be sent, for each field that others may move, what is there; or takes it out where it is theirs,
/// and where a manager has it that wins (see [`crate::yields`]).
/// A path above several fields stands for each of them: what others have beside ours decides nothing.
pub(crate) fn respect_ignored(body: &mut Value, live: &Value, resource: &Resource, manager: &str) {
    for (path, _) in won(live, resource.lifecycle.yields_to) {
        if path.get(body).is_some() {
            take_out(body, &path);
        }
    }
    if resource.lifecycle.ignore_fields.is_empty() {
        return;
    }
    let entries = managed_entries(live);
    // Of a list whose items the server tells apart each is somebody's, and not the whole.
    let keys = ListKeys::of(entries.iter().flat_map(|entry| &entry.fields));
    let said = leaves_by(&keys, body)
        .into_iter()
        .filter(|path| is_ignored(resource, path));
    for path in said.filter(|path| !is_key(path)) {
        match path.get(live) {
            Some(_) if holder(&entries, &path, manager).is_some() => take_out(body, &path),
            Some(value) => path.set(body, value.clone()),
            None => {}
        }
    }
}

/// Whether a field is one that tells an item of a list apart: without it there would be no item.
fn is_key(path: &FieldPath) -> bool {
    match path.elements() {
        [.., PathElement::Key(keys), PathElement::Field(name)] => keys.contains_key(&**name),
        _ => false,
    }
}

/// Removes a field, and the maps that are empty without it: an empty one would claim what is in it for us, or be refused
/// (ssa-semantics §3, the null parent).
fn take_out(body: &mut Value, path: &FieldPath) {
    let is_empty_map = |value: &Value| value.as_object().is_some_and(Map::is_empty);
    path.take_out(body, &FieldPath::root(), is_empty_map, |_, _| {});
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Manifest,
        diff::drift::There,
        object_key::ObjectRef,
        plan::{FieldChange, Shown},
        resource::{Node, Object},
    };
    use serde_json::json;

    /// What is sent of a spec, when the live object has this one and its fields are this manager's.
    fn sent(said: &Value, there: &Value, by: &str) -> Value {
        let body =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n"}, "spec": said});
        let node = Node::Object(Object::new(Manifest::written(body.clone())));
        let mut resource = Resource::new("a.b".parse().expect("an address"), node);
        resource.lifecycle.ignore_fields = vec![FieldPath::of("spec.scale"), FieldPath::of("spec.note")];
        let fields = json!({"f:spec": {"f:scale": {"f:replicas": {}}, "f:note": {}}});
        let operation = if by == "ours" { "Apply" } else { "Update" };
        let entry = json!({"manager": by, "operation": operation, "fieldsV1": fields});
        let live = json!({"metadata": {"managedFields": [entry]}, "spec": there});
        let mut body = body;
        respect_ignored(&mut body, &live, &resource, "ours");
        body["spec"].clone()
    }

    #[test]
    fn what_the_stack_lets_others_move_by_now_is_no_drift() {
        let change = |path: &str| FieldChange {
            path: FieldPath::of(path),
            before: Shown::Absent,
            after: Shown::Absent,
            drift: None,
        };
        let drift = |at: &str, there: There, paths: &[&str]| Drift {
            address: at.parse().expect("an address"),
            object: ObjectRef::namespaced("v1", "ConfigMap", "n", "c"),
            there,
            changes: paths.iter().map(|path| change(path)).collect(),
        };
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n"}});
        let resource = |at: &str| {
            let node = Node::Object(Object::new(Manifest::written(body.clone())));
            let mut resource = Resource::new(at.parse().expect("an address"), node);
            resource.lifecycle.ignore_fields = vec![FieldPath::of("spec.scale")];
            resource
        };
        let found = vec![
            drift("a.one", There::It, &["spec.scale.replicas"]),
            drift("a.two", There::It, &["spec.scale.replicas", "spec.note"]),
            drift("a.gone", There::Nothing, &[]),
            drift("a.left", There::It, &["spec.scale.replicas"]),
        ];
        let left = without_ignored(found, &[resource("a.one"), resource("a.two"), resource("a.gone")]);
        assert_eq!(
            left,
            [
                drift("a.two", There::It, &["spec.note"]),
                drift("a.gone", There::Nothing, &[]),
                drift("a.left", There::It, &["spec.scale.replicas"])
            ]
        );
    }

    #[test]
    fn of_a_list_that_others_may_move_what_they_wrote_goes_and_its_items_stay() {
        let said = json!({"apiVersion": "v1", "kind": "Hooks", "metadata": {"name": "c"},
            "hooks": [{"name": "a", "policy": "Fail", "path": "/v"}]});
        let mut resource = Resource::new(
            "a.b".parse().expect("an address"),
            Node::Object(Object::new(Manifest::written(said.clone()))),
        );
        resource.lifecycle.ignore_fields = vec![FieldPath::of("hooks")];
        let item = |fields: Value| json!({"f:hooks": {"k:{\"name\":\"a\"}": fields}});
        let entries = json!([
            {"manager": "ours", "operation": "Apply", "fieldsV1": item(json!({".": {}, "f:name": {}, "f:path": {}}))},
            {"manager": "theirs", "operation": "Update", "fieldsV1": item(json!({"f:bundle": {}, "f:policy": {}}))},
        ]);
        let live = json!({"metadata": {"managedFields": entries},
            "hooks": [{"name": "a", "policy": "Ignore", "path": "/v", "bundle": "x"}]});
        let mut body = said;
        respect_ignored(&mut body, &live, &resource, "ours");
        assert_eq!(body["hooks"], json!([{"name": "a", "path": "/v"}]));
    }

    #[test]
    fn an_ignored_field_is_sent_as_it_is_until_somebody_else_owns_it() {
        let said = json!({"scale": {"replicas": 1}, "a": 1});
        let there = json!({"scale": {"replicas": 3}, "a": 2, "note": "theirs"});
        assert_eq!(
            sent(&said, &there, "autoscaler"),
            json!({"a": 1}),
            "no empty map is left"
        );
        assert_eq!(sent(&said, &json!({"a": 2}), "autoscaler"), said, "it is not there");
        let beside = json!({"scale": {"most": 9}});
        let of_two = json!({"scale": {"replicas": 3, "most": 8}});
        let ours_alone = json!({"scale": {"most": 8}});
        assert_eq!(
            sent(&beside, &of_two, "autoscaler"),
            ours_alone,
            "what they have beside it is not ours"
        );
        let as_it_is = json!({"scale": {"replicas": 3}, "a": 1});
        assert_eq!(
            sent(&said, &there, "ours"),
            as_it_is,
            "and nothing that the stack does not say"
        );
    }
}
