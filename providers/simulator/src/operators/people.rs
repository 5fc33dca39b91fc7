//! `somebody`: the person beside us whom some faults need: edits and deletes what a stack has just written.
//!
//! Invariants:
//! - An object is touched only after somebody applied it as `stackctl/…`, and once: an edit leaves an annotation on the
//!   object, so that one that is mended stays mended; an object is deleted only as long as it is the first of its name.
//! - An address of a stack is found on the live object: in its annotation `stackctl.dev/address`, or in the name of the
//!   field manager of an overlay, `stackctl/<stack>/<address>`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::{self, Kind, Scope};
use super::object::{Read, merge};
use super::turn::{Turn, Write};
use super::{Operator, Runs, somebody};
use crate::faults::FaultName;

/// Edits by hand are known by this manager: `kubectl edit` takes it.
const MANAGER: &str = "kubectl-edit";
/// Left on what was edited.
const EDITED: &str = "simulator.stackctl.dev/edited";
const ADDRESS: &str = "stackctl.dev/address";
/// A label of every object of a stack, for whoever does not say which field.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// The person.
pub(super) const SOMEBODY: Operator = Operator {
    name: "somebody",
    manager: MANAGER,
    runs: Runs::Platform,
    reconcile,
};

/// What a person looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted<'a> {
    Address(&'a str),
    Named(Kind, &'a str, &'a str),
}

/// Returns whether a text names what people touch, with a field behind it where one may be.
pub(crate) fn is_target(text: &str, may_have_field: bool) -> bool {
    let (object, field) = split(text);
    wanted(object).is_some() && (field.is_none() || may_have_field)
}

/// Splits `OBJECT:FIELD=VALUE`; names of objects may hold a colon.
fn split(text: &str) -> (&str, Option<(&str, &str)>) {
    let with_field = text
        .split_once('=')
        .and_then(|(left, value)| left.rsplit_once(':').map(|(object, field)| (object, (field, value))));
    with_field.map_or((text, None), |(object, field)| (object, Some(field)))
}

/// Kinds begin with a capital letter, addresses never do.
fn wanted(text: &str) -> Option<Wanted<'_>> {
    if !text.starts_with(|first: char| first.is_ascii_uppercase()) {
        return text.contains('.').then_some(Wanted::Address(text));
    }
    let parts: Vec<&str> = text.splitn(3, '/').collect();
    match *parts.as_slice() {
        [kind, name] => kinds::named(kind)
            .filter(|kind| kind.scope == Scope::Cluster)
            .map(|kind| Wanted::Named(kind, "", name)),
        [kind, namespace, name] => kinds::named(kind)
            .filter(|kind| kind.scope == Scope::Namespaced)
            .map(|kind| Wanted::Named(kind, namespace, name)),
        _ => None,
    }
}

fn reconcile(turn: &mut Turn<'_>) {
    for text in turn.faults.targets(FaultName::UserEdits).collect::<Vec<_>>() {
        let (object, field) = split(text);
        if let Some((kind, found)) = find(turn, object) {
            edit(turn, kind, &found, field);
        }
    }
    for text in turn.faults.targets(FaultName::UserDeletes).collect::<Vec<_>>() {
        if let Some((kind, found)) = find(turn, text)
            && turn.is_first(&format!("deletes {text}"), found.uid())
        {
            turn.delete(kind, found.namespace(), found.name());
        }
    }
    somebody::reconcile(turn);
}

/// Finds an object that a stack has written.
fn find(turn: &Turn<'_>, text: &str) -> Option<(Kind, Arc<Value>)> {
    match wanted(text)? {
        Wanted::Named(kind, namespace, name) => {
            let object = turn.world.get(kind, namespace, name)?;
            managers(object).next()?;
            Some((kind, Arc::clone(object)))
        }
        Wanted::Address(address) => {
            let of_overlay = format!("/{address}");
            kinds::ALL.iter().find_map(|kind| {
                let mut objects = turn.world.list(*kind);
                let found = objects.find(|object| {
                    let is_marked = object.annotation(ADDRESS) == Some(address);
                    managers(object).any(|manager| is_marked || manager.ends_with(&of_overlay))
                });
                found.map(|object| (*kind, Arc::clone(object)))
            })
        }
    }
}

/// The field managers of stacks.
fn managers(object: &Value) -> impl Iterator<Item = &str> {
    let entries = object.list("/metadata/managedFields").iter();
    entries
        .map(|entry| entry.text("/manager"))
        .filter(|manager| manager.starts_with("stackctl/"))
}

fn edit(turn: &mut Turn<'_>, kind: Kind, object: &Value, field: Option<(&str, &str)>) {
    if object.annotation(EDITED).is_some() || object.is_deleting() {
        return;
    }
    let mut patch = match field {
        None => json!({"metadata": {"labels": {MANAGED_BY: "somebody"}}}),
        Some((path, text)) => {
            let value = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
            path.rsplit('.').fold(value, |inner, name| json!({name: inner}))
        }
    };
    merge(&mut patch, json!({"metadata": {"annotations": {EDITED: "true"}}}));
    turn.writes.push(Write::Patch {
        kind,
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
        patch,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::bench::Bench;
    use crate::operators::object::object;

    fn written(bench: &mut Bench, address: &str) {
        let written = json!({"metadata": {
            "annotations": {ADDRESS: address}, "labels": {MANAGED_BY: "stackctl"},
            "managedFields": [{"manager": "stackctl/demo", "operation": "Apply"}],
        }, "data": {"size": "1"}});
        bench.put(kinds::CONFIG_MAP, object(kinds::CONFIG_MAP, "default", "a", written));
        bench.settle();
    }

    #[test]
    fn an_object_of_an_address_is_edited_once() {
        let mut bench = Bench::new(&["user-edits@demo.a:data.size=\"2\""]);
        written(&mut bench, "demo.a");
        assert_eq!(bench.get(kinds::CONFIG_MAP, "default", "a")["data"]["size"], "2");
        written(&mut bench, "demo.a");
        assert_eq!(
            bench.get(kinds::CONFIG_MAP, "default", "a")["data"]["size"],
            "1",
            "mended"
        );
    }

    #[test]
    fn what_no_stack_has_written_is_left_alone() {
        let mut bench = Bench::new(&["user-edits@ConfigMap/default/a", "user-deletes@ConfigMap/default/a"]);
        bench.put(kinds::CONFIG_MAP, object(kinds::CONFIG_MAP, "default", "a", json!({})));
        bench.settle();
        assert_eq!(bench.get(kinds::CONFIG_MAP, "default", "a").annotation(EDITED), None);
    }

    #[test]
    fn an_object_is_deleted_once_and_its_successor_stays() {
        let mut bench = Bench::new(&["user-deletes@ConfigMap/default/a"]);
        written(&mut bench, "demo.a");
        assert!(bench.world.get(kinds::CONFIG_MAP, "default", "a").is_none());
        written(&mut bench, "demo.a");
        assert!(bench.world.get(kinds::CONFIG_MAP, "default", "a").is_some());
    }

    #[test]
    fn targets_are_addresses_or_objects_and_an_edit_may_name_a_field() {
        assert!(is_target("model[qwen3-8b].service", false));
        assert!(is_target(
            "DataScienceCluster/default-dsc:spec.components.kserve.managementState=Removed",
            true
        ));
        assert!(!is_target("DataScienceCluster/default-dsc:spec.a=1", false));
        assert!(!is_target("ConfigMap/only-a-name", true));
        assert!(!is_target("Unknown/a/b", true));
    }
}
