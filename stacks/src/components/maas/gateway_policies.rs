//! The older generation: policies on the gateway that know a caller by the tier of its service account.
//!
//! A service that says which tier a caller is in has to be there already: it came with the releases that this generation
//! belongs to, and nothing here makes it. `modelsAsService: Managed` beside these policies would put a second policy of
//! each kind on the gateway, of which only one is enforced; that is refused when the facts are read.
//!
//! Facts: `reference/serving.md` §1.11.

use super::gateway;
use crate::{
    components::{
        Context,
        draft::{Draft, at, deployment, keyed, rolled_out, seconds, see},
        kuadrant, model,
        names::{INGRESS, MAAS_GATEWAY},
        project,
    },
    stack::{GatewayPolicies, GatewayTier, Rate, TierLookup},
};
use serde_json::{Map, Value, json};
use stackctl_engine::{
    Address, ObjectRef,
    readiness::Rule,
    resource::{Action, ConsequenceClass, Effect},
};
use std::collections::BTreeSet;

/// The policy that lets callers in.
pub(super) fn access() -> Address {
    at("maas.access")
}

fn lookup_there() -> Address {
    at("maas.tier-lookup")
}

fn mapping() -> Address {
    at("maas.tier-mapping")
}

/// The namespace whose service accounts are a tier.
fn namespace_of(tier: &GatewayTier) -> String {
    format!("{MAAS_GATEWAY}-tier-{}", tier.name)
}

pub(super) fn resources(context: &Context<'_>, wanted: &GatewayPolicies) -> Vec<Draft> {
    let mut nodes = lookup(wanted);
    nodes.extend(wanted.tiers.iter().map(tier_namespace));
    nodes.push(auth_policy(wanted));
    nodes.push(limits(
        "request-limits",
        "kuadrant.io/v1",
        "RateLimitPolicy",
        "gateway-rate-limits",
        wanted,
        |tier| (tier.name.to_string(), tier.requests),
    ));
    nodes.push(limits(
        "token-limits",
        "kuadrant.io/v1alpha1",
        "TokenRateLimitPolicy",
        "gateway-token-rate-limits",
        wanted,
        |tier| (format!("{}-user-tokens", tier.name), tier.tokens),
    ));
    nodes.extend(model_access(context, wanted));
    nodes.extend(enforced(context));
    nodes
}

/// The policies, by kind and name.
const POLICIES: [(&str, &str, &str); 3] = [
    ("kuadrant.io/v1", "AuthPolicy", "gateway-auth-policy"),
    ("kuadrant.io/v1", "RateLimitPolicy", "gateway-rate-limits"),
    (
        "kuadrant.io/v1alpha1",
        "TokenRateLimitPolicy",
        "gateway-token-rate-limits",
    ),
];

/// Kuadrant accepts a policy of a gateway at once, and enforces it once a route is attached there.
fn enforced(context: &Context<'_>) -> Option<Draft> {
    let policy = |(api_version, kind, name)| {
        see(
            ObjectRef::namespaced(api_version, kind, INGRESS, name),
            Rule::condition("Enforced"),
        )
    };
    let mut gate = Draft::gate(at("maas.enforced"), POLICIES.map(policy).to_vec())
        .within(seconds(180))
        .note("waits for the policies to be enforced on the gateway");
    let mut models = context.stack.maas_models().peekable();
    models.peek()?;
    for one in models {
        gate = gate.after(
            model::service(one.name.as_str()),
            "a policy of a gateway is enforced on the routes that are attached to it",
        );
    }
    for policy in [access(), at("maas.request-limits"), at("maas.token-limits")] {
        gate = gate.after_write(policy, "it is what has to be enforced");
    }
    Some(gate)
}

/// The service, the map that it reads, and the restart without which it does not read it.
fn lookup(wanted: &GatewayPolicies) -> Vec<Draft> {
    let TierLookup {
        namespace,
        service,
        port,
    } = &wanted.tier_lookup;
    let (namespace, service) = (namespace.as_str(), service.as_str());
    let mut there = rolled_out(namespace, &[service]);
    there.push(see(
        ObjectRef::namespaced("v1", "Service", namespace, service),
        Rule::Exists,
    ));
    let tiers: Vec<Value> = wanted.tiers.iter().map(mapped).collect();
    let text = yaml(&tiers);
    vec![
        Draft::gate(lookup_there(), there)
            .within(seconds(60))
            .note(format!(
                "waits for Service {namespace}/{service}:{port}, which says the tier of a caller"
            ))
            .asks(format!(
                "bring Deployment and Service {namespace}/{service}, by `[[manifests]]` or by hand"
            )),
        // The release that this generation belongs to brings one with it.
        Draft::object(
            mapping(),
            json!({
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "tier-to-group-mapping", "namespace": namespace},
                "data": {"tiers": text},
            }),
        )
        .expected()
        .after(lookup_there(), "it is what that service reads")
        .note(format!("{} tiers", wanted.tiers.len())),
        Draft::action(
            at("maas.tier-lookup-restart"),
            Action {
                effect: Effect::Restart {
                    target: deployment(namespace, service),
                },
                goal: rolled_out(namespace, &[service]),
                trigger: json!(tiers),
                satisfied_by_goal: false,
            },
        )
        .after(mapping(), "it reads the map only when it starts")
        .within(seconds(120))
        .note("restarts the lookup when the tiers changed"),
    ]
}

fn mapped(tier: &GatewayTier) -> Value {
    let groups: Vec<_> = tier.groups.iter().map(|group| group.as_str()).collect();
    json!({"name": tier.name.as_str(), "level": tier.level, "groups": groups})
}

/// A list of maps as YAML; names and groups hold no character that YAML would take for its own inside of quotes.
fn yaml(tiers: &[Value]) -> String {
    let mut text = String::new();
    for tier in tiers {
        text.extend([
            format!("- name: {}\n", tier["name"]),
            format!("  level: {}\n", tier["level"]),
            "  groups:\n".to_owned(),
        ]);
        for group in tier["groups"].as_array().into_iter().flatten() {
            text.extend([format!("  - {group}\n")]);
        }
    }
    text
}

/// maas-api makes it too, for the first caller of the tier.
fn tier_namespace(tier: &GatewayTier) -> Draft {
    Draft::object(
        keyed(&[("maas", ""), ("tier", tier.name.as_str()), ("namespace", "")]),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace_of(tier)}}),
    )
    .expected()
    .note(described(tier))
}

fn described(tier: &GatewayTier) -> String {
    let per = |rate: &Rate, what: &str| format!("{} {what} per {}", rate.tokens, rate.window);
    format!(
        "{} and {} a user",
        per(&tier.requests, "requests"),
        per(&tier.tokens, "tokens")
    )
}

/// What both kinds of limits and the access wait for.
fn policy(address: Address, manifest: Value) -> Draft {
    Draft::object(address, manifest)
        .ready(Rule::condition("Accepted"))
        .within(seconds(120))
        .after(kuadrant::ready(), "Kuadrant enforces it")
        .after(gateway::gateway(), "it is a policy of the gateway")
}

fn target() -> Value {
    json!({"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": MAAS_GATEWAY})
}

fn auth_policy(wanted: &GatewayPolicies) -> Draft {
    let TierLookup {
        namespace,
        service,
        port,
    } = &wanted.tier_lookup;
    let url = format!("http://{service}.{namespace}.svc.cluster.local:{port}/v1/tiers/lookup");
    let path = |segment: u8| json!({"expression": format!("request.path.split(\"/\")[{segment}]")});
    let rules = json!({
        "authentication": {"service-accounts": {
            "kubernetesTokenReview": {"audiences": [wanted.audience]},
            // The name of the account: its user is `system:serviceaccount:<namespace>:<name>`.
            "defaults": {"userid": {"expression": "auth.identity.user.username.split(\":\")[3]"}},
        }},
        "metadata": {"matchedTier": {
            "http": {
                "url": url,
                "method": "POST",
                "contentType": "application/json",
                "body": {"expression": "{\"groups\": auth.identity.user.groups}"},
            },
            "cache": {"key": {"expression": "auth.identity.user.username"}, "ttl": 300},
        }},
        "authorization": {"tier-access": {"kubernetesSubjectAccessReview": {
            "user": {"expression": "auth.identity.user.username"},
            "authorizationGroups": {"expression": "auth.identity.user.groups"},
            "resourceAttributes": {
                "group": {"value": "serving.kserve.io"},
                "resource": {"value": "llminferenceservices"},
                "namespace": path(1),
                "name": path(2),
                "verb": {"value": "post"},
            },
        }}},
        "response": {"success": {"filters": {"identity": {"json": {"properties": {
            "userid": {"expression": "auth.identity.userid"},
            "tier": {"expression": "auth.metadata.matchedTier.tier"},
        }}}}}},
    });
    policy(
        access(),
        json!({
            "apiVersion": "kuadrant.io/v1",
            "kind": "AuthPolicy",
            "metadata": {"name": "gateway-auth-policy", "namespace": INGRESS},
            "spec": {"targetRef": target(), "rules": rules},
        }),
    )
    .tells(ConsequenceClass::Notice, super::tiers::STREAMING)
    .after(lookup_there(), "every call asks it for the tier of its caller")
    .note(format!("for service accounts with audience {}", wanted.audience))
}

fn limits(
    role: &str,
    api_version: &str,
    kind: &str,
    name: &str,
    wanted: &GatewayPolicies,
    of: impl Fn(&GatewayTier) -> (String, Rate),
) -> Draft {
    let limits: Map<String, Value> = wanted
        .tiers
        .iter()
        .map(|tier| {
            let (name, rate) = of(tier);
            let limit = json!({
                "rates": [{"limit": rate.tokens, "window": rate.window.to_string()}],
                "when": [{"predicate": format!("auth.identity.tier == \"{}\"", tier.name)}],
                "counters": [{"expression": "auth.identity.userid"}],
            });
            (name, limit)
        })
        .collect();
    policy(
        keyed(&[("maas", ""), (role, "")]),
        json!({
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"name": name, "namespace": INGRESS},
            "spec": {"targetRef": target(), "limits": limits},
        }),
    )
    .after_write(access(), "it counts for the tier that the access policy finds")
    .note(format!("{} tiers", wanted.tiers.len()))
}

/// The service accounts of every tier may call the models of a project (`reference/serving.md` §1.11, last rows).
fn model_access(context: &Context<'_>, wanted: &GatewayPolicies) -> Vec<Draft> {
    let projects: BTreeSet<_> = context
        .stack
        .maas_models()
        .map(|model| model.namespace.as_str())
        .collect();
    let group = |name: String| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": name});
    let subjects: Vec<_> = wanted
        .tiers
        .iter()
        .map(|tier| group(format!("system:serviceaccounts:{}", namespace_of(tier))))
        .collect();
    let of_project = |project: &str| {
        let address = |role| keyed(&[("maas", ""), ("project", project), (role, "")]);
        let metadata = |name: &str| json!({"name": name, "namespace": project});
        [
            Draft::object(
                address("role"),
                json!({
                    "apiVersion": "rbac.authorization.k8s.io/v1",
                    "kind": "Role",
                    "metadata": metadata("model-post-access"),
                    "rules": [{
                        "apiGroups": ["serving.kserve.io"], "resources": ["llminferenceservices"], "verbs": ["post"],
                    }],
                }),
            )
            .after(project::namespace(project), "it is about that project"),
            Draft::object(
                address("binding"),
                json!({
                    "apiVersion": "rbac.authorization.k8s.io/v1",
                    "kind": "RoleBinding",
                    "metadata": metadata("model-post-access-tier-binding"),
                    "roleRef": {
                        "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "model-post-access",
                    },
                    "subjects": subjects,
                }),
            )
            .after_write(address("role"), "it hands out that role"),
        ]
    };
    projects.into_iter().flat_map(of_project).collect()
}
