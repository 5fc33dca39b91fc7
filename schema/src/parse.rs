//! A definition's `openAPIV3Schema`, read into a [`Schema`].
//!
//! What is not understood is left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::Regex;
use serde_json::Value;

use super::{Gaps, Limits, ListType, Schema, Type, rules};

/// Reads one version's schema; `None` gives one that keeps everything. Rules that are not judged are counted in `gaps`.
pub fn from_definition(open_api: Option<&Value>, gaps: &mut Gaps) -> Schema {
    match open_api {
        Some(node) => read(node, gaps),
        None => Schema {
            value_type: Type::Object,
            preserves_unknown: true,
            ..Schema::default()
        },
    }
}

fn flag(node: &Value, key: &str) -> bool {
    node[key].as_bool().unwrap_or(false)
}

fn read(node: &Value, gaps: &mut Gaps) -> Schema {
    let int_or_string = flag(node, "x-kubernetes-int-or-string");
    let value_type = match node["type"].as_str() {
        _ if int_or_string => Type::IntOrString,
        Some("object") => Type::Object,
        Some("array") => Type::Array,
        Some("string") => Type::String,
        Some("integer") => Type::Integer,
        Some("number") => Type::Number,
        Some("boolean") => Type::Boolean,
        Some(_) | None => Type::Any,
    };
    let properties: BTreeMap<String, Arc<Schema>> = node["properties"]
        .as_object()
        .map(|map| {
            map.iter()
                .map(|(name, child)| (name.clone(), Arc::new(read(child, gaps))))
                .collect()
        })
        .unwrap_or_default();
    let additional = match &node["additionalProperties"] {
        Value::Object(_) => Some(Arc::new(read(&node["additionalProperties"], gaps))),
        Value::Bool(true) => Some(Arc::new(Schema::default())),
        _ => None,
    };
    let list_type = match node["x-kubernetes-list-type"].as_str() {
        Some("set") => ListType::Set,
        Some("map") => {
            let mut keys: Vec<String> = strings(&node["x-kubernetes-list-map-keys"]);
            keys.sort();
            ListType::Map(keys)
        }
        _ => ListType::Atomic,
    };
    let items = node["items"].is_object().then(|| Arc::new(read(&node["items"], gaps)));
    let rules: Arc<[rules::Rule]> = rules::read(node, gaps).into();
    let mut below = properties.values().chain(&additional).chain(&items);
    let has_rules = !rules.is_empty() || below.any(|schema| schema.has_rules);
    Schema {
        value_type,
        properties,
        additional,
        items,
        rules,
        has_rules,
        list_type,
        is_atomic_map: node["x-kubernetes-map-type"] == "atomic",
        preserves_unknown: flag(node, "x-kubernetes-preserve-unknown-fields"),
        is_embedded_resource: flag(node, "x-kubernetes-embedded-resource"),
        is_nullable: flag(node, "nullable"),
        default: node.get("default").cloned(),
        required: strings(&node["required"]),
        limits: limits(node, int_or_string, gaps),
        ..Schema::default()
    }
}

fn strings(node: &Value) -> Vec<String> {
    node.as_array()
        .map(|list| list.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect())
        .unwrap_or_default()
}

fn limits(node: &Value, int_or_string: bool, gaps: &mut Gaps) -> Option<Box<Limits>> {
    let size = |key: &str| node[key].as_u64().and_then(|size| usize::try_from(size).ok());
    let mut list = |key: &str| -> Vec<Schema> {
        // `anyOf: [{type: integer}, {type: string}]` is only how int-or-string is spelled.
        node[key]
            .as_array()
            .filter(|_| !int_or_string)
            .map(|list| list.iter().map(|child| read(child, gaps)).collect())
            .unwrap_or_default()
    };
    let limits = Limits {
        allowed: node["enum"].as_array().cloned(),
        minimum: node["minimum"].as_f64(),
        maximum: node["maximum"].as_f64(),
        exclusive_minimum: flag(node, "exclusiveMinimum"),
        exclusive_maximum: flag(node, "exclusiveMaximum"),
        multiple_of: node["multipleOf"].as_f64(),
        min_length: size("minLength"),
        max_length: size("maxLength"),
        pattern: node["pattern"].as_str().and_then(|pattern| Regex::new(pattern).ok()),
        format: node["format"].as_str().map(ToOwned::to_owned),
        min_items: size("minItems"),
        max_items: size("maxItems"),
        unique_items: flag(node, "uniqueItems"),
        min_properties: size("minProperties"),
        max_properties: size("maxProperties"),
        all_of: list("allOf"),
        any_of: list("anyOf"),
        one_of: list("oneOf"),
        not: node["not"].is_object().then(|| read(&node["not"], gaps)),
    };
    let any = limits.allowed.is_some()
        || limits.minimum.is_some()
        || limits.maximum.is_some()
        || limits.multiple_of.is_some()
        || limits.min_length.is_some()
        || limits.max_length.is_some()
        || limits.pattern.is_some()
        || limits.format.is_some()
        || limits.min_items.is_some()
        || limits.max_items.is_some()
        || limits.unique_items
        || limits.min_properties.is_some()
        || limits.max_properties.is_some()
        || !limits.all_of.is_empty()
        || !limits.any_of.is_empty()
        || !limits.one_of.is_empty()
        || limits.not.is_some();
    any.then(|| Box::new(limits))
}
