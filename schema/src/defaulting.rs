//! Defaults of a schema, put where a value is missing.
//!
//! Invariants:
//! - A default appears wherever its parent object is there, however the value went away (`reference/ssa-semantics.md` §3).
//! - A null where null is not allowed and a default is there counts as missing.

use serde_json::Value;

use super::{Schema, Type};

/// Puts the defaults of `schema` into `value`.
pub fn apply_defaults(schema: &Schema, value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (name, property) in &schema.properties {
                let Some(default) = &property.default else { continue };
                let is_missing = match map.get(name) {
                    None => true,
                    Some(Value::Null) => !property.is_nullable,
                    Some(_) => false,
                };
                if is_missing {
                    map.insert(name.clone(), default.clone());
                }
            }
            if schema.properties.is_empty() && schema.additional.is_none() {
                return;
            }
            for (name, child) in map.iter_mut() {
                if let Some(property) = schema.properties.get(name) {
                    apply_defaults(property, child);
                } else if let Some(additional) = &schema.additional {
                    if child.is_null()
                        && !additional.is_nullable
                        && let Some(default) = &additional.default
                    {
                        *child = default.clone();
                    }
                    apply_defaults(additional, child);
                }
            }
        }
        Value::Array(list) if schema.value_type == Type::Array => {
            let item = schema.item();
            for child in list {
                apply_defaults(item, child);
            }
        }
        _ => {}
    }
}
