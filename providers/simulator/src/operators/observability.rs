//! `observability`: stands for two operators: cluster monitoring (user workloads) and Cluster Observability (UIPlugins).
//!
//! Source: reference/platform.md §2.18: `config.yaml` with `enableUserWorkload: true` brings the pods
//! `prometheus-user-workload-0/1`; UIPlugins turn Reconciled and Available.
//!
//! Left out: what the pods scrape; Perses dashboards have no status that anybody waits for.

use serde_json::{Value, json};

use super::kinds::{CLUSTER_OPERATOR, CONFIG_MAP, DEPLOYMENT, STATEFUL_SET, UI_PLUGIN};
use super::object::{Read, object};
use super::rules::{Rule, apply};
use super::turn::{Turn, condition};
use crate::faults::FaultName;

const MONITORING: &str = "openshift-monitoring";
const USER_WORKLOAD: &str = "openshift-user-workload-monitoring";
/// Rolling out takes up to about 5 min (reference/platform.md §2.18); the low end.
const SECONDS: u64 = 60;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    let config = turn
        .world
        .get(CONFIG_MAP, MONITORING, "cluster-monitoring-config")
        .cloned();
    let enabled = config
        .filter(|config| !config.is_deleting())
        .is_some_and(|config| is_enabled(&config));
    if !enabled {
        turn.delete(STATEFUL_SET, USER_WORKLOAD, "prometheus-user-workload");
        turn.delete(STATEFUL_SET, USER_WORKLOAD, "thanos-ruler-user-workload");
        turn.delete(DEPLOYMENT, USER_WORKLOAD, "prometheus-operator");
    } else if turn.held("user workload monitoring", SECONDS) && rolls_out(turn) {
        turn.namespace(USER_WORKLOAD);
        let labels = json!({"app.kubernetes.io/name": "prometheus-operator"});
        turn.ensure(
            DEPLOYMENT,
            super::operands::deployment(USER_WORKLOAD, "prometheus-operator", &labels, &["prometheus-operator"]),
        );
        for (name, app) in [
            ("prometheus-user-workload", "prometheus"),
            ("thanos-ruler-user-workload", "thanos-ruler"),
        ] {
            turn.ensure(STATEFUL_SET, stateful_set(name, app));
        }
    }
    if turn.world.csv("cluster-observability-operator").is_some() {
        apply(
            turn,
            &[Rule::new(
                UI_PLUGIN,
                10,
                &[("Reconciled", "UIPluginReconciled"), ("Available", "UIPluginAvailable")],
            )],
        );
    }
}

/// Returns whether the stack for user workloads rolls out, and says in its ClusterOperator where it does not.
fn rolls_out(turn: &mut Turn<'_>) -> bool {
    let fails = turn.faults.on(FaultName::UserWorkloadDegraded);
    let operator = turn.world.get(CLUSTER_OPERATOR, "", "monitoring").cloned();
    if let Some(operator) = operator.filter(|operator| operator.is("Degraded") != fails) {
        let why = "UpdatingUserWorkloadPrometheus: waiting for UserWorkload Prometheus object changes failed: waiting for \
                   Prometheus openshift-user-workload-monitoring/user-workload: context deadline exceeded: condition \
                   Available: status False: reason NoPodReady";
        let degraded = if fails {
            condition("Degraded", true, "UpdatingUserWorkloadPrometheusFailed", why)
        } else {
            condition("Degraded", false, "AsExpected", "")
        };
        turn.status(CLUSTER_OPERATOR, &operator, json!({"conditions": [degraded]}));
    }
    !fails
}

fn is_enabled(config: &Value) -> bool {
    #[derive(serde::Deserialize)]
    struct Monitoring {
        #[serde(default, rename = "enableUserWorkload")]
        enable_user_workload: bool,
    }
    let text = config
        .pointer("/data/config.yaml")
        .and_then(Value::as_str)
        .unwrap_or_default();
    serde_saphyr::from_str::<Monitoring>(text).is_ok_and(|monitoring| monitoring.enable_user_workload)
}

fn stateful_set(name: &str, app: &str) -> Value {
    let labels = json!({"app.kubernetes.io/name": app, "app.kubernetes.io/instance": "user-workload"});
    object(
        STATEFUL_SET,
        USER_WORKLOAD,
        name,
        json!({"spec": {
            "replicas": 2, "serviceName": name, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": app, "image": format!("quay.io/simulated/{app}")}]}},
        }}),
    )
}
