//! Plans for tests that are about steps and not about how they came to be.

use super::{Action, NodeKind, Plan, Purpose, Reason, Step};
use crate::address::Address;

/// The address of the step at this place.
pub(super) fn address(number: usize) -> Address {
    format!("n[{number}].x").parse().expect("an address")
}

/// A plan of one step for each action.
pub(super) fn plan(purpose: Purpose, actions: &[Action]) -> Plan {
    let steps = actions.iter().enumerate();
    plan_of(
        purpose,
        steps.map(|(number, action)| step(address(number), *action)).collect(),
    )
}

/// A plan of these steps.
pub(super) fn plan_of(purpose: Purpose, steps: Vec<Step>) -> Plan {
    Plan {
        purpose,
        steps,
        remains: Vec::new(),
        partial: None,
    }
}

/// A step of which only the action matters.
pub(super) fn step(address: Address, action: Action) -> Step {
    Step {
        address,
        node: NodeKind::Object,
        action,
        reasons: vec![Reason::NoLongerDesired],
        object: None,
        changes: Vec::new(),
        note: String::new(),
        waits_for: Vec::new(),
        readiness: None,
        consequences: Vec::new(),
    }
}
