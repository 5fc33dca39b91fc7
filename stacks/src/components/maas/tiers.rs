//! Tiers: for each a subscription (how much), an auth policy (who), and the gate that both are enforced.
//!
//! The gate looks at the policies that the controller generates, one of each kind for a model, made of all tiers. That
//! they hold this tier's very numbers is what makes the evidence fresh.
//!
//! Facts: `reference/serving.md` §1.12, §4.

use super::{groups, registration, symptoms};
use crate::{
    components::{
        Context,
        draft::{Draft, TAKES_NOTICE, contains, keyed, seconds, see},
        names::MAAS,
    },
    stack::{Maas, ModelLimits, Subscriptions, Tier, TierMetadata},
};
use serde_json::{Value, json};
use stackctl_engine::{
    Address, FieldPath, ObjectRef,
    field::PathElement,
    readiness::{Matcher, Observation, Rule},
};

/// What no limit on tokens covers (`reference/serving.md` §4 item 10).
pub(super) const STREAMING: &str = "limits MaaS by tokens of whole answers: those of streamed ones are not counted, and streams hang instead of answering 429 once a limit is used up";

pub(super) fn resources(context: &Context<'_>, maas: &Maas, subscriptions: &Subscriptions) -> Vec<Draft> {
    subscriptions
        .tiers
        .iter()
        .flat_map(|tier| of_tier(context, maas, tier))
        .collect()
}

fn address(tier: &Tier, role: &str) -> Address {
    keyed(&[("maas", ""), ("tier", tier.name.as_str()), (role, "")])
}

fn of_tier(context: &Context<'_>, maas: &Maas, tier: &Tier) -> [Draft; 3] {
    let after_what_it_names = |mut node: Draft| {
        for limits in &tier.limits {
            node = node.after(
                registration::reference(limits.model.as_str()),
                "it names the model as MaaS knows it",
            );
        }
        for group in tier.groups.iter().filter_map(|name| groups::group(maas, name.as_str())) {
            node = node.after_write(group, "it names the group");
        }
        node
    };
    let time = maas.ready_timeout;
    let observations = tier.limits.iter().flat_map(|limits| enforced(context, tier, limits));
    [
        after_what_it_names(subscription(context, tier)),
        after_what_it_names(auth_policy(context, tier)),
        Draft::gate(address(tier, "enforced"), observations.collect())
            .after_write(
                address(tier, "subscription"),
                "maas-controller writes its limits into the policies",
            )
            .after_write(
                address(tier, "access"),
                "maas-controller writes who may call into the policies",
            )
            .within(time.map_or(seconds(180), |timeout| timeout.as_duration()))
            .diagnosed_by(
                tier.limits
                    .iter()
                    .flat_map(|limits| symptoms::policies(namespace(context, limits), limits.model.as_str())),
            )
            .note("waits for the limits to be enforced on the gateway"),
    ]
}

/// The name of its subscription, which the gateway's metrics tell a tier by.
pub(super) fn subscription_name(tier: &Tier) -> String {
    format!("{}-subscription", tier.name)
}

fn auth_policy_name(tier: &Tier) -> String {
    format!("{}-auth-policy", tier.name)
}

fn namespace<'a>(context: &Context<'a>, limits: &ModelLimits) -> &'a str {
    let external = context.stack.maas.iter().flat_map(Maas::external_models);
    let external = external.filter(|model| model.name == limits.model);
    // The language lets a tier name only models of the stack, here or elsewhere.
    context
        .stack
        .model(&limits.model)
        .map(|model| model.namespace.as_str())
        .or_else(|| external.map(|model| model.namespace.as_str()).next())
        .unwrap_or_default()
}

/// Whom a tier is charged to, as both of its objects have it; null where nothing is said.
fn charged(metadata: &TierMetadata) -> Value {
    let mut charged = Value::Null;
    if let Some(organization) = &metadata.organization_id {
        charged["organizationId"] = json!(organization);
    }
    if let Some(cost_center) = &metadata.cost_center {
        charged["costCenter"] = json!(cost_center);
    }
    if !metadata.labels.is_empty() {
        charged["labels"] = json!(metadata.labels);
    }
    charged
}

/// The people of a tier; a group reference has a name and nothing else (`reference/serving.md` §7 row 6).
fn people(tier: &Tier) -> Value {
    let mut people = json!({});
    if !tier.groups.is_empty() {
        people["groups"] = tier
            .groups
            .iter()
            .map(|group| json!({"name": group.as_str()}))
            .collect();
    }
    if !tier.users.is_empty() {
        people["users"] = tier.users.iter().map(|user| json!(user.as_str())).collect();
    }
    people
}

fn subscription(context: &Context<'_>, tier: &Tier) -> Draft {
    let model = |limits: &ModelLimits| {
        let rates: Vec<_> = limits
            .rates
            .iter()
            .map(|rate| json!({"limit": rate.tokens, "window": rate.window.to_string()}))
            .collect();
        let mut entry = json!({
            "name": limits.model.as_str(),
            "namespace": namespace(context, limits),
            "tokenRateLimits": rates,
        });
        if let Some(price) = &tier.billing_per_token {
            entry["billingRate"] = json!({"perToken": price});
        }
        entry
    };
    let mut spec = json!({
        "priority": tier.priority,
        "owner": people(tier),
        "modelRefs": tier.limits.iter().map(model).collect::<Vec<_>>(),
    });
    let charged = charged(&tier.metadata);
    if !charged.is_null() {
        spec["tokenMetadata"] = charged;
    }
    Draft::object(
        address(tier, "subscription"),
        json!({
            "apiVersion": "maas.opendatahub.io/v1alpha1",
            "kind": "MaaSSubscription",
            "metadata": {"name": subscription_name(tier), "namespace": MAAS},
            "spec": spec,
        }),
    )
    .ready(Rule::equals("status.phase", "Active"))
    // A phase says of no generation: `Active` may be about the models and limits of before.
    .settled(TAKES_NOTICE)
    .diagnosed(symptoms::subscription(&subscription_name(tier)))
    .within(seconds(180))
    .note(described(tier))
}

/// What users of a tier get of its first model; what of each, and what a change of it is, `consequences` tells.
fn described(tier: &Tier) -> String {
    let promise = |limits: &ModelLimits| {
        let rates: Vec<_> = limits
            .rates
            .iter()
            .map(|rate| format!("{} tokens per {}", rate.tokens, rate.window))
            .collect();
        format!(
            "users of tier {} get {} on {}",
            tier.name,
            rates.join(" and "),
            limits.model
        )
    };
    tier.limits.first().map(promise).unwrap_or_default()
}

fn auth_policy(context: &Context<'_>, tier: &Tier) -> Draft {
    let model = |limits: &ModelLimits| json!({"name": limits.model.as_str(), "namespace": namespace(context, limits)});
    let mut spec = json!({
        "subjects": people(tier),
        "modelRefs": tier.limits.iter().map(model).collect::<Vec<_>>(),
    });
    let charged = charged(&tier.metadata);
    if !charged.is_null() {
        spec["meteringMetadata"] = charged;
    }
    // No rule of its own: its status is known to lag (`reference/serving.md` §5.2 P17); the gate sees the policy itself.
    Draft::object(
        address(tier, "access"),
        json!({
            "apiVersion": "maas.opendatahub.io/v1alpha1",
            "kind": "MaaSAuthPolicy",
            "metadata": {"name": auth_policy_name(tier), "namespace": MAAS},
            "spec": spec,
        }),
    )
}

/// What has to be seen of one model: both generated policies, accepted, enforced, and of this tier.
fn enforced(context: &Context<'_>, tier: &Tier, limits: &ModelLimits) -> [Observation; 2] {
    let (namespace, model) = (namespace(context, limits), limits.model.as_str());
    let entry = format!("{MAAS}-{}-{model}-tokens", subscription_name(tier));
    let rates = FieldPath::of("spec.limits").field(&entry).field("rates");
    let mut quota = Vec::new();
    for (index, rate) in limits.rates.iter().enumerate() {
        let at = rates.child(PathElement::Index(index));
        let is = |field: &str, value: Value| Rule::Field {
            path: at.field(field),
            is: Matcher::Equals(value),
        };
        quota.push(is("limit", json!(rate.tokens)));
        quota.push(is("window", json!(rate.window.to_string())));
    }
    let access = vec![contains(
        r#"metadata.annotations["maas.opendatahub.io/auth-policies"]"#,
        &auth_policy_name(tier),
    )];
    let in_force = |mut rules: Vec<Rule>| {
        rules.extend([Rule::condition("Accepted"), Rule::condition("Enforced")]);
        Rule::All(rules)
    };
    [
        see(
            ObjectRef::namespaced("kuadrant.io/v1", "AuthPolicy", namespace, &format!("maas-auth-{model}")),
            in_force(access),
        ),
        see(
            ObjectRef::namespaced(
                "kuadrant.io/v1alpha1",
                "TokenRateLimitPolicy",
                namespace,
                &format!("maas-trlp-{model}"),
            ),
            in_force(quota),
        ),
    ]
}
