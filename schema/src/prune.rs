//! Removes what a schema does not declare.

use serde_json::Value;
use std::fmt::Write as _;

use super::{Schema, Type};

/// Removes undeclared fields from `value` and returns their paths, in the dialect of field warnings (`spec.bogus`).
pub fn prune(schema: &Schema, value: &mut Value) -> Vec<String> {
    let mut removed = Vec::new();
    walk(schema, value, &mut String::new(), true, &mut removed);
    removed
}

/// Whether an object of this schema always keeps apiVersion, kind and metadata.
fn keeps_identity(schema: &Schema, is_root: bool, name: &str) -> bool {
    (is_root || schema.is_embedded_resource) && matches!(name, "apiVersion" | "kind" | "metadata")
}

fn walk(schema: &Schema, value: &mut Value, path: &mut String, is_root: bool, removed: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if schema.value_type == Type::Any && schema.properties.is_empty() && schema.additional.is_none() {
                return;
            }
            map.retain(|name, child| {
                let length = path.len();
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
                let keep = if keeps_identity(schema, is_root, name) {
                    true
                } else if let Some(property) = schema.properties.get(name) {
                    walk(property, child, path, false, removed);
                    true
                } else if let Some(additional) = &schema.additional {
                    walk(additional, child, path, false, removed);
                    true
                } else if schema.accepts_anything() {
                    true
                } else {
                    removed.push(path.clone());
                    false
                };
                path.truncate(length);
                keep
            });
        }
        Value::Array(list) => {
            if let Some(item) = &schema.items {
                for (index, child) in list.iter_mut().enumerate() {
                    let length = path.len();
                    let _ = write!(path, "[{index}]");
                    walk(item, child, path, false, removed);
                    path.truncate(length);
                }
            }
        }
        _ => {}
    }
}
