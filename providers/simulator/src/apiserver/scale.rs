//! The scale subresource: an `autoscaling/v1` Scale made from, and written into, another object.

use serde_json::{Value, json};

use super::kinds::Scale;

fn at<'a>(object: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, key| value.get(key))
}

/// The Scale of an object.
pub(super) fn of(object: &Value, paths: &Scale) -> Value {
    let metadata = &object["metadata"];
    let mut scale = json!({
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
            "resourceVersion": metadata["resourceVersion"],
            "creationTimestamp": metadata["creationTimestamp"],
        },
        "spec": {},
        "status": { "replicas": at(object, &paths.status_replicas).cloned().unwrap_or(json!(0)) },
    });
    // A Go type without pointers: zero is left out.
    if let Some(replicas) = at(object, &paths.spec_replicas).filter(|replicas| **replicas != json!(0)) {
        scale["spec"]["replicas"] = replicas.clone();
    }
    let selector = paths.selector.as_deref().and_then(|path| at(object, path));
    if let Some(selector) = selector.and_then(selector_text) {
        scale["status"]["selector"] = json!(selector);
    }
    scale
}

/// A label selector as text, `a=b,c=d`.
fn selector_text(selector: &Value) -> Option<String> {
    if let Some(text) = selector.as_str() {
        return Some(text.to_owned());
    }
    let labels = selector["matchLabels"].as_object()?;
    let pairs: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    Some(pairs.join(","))
}

/// Writes a number of replicas into an object.
pub(super) fn set(object: &mut Value, paths: &Scale, replicas: &Value) {
    let mut place = object;
    for key in &paths.spec_replicas {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[key.as_str()];
    }
    *place = if replicas.is_null() { json!(0) } else { replicas.clone() };
}
