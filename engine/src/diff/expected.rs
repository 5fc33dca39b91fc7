//! What an apply would leave, as far as that can be said without the server that would do it.
//!
//! Invariants:
//! - What holds already stays as it is: where the live value says all that ours says, nothing differs.
//! - Which items of a list belong together is taken from what the server notes as ours, else from [`leaves`].
//! - What we own and no longer say is gone, unless another manager holds it too.
//!
//! Deliberately absent: defaults, canonical forms and webhooks. What is said here is shown as not verified.

use super::leaves;
use crate::{
    FieldPath,
    field::PathElement,
    ownership::{holder, managed_entries},
};
use serde_json::Value;
use std::collections::BTreeSet;

/// The object after `body` was applied to `live` by `manager`.
pub(crate) fn expected(live: Option<&Value>, body: &Value, manager: &str) -> Value {
    let Some(live) = live else { return body.clone() };
    let entries = managed_entries(live);
    let ours = entries
        .iter()
        .filter(|entry| entry.by_apply && entry.manager == manager);
    let owned: BTreeSet<FieldPath> = ours.flat_map(|entry| entry.fields.iter().cloned()).collect();
    let mut after = live.clone();
    let said = leaves(body);
    let is_said = |path: &FieldPath| path.get(body).is_some() || said.iter().any(|said| said.contains(path));
    for path in owned
        .iter()
        .filter(|path| !is_said(path) && holder(&entries, path, manager).is_none())
    {
        path.remove(&mut after);
    }
    lay(&mut after, body, &FieldPath::root(), &owned);
    after
}

fn lay(live: &mut Value, ours: &Value, at: &FieldPath, owned: &BTreeSet<FieldPath>) {
    if says_all_of(live, ours) {
        return;
    }
    match (&mut *live, ours) {
        (Value::Object(live), Value::Object(ours)) => {
            for (name, value) in ours {
                match live.get_mut(name) {
                    Some(live) => lay(live, value, &at.field(name), owned),
                    None => drop(live.insert(name.clone(), value.clone())),
                }
            }
        }
        (Value::Array(live), Value::Array(ours)) if !keys_of(at, owned).is_empty() => {
            let keys = keys_of(at, owned);
            for item in ours {
                let is_it = |live: &&mut Value| keys.iter().all(|key| live.get(key) == item.get(key));
                match live.iter_mut().find(is_it) {
                    // Below an item the keys of lists are not looked up: they are taken whole, or hold already.
                    Some(live) => lay(live, item, &at.child(PathElement::Index(usize::MAX)), owned),
                    None => live.push(item.clone()),
                }
            }
        }
        _ => *live = ours.clone(),
    }
}

/// The keys by which the server tells the items of this list apart, as far as it notes some of them as ours.
fn keys_of(list: &FieldPath, owned: &BTreeSet<FieldPath>) -> Vec<String> {
    let depth = list.elements().len();
    let item = owned.iter().find_map(|path| match path.elements().get(depth) {
        Some(PathElement::Key(keys)) if path.elements()[..depth] == *list.elements() => Some(keys),
        _ => None,
    });
    item.map(|keys| keys.keys().cloned().collect()).unwrap_or_default()
}

/// Whether a live value holds everything that ours says; what it holds besides are defaults, or others'.
fn says_all_of(live: &Value, ours: &Value) -> bool {
    match (live, ours) {
        (Value::Object(live), Value::Object(ours)) => ours
            .iter()
            .all(|(name, ours)| live.get(name).is_some_and(|live| says_all_of(live, ours))),
        (Value::Array(live), Value::Array(ours)) => {
            live.len() == ours.len() && live.iter().zip(ours).all(|(live, ours)| says_all_of(live, ours))
        }
        _ => live == ours,
    }
}

#[cfg(test)]
mod tests {
    use super::super::differences;
    use super::*;
    use serde_json::json;

    const US: &str = "stackctl/s";

    fn live(spec: &Value, owned: &Value) -> Value {
        let entry = json!({"manager": US, "operation": "Apply", "fieldsV1": {"f:spec": owned}});
        json!({"metadata": {"name": "x", "managedFields": [entry]}, "spec": spec})
    }

    fn differs(live: &Value, spec: &Value) -> Vec<String> {
        let body = json!({"metadata": {"name": "x"}, "spec": spec});
        let after = expected(Some(live), &body, US);
        let one = |(path, before, after): super::super::Difference| {
            let text = |value: Option<Value>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
            format!("{path}: {} -> {}", text(before), text(after))
        };
        differences(live, &after).into_iter().map(one).collect()
    }

    #[test]
    fn what_holds_already_is_no_difference_whatever_else_is_there() {
        let items = json!([{"name": "a", "port": 1, "protocol": "TCP"}]);
        let live = live(
            &json!({"n": 1, "by": "others", "items": items}),
            &json!({"f:n": {}, "f:items": {}}),
        );
        assert_eq!(
            differs(&live, &json!({"n": 1, "items": [{"name": "a", "port": 1}]})),
            [""; 0]
        );
    }

    #[test]
    fn what_changes_and_what_is_no_longer_said_differ() {
        let owned = json!({"f:n": {}, "f:old": {}, "f:map": {".": {}, "f:k": {}}});
        let live = live(&json!({"n": 1, "old": 1, "map": {"k": 1}, "theirs": 1}), &owned);
        assert_eq!(
            differs(&live, &json!({"n": 2, "new": 1})),
            [
                ".spec.map: {\"k\":1} -> -",
                ".spec.n: 1 -> 2",
                ".spec.new: - -> 1",
                ".spec.old: 1 -> -"
            ]
        );
    }

    #[test]
    fn items_belong_together_by_the_keys_that_the_server_notes() {
        let owned = json!({"f:list": {"k:{\"id\":\"a\"}": {".": {}, "f:id": {}, "f:v": {}}}});
        let live = live(
            &json!({"list": [{"id": "z", "v": 9}, {"id": "a", "v": 1, "d": true}]}),
            &owned,
        );
        let spec = json!({"list": [{"id": "a", "v": 2}, {"id": "b", "v": 3}]});
        let body = json!({"metadata": {"name": "x"}, "spec": spec});
        assert_eq!(
            expected(Some(&live), &body, US)["spec"],
            json!({"list": [{"id": "z", "v": 9}, {"id": "a", "v": 2, "d": true}, {"id": "b", "v": 3}]})
        );
    }

    #[test]
    fn what_is_not_there_would_be_what_is_sent() {
        let body = json!({"spec": {"n": 1}});
        assert_eq!(expected(None, &body, US), body);
    }
}
