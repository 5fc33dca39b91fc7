//! `odh-model-controller`: stands for its controller `gateway-auth-bootstrap`, for what it makes for gateways, and for the
//! accounts of connections. The policies that it makes are [`super::model_access`].
//!
//! Source: reference/serving.md §1.9 (mechanics of the race): a Gateway that asks for TLS towards Authorino gets the
//! EnvoyFilter `<gateway>-authn-ssl`, but only if Authorino's CR has TLS on when the Gateway is looked at. That is on
//! every changed write of the Gateway, when a model that uses it comes or goes, and at the controller's start, and not when
//! Authorino changes.
//!
//! Invariants:
//! - What was looked at is written on the controller's own pod ([`LOOKED`]), Gateway by Gateway, with the Gateway's spec,
//!   labels, annotations and models: the same content is not looked at twice, and a new pod looks at everything.
//! - A look that a fault makes a miss is written on the controller's Deployment ([`MISSED`]), with the pod and the content
//!   it was of: another pod or other content is looked at as ever, so one remedy heals it and it never comes back.
//!
//! - A pod that started before the kind of AuthPolicies was there looks at no Gateway ([`KINDS`]); a new one does.
//!
//! Left out: that the kind of EnvoyFilters is looked for at the start too; a status write of the Gateway as trigger (it heals a miss by accident). The
//! account of an S3 connection comes a moment after the model, where the real webhook makes it a moment before.

use std::sync::Arc;

use serde_json::{Value, json};

use super::APPLICATIONS;
use super::kinds::{
    AUTHORINO, DEPLOYMENT, ENVOY_FILTER, GATEWAY, KUADRANT, LLM_INFERENCE_SERVICE, POD, SECRET, SERVICE_ACCOUNT,
};
use super::object::{Read, object, owned_by, suffix};
use super::turn::Turn;
use super::{connections, model_access};
use crate::faults::FaultName;

const ASKS: &str = "security.opendatahub.io/authorino-tls-bootstrap";
const MANAGED: &str = "opendatahub.io/managed";
/// Prefix of the annotations that remember what the pod has looked at.
const LOOKED: &str = "looked.simulator.stackctl.dev/";
/// Prefix of the annotations that remember which look was a miss.
const MISSED: &str = "missed.simulator.stackctl.dev/";
/// What the pod found of the kinds that it watches when it started: `present` or `missing`.
const KINDS: &str = "simulator.stackctl.dev/policy-kinds-at-start";
const NAME: &str = "odh-model-controller";

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    accounts(turn);
    let Some(pod) = turn.all(POD).into_iter().find(|pod| {
        pod.namespace() == APPLICATIONS
            && pod.label("control-plane") == Some(NAME)
            && pod.is("Ready")
            && !pod.is_deleting()
    }) else {
        return;
    };
    if is_blind(turn, &pod) {
        return;
    }
    model_access::reconcile(turn);
    for gateway in turn.all(GATEWAY) {
        if gateway.is_deleting() {
            continue;
        }
        let seen = digest(turn, &gateway);
        let key = format!("{LOOKED}{}", gateway.uid());
        if pod.annotation(&key) == Some(seen.as_str()) {
            continue;
        }
        if is_missed(turn, &gateway, &format!("{}.{seen}", pod.uid())) || !look(turn, &gateway) {
            continue;
        }
        turn.patch(POD, &pod, json!({"metadata": {"annotations": {key: seen}}}));
    }
}

/// Returns whether the controller's pod started before the kinds of policies were there: it looks for them once
/// (reference/serving.md §1.9 last item, K7). What it found is written on the pod. A fault makes the pod that it meets first
/// one that found none, whether that has looked before or not; the next one finds them.
fn is_blind(turn: &mut Turn<'_>, pod: &Value) -> bool {
    let is_missed = turn.faults.on(FaultName::PolicyKindsMissed);
    let deployment = turn.world.get(DEPLOYMENT, APPLICATIONS, NAME).cloned();
    let is_first = |deployment: &Value| deployment.annotation(KINDS).is_none();
    if let Some(deployment) = deployment.filter(|deployment| is_missed && is_first(deployment)) {
        let once = json!({"metadata": {"annotations": {KINDS: "missed once"}}});
        turn.patch(DEPLOYMENT, &deployment, once);
        turn.patch(POD, pod, json!({"metadata": {"annotations": {KINDS: "missing"}}}));
        return true;
    }
    match pod.annotation(KINDS) {
        Some("missing") => true,
        Some(_) => false,
        None => {
            let there = turn.world.is_established("authpolicies.kuadrant.io");
            let found = if there { "present" } else { "missing" };
            turn.patch(POD, pod, json!({"metadata": {"annotations": {KINDS: found}}}));
            true
        }
    }
}

/// Returns whether this look, of this pod at this content, is the one that a fault makes a miss.
fn is_missed(turn: &mut Turn<'_>, gateway: &Value, look: &str) -> bool {
    let key = format!("{MISSED}{}", gateway.uid());
    let Some(deployment) = turn.world.get(DEPLOYMENT, APPLICATIONS, NAME).cloned() else {
        return false;
    };
    match deployment.annotation(&key) {
        Some(missed) => missed == look,
        None => {
            let asks = gateway.annotation(ASKS) == Some("true");
            let faulty = asks && turn.faults.at(FaultName::AuthorinoTlsMissed, gateway.name());
            if faulty {
                let patch = json!({"metadata": {"annotations": {key: look}}});
                turn.patch(DEPLOYMENT, &deployment, patch);
            }
            faulty
        }
    }
}

/// Makes the account that a model with an S3 connection runs as, once (`internal/webhook/connectionapi` of
/// <https://github.com/opendatahub-io/odh-model-controller>).
fn accounts(turn: &mut Turn<'_>) {
    for service in turn.all(LLM_INFERENCE_SERVICE) {
        let Some(name) = connections::named(&service).filter(|_| !service.is_deleting()) else {
            continue;
        };
        let secret = turn.world.get(SECRET, service.namespace(), name);
        if secret.is_some_and(|secret| connections::protocol(secret) == Some(connections::Protocol::S3)) {
            let account = connections::account(name);
            let parts = json!({"secrets": [{"name": name}]});
            turn.create(
                SERVICE_ACCOUNT,
                object(SERVICE_ACCOUNT, service.namespace(), &account, parts),
            );
        }
    }
}

/// Changes with every write that changes the Gateway, but for its status, and with the models that use it.
fn digest(turn: &Turn<'_>, gateway: &Value) -> String {
    let metadata = &gateway["metadata"];
    let mut text = format!("{} {} {}", gateway["spec"], metadata["labels"], metadata["annotations"]);
    for service in users(turn, gateway) {
        text.push_str(service.uid());
    }
    format!("{}{}", suffix(&text), suffix(&format!("{text} ")))
}

/// Returns whether a Gateway asks for TLS towards Authorino.
pub(super) fn asks_for_tls(gateway: &Value) -> bool {
    gateway.annotation(ASKS) == Some("true")
}

/// Returns whether a Gateway says that it is nobody else's to manage.
pub(super) fn is_unmanaged(gateway: &Value) -> bool {
    gateway.annotation(MANAGED) == Some("false") || gateway.label(MANAGED) == Some("false")
}

/// Returns whether a model uses a Gateway.
pub(super) fn is_used(turn: &Turn<'_>, gateway: &Value) -> bool {
    users(turn, gateway).next().is_some()
}

/// Returns the models that use a Gateway: by name, or because they name none and this is the default one.
fn users<'a>(turn: &Turn<'a>, gateway: &'a Value) -> impl Iterator<Item = &'a Arc<Value>> + use<'a> {
    let services = turn.world.list(LLM_INFERENCE_SERVICE);
    services.filter(|service| {
        let references = service.list("/spec/router/gateway/refs");
        let names = |reference: &Value| reference.text("/name") == gateway.name();
        !service.is_deleting()
            && (references.iter().any(names) || references.is_empty() && gateway.name() == "openshift-ai-inference")
    })
}

/// Looks at a Gateway once. Returns whether what follows from it is done.
fn look(turn: &mut Turn<'_>, gateway: &Value) -> bool {
    let (namespace, name) = (gateway.namespace(), format!("{}-authn-ssl", gateway.name()));
    if !asks_for_tls(gateway) && (is_unmanaged(gateway) || !is_used(turn, gateway)) {
        // Taking the annotation away from an unmanaged gateway deletes its filter (reference/serving.md §1.9).
        turn.delete(ENVOY_FILTER, namespace, &name);
        return true;
    }
    if !authorino_has_tls(turn) {
        return true;
    }
    let filter = object(
        ENVOY_FILTER,
        namespace,
        &name,
        json!({
            "metadata": {"labels": {"app.kubernetes.io/managed-by": "odh-model-controller"}},
            "spec": {
                "targetRefs": [{"group": GATEWAY.group, "kind": GATEWAY.kind, "name": gateway.name()}],
                "configPatches": [{"applyTo": "CLUSTER"}],
            },
        }),
    );
    turn.ensure(ENVOY_FILTER, owned_by(filter, gateway));
    turn.world.has(ENVOY_FILTER, namespace, &name)
}

/// Kuadrant's namespace is where Authorino is looked for; where there is none, TLS is assumed.
fn authorino_has_tls(turn: &Turn<'_>) -> bool {
    let Some(kuadrant) = turn.world.list(KUADRANT).next() else {
        return true;
    };
    let mut here = turn.world.list_in(AUTHORINO, kuadrant.namespace()).peekable();
    here.peek().is_none() || here.any(|authorino| authorino.is_true("/spec/listener/tls/enabled"))
}
