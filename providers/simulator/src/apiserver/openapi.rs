//! OpenAPI documents, made from the schemas that the server itself uses.
//!
//! Version 3 has every served kind with its lists, defaults and what `kubectl` looks for (that PATCH takes
//! `fieldValidation`); version 2 is there for clients that insist, and is empty.

use serde_json::{Map, Value, json};

use super::kinds::{self, Kind, Kinds, Version};
use super::schema::{ListType, Meaning, Schema, Type};

/// The content type of the old protobuf form, which an empty body is a valid document of. Clients ask for it with an `@`,
/// which is no media type, and are answered without.
pub(super) const V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// `/openapi/v2` as JSON.
pub(super) fn version_2() -> Value {
    json!({"swagger": "2.0", "info": {"title": "Kubernetes", "version": "v1.32.0"}, "paths": {}, "definitions": {}})
}

fn place(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("api/{version}")
    } else {
        format!("apis/{group}/{version}")
    }
}

/// `/openapi/v3`: the list of documents.
pub(super) fn index(kinds: &Kinds) -> Value {
    let mut paths = Map::new();
    for kind in kinds.all() {
        for version in kind.versions.iter().filter(|version| version.is_served) {
            let place = place(&kind.group, &version.name);
            let url = format!("/openapi/v3/{place}");
            paths.insert(place, json!({ "serverRelativeURL": url }));
        }
    }
    json!({ "paths": paths })
}

/// `/openapi/v3/apis/<group>/<version>`.
///
/// `written` is what the author of a definition wrote as the schema of a version, which has descriptions too.
pub(super) fn document(
    kinds: &Kinds,
    group: &str,
    version: &str,
    written: impl Fn(&Kind, &Version) -> Option<Value>,
) -> Option<Value> {
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for kind in kinds.all().filter(|kind| kind.group == group) {
        let Some(version) = kind.version(version).filter(|version| version.is_served) else {
            continue;
        };
        let name = component_name(kind, version);
        add_paths(kind, version, &name, &mut paths);
        let mut schema = match written(kind, version) {
            Some(written) => with_metadata(written, &mut schemas),
            None => write(&version.schema),
        };
        schema["x-kubernetes-group-version-kind"] =
            json!([{ "group": kind.group, "kind": kind.kind, "version": version.name }]);
        schemas.insert(name, schema);
    }
    if paths.is_empty() {
        return None;
    }
    Some(
        json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.32.0"},
        "paths": paths, "components": {"schemas": schemas}}),
    )
}

const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// The schema of a definition, completed by what every object has.
fn with_metadata(mut schema: Value, schemas: &mut Map<String, Value>) -> Value {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let meta = |name: &str| OBJECT_META.replace("ObjectMeta", name);
    let mut metadata = write(&kinds::object_meta());
    for (field, name) in [
        ("managedFields", "ManagedFieldsEntry"),
        ("ownerReferences", "OwnerReference"),
    ] {
        let items = metadata["properties"][field]["items"].take();
        metadata["properties"][field]["items"] = reference(&meta(name));
        metadata["properties"][field]["type"] = json!("array");
        schemas.insert(meta(name), items);
    }
    let text = || json!({"type": "string"});
    schemas.insert(meta("FieldsV1"), json!({"type": "object"}));
    schemas.insert(
        meta("ManagedFieldsEntry"),
        json!({"type": "object", "properties": {"apiVersion": text(), "fieldsType": text(), "manager": text(),
            "fieldsV1": reference(&meta("FieldsV1")), "operation": text(), "subresource": text(), "time": text()}}),
    );
    schemas.insert(OBJECT_META.to_owned(), metadata);
    if !schema["properties"].is_object() {
        schema["properties"] = json!({});
    }
    for field in ["apiVersion", "kind"] {
        schema["properties"][field] = text();
    }
    schema["properties"]["metadata"] = reference(OBJECT_META);
    schema
}

fn component_name(kind: &Kind, version: &Version) -> String {
    let reversed: Vec<&str> = kind.group.split('.').rev().collect();
    let group = if kind.group.is_empty() {
        "io.k8s.api.core".to_owned()
    } else {
        reversed.join(".")
    };
    format!("{group}.{}.{}", version.name, kind.kind)
}

fn add_paths(kind: &Kind, version: &Version, component: &str, paths: &mut Map<String, Value>) {
    let gvk = json!({ "group": kind.group, "kind": kind.kind, "version": version.name });
    let scope = if kind.is_namespaced {
        "/namespaces/{namespace}"
    } else {
        ""
    };
    let base = format!("/{}{scope}/{}", place(&kind.group, &version.name), kind.plural);
    let parameters: Vec<Value> = ["dryRun", "fieldManager", "fieldValidation", "force"]
        .iter()
        .map(|name| json!({"name": name, "in": "query", "schema": {"type": if *name == "force" { "boolean" } else { "string" }}}))
        .collect();
    let reference = json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{component}")}}});
    let operation = |action: &str| {
        json!({"x-kubernetes-action": action, "x-kubernetes-group-version-kind": gvk, "parameters": parameters,
            "responses": {"200": {"description": "OK", "content": reference}}})
    };
    paths.insert(
        base.clone(),
        json!({ "get": operation("list"), "post": operation("post") }),
    );
    paths.insert(
        format!("{base}/{{name}}"),
        json!({"get": operation("get"), "put": operation("put"), "patch": operation("patch"), "delete": operation("delete")}),
    );
}

fn write(schema: &Schema) -> Value {
    let mut node = Map::new();
    let mut put = |key: &str, value: Value| {
        node.insert(key.to_owned(), value);
    };
    match schema.value_type {
        Type::Object => put("type", json!("object")),
        Type::Array => put("type", json!("array")),
        Type::String => put("type", json!("string")),
        Type::Integer => put("type", json!("integer")),
        Type::Number => put("type", json!("number")),
        Type::Boolean => put("type", json!("boolean")),
        Type::IntOrString => put("x-kubernetes-int-or-string", json!(true)),
        Type::Any => {}
    }
    match schema.meaning {
        Meaning::Time | Meaning::MicroTime => put("format", json!("date-time")),
        Meaning::Bytes => put("format", json!("byte")),
        Meaning::Plain | Meaning::Quantity => {}
    }
    if !schema.properties.is_empty() {
        let properties: Map<String, Value> = schema
            .properties
            .iter()
            .map(|(name, child)| (name.clone(), write(child)))
            .collect();
        put("properties", Value::Object(properties));
    }
    if let Some(additional) = &schema.additional {
        put("additionalProperties", write(additional));
    }
    if let Some(items) = &schema.items {
        put("items", write(items));
    }
    if !schema.required.is_empty() {
        put("required", json!(schema.required));
    }
    if let Some(default) = &schema.default {
        put("default", default.clone());
    }
    match &schema.list_type {
        ListType::Atomic if schema.value_type == Type::Array => put("x-kubernetes-list-type", json!("atomic")),
        ListType::Atomic => {}
        ListType::Set => put("x-kubernetes-list-type", json!("set")),
        ListType::Map(keys) => {
            put("x-kubernetes-list-type", json!("map"));
            put("x-kubernetes-list-map-keys", json!(keys));
            if let Some(key) = schema.patch_key.as_ref().or(keys.first()) {
                put("x-kubernetes-patch-strategy", json!("merge"));
                put("x-kubernetes-patch-merge-key", json!(key));
            }
        }
    }
    if schema.is_atomic_map {
        put("x-kubernetes-map-type", json!("atomic"));
    }
    if schema.preserves_unknown {
        put("x-kubernetes-preserve-unknown-fields", json!(true));
    }
    if schema.is_embedded_resource {
        put("x-kubernetes-embedded-resource", json!(true));
    }
    if schema.is_nullable {
        put("nullable", json!(true));
    }
    if let Some(allowed) = schema.limits.as_ref().and_then(|limits| limits.allowed.as_ref()) {
        put("enum", json!(allowed));
    }
    Value::Object(node)
}
