//! What scrapes a model, and its scheduler.
//!
//! Facts: `reference/serving.md` §1.3 rows 4 and 5.

use crate::{
    components::{
        Context,
        draft::{Draft, keyed},
        monitoring,
    },
    stack::{Deployment, Model, ModelMonitoring},
};
use serde_json::{Value, json};

pub(super) fn resources(context: &Context<'_>, model: &Model) -> Vec<Draft> {
    let Some(scraping) = model.monitoring else {
        return Vec::new();
    };
    let workload = monitor(
        model,
        scraping,
        "workload-metrics",
        json!({"app.kubernetes.io/part-of": "llminferenceservice"}),
        "llminferenceservice-workload",
        json!({"port": "https", "scheme": "https", "tlsConfig": {"insecureSkipVerify": true}}),
    );
    let mut nodes = vec![node(context, model, "metrics", workload)];
    if let Deployment::PrefillDecode(_) = model.deployment {
        return nodes;
    }
    let scheduler = monitor(
        model,
        scraping,
        "epp-metrics",
        json!({"app.kubernetes.io/component": "epp-scheduler"}),
        "llminferenceservice-router-scheduler",
        json!({"port": "metrics", "scheme": "http"}),
    );
    nodes.push(node(context, model, "scheduler-metrics", scheduler));
    nodes
}

fn node(context: &Context<'_>, model: &Model, role: &str, manifest: Value) -> Draft {
    let node = Draft::object(keyed(&[("model", model.name.as_str()), (role, "")]), manifest);
    match monitoring::ready(context) {
        Some(gate) => node.after(gate, "user-workload monitoring scrapes it"),
        None => node,
    }
}

fn monitor(
    model: &Model,
    scraping: ModelMonitoring,
    suffix: &str,
    more_labels: Value,
    component: &str,
    endpoint: Value,
) -> Value {
    let (name, namespace) = (model.name.as_str(), model.namespace.as_str());
    let mut labels = more_labels;
    labels["app"] = json!("llm-d");
    labels["app.kubernetes.io/name"] = json!(name);
    labels["llm-d.ai/well-lit-path"] = json!(super::path(&model.deployment));
    let mut endpoint = endpoint;
    endpoint["path"] = json!("/metrics");
    endpoint["interval"] = json!(scraping.interval.to_string());
    endpoint["scrapeTimeout"] = json!(scraping.scrape_timeout.to_string());
    endpoint["relabelings"] = json!([{
        "action": "replace",
        "sourceLabels": ["__meta_kubernetes_service_label_llm_d_ai_well_lit_path"],
        "targetLabel": "well_lit_path",
    }]);
    json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": {"name": format!("{name}-{suffix}"), "namespace": namespace, "labels": labels},
        "spec": {
            "endpoints": [endpoint],
            "namespaceSelector": {"matchNames": [namespace]},
            "selector": {"matchLabels": {
                "app.kubernetes.io/name": name,
                "app.kubernetes.io/component": component,
            }},
        },
    })
}
