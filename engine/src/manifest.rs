//! A manifest that is proven to name an object, with the values it leaves open.
//!
//! Invariants:
//! - `apiVersion`, `kind` and `metadata.name` are there and are texts.
//! - There is no `null` and no `stringData` (ssa-semantics §3): [`Manifest::new`] refuses both.

use crate::{
    FieldPath,
    late::Late,
    object_key::{ObjectRef, ObjectType},
};
use serde_json::Value;
use std::sync::Arc;

/// The desired content of an object. A clone shares it.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    value: Arc<Value>,
    object: ObjectRef,
    late: Vec<Late>,
}

/// Why a JSON value is not a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// `apiVersion`, `kind` or `metadata.name` is missing or not a text.
    #[error("the manifest has no `{0}`")]
    Missing(&'static str),
    /// A null, which server-side apply would store as an owned empty value.
    #[error("the manifest holds a null at {0}")]
    Null(FieldPath),
    /// `stringData`, which server-side apply never clears from `data`.
    #[error("the manifest holds `stringData`: write base64 into `data`")]
    StringData,
}

impl Manifest {
    /// Proves that a value is a manifest.
    ///
    /// # Errors
    /// When it names no object, holds a null, or holds `stringData`.
    pub fn new(value: Value) -> Result<Self, ManifestError> {
        let text = |path: &[&str], name| {
            path.iter()
                .try_fold(&value, |at, key| at.get(*key))
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
                .ok_or(ManifestError::Missing(name))
        };
        let object = ObjectRef {
            object_type: ObjectType {
                api_version: text(&["apiVersion"], "apiVersion")?,
                kind: text(&["kind"], "kind")?,
            },
            namespace: text(&["metadata", "namespace"], "metadata.namespace").ok(),
            name: text(&["metadata", "name"], "metadata.name")?,
        };
        // Where it stands is only worked out where there is one.
        if has_null(&value)
            && let Some(path) = null_in(&value, &FieldPath::root())
        {
            return Err(ManifestError::Null(path));
        }
        if value.get("stringData").is_some() {
            return Err(ManifestError::StringData);
        }
        Ok(Self {
            value: Arc::new(value),
            object,
            late: Vec::new(),
        })
    }

    /// Makes a manifest from a value that our own source wrote.
    ///
    /// # Panics
    /// When it is none: the catalogue has a defect, and its tests compile every component.
    pub fn written(value: Value) -> Self {
        Self::new(value).unwrap_or_else(|error| panic!("a manifest of the catalogue is broken: {error}"))
    }

    /// Adds a value that is left open.
    #[must_use]
    pub fn with_late(mut self, late: Late) -> Self {
        self.late.push(late);
        self
    }

    /// Puts it into a namespace.
    pub fn put_into(&mut self, namespace: &str) {
        Arc::make_mut(&mut self.value)["metadata"]["namespace"] = Value::from(namespace);
        self.object.namespace = Some(namespace.to_owned());
    }

    /// Takes it out of the namespace that it names: it is of the whole cluster.
    pub fn take_out_of_namespace(&mut self) {
        if let Some(metadata) = Arc::make_mut(&mut self.value)["metadata"].as_object_mut() {
            metadata.remove("namespace");
        }
        self.object.namespace = None;
    }

    /// The content, without late values.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The object that this describes.
    pub fn object(&self) -> &ObjectRef {
        &self.object
    }

    /// The values that are left open.
    pub fn late(&self) -> &[Late] {
        &self.late
    }
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().any(has_null),
        Value::Array(items) => items.iter().any(has_null),
        _ => false,
    }
}

fn null_in(value: &Value, at: &FieldPath) -> Option<FieldPath> {
    match value {
        Value::Null => Some(at.clone()),
        Value::Object(map) => map.iter().find_map(|(name, value)| null_in(value, &at.field(name))),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| null_in(item, &at.child(crate::field::PathElement::Index(index)))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_manifest_names_its_object() {
        let manifest =
            Manifest::written(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo"}}));
        assert_eq!(manifest.object(), &ObjectRef::cluster("v1", "Namespace", "demo"));
    }

    #[test]
    fn nulls_string_data_and_missing_names_are_refused() {
        let error = |value| Manifest::new(value).expect_err("refused").to_string();
        assert_eq!(
            error(json!({"apiVersion": "v1", "kind": "Secret"})),
            "the manifest has no `metadata.name`"
        );
        let named = |extra: Value| {
            let mut value = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}});
            value
                .as_object_mut()
                .expect("a map")
                .extend(extra.as_object().expect("a map").clone());
            value
        };
        assert_eq!(
            error(named(json!({"data": {"a": null}}))),
            "the manifest holds a null at .data.a"
        );
        assert_eq!(
            error(named(json!({"stringData": {}}))),
            "the manifest holds `stringData`: write base64 into `data`"
        );
    }
}
