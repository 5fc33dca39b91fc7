//! Alerts: on Limitador, on the gateway, and on the models that are published.
//!
//! User-workload monitoring evaluates a rule over the metrics of the rule's own namespace, so that each project whose
//! models are scraped has a rule of its own: the manual's, in `models-as-a-service`, where no model runs, never fires
//! (OpenShift, Monitoring, "Creating alerting rules for user-defined projects": the label `namespace` is enforced, and
//! no metrics of another project can be included; <https://github.com/openshift/openshift-docs/pull/85680/files>).
//!
//! Facts: `reference/serving.md` §1.16.

use super::GATEWAY_WORKLOAD;
use crate::{
    components::{
        Context,
        draft::{Draft, at, keyed},
        kuadrant, monitoring,
        names::{INGRESS, KUADRANT},
    },
    stack::MaasAlerts,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) fn resources(context: &Context<'_>, alerts: MaasAlerts) -> Vec<Draft> {
    let scraped: BTreeSet<_> = context
        .stack
        .maas_models()
        .filter(|model| model.monitoring.is_some())
        .map(|model| model.namespace.as_str())
        .collect();
    let limitador = evaluated(context, limitador(alerts)).after(
        kuadrant::operands(),
        "it would tell of a Limitador that is down before there is one",
    );
    let mut nodes = vec![limitador, gateway()];
    nodes.extend(scraped.into_iter().map(|project| evaluated(context, models(project))));
    nodes
}

/// Waits for what evaluates the rules of a namespace that is not part of OpenShift.
fn evaluated(context: &Context<'_>, rule: Draft) -> Draft {
    match monitoring::ready(context) {
        Some(gate) => rule.after(gate, "user-workload monitoring evaluates it"),
        None => rule,
    }
}

struct Alert {
    name: &'static str,
    summary: &'static str,
    description: String,
    expr: String,
    /// How long it has to hold before somebody hears of it.
    minutes: u8,
    severity: &'static str,
}

impl Alert {
    fn rule(&self) -> Value {
        json!({
            "alert": self.name,
            "annotations": {"summary": self.summary, "description": self.description},
            "expr": self.expr,
            "for": format!("{}m", self.minutes),
            "labels": {"severity": self.severity},
        })
    }
}

fn rules(name: &str, namespace: &str, group: &str, alerts: &[Alert]) -> Value {
    let rules: Vec<_> = alerts.iter().map(Alert::rule).collect();
    json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"groups": [{"name": group, "rules": rules}]},
    })
}

fn limitador(MaasAlerts { rejection_percent }: MaasAlerts) -> Draft {
    let share = f64::from(rejection_percent) / 100.0;
    let alerts = [
        Alert {
            name: "MaaSLimitadorDown",
            summary: "Limitador is down",
            description: "Limitador rate limiter has been down for more than 1 minute.".to_owned(),
            // Limitador itself exports that it is up, so that one that is down says nothing
            // (https://github.com/Kuadrant/limitador, limitador-server/src/prometheus_metrics.rs).
            expr: "limitador_up == 0 or absent(limitador_up)".to_owned(),
            minutes: 1,
            severity: "critical",
        },
        Alert {
            name: "MaaSHighRejectionRate",
            summary: "High rate limit rejection rate",
            description: format!("More than {rejection_percent}% of requests are being rate limited."),
            expr: format!(
                "(\n  rate(limited_calls[5m])\n  / (rate(authorized_calls[5m]) + rate(limited_calls[5m]))\n) > {share}"
            ),
            minutes: 5,
            severity: "warning",
        },
        Alert {
            name: "MaaSDatastorePartitioned",
            summary: "Limitador datastore partitioned",
            description: "Limitador has lost connectivity to its backing datastore.".to_owned(),
            expr: "datastore_partitioned == 1".to_owned(),
            minutes: 1,
            severity: "critical",
        },
    ];
    let mut manifest = rules("maas-limitador-alerts", KUADRANT, "maas-rate-limits", &alerts);
    manifest["metadata"]["labels"] = json!({"app": "limitador"});
    Draft::object(at("maas.monitoring.limitador-alerts"), manifest).note(format!(
        "due when more than {rejection_percent} % of requests are turned away, and when Limitador is down"
    ))
}

/// Its namespace is part of OpenShift, so that the monitoring of the cluster itself evaluates it.
fn gateway() -> Draft {
    let failed = format!(
        "sum(rate(istio_requests_total{{\n  source_workload=\"{GATEWAY_WORKLOAD}\",\n  response_code=~\"5..\"}}[5m]))"
    );
    let alerts = [
        Alert {
            name: "MaaSGatewayAuthTimeout",
            summary: "MaaS gateway auth timeout (WASM 200ms limit)",
            description: "The Kuadrant WASM filter is timing out at {{ $value | humanize }} req/s.".to_owned(),
            expr: "sum(rate(kuadrant_errors[5m])) > 0".to_owned(),
            minutes: 2,
            severity: "warning",
        },
        Alert {
            name: "MaaSBackend5xx",
            summary: "MaaS backend returning 5xx errors",
            description: "Backend services are returning server errors at {{ $value | humanize }} req/s.".to_owned(),
            expr: format!("{failed} > 0"),
            minutes: 2,
            severity: "warning",
        },
        Alert {
            name: "MaaSGatewayErrorsCritical",
            summary: "MaaS total error rate exceeds 5%",
            description: "More than 5% of all gateway requests are failing.".to_owned(),
            expr: format!(
                "(\n  sum(rate(kuadrant_errors[5m]))\n  + {failed}\n) / (\n  sum(rate(kuadrant_allowed[5m]))\n  + sum(rate(kuadrant_denied[5m]))\n  + sum(rate(kuadrant_errors[5m]))\n) > 0.05"
            ),
            minutes: 5,
            severity: "critical",
        },
    ];
    Draft::object(
        at("maas.monitoring.gateway-alerts"),
        rules("maas-gateway-alerts", INGRESS, "maas-gateway-errors", &alerts),
    )
    .note("due when the gateway or what is behind it fails")
}

fn models(project: &str) -> Draft {
    let alerts = [
        Alert {
            name: "MaaSHighP99Latency",
            summary: "vLLM P99 latency exceeds 30s",
            description: "Model {{ $labels.model_name }} P99 e2e latency is {{ $value | humanizeDuration }}."
                .to_owned(),
            expr: "histogram_quantile(0.99,\n  sum by(le, model_name) (\n    rate(kserve_vllm:e2e_request_latency_seconds_bucket[5m])\n  )\n) > 30"
                .to_owned(),
            minutes: 5,
            severity: "warning",
        },
        Alert {
            name: "MaaSKVCacheNearFull",
            summary: "vLLM KV cache utilization above 90%",
            description: "Model {{ $labels.model_name }} GPU cache is at {{ $value | humanizePercentage }}."
                .to_owned(),
            // The name that this release has, as against the older one (reference/platform.md §2.18, `kvCacheUsage`).
            expr: "kserve_vllm:kv_cache_usage_perc > 0.9".to_owned(),
            minutes: 5,
            severity: "warning",
        },
        Alert {
            name: "MaaSHighErrorRate",
            summary: "vLLM is returning errors",
            description: "Model {{ $labels.model_name }} has error rate of {{ $value }} req/s.".to_owned(),
            expr: "sum by(model_name) (\n  rate(kserve_vllm:request_success_total{finished_reason=\"error\"}[5m])\n) > 0"
                .to_owned(),
            minutes: 5,
            severity: "critical",
        },
    ];
    Draft::object(
        keyed(&[("maas", ""), ("monitoring", ""), ("model-alerts", project)]),
        rules("maas-vllm-slo", project, "maas-vllm-slo", &alerts),
    )
    .note("due when models are slow, fail, or have a full cache")
}
