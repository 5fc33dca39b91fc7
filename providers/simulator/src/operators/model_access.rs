//! Who may call the models of an llm-d gateway: the AuthPolicies that `odh-model-controller` makes.
//!
//! Source: reference/serving.md §1.1 (which Gateways, both names, what is asked), §3.3, M25; `gateway_controller.go`,
//! `kserve_authpolicy_reconciler.go` of <https://github.com/opendatahub-io/odh-model-controller> (labels, owners, what is
//! taken away again).
//!
//! Invariants:
//! - A Gateway that models use, and that is not called unmanaged, asks for a token whose owner may `get` the service that
//!   the path names. A Gateway that no model uses any more asks nobody.
//! - A service that says `enable-auth: "false"` has a policy of its own on its route, which lets everybody in; one that
//!   says anything else, or nothing, has none and is ruled by its Gateway's.
//! - A policy of the same name that is somebody else's is left alone.
//!
//! Simplified: the anonymous policy names its method, where the real one leaves it empty.
//!
//! Left out: fairness and objectives of callers, delegation, models that are stopped.

use serde_json::{Value, json};

use super::kinds::{AUTH_POLICY, GATEWAY, HTTP_ROUTE, LLM_INFERENCE_SERVICE};
use super::object::{Read, object, owned_by};
use super::odh_model_controller::{asks_for_tls, is_unmanaged, is_used};
use super::turn::Turn;

const MANAGER: &str = "odh-model-controller";
/// For whom the tokens of callers have to be.
const AUDIENCE: &str = "https://kubernetes.default.svc";

/// Makes the policies of Gateways and of services, and takes those away that are not wanted any more.
pub(super) fn reconcile(turn: &mut Turn<'_>) {
    for gateway in turn.all(GATEWAY) {
        if gateway.is_deleting() {
            continue;
        }
        let wanted = (asks_for_tls(&gateway) || is_used(turn, &gateway)) && !is_unmanaged(&gateway);
        let policy = policy(&gateway, &gateway, of_gateway());
        realise(turn, wanted, policy);
    }
    for service in turn.all(LLM_INFERENCE_SERVICE) {
        let route = format!("{}-kserve-route", service.name());
        let Some(route) = turn.world.get(HTTP_ROUTE, service.namespace(), &route).cloned() else {
            continue;
        };
        if !service.is_deleting() {
            let policy = policy(&route, &service, of_everybody());
            realise(turn, is_open(&service), policy);
        }
    }
}

/// Returns whether a service says that nobody is to be asked who calls.
fn is_open(service: &Value) -> bool {
    let said = service.annotation("security.opendatahub.io/enable-auth");
    said.is_some_and(|said| said.trim().eq_ignore_ascii_case("false"))
}

fn realise(turn: &mut Turn<'_>, wanted: bool, policy: Value) {
    let (namespace, name) = (policy.namespace(), policy.name());
    let live = turn.world.get(AUTH_POLICY, namespace, name);
    if live.is_some_and(|live| live.label("app.kubernetes.io/managed-by") != Some(MANAGER)) {
        return;
    }
    if wanted {
        turn.ensure(AUTH_POLICY, policy);
    } else {
        turn.delete(AUTH_POLICY, namespace, name);
    }
}

/// Returns the policy of a target, which goes with its owner.
fn policy(target: &Value, owner: &Value, rules: Value) -> Value {
    let labels = json!({
        "app.kubernetes.io/name": "llminferenceservice-auth", "app.kubernetes.io/component": "llminferenceservice-policies",
        "app.kubernetes.io/part-of": "llminferenceservice", "app.kubernetes.io/managed-by": MANAGER,
    });
    let reference = json!({"group": GATEWAY.group, "kind": target["kind"], "name": target.name()});
    let parts = json!({"metadata": {"labels": labels}, "spec": {"targetRef": reference, "rules": rules}});
    let name = format!("{}-authn", target.name());
    owned_by(object(AUTH_POLICY, target.namespace(), &name, parts), owner)
}

/// A token of the cluster, and the right to `get` the service that the path names.
fn of_gateway() -> Value {
    let segment = |place: u8| json!({"expression": format!("request.path.split(\"/\")[{place}]")});
    json!({
        "authentication": {"kubernetes-user": {"kubernetesTokenReview": {"audiences": [AUDIENCE]}}},
        "authorization": {"inference-access": {
            "priority": 1,
            "kubernetesSubjectAccessReview": {
                "user": {"expression": "auth.identity.user.username"},
                "authorizationGroups": {"expression": "auth.identity.user.groups"},
                "resourceAttributes": {
                    "group": {"value": LLM_INFERENCE_SERVICE.group}, "resource": {"value": LLM_INFERENCE_SERVICE.plural},
                    "namespace": segment(1), "name": segment(2), "verb": {"value": "get"},
                },
            },
        }},
    })
}

fn of_everybody() -> Value {
    json!({"authentication": {"anonymous": {"anonymous": {}}}})
}
