//! How a resource lives and dies: adoption, replacement, what destroy does and what it leaves.

use crate::{
    FieldPath,
    object_key::{ObjectRef, ObjectType},
    ownership::Winner,
    readiness::{Observation, Target},
};
use serde_json::Value;
use std::time::Duration;

/// How a resource lives and dies.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Lifecycle {
    /// Destroying or replacing it is an error.
    pub prevent_destroy: bool,
    /// Destroy leaves the object, released, and says why.
    pub retain: Option<String>,
    /// Paths that others may write: sent with their live value while we own them, omitted once another does.
    pub ignore_fields: Vec<FieldPath>,
    /// Managers to which it leaves what they have written; data of the catalogue.
    pub yields_to: &'static [Winner],
    /// Paths whose change in the stack takes deleting it, with all that was made for it, and making it again.
    pub replace_on: Vec<FieldPath>,
    /// Whether an object that is there but not ours may become ours.
    pub adopt: Adopt,
    /// An object that was there before us is deleted on destroy like one that we made.
    pub delete_adopted: bool,
    /// Its controller makes it again: it is released on destroy and never waited for.
    pub self_recreating: bool,
    /// Objects that others made for us; deleted with us where we made the resource.
    pub claims: Vec<Claim>,
    /// What destroy does before the object itself is deleted or its fields are given back; nothing where the object is
    /// released.
    pub on_destroy: Vec<DestroyStep>,
    /// What stays in the cluster after destroy because of this resource, each with its reason.
    pub remains: Vec<Remains>,
    /// The object holds data that is lost when it is deleted.
    pub holds_data: bool,
}

/// Whether an object that is there but not ours may become ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Adopt {
    /// Not at all.
    Never,
    /// Only if the person says so at the command line.
    #[default]
    Consent,
    /// The stack says that it may.
    Given,
    /// A controller makes it before or beside us: "create or adopt", released on destroy.
    Expected,
}

impl Adopt {
    /// Whether it may, where `asked` is what the command line says.
    pub(crate) fn is_given(self, asked: bool) -> bool {
        match self {
            Self::Never => false,
            Self::Consent => asked,
            Self::Given | Self::Expected => true,
        }
    }
}

/// Objects that others made for us: recorded by uid once the resource is ready, deleted after it. What was there before the
/// resource is none of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The objects.
    pub target: Target,
    /// Why they are there because of us.
    pub why: String,
    /// Who else may need them.
    pub needed_by: Option<NeededBy>,
}

/// Objects beside what is claimed, in its namespace, that need what they name: while one of them is there that is neither
/// the resource nor claimed itself, what it names stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeededBy {
    /// Their type.
    pub of: ObjectType,
    /// Where they name it.
    pub at: FieldPath,
}

/// One step of a destroy, before the deletion.
#[derive(Clone, Debug, PartialEq)]
pub enum DestroyStep {
    /// A merge patch of one object, if it is still there.
    Patch {
        /// The object.
        target: ObjectRef,
        /// The patch.
        patch: Value,
    },
    /// Waits until no object of the target is there.
    AwaitGone {
        /// The objects.
        target: Target,
        /// How long at most.
        timeout: Duration,
    },
    /// Waits until what is observed is ready.
    Await {
        /// What is looked at.
        observation: Observation,
        /// How long at most.
        timeout: Duration,
    },
}

/// Something that stays in the cluster after destroy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remains {
    /// The object, or a family of them: `kind` with `*` as the name, or a name that ends in `*`.
    pub object: ObjectRef,
    /// Why it stays.
    pub why: String,
}
