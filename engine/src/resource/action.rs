//! What runs when its trigger changes, and the effects that actions and remedies are made of. Data, not code.

use crate::{
    FieldPath,
    object_key::{ObjectRef, ObjectType},
    readiness::{Observation, Target},
};
use serde_json::Value;

/// Runs its effect, when its trigger differs from the recorded one, until its goal holds.
///
/// Level-triggered: an effect that has nothing to act on yet (a plan that is not there) waits for it; a goal that
/// holds already asks for no effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// What is done.
    pub effect: Effect,
    /// When it is done.
    pub goal: Vec<Observation>,
    /// What it depends on: it runs again only when this differs from what is recorded.
    pub trigger: Value,
    /// Whether a goal that holds already before the effect means that there is nothing to do. A restart has to run
    /// whatever its target looks like; an approval does not.
    pub satisfied_by_goal: bool,
}

/// One thing that is done to an object we do not own.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A merge patch of one object.
    MergePatch {
        /// The object.
        target: ObjectRef,
        /// The patch.
        patch: Value,
    },
    /// A merge patch of each object of a type whose list of texts at `path` holds `must_hold` and nothing that does
    /// not start with one of `may_start_with`; others are left alone and said so.
    PatchAdmitted {
        /// The type.
        of: ObjectType,
        /// The namespace.
        namespace: String,
        /// Where the list of texts stands.
        path: FieldPath,
        /// The text that has to be in it.
        must_hold: String,
        /// Every other text starts with one of these.
        may_start_with: Vec<String>,
        /// An object for which this pointer already holds this value needs no patch.
        unless: (FieldPath, Value),
        /// The patch.
        patch: Value,
    },
    /// A rollout restart: the pod template is annotated with the digest of the trigger.
    Restart {
        /// A Deployment.
        target: ObjectRef,
    },
    /// Every object of the target is deleted, by the uid it has when the effect starts.
    Delete {
        /// The objects.
        target: Target,
    },
    /// An annotation whose value changes with every run, so that a controller looks again.
    Touch {
        /// The object.
        target: ObjectRef,
        /// The annotation.
        annotation: String,
    },
}
