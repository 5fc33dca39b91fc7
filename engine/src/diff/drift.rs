//! Live against recorded: which field, which manager, when.
//!
//! Invariants: a field that we never sent is no drift; a sensitive value is compared by its keyed digest and never
//! shown, and without the key that it was recorded with it is neither as recorded nor drifted but unknown; an overlay
//! drifts in its own fields only; of another object of that name nothing is compared, unless our marks say that it is ours; a
//! gate degrades, which is no drift, and neither is what is left to a manager that wins.

use crate::{
    FieldPath,
    address::Address,
    digest::{KeyedDigest, StackKey},
    document::text_at,
    marks::{Identity, Whose},
    object_key::ObjectRef,
    ownership::{Winner, applied_leaves, holder, managed_entries, won},
    plan::{DriftedBy, FieldChange, Shown},
    recorded::{Recorded, RecordedNode, RecordedObject},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use std::{cell::LazyCell, collections::BTreeMap};

/// What changed under us at one address.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// The resource.
    pub address: Address,
    /// The object.
    pub object: ObjectRef,
    /// What is there in its place.
    pub there: There,
    /// Which fields, from what was recorded to what is there.
    pub changes: Vec<FieldChange>,
}

/// What is there where an object was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum There {
    /// That object.
    It,
    /// Another one of that name, which is not ours.
    Another,
    /// Nothing.
    Nothing,
}

impl There {
    /// Whether the object that was recorded is no more.
    pub fn is_gone(self) -> bool {
        match self {
            Self::It => false,
            Self::Another | Self::Nothing => true,
        }
    }
}

/// Everything that drifted, in order of address. `live` gives the present object of an address; what one of `winners` has
/// of a whole object is no drift.
pub fn drift(
    recorded: &BTreeMap<Address, Recorded>,
    live: impl Fn(&Address) -> Option<Value>,
    identity: &Identity,
    key: Option<&StackKey>,
    winners: &[Winner],
) -> Vec<Drift> {
    let mut all = Vec::new();
    for (address, known) in recorded {
        let Some(object) = known.object() else { continue };
        let gone = |there| Drift {
            address: address.clone(),
            object: object.object.clone(),
            there,
            changes: Vec::new(),
        };
        let Some(live) = live(address) else {
            all.push(gone(There::Nothing));
            continue;
        };
        // What an overlay is on others may make anew, and its fields are told: an apply writes them there.
        let is_whole = matches!(known.node, RecordedNode::Object(_));
        if is_whole && identity.whose(&live, address, &object.object, Some(known)) != Whose::Ours {
            all.push(gone(There::Another));
            continue;
        }
        let mut changes = drifted_fields(known, &live, key);
        if is_whole && !changes.is_empty() {
            let won = won(&live, winners);
            changes.retain(|change| !won.iter().any(|(path, _)| *path == change.path));
        }
        if !changes.is_empty() {
            all.push(Drift {
                address: address.clone(),
                object: object.object.clone(),
                there: There::It,
                changes,
            });
        }
    }
    all
}

/// Every address whose secret values are there and cannot be compared, in order: the key that they were recorded with is
/// not at hand. `live` gives the present object of an address.
pub fn unknown<'a>(
    recorded: &BTreeMap<Address, Recorded>,
    live: impl Fn(&Address) -> Option<&'a Value>,
    key: Option<&StackKey>,
) -> Vec<Address> {
    let is_unknown = |address: &Address, object: &RecordedObject| {
        fitting(key, object).is_none()
            && live(address).is_some_and(|live| object.sensitive.iter().any(|path| path.get(live).is_some()))
    };
    recorded
        .iter()
        .filter(|(address, known)| known.object().is_some_and(|object| is_unknown(address, object)))
        .map(|(address, _)| address.clone())
        .collect()
}

/// The key, if it is the one that this object's secret values were recorded with.
fn fitting<'a>(key: Option<&'a StackKey>, object: &RecordedObject) -> Option<&'a StackKey> {
    key.filter(|key| object.key_id.as_deref() == Some(key.id()))
}

/// The recorded fields of one object whose live value differs or is gone.
pub fn drifted_fields(known: &Recorded, live: &Value, key: Option<&StackKey>) -> Vec<FieldChange> {
    let Some(object) = known.object() else {
        return Vec::new();
    };
    // Mostly nothing differs, and nobody asks who owns what.
    let entries = LazyCell::new(|| managed_entries(live));
    let recorded = object.manifest.open();
    let mut changes = Vec::new();
    // What others put beside ours into a map or a list that we left empty is theirs, as long as it is still noted as ours.
    let ours = LazyCell::new(|| applied_leaves(live, &object.manager));
    let is_filled_by_others = |path: &FieldPath, recorded: Option<&Value>, there: Option<&Value>| {
        recorded.is_some_and(is_empty)
            && there.is_some_and(|there| there.is_object() || there.is_array())
            && ours.as_ref().is_some_and(|ours| ours.contains(path))
    };
    for path in object.fields.iter() {
        let (was, there) = (path.get(&recorded), path.get(live));
        let Some((before, after)) = differs(object, path, was, there, key) else {
            continue;
        };
        if is_filled_by_others(path, was, there) {
            continue;
        }
        let owner = there.and_then(|_| holder(&entries, path, &object.manager));
        changes.push(FieldChange {
            path: path.clone(),
            before,
            after,
            drift: Some(DriftedBy {
                manager: owner.map(|entry| entry.manager.clone()),
                time: owner.and_then(|entry| entry.time.clone()),
            }),
        });
    }
    if let RecordedNode::Overlay { documents, .. } = &known.node {
        for document in documents {
            let text = text_at(live, &document.at).ok().flatten().unwrap_or_default();
            let shown = |value: Option<Value>| Shown::of(value, document.fragment.is_secret());
            if let Some((before, after)) = document.fragment.drifted(&text) {
                let owner = holder(&entries, &document.at, &object.manager);
                changes.push(FieldChange {
                    path: document.path(),
                    before: shown(before),
                    after: shown(after),
                    drift: Some(DriftedBy {
                        manager: owner.map(|entry| entry.manager.clone()),
                        time: owner.and_then(|entry| entry.time.clone()),
                    }),
                });
            }
        }
    }
    changes
}

/// Whether it is a map or a list with nothing in it.
pub(crate) fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Object(map) if map.is_empty()) || matches!(value, Value::Array(items) if items.is_empty())
}

fn differs(
    object: &RecordedObject,
    path: &FieldPath,
    recorded: Option<&Value>,
    there: Option<&Value>,
    key: Option<&StackKey>,
) -> Option<(Shown, Shown)> {
    if object.sensitive.contains(path) {
        let Some(there) = there else {
            return Some((Shown::Secret, Shown::Absent));
        };
        let key = fitting(key, object)?;
        let known = recorded.and_then(Value::as_str).and_then(KeyedDigest::parse)?;
        return (secret_digest(key, there) != known).then_some((Shown::Secret, Shown::Secret));
    }
    if recorded == there {
        return None;
    }
    Some((Shown::of(recorded.cloned(), false), Shown::of(there.cloned(), false)))
}

/// The keyed digest of a sensitive leaf: of the decoded bytes where it is base64, so that an encoding is no change.
pub(crate) fn secret_digest(key: &StackKey, value: &Value) -> KeyedDigest {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match STANDARD.decode(&text) {
        Ok(bytes) => key.digest(&bytes),
        Err(_) => key.digest(text.as_bytes()),
    }
}
