//! Every reason why there is no plan, each with what to type or change next.

use super::replace::cannot_follow;
use crate::{
    address::Address,
    document::DocumentError,
    execute::ProviderError,
    late::LateError,
    marks::STACK_LABEL,
    object_key::{ObjectRef, ObjectType},
};
use std::collections::BTreeMap;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// An object is there and not ours.
    #[error("`{address}`: {object} is there already and not ours")]
    NotOurs {
        /// The resource.
        address: Address,
        /// The object.
        object: Box<ObjectRef>,
    },
    /// An object is another stack's.
    #[error("`{address}`: {object} belongs to the stack `{stack}`")]
    OtherStack {
        /// The resource.
        address: Address,
        /// The object.
        object: Box<ObjectRef>,
        /// The other stack.
        stack: String,
    },
    /// Others own fields that we would set, and we never did.
    #[error("`{address}`: {} of {object}", owned_by(owners))]
    Conflict {
        /// The resource.
        address: Address,
        /// The object.
        object: Box<ObjectRef>,
        /// Which fields each manager owns.
        owners: BTreeMap<String, Vec<String>>,
    },
    /// A kind is neither served nor brought by any resource.
    #[error("`{address}`: the cluster does not serve {kind}, and no resource brings it")]
    UnknownKind {
        /// The resource.
        address: Address,
        /// The kind.
        kind: Box<ObjectType>,
    },
    /// The server would refuse it.
    #[error("`{address}`: the server refuses {object}: {cause}")]
    Refused {
        /// The resource.
        address: Address,
        /// The object.
        object: Box<ObjectRef>,
        /// Its words.
        cause: Box<ProviderError>,
        /// What practice prescribes, where the refusal is a known one.
        asks: Option<String>,
    },
    /// A shared text in the object cannot be edited.
    #[error("`{address}`: {object} cannot be edited: {cause}")]
    Uneditable {
        /// The resource.
        address: Address,
        /// The object.
        object: Box<ObjectRef>,
        /// Why not.
        cause: DocumentError,
    },
    /// A late value cannot be had.
    #[error("`{address}`: {cause}")]
    Late {
        /// The resource.
        address: Address,
        /// Why.
        cause: Box<LateError>,
    },
    /// An object that holds data would be deleted by the way.
    #[error("`{address}` names another object than before, and {object} would go with the data that it holds")]
    HoldsData {
        /// The resource.
        address: Address,
        /// The object that would go.
        object: Box<ObjectRef>,
    },
    /// It cannot be deleted and made again.
    #[error("`{address}` cannot be replaced: {why}")]
    NotReplaceable {
        /// The resource.
        address: Address,
        /// Why not.
        why: String,
    },
    /// It may not be destroyed.
    #[error("`{address}` may not be destroyed (prevent_destroy)")]
    Prevented {
        /// The resource.
        address: Address,
    },
    /// The recorded edges do not make an order.
    #[error("the recorded dependencies do not make an order: {0}")]
    Recorded(String),
}

impl PlanError {
    /// The resource that it is about, if it is about one.
    pub fn address(&self) -> Option<&Address> {
        match self {
            Self::NotOurs { address, .. }
            | Self::OtherStack { address, .. }
            | Self::Conflict { address, .. }
            | Self::UnknownKind { address, .. }
            | Self::Refused { address, .. }
            | Self::Uneditable { address, .. }
            | Self::Late { address, .. }
            | Self::HoldsData { address, .. }
            | Self::NotReplaceable { address, .. }
            | Self::Prevented { address } => Some(address),
            Self::Recorded(_) => None,
        }
    }

    /// What to type or change next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotOurs { .. } => {
                Some("take it with `--adopt` or `adopt = true`, or delete it, or name yours otherwise".to_owned())
            }
            Self::OtherStack { stack, object, .. } => Some(format!(
                "destroy it in `{stack}`, or let it go there with `[[removed]]` and an apply; once no stack has it, {}",
                take_off(object)
            )),
            Self::Conflict { .. } => Some(ProviderError::OF_A_CONFLICT.to_owned()),
            Self::Late { cause, .. } => match **cause {
                LateError::Lost { .. } => {
                    Some("restore the Secret from a backup, or delete what uses it as well".to_owned())
                }
                LateError::Input { .. } => {
                    Some("the stack names where each is read from: put it there, and run this again".to_owned())
                }
                LateError::Unfit { .. } => None,
            },
            Self::Uneditable { cause, .. } => cause.hint(),
            Self::Refused {
                asks: None,
                cause,
                object,
                ..
            } if **cause == ProviderError::NamespaceTerminating => object.namespace.as_ref().map(|namespace| {
                format!(
                    "`kubectl get namespace {namespace} -o yaml` says what holds it; once it is gone, make it again"
                )
            }),
            Self::Refused {
                asks: None,
                cause,
                address,
                ..
            } if cannot_follow(cause) => Some(format!(
                "what is there cannot become that: `--replace '{address}'` deletes it and makes it again"
            )),
            Self::Refused { asks, .. } => asks
                .as_ref()
                .map(|asks| format!("{asks}; then run the same command again")),
            Self::HoldsData { address, .. } => Some(format!(
                "name the old object again, or save its data and say `--replace '{address}' --yes-delete`"
            )),
            Self::Prevented { .. } => Some(
                "keep it in the stack; if it is to go, apply without `prevent_destroy` on its table first".to_owned(),
            ),
            Self::NotReplaceable { .. } | Self::UnknownKind { .. } | Self::Recorded(_) => None,
        }
    }
}

/// How the mark of a stack is taken off an object, where its record let it go and the mark stayed.
pub fn take_off(object: &ObjectRef) -> String {
    let namespace = object
        .namespace
        .as_ref()
        .map(|name| format!(" -n {name}"))
        .unwrap_or_default();
    let kind = object.object_type.kind.to_lowercase();
    let group = match object.object_type.group() {
        "" => String::new(),
        group => format!(".{group}"),
    };
    format!(
        "`kubectl label {kind}{group} {}{namespace} {STACK_LABEL}-` takes its mark off",
        object.name
    )
}

/// `hpa owns .spec.replicas, and kubectl-create .data.a, .data.b`.
fn owned_by(owners: &BTreeMap<String, Vec<String>>) -> String {
    let each = owners.iter().enumerate().map(|(index, (manager, fields))| {
        let verb = if index == 0 { " owns" } else { "" };
        format!("{manager}{verb} {}", fields.join(", "))
    });
    each.collect::<Vec<_>>().join(", and ")
}
