//! The shape that every object of the seed has.

use serde_json::{Map, Value, json};

/// When the cluster was installed: the time in every status that names one.
pub(super) const INSTALLED_AT: &str = "2026-11-02T08:00:00Z";

/// An object in a namespace; `rest` is everything but apiVersion, kind, and what names it.
pub(super) fn namespaced(api_version: &str, kind: &str, namespace: &str, name: &str, rest: Value) -> Value {
    let mut object = cluster(api_version, kind, name, rest);
    object["metadata"]["namespace"] = json!(namespace);
    object
}

/// An object of the whole cluster.
pub(super) fn cluster(api_version: &str, kind: &str, name: &str, rest: Value) -> Value {
    let mut object = match rest {
        Value::Object(rest) => rest,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    };
    object.insert("apiVersion".to_owned(), json!(api_version));
    object.insert("kind".to_owned(), json!(kind));
    let metadata = object.entry("metadata").or_insert_with(|| json!({}));
    metadata["name"] = json!(name);
    Value::Object(object)
}

/// A condition with the usual fields.
pub(super) fn condition(kind: &str, status: &str, reason: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "lastTransitionTime": INSTALLED_AT})
}

/// The name of an object, or nothing.
pub(super) fn name_of(object: &Value) -> String {
    object
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// What people call an object: its kind, namespace and name.
pub(super) fn words(object: &Value) -> String {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or("object");
    let name = name_of(object);
    match object.pointer("/metadata/namespace").and_then(Value::as_str) {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}
