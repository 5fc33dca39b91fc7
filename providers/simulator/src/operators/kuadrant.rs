//! `kuadrant`: stands for the Kuadrant operator, and the Authorino and Limitador operators that come with it.
//!
//! Source: reference/platform.md §2.7, reference/serving.md §1.5: operands once the CR is there; `Ready=False` reason
//! `MissingDependency` while the operator's pod started before any GatewayClass was Accepted, until that pod is deleted.
//! [`super::policies`] judges the policies.
//!
//! Invariant: what the operator saw at its start is written on its pod ([`SEEN`]), since the real one keeps it in
//! memory: a new pod looks again, a restarted simulator does not.
//!
//! Left out: DNS and TLS policies, the console plugin, storage of Limitador but memory and Redis, Redis itself.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::{
    AUTHORINO, DEPLOYMENT, GATEWAY_CLASS, KUADRANT, LIMITADOR, POD, POD_MONITOR, SECRET, SERVICE, SERVICE_ACCOUNT,
};
use super::object::{Read, bare, object, owned_by};
use super::turn::{Turn, condition, observed};
use super::{GLOBAL, policies};
use crate::faults::FaultName;

const FINALIZER: &str = "kuadrant.io/finalizer";
/// What the operator's pod saw of Gateway API when it started: `present` or `missing`.
const SEEN: &str = "simulator.stackctl.dev/gateway-api-at-start";
/// Which pod of the operator a fault keeps from accepting policies.
const STUCK: &str = "simulator.stackctl.dev/accepts-no-policies";
const MISSING: &str = "[Gateway API provider (istio / envoy gateway)] is not installed, please restart Kuadrant Operator pod once dependency has been installed";

/// What became of the dependency on a Gateway API provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provider {
    Seen,
    MissedAtStart,
}

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    let Some(provider) = provider(turn) else { return };
    let kuadrants = turn.all(KUADRANT);
    for kuadrant in &kuadrants {
        if kuadrant.is_deleting() {
            end(turn, kuadrant);
        } else {
            turn.finalize(KUADRANT, kuadrant, FINALIZER);
            realise(turn, kuadrant, provider);
        }
    }
    authorinos(turn);
    limitadors(turn);
    let kuadrant: Option<&Arc<Value>> = kuadrants.iter().find(|kuadrant| !kuadrant.is_deleting());
    let reconciles = kuadrant.is_none_or(|kuadrant| !is_stuck(turn, kuadrant));
    let provider = if reconciles { provider } else { Provider::MissedAtStart };
    policies::reconcile(turn, kuadrant.map(AsRef::as_ref), provider);
}

/// Returns whether the operator's pod is the one that a fault keeps from accepting policies: the first that saw a provider.
fn is_stuck(turn: &mut Turn<'_>, kuadrant: &Value) -> bool {
    if !turn.faults.on(FaultName::PoliciesNotAccepted) {
        return false;
    }
    let Some(pod) = operator_pod(turn) else { return false };
    match kuadrant.annotation(STUCK) {
        Some(uid) => uid == pod.uid(),
        None if pod.annotation(SEEN) == Some("present") => {
            turn.patch(
                KUADRANT,
                kuadrant,
                json!({"metadata": {"annotations": {STUCK: pod.uid()}}}),
            );
            true
        }
        None => true,
    }
}

fn operator_pod(turn: &Turn<'_>) -> Option<Arc<Value>> {
    turn.all(POD).into_iter().find(|pod| {
        pod.namespace() == GLOBAL
            && pod.label("app.kubernetes.io/name") == Some("kuadrant-operator")
            && pod.is("Ready")
            && !pod.is_deleting()
    })
}

/// Returns what the running operator pod saw at its start; none while no pod runs.
fn provider(turn: &mut Turn<'_>) -> Option<Provider> {
    let pod = operator_pod(turn)?;
    match pod.annotation(SEEN) {
        Some(_) if turn.faults.on(FaultName::GatewayProviderUnseen) => Some(Provider::MissedAtStart),
        Some("present") => Some(Provider::Seen),
        Some(_) => Some(Provider::MissedAtStart),
        None => {
            let present = turn.world.list(GATEWAY_CLASS).any(|class| class.is("Accepted"));
            let seen = if present { "present" } else { "missing" };
            turn.patch(POD, &pod, json!({"metadata": {"annotations": {SEEN: seen}}}));
            None
        }
    }
}

fn realise(turn: &mut Turn<'_>, kuadrant: &Value, provider: Provider) {
    let namespace = kuadrant.namespace();
    let authorino = object(
        AUTHORINO,
        namespace,
        "authorino",
        json!({"spec": {
            "replicas": 1, "clusterWide": true, "supersedingHostSubsets": true,
            "listener": {"tls": {"enabled": false}}, "oidcServer": {"tls": {"enabled": false}},
        }}),
    );
    // Made once: what others set on it later (TLS) is theirs.
    turn.create(AUTHORINO, owned_by(authorino, kuadrant));
    let limitador = object(LIMITADOR, namespace, "limitador", json!({"spec": {}}));
    turn.create(LIMITADOR, owned_by(limitador, kuadrant));
    if kuadrant.is_true("/spec/observability/enable") {
        let monitor = object(
            POD_MONITOR,
            namespace,
            "kuadrant-limitador-monitor",
            json!({
                "metadata": {"labels": {"kuadrant.io/observability": "true"}},
                "spec": {"selector": {"matchLabels": {"app": "limitador"}}, "podMetricsEndpoints": [{"port": "http", "path": "/metrics", "scheme": "http"}]},
            }),
        );
        turn.ensure(POD_MONITOR, owned_by(monitor, kuadrant));
    }
    let operands = turn
        .world
        .get(AUTHORINO, namespace, "authorino")
        .is_some_and(|operand| operand.is("Ready"))
        && turn
            .world
            .get(LIMITADOR, namespace, "limitador")
            .is_some_and(|operand| operand.is("Ready"));
    let ready = match provider {
        Provider::MissedAtStart => observed(kuadrant, "Ready", false, "MissingDependency", MISSING),
        Provider::Seen if operands => observed(kuadrant, "Ready", true, "Ready", "Kuadrant is ready"),
        Provider::Seen => observed(
            kuadrant,
            "Ready",
            false,
            "AuthorinoNotReady",
            "authorino or limitador is not ready",
        ),
    };
    turn.status(
        KUADRANT,
        kuadrant,
        json!({"observedGeneration": kuadrant["metadata"]["generation"], "conditions": [ready]}),
    );
}

fn end(turn: &mut Turn<'_>, kuadrant: &Value) {
    let namespace = kuadrant.namespace();
    turn.delete(AUTHORINO, namespace, "authorino");
    turn.delete(LIMITADOR, namespace, "limitador");
    turn.delete(POD_MONITOR, namespace, "kuadrant-limitador-monitor");
    let gone = turn.world.get(AUTHORINO, namespace, "authorino").is_none()
        && turn.world.get(LIMITADOR, namespace, "limitador").is_none();
    if gone {
        turn.release(KUADRANT, kuadrant, FINALIZER);
    }
}

/// The Authorino operator: Deployment and Services of an Authorino.
fn authorinos(turn: &mut Turn<'_>) {
    for authorino in turn.all(AUTHORINO) {
        if authorino.is_deleting() {
            continue;
        }
        let (namespace, name) = (authorino.namespace(), authorino.name());
        let labels = json!({"authorino-resource": name, "control-plane": "controller-manager"});
        let mut deployment = super::operands::deployment(namespace, name, &labels, &["authorino"]);
        let tls = authorino.is_true("/spec/listener/tls/enabled");
        if tls {
            let secret = authorino.text("/spec/listener/tls/certSecretRef/name");
            deployment["spec"]["template"]["spec"]["volumes"] =
                json!([{"name": "tls-cert", "secret": {"secretName": secret}}]);
        }
        turn.ensure(
            SERVICE_ACCOUNT,
            owned_by(
                bare(SERVICE_ACCOUNT, namespace, &format!("{name}-authorino")),
                &authorino,
            ),
        );
        turn.ensure(DEPLOYMENT, owned_by(deployment, &authorino));
        for (suffix, port, number) in [("authorization", "grpc", 50051), ("oidc", "http", 8083)] {
            let service = object(
                SERVICE,
                namespace,
                &format!("{name}-authorino-{suffix}"),
                json!({
                    "metadata": {"labels": {"authorino-resource": name}},
                    "spec": {"selector": labels, "ports": [{"name": port, "port": number, "protocol": "TCP"}]},
                }),
            );
            turn.ensure(SERVICE, owned_by(service, &authorino));
        }
        let available = turn.world.is_available(namespace, name);
        let reason = if available { "Provisioned" } else { "DeploymentNotReady" };
        turn.status(
            AUTHORINO,
            &authorino,
            json!({"conditions": [condition("Ready", available, reason, "")]}),
        );
    }
}

/// The Limitador operator: Deployment and Service of a Limitador.
fn limitadors(turn: &mut Turn<'_>) {
    for limitador in turn.all(LIMITADOR) {
        if limitador.is_deleting() {
            continue;
        }
        let namespace = limitador.namespace();
        let name = format!("limitador-{}", limitador.name());
        let labels = json!({"app": "limitador", "limitador-resource": limitador.name()});
        let storage = storage(turn, &limitador);
        if let Ok(secret) = &storage {
            let mut deployment = super::operands::deployment(namespace, &name, &labels, &["limitador"]);
            counting_in(&mut deployment["spec"]["template"], secret.as_deref());
            turn.ensure(DEPLOYMENT, owned_by(deployment, &limitador));
        }
        let service = object(
            SERVICE,
            namespace,
            &name,
            json!({
                "metadata": {"labels": labels},
                "spec": {"selector": labels, "ports": [
                    {"name": "http", "port": 8080, "protocol": "TCP"}, {"name": "grpc", "port": 8081, "protocol": "TCP"},
                ]},
            }),
        );
        turn.ensure(SERVICE, owned_by(service, &limitador));
        let available = turn.world.is_available(namespace, &name);
        // The second reason is spelled as the operator spells it
        // (<https://github.com/Kuadrant/limitador-operator>, `controllers/limitador_status.go`).
        let ready = match storage {
            Err(why) => condition("Ready", false, "ReconcilliationError", &why),
            Ok(_) if available => condition("Ready", true, "Ready", "Limitador is ready"),
            Ok(_) => condition(
                "Ready",
                false,
                "LimitadorNotAvailable",
                "Deployment does not have minimum availability.",
            ),
        };
        turn.status(LIMITADOR, &limitador, json!({
            "observedGeneration": limitador["metadata"]["generation"], "conditions": [ready],
            "service": {"host": format!("{name}.{namespace}.svc.cluster.local"), "ports": {"http": 8080, "grpc": 8081}},
        }));
    }
}

/// Returns the Secret of the Redis that a Limitador counts in, none for its memory, or why it cannot count there
/// (reference/serving.md §3.4: key `URL`).
fn storage(turn: &Turn<'_>, limitador: &Value) -> Result<Option<String>, String> {
    let Some(redis) = limitador
        .pointer("/spec/storage/redis")
        .or_else(|| limitador.pointer("/spec/storage/redis-cached"))
    else {
        return Ok(None);
    };
    let name = redis.text("/configSecretRef/name");
    if name.is_empty() {
        return Err("there's no ConfigSecretRef set".to_owned());
    }
    let Some(secret) = turn.world.get(SECRET, limitador.namespace(), name) else {
        return Err(format!("secrets \"{name}\" not found"));
    };
    match secret.pointer("/data/URL") {
        Some(_) => Ok(Some(name.to_owned())),
        None => Err("the storage config Secret doesn't have the `URL` field".to_owned()),
    }
}

/// Tells pods where to count.
fn counting_in(template: &mut Value, secret: Option<&str>) {
    // The annotation makes the way back to memory, which takes fields away, a new template too.
    template["metadata"]["annotations"] = json!({"simulator.stackctl.dev/storage": secret.unwrap_or("memory")});
    if let Some(secret) = secret {
        let url = json!({"secretKeyRef": {"name": secret, "key": "URL"}});
        let container = &mut template["spec"]["containers"][0];
        container["env"] = json!([{"name": "LIMITADOR_OPERATOR_REDIS_URL", "valueFrom": url}]);
        container["args"] = json!(["redis", "$(LIMITADOR_OPERATOR_REDIS_URL)"]);
    }
}
