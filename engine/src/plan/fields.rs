//! What becomes of the fields of one object: what changes, what stays with others, what nobody may see.
//!
//! Invariants: a sensitive value is masked whoever set it; a field that drifted names who has it now.

use super::{Action, DriftedBy, FieldChange, Reason, Shown, parts};
use crate::{
    FieldPath,
    diff::{ListKeys, differences_by},
    field::PathElement,
    late::Late,
    object_key::ObjectRef,
    ownership::{holder, managed_entries},
    recorded::Recorded,
    resource::{Node, Resource, written_value},
    survey::Found,
};
use serde_json::Value;
use std::{borrow::Cow, cell::LazyCell, collections::BTreeSet};

/// The field changes of a step, secrets masked, late values named, drift attributed.
pub(super) fn changes(
    found: &Found,
    after: Option<&Value>,
    resource: &Resource,
    drifted: &[FieldChange],
    manager: &str,
    action: Action,
) -> Vec<FieldChange> {
    let nothing = Value::Null;
    let (before, after) = match after {
        Some(after) => (found.live.as_deref().unwrap_or(&nothing), Cow::Borrowed(after)),
        None if action == Action::Create => (&nothing, written_value(resource)),
        None => return Vec::new(),
    };
    let entries = LazyCell::new(|| managed_entries(before));
    let sensitive = sensitive(resource);
    let mut shown = Vec::new();
    // Lists are told apart as the server does it, which decides what is whose.
    let keys = match found.live {
        Some(_) => ListKeys::of(entries.iter().flat_map(|entry| &entry.fields)),
        None => ListKeys::default(),
    };
    for (path, old, new) in differences_by(&keys, before, &after) {
        if found.live.is_none() && is_identity(&path) || parts::parts(found).any(|document| document.at == path) {
            continue;
        }
        let secret = is_secret(resource, &path) || sensitive.iter().any(|s| s.contains(&path) || path.contains(s));
        let mask = |value: Option<Value>| match value {
            None => Shown::Absent,
            Some(_) if secret => Shown::Secret,
            Some(value) => Shown::Value(value),
        };
        let known_after = found
            .unknown
            .iter()
            .find(|(late, _)| *late == path)
            .map(|(_, after)| after.clone());
        let drift = drifted
            .iter()
            .find(|change| change.path.contains(&path) || path.contains(&change.path))
            .map(|change| {
                let owner_of = |path: &FieldPath| holder(&entries, path, manager);
                // An item of what is owned as a whole is whose the whole is.
                let owner = (old.as_ref()).and_then(|_| owner_of(&path).or_else(|| owner_of(&change.path)));
                DriftedBy {
                    manager: owner.map(|entry| entry.manager.clone()),
                    time: owner.and_then(|entry| entry.time.clone()),
                }
            });
        shown.push(FieldChange {
            before: mask(old),
            after: match known_after {
                Some(after) if !secret => Shown::KnownAfter(after),
                _ => mask(new),
            },
            path,
            drift,
        });
    }
    shown
}

/// Fields that leave our hands and stay, because another manager holds them too (ssa-semantics §2, §6).
pub(super) fn kept(known: Option<&Recorded>, found: &Found, resource: &Resource, manager: &str) -> Vec<Reason> {
    let (Some(last), Some(live)) = (known.and_then(Recorded::object), &found.live) else {
        return Vec::new();
    };
    let entries = LazyCell::new(|| managed_entries(live));
    let wanted = written_value(resource);
    // What is known only when it is sent is ours as well.
    let late: Vec<_> = late_paths(resource).collect();
    let is_desired = |path: &FieldPath| {
        path.get(&wanted).is_some() || late.iter().any(|late| late.contains(path) || path.contains(late))
    };
    last.fields
        .iter()
        .filter(|path| !is_desired(path) && path.get(live).is_some())
        .filter(|path| !path.to_string().contains("stackctl.dev/") && !path.to_string().contains("managed-by"))
        .filter_map(|path| {
            let other = holder(&entries, path, manager)?;
            Some(Reason::KeptBy {
                field: path.to_string(),
                manager: other.manager.clone(),
            })
        })
        .collect()
}

fn is_identity(path: &FieldPath) -> bool {
    let first = path.elements().first();
    matches!(first, Some(PathElement::Field(name)) if ["apiVersion", "kind", "metadata"].contains(&&**name))
}

/// The values of a Secret are never shown, whoever set them.
fn is_secret(resource: &Resource, path: &FieldPath) -> bool {
    resource.object().is_some_and(|object| is_secret_data(object, path))
}

/// Whether a path is of the values of a Secret, in either of the ways to write them.
pub(super) fn is_secret_data(object: &ObjectRef, path: &FieldPath) -> bool {
    let of_secret = object.object_type.kind == "Secret" && object.object_type.group().is_empty();
    of_secret
        && ["data", "stringData"]
            .iter()
            .any(|name| FieldPath::of(name).contains(path))
}

/// The values of a resource that are known only when it is sent.
pub(super) fn late(resource: &Resource) -> &[Late] {
    match &resource.node {
        Node::Object(object) => object.manifest.late(),
        Node::Overlay(_) | Node::Gate(_) | Node::Check(_) | Node::Action(_) => &[],
    }
}

/// Where these values stand.
pub(super) fn late_paths(resource: &Resource) -> impl Iterator<Item = FieldPath> {
    late(resource).iter().map(|late| late.path.clone())
}

/// The paths of a resource whose values nobody may see.
pub(crate) fn sensitive(resource: &Resource) -> BTreeSet<FieldPath> {
    let hidden = late(resource).iter().filter(|late| late.sensitive);
    hidden.map(|late| late.path.clone()).collect()
}
