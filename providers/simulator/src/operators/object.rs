//! Reading objects: short, total accessors over a JSON object of the cluster.
//!
//! Invariant: nothing here fails; what is absent reads as empty, so that an operator says what it needs, not how to look.

use serde_json::{Map, Value, json};

use super::kinds::Kind;

/// Read access to an object of the cluster.
pub(crate) trait Read {
    /// Returns the text at a JSON pointer, empty if there is none.
    fn text(&self, pointer: &str) -> &str;
    /// Returns the list at a JSON pointer, empty if there is none.
    fn list(&self, pointer: &str) -> &[Value];
    /// Returns the whole number at a JSON pointer.
    fn number(&self, pointer: &str) -> Option<i64>;
    /// Returns whether the value at a JSON pointer is `true`.
    fn is_true(&self, pointer: &str) -> bool;

    /// Returns the object's name.
    fn name(&self) -> &str {
        self.text("/metadata/name")
    }
    /// Returns the object's namespace, empty for cluster-scoped objects.
    fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }
    /// Returns the object's uid.
    fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }
    /// Returns the value of a label, if the object has it.
    fn label(&self, key: &str) -> Option<&str>;
    /// Returns the value of an annotation, if the object has it.
    fn annotation(&self, key: &str) -> Option<&str>;
    /// Returns the status of the condition of this type (`True`, `False`, `Unknown`), empty if there is none.
    fn condition(&self, kind: &str) -> &str {
        let found = self
            .list("/status/conditions")
            .iter()
            .find(|condition| condition.text("/type") == kind);
        found.map_or("", |condition| condition.text("/status"))
    }
    /// Returns whether the condition of this type is `True`.
    fn is(&self, condition: &str) -> bool {
        self.condition(condition) == "True"
    }
    /// Returns whether the object is being deleted.
    fn is_deleting(&self) -> bool {
        !self.text("/metadata/deletionTimestamp").is_empty()
    }
    /// Returns whether the object carries this finalizer.
    fn has_finalizer(&self, finalizer: &str) -> bool {
        self.list("/metadata/finalizers").iter().any(|entry| entry == finalizer)
    }
    /// Returns whether the object has every one of these labels.
    fn has_labels(&self, wanted: &Map<String, Value>) -> bool {
        wanted.iter().all(|(key, value)| self.label(key) == value.as_str())
    }
    /// Returns whether an ownerReference names this uid.
    fn is_owned_by(&self, uid: &str) -> bool {
        self.list("/metadata/ownerReferences")
            .iter()
            .any(|owner| owner.text("/uid") == uid)
    }
}

impl Read for Value {
    fn text(&self, pointer: &str) -> &str {
        self.pointer(pointer).and_then(Self::as_str).unwrap_or_default()
    }
    fn list(&self, pointer: &str) -> &[Value] {
        self.pointer(pointer)
            .and_then(Self::as_array)
            .map_or(&[], Vec::as_slice)
    }
    fn number(&self, pointer: &str) -> Option<i64> {
        self.pointer(pointer).and_then(Self::as_i64)
    }
    fn is_true(&self, pointer: &str) -> bool {
        self.pointer(pointer).and_then(Self::as_bool).unwrap_or_default()
    }
    fn label(&self, key: &str) -> Option<&str> {
        self.get("metadata")?.get("labels")?.get(key)?.as_str()
    }
    fn annotation(&self, key: &str) -> Option<&str> {
        self.get("metadata")?.get("annotations")?.get(key)?.as_str()
    }
}

/// Returns an object with nothing but its identity; `namespace` is empty for cluster-scoped kinds.
pub(crate) fn bare(kind: Kind, namespace: &str, name: &str) -> Value {
    let mut object = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": {"name": name}});
    if !namespace.is_empty() {
        object["metadata"]["namespace"] = json!(namespace);
    }
    object
}

/// Returns an object of identity and the given other parts (`metadata` is merged, the rest set).
pub(crate) fn object(kind: Kind, namespace: &str, name: &str, parts: Value) -> Value {
    let mut object = bare(kind, namespace, name);
    if let Value::Object(parts) = parts {
        for (key, value) in parts {
            if key == "metadata" {
                merge(&mut object[&key], value);
            } else {
                object[&key] = value;
            }
        }
    }
    object
}

/// Returns the same manifest, owned by another object, so that it goes when that one goes.
pub(crate) fn owned_by(mut manifest: Value, owner: &Value) -> Value {
    manifest["metadata"]["ownerReferences"] = json!([reference(owner)]);
    manifest
}

/// Returns a controller ownerReference to an object.
pub(crate) fn reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner.name(), "uid": owner.uid(),
        "controller": true, "blockOwnerDeletion": true,
    })
}

/// Merges maps key by key; everything else replaces.
pub(crate) fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// Returns whether everything that is wanted is there already: maps may hold more, and so may lists whose items have a
/// `name`, `type` or `uid` to know them by; `lastTransitionTime` never counts.
pub(crate) fn contains(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted.iter().all(|(key, value)| {
            key == "lastTransitionTime" || live.get(key).map_or(value.is_null(), |live| contains(live, value))
        }),
        (Value::Array(live), Value::Array(wanted)) => match wanted.first().and_then(item_key) {
            Some(key) => wanted.iter().all(|want| {
                live.iter()
                    .any(|have| have.get(key) == want.get(key) && contains(have, want))
            }),
            None => live.len() == wanted.len() && live.iter().zip(wanted).all(|(live, want)| contains(live, want)),
        },
        (live, wanted) => live == wanted,
    }
}

fn item_key(item: &Value) -> Option<&'static str> {
    ["name", "type", "uid"]
        .into_iter()
        .find(|key| item.get(key).is_some_and(Value::is_string))
}

/// Returns a short suffix as Kubernetes draws them, from whatever makes it unique.
pub(crate) fn suffix(seed: &str) -> String {
    use sha2::{Digest, Sha256};
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let digest = Sha256::digest(seed.as_bytes());
    digest
        .iter()
        .take(5)
        .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
        .collect()
}

/// Returns a number as `u64` of a quantity like `"4"` or `4`, zero if it is neither.
pub(crate) fn count(value: Option<&Value>) -> i64 {
    value.map_or(0, |value| {
        value
            .as_i64()
            .or_else(|| value.as_str()?.parse().ok())
            .unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_wanted_is_enough() {
        let live = json!({"a": 1, "list": [{"name": "x", "v": 1}, {"name": "y"}], "plain": [1]});
        assert!(contains(
            &live,
            &json!({"a": 1, "list": [{"name": "x", "v": 1}], "plain": [1]})
        ));
        assert!(!contains(&live, &json!({"list": [{"name": "x", "v": 2}]})));
        assert!(!contains(&live, &json!({"plain": [1, 2]})));
        assert!(contains(&live, &json!({"gone": null})));
    }
}
