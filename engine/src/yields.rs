//! Managers that win (DESIGN §5.5): what such a manager has written is left to it, and shown as yielded.
//!
//! Invariants:
//! - What it holds is sent no more, so that it is never taken back, by force neither; its value stays (ssa-semantics §2, §6).
//! - That it moved is no drift, and voids no saved plan.
//! - What it no longer holds is what the stack says again.
//!
//! Deliberately absent: who they are. That is data of the catalogue, and a resource that names none yields to nobody. An
//! overlay takes fields by its nature.

use crate::{
    FieldPath,
    address::Address,
    ownership::{Winner, won},
    plan::{FieldChange, Shown},
    resource::{Node, Resource},
};
use serde_json::Value;
use std::collections::BTreeSet;

/// A field that the stack says and that is left to who won it.
#[derive(Clone, Debug, PartialEq)]
pub struct Yielded {
    /// The resource.
    pub address: Address,
    /// The field.
    pub path: FieldPath,
    /// Who won it.
    pub manager: &'static str,
    /// What the stack says.
    pub said: Shown,
    /// What is there.
    pub there: Shown,
}

impl Yielded {
    /// From what the stack says to what is there.
    pub fn change(&self) -> FieldChange {
        FieldChange {
            path: self.path.clone(),
            before: self.said.clone(),
            after: self.there.clone(),
            drift: None,
        }
    }
}

/// What a resource says and leaves to who won it; nothing where the same is there.
pub(crate) fn yielded_of(resource: &Resource, live: &Value) -> Vec<Yielded> {
    let Node::Object(object) = &resource.node else {
        return Vec::new();
    };
    let said = object.manifest.value();
    won(live, resource.lifecycle.yields_to)
        .into_iter()
        .filter(|(path, _)| path.get(said).is_some() && path.get(said) != path.get(live))
        .map(|(path, manager)| Yielded {
            address: resource.address.clone(),
            said: Shown::of(path.get(said).cloned(), false),
            there: Shown::of(path.get(live).cloned(), false),
            path,
            manager,
        })
        .collect()
}

/// Everything that is left to who won it, in order of the resources. `live` gives the present object of an address.
pub fn yielded<'a>(resources: &[Resource], live: impl Fn(&Address) -> Option<&'a Value>) -> Vec<Yielded> {
    let of_one = |resource: &Resource| live(&resource.address).map_or_else(Vec::new, |live| yielded_of(resource, live));
    resources.iter().flat_map(of_one).collect()
}

/// Whether what is recorded as held by us is just what is said and not won: else a plan has to ask, or to record anew.
pub(crate) fn is_recorded_so(
    said: &BTreeSet<FieldPath>,
    recorded: &BTreeSet<FieldPath>,
    live: &Value,
    winners: &[Winner],
) -> bool {
    let won = won(live, winners);
    let is_won = |path: &FieldPath| won.iter().any(|(won, _)| won == path);
    // The server may note as a whole what is said field by field, and item by item what is said as a whole.
    let is_recorded = |path: &FieldPath| {
        recorded.contains(path)
            || recorded
                .iter()
                .any(|noted| noted.contains(path) || path.contains(noted))
    };
    said.iter().all(|path| is_recorded(path) != is_won(path))
}
