//! Plans for tests that are about steps and not about how they came to be.

use super::{Action, NodeKind, Plan, Projection, Purpose, Reason, Step};
use crate::{address::Address, digest::Digest};
use serde_json::Value;

/// The address of the step at this place.
pub(super) fn address(number: usize) -> Address {
    format!("n[{number}].x").parse().expect("an address")
}

/// A plan of one step for each action.
pub(super) fn plan(purpose: Purpose, actions: &[Action]) -> Plan {
    let step = |(number, action): (usize, &Action)| Step {
        address: address(number),
        node: NodeKind::Object,
        action: *action,
        reasons: vec![Reason::NoLongerDesired],
        object: None,
        changes: Vec::new(),
        note: String::new(),
        waits_for: Vec::new(),
        readiness: None,
        consequences: Vec::new(),
        projection: Projection::default(),
    };
    Plan {
        purpose,
        steps: actions.iter().enumerate().map(step).collect(),
        desired: Digest::of(&Value::Null),
        remains: Vec::new(),
        partial: None,
    }
}
