//! `somebody`: no operator, but people: what they do to a cluster while a stack is applied to it, where a fault says so.
//!
//! Source: reference/serving.md §5, by row; each deed is one function here.
//!
//! Invariants:
//! - Without a fault nobody does anything.
//! - What is done once is written on an object that stays ([`ONCE`]), so a restart does not do it again.
//!
//! Left out: people who do two things.

use serde_json::{Value, json};

use super::connections::TYPES;
use super::gateway::CONTROLLER;
use super::kinds::*;
use super::maas::NAMESPACE as TENANTS;
use super::object::{Read, object};
use super::turn::Turn;
use super::{APPLICATIONS, GLOBAL, INGRESS};
use crate::faults::FaultName;

/// Prefix of the annotations that say what was done once.
const ONCE: &str = "once.simulator.stackctl.dev/";
/// Where people have made a model by the dashboard.
const PROJECT: &str = "data-science-project";

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    if turn.faults.0.is_empty() {
        return;
    }
    mesh(turn);
    listeners(turn);
    services(turn);
    secrets(turn);
    models(turn);
    platform(turn);
    tenant(turn);
}

/// Patches an object unless that was done before.
fn once(turn: &mut Turn<'_>, kind: Kind, on: &Value, deed: &str, mut patch: Value) {
    let key = format!("{ONCE}{deed}");
    if on.annotation(&key).is_none() && !on.is_deleting() {
        patch["metadata"]["annotations"][key] = json!("done");
        turn.patch(kind, on, patch);
    }
}

/// Subscribes to a service mesh as soon as there is a class of OpenShift's (G2).
fn mesh(turn: &mut Turn<'_>) {
    let wanted = turn.faults.on(FaultName::ForeignMesh);
    let mut classes = turn.world.list(GATEWAY_CLASS);
    if wanted && classes.any(|class| class.text("/spec/controllerName") == CONTROLLER) {
        let spec = json!({
            "name": "servicemeshoperator3", "channel": "stable-3.0", "source": "redhat-operators",
            "sourceNamespace": "openshift-marketplace", "installPlanApproval": "Manual",
        });
        turn.create(
            SUBSCRIPTION,
            object(SUBSCRIPTION, GLOBAL, "our-mesh", json!({"spec": spec})),
        );
    }
}

/// Deletes what a listener presents (G4), or lets fewer namespaces attach to it (M2).
fn listeners(turn: &mut Turn<'_>) {
    for gateway in turn.all(GATEWAY) {
        if turn.faults.at(FaultName::ListenerSecretGone, gateway.name()) {
            for listener in gateway.list("/spec/listeners") {
                for reference in listener.list("/tls/certificateRefs") {
                    turn.delete(SECRET, gateway.namespace(), reference.text("/name"));
                }
            }
        }
        if turn.faults.at(FaultName::ListenerNarrowed, gateway.name()) && gateway.is("Programmed") {
            let mut narrowed = gateway["spec"]["listeners"].clone();
            for listener in narrowed.as_array_mut().into_iter().flatten() {
                let own = json!({"matchLabels": {"kubernetes.io/metadata.name": INGRESS}});
                listener["allowedRoutes"] = json!({"namespaces": {"from": "Selector", "selector": own}});
            }
            once(
                turn,
                GATEWAY,
                &gateway,
                "narrowed",
                json!({"spec": {"listeners": narrowed}}),
            );
        }
    }
}

/// Lets a Service ask the service CA for a certificate, into a Secret that others use (G5).
fn services(turn: &mut Turn<'_>) {
    for secret in turn.faults.targets(FaultName::SecretOverwritten) {
        let used = turn.world.list(GATEWAY).any(|gateway| gateway.is("Programmed"));
        if used && turn.world.has(SECRET, INGRESS, secret) {
            let parts = json!({
                "metadata": {"annotations": {"service.beta.openshift.io/serving-cert-secret-name": secret}},
                "spec": {"ports": [{"name": "https", "port": 443, "protocol": "TCP"}]},
            });
            turn.create(SERVICE, object(SERVICE, INGRESS, "our-proxy", parts));
        }
    }
}

/// Takes annotations and labels off Secrets that are there, by which they are found (M6, E1); what is written later of the
/// first, a policy takes off at once ([`super::connections::Untyping`]).
fn secrets(turn: &mut Turn<'_>) {
    let faults = turn.faults;
    for name in faults.targets(FaultName::ConnectionUntyped) {
        for secret in turn.all(SECRET).into_iter().filter(|secret| secret.name() == name) {
            let typed = TYPES.into_iter().filter(|key| secret.annotation(key).is_some());
            let gone: serde_json::Map<String, Value> = typed.map(|key| (key.to_owned(), Value::Null)).collect();
            if !gone.is_empty() {
                turn.patch(SECRET, &secret, json!({"metadata": {"annotations": gone}}));
            }
        }
    }
    for name in faults.targets(FaultName::ProviderUnlabelled) {
        for secret in turn.all(SECRET).into_iter().filter(|secret| secret.name() == name) {
            let patch = json!({"metadata": {"labels": {"inference.networking.k8s.io/bbr-managed": null}}});
            once(turn, SECRET, &secret, "unlabelled", patch);
        }
    }
}

/// What others do with models and their profiles (M5, M14, M25, S8).
fn models(turn: &mut Turn<'_>) {
    let faults = turn.faults;
    for profile in faults.targets(FaultName::HardwareProfileGone) {
        turn.delete(HARDWARE_PROFILE, APPLICATIONS, profile);
    }
    if faults.on(FaultName::NamelessModel) && turn.world.serves(LLM_INFERENCE_SERVICE) {
        turn.namespace(PROJECT);
        if turn.world.has(NAMESPACE, "", PROJECT) {
            let spec = json!({"replicas": 1, "model": {"uri": "oci://registry.example.com/models/tiny:1"}, "router": {"route": {}}});
            let model = object(LLM_INFERENCE_SERVICE, PROJECT, "tiny", json!({"spec": spec}));
            turn.create(LLM_INFERENCE_SERVICE, model);
        }
    }
    for route in turn.all(HTTP_ROUTE) {
        let Some(model) = route.name().strip_suffix("-kserve-route") else {
            continue;
        };
        if faults.at(FaultName::AnonymousPolicy, model) {
            // One that bears the controller's label would be taken away by it.
            let parts = json!({
                "spec": {
                    "targetRef": {"group": HTTP_ROUTE.group, "kind": HTTP_ROUTE.kind, "name": route.name()},
                    "rules": {"authentication": {"public": {"anonymous": {}}}},
                },
            });
            let name = format!("{}-authn", route.name());
            turn.create(AUTH_POLICY, object(AUTH_POLICY, route.namespace(), &name, parts));
        }
        if faults.at(FaultName::SecondReference, model) {
            second(turn, route.namespace(), model);
        }
    }
}

/// Publishes a model under a second name.
fn second(turn: &mut Turn<'_>, namespace: &str, model: &str) {
    let name = format!("{model}-again");
    let spec = json!({"modelRef": {"kind": LLM_INFERENCE_SERVICE.kind, "name": model}});
    turn.create(
        MAAS_MODEL_REF,
        object(MAAS_MODEL_REF, namespace, &name, json!({"spec": spec})),
    );
    if !turn.world.has(NAMESPACE, "", TENANTS) {
        return;
    }
    let people = json!({"groups": [{"name": "our-team"}]});
    let reference = json!({"name": name, "namespace": namespace});
    let mut limited = reference.clone();
    limited["tokenRateLimits"] = json!([{"limit": 1000, "window": "1h"}]);
    let spec = json!({"spec": {"priority": 100, "owner": people, "modelRefs": [limited]}});
    turn.create(
        MAAS_SUBSCRIPTION,
        object(MAAS_SUBSCRIPTION, TENANTS, "our-subscription", spec),
    );
    let spec = json!({"spec": {"subjects": people, "modelRefs": [reference]}});
    turn.create(MAAS_AUTH_POLICY, object(MAAS_AUTH_POLICY, TENANTS, "our-access", spec));
}

/// What is done to the platform below MaaS (§2.5, P16).
fn platform(turn: &mut Turn<'_>) {
    if turn.faults.on(FaultName::TokenAudience)
        && let Some(authentication) = turn.world.get(AUTHENTICATION, "", "cluster").cloned()
    {
        let issuer = json!({"spec": {"serviceAccountIssuer": "https://oidc.example.com/our-cluster"}});
        turn.patch(AUTHENTICATION, &authentication, issuer);
    }
    // Once its pods trust the service CA: between that and the look at the Gateway.
    let trusts = |deployment: &Value| {
        let containers = deployment.list("/spec/template/spec/containers");
        let mut variables = containers.iter().flat_map(|container| container.list("/env"));
        variables.any(|variable| variable.text("/name") == "SSL_CERT_FILE")
    };
    if turn.faults.on(FaultName::AuthorinoTlsReverted) {
        for authorino in turn.all(AUTHORINO) {
            let deployment = turn.world.get(DEPLOYMENT, authorino.namespace(), authorino.name());
            if deployment.is_some_and(|deployment| trusts(deployment)) {
                let off = json!({"spec": {"listener": {"tls": {"enabled": false}}}});
                once(turn, AUTHORINO, &authorino, "tls-off", off);
            }
        }
    }
}

/// What is deleted of MaaS while it is on (P2, P22); written on its component.
fn tenant(turn: &mut Turn<'_>) {
    let Some(maas) = turn.all(MODELS_AS_SERVICE).into_iter().next() else {
        return;
    };
    for (fault, deed, kind, namespace, name) in [
        (
            FaultName::DatabaseSecretGone,
            "database-secret",
            SECRET,
            APPLICATIONS,
            "maas-db-config",
        ),
        (FaultName::TenantDeleted, "tenant", TENANT, TENANTS, "default-tenant"),
    ] {
        let done = maas.annotation(&format!("{ONCE}{deed}")).is_some();
        let due = turn
            .world
            .get(kind, namespace, name)
            .is_some_and(|found| kind == SECRET || found.is("Ready"));
        if turn.faults.on(fault) && due && !done {
            once(turn, MODELS_AS_SERVICE, &maas, deed, json!({}));
            turn.delete(kind, namespace, name);
        }
    }
}
