//! What a step's object looks like before and after, as far as it is ours: for machines that judge a plan.
//!
//! In: a plan and what it was made from. Out: one [`Picture`] for each step about an object.
//!
//! Invariants:
//! - Equal inputs give equal pictures.
//! - What others have in an object is in no picture, unless the step changes it: identity, what the stack writes, what
//!   was recorded as written, and what changes.
//! - No secret's value is in one: where a secret is, only its path is said, and whether another one takes its place.
//! - A step that changes nothing has the same on both sides.
//! - Our marks are in none, unless they change: they say whose an object is, and nothing about it.
//!
//! Deliberately absent: status, defaults of the server that nobody wrote, and who owns what.

use super::{
    Action, FieldChange, Plan, Shown, Step,
    fields::{is_secret_data, sensitive},
    transition::given_back,
};
use crate::{
    FieldPath,
    address::Address,
    diff::leaves,
    object_key::ObjectRef,
    recorded::{Origin, Recorded, RecordedNode},
    resource::{Node, Resource, written_value},
    survey::{Answer, Found, Survey},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// An object before and after a step; nothing on a side where it is not there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// As it is.
    pub before: Option<Side>,
    /// As it will be.
    pub after: Option<Side>,
    /// Which secrets become others, or may.
    pub changed_secrets: BTreeSet<FieldPath>,
}

/// One side of a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// The object, without what follows. A shared text is a map or list of those of its parts that change.
    pub value: Value,
    /// Where a secret is.
    pub secrets: BTreeSet<FieldPath>,
    /// Where a value will be that is known only after something else is ready.
    pub unknown: BTreeSet<FieldPath>,
}

impl Picture {
    /// Of an object of which only the changes are known.
    pub fn of_changes(object: &ObjectRef, changes: &[FieldChange], is_gone: bool) -> Self {
        let side = || Side {
            value: identity(object),
            ..Side::default()
        };
        let mut picture = Self {
            before: Some(side()),
            after: (!is_gone).then(side),
            changed_secrets: BTreeSet::new(),
        };
        changed(&mut picture, changes);
        picture
    }
}

/// The pictures of a plan, of the plan's own inputs; resources are empty for a destroy.
pub fn pictures(
    plan: &Plan,
    resources: &[Resource],
    recorded: &BTreeMap<Address, Recorded>,
    survey: &Survey,
) -> BTreeMap<Address, Picture> {
    let by_address: BTreeMap<_, _> = resources.iter().map(|r| (&r.address, r)).collect();
    let mut all = BTreeMap::new();
    for step in plan.steps.iter().filter(|step| step.object.is_some()) {
        let picture = match (by_address.get(&step.address), recorded.get(&step.address)) {
            (Some(resource), known) => desired(step, resource, known, survey),
            (None, Some(known)) => removed(step, known, survey),
            (None, None) => None,
        };
        all.extend(picture.map(|picture| (step.address.clone(), picture)));
    }
    all
}

fn desired(step: &Step, resource: &Resource, known: Option<&Recorded>, survey: &Survey) -> Option<Picture> {
    let object = resource.object()?;
    let nothing_found = Found::default();
    let found = survey.found(&resource.address).unwrap_or(&nothing_found);
    let written = written_value(resource);
    let mut paths = leaves(&written);
    let last = known.and_then(Recorded::object);
    paths.extend(
        last.filter(|last| last.object.is_same_object(object))
            .into_iter()
            .flat_map(|last| last.fields.iter().filter(|path| !is_mark(path)).cloned()),
    );
    if let Node::Overlay(overlay) = &resource.node {
        // The rest of a shared text is of others.
        for document in &overlay.documents {
            paths.retain(|path| !document.at.contains(path));
        }
    }
    let hidden = sensitive(resource);
    let formerly = last.map(|last| &last.sensitive);
    let is_hidden = |path: &FieldPath| {
        let meets = |other: &FieldPath| other.contains(path) || path.contains(other);
        is_secret_data(object, path) || hidden.iter().chain(formerly.into_iter().flatten()).any(meets)
    };
    let answered = found.after();
    let after = match (&answered, &found.answer, found.live()) {
        (Some(answered), ..) => answered,
        (None, Answer::Unchanged, Some(live)) => live,
        (None, ..) => &written,
    };
    let mut picture = Picture {
        before: found.live().map(|live| side(object, live, &paths, is_hidden)),
        after: Some(side(object, after, &paths, is_hidden)),
        changed_secrets: BTreeSet::new(),
    };
    if let Some(after) = &mut picture.after {
        after.secrets.extend(hidden.iter().cloned());
        for (path, _) in found.unknown.iter().filter(|(path, _)| !is_hidden(path)) {
            put(after, path, &Shown::KnownAfter(String::new()));
        }
    }
    changed(&mut picture, &step.changes);
    Some(picture)
}

fn removed(step: &Step, known: &Recorded, survey: &Survey) -> Option<Picture> {
    let last = known.object()?;
    let live = survey
        .live(&known.address)
        .filter(|live| last.uid.is_empty() || live["metadata"]["uid"] == last.uid.as_str());
    let Some(live) = live else {
        return Some(Picture::default());
    };
    let is_hidden = |path: &FieldPath| last.sensitive.contains(path) || is_secret_data(&last.object, path);
    let mut paths: BTreeSet<_> = last.fields.iter().filter(|path| !is_mark(path)).cloned().collect();
    if let RecordedNode::Overlay { documents, .. } = &known.node {
        for document in documents {
            paths.retain(|path| !document.at.contains(path));
        }
    }
    let pictured = |object: &Value| side(&last.object, object, &paths, is_hidden);
    let after = match (&known.node, step.action) {
        (_, Action::Delete) => None,
        (RecordedNode::Overlay { undo, .. }, Action::Release) if last.origin == Origin::Adopted => {
            Some(pictured(&given_back(live, known, last, undo)))
        }
        _ => Some(pictured(live)),
    };
    let mut picture = Picture {
        before: Some(pictured(live)),
        after,
        changed_secrets: BTreeSet::new(),
    };
    changed(&mut picture, &step.changes);
    Some(picture)
}

/// The identity of an object and some of its fields, secrets apart.
fn side(of: &ObjectRef, object: &Value, paths: &BTreeSet<FieldPath>, is_hidden: impl Fn(&FieldPath) -> bool) -> Side {
    let mut side = Side {
        value: identity(of),
        ..Side::default()
    };
    for path in paths {
        match path.get(object) {
            None => {}
            Some(_) if is_hidden(path) => drop(side.secrets.insert(path.clone())),
            Some(value) => path.set(&mut side.value, value.clone()),
        }
    }
    side
}

/// Whether a field is one of our marks, which only say whose an object is.
fn is_mark(path: &FieldPath) -> bool {
    let text = path.to_string();
    text.contains("stackctl.dev/") || text.contains("app.kubernetes.io/managed-by")
}

fn identity(of: &ObjectRef) -> Value {
    let mut value = serde_json::json!({
        "apiVersion": of.object_type.api_version, "kind": of.object_type.kind, "metadata": {"name": of.name},
    });
    if let Some(namespace) = &of.namespace {
        value["metadata"]["namespace"] = Value::from(namespace.as_str());
    }
    value
}

/// What a step says of its changes holds on both sides.
fn changed(picture: &mut Picture, changes: &[FieldChange]) {
    for change in changes {
        if let Some(before) = &mut picture.before {
            put(before, &change.path, &change.before);
        }
        if let Some(after) = &mut picture.after {
            put(after, &change.path, &change.after);
        }
        if change.before == Shown::Secret && change.after == Shown::Secret {
            picture.changed_secrets.insert(change.path.clone());
        }
    }
}

fn put(side: &mut Side, path: &FieldPath, shown: &Shown) {
    if let Shown::Value(value) = shown {
        path.set(&mut side.value, value.clone());
        return;
    }
    path.remove(&mut side.value);
    side.secrets.retain(|other| !path.contains(other));
    match shown {
        Shown::Secret => drop(side.secrets.insert(path.clone())),
        Shown::KnownAfter(_) => drop(side.unknown.insert(path.clone())),
        Shown::Absent | Shown::Value(_) => {}
    }
}
