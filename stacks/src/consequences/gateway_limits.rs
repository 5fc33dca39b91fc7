//! Limits on a gateway as a whole: TokenRateLimitPolicy and RateLimitPolicy, as tiers were before subscriptions.
//!
//! Facts: `reference/serving.md` §1.11.

use super::{
    namespace::of_tier,
    rates::{Rate, Scope, changes},
    words::{access, disruption, listed, made_again, named},
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
    if transition.is_made_again() {
        told.push(access(format!(
            "{}: no limit on {unit} holds on {on} in between",
            made_again(&named(&transition.object))
        )));
    }
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
    // A tier that goes takes its callers along, and says so itself.
    let tiers = tiers(before);
    let of_gone_tier = |limit: &str| {
        tiers
            .get(limit)
            .is_some_and(|tier| world.namespace_goes(&of_tier(tier)))
    };
    for name in old
        .keys()
        .filter(|name| !new.contains_key(*name) && !of_gone_tier(name))
    {
        told.push(access(format!(
            "drops limit {name} on {on}: its callers have no such limit any more"
        )));
    }
    told
}

/// The limits of a policy by name.
fn limits(policy: &Value) -> BTreeMap<&str, Vec<Rate<'_>>> {
    written(policy)
        .map(|(name, limit)| (name, items(&limit["rates"]).filter_map(Rate::read).collect()))
        .collect()
}

/// The tier that each limit is for, where it is for one: `auth.identity.tier == "free"`.
fn tiers(policy: &Value) -> BTreeMap<&str, &str> {
    fn tier(limit: &Value) -> Option<&str> {
        let predicates = items(&limit["when"]).filter_map(|when| when["predicate"].as_str());
        let mut tiers = predicates.filter_map(|text| text.strip_prefix(OF_TIER)?.strip_suffix('"'));
        tiers.next()
    }
    written(policy)
        .filter_map(|(name, limit)| Some((name, tier(limit)?)))
        .collect()
}

/// How a limit says for which tier it is.
const OF_TIER: &str = "auth.identity.tier == \"";

/// The limits of a policy where ever they stand in it (Kuadrant's `defaults` and `overrides` hold the same).
fn written(policy: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let spec = &policy["spec"];
    [
        &spec["limits"],
        &spec["defaults"]["limits"],
        &spec["overrides"]["limits"],
    ]
    .into_iter()
    .filter_map(Value::as_object)
    .flatten()
    .map(|(name, limit)| (name.as_str(), limit))
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
    use super::super::testing::{gateway, gone, made, namespace, table, turned};
    use serde_json::{Value, json};

    fn policy(kind: &str, name: &str, limits: &[(&str, u64, &str)]) -> Value {
        let limits: serde_json::Map<_, _> = limits
            .iter()
            .map(|(name, limit, window)| {
                (
                    (*name).to_owned(),
                    json!({
                        "rates": [{"limit": limit, "window": window}],
                        "when": [{"predicate": format!("auth.identity.tier == \"{name}\"")}],
                    }),
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
            (
                "one less, with its tier",
                vec![
                    turned(
                        requests(&[("free", 5, "2m"), ("b", 1, "1m")]),
                        requests(&[("free", 5, "2m")]),
                    ),
                    gone(namespace("maas-default-gateway-tier-b")),
                ],
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
        # one less, with its tier
        disruption: deletes namespace maas-default-gateway-tier-b with the service accounts of tier b and their tokens: its callers get 401
        # gone
        access: ends the limits on tokens of TokenRateLimitPolicy gateway-token-rate-limits on maas-default-gateway
        # gone with its gateway
        disruption: deletes gateway maas-default-gateway: every URL below https://maas.example.com ends
        # made
        nothing
        "#);
    }
}
