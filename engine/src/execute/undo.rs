//! Giving back: releasing an object, restoring overlaid fields, deleting what is ours.
//!
//! The rules are those of DESIGN §6 and ssa-semantics §5: a restore is one JSON patch under the resourceVersion that
//! was read; never an apply without the path, which could create the object, be refused, or take a co-owner's value. An
//! object that goes because nothing but our part is in it goes under that resourceVersion too: a request that has to be sent
//! again is decided again.

use super::{
    DeleteRequest, Deletion, Did, Intent, Journal, Patch, PatchRequest, Provider, ProviderError,
    context::{Context, StepError},
    secrets::SecretSource,
};
use crate::{
    FieldPath,
    document::{set_text, text_at},
    field::PathElement,
    marks::mark_pointers,
    object_key::ObjectRef,
    ownership::{holder, managed_entries},
    plan::Reason,
    recorded::{Origin, Recorded, RecordedDocument, RecordedNode, RecordedObject, Undo},
};
use serde_json::{Value, json};
use std::{cell::Cell, collections::BTreeSet};
use tokio::time::Instant;

/// The manager of a restore whose prior owner cannot be written for.
const RESTORE: &str = "stackctl-restore";

/// What giving back did, and what a person should know about it.
#[derive(Debug)]
pub(super) struct GivenBack {
    pub(super) did: Did,
    pub(super) notes: Vec<String>,
}

impl GivenBack {
    fn plain(did: Did) -> Self {
        Self { did, notes: Vec::new() }
    }
}

/// Deletes one object of this uid, whatever is in it; another one of that name is not ours and stays.
pub(super) async fn delete<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    known: &Recorded,
    object: &ObjectRef,
    uid: &str,
    deadline: Instant,
) -> Result<GivenBack, StepError> {
    let deleting = Deleting::new(known, object, uid);
    context.until(deadline, || deleting.send(context, None)).await
}

/// A deletion that may have to be sent more than once.
#[derive(Debug)]
pub(super) struct Deleting<'a> {
    known: &'a Recorded,
    object: &'a ObjectRef,
    uid: &'a str,
    is_intended: Cell<bool>,
    was_sent: Cell<bool>,
}

impl<'a> Deleting<'a> {
    /// Of one object of this uid.
    pub(super) fn new(known: &'a Recorded, object: &'a ObjectRef, uid: &'a str) -> Self {
        Self {
            known,
            object,
            uid,
            is_intended: Cell::new(false),
            was_sent: Cell::new(false),
        }
    }

    /// Sends it once. With `read` only what was read goes: where somebody has written since, the answer is
    /// [`ProviderError::Modified`], and it is to be read and decided again.
    pub(super) async fn send<P: Provider, J: Journal, S: SecretSource>(
        &self,
        context: &Context<'_, P, J, S>,
        read: Option<&Value>,
    ) -> Result<GivenBack, StepError> {
        if !self.is_intended.get() {
            let intent = Intent::Delete {
                address: self.known.address.clone(),
                object: self.object.clone(),
                uid: self.uid.to_owned(),
            };
            context.intend(&intent).await?;
            self.is_intended.set(true);
        }
        let version = read.and_then(|live| live["metadata"]["resourceVersion"].as_str());
        let request = DeleteRequest {
            object: self.object.clone(),
            uid: Some(self.uid.to_owned()).filter(|uid| !uid.is_empty()),
            resource_version: version.map(str::to_owned),
            foreground: false,
        };
        let is_again = self.was_sent.replace(true);
        match context.provider.delete(&request).await {
            Ok(Deletion::Gone | Deletion::Marked) => Ok(GivenBack::plain(Did::Deleted)),
            Err(ProviderError::NotFound | ProviderError::OtherUid) if is_again => Ok(self.is_gone()),
            Err(ProviderError::NotFound | ProviderError::KindNotServed(_) | ProviderError::NamespaceMissing(_)) => {
                Ok(GivenBack::plain(Did::Forgotten))
            }
            Err(ProviderError::OtherUid) => Ok(GivenBack {
                did: Did::Forgotten,
                notes: vec![format!("{} is another one now; it stays", self.object)],
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// What it did to an object that is not there. An answer may be lost after its effect: what is gone once this was sent
    /// is gone by us.
    fn is_gone(&self) -> GivenBack {
        GivenBack::plain(if self.was_sent.get() {
            Did::Deleted
        } else {
            Did::Forgotten
        })
    }
}

/// Releases a whole object: our marks and our entry go, every value stays. What we made says so from then on, unless its
/// controller makes it again.
pub(super) async fn release<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    known: &Recorded,
    object: &RecordedObject,
    deadline: Instant,
) -> Result<GivenBack, StepError> {
    context
        .until(deadline, || async {
            let Some(live) = live_of(context, object).await? else {
                return Ok(GivenBack::plain(Did::Forgotten));
            };
            let mut operations = vec![pinned(&live)];
            operations.extend(
                mark_pointers(&live)
                    .into_iter()
                    .map(|path| json!({"op": "remove", "path": path})),
            );
            // What the stack lets go is nobody's from then on.
            let is_let_go = known.destroy.retain == Some(Reason::LetGo.to_string());
            if object.origin == Origin::Created && !known.destroy.self_recreating && !is_let_go {
                operations.push(context.identity.left_on(&live, &object.object));
            }
            operations.push(entries_without(&live, &object.manager));
            patch(context, &object.object, operations, &object.manager).await?;
            Ok(GivenBack::plain(Did::Released))
        })
        .await
}

/// Gives overlaid fields and fragments back.
pub(super) async fn restore<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    known: &Recorded,
    deadline: Instant,
) -> Result<GivenBack, StepError> {
    let RecordedNode::Overlay {
        object,
        undo,
        documents,
    } = &known.node
    else {
        return Ok(GivenBack::plain(Did::Forgotten));
    };
    let deleting = Deleting::new(known, &object.object, &object.uid);
    context
        .until(deadline, || async {
            let Some(live) = live_of(context, object).await? else {
                return Ok(deleting.is_gone());
            };
            // What others put into it meanwhile is theirs, and stays.
            if object.origin == Origin::Created && holds_only_ours(&live, documents) {
                return deleting.send(context, Some(&live)).await;
            }
            if known.destroy.retain.is_some() {
                let released = vec![pinned(&live), entries_without(&live, &object.manager)];
                patch(context, &object.object, released, &object.manager).await?;
                return Ok(GivenBack::plain(Did::Released));
            }
            let restored = operations(object, undo, documents, &live)?;
            let notes = hand_back(context, object, &live, restored).await?;
            Ok(GivenBack {
                did: Did::Released,
                notes,
            })
        })
        .await
}

/// Gives back fields that leave an overlay which stays. With them goes our entry, and the apply that follows makes it anew.
pub(super) async fn give_back<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    object: &RecordedObject,
    dropped: &[Undo],
    live: &Value,
) -> Result<(), StepError> {
    let restored = operations(object, dropped, &[], live)?;
    hand_back(context, object, live, restored).await.map(drop)
}

/// Writes what comes back, under the name that it is written for, and takes our entry away.
async fn hand_back<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    object: &RecordedObject,
    live: &Value,
    restored: Restored,
) -> Result<Vec<String>, StepError> {
    let mut all = vec![pinned(live)];
    all.extend(restored.operations);
    all.push(entries_without(live, &object.manager));
    let after = patch(context, &object.object, all, &restored.manager).await?;
    if restored.manager == RESTORE {
        let clean = vec![pinned(&after), entries_without(&after, RESTORE)];
        patch(context, &object.object, clean, RESTORE).await?;
    }
    Ok(restored.notes)
}

struct Restored {
    operations: Vec<Value>,
    manager: String,
    notes: Vec<String>,
}

fn operations(
    object: &RecordedObject,
    undo: &[Undo],
    documents: &[RecordedDocument],
    live: &Value,
) -> Result<Restored, StepError> {
    let entries = managed_entries(live);
    let mut notes = Vec::new();
    let mut after = live.clone();
    let mut owners = BTreeSet::new();
    let mut restored = Vec::new();
    let mut absent = BTreeSet::new();
    let written = object.manifest.open();
    for undo in undo {
        let there = undo.path.get(live);
        if there == undo.prior.as_ref() {
            continue;
        }
        if there != undo.path.get(&written) && !object.sensitive.contains(&undo.path) {
            notes.push(format!("{} was changed since; left as it is", undo.path));
            continue;
        }
        if let Some(other) = holder(&entries, &undo.path, &object.manager) {
            notes.push(format!("{} released, kept by {}", undo.path, other.manager));
            continue;
        }
        match &undo.prior {
            Some(prior) => {
                undo.path.set(&mut after, prior.clone());
                owners.insert(undo.prior_owner.clone().map(|owner| (owner.manager, owner.by_apply)));
            }
            // What was not there before had no owner to write for.
            None => {
                if !is_key_of_item(&undo.path) {
                    undo.path.remove(&mut after);
                }
                absent.extend(undo.absent_ancestors.iter().cloned());
            }
        }
        restored.push(undo.path.clone());
    }
    remove_empty(&mut after, &absent);
    for document in documents {
        // Another of our parts may have been taken out of the text already.
        let text = text_at(&after, &document.at).map(Option::unwrap_or_default);
        let restored = text.clone().and_then(|text| document.fragment.restore_in(&text));
        match restored {
            Ok(text) if text.trim().is_empty() && document.made_text => {
                document.at.remove(&mut after);
                remove_empty(&mut after, &document.absent_ancestors.iter().cloned().collect());
            }
            Ok(same) if Ok(&same) == text.as_ref() => {}
            Ok(text) => set_text(&mut after, &document.at, &text, document.fragment.is_list()),
            Err(error) => notes.push(format!("{}: {error}", document.at)),
        }
        owners.insert(None);
    }
    // One prior owner by update can be written for; anything else goes through a name that is taken back at once.
    let manager = match owners.into_iter().collect::<Vec<_>>().as_slice() {
        [Some((manager, false))] => manager.clone(),
        _ => RESTORE.to_owned(),
    };
    Ok(Restored {
        operations: top_level(live, &after, &restored, documents),
        manager,
        notes,
    })
}

/// The smallest operations that change the restored places: whole lists where an item is concerned, so that an index
/// cannot be off, else the field itself or the first ancestor that appears or disappears.
fn top_level(live: &Value, after: &Value, paths: &[FieldPath], documents: &[RecordedDocument]) -> Vec<Value> {
    let mut places: BTreeSet<FieldPath> = BTreeSet::new();
    for path in paths.iter().chain(documents.iter().map(|document| &document.at)) {
        let mut place = FieldPath::root();
        for element in path.elements() {
            if !matches!(element, PathElement::Field(_)) {
                break;
            }
            place = place.child(element.clone());
            if place.get(live).is_some() != place.get(after).is_some() {
                break;
            }
        }
        places.insert(place);
    }
    places
        .iter()
        .filter_map(|place| {
            let path = place.pointer(live)?;
            match (place.get(live), place.get(after)) {
                (Some(old), Some(new)) if old != new => Some(json!({"op": "replace", "path": path, "value": new})),
                (Some(_), None) => Some(json!({"op": "remove", "path": path})),
                (None, Some(new)) => Some(json!({"op": "add", "path": path, "value": new})),
                _ => None,
            }
        })
        .collect()
}

/// Takes away what was not there before us and is empty again, innermost first. An item of a keyed list is empty when
/// nothing but its keys is left in it.
fn remove_empty(object: &mut Value, absent: &BTreeSet<FieldPath>) {
    for ancestor in absent.iter().rev() {
        let keys = match ancestor.elements().last() {
            Some(PathElement::Key(keys)) => keys.len(),
            _ => 0,
        };
        let is_empty = match ancestor.get(object) {
            Some(Value::Object(map)) => map.len() <= keys,
            Some(Value::Array(items)) => items.is_empty(),
            _ => false,
        };
        if is_empty {
            ancestor.remove(object);
        }
    }
}

/// Whether a path is one of the fields that tell an item of a list apart: without it the item could not be found.
fn is_key_of_item(path: &FieldPath) -> bool {
    match path.elements() {
        [.., PathElement::Key(keys), PathElement::Field(name)] => keys.contains_key(&**name),
        _ => false,
    }
}

/// Whether an object that we made for a shared document holds nothing but our fragments.
fn holds_only_ours(live: &Value, documents: &[RecordedDocument]) -> bool {
    let is_known = |name: &str| ["apiVersion", "kind", "metadata", "data", "type"].contains(&name);
    let is_empty = |value: &Value| value.as_object().is_some_and(serde_json::Map::is_empty);
    let mut others = live.as_object().into_iter().flatten();
    // What stands elsewhere, as in `binaryData`, others wrote.
    if others.any(|(name, value)| !is_known(name) && !is_empty(value)) {
        return false;
    }
    let mut data = live["data"].as_object().into_iter().flatten();
    let foreign = data.any(|(name, _)| {
        let at = FieldPath::of("data").field(name);
        let Ok(text) = text_at(live, &at) else { return true };
        let mut left = text.unwrap_or_default();
        for document in documents.iter().filter(|document| document.at == at) {
            left = document.fragment.strip_from(&left);
        }
        !left.trim().is_empty()
    });
    !documents.is_empty() && !foreign
}

async fn live_of<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    object: &RecordedObject,
) -> Result<Option<Value>, StepError> {
    let live = context.provider.get(&object.object).await?;
    Ok(live.filter(|live| object.uid.is_empty() || live["metadata"]["uid"] == object.uid.as_str()))
}

fn pinned(live: &Value) -> Value {
    json!({"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]})
}

fn entries_without(live: &Value, manager: &str) -> Value {
    let entries: Vec<_> = live["metadata"]["managedFields"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| entry["manager"] != manager)
        .cloned()
        .collect();
    json!({"op": "replace", "path": "/metadata/managedFields", "value": entries})
}

async fn patch<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    object: &ObjectRef,
    operations: Vec<Value>,
    manager: &str,
) -> Result<Value, StepError> {
    let request = PatchRequest {
        object: object.clone(),
        patch: Patch::Json(Value::Array(operations)),
        manager: manager.to_owned(),
        dry_run: false,
    };
    Ok(context.provider.patch(&request).await?)
}
