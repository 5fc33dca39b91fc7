//! What a plan deletes beyond what a stack may lose by mistake.
//!
//! A stack file that is half written, half read or the wrong one asks for a deletion in good order. So an apply that
//! deletes much, or anything that holds data, takes a word of its own; a destroy says what it is.
//!
//! Invariants:
//! - What is deleted and made again counts as deleted.
//! - What was there before us counts for nothing: it is given back.

use super::{Action, Plan, Purpose};
use crate::{
    address::Address,
    object_key::ObjectRef,
    recorded::{Origin, Recorded, RecordedNode},
};
use std::collections::BTreeMap;

/// One way in which a plan deletes too much.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Excess {
    /// The stack makes nothing at all, and something is recorded.
    #[error("the stack makes nothing, and {recorded} resources are recorded of it")]
    Everything {
        /// How many resources are recorded.
        recorded: usize,
    },
    /// More than a third of the objects that are recorded.
    #[error("the plan deletes {deleted} of the {recorded} objects that are recorded, more than a third")]
    TooMany {
        /// How many objects it deletes.
        deleted: usize,
        /// How many of ours are recorded.
        recorded: usize,
    },
    /// An object that holds data.
    #[error("`{address}`: {object} holds data, which is lost when it is deleted")]
    Data {
        /// The resource.
        address: Address,
        /// The object.
        object: Box<ObjectRef>,
    },
}

impl Excess {
    /// Whether a word of the person is enough to go on.
    pub fn may_be_meant(&self) -> bool {
        match self {
            Self::Everything { .. } => false,
            Self::TooMany { .. } | Self::Data { .. } => true,
        }
    }

    /// What to type or change.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Everything { .. } => {
                "look whether its files are whole; `stackctl destroy` is what takes everything away"
            }
            Self::TooMany { .. } => "look whether the stack is whole; if all of this is to go, say `--yes-delete`",
            Self::Data { .. } => "keep it in the stack, or save its data and say `--yes-delete`",
        }
    }
}

/// What a plan deletes beyond its budget. `n_desired` counts what the whole stack makes, and `recorded` is all that is
/// recorded, also of a stack that is planned in part.
pub fn excess(plan: &Plan, n_desired: usize, recorded: &BTreeMap<Address, Recorded>) -> Vec<Excess> {
    if plan.purpose == Purpose::Destroy {
        return Vec::new();
    }
    if n_desired == 0 && !recorded.is_empty() {
        return vec![Excess::Everything {
            recorded: recorded.len(),
        }];
    }
    let made: BTreeMap<&Address, &Recorded> = recorded.iter().filter(|(_, known)| is_made(known)).collect();
    let deleted: Vec<_> = plan
        .steps
        .iter()
        .filter(|step| matches!(step.action, Action::Delete | Action::Replace))
        .filter_map(|step| made.get(&step.address))
        .collect();
    let mut all = Vec::new();
    if deleted.len() * 3 > made.len() {
        all.push(Excess::TooMany {
            deleted: deleted.len(),
            recorded: made.len(),
        });
    }
    all.extend(
        deleted
            .iter()
            .filter(|known| known.destroy.holds_data)
            .filter_map(|known| {
                Some(Excess::Data {
                    address: known.address.clone(),
                    object: Box::new(known.object()?.object.clone()),
                })
            }),
    );
    all
}

/// Whether it is a whole object that we made.
fn is_made(known: &Recorded) -> bool {
    matches!(&known.node, RecordedNode::Object(object) if object.origin == Origin::Created)
}
