//! What a write is recorded as: before it, as an intent, and after it.
//!
//! In: a resource, the object as it is or as the server answered, what was recorded before. Out: a [`Recorded`]. Pure, so
//! that what a run will intend can be told before it begins (see [`super::intended`]).
//!
//! Invariant: no secret's value is in a record; what was there before us is taken from the record of last time where we
//! wrote it before.

use crate::{
    FieldPath,
    address::Address,
    diff::{
        drift::{is_empty, secret_digest},
        leaves,
    },
    digest::StackKey,
    document::{ResolvedDocument, dropped, text_at},
    graph::Edge,
    ignored::is_ignored,
    object_key::ObjectRef,
    ownership::{applied_fields, applied_leaves, holder, managed_entries},
    packed::Packed,
    plan::sensitive,
    recorded::{Origin, Owner, Recorded, RecordedDestroy, RecordedDocument, RecordedNode, RecordedObject, Undo},
    resource::{Node, Overlay, Resource, sent_digest, written_value},
};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};

/// One written object.
pub(super) struct Written<'a> {
    pub(super) object: &'a ObjectRef,
    pub(super) manager: &'a str,
    pub(super) origin: Origin,
    /// The leaves that are sent; recorded as such where no answer says how the server notes them.
    pub(super) fields: &'a BTreeSet<FieldPath>,
    /// The object as the server answered; as it is, while the write is only intended.
    pub(super) answer: Option<&'a Value>,
}

/// The record of a resource that was written.
pub(super) fn record(
    resource: &Resource,
    written: &Written<'_>,
    edges: &[Edge],
    key: Option<&StackKey>,
    node: impl FnOnce(RecordedObject) -> RecordedNode,
) -> Recorded {
    let Written {
        object,
        manager,
        origin,
        fields,
        answer,
    } = *written;
    // What is owned as a whole, and what is owned item by item, the server knows, and says in the terms that it names a
    // conflict's fields in.
    let noted = match resource.node {
        Node::Object(_) => answer.and_then(|answer| applied_leaves(answer, manager)),
        Node::Overlay(_) | Node::Gate(_) | Node::Check(_) | Node::Action(_) => None,
    };
    let fields = held(resource, noted.as_ref().unwrap_or(fields));
    let secret = sensitive_of(resource, object, &fields);
    let written = RecordedObject {
        object: object.clone(),
        uid: answer
            .and_then(|a| a["metadata"]["uid"].as_str())
            .unwrap_or_default()
            .to_owned(),
        origin,
        manager: manager.to_owned(),
        sent: sent_digest(resource),
        manifest: answer.map_or_else(Packed::default, |answer| {
            Packed::of(&redacted(answer, &written_value(resource), &fields, &secret, key))
        }),
        fields: Arc::new(fields),
        sensitive: secret,
        key_id: key.map(|key| key.id().to_owned()),
        owned: answer.and_then(|answer| applied_fields(answer, manager)),
    };
    Recorded {
        address: resource.address.clone(),
        node: node(written),
        edges: edges.to_vec(),
        destroy: destroy_of(resource),
    }
}

/// The fields that we hold to: not those that others may move, so that their moving is no drift and is never forced.
fn held(resource: &Resource, fields: &BTreeSet<FieldPath>) -> BTreeSet<FieldPath> {
    fields
        .iter()
        .filter(|path| !is_ignored(resource, path))
        .cloned()
        .collect()
}

/// The fields and fragments that an overlay takes, and how they are given back.
pub(super) struct Taken<'a> {
    resource: &'a Resource,
    target: &'a ObjectRef,
    manager: String,
    origin: Origin,
    fields: BTreeSet<FieldPath>,
    undo: Vec<Undo>,
    /// Our parts of shared texts before the write, when those of last time may still be there.
    pub(super) intended: Vec<RecordedDocument>,
    /// Our parts of shared texts after the write.
    pub(super) written: Vec<RecordedDocument>,
}

impl<'a> Taken<'a> {
    /// What an overlay takes of an object as it is; `last` is what was recorded of this very object.
    pub(super) fn of(
        resource: &'a Resource,
        overlay: &'a Overlay,
        body: &Value,
        documents: &[ResolvedDocument],
        last: Option<&Recorded>,
        live: Option<&Value>,
        manager: String,
    ) -> Self {
        let uid = live
            .and_then(|live| live["metadata"]["uid"].as_str())
            .unwrap_or_default();
        let before = last.map_or(&[][..], |last| last.documents_of(uid));
        let texts: BTreeSet<_> = overlay.documents.iter().map(|document| document.at.clone()).collect();
        let fields: BTreeSet<_> = leaves(body).into_iter().filter(|path| !texts.contains(path)).collect();
        let origin = match (last.and_then(Recorded::object), live) {
            (Some(last), _) => last.origin,
            (None, Some(_)) => Origin::Adopted,
            (None, None) => Origin::Created,
        };
        let (intended, written) = documents_of(documents, before, live);
        Self {
            resource,
            target: &overlay.target,
            undo: undo_of(last, live, &fields, &manager),
            manager,
            origin,
            fields,
            intended,
            written,
        }
    }

    /// Its record.
    pub(super) fn record(
        &self,
        answer: Option<&Value>,
        documents: &[RecordedDocument],
        edges: &[Edge],
        key: Option<&StackKey>,
    ) -> Recorded {
        let written = Written {
            object: self.target,
            manager: &self.manager,
            origin: self.origin,
            fields: &self.fields,
            answer,
        };
        record(self.resource, &written, edges, key, |object| RecordedNode::Overlay {
            object,
            undo: self.undo.clone(),
            documents: documents.to_vec(),
        })
    }
}

/// What nobody may see: the late values that say so, and all data of a Secret.
fn sensitive_of(resource: &Resource, object: &ObjectRef, fields: &BTreeSet<FieldPath>) -> BTreeSet<FieldPath> {
    let late = sensitive(resource);
    // What is owned as a whole is as secret as what is in it.
    let holds_one = |path: &&FieldPath| late.iter().any(|secret| path.contains(secret));
    let mut secret: BTreeSet<_> = fields.iter().filter(holds_one).cloned().collect();
    secret.extend(late);
    if object.object_type.kind == "Secret" && object.object_type.group().is_empty() {
        let data = FieldPath::of("data");
        secret.extend(fields.iter().filter(|path| data.contains(path)).cloned());
    }
    secret
}

/// The server's values at our paths, secrets as keyed digests; without a key a secret is only said to be there. Of a map or
/// list that we left empty what others have in it is theirs.
fn redacted(
    answer: &Value,
    said: &Value,
    fields: &BTreeSet<FieldPath>,
    secret: &BTreeSet<FieldPath>,
    key: Option<&StackKey>,
) -> Value {
    let mut kept = Value::Object(serde_json::Map::new());
    for path in fields {
        let Some(value) = path.get(answer) else { continue };
        let value = path.get(said).filter(|said| is_empty(said)).unwrap_or(value);
        let value = if secret.contains(path) {
            Value::from(key.map_or_else(|| "secret".to_owned(), |key| secret_digest(key, value).to_string()))
        } else {
            value.clone()
        };
        path.set(&mut kept, value);
    }
    kept
}

/// How destroy will treat a resource, from its lifecycle; claims are added once it is ready.
pub(super) fn destroy_of(resource: &Resource) -> RecordedDestroy {
    let lifecycle = &resource.lifecycle;
    RecordedDestroy {
        prevent: lifecycle.prevent_destroy,
        retain: lifecycle.retain.clone(),
        delete_adopted: lifecycle.delete_adopted,
        self_recreating: lifecycle.self_recreating,
        steps: lifecycle.on_destroy.clone(),
        claims: Vec::new(),
        claiming: lifecycle.claims.clone(),
        remains: lifecycle.remains.clone(),
        holds_data: lifecycle.holds_data,
    }
}

/// What was at each path before us: from the record where we wrote it before, else from the live object.
fn undo_of(last: Option<&Recorded>, live: Option<&Value>, fields: &BTreeSet<FieldPath>, manager: &str) -> Vec<Undo> {
    let known = match last.map(|last| &last.node) {
        Some(RecordedNode::Overlay { undo, .. }) => undo.as_slice(),
        _ => &[],
    };
    let entries = live.map(managed_entries).unwrap_or_default();
    fields
        .iter()
        .map(|path| {
            if let Some(undo) = known.iter().find(|undo| undo.path == *path) {
                return undo.clone();
            }
            Undo {
                path: path.clone(),
                prior: live.and_then(|live| path.get(live)).cloned(),
                absent_ancestors: absent_above(path, live),
                prior_owner: holder(&entries, path, manager).map(|entry| Owner {
                    manager: entry.manager.clone(),
                    by_apply: entry.by_apply,
                }),
            }
        })
        .collect()
}

/// What above a path is not there, the highest first.
fn absent_above(path: &FieldPath, live: Option<&Value>) -> Vec<FieldPath> {
    let mut absent = Vec::new();
    let mut parent = path.parent();
    while let Some(ancestor) = parent.filter(|p| !p.elements().is_empty()) {
        if live.and_then(|live| ancestor.get(live)).is_none() {
            absent.insert(0, ancestor.clone());
        }
        parent = ancestor.parent();
    }
    absent
}

/// The records of our parts of shared texts: before the write, when the parts of last time may still be there, and after.
fn documents_of(
    documents: &[ResolvedDocument],
    before: &[RecordedDocument],
    live: Option<&Value>,
) -> (Vec<RecordedDocument>, Vec<RecordedDocument>) {
    let (mut intended, written): (Vec<_>, Vec<_>) = documents
        .iter()
        .filter_map(|document| {
            let text = live.and_then(|live| text_at(live, &document.at).ok().flatten());
            let text = text.as_deref();
            let last = document.last(before);
            let mut written = document.recorded(text, last)?;
            if last.is_none() {
                written.absent_ancestors = absent_above(&document.at, live);
            }
            Some((written.clone().or(last), written))
        })
        .unzip();
    intended.extend(dropped(documents, before).cloned());
    (intended, written)
}

/// The record of a gate or an action: no object, but its edges and its trigger.
pub(super) fn record_of_node(resource: &Resource, node: RecordedNode, edges: &[Edge]) -> (Address, Recorded) {
    let recorded = Recorded {
        address: resource.address.clone(),
        node,
        edges: edges.to_vec(),
        destroy: destroy_of(resource),
    };
    (resource.address.clone(), recorded)
}
