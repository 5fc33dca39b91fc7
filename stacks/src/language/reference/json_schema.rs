//! The JSON Schema of a stack, for editors: made of the same tables as `docs/stack.md`.
//!
//! It says what the structure of a stack is: which keys there are, and what each holds. What crosses keys or has a grammar of
//! its own is `validate`'s to say. Nothing that `validate` accepts is refused by it.

use super::{Key, Table, Takes, tables};
use serde_json::{Map, Value, json};

/// Whether a file has to say all that a stack needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// A stack, or its first layer.
    Stack,
    /// A layer that goes on top of another: any key may be said elsewhere.
    Layer,
}

/// The path of the table of tables.
const ROOT: &str = "the stack file";

/// Tables that only a stack of nothing but manifests may leave out.
const PLATFORM_NEEDS: [&str; 2] = ["cluster", "tls"];

/// Returns the JSON Schema (draft 7) of a stack, or of a layer of one.
#[must_use]
pub fn json_schema(completeness: Completeness) -> Value {
    let definitions: Map<String, Value> = tables()
        .filter(|table| table.path != ROOT)
        .map(|table| (definition(table.path), schema_of(table, completeness)))
        .collect();
    let mut schema = tables()
        .find(|table| table.path == ROOT)
        .map_or_else(|| json!({}), |root| schema_of(root, completeness));
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("A stack of stackctl");
    schema["definitions"] = Value::Object(definitions);
    if completeness == Completeness::Stack {
        schema["required"] = json!(["stack"]);
        schema["anyOf"] = json!([{ "required": PLATFORM_NEEDS }, only_manifests()]);
    }
    schema
}

/// What a stack without a platform is: manifests, and no table that only OpenShift has a use for.
fn only_manifests() -> Value {
    let platform: Vec<Value> = super::super::schema::PLATFORM
        .iter()
        .map(|table| json!({ "required": [table] }))
        .collect();
    json!({ "required": ["manifests"], "not": { "anyOf": platform } })
}

fn schema_of(table: &Table, completeness: Completeness) -> Value {
    let properties: Map<String, Value> = table
        .keys
        .iter()
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    let mut schema = json!({
        "type": "object",
        "description": table.about,
        "properties": properties,
        "additionalProperties": false,
    });
    let required: Vec<&str> = table
        .keys
        .iter()
        .filter(|key| key.default == "required")
        .map(|key| key.name)
        .collect();
    if completeness == Completeness::Stack && !required.is_empty() {
        schema["required"] = json!(required);
    }
    if table.path == Takes::SECRET {
        let places = ["env", "file", "command", "generate", "secret"];
        schema["oneOf"] = places.iter().map(|place| json!({ "required": [place] })).collect();
    }
    schema
}

/// A key with what people read about it.
fn property(key: &Key) -> Value {
    let mut value = value(&key.takes);
    let without = match key.default {
        "required" => "Required.".to_owned(),
        "–" => String::new(),
        default => format!("Without it: {default}."),
    };
    let description = format!("{} Takes {}. {without}", key.text, key.takes);
    let description = json!(description.trim_end());
    // What stands beside a reference is not read in draft 7.
    if value.get("$ref").is_some() {
        return json!({ "description": description, "allOf": [value] });
    }
    value["description"] = description;
    value
}

fn value(takes: &Takes) -> Value {
    match takes {
        Takes::Switch => json!({ "type": "boolean" }),
        Takes::Number(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Takes::Word(words) => json!({ "type": "string", "enum": words }),
        Takes::Words(words) => json!({ "type": "array", "items": { "type": "string", "enum": words } }),
        Takes::Text(_) => json!({ "type": "string" }),
        Takes::Texts(_) => json!({ "type": "array", "items": { "type": "string" } }),
        Takes::Amount(_) => json!({ "type": ["string", "integer"] }),
        Takes::Map(_) => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Takes::Table(path) => json!({ "$ref": reference(path) }),
        Takes::Tables(path) | Takes::Rows(_, path) => {
            json!({ "type": "array", "items": { "$ref": reference(path) } })
        }
        Takes::Either(_, several) => {
            json!({ "anyOf": several.iter().map(value).collect::<Vec<_>>() })
        }
    }
}

fn reference(path: &str) -> String {
    format!("#/definitions/{}", definition(path))
}

/// A table's path without what a URI would have to escape.
fn definition(path: &str) -> String {
    path.replace(['[', ']'], "").replace(' ', "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Every table that a schema names.
    fn named(schema: &Value, found: &mut BTreeSet<String>) {
        match schema {
            Value::Object(fields) => {
                if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
                    found.insert(name.trim_start_matches("#/definitions/").to_owned());
                }
                fields.values().for_each(|value| named(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| named(value, found)),
            _ => {}
        }
    }

    #[test]
    fn every_table_stands_under_a_key_and_every_key_of_a_table_has_it() {
        let schema = json_schema(Completeness::Stack);
        let mut found = BTreeSet::new();
        named(&schema, &mut found);
        let defined: BTreeSet<String> = schema["definitions"]
            .as_object()
            .expect("tables")
            .keys()
            .cloned()
            .collect();
        assert_eq!(found, defined);
        assert_eq!(defined.len() + 1, tables().count(), "two tables share a name");
    }

    #[test]
    fn a_layer_may_say_anything_elsewhere() {
        let layer = json_schema(Completeness::Layer).to_string();
        assert!(!layer.contains("\"required\":[\"name\""), "{layer}");
        assert!(
            json_schema(Completeness::Stack)
                .to_string()
                .contains("\"required\":[\"name\"")
        );
    }
}
