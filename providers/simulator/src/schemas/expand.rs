//! From the condensed form to CustomResourceDefinition manifests.
//!
//! The short form of a schema node: a string is a type, or `#name` for a subtree under `shared`; `values` is
//! `additionalProperties`; keys that are not JSON Schema's own lost the prefix `x-kubernetes-`; a missing `type` is the
//! one that `properties`, `values` or `items` imply, and null says that there is none.

use serde_json::{Map, Value, json};

use crate::apiserver::{NAMES_ANNOTATION, NAMES_IN_PATHS};

/// The groups whose aggregated server takes any name that can be a part of a path, such as `htpasswd:alice` and
/// `sha256~…` (`openshift/oauth-apiserver`, `pkg/user/apis/user/validation`, `pkg/oauth/apis/oauth/validation`).
const FREELY_NAMED: [&str; 2] = ["oauth.openshift.io", "user.openshift.io"];

/// The manifests in one data file.
///
/// # Panics
/// When a data file is not JSON of that form; the files are part of this crate and each is expanded by a test.
pub(super) fn file(text: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(text).expect("the data files are JSON");
    let shared = file["shared"].as_object().expect("a data file has `shared`");
    let crds = file["crds"].as_object().expect("a data file has `crds`");
    crds.iter().map(|(name, crd)| manifest(name, crd, shared)).collect()
}

fn manifest(name: &str, crd: &Value, shared: &Map<String, Value>) -> Value {
    let mut names = Map::new();
    for (from, to) in [
        ("kind", "kind"),
        ("list", "listKind"),
        ("plural", "plural"),
        ("singular", "singular"),
        ("short", "shortNames"),
        ("categories", "categories"),
    ] {
        copy(crd, from, &mut names, to);
    }
    let versions = crd["versions"].as_array().expect("a CRD has versions");
    let versions = versions
        .iter()
        .map(|condensed| version(condensed, shared))
        .collect::<Vec<_>>();
    let mut metadata = Map::from_iter([("name".to_owned(), json!(name))]);
    let mut annotations = Map::new();
    copy(crd, "approved", &mut annotations, "api-approved.kubernetes.io");
    if FREELY_NAMED.iter().any(|group| crd["group"] == *group) {
        annotations.insert(NAMES_ANNOTATION.to_owned(), json!(NAMES_IN_PATHS));
    }
    if !annotations.is_empty() {
        metadata.insert("annotations".to_owned(), Value::Object(annotations));
    }
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": {
            "group": crd["group"],
            "names": names,
            "scope": crd["scope"],
            "conversion": {"strategy": "None"},
            "versions": versions,
        },
    })
}

fn version(condensed: &Value, shared: &Map<String, Value>) -> Value {
    let mut version = Map::new();
    for (from, to) in [
        ("name", "name"),
        ("served", "served"),
        ("storage", "storage"),
        ("deprecated", "deprecated"),
        ("deprecation-warning", "deprecationWarning"),
        ("subresources", "subresources"),
        ("columns", "additionalPrinterColumns"),
        ("selectable-fields", "selectableFields"),
    ] {
        copy(condensed, from, &mut version, to);
    }
    version.insert(
        "schema".to_owned(),
        json!({"openAPIV3Schema": node(&condensed["schema"], shared)}),
    );
    Value::Object(version)
}

fn copy(from: &Value, key: &str, to: &mut Map<String, Value>, new_key: &str) {
    if let Some(value) = from.get(key) {
        to.insert(new_key.to_owned(), value.clone());
    }
}

fn node(condensed: &Value, shared: &Map<String, Value>) -> Value {
    let short = match condensed {
        Value::String(text) => match text.strip_prefix('#') {
            Some(name) => return node(shared.get(name).expect("every name is under `shared`"), shared),
            None => return json!({"type": text}),
        },
        Value::Object(short) => short,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return condensed.clone(),
    };
    let mut schema = Map::new();
    if !short.contains_key("type") {
        if short.contains_key("properties") || short.contains_key("values") {
            schema.insert("type".to_owned(), json!("object"));
        } else if short.contains_key("items") {
            schema.insert("type".to_owned(), json!("array"));
        }
    }
    for (key, value) in short {
        match key.as_str() {
            "type" if value.is_null() => {}
            "default" | "enum" | "nullable" | "required" | "type" => drop(schema.insert(key.clone(), value.clone())),
            "items" => drop(schema.insert(key.clone(), node(value, shared))),
            "values" => drop(schema.insert("additionalProperties".to_owned(), node(value, shared))),
            "properties" => {
                let properties = value.as_object().expect("properties are an object");
                let properties = properties
                    .iter()
                    .map(|(name, value)| (name.clone(), node(value, shared)));
                schema.insert(key.clone(), Value::Object(properties.collect()));
            }
            kubernetes => drop(schema.insert(format!("x-kubernetes-{kubernetes}"), value.clone())),
        }
    }
    Value::Object(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_node_says_what_a_full_one_says() {
        let shared = Map::from_iter([("port".to_owned(), json!({"type": "integer", "default": 80}))]);
        let short = json!({
            "properties": {
                "host": "string",
                "port": "#port",
                "labels": {"values": "string"},
                "size": {"int-or-string": true},
                "rules": {"items": {"properties": {"name": "string"}, "required": ["name"]},
                    "list-type": "map", "list-map-keys": ["name"]},
                "values": "string",
                "loose": {"type": null, "properties": {"any": "boolean"}},
            }
        });
        let full = json!({
            "type": "object",
            "properties": {
                "host": {"type": "string"},
                "port": {"type": "integer", "default": 80},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "size": {"x-kubernetes-int-or-string": true},
                "rules": {"type": "array",
                    "items": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
                    "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
                "values": {"type": "string"},
                "loose": {"properties": {"any": {"type": "boolean"}}},
            }
        });
        assert_eq!(node(&short, &shared), full);
    }
}
