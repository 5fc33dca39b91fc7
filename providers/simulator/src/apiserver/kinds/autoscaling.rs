//! The one built-in kind with two versions: a HorizontalPodAutoscaler, whose older version knows the CPU alone.
//!
//! Source: <https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/apis/autoscaling/v1/conversion.go>. Simplified: what
//! the older version cannot say is lost by a write in it, where a real server keeps it in annotations.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Version;
use crate::apiserver::schema::Schema;

pub(super) const GROUP: &str = "autoscaling";

/// The older version, beside the one that objects are stored in.
pub(super) fn older(newer: &Version, schema: Arc<Schema>) -> Version {
    Version {
        name: "v1".to_owned(),
        api_version: "autoscaling/v1".to_owned(),
        schema,
        ..newer.clone()
    }
}

/// Makes an object that was just given another version one in that version, where names differ.
pub(in crate::apiserver) fn convert(object: &mut Value) {
    match object["apiVersion"].as_str() {
        Some("autoscaling/v1") => to_older(object),
        Some("autoscaling/v2") => to_newer(object),
        Some("v1" | "events.k8s.io/v1") if object["kind"] == "Event" => super::events::convert(object),
        _ => {}
    }
}

fn is_cpu(metric: &Value) -> bool {
    metric["resource"]["name"] == "cpu" && metric["resource"]["target"]["type"] == "Utilization"
}

fn to_older(object: &mut Value) {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    spec.remove("behavior");
    let metrics = spec.remove("metrics").unwrap_or_default();
    let cpu = metrics.as_array().into_iter().flatten().find(|metric| is_cpu(metric));
    if let Some(cpu) = cpu {
        let percentage = cpu["resource"]["target"]["averageUtilization"].clone();
        spec.insert("targetCPUUtilizationPercentage".to_owned(), percentage);
    }
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        status.remove("conditions");
        status.remove("currentMetrics");
    }
}

fn to_newer(object: &mut Value) {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(percentage) = spec.remove("targetCPUUtilizationPercentage") {
        let target = json!({"type": "Utilization", "averageUtilization": percentage});
        let metrics = json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]);
        spec.insert("metrics".to_owned(), metrics);
    }
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        status.remove("currentCPUUtilizationPercentage");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_of_the_cpu_is_a_metric_and_back() {
        let older =
            json!({"apiVersion": "autoscaling/v1", "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 50}});
        let mut object = older.clone();
        object["apiVersion"] = json!("autoscaling/v2");
        convert(&mut object);
        assert_eq!(
            object["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"],
            50
        );
        object["apiVersion"] = json!("autoscaling/v1");
        convert(&mut object);
        assert_eq!(object, older);
    }
}
