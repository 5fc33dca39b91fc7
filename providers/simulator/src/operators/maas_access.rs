//! What the AuthPolicies of MaaS say: that of each model, and that of its API.
//!
//! Source: reference/serving.md §1.12 (authentication, metadata and its cache, rules, denials, what is stripped), §3.1 (who may
//! call what, headers); `maasauthpolicy_controller.go` and `maas-api/policies` of
//! <https://github.com/opendatahub-io/models-as-a-service> v0.1.1.
//!
//! Simplified: the rules are patterns in CEL, where the real ones are programs in Rego that say the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::{GATEWAY, HTTP_ROUTE};
use super::object::Read;

const API: &str = "https://maas-api.redhat-ods-applications.svc.cluster.local:8443/internal/v1";
/// How long Authorino keeps what maas-api answered, in seconds.
const KEPT: u32 = 60;
/// Whose tokens the API server is asked about.
const AUDIENCES: [&str; 2] = ["https://kubernetes.default.svc", "maas-default-gateway-sa"];
const HAS_KEY: &str = "has(auth.metadata) && has(auth.metadata.apiKeyValidation)";
const KEY: &str = "request.headers.authorization.replace(\"Bearer \", \"\")";

fn is_key() -> Value {
    json!([{"selector": "request.headers.authorization", "operator": "matches", "value": "^Bearer sk-oai-.*"}])
}

fn key_source() -> Value {
    json!({"plain": {"selector": "request.headers.authorization"}, "when": is_key(), "priority": 0})
}

fn key_validation() -> Value {
    json!({
        "http": {
            "url": format!("{API}/api-keys/validate"), "method": "POST", "contentType": "application/json",
            "body": {"expression": format!("{{\"key\": {KEY}}}")},
        },
        "cache": {"key": {"expression": KEY}, "ttl": KEPT},
        "when": is_key(), "priority": 0,
    })
}

/// Returns the expression of what a key was bound to, or of what the token's owner has.
fn of(key: &str, token: &str) -> String {
    format!("({HAS_KEY} ? auth.metadata.apiKeyValidation.{key} : {token})")
}

/// Who may call a model: the subjects of every MaaSAuthPolicy that names it.
pub(super) fn of_model(reference: &Value, target: &Value, parents: &[Arc<Value>]) -> Value {
    let model = format!("{}/{}", reference.namespace(), reference.name());
    let groups = of("groups", "auth.identity.user.groups");
    let username = of("username", "auth.identity.user.username");
    let wanted = of(
        "subscription",
        "(\"x-maas-subscription\" in request.headers ? request.headers[\"x-maas-subscription\"] : \"\")",
    );
    let selection = format!(
        "{{\"groups\": {groups}, \"username\": {username}, \"requestedSubscription\": {wanted}, \"requestedModel\": \"{model}\"}}"
    );
    let info = "auth.metadata[\"subscription-info\"]";
    let is_known = "has(auth.metadata) && \"subscription-info\" in auth.metadata";
    let said =
        |field: &str, otherwise: &str| format!("{is_known} && has({info}.{field}) ? {info}.{field} : {otherwise}");
    let mut authorization = json!({
        "auth-valid": {"patternMatching": {"patterns": [{"predicate": of("valid", "auth.identity.user.username != \"\"")}]}},
        "subscription-valid": {"patternMatching": {"patterns": [
            {"predicate": format!("{info}.name != \"\" && {info}.phase in [\"Active\", \"Degraded\"] && !has({info}.deletionTimestamp)")},
        ]}},
    });
    if let Some(membership) = membership(parents, &groups, &username) {
        authorization["require-group-membership"] =
            json!({"patternMatching": {"patterns": [{"predicate": membership}]}});
    }
    json!({
        "targetRef": target,
        "rules": {
            "authentication": {
                "api-keys": key_source(),
                "kubernetes-tokens": {
                    "kubernetesTokenReview": {"audiences": AUDIENCES}, "priority": 1,
                    "when": [
                        {"selector": "request.url_path", "operator": "matches", "value": ".*/v1/models$"},
                        {"selector": "request.headers.authorization", "operator": "neq", "value": ""},
                    ],
                },
            },
            "metadata": {
                "apiKeyValidation": key_validation(),
                "subscription-info": {
                    "http": {
                        "url": format!("{API}/subscriptions/select"), "method": "POST", "contentType": "application/json",
                        "body": {"expression": selection},
                    },
                    "cache": {"key": {"expression": format!("{username} + \"|\" + {groups}.join(\",\") + \"|\" + {wanted} + \"|{model}\"")}, "ttl": KEPT},
                    "priority": 1,
                },
            },
            "authorization": authorization,
            "response": {
                "success": {
                    "headers": {
                        "Authorization": {"plain": {"value": ""}, "key": "authorization"},
                        "X-MaaS-Subscription": {"plain": {"expression": of("subscription", "\"\"")}},
                    },
                    "filters": {"identity": {"json": {"properties": {
                        "userid": {"selector": "auth.metadata.apiKeyValidation.username"},
                        "keyId": {"selector": "auth.metadata.apiKeyValidation.keyId"},
                        "groups": {"selector": "auth.metadata.apiKeyValidation.groups"},
                        "selected_subscription": {"expression": said("name", "\"\"")},
                        "selected_subscription_key": {"expression": format!("{info}.namespace + \"/\" + {info}.name + \"@{model}\"")},
                        "subscription_info": {"selector": "auth.metadata.subscription-info"},
                    }}}},
                },
                "unauthenticated": {"code": 401, "message": {"value": "Authentication required"}},
                "unauthorized": {
                    "code": 403, "body": {"expression": said("message", "\"Access denied\"")},
                    "headers": {
                        "x-ext-auth-reason": {"expression": said("error", "\"unauthorized\"")},
                        "content-type": {"value": "text/plain"},
                    },
                },
            },
        },
    })
}

/// Returns the rule that a caller has to be one of the subjects; none where there are no subjects.
fn membership(parents: &[Arc<Value>], groups: &str, username: &str) -> Option<String> {
    let mut allowed_groups = BTreeSet::new();
    let mut allowed_users = BTreeSet::new();
    for parent in parents {
        allowed_groups.extend(
            parent
                .list("/spec/subjects/groups")
                .iter()
                .map(|group| group.text("/name")),
        );
        allowed_users.extend(parent.list("/spec/subjects/users").iter().filter_map(Value::as_str));
    }
    let any = !allowed_groups.is_empty() || !allowed_users.is_empty();
    any.then(|| {
        let quoted = |names: BTreeSet<&str>| {
            names
                .into_iter()
                .map(|name| format!("\"{name}\""))
                .collect::<Vec<_>>()
                .join(",")
        };
        format!(
            "{groups}.exists(g, g in [{}]) || {username} in [{}]",
            quoted(allowed_groups),
            quoted(allowed_users)
        )
    })
}

/// Who may call maas-api: whoever has a key or a token. It learns from headers who that is.
pub(super) fn of_api() -> Value {
    let by_token = json!([{"predicate": "!request.headers.authorization.startsWith(\"Bearer sk-oai-\")"}]);
    json!({
        "targetRef": {"group": GATEWAY.group, "kind": HTTP_ROUTE.kind, "name": "maas-api-route"},
        // Its health is everybody's to ask.
        "when": [{"predicate": "request.path != \"/maas-api/health\" || request.method != \"GET\""}],
        "rules": {
            "authentication": {
                "api-keys": key_source(),
                "openshift-identities": {"kubernetesTokenReview": {"audiences": AUDIENCES}, "when": by_token, "priority": 1},
            },
            "metadata": {"apiKeyValidation": key_validation()},
            "authorization": {"api-key-valid": {
                "when": is_key(),
                "patternMatching": {"patterns": [{"selector": "auth.metadata.apiKeyValidation.valid", "operator": "eq", "value": "true"}]},
            }},
            "response": {"success": {"headers": {
                "X-MaaS-Username": {"plain": {"selector": "auth.metadata.apiKeyValidation.username"}, "when": is_key()},
                "X-MaaS-Username-OC": {"plain": {"selector": "auth.identity.user.username"}, "key": "X-MaaS-Username", "when": by_token, "priority": 1},
                "X-MaaS-Group": {"plain": {"selector": "auth.metadata.apiKeyValidation.groups.@tostr"}, "when": is_key()},
                "X-MaaS-Group-OC": {"plain": {"selector": "auth.identity.user.groups.@tostr"}, "key": "X-MaaS-Group", "when": by_token, "priority": 1},
                "X-MaaS-Subscription": {"plain": {"selector": "auth.metadata.apiKeyValidation.subscription"}, "when": is_key()},
            }}},
        },
    })
}
