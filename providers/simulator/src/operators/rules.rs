//! The data-driven loop: "an object of this kind is ready after T, when these preconditions hold".
//!
//! Most of what an operator does is this, so most operators are a table of [`Rule`]s and a call of [`apply`].
//!
//! Invariants:
//! - Operands are there before readiness is waited for, and belong to the object, so that they go with it.
//! - Readiness is written only after every need has held for the whole time without a break; when a need no longer
//!   holds, the object is told so.

use serde_json::{Value, json};

use super::kinds::{CRD, Kind};
use super::object::Read;
use super::turn::{Turn, observed};

/// Something that must hold before an object is ready.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// A Deployment (namespace, name) is Available; an empty namespace is the object's own.
    Available(&'static str, &'static str),
}

/// What an operator does for objects of one kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) kind: Kind,
    pub(crate) needs: &'static [Need],
    /// How long the needs must hold, in seconds of the reference.
    pub(crate) after: u64,
    /// The conditions that become True, with their reasons.
    pub(crate) conditions: &'static [(&'static str, &'static str)],
    /// Other fields of the status.
    pub(crate) status: fn(&Value) -> Value,
    /// What the operator makes for the object.
    pub(crate) operands: fn(&Value) -> Vec<(Kind, Value)>,
}

impl Rule {
    /// A rule without needs, operands or further status.
    pub(crate) const fn new(kind: Kind, after: u64, conditions: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            kind,
            needs: &[],
            after,
            conditions,
            status: |_| json!({}),
            operands: |_| Vec::new(),
        }
    }
}

/// Lets every rule act on every object of its kind.
pub(crate) fn apply(turn: &mut Turn<'_>, rules: &[Rule]) {
    for rule in rules {
        for object in turn.all(rule.kind) {
            if !object.is_deleting() {
                settle(turn, rule, &object);
            }
        }
    }
}

fn settle(turn: &mut Turn<'_>, rule: &Rule, object: &Value) {
    for (kind, operand) in (rule.operands)(object) {
        if kind == CRD {
            turn.create(kind, operand)
        } else {
            turn.ensure(kind, operand)
        }
    }
    let unmet = rule.needs.iter().find(|need| !holds(turn, **need, object));
    let ready = unmet.is_none()
        && turn.held(
            format!(
                "{} {} {}",
                rule.kind.kind,
                object.uid(),
                object["metadata"]["generation"]
            ),
            rule.after,
        );
    if ready || unmet.is_some() {
        let conditions = rule.conditions.iter().map(|(kind, reason)| match unmet {
            None => observed(object, kind, true, reason, ""),
            Some(need) => observed(object, kind, false, "NotReady", &format!("waiting for {need:?}")),
        });
        let mut status = if ready { (rule.status)(object) } else { json!({}) };
        status["conditions"] = conditions.collect();
        turn.status(rule.kind, object, status);
    }
}

fn holds(turn: &Turn<'_>, need: Need, object: &Value) -> bool {
    match need {
        Need::Available("", name) => turn.world.is_available(object.namespace(), name),
        Need::Available(namespace, name) => turn.world.is_available(namespace, name),
    }
}
