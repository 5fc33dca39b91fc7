//! What would be recorded if the record followed the cluster; nothing is written to the cluster for it.
//!
//! Invariants:
//! - What is gone, or is somebody else's object of that name now, is no longer recorded.
//! - A field that drifted is recorded as it is. What the stack says of it is a change of the stack from then on.
//! - How an overlay gives its fields back stays as it was: that is what was there before us.
//! - No secret's value is recorded: a sensitive leaf as its keyed digest, and not at all without the key it was made with.
//!
//! Deliberately absent: our parts of shared texts. They are recorded as they were written, so drift goes on naming them.

use crate::{
    FieldPath,
    address::Address,
    diff::drift::{Drift, There, drifted_fields, secret_digest},
    digest::{Digest, StackKey},
    execute::Outcome,
    marks::{Identity, Whose},
    packed::Packed,
    recorded::{Recorded, RecordedNode, RecordedObject},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What is recorded otherwise of one address once the record follows the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Refreshed {
    /// What differs, from what is recorded to what is there.
    pub differs: Drift,
    /// What is to be recorded.
    pub outcome: Outcome,
}

/// Everything that is recorded otherwise than it is, in order of address. `live` gives the present object of an address.
pub fn refresh<'a>(
    recorded: &BTreeMap<Address, Recorded>,
    live: impl Fn(&Address) -> Option<&'a Value>,
    identity: &Identity,
    key: Option<&StackKey>,
) -> Vec<Refreshed> {
    let mut all = Vec::new();
    for (address, known) in recorded {
        let Some(object) = known.object() else { continue };
        let found = live(address);
        let differs = |there, changes| Drift {
            address: address.clone(),
            object: object.object.clone(),
            there,
            changes,
        };
        let Some(there) = found.filter(|live| is_still_it(identity, known, object, live)) else {
            let there = found.map_or(There::Nothing, |_| There::Another);
            all.push(Refreshed {
                differs: differs(there, Vec::new()),
                outcome: Outcome::Forgotten(address.clone()),
            });
            continue;
        };
        let mut changes = drifted_fields(known, there, key);
        changes.retain(|change| object.fields.contains(&change.path));
        if changes.is_empty() && uid_of(there) == object.uid {
            continue;
        }
        let drifted: BTreeSet<FieldPath> = changes.iter().map(|change| change.path.clone()).collect();
        all.push(Refreshed {
            outcome: Outcome::Recorded(Box::new(as_it_is(known, there, &drifted, key))),
            differs: differs(There::It, changes),
        });
    }
    all
}

fn uid_of(live: &Value) -> &str {
    live["metadata"]["uid"].as_str().unwrap_or_default()
}

/// Whether what is there is the object that is recorded, or one that bears our marks in its place.
fn is_still_it(identity: &Identity, known: &Recorded, object: &RecordedObject, live: &Value) -> bool {
    uid_of(live) == object.uid
        || (matches!(known.node, RecordedNode::Object(_))
            && identity.whose(live, &known.address, &object.object, None) == Whose::Ours)
}

/// The record with what is there at these paths; as something else than what is desired, so that a plan looks again.
fn as_it_is(known: &Recorded, live: &Value, drifted: &BTreeSet<FieldPath>, key: Option<&StackKey>) -> Recorded {
    let mut record = known.clone();
    let (RecordedNode::Object(object) | RecordedNode::Overlay { object, .. }) = &mut record.node else {
        return record;
    };
    let mut manifest = object.manifest.open();
    for path in drifted {
        match path.get(live) {
            None => {
                path.remove(&mut manifest);
                Arc::make_mut(&mut object.fields).remove(path);
                object.sensitive.remove(path);
            }
            Some(value) if object.sensitive.contains(path) => {
                if let Some(key) = key.filter(|key| object.key_id.as_deref() == Some(key.id())) {
                    path.set(&mut manifest, Value::from(secret_digest(key, value).to_string()));
                }
            }
            Some(value) => path.set(&mut manifest, value.clone()),
        }
    }
    object.manifest = Packed::of(&manifest);
    uid_of(live).clone_into(&mut object.uid);
    object.sent = Digest::of(&Value::Null);
    object.owned = None;
    record
}
