//! Limits on a gateway as a whole: TokenRateLimitPolicy and RateLimitPolicy, as tiers were before subscriptions.
//!
//! Facts: `reference/serving.md` §1.11.

use super::{
    rates::{Rate, Scope, changes},
    words::{access, disruption, listed},
    world::{Kind, World, items},
};
use serde_json::Value;
use stackctl_engine::{plan::Transition, resource::Consequence};
use std::collections::BTreeMap;

pub(super) fn of_tokens(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    consequences(world, transition, "tokens")
}

pub(super) fn of_requests(world: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    consequences(world, transition, "requests")
}

fn consequences(world: &World<'_>, transition: &Transition, unit: &str) -> Vec<Consequence> {
    let Some(before) = &transition.before else {
        return Vec::new();
    };
    let target = &before["spec"]["targetRef"];
    let on = target["name"].as_str().unwrap_or_default();
    let Some(after) = &transition.after else {
        let namespace = transition.object.namespace.as_deref().unwrap_or_default();
        if world.goes(Kind::GATEWAY, namespace, on) {
            return Vec::new();
        }
        return vec![access(format!(
            "ends the limits on {unit} of {} {} on {on}",
            transition.object.object_type.kind, transition.object.name
        ))];
    };
    let (old, new) = (limits(before), limits(after));
    let mut told = Vec::new();
    for (name, rates) in &new {
        let whose = format!("limit {name} on {on}");
        let scope = Scope {
            whose: &whose,
            unit,
            whom: "all its callers",
        };
        match old.get(name) {
            Some(last) => told.extend(changes(last, rates, &scope)),
            None => told.push(disruption(format!("adds {whose}: {}", rates_in_words(rates, unit)))),
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        told.push(access(format!(
            "drops limit {name} on {on}: its callers have no such limit any more"
        )));
    }
    told
}

/// The limits of a policy by name, where ever they stand in it (Kuadrant's `defaults` and `overrides` hold the same).
fn limits(policy: &Value) -> BTreeMap<&str, Vec<Rate<'_>>> {
    let spec = &policy["spec"];
    [
        &spec["limits"],
        &spec["defaults"]["limits"],
        &spec["overrides"]["limits"],
    ]
    .into_iter()
    .filter_map(Value::as_object)
    .flatten()
    .map(|(name, limit)| (name.as_str(), items(&limit["rates"]).filter_map(Rate::read).collect()))
    .collect()
}

fn rates_in_words(rates: &[Rate<'_>], unit: &str) -> String {
    let words: Vec<_> = rates
        .iter()
        .map(|rate| format!("{} {unit} per {}", rate.limit, rate.window))
        .collect();
    listed(&words)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gateway, gone, made, table, turned};
    use serde_json::{Value, json};

    fn policy(kind: &str, name: &str, limits: &[(&str, u64, &str)]) -> Value {
        let limits: serde_json::Map<_, _> = limits
            .iter()
            .map(|(name, limit, window)| {
                (
                    (*name).to_owned(),
                    json!({"rates": [{"limit": limit, "window": window}]}),
                )
            })
            .collect();
        json!({
            "apiVersion": if kind == "RateLimitPolicy" { "kuadrant.io/v1" } else { "kuadrant.io/v1alpha1" },
            "kind": kind,
            "metadata": {"name": name, "namespace": "openshift-ingress"},
            "spec": {"targetRef": {"kind": "Gateway", "name": "maas-default-gateway"}, "limits": limits},
        })
    }

    #[test]
    fn limits_of_a_gateway_are_told_with_their_figures() {
        let tokens = |limits: &[(&str, u64, &str)]| policy("TokenRateLimitPolicy", "gateway-token-rate-limits", limits);
        let requests = |limits: &[(&str, u64, &str)]| policy("RateLimitPolicy", "gateway-rate-limits", limits);
        let one: &[(&str, u64, &str)] = &[("free-user-tokens", 100, "1m")];
        let cases = [
            (
                "fewer tokens",
                vec![turned(tokens(one), tokens(&[("free-user-tokens", 50, "1m")]))],
            ),
            (
                "more requests",
                vec![turned(requests(&[("free", 5, "2m")]), requests(&[("free", 20, "2m")]))],
            ),
            (
                "one more",
                vec![turned(
                    tokens(one),
                    tokens(&[("free-user-tokens", 100, "1m"), ("premium-user-tokens", 50_000, "1m")]),
                )],
            ),
            (
                "one less",
                vec![turned(
                    tokens(&[("free-user-tokens", 100, "1m"), ("b", 1, "1m")]),
                    tokens(one),
                )],
            ),
            ("gone", vec![gone(tokens(one))]),
            (
                "gone with its gateway",
                vec![
                    gone(tokens(one)),
                    gone(gateway("maas-default-gateway", "maas.example.com")),
                ],
            ),
            ("made", vec![made(tokens(one))]),
        ];
        insta::assert_snapshot!(table(&cases), @r#"
        # fewer tokens
        disruption: lowers limit free-user-tokens on maas-default-gateway from 100 to 50 tokens per 1m: applies to all its callers at once
        # more requests
        notice: raises limit free on maas-default-gateway from 5 to 20 requests per 2m: applies to all its callers at once
        # one more
        disruption: adds limit premium-user-tokens on maas-default-gateway: 50000 tokens per 1m
        # one less
        access: drops limit b on maas-default-gateway: its callers have no such limit any more
        # gone
        access: ends the limits on tokens of TokenRateLimitPolicy gateway-token-rate-limits on maas-default-gateway
        # gone with its gateway
        disruption: deletes gateway maas-default-gateway: every URL below https://maas.example.com ends
        # made
        nothing
        "#);
    }
}
