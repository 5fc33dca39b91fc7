//! What was last applied, per address: the engine's view of the state.
//!
//! Invariant: no secret's value is here; a sensitive leaf of `manifest` holds its keyed digest as text.

pub use crate::document::{RecordedDocument, RecordedFragment};

use crate::{
    FieldPath,
    address::Address,
    digest::Digest,
    graph::Edge,
    object_key::ObjectRef,
    packed::Packed,
    resource::{Claim, DestroyStep, NeededBy, Remains},
};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};

/// What was last applied at one address.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The resource.
    pub address: Address,
    /// What it was.
    pub node: RecordedNode,
    /// The edges at the time: what destroy turns round.
    pub edges: Vec<Edge>,
    /// How destroy treats it.
    pub destroy: RecordedDestroy,
}

/// What a recorded resource was.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordedNode {
    /// A whole object.
    Object(RecordedObject),
    /// Some fields of an object.
    Overlay {
        /// The object and what was written to it.
        object: RecordedObject,
        /// How to give the fields back.
        undo: Vec<Undo>,
        /// Shared texts: where, which part of them, what was written, what was there before.
        documents: Vec<RecordedDocument>,
    },
    /// A gate or a check that was ready.
    Gate,
    /// An action that ran to its goal for this trigger.
    Action {
        /// The digest of the trigger.
        trigger: Digest,
    },
}

/// A written object.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedObject {
    /// Which one, in the version it was written in.
    pub object: ObjectRef,
    /// The uid it had; empty while the write is only intended.
    pub uid: String,
    /// Whether it was there before us.
    pub origin: Origin,
    /// The manager that wrote it.
    pub manager: String,
    /// The digest of what was sent: tells a change of the stack from a change of the cluster.
    pub sent: Digest,
    /// What the server answered at the paths that were sent; sensitive leaves as keyed digests in text form.
    pub manifest: Packed,
    /// The leaves that were sent; shared by the records that have the same.
    pub fields: Arc<BTreeSet<FieldPath>>,
    /// Of those, the sensitive ones.
    pub sensitive: BTreeSet<FieldPath>,
    /// The stack key that the keyed digests were made with.
    pub key_id: Option<String>,
    /// The digest of what the server notes as ours by apply, after the write: while it is the same, and the values at
    /// our paths are, the same apply would change nothing.
    pub owned: Option<Digest>,
}

/// Whether an object was there before us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// We made it: destroy deletes it.
    Created,
    /// It was there: destroy releases it, unless its record says otherwise ([`RecordedDestroy::delete_adopted`]).
    Adopted,
}

/// How to give one overlaid path back.
#[derive(Clone, Debug, PartialEq)]
pub struct Undo {
    /// The path.
    pub path: FieldPath,
    /// What was there before; nothing when the path was absent.
    pub prior: Option<Value>,
    /// Ancestors that were absent, outermost first.
    pub absent_ancestors: Vec<FieldPath>,
    /// Who owned it before.
    pub prior_owner: Option<Owner>,
}

/// Who owned a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The manager's name.
    pub manager: String,
    /// Whether it owned by apply rather than by update.
    pub by_apply: bool,
}

/// How destroy treats a recorded resource; everything that `destroy --state-only` needs.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RecordedDestroy {
    /// Destroying it is an error.
    pub prevent: bool,
    /// Why it is released instead of deleted.
    pub retain: Option<String>,
    /// Although it was there before us it is deleted.
    pub delete_adopted: bool,
    /// Its controller makes it again: released, never waited for.
    pub self_recreating: bool,
    /// What happens before the deletion.
    pub steps: Vec<DestroyStep>,
    /// What others made for us: deleted after us, where we are deleted.
    pub claims: Vec<Claimed>,
    /// Where to look for more of it when we are deleted: since it was recorded more may have been made.
    pub claiming: Vec<Claim>,
    /// What stays, and why.
    pub remains: Vec<Remains>,
    /// It holds data that is lost.
    pub holds_data: bool,
}

/// An object that others made for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The object.
    pub object: ObjectRef,
    /// Its uid when it was recorded.
    pub uid: String,
    /// Why it is there because of us.
    pub why: String,
    /// Who else may need it.
    pub needed_by: Option<NeededBy>,
}

impl Recorded {
    /// The object that was written, if this was an object or an overlay.
    pub fn object(&self) -> Option<&RecordedObject> {
        match &self.node {
            RecordedNode::Object(object) | RecordedNode::Overlay { object, .. } => Some(object),
            RecordedNode::Gate | RecordedNode::Action { .. } => None,
        }
    }

    /// Whether taking it away deletes a whole object: one that we made, or of which the stack said so although it was there
    /// before us, and that nothing says to keep.
    pub fn is_deleted(&self) -> bool {
        self.is_to_go() && self.destroy.retain.is_none()
    }

    /// What others made for us and goes with it: nothing where it is given back.
    pub fn claims_that_go(&self) -> &[Claimed] {
        match &self.node {
            RecordedNode::Object(_) if !self.is_deleted() => &[],
            _ => &self.destroy.claims,
        }
    }

    /// The same, whatever says to keep it.
    pub(crate) fn is_to_go(&self) -> bool {
        match &self.node {
            RecordedNode::Object(object) => object.origin == Origin::Created || self.destroy.delete_adopted,
            RecordedNode::Overlay { .. } | RecordedNode::Gate | RecordedNode::Action { .. } => false,
        }
    }

    /// Whether it is a whole object that was there before us.
    pub(crate) fn was_there(&self) -> bool {
        matches!(&self.node, RecordedNode::Object(object) if object.origin == Origin::Adopted)
    }

    /// Whether two records are undone alike: the same object, the same origin, the same values before us.
    pub fn is_undone_like(&self, other: &Self) -> bool {
        let same_object = |one: &RecordedObject, two: &RecordedObject| {
            one.object == two.object && one.uid == two.uid && one.origin == two.origin && one.manager == two.manager
        };
        match (&self.node, &other.node) {
            (RecordedNode::Object(one), RecordedNode::Object(two)) => same_object(one, two),
            (
                RecordedNode::Overlay {
                    object: one,
                    undo: undo_one,
                    documents: documents_one,
                },
                RecordedNode::Overlay {
                    object: two,
                    undo: undo_two,
                    documents: documents_two,
                },
            ) => same_object(one, two) && undo_one == undo_two && documents_one == documents_two,
            (RecordedNode::Gate | RecordedNode::Action { .. }, RecordedNode::Gate | RecordedNode::Action { .. }) => {
                true
            }
            _ => false,
        }
    }

    /// What was ours in the shared texts of an object of this uid; nothing of another object of that name.
    pub fn documents_of(&self, uid: &str) -> &[RecordedDocument] {
        match &self.node {
            RecordedNode::Overlay { object, documents, .. } if object.uid == uid => documents,
            _ => &[],
        }
    }
}
