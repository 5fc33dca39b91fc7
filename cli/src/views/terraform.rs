//! Terraform's words for what a step does, so that what reads its plans reads ours.
//!
//! The words are those of its plan representation and of its machine-readable UI
//! (<https://developer.hashicorp.com/terraform/internals/json-format>,
//! <https://developer.hashicorp.com/terraform/internals/machine-readable-ui>); which of ours is which of theirs is decided in
//! `docs/decisions/0007-machine-formats-after-terraform.md`.
//!
//! Invariants:
//! - What writes to the cluster or runs something is a change there too; waiting, checking and what stays as it is are none.
//! - Nothing is lost: our own word stands beside theirs wherever one of these is used.

use schemars::JsonSchema;
use serde::Serialize;
use stackctl_engine::{
    FieldPath,
    field::PathElement,
    plan::{Action, NodeKind, Purpose, Reason, Step},
};

/// The version of the plan representation that we follow; readers of plans take every `1.x`.
pub const PLAN_FORMAT_VERSION: &str = "1.2";
/// The version of the machine-readable UI that we follow.
pub const UI_VERSION: &str = "1.2";
/// What carries everything out, where Terraform names a provider.
pub const PROVIDER: &str = "stackctl";

/// Whether something is managed or only read.
pub const fn mode(node: NodeKind) -> &'static str {
    match node {
        NodeKind::Object | NodeKind::Overlay | NodeKind::Action => "managed",
        NodeKind::Gate | NodeKind::Check => "data",
    }
}

/// The type of a resource: `Kind.group` as kubectl takes it, `Kind` alone in the core group, the kind of node without an object.
pub fn resource_type(step: &Step) -> String {
    match (&step.object, step.node) {
        (Some(object), _) => type_of(object),
        (None, NodeKind::Gate) => "gate".to_owned(),
        (None, NodeKind::Check) => "check".to_owned(),
        (None, NodeKind::Action | NodeKind::Object | NodeKind::Overlay) => "action".to_owned(),
    }
}

/// The type of an object.
pub fn type_of(object: &stackctl_engine::ObjectRef) -> String {
    match object.object_type.group() {
        "" => object.object_type.kind.clone(),
        group => format!("{}.{group}", object.object_type.kind),
    }
}

/// The name of a resource: that of its object, or the address without one.
pub fn resource_name(step: &Step) -> String {
    match &step.object {
        Some(object) => object.name.clone(),
        None => step.address.to_string(),
    }
}

/// What is done, in the words of a plan.
pub fn actions(step: &Step) -> &'static [&'static str] {
    match ui_action(step) {
        "create" => &["create"],
        "update" => &["update"],
        "replace" => &["delete", "create"],
        "delete" => &["delete"],
        "forget" => &["forget"],
        "read" => &["read"],
        _ => &["no-op"],
    }
}

/// What is done, in the one word of an event.
pub fn ui_action(step: &Step) -> &'static str {
    match (step.action, step.node) {
        (Action::Create, _) => "create",
        // What runs changes something in the cluster, and what gives fields back writes them.
        (Action::Update | Action::Adopt | Action::Run, _) | (Action::Release, NodeKind::Overlay) => "update",
        (Action::Replace, _) => "replace",
        (Action::Delete, _) => "delete",
        (Action::Release | Action::Forget, _) => "forget",
        (Action::Wait | Action::Check, _) => "read",
        // What is only recorded anew changes nothing that Terraform would call a change.
        (Action::Record | Action::NoOp, _) => "noop",
    }
}

/// Why, where Terraform has a word for it; our own code elsewhere.
pub fn action_reason(step: &Step) -> Option<&'static str> {
    let reason = step.reasons.first()?;
    Some(match (reason, step.action) {
        (Reason::NoLongerDesired, _) => "delete_because_no_resource_config",
        (Reason::ReplacedOn(_), _) => "replace_because_cannot_update",
        (Reason::ReplaceAsked, _) => "replace_by_request",
        (Reason::ReplacedWith(_), _) => "replace_by_triggers",
        (Reason::WrittenAbove(_), Action::Wait) => "read_because_dependency_pending",
        _ => reason.code(),
    })
}

/// The fields that take a replacement, each as its names.
pub fn replace_paths(step: &Step) -> Vec<Vec<String>> {
    let of = |reason: &Reason| match reason {
        Reason::ReplacedOn(field) => FieldPath::parse(field),
        _ => None,
    };
    let names = |path: FieldPath| {
        let name = |element: &PathElement| match element {
            PathElement::Field(name) => Some(name.to_string()),
            PathElement::Key(_) | PathElement::Value(_) | PathElement::Index(_) => None,
        };
        // Where an item of a list stands is not said: what follows is beside the point then.
        path.elements().iter().map_while(name).collect()
    };
    step.reasons.iter().filter_map(of).map(names).collect()
}

/// Counts as Terraform tells them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangesJson {
    /// What is made, the second half of a replacement included.
    add: usize,
    /// What is changed, taken over, run, or given back field by field.
    change: usize,
    /// What becomes ours though it was there.
    import: usize,
    /// What is deleted, the first half of a replacement included.
    remove: usize,
    /// `plan`, `apply` or `destroy`.
    operation: &'static str,
}

/// What a plan would do.
pub fn planned(steps: &[Step]) -> ChangesJson {
    let count = |word: &str| steps.iter().filter(|step| ui_action(step) == word).count();
    ChangesJson {
        add: count("create") + count("replace"),
        change: count("update"),
        import: steps.iter().filter(|step| step.action == Action::Adopt).count(),
        remove: count("delete") + count("replace"),
        operation: "plan",
    }
}

/// What a run did, in the numbers of its report.
pub const fn applied(done: Done, purpose: Purpose) -> ChangesJson {
    ChangesJson {
        add: done.created,
        change: done.updated + done.adopted + done.ran,
        import: done.adopted,
        remove: done.deleted,
        operation: match purpose {
            Purpose::Apply => "apply",
            Purpose::Destroy => "destroy",
        },
    }
}

/// How many a run made, changed, and so on.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// Made.
    pub created: usize,
    /// Changed.
    pub updated: usize,
    /// Taken over.
    pub adopted: usize,
    /// Deleted.
    pub deleted: usize,
    /// Actions that ran.
    pub ran: usize,
}
