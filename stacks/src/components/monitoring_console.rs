//! What the console shows of models: its plugins, a dashboard, and where the dashboard gets its figures.
//!
//! A dashboard is listed only if both plugins are there, it stands in the namespace of Cluster Observability, and it
//! carries the label that the plugins look for (`reference/platform.md` §2.18, visibility rule; §4 G35).
//!
//! Facts: `reference/platform.md` §2.18.

use super::{
    Context,
    cluster_observability::NAMESPACE,
    draft::{Draft, at, keyed, seconds, see},
    perses::{Dashboard, Grid, Panel},
    secret,
};
use serde_json::{Value, json};
use stackctl_engine::{
    Address, ObjectRef,
    late::{Encoding, Late, LateSource},
    readiness::Rule,
    resource::ConsequenceClass,
};

/// What is counted: the models of every namespace.
const SELECTOR: &str = r#"{namespace=~".+"}"#;
const READER: &str = "perses-prometheus-reader";
const READER_TOKEN: &str = "perses-prometheus-reader-token";

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let mut nodes = Vec::new();
    if context.stack.monitoring.dashboards {
        nodes.extend(plugins());
        nodes.push(dashboard());
    }
    if context.stack.monitoring.datasource {
        nodes.extend(datasource());
    }
    nodes
}

fn plugin(name: &str) -> Address {
    keyed(&[("monitoring", ""), ("console-plugin", name)])
}

/// Their names are forced by their types (`reference/platform.md` §2.18).
fn plugins() -> [Draft; 2] {
    let node = |name: &str, spec: Value| {
        Draft::object(
            plugin(name),
            json!({
                "apiVersion": "observability.openshift.io/v1alpha1",
                "kind": "UIPlugin",
                "metadata": {"name": name},
                "spec": spec,
            }),
        )
        .ready(Rule::All(vec![
            Rule::condition("Reconciled"),
            Rule::condition("Available"),
        ]))
        .within(seconds(300))
        .tells(
            ConsequenceClass::Notice,
            "the pods of the console restart to load its new plugins",
        )
    };
    [
        node("dashboards", json!({"type": "Dashboards"})),
        node(
            "monitoring",
            json!({"type": "Monitoring", "monitoring": {"perses": {"enabled": true}}}),
        ),
    ]
}

const PANELS: &[Panel] = &[
    Panel {
        key: "cacheHitRate",
        name: "Prefix Cache Hit Rate % (North Star Metric)",
        description: "Token-level cache hit rate - target > 80% for multi-turn workloads",
        at: (0, 0, 12),
        series: &[(
            "sum(rate(kserve_vllm:prefix_cache_hits_totalS[5m]))\n/\nsum(rate(kserve_vllm:prefix_cache_queries_totalS[5m]))\n* 100\n",
            "Cache Hit Rate %",
        )],
    },
    Panel {
        key: "cachedTokensSaved",
        name: "Cached Tokens Saved (Business Value)",
        description: "Tokens NOT recomputed due to cache - GPU hours saved",
        at: (12, 0, 12),
        series: &[(
            "sum(rate(kserve_vllm:prompt_tokens_cached_totalS[5m])) * 60\n",
            "Tokens/min saved",
        )],
    },
    Panel {
        key: "ttftP95",
        name: "TTFT P95",
        description: "P95 Time To First Token - with good caching, should be 50-80% faster",
        at: (0, 6, 8),
        series: &[(
            "histogram_quantile(0.95, sum by (le, model_name) (\n  rate(kserve_vllm:time_to_first_token_seconds_bucketS[5m])\n))\n",
            "{{model_name}} P95",
        )],
    },
    Panel {
        key: "ttftP99",
        name: "TTFT P99 (Tail Latency)",
        description: "P99 Time To First Token - target < 1s",
        at: (8, 6, 8),
        series: &[(
            "histogram_quantile(0.99, sum by (le, model_name) (\n  rate(kserve_vllm:time_to_first_token_seconds_bucketS[5m])\n))\n",
            "{{model_name}} P99",
        )],
    },
    Panel {
        key: "kvCacheUsage",
        name: "KV Cache Utilization %",
        description: "Alert when > 90% sustained - scale up or reduce max_model_len",
        at: (16, 6, 8),
        series: &[("kserve_vllm:kv_cache_usage_percS\n", "{{model_name}}")],
    },
    Panel {
        key: "queueDepth",
        name: "Queue Depth (Waiting + Running)",
        description: "Alert when waiting > 10 sustained. With good caching, TTFT stays low even with queue",
        at: (0, 12, 12),
        series: &[
            ("kserve_vllm:num_requests_waitingS\n", "Waiting - {{model_name}}"),
            ("kserve_vllm:num_requests_runningS\n", "Running - {{model_name}}"),
        ],
    },
    Panel {
        key: "requestRate",
        name: "Request Rate (Success + Failure)",
        description: "Successful vs failed requests per second - target > 99.9% success",
        at: (12, 12, 12),
        series: &[
            ("sum(rate(kserve_vllm:request_success_totalS[5m]))\n", "Success"),
            ("sum(rate(kserve_vllm:request_failure_totalS[5m]))\n", "Failure"),
        ],
    },
];

/// Waits for what makes the console list a dashboard.
pub(super) fn listed(dashboard: Draft) -> Draft {
    dashboard
        .after(plugin("dashboards"), "the console lists it with this plugin")
        .after(plugin("monitoring"), "the console lists it with this plugin")
        .note("shown in the console under Observe → Dashboards (Perses)")
}

fn dashboard() -> Draft {
    let dashboard = Dashboard {
        name: "llm-d-intelligent-inference",
        title: "llm-d Intelligent Inference (Prefix Caching + EPP)",
        description: "Well-lit path specific metrics for Intelligent Inference with cache-aware routing",
        selector: SELECTOR,
        grids: &[Grid {
            title: "Cache Effectiveness (Primary Success Metrics)",
            height: 6,
            panels: PANELS,
        }],
    };
    listed(Draft::object(
        at("monitoring.inference-dashboard"),
        dashboard.manifest(),
    ))
}

/// A reader of the cluster's metrics. Its token is one that Kubernetes keeps in a Secret for as long as the account is
/// there; the manual's runs out after a year.
fn datasource() -> [Draft; 6] {
    let secret_type = "kubernetes.io/service-account-token";
    let token = ObjectRef::namespaced("v1", "Secret", NAMESPACE, READER_TOKEN);
    let copied = Late {
        path: secret::data("BearerToken"),
        source: LateSource::Object {
            address: at("monitoring.datasource-token-issued"),
            object: token.clone(),
            path: secret::data("token"),
            encoding: Encoding::Base64,
        },
        encoding: Encoding::Base64,
        sensitive: true,
    };
    [
        Draft::object(
            at("monitoring.datasource-account"),
            json!({
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": READER, "namespace": NAMESPACE},
            }),
        ),
        Draft::object(
            at("monitoring.datasource-rights"),
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": READER},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-monitoring-view",
                },
                "subjects": [{"kind": "ServiceAccount", "name": READER, "namespace": NAMESPACE}],
            }),
        )
        .tells(
            ConsequenceClass::ClusterRights,
            format!("lets ServiceAccount {READER} read all metrics of the cluster"),
        ),
        Draft::object(
            at("monitoring.datasource-token"),
            json!({
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {
                    "name": READER_TOKEN,
                    "namespace": NAMESPACE,
                    "annotations": {"kubernetes.io/service-account.name": READER},
                },
                "type": secret_type,
            }),
        )
        .after_write(at("monitoring.datasource-account"), "it is a token of that account"),
        Draft::gate(
            at("monitoring.datasource-token-issued"),
            vec![see(token, Rule::non_empty("data"))],
        )
        .after_write(at("monitoring.datasource-token"), "Kubernetes writes the token into it")
        .after(
            at("monitoring.datasource-account"),
            "the token is made for an account that is there",
        )
        .within(seconds(60))
        .note(format!("waits for the token in Secret {READER_TOKEN}")),
        Draft::object(
            at("monitoring.datasource-secret"),
            json!({
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "prometheus-datasource-secret", "namespace": NAMESPACE},
                "type": "Opaque",
            }),
        )
        .late(copied)
        .after(at("monitoring.datasource-token-issued"), "it holds that token"),
        Draft::object(
            at("monitoring.datasource"),
            json!({
                "apiVersion": "perses.dev/v1alpha2",
                "kind": "PersesDatasource",
                "metadata": {"name": "prometheus-datasource", "namespace": NAMESPACE},
                "spec": {
                    "client": {"tls": {
                        "enable": true, "caCert": {"type": "file", "certPath": "/ca/service-ca.crt"},
                    }},
                    "config": {
                        "default": true,
                        "display": {"name": "Thanos Querier Datasource"},
                        "plugin": {"kind": "PrometheusDatasource", "spec": {"proxy": {
                            "kind": "HTTPProxy",
                            "spec": {
                                "secret": "prometheus-datasource-secret",
                                "url": "https://thanos-querier.openshift-monitoring.svc.cluster.local:9091",
                            },
                        }}},
                    },
                },
            }),
        )
        .after_write(at("monitoring.datasource-secret"), "it reads with that token"),
    ]
}
