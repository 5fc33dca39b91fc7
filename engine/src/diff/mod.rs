//! Field changes between two values, and the leaves that a manifest speaks of.

use crate::FieldPath;
use crate::field::PathElement;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The leaves of a manifest: every path that a server would book to whoever applies it, but for the identity
/// (`apiVersion`, `kind`, `metadata.name`, `metadata.namespace`).
///
/// Items of lists whose items all carry a `name` (or another usual key) are told apart by it; other lists are leaves.
pub fn leaves(manifest: &Value) -> BTreeSet<FieldPath> {
    let mut found = BTreeSet::new();
    collect(manifest, &FieldPath::root(), &mut found);
    for identity in [
        "apiVersion",
        "kind",
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "metadata.resourceVersion",
    ] {
        found.remove(&FieldPath::of(identity));
    }
    found
}

fn collect(value: &Value, at: &FieldPath, found: &mut BTreeSet<FieldPath>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, value) in map {
                collect(value, &at.field(name), found);
            }
        }
        Value::Array(items) => match list_key(at, items) {
            Some(key) => {
                for item in items {
                    let keys = BTreeMap::from([(key.to_owned(), item[key].to_string())]);
                    collect(item, &at.child(PathElement::Key(keys)), found);
                }
            }
            None => {
                found.insert(at.clone());
            }
        },
        _ => {
            found.insert(at.clone());
        }
    }
}

/// The lists of built-in kinds that we write to by item, with their keys (Kubernetes 1.34 API, `listMapKey` markers).
/// A list that is not here is taken as one leaf: coarser than the server, never finer.
fn list_key(at: &FieldPath, items: &[Value]) -> Option<&'static str> {
    let Some(PathElement::Field(name)) = at.elements().last() else {
        return None;
    };
    let key = match name.as_str() {
        "containers" | "initContainers" | "env" | "volumes" => "name",
        "volumeMounts" => "mountPath",
        _ => return None,
    };
    items
        .iter()
        .all(|item| item.get(key).is_some_and(Value::is_string))
        .then_some(key)
}
