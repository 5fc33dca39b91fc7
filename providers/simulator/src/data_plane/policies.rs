//! Which policies rule a call: of the route it takes, or by default of the Gateway, as far as they are enforced.
//!
//! Source: reference/serving.md §1.8 (a route's own policy replaces the Gateway's default whole), §1.12, S8 (of two on one
//! target one is enforced), K2, K3 (without Kuadrant nothing is enforced).
//!
//! Invariants:
//! - At most one policy of a kind rules a call.
//! - The Gateway's policy rules where the route has none that is enforced, also while its status says that routes with
//!   their own override it everywhere.

use std::sync::Arc;

use serde_json::Value;

use crate::operators::kinds::{AUTH_POLICY, GATEWAY, HTTP_ROUTE, Kind, RATE_LIMIT_POLICY, TOKEN_RATE_LIMIT_POLICY};
use crate::operators::object::Read;
use crate::operators::world::World;

/// The policies that rule a call.
#[derive(Clone, Debug)]
pub(super) struct Policies {
    /// Who may call.
    pub(super) access: Option<Arc<Value>>,
    /// How many calls.
    pub(super) requests: Option<Arc<Value>>,
    /// How many tokens.
    pub(super) tokens: Option<Arc<Value>>,
}

impl Policies {
    /// Returns that nothing rules.
    pub(super) fn none() -> Self {
        Self {
            access: None,
            requests: None,
            tokens: None,
        }
    }

    /// Returns what rules a route of a Gateway.
    pub(super) fn of(world: &World, gateway: &Value, route: &Value) -> Self {
        let effective = |kind| {
            own(world, kind, route)
                .or_else(|| default(world, kind, gateway))
                .cloned()
        };
        Self {
            access: effective(AUTH_POLICY),
            requests: effective(RATE_LIMIT_POLICY),
            tokens: effective(TOKEN_RATE_LIMIT_POLICY),
        }
    }
}

fn targets(policy: &Value, kind: Kind, target: &Value) -> bool {
    let reference = &policy["spec"]["targetRef"];
    !policy.is_deleting() && reference["kind"] == kind.kind && reference.text("/name") == target.name()
}

/// Returns the enforced policy of a route.
fn own<'a>(world: &'a World, kind: Kind, route: &Value) -> Option<&'a Arc<Value>> {
    let mut policies = world.list_in(kind, route.namespace());
    policies.find(|policy| targets(policy, HTTP_ROUTE, route) && policy.is("Enforced"))
}

/// Returns the policy of a Gateway that counts where a route has none.
fn default<'a>(world: &'a World, kind: Kind, gateway: &Value) -> Option<&'a Arc<Value>> {
    let policies = world
        .list_in(kind, gateway.namespace())
        .filter(|policy| targets(policy, GATEWAY, gateway));
    let oldest = policies.min_by_key(|policy| {
        (
            policy.text("/metadata/creationTimestamp").to_owned(),
            policy.name().to_owned(),
        )
    })?;
    let reason = |policy: &Value| {
        let enforced = policy
            .list("/status/conditions")
            .iter()
            .find(|entry| entry.text("/type") == "Enforced");
        enforced.map_or(String::new(), |entry| entry.text("/reason").to_owned())
    };
    (oldest.is("Enforced") || reason(oldest) == "Overridden").then_some(oldest)
}

/// Returns a part of a policy's rules, wherever it says them: for itself, as defaults or as overrides.
pub(super) fn part<'a>(policy: &'a Value, name: &str) -> Option<&'a Value> {
    ["/spec", "/spec/defaults", "/spec/overrides"]
        .iter()
        .find_map(|place| policy.pointer(&format!("{place}/{name}")))
}
