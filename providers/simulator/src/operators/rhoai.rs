//! `rhoai`: stands for the OpenShift AI operator: DSCInitialization, DataScienceCluster and their components.
//!
//! Source: reference/platform.md §2.9 (what monitoring needs), §2.10 to §2.12; reference/serving.md §1.8.
//! [`super::rhoai_components`] is the table of components, [`super::rhoai_kueue`] what Kueue's does;
//! [`super::admission`] denies what the webhooks deny.
//!
//! Invariants:
//! - Without the CRD of AuthPolicies the operator crash-loops: it does nothing (§2.7).
//! - `default-dsci`, the applications namespace and the profile `default-profile` are made once, at the operator's start.
//! - The DataScienceCluster waits for a Ready DSCInitialization; a component's CRDs come after its CR, in layers.
//! - What a component made goes with its CR; MaaS only after its Tenant is gone (reference/serving.md §2.4).
//!
//! Left out: Auth and GatewayConfig, Tempo and the other objects of the monitoring stack.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::{
    CONFIG_MAP, DEPLOYMENT, DSC, DSCI, HARDWARE_PROFILE, MODELS_AS_SERVICE, MONITORING, ODH_DASHBOARD_CONFIG,
    STATEFUL_SET,
};
use super::object::{Read, object, owned_by};
use super::rhoai_components::{self, COMPONENTS, Component};
use super::turn::{Turn, condition};
use super::{APPLICATIONS, operands};
use crate::faults::FaultName;

const OPERATOR: (&str, &str) = ("redhat-ods-operator", "rhods-operator");
/// On the operator's Deployment, for its webhook: a flag of the dashboard that is refused.
pub(super) const REFUSES: &str = "simulator.stackctl.dev/refuses";
const STARTED: &str = "simulator.stackctl.dev/started";
const DSCI_FINALIZER: &str = "dscinitialization.opendatahub.io/finalizer";
const DSC_FINALIZER: &str = "datasciencecluster.opendatahub.io/finalizer";
/// Initialising the platform takes well under a minute.
const DSCI_SECONDS: u64 = 20;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    if !turn.world.is_established("authpolicies.kuadrant.io") {
        return;
    }
    start(turn);
    for dsci in turn.all(DSCI) {
        if dsci.is_deleting() {
            end_dsci(turn, &dsci);
        } else {
            initialise(turn, &dsci);
        }
    }
    for dsc in turn.all(DSC) {
        if dsc.is_deleting() {
            end_dsc(turn, &dsc);
        } else {
            realise(turn, &dsc);
        }
    }
    rhoai_components::finish(turn);
}

fn start(turn: &mut Turn<'_>) {
    let Some(deployment) = turn.world.get(DEPLOYMENT, OPERATOR.0, OPERATOR.1).cloned() else {
        return;
    };
    let flag = turn.faults.target_of(FaultName::FlagRefused);
    if flag.is_some() || deployment.annotation(REFUSES).is_some() {
        let patch = json!({"metadata": {"annotations": {REFUSES: flag}}});
        turn.patch(DEPLOYMENT, &deployment, patch);
    }
    if deployment.annotation(STARTED).is_some() || !turn.world.serves(DSCI) || !turn.world.serves(HARDWARE_PROFILE) {
        return;
    }
    turn.namespace(APPLICATIONS);
    if turn.world.list(DSCI).next().is_none() {
        // What it creates: reference/platform.md §2.12.
        turn.create(
            DSCI,
            object(
                DSCI,
                "",
                "default-dsci",
                json!({"spec": {
                    "applicationsNamespace": APPLICATIONS,
                    "monitoring": {"managementState": "Managed", "namespace": "redhat-ods-monitoring", "metrics": {}},
                    "trustedCABundle": {"managementState": "Managed", "customCABundle": ""},
                }}),
            ),
        );
        return;
    }
    let profile = object(
        HARDWARE_PROFILE,
        APPLICATIONS,
        "default-profile",
        json!({
            "metadata": {"annotations": {
                "opendatahub.io/managed": "false", "opendatahub.io/display-name": "Default Profile", "opendatahub.io/disabled": "false",
            }},
            "spec": {"identifiers": [
                {"displayName": "CPU", "identifier": "cpu", "defaultCount": 2, "minCount": 1, "maxCount": 4, "resourceType": "CPU"},
                {"displayName": "Memory", "identifier": "memory", "defaultCount": "4Gi", "minCount": "2Gi", "maxCount": "8Gi", "resourceType": "Memory"},
            ]},
        }),
    );
    if turn
        .world
        .get(HARDWARE_PROFILE, APPLICATIONS, "default-profile")
        .is_none()
    {
        turn.create(HARDWARE_PROFILE, profile);
    } else {
        turn.patch(
            DEPLOYMENT,
            &deployment,
            json!({"metadata": {"annotations": {STARTED: "true"}}}),
        );
    }
}

fn initialise(turn: &mut Turn<'_>, dsci: &Value) {
    turn.finalize(DSCI, dsci, DSCI_FINALIZER);
    let namespace = match dsci.text("/spec/applicationsNamespace") {
        "" => APPLICATIONS,
        namespace => namespace,
    };
    turn.namespace(namespace);
    trusted_bundle(turn, dsci, namespace);
    let monitoring = monitoring(turn, dsci);
    let generation = dsci["metadata"]["generation"].clone();
    let lacking = monitoring.err();
    if !turn.held(format!("dsci {} {generation}", dsci.uid()), DSCI_SECONDS) {
        if dsci.text("/status/phase").is_empty() {
            let progressing = condition("Progressing", true, "ReconcileInit", "Initialization started");
            turn.status(DSCI, dsci, json!({"phase": "Progressing", "conditions": [progressing]}));
        }
        return;
    }
    let fine = lacking.is_none();
    let why = lacking.unwrap_or_default();
    let reason = if fine { "ReconcileCompleted" } else { "ReconcileFailed" };
    turn.status(
        DSCI,
        dsci,
        json!({
            "phase": if fine { "Ready" } else { "Error" },
            "observedGeneration": generation,
            "conditions": [
                condition("Ready", fine, reason, &why),
                condition("ReconcileComplete", fine, reason, &why),
                condition("Available", fine, reason, &why),
                condition("Progressing", false, reason, ""),
                condition("Degraded", !fine, reason, &why),
                condition("Upgradeable", true, reason, ""),
            ],
        }),
    );
}

/// Monitoring's preconditions (reference/platform.md §2.9), its namespace, CR and Perses.
fn monitoring(turn: &mut Turn<'_>, dsci: &Value) -> Result<(), String> {
    if dsci.text("/spec/monitoring/managementState") != "Managed" {
        turn.delete(MONITORING, "", "default-monitoring");
        return Ok(());
    }
    let spec = &dsci["spec"]["monitoring"];
    // `metrics: {}`, as the operator's own default-dsci has it, asks for nothing yet.
    let set = |key: &str| {
        spec.get(key)
            .and_then(Value::as_object)
            .is_some_and(|fields| !fields.is_empty())
    };
    let (metrics, traces) = (set("metrics"), set("traces"));
    let needs = [
        (
            metrics || traces,
            "opentelemetry-operator",
            "OpenTelemetryCollectorAvailable",
        ),
        (metrics, "cluster-observability-operator", "MonitoringStackAvailable"),
        (traces, "tempo-operator", "TempoAvailable"),
    ];
    let namespace = match spec.text("/namespace") {
        "" => "redhat-ods-monitoring",
        namespace => namespace,
    };
    turn.namespace(namespace);
    let monitoring = object(
        MONITORING,
        "",
        "default-monitoring",
        json!({"spec": {"namespace": namespace}}),
    );
    turn.ensure(MONITORING, owned_by(monitoring, dsci));
    let mut conditions = Vec::new();
    let mut missing = Vec::new();
    for (wanted, operator, kind) in needs {
        let installed = turn.world.csv(operator).is_some() && !turn.faults.at(FaultName::MonitoringUnmet, operator);
        let why = format!("{operator} operator must be installed before the monitoring stack is configured");
        match (wanted, installed) {
            (false, _) => conditions.push(condition(kind, false, "NotConfigured", "")),
            (true, true) => conditions.push(condition(kind, true, "Available", "")),
            (true, false) => {
                conditions.push(condition(kind, false, "OperatorMissing", &why));
                missing.push(why);
            }
        }
    }
    if metrics && missing.is_empty() {
        let labels = json!({"app.kubernetes.io/name": "data-science-perses"});
        let perses = object(
            STATEFUL_SET,
            namespace,
            "data-science-perses",
            json!({"spec": {
                "replicas": 1, "serviceName": "data-science-perses", "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "perses", "image": "registry.redhat.io/simulated/perses"}]}},
            }}),
        );
        turn.ensure(STATEFUL_SET, owned_by(perses, dsci));
        conditions.push(condition("PersesAvailable", true, "Available", ""));
    }
    let fine = missing.is_empty();
    conditions.push(condition(
        "MonitoringAvailable",
        fine,
        if fine { "Available" } else { "OperatorMissing" },
        "",
    ));
    conditions.push(condition(
        "Ready",
        fine,
        if fine { "Ready" } else { "OperatorMissing" },
        &missing.join("; "),
    ));
    if let Some(live) = turn.world.get(MONITORING, "", "default-monitoring").cloned() {
        let phase = if fine { "Ready" } else { "Not Ready" };
        turn.status(MONITORING, &live, json!({"phase": phase, "conditions": conditions}));
    }
    if fine { Ok(()) } else { Err(missing.join("; ")) }
}

/// Keeps `odh-trusted-ca-bundle` while DSCI says Managed, deletes it otherwise (reference/platform.md §2.4, §2.12).
fn trusted_bundle(turn: &mut Turn<'_>, dsci: &Value, namespace: &str) {
    const NAME: &str = "odh-trusted-ca-bundle";
    if dsci.text("/spec/trustedCABundle/managementState") != "Managed" {
        turn.delete(CONFIG_MAP, namespace, NAME);
        return;
    }
    let user = turn
        .world
        .get(CONFIG_MAP, "openshift-config", "user-ca-bundle")
        .filter(|_| !turn.faults.on(FaultName::TrustBundleMissed));
    let bundle = user
        .and_then(|config| config.pointer("/data/ca-bundle.crt"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let bundle = format!("{}{bundle}", crate::certificates::TRUSTED);
    let config = object(
        CONFIG_MAP,
        namespace,
        NAME,
        json!({
            "metadata": {"labels": {"app.kubernetes.io/part-of": "opendatahub-operator"}},
            "data": {"ca-bundle.crt": bundle, "odh-ca-bundle.crt": dsci.text("/spec/trustedCABundle/customCABundle")},
        }),
    );
    turn.ensure(CONFIG_MAP, owned_by(config, dsci));
}

fn end_dsci(turn: &mut Turn<'_>, dsci: &Value) {
    turn.delete(MONITORING, "", "default-monitoring");
    turn.release(DSCI, dsci, DSCI_FINALIZER);
}

fn realise(turn: &mut Turn<'_>, dsc: &Value) {
    turn.finalize(DSC, dsc, DSC_FINALIZER);
    let initialised = turn.world.list(DSCI).any(|dsci| dsci.text("/status/phase") == "Ready");
    if !initialised {
        turn.status(
            DSC,
            dsc,
            json!({"phase": "Not Ready", "conditions": [
                condition("Ready", false, "DSCInitializationNotReady", "waiting for a ready DSCInitialization"),
            ]}),
        );
        return;
    }
    let mut conditions = Vec::new();
    let mut waiting = Vec::new();
    for component in COMPONENTS {
        match rhoai_components::reconcile(turn, dsc, component) {
            Some(true) => conditions.push(condition(component.condition, true, "Ready", "")),
            Some(false) => {
                conditions.push(unready(turn, component));
                waiting.push(component.condition.trim_end_matches("Ready").to_lowercase());
            }
            None => conditions.push(
                json!({"type": component.condition, "status": "False", "reason": "Removed",
                "message": "Component ManagementState is set to Removed", "severity": "Info"}),
            ),
        }
    }
    let fine = waiting.is_empty();
    let why = if fine {
        String::new()
    } else {
        format!("Some components are not ready: {}", waiting.join(","))
    };
    let reason = if fine { "Ready" } else { "NotReady" };
    conditions.push(condition("ProvisioningSucceeded", true, "Provisioned", ""));
    conditions.push(condition("ComponentsReady", fine, reason, &why));
    conditions.push(condition("Ready", fine, reason, &why));
    turn.status(
        DSC,
        dsc,
        json!({
            "phase": if fine { "Ready" } else { "Not Ready" },
            "observedGeneration": dsc["metadata"]["generation"],
            "conditions": conditions,
        }),
    );
}

/// Returns the condition of a component that is not ready: what its CR says, if it says why.
fn unready(turn: &Turn<'_>, component: &Component) -> Value {
    let told = turn.world.get(component.kind, "", component.name).and_then(|live| {
        let mut conditions = live.list("/status/conditions").iter();
        conditions.find(|told| told.text("/type") == "Ready" && !told.text("/message").is_empty())
    });
    let (reason, why) = told.map_or(("NotReady", "component is not ready"), |told| {
        (told.text("/reason"), told.text("/message"))
    });
    condition(component.condition, false, reason, why)
}

fn end_dsc(turn: &mut Turn<'_>, dsc: &Value) {
    let mut gone = true;
    for component in COMPONENTS {
        turn.delete(component.kind, "", component.name);
        gone &= turn.world.get(component.kind, "", component.name).is_none();
    }
    // What the operator made for the platform goes with it, while it is there to do so.
    turn.delete(ODH_DASHBOARD_CONFIG, APPLICATIONS, "odh-dashboard-config");
    turn.delete(HARDWARE_PROFILE, APPLICATIONS, "default-profile");
    if gone {
        turn.release(DSC, dsc, DSC_FINALIZER);
    }
}

/// Returns the CR of MaaS while it is Managed.
pub(crate) fn models_as_service(turn: &Turn<'_>) -> Option<Arc<Value>> {
    turn.all(MODELS_AS_SERVICE)
        .into_iter()
        .find(|component| !component.is_deleting())
}

/// Returns a Deployment of the applications namespace.
pub(crate) fn application(name: &str, labels: &Value, containers: &[&str]) -> Value {
    operands::deployment(APPLICATIONS, name, labels, containers)
}
