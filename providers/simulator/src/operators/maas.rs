//! `maas`: stands for maas-controller: the Tenant and everything it brings, and the registration objects.
//!
//! Source: reference/serving.md §1.8 (preconditions in order, objects made), §1.10 (Tenant), §1.12 (references).
//! [`super::maas_policies`] merges the policies, [`super::external_models`] brings providers elsewhere.
//!
//! Invariants:
//! - While MaaS is Managed the Tenant exists: a deleted one comes back.
//! - A precondition that was missed is looked at again only after its retry interval.
//! - A Tenant goes only after all that it brought is gone.
//!
//! Left out: telemetry, OIDC. What maas-api answers is [`crate::data_plane`]'s.

use serde_json::{Value, json};

use super::kinds::{
    AUTH_POLICY, AUTHORINO, CLUSTER_ROLE, CONFIG_MAP, CRON_JOB, DEPLOYMENT, DESTINATION_RULE, ENVOY_FILTER, GATEWAY,
    HTTP_ROUTE, Kind, LLM_INFERENCE_SERVICE, MAAS_MODEL_REF, NETWORK_POLICY, SECRET, SERVICE, SERVICE_ACCOUNT, TENANT,
    TOKEN_RATE_LIMIT_POLICY,
};
use super::object::{Read, bare, object};
use super::routes::accepted_by;
use super::turn::{Turn, observed};
use super::{APPLICATIONS, INGRESS, external_models, maas_access, maas_policies, operands, rhoai};
use crate::faults::FaultName;

/// Where Tenant, subscriptions and auth policies live (reference/serving.md §1.10).
pub(crate) const NAMESPACE: &str = "models-as-a-service";
const NAME: &str = "default-tenant";
const FINALIZER: &str = "maas.opendatahub.io/tenant-finalizer";
const MODEL_FINALIZER: &str = "maas.opendatahub.io/model-cleanup";
/// A missing Tenant comes back about every 30 s (reference/serving.md §1.8).
const RECREATE_SECONDS: u64 = 30;
/// The retry intervals of the preconditions (reference/serving.md §1.8).
const GATEWAY_RETRY_SECONDS: u64 = 30;
const PREREQUISITE_RETRY_SECONDS: u64 = 45;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    let managed = rhoai::models_as_service(turn).is_some();
    let tenant = turn.world.get(TENANT, NAMESPACE, NAME).cloned();
    match &tenant {
        None if managed && turn.world.serves(TENANT) => {
            turn.namespace(NAMESPACE);
            if turn.held("tenant", RECREATE_SECONDS) {
                let spec = json!({"apiKeys": {"maxExpirationDays": 90}, "gatewayRef": {"name": "maas-default-gateway", "namespace": INGRESS}});
                turn.create(TENANT, object(TENANT, NAMESPACE, NAME, json!({"spec": spec})));
            }
        }
        None => {}
        Some(tenant) if tenant.is_deleting() => end(turn, tenant),
        Some(tenant) => {
            turn.finalize(TENANT, tenant, FINALIZER);
            realise(turn, tenant);
        }
    }
    let gateway = tenant
        .as_deref()
        .map_or_else(|| (INGRESS.to_owned(), "maas-default-gateway".to_owned()), gateway_of);
    external_models::reconcile(turn, &gateway);
    for reference in turn.all(MAAS_MODEL_REF) {
        refer(turn, &reference, &gateway);
    }
    maas_policies::reconcile(turn);
}

fn gateway_of(tenant: &Value) -> (String, String) {
    let (namespace, name) = (
        tenant.text("/spec/gatewayRef/namespace"),
        tenant.text("/spec/gatewayRef/name"),
    );
    if name.is_empty() {
        return (INGRESS.to_owned(), "maas-default-gateway".to_owned());
    }
    (namespace.to_owned(), name.to_owned())
}

/// Why a Tenant cannot be realised yet: phase, reason, message, and when it is tried again.
fn unmet(turn: &Turn<'_>, tenant: &Value) -> Option<(&'static str, &'static str, String, u64)> {
    let (namespace, name) = gateway_of(tenant);
    if !turn.world.has(GATEWAY, &namespace, &name) {
        let why = format!("gateway {namespace}/{name} not found: the Gateway must exist before MaaS is enabled");
        return Some(("Pending", "GatewayNotReady", why, GATEWAY_RETRY_SECONDS));
    }
    if !turn.world.is_established("authconfigs.authorino.kuadrant.io") {
        let why = "AuthConfig CRD not found: install Red Hat Connectivity Link".to_owned();
        return Some(("Pending", "DependenciesNotAvailable", why, PREREQUISITE_RETRY_SECONDS));
    }
    let url = turn
        .world
        .get(SECRET, APPLICATIONS, "maas-db-config")
        .and_then(|secret| secret.pointer("/data/DB_CONNECTION_URL").cloned());
    if url.as_ref().and_then(Value::as_str).is_none_or(str::is_empty) {
        let why = format!("secret {APPLICATIONS}/maas-db-config with key DB_CONNECTION_URL is required");
        return Some(("Failed", "PrerequisitesNotMet", why, PREREQUISITE_RETRY_SECONDS));
    }
    None
}

fn realise(turn: &mut Turn<'_>, tenant: &Value) {
    if let Some((phase, reason, why, _)) = unmet(turn, tenant) {
        turn.status(
            TENANT,
            tenant,
            json!({"phase": phase, "conditions": [
                observed(tenant, "Ready", false, reason, &why),
                observed(tenant, "DependenciesAvailable", reason != "DependenciesNotAvailable", reason, &why),
                observed(tenant, "MaaSPrerequisitesAvailable", reason != "PrerequisitesNotMet", reason, &why),
            ]}),
        );
        return;
    }
    let retry = match tenant.text("/status/phase") {
        "Pending" => GATEWAY_RETRY_SECONDS,
        "Failed" => PREREQUISITE_RETRY_SECONDS,
        _ => 0,
    };
    let rolled_out = tenant
        .list("/status/conditions")
        .iter()
        .any(|entry| entry.text("/reason") == "DeploymentsNotReady");
    if retry > 0 && !rolled_out && !turn.held(format!("retry {}", tenant.uid()), retry) {
        return;
    }
    let (_, gateway) = gateway_of(tenant);
    for (kind, operand) in objects(&gateway) {
        turn.ensure(kind, operand);
    }
    let deployed =
        turn.world.is_available(APPLICATIONS, "maas-api") && turn.world.is_available(INGRESS, "payload-processing");
    let warning = if turn.faults.on(FaultName::TenantDegraded) {
        Some("user workload monitoring is not enabled".to_owned())
    } else {
        warning(turn)
    };
    let (phase, reason) = match (deployed, &warning) {
        (false, _) => ("Pending", "DeploymentsNotReady"),
        (true, Some(_)) => ("Degraded", "Reconciled"),
        (true, None) => ("Active", "Reconciled"),
    };
    let why = warning.unwrap_or_default();
    turn.status(TENANT, tenant, json!({"phase": phase, "conditions": [
        observed(tenant, "Ready", deployed, reason, if deployed { "" } else { "maas-api or payload-processing is not available" }),
        observed(tenant, "DependenciesAvailable", true, "DependenciesAvailable", ""),
        observed(tenant, "MaaSPrerequisitesAvailable", true, "PrerequisitesMet", ""),
        observed(tenant, "DeploymentsAvailable", deployed, if deployed { "DeploymentsReady" } else { "DeploymentsNotReady" }, ""),
        observed(tenant, "Degraded", !why.is_empty(), if why.is_empty() { "AsExpected" } else { "PrerequisitesWarning" }, &why),
    ]}));
}

/// What is only a warning: Authorino without TLS, no user-workload monitoring (reference/serving.md §1.8).
fn warning(turn: &Turn<'_>) -> Option<String> {
    let tls = turn
        .world
        .list(AUTHORINO)
        .any(|authorino| authorino.is_true("/spec/listener/tls/enabled"));
    let monitored = turn
        .world
        .get(CONFIG_MAP, "openshift-monitoring", "cluster-monitoring-config")
        .is_some_and(|config| {
            let text = config
                .pointer("/data/config.yaml")
                .and_then(Value::as_str)
                .unwrap_or_default();
            text.contains("enableUserWorkload: true")
        });
    match (tls, monitored) {
        (true, true) => None,
        (false, _) => Some("Authorino TLS is not enabled".to_owned()),
        (true, false) => Some("user workload monitoring is not enabled".to_owned()),
    }
}

fn end(turn: &mut Turn<'_>, tenant: &Value) {
    let (_, gateway) = gateway_of(tenant);
    let mut gone = true;
    for (kind, operand) in objects(&gateway) {
        turn.delete(kind, operand.namespace(), operand.name());
        gone &= turn.world.get(kind, operand.namespace(), operand.name()).is_none();
    }
    if gone {
        turn.release(TENANT, tenant, FINALIZER);
    }
}

fn part(kind: Kind, namespace: &str, name: &str, parts: Value) -> (Kind, Value) {
    let mut object = object(kind, namespace, name, parts);
    object["metadata"]["labels"]["app.kubernetes.io/part-of"] = json!("models-as-a-service");
    (kind, object)
}

/// Everything the Tenant reconciler makes (reference/serving.md §1.8).
fn objects(gateway: &str) -> Vec<(Kind, Value)> {
    let gateway_target = json!({"group": GATEWAY.group, "kind": GATEWAY.kind, "name": gateway});
    let api_labels = json!({"app.kubernetes.io/name": "maas-api", "app.kubernetes.io/component": "api"});
    let payload_labels = json!({"app": "payload-processing"});
    let backend = json!([{"name": "maas-api", "port": 8443, "weight": 1}]);
    vec![
        (SERVICE_ACCOUNT, bare(SERVICE_ACCOUNT, APPLICATIONS, "maas-api")),
        (
            DEPLOYMENT,
            operands::deployment(APPLICATIONS, "maas-api", &api_labels, &["maas-api"]),
        ),
        part(
            SERVICE,
            APPLICATIONS,
            "maas-api",
            json!({
                "metadata": {"annotations": {"service.beta.openshift.io/serving-cert-secret-name": "maas-api-serving-cert"}},
                "spec": {"selector": api_labels, "ports": [{"name": "https", "port": 8443, "protocol": "TCP"}]},
            }),
        ),
        part(
            CONFIG_MAP,
            APPLICATIONS,
            "maas-parameters",
            json!({"data": {"gateway-name": gateway, "gateway-namespace": INGRESS}}),
        ),
        part(
            CRON_JOB,
            APPLICATIONS,
            "maas-api-key-cleanup",
            json!({"spec": {
                "schedule": "*/15 * * * *",
                "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "cleanup", "image": "registry.redhat.io/simulated/curl"}]}}}},
            }}),
        ),
        part(
            NETWORK_POLICY,
            APPLICATIONS,
            "maas-authorino-allow",
            json!({"spec": {
                "podSelector": {"matchLabels": api_labels},
                "ingress": [{"from": [{
                    "namespaceSelector": {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["kuadrant-system", "openshift-operators"]}]},
                    "podSelector": {"matchLabels": {"authorino-resource": "authorino"}},
                }]}],
            }}),
        ),
        part(
            NETWORK_POLICY,
            APPLICATIONS,
            "maas-api-cleanup-restrict",
            json!({"spec": {"podSelector": {"matchLabels": {"app": "maas-api-cleanup"}}, "policyTypes": ["Egress"]}}),
        ),
        part(
            HTTP_ROUTE,
            APPLICATIONS,
            "maas-api-route",
            json!({"spec": {
                "parentRefs": [{"group": GATEWAY.group, "kind": GATEWAY.kind, "name": gateway, "namespace": INGRESS}],
                "rules": [
                    {"matches": [{"path": {"type": "PathPrefix", "value": "/v1/models"}}], "backendRefs": backend},
                    {
                        "matches": [{"path": {"type": "PathPrefix", "value": "/maas-api"}}],
                        "filters": [{"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}}],
                        "backendRefs": backend,
                    },
                ],
            }}),
        ),
        part(
            AUTH_POLICY,
            APPLICATIONS,
            "maas-api-auth-policy",
            json!({"spec": maas_access::of_api()}),
        ),
        part(
            AUTH_POLICY,
            INGRESS,
            "gateway-default-auth",
            json!({"spec": {
                "targetRef": gateway_target,
                "defaults": {"rules": {"authentication": {}, "authorization": {"deny-unconfigured-models": {"patternMatching": {"patterns": [
                    {"selector": "context.request.http.method", "operator": "eq", "value": "__deny_unconfigured_models__"},
                ]}}}}},
            }}),
        ),
        part(
            TOKEN_RATE_LIMIT_POLICY,
            INGRESS,
            "gateway-default-deny",
            json!({"spec": {
                "targetRef": gateway_target,
                "defaults": {"limits": {"deny-all-by-default": {
                    "rates": [{"limit": 0, "window": "1m"}], "counters": [{"expression": "auth.identity.userid"}],
                    "when": [{"predicate": "!request.path.startsWith(\"/maas-api\") && !request.path.startsWith(\"/v1/models\")"}],
                }}},
            }}),
        ),
        part(
            DESTINATION_RULE,
            INGRESS,
            "maas-api-backend-tls",
            json!({"spec": {
                "host": format!("maas-api.{APPLICATIONS}.svc.cluster.local"), "trafficPolicy": {"tls": {"mode": "SIMPLE"}},
            }}),
        ),
        (SERVICE_ACCOUNT, bare(SERVICE_ACCOUNT, INGRESS, "payload-processing")),
        part(
            CONFIG_MAP,
            INGRESS,
            "payload-processing-plugins",
            json!({"data": {"plugins.yaml": "plugins: []\n"}}),
        ),
        (
            DEPLOYMENT,
            operands::deployment(INGRESS, "payload-processing", &payload_labels, &["payload-processing"]),
        ),
        part(
            SERVICE,
            INGRESS,
            "payload-processing",
            json!({"spec": {"selector": payload_labels, "ports": [{"name": "grpc", "port": 9004, "protocol": "TCP"}]}}),
        ),
        part(
            DESTINATION_RULE,
            INGRESS,
            "payload-processing",
            json!({"spec": {
                "host": format!("payload-processing.{INGRESS}.svc.cluster.local"), "trafficPolicy": {"tls": {"mode": "SIMPLE", "insecureSkipVerify": true}},
            }}),
        ),
        part(
            ENVOY_FILTER,
            INGRESS,
            "payload-processing",
            json!({"spec": {
                "targetRefs": [gateway_target],
                "configPatches": [{"applyTo": "HTTP_FILTER", "patch": {"operation": "INSERT_AFTER", "value": {"name": "envoy.filters.http.ext_proc"}}}],
            }}),
        ),
        part(CLUSTER_ROLE, "", "maas-api", json!({"rules": []})),
        part(CLUSTER_ROLE, "", "payload-processing-reader", json!({"rules": []})),
        part(CLUSTER_ROLE, "", "maas-owner-role", json!({"rules": []})),
        part(CLUSTER_ROLE, "", "maas-viewer-role", json!({"rules": []})),
    ]
}

/// Judges a MaaSModelRef (reference/serving.md §1.12).
fn refer(turn: &mut Turn<'_>, reference: &Value, gateway: &(String, String)) {
    if reference.is_deleting() {
        if maas_policies::forget_model(turn, reference) {
            turn.release(MAAS_MODEL_REF, reference, MODEL_FINALIZER);
        }
        return;
    }
    turn.finalize(MAAS_MODEL_REF, reference, MODEL_FINALIZER);
    let (namespace, name) = (reference.namespace(), reference.text("/spec/modelRef/name"));
    let gateway = turn.world.get(GATEWAY, &gateway.0, &gateway.1).cloned();
    let Some(route) = maas_policies::route_of(turn, reference) else {
        say(
            turn,
            reference,
            "Pending",
            "BackendNotReady",
            &format!("HTTPRoute of {name} not found"),
        );
        return;
    };
    let parent = gateway.as_ref().is_some_and(|gateway| {
        route
            .list("/spec/parentRefs")
            .iter()
            .any(|parent| parent.text("/name") == gateway.name())
    });
    if !parent {
        let wanted = gateway
            .as_ref()
            .map_or("maas-default-gateway", |gateway| gateway.name())
            .to_owned();
        say(
            turn,
            reference,
            "Failed",
            "ReconcileFailed",
            &format!("HTTPRoute {} does not reference gateway {wanted}", route.name()),
        );
        return;
    }
    let Some(gateway) = gateway else { return };
    let ready = match reference.text("/spec/modelRef/kind") {
        "ExternalModel" => accepted_by(&route, &gateway),
        _ => turn
            .world
            .get(LLM_INFERENCE_SERVICE, namespace, name)
            .is_some_and(|service| service.is("Ready")),
    };
    if !ready {
        say(
            turn,
            reference,
            "Pending",
            "BackendNotReady",
            &format!("{name} is not ready"),
        );
        return;
    }
    let host = gateway
        .list("/spec/listeners")
        .iter()
        .map(|listener| listener.text("/hostname"))
        .find(|host| !host.is_empty())
        .unwrap_or_default();
    let endpoint = match reference.text("/spec/endpointOverride") {
        "" => format!("https://{host}/{namespace}/{name}"),
        endpoint => endpoint.to_owned(),
    };
    turn.status(MAAS_MODEL_REF, reference, json!({
        "phase": "Ready", "endpoint": endpoint, "httpRouteName": route.name(), "httpRouteNamespace": namespace,
        "httpRouteGatewayName": gateway.name(), "httpRouteGatewayNamespace": gateway.namespace(), "httpRouteHostnames": [host],
        "conditions": [observed(reference, "Ready", true, "Reconciled", "")],
    }));
}

fn say(turn: &mut Turn<'_>, reference: &Value, phase: &str, reason: &str, why: &str) {
    let status = json!({"phase": phase, "conditions": [observed(reference, "Ready", false, reason, why)]});
    turn.status(MAAS_MODEL_REF, reference, status);
}
