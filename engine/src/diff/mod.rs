//! Field changes between two values, and the leaves that a manifest speaks of.

pub mod drift;
pub(crate) mod expected;

use crate::FieldPath;
use crate::field::PathElement;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

/// What says which object it is.
static IDENTITY: LazyLock<[FieldPath; 6]> = LazyLock::new(|| {
    [
        "apiVersion",
        "kind",
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "metadata.resourceVersion",
    ]
    .map(FieldPath::of)
});

/// The leaves of a manifest: every path that a server would book to whoever applies it, but for the identity
/// (`apiVersion`, `kind`, `metadata.name`, `metadata.namespace`).
///
/// Items of lists whose items all carry a `name` (or another usual key) are told apart by it; other lists are leaves.
pub fn leaves(manifest: &Value) -> BTreeSet<FieldPath> {
    leaves_by(&ListKeys::default(), manifest)
}

/// The same, with the items of lists told apart by these keys too.
pub fn leaves_by(keys: &ListKeys, manifest: &Value) -> BTreeSet<FieldPath> {
    let mut found = BTreeSet::new();
    collect(keys, manifest, &FieldPath::root(), &mut found);
    found.remove(&FieldPath::root());
    for identity in IDENTITY.iter() {
        found.remove(identity);
    }
    found
}

fn collect(keys: &ListKeys, value: &Value, at: &FieldPath, found: &mut BTreeSet<FieldPath>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (name, value) in map {
                collect(keys, value, &at.field(name), found);
            }
        }
        Value::Array(items) => {
            let usual = || list_key(at, items).map(|key| BTreeSet::from([key.to_owned()]));
            let Some(names) = keys.noted(at, items).or_else(usual) else {
                found.insert(at.clone());
                return;
            };
            for item in items {
                let at = at.child(PathElement::Key(keys_of(item, &names).unwrap_or_default()));
                collect(keys, item, &at, found);
            }
        }
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
    let key = key_of(name)?;
    items
        .iter()
        .all(|item| item.get(key).is_some_and(Value::is_string))
        .then_some(key)
}

/// What the items of a list of this name are told apart by.
fn key_of(list: &str) -> Option<&'static str> {
    match list {
        "containers" | "initContainers" | "env" | "volumes" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        _ => None,
    }
}

/// One path that differs: what was there, and what is there.
pub type Difference = (FieldPath, Option<Value>, Option<Value>);

/// What the server writes for itself and nobody desires: never a difference.
static OF_THE_SERVER: LazyLock<[FieldPath; 7]> = LazyLock::new(|| {
    [
        "metadata.managedFields",
        "metadata.resourceVersion",
        "metadata.generation",
        "metadata.uid",
        "metadata.creationTimestamp",
        "metadata.selfLink",
        "status",
    ]
    .map(FieldPath::of)
});

/// Every leaf that differs between two states of one object, in order of path; null stands for no object.
pub fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    differences_by(&ListKeys::default(), before, after)
}

/// The same, with the items of lists told apart by these keys.
pub fn differences_by(keys: &ListKeys, before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(
        keys,
        &FieldPath::root(),
        Some(before).filter(|b| !b.is_null()),
        Some(after),
        &mut found,
    );
    found.retain(|(path, ..)| !OF_THE_SERVER.iter().any(|own| own.contains(path)));
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn compare(
    keys: &ListKeys,
    at: &FieldPath,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
                compare(keys, &at.field(name), old.get(name), new.get(name), found);
            }
        }
        (Some(was @ Value::Array(old)), Some(is @ Value::Array(new))) if keys.items(at, old, new).is_some() => {
            for item in keys.items(at, old, new).unwrap_or_default() {
                let path = FieldPath::root().child(item.clone());
                compare(keys, &at.child(item), path.get(was), path.get(is), found);
            }
        }
        (None, Some(Value::Object(new))) if !new.is_empty() => {
            for (name, value) in new {
                compare(keys, &at.field(name), None, Some(value), found);
            }
        }
        _ => found.push((at.clone(), before.cloned(), after.cloned())),
    }
}

/// By what the items of the lists of an object are told apart, as the server notes it.
#[derive(Debug, Default)]
pub struct ListKeys(BTreeMap<FieldPath, BTreeSet<String>>);

impl ListKeys {
    /// What the fields that somebody owns say of the lists that they are in.
    pub fn of<'a>(owned: impl IntoIterator<Item = &'a FieldPath>) -> Self {
        let mut lists = BTreeMap::new();
        for path in owned {
            for (index, step) in path.elements().iter().enumerate() {
                if let PathElement::Key(keys) = step {
                    let list = path.elements()[..index].iter().cloned().collect();
                    lists.entry(list).or_insert_with(|| keys.keys().cloned().collect());
                }
            }
        }
        Self(lists)
    }

    /// By what the items of a list are told apart; nothing where that is not noted, or one of them does not say it.
    fn noted(&self, at: &FieldPath, items: &[Value]) -> Option<BTreeSet<String>> {
        let names = self.0.get(at)?;
        items
            .iter()
            .all(|item| keys_of(item, names).is_some())
            .then(|| names.clone())
    }

    /// The items of both states of a list, each once and in order; nothing where they are not told apart.
    fn items(&self, at: &FieldPath, old: &[Value], new: &[Value]) -> Option<BTreeSet<PathElement>> {
        let usual = || both_keyed(old, new).map(|key| BTreeSet::from([key.to_owned()]));
        let noted = self.noted(at, old).and_then(|_| self.noted(at, new));
        let names = noted.or_else(usual)?;
        let items = old.iter().chain(new);
        items.map(|item| keys_of(item, &names).map(PathElement::Key)).collect()
    }
}

/// What tells an item apart; a port says its protocol by leaving it out (ssa-semantics §9).
fn keys_of(item: &Value, names: &BTreeSet<String>) -> Option<BTreeMap<String, String>> {
    let key = |name: &String| match item.get(name) {
        Some(value) => Some((name.clone(), value.to_string())),
        None if name == "protocol" => Some((name.clone(), "\"TCP\"".to_owned())),
        None => None,
    };
    names.iter().map(key).collect()
}

/// The key that tells the items of both lists apart, for people: each item has one and no two are alike.
fn both_keyed(old: &[Value], new: &[Value]) -> Option<&'static str> {
    ["name", "mountPath", "type", "key"].into_iter().find(|key| {
        [old, new].into_iter().all(|items| {
            let mut values: Vec<_> = items.iter().map(|item| item.get(key).and_then(Value::as_str)).collect();
            values.sort_unstable();
            let count = values.len();
            values.dedup();
            values.len() == count && values.iter().all(Option::is_some)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(before: &Value, after: &Value) -> Vec<String> {
        let text = |value: Option<Value>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
        differences(before, after)
            .into_iter()
            .map(|(path, b, a)| format!("{path}: {} -> {}", text(b), text(a)))
            .collect()
    }

    #[test]
    fn items_are_compared_by_their_name_and_the_servers_own_fields_never() {
        let before = json!({"metadata": {"generation": 1}, "spec": {"env": [{"name": "A", "value": "1"}], "n": 1}});
        let after =
            json!({"metadata": {"generation": 2}, "spec": {"env": [{"name": "B"}, {"name": "A", "value": "2"}]}});
        assert_eq!(
            shown(&before, &after),
            [
                r#".spec.env[name="A"].value: "1" -> "2""#,
                r#".spec.env[name="B"].name: - -> "B""#,
                ".spec.n: 1 -> -"
            ]
        );
    }

    #[test]
    fn items_are_told_apart_as_somebody_owns_them_even_where_their_names_change() {
        let ports = |name: &str| json!({"spec": {"ports": [{"name": name, "port": 80}, {"name": "x", "port": 99}]}});
        let owned = FieldPath::of("spec.ports[port=80,protocol=TCP].name");
        let keys = ListKeys::of([&owned]);
        let found = differences_by(&keys, &ports("web"), &ports("named"));
        let paths: Vec<_> = found.iter().map(|(path, ..)| path.to_string()).collect();
        assert_eq!(paths, [r#".spec.ports[port=80,protocol="TCP"].name"#]);
    }

    #[test]
    fn leaves_leave_identity_out_and_take_unknown_lists_whole() {
        let found: Vec<_> = leaves(&json!({"kind": "X", "metadata": {"name": "n"}, "spec": {"list": [1], "map": {}}}))
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found, [".spec.list", ".spec.map"]);
    }
}
