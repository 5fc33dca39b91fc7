//! From a CustomResourceDefinition to its condensed form: what an API server needs to store and merge objects.
//!
//! Kept of a schema: types, properties, required, defaults, enums, nullable, and every `x-kubernetes-*` key that
//! changes what apply, pruning or merging does. Left out: descriptions, formats, patterns, bounds and rules, which
//! only refuse objects.
//!
//! The short form: `"string"` is a node that has a type and nothing else; `values` is `additionalProperties`; the
//! prefix `x-kubernetes-` is dropped; `type` is left out where `properties`, `values` (object) or `items` (array)
//! imply it, and is null where they imply one that is not there. The simulator's `schemas/expand.rs` is the inverse.

use serde_json::{Map, Value, json};

/// The keys that are copied, and what each is called in the short form.
const COPIED: &[(&str, &str)] = &[
    ("default", "default"),
    ("enum", "enum"),
    ("nullable", "nullable"),
    ("required", "required"),
    ("x-kubernetes-embedded-resource", "embedded-resource"),
    ("x-kubernetes-int-or-string", "int-or-string"),
    ("x-kubernetes-list-map-keys", "list-map-keys"),
    ("x-kubernetes-list-type", "list-type"),
    ("x-kubernetes-map-type", "map-type"),
    ("x-kubernetes-preserve-unknown-fields", "preserve-unknown-fields"),
];

/// Condenses a whole CRD. `cuts` are the paths below which anything is accepted; each must exist in some version.
///
/// # Errors
/// Names what is missing in the CRD, or the cut that met nothing.
pub(super) fn crd(source: &Value, cuts: &[&str], aggregated: bool) -> Result<Value, String> {
    let spec = source.get("spec").ok_or("has no spec")?;
    let names = spec.get("names").ok_or("has no spec.names")?;
    let mut condensed = Map::new();
    for (from, to) in [
        ("kind", "kind"),
        ("listKind", "list"),
        ("plural", "plural"),
        ("singular", "singular"),
        ("shortNames", "short"),
        ("categories", "categories"),
    ] {
        if let Some(value) = names.get(from) {
            condensed.insert(to.to_owned(), value.clone());
        }
    }
    for key in ["group", "scope"] {
        condensed.insert(key.to_owned(), spec.get(key).ok_or("has no group or scope")?.clone());
    }
    if let Some(url) = source.pointer("/metadata/annotations/api-approved.kubernetes.io") {
        condensed.insert("approved".to_owned(), url.clone());
    }
    let mut met = vec![false; cuts.len()];
    let mut versions = Vec::new();
    for version in spec
        .get("versions")
        .and_then(Value::as_array)
        .ok_or("has no versions")?
    {
        versions.push(version_of(version, cuts, &mut met, aggregated)?);
    }
    condensed.insert("versions".to_owned(), Value::Array(versions));
    match met.iter().position(|met| !met) {
        Some(missed) => Err(format!("the cut `{}` meets nothing", cuts[missed])),
        None => Ok(Value::Object(condensed)),
    }
}

fn version_of(version: &Value, cuts: &[&str], met: &mut [bool], aggregated: bool) -> Result<Value, String> {
    let mut schema = version
        .pointer("/schema/openAPIV3Schema")
        .ok_or("a version has no schema")?
        .clone();
    for (cut, met) in cuts.iter().zip(met) {
        if let Some(node) = at(&mut schema, cut) {
            *node = json!({"type": node.get("type"), "x-kubernetes-preserve-unknown-fields": true});
            *met = true;
        }
    }
    let mut condensed = Map::new();
    for (from, to) in [
        ("name", "name"),
        ("served", "served"),
        ("storage", "storage"),
        ("deprecated", "deprecated"),
        ("deprecationWarning", "deprecation-warning"),
        ("subresources", "subresources"),
        ("additionalPrinterColumns", "columns"),
        ("selectableFields", "selectable-fields"),
    ] {
        if let Some(value) = version.get(from) {
            condensed.insert(to.to_owned(), undescribed(value));
        }
    }
    condensed.insert("schema".to_owned(), node(&schema, !aggregated));
    Ok(Value::Object(condensed))
}

/// The schema node at a path such as `spec.deployments[].spec`.
fn at<'a>(schema: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    let mut node = schema;
    for step in path.split('.') {
        let (name, is_list) = step.strip_suffix("[]").map_or((step, false), |name| (name, true));
        node = node.get_mut("properties")?.get_mut(name)?;
        if is_list {
            node = node.get_mut("items")?;
        }
    }
    Some(node)
}

/// Printer columns without their descriptions.
fn undescribed(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(undescribed).collect(),
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| *key != "description")
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// One schema node. `with_required` is false for aggregated kinds, whose server does not refuse what is absent.
fn node(schema: &Value, with_required: bool) -> Value {
    let mut short = Map::new();
    for (from, to) in COPIED {
        if let Some(value) = schema.get(from)
            && (with_required || *from != "required")
        {
            short.insert((*to).to_owned(), value.clone());
        }
    }
    let mut implied = None;
    if let Some(items) = schema.get("items") {
        short.insert("items".to_owned(), node(items, with_required));
        implied = Some("array");
    }
    if let Some(values) = schema.get("additionalProperties") {
        let values = if values.is_object() {
            node(values, with_required)
        } else {
            values.clone()
        };
        short.insert("values".to_owned(), values);
        implied = Some("object");
    }
    if let Some(Value::Object(properties)) = schema.get("properties") {
        let properties = properties
            .iter()
            .map(|(name, schema)| (name.clone(), node(schema, with_required)))
            .collect();
        short.insert("properties".to_owned(), Value::Object(properties));
        implied = Some("object");
    }
    match (schema.get("type").and_then(Value::as_str), implied) {
        (Some(name), None) if short.is_empty() => return json!(name),
        (Some(name), implied) if implied != Some(name) => drop(short.insert("type".to_owned(), json!(name))),
        (None, Some(_)) => drop(short.insert("type".to_owned(), Value::Null)),
        (Some(_) | None, _) => {}
    }
    Value::Object(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> Value {
        json!({
            "metadata": {"name": "pools.example.com"},
            "spec": {
                "group": "example.com",
                "names": {"kind": "Pool", "listKind": "PoolList", "plural": "pools", "singular": "pool"},
                "scope": "Namespaced",
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "description": "left out",
                    "required": ["spec"],
                    "properties": {"spec": {"type": "object", "properties": {
                        "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port"],
                            "items": {"type": "object", "properties": {"port": {"type": "integer", "maximum": 65535}}}},
                        "pods": {"type": "array", "items": {"type": "object", "properties": {
                            "spec": {"type": "object", "properties": {"deep": {"type": "string"}}}}}},
                    }}},
                }}}],
            },
        })
    }

    #[test]
    fn what_merges_and_defaults_is_kept_and_what_only_refuses_is_not() {
        let condensed = crd(&source(), &["spec.pods[].spec"], false).expect("a complete CRD");
        assert_eq!(
            condensed["versions"][0]["schema"],
            json!({"required": ["spec"], "properties": {"spec": {"properties": {
                "ports": {"list-type": "map", "list-map-keys": ["port"], "items": {"properties": {"port": "integer"}}},
                "pods": {"items": {"properties": {"spec": {"type": "object", "preserve-unknown-fields": true}}}},
            }}}}),
        );
    }

    #[test]
    fn an_aggregated_kind_requires_nothing() {
        let condensed = crd(&source(), &[], true).expect("a complete CRD");
        assert_eq!(condensed["versions"][0]["schema"].get("required"), None);
    }

    #[test]
    fn a_cut_that_meets_nothing_is_an_error() {
        let told = crd(&source(), &["spec.nodes"], false).expect_err("there is no such field");
        assert_eq!(told, "the cut `spec.nodes` meets nothing");
    }
}
