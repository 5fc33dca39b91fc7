//! Manifests that several operators make alike.

use serde_json::{Value, json};

use super::kinds::DEPLOYMENT;
use super::object::object;

/// Returns a Deployment of one replica; its labels are those of its pods, and of its selector.
pub(crate) fn deployment(namespace: &str, name: &str, labels: &Value, containers: &[&str]) -> Value {
    let containers: Vec<Value> = containers
        .iter()
        .map(|container| json!({"name": container, "image": format!("registry.redhat.io/simulated/{container}")}))
        .collect();
    object(
        DEPLOYMENT,
        namespace,
        name,
        json!({
            "metadata": {"labels": labels},
            "spec": {
                "replicas": 1, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
            },
        }),
    )
}
