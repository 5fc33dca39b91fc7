//! What Kuadrant says about policies: Accepted, Enforced, and the objects that enforce them.
//!
//! Source: reference/serving.md §1.5 (AuthConfigs, per-gateway filters), §1.8 (defaults of a Gateway give way to a
//! route's own policy), §1.12 (gate on Accepted and Enforced), S8 (Overridden), K2 (no Kuadrant: nothing enforced).
//!
//! Invariants:
//! - Nothing is Accepted while the operator misses its provider or the target is not there.
//! - Of two policies of a kind on one target the older is enforced, the other Overridden: so it is with the policies of
//!   two generations of MaaS on one Gateway (P21).
//! - A policy is enforced only where requests pass: on a Gateway that no route is attached to, none is.
//! - An enforced AuthPolicy has an AuthConfig in Kuadrant's namespace; one that is gone has none.
//!
//! Left out: `overrides` of a Gateway, strategies of merging, what rules and limits say.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::{
    AUTH_CONFIG, AUTH_POLICY, ENVOY_FILTER, GATEWAY, HTTP_ROUTE, Kind, LIMITADOR, RATE_LIMIT_POLICY, TELEMETRY_POLICY,
    TOKEN_RATE_LIMIT_POLICY, WASM_PLUGIN,
};
use super::kuadrant::Provider;
use super::object::{Read, object, owned_by, suffix};
use super::routes::accepted_by;
use super::turn::{Turn, condition, map, observed};
use crate::faults::FaultName;

/// From Accepted to Enforced: Authorino and the proxy take the configuration (gate 120 s: reference/serving.md §0.4).
const ENFORCED_SECONDS: u64 = 5;
const MANAGED: &str = "kuadrant.io/managed";

pub(crate) fn reconcile(turn: &mut Turn<'_>, kuadrant: Option<&Value>, provider: Provider) {
    let mut enforced = Vec::new();
    for kind in [
        AUTH_POLICY,
        TOKEN_RATE_LIMIT_POLICY,
        RATE_LIMIT_POLICY,
        TELEMETRY_POLICY,
    ] {
        for policy in turn.all(kind) {
            if !policy.is_deleting() && judge(turn, kind, &policy, kuadrant, provider) {
                enforced.push((kind, policy));
            }
        }
    }
    if let Some(kuadrant) = kuadrant.filter(|_| provider == Provider::Seen) {
        configure(turn, kuadrant, &enforced);
        limits(turn, kuadrant, &enforced);
        filters(turn, &enforced);
    }
    let wanted: Vec<String> = enforced
        .iter()
        .filter(|(kind, _)| *kind == AUTH_POLICY)
        .map(|(_, policy)| config_name(policy))
        .collect();
    for config in turn.all(AUTH_CONFIG) {
        if config.label(MANAGED) == Some("true") && !wanted.iter().any(|name| name == config.name()) {
            turn.delete(AUTH_CONFIG, config.namespace(), config.name());
        }
    }
}

/// Writes the conditions of a policy. Returns whether it is enforced, or soon will be.
fn judge(turn: &mut Turn<'_>, kind: Kind, policy: &Value, kuadrant: Option<&Value>, provider: Provider) -> bool {
    let title = kind.kind;
    if kuadrant.is_none() {
        // The operator deploys nothing without its CR (reference/serving.md §1.5).
        return false;
    }
    if provider == Provider::MissedAtStart {
        let why = format!(
            "[Gateway API provider (istio / envoy gateway)] is not installed, please restart Kuadrant Operator pod once dependency has been installed: {title}"
        );
        turn.status(
            kind,
            policy,
            json!({"conditions": [observed(policy, "Accepted", false, "MissingDependency", &why)]}),
        );
        return false;
    }
    let Some(target) = target(turn, policy) else {
        let name = policy.text("/spec/targetRef/name");
        let why = format!("{title} target {name} was not found");
        turn.status(
            kind,
            policy,
            json!({"conditions": [
                observed(policy, "Accepted", false, "TargetNotFound", &why),
            ]}),
        );
        return false;
    };
    let accepted = observed(
        policy,
        "Accepted",
        true,
        "Accepted",
        &format!("{title} has been accepted"),
    );
    let says = |holds: bool, reason: &str, message: &str| {
        json!({"observedGeneration": policy["metadata"]["generation"],
            "conditions": [accepted, observed(policy, "Enforced", holds, reason, message)]})
    };
    if let Some(other) = overriding(turn, kind, policy, &target) {
        let status = says(false, "Overridden", &format!("{title} is overridden by [{other}]"));
        turn.status(kind, policy, status);
        return false;
    }
    if !is_on_the_way(turn, kind, &target) {
        let why = format!("{title} is not in the path to any existing routes");
        turn.status(kind, policy, says(false, "Unknown", &why));
        return false;
    }
    let wait = format!("enforce {} {}", policy.uid(), policy["metadata"]["generation"]);
    let never = turn.faults.on(FaultName::PoliciesNotEnforced);
    let status = if !never && (policy.is("Enforced") || turn.held(wait, ENFORCED_SECONDS)) {
        says(true, "Enforced", &format!("{title} has been successfully enforced"))
    } else {
        says(
            false,
            "Unknown",
            &format!("{title} has encountered some issues: not all policies are enforced yet"),
        )
    };
    turn.status(kind, policy, status);
    true
}

fn target(turn: &Turn<'_>, policy: &Value) -> Option<Arc<Value>> {
    let kind = if policy.text("/spec/targetRef/kind") == GATEWAY.kind {
        GATEWAY
    } else {
        HTTP_ROUTE
    };
    let found = turn
        .world
        .get(kind, policy.namespace(), policy.text("/spec/targetRef/name"))?;
    Some(Arc::clone(found)).filter(|found| !found.is_deleting())
}

/// Returns whether requests pass a target: through a programmed Gateway, to a route that it took. A Gateway without routes
/// leads nowhere, so what is attached to it is not enforced (<https://github.com/Kuadrant/kuadrant-operator>,
/// `tests/common/authpolicy`, `ratelimitpolicy` and `tokenratelimitpolicy`); telemetry asks for no route.
fn is_on_the_way(turn: &Turn<'_>, kind: Kind, target: &Value) -> bool {
    if target["kind"] == GATEWAY.kind {
        let leads = || turn.world.list(HTTP_ROUTE).any(|route| accepted_by(route, target));
        return target.is("Programmed") && (kind == TELEMETRY_POLICY || leads());
    }
    turn.world
        .list(GATEWAY)
        .any(|gateway| gateway.is("Programmed") && accepted_by(target, gateway))
}

/// Returns the name of the policy that wins over this one.
fn overriding(turn: &Turn<'_>, kind: Kind, policy: &Value, target: &Value) -> Option<String> {
    let same_target = |other: &Value| {
        other.namespace() == policy.namespace()
            && other["spec"]["targetRef"]["kind"] == policy["spec"]["targetRef"]["kind"]
            && other["spec"]["targetRef"]["name"] == policy["spec"]["targetRef"]["name"]
    };
    let age = |policy: &Value| {
        (
            policy.text("/metadata/creationTimestamp").to_owned(),
            policy.name().to_owned(),
        )
    };
    let rivals = turn
        .world
        .list(kind)
        .filter(|other| !other.is_deleting() && other.uid() != policy.uid());
    if let Some(older) = rivals
        .into_iter()
        .find(|other| same_target(other) && age(other) < age(policy))
    {
        return Some(format!("{}/{}", older.namespace(), older.name()));
    }
    if target["kind"] != GATEWAY.kind || kind == TELEMETRY_POLICY {
        return None;
    }
    // Defaults of a Gateway count only for routes without a policy of their own.
    let routes: Vec<&Arc<Value>> = turn
        .world
        .list(HTTP_ROUTE)
        .filter(|route| accepted_by(route, target))
        .collect();
    let own = |route: &Value| {
        turn.world.list_in(kind, route.namespace()).find(|other| {
            other["spec"]["targetRef"]["kind"] == HTTP_ROUTE.kind && other.text("/spec/targetRef/name") == route.name()
        })
    };
    let mut winners = routes.iter().map(|route| own(route));
    let last = routes.last().and_then(|route| own(route))?;
    winners
        .all(|winner| winner.is_some())
        .then(|| format!("{}/{}", last.namespace(), last.name()))
}

fn config_name(policy: &Value) -> String {
    let seed = format!("{}/{}", policy.namespace(), policy.name());
    format!("{}{}", suffix(&seed), suffix(&format!("{seed} ")))
}

fn configure(turn: &mut Turn<'_>, kuadrant: &Value, enforced: &[(Kind, Arc<Value>)]) {
    for (_, policy) in enforced.iter().filter(|(kind, _)| *kind == AUTH_POLICY) {
        let config = object(
            AUTH_CONFIG,
            kuadrant.namespace(),
            &config_name(policy),
            json!({
                "metadata": {
                    "labels": {MANAGED: "true"},
                    "annotations": {"kuadrant.io/authpolicy": format!("{}/{}", policy.namespace(), policy.name())},
                },
                "spec": {"hosts": [config_name(policy)]},
            }),
        );
        turn.ensure(AUTH_CONFIG, owned_by(config, kuadrant));
        if let Some(config) = turn
            .world
            .get(AUTH_CONFIG, kuadrant.namespace(), &config_name(policy))
            .cloned()
        {
            turn.status(
                AUTH_CONFIG,
                &config,
                json!({
                    "conditions": [condition("Available", true, "HostsLinked", ""), condition("Ready", true, "Reconciled", "")],
                    "summary": {
                        "ready": true, "hostsReady": [config.name()], "numHostsReady": "1/1", "festivalWristbandEnabled": false,
                        "numIdentitySources": 1, "numMetadataSources": 0, "numAuthorizationPolicies": 0, "numResponseItems": 0,
                    },
                }),
            );
        }
    }
}

/// Tells Limitador every limit that is enforced (reference/serving.md §3.4: namespace = `<ns>/<httproute>`).
fn limits(turn: &mut Turn<'_>, kuadrant: &Value, enforced: &[(Kind, Arc<Value>)]) {
    let mut limits = Vec::new();
    for (scope, policy) in enforced
        .iter()
        .filter(|(kind, _)| [TOKEN_RATE_LIMIT_POLICY, RATE_LIMIT_POLICY].contains(kind))
        .flat_map(|(kind, policy)| {
            scopes(turn, *kind, policy)
                .into_iter()
                .map(move |scope| (scope, policy))
        })
    {
        for pointer in ["/spec/limits", "/spec/defaults/limits"] {
            for (name, limit) in map(policy, pointer) {
                for rate in limit.list("/rates") {
                    let Some(seconds) = seconds(rate.text("/window")) else {
                        continue;
                    };
                    let variables: Vec<&str> = limit
                        .list("/counters")
                        .iter()
                        .map(|counter| counter.text("/expression"))
                        .collect();
                    limits.push(json!({
                        "namespace": scope, "name": name, "max_value": rate["limit"], "seconds": seconds,
                        "conditions": [], "variables": variables,
                    }));
                }
            }
        }
    }
    let Some(limitador) = turn
        .world
        .get(LIMITADOR, kuadrant.namespace(), "limitador")
        .filter(|found| !found.is_deleting())
    else {
        return;
    };
    if limitador.list("/spec/limits") != limits.as_slice()
        && !(limits.is_empty() && limitador.list("/spec/limits").is_empty())
    {
        let limitador = Arc::clone(limitador);
        turn.writes.push(super::turn::Write::Patch {
            kind: LIMITADOR,
            namespace: limitador.namespace().to_owned(),
            name: limitador.name().to_owned(),
            patch: json!({"spec": {"limits": limits}}),
        });
    }
}

/// Returns the routes that a policy rules: its own one, or those of its Gateway that have none that is enforced.
fn scopes(turn: &Turn<'_>, kind: Kind, policy: &Value) -> Vec<String> {
    let scope = |route: &Value| format!("{}/{}", route.namespace(), route.name());
    let Some(target) = target(turn, policy) else {
        return Vec::new();
    };
    if target["kind"] == HTTP_ROUTE.kind {
        return vec![scope(&target)];
    }
    let has_own = |route: &Value| {
        turn.world.list_in(kind, route.namespace()).any(|other| {
            other["spec"]["targetRef"]["kind"] == HTTP_ROUTE.kind
                && other.text("/spec/targetRef/name") == route.name()
                && other.is("Enforced")
                && !other.is_deleting()
        })
    };
    let routes = turn
        .world
        .list(HTTP_ROUTE)
        .filter(|route| accepted_by(route, &target) && !has_own(route));
    routes.map(|route| scope(route)).collect()
}

/// Returns the seconds of a window like `5m` (reference/serving.md §4.3).
pub(super) fn seconds(window: &str) -> Option<i64> {
    let (digits, unit) = window.split_at_checked(window.len().checked_sub(1)?)?;
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    Some(digits.parse::<i64>().ok()? * factor)
}

/// The proxy filters of every Gateway that an enforced policy concerns.
fn filters(turn: &mut Turn<'_>, enforced: &[(Kind, Arc<Value>)]) {
    let concerned = |kinds: &[Kind], gateway: &Value, turn: &Turn<'_>| {
        enforced
            .iter()
            .filter(|(kind, _)| kinds.contains(kind))
            .any(|(_, policy)| {
                target(turn, policy).is_some_and(|target| {
                    target.uid() == gateway.uid() || target["kind"] == HTTP_ROUTE.kind && accepted_by(&target, gateway)
                })
            })
    };
    for gateway in turn.all(GATEWAY).into_iter().filter(|gateway| !gateway.is_deleting()) {
        let auth = concerned(&[AUTH_POLICY], &gateway, turn);
        let rates = concerned(&[TOKEN_RATE_LIMIT_POLICY, RATE_LIMIT_POLICY], &gateway, turn);
        let (namespace, name) = (gateway.namespace(), gateway.name());
        let target = json!([{"group": GATEWAY.group, "kind": GATEWAY.kind, "name": name}]);
        for (wanted, prefix) in [(auth, "kuadrant-auth"), (rates, "kuadrant-ratelimiting")] {
            if wanted {
                let filter = object(
                    ENVOY_FILTER,
                    namespace,
                    &format!("{prefix}-{name}"),
                    json!({
                        "metadata": {"labels": {MANAGED: "true"}}, "spec": {"targetRefs": target},
                    }),
                );
                turn.ensure(ENVOY_FILTER, owned_by(filter, &gateway));
            }
        }
        if auth || rates {
            let plugin = object(
                WASM_PLUGIN,
                namespace,
                &format!("kuadrant-{name}"),
                json!({
                    "metadata": {"labels": {MANAGED: "true"}},
                    "spec": {"targetRefs": target, "url": "oci://registry.redhat.io/rhcl-1/wasm-shim-rhel9", "phase": "STATS"},
                }),
            );
            turn.ensure(WASM_PLUGIN, owned_by(plugin, &gateway));
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn windows_have_no_days() {
        assert_eq!(super::seconds("5m"), Some(300));
        assert_eq!(super::seconds("24h"), Some(86_400));
        assert_eq!(super::seconds("1d"), None);
        assert_eq!(super::seconds(""), None);
    }
}
