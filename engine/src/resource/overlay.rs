//! Some fields of an object that someone else creates.
//!
//! Invariant: an overlay never creates its object, except a shared document that says so: an apply without the object
//! would make one (ssa-semantics §4), so every write carries the uid that was read.

use crate::{
    FieldPath,
    document::{DocumentError, with_yaml_key},
    object_key::ObjectRef,
    readiness::{Observation, Rule, Target},
};
use serde_json::Value;

/// Some fields of somebody else's object, given back on destroy.
#[derive(Clone, Debug, PartialEq)]
pub struct Overlay {
    /// The object; waited for until it is there.
    pub target: ObjectRef,
    /// Our fields, nested as in a manifest, without `apiVersion`, `kind` and `metadata.name`.
    pub fields: Value,
    /// Our fragments of shared texts inside the object.
    pub documents: Vec<Document>,
    /// When the object, with our fields, is ready.
    pub ready: Rule,
    /// Whether an absent object is made, with nothing but our documents in it: only for shared documents that a
    /// fresh cluster does not have.
    pub create_if_absent: bool,
}

/// One value in a text that others write too.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Where the text stands in the object: `data["config.yaml"]`.
    pub at: FieldPath,
    /// How the text is read, and which part of it is ours.
    pub codec: DocumentCodec,
}

/// How a shared text is read and which part of it is ours.
#[derive(Clone, Debug, PartialEq)]
pub enum DocumentCodec {
    /// One key at the top level of a YAML text, with a scalar value.
    YamlKey {
        /// The key.
        key: String,
        /// Its value: a text, a number or a boolean.
        value: Value,
    },
}

impl Overlay {
    /// An overlay of plain fields that is ready once they are written.
    pub fn new(target: ObjectRef, fields: Value) -> Self {
        Self {
            target,
            fields,
            documents: Vec::new(),
            ready: Rule::Exists,
            create_if_absent: false,
        }
    }
}

impl Document {
    /// The path of the fragment: the text's own path and the key in it.
    pub fn path(&self) -> FieldPath {
        let DocumentCodec::YamlKey { key, .. } = &self.codec;
        self.at.field(&format!("|yaml.{key}"))
    }
}

impl Overlay {
    /// The body of an apply: our fields, and each shared text with our fragment in it.
    ///
    /// `live` is the object as it is; without it the body makes one that holds nothing else.
    ///
    /// # Errors
    /// When a shared text cannot be edited line by line.
    pub fn body(&self, live: Option<&Value>) -> Result<Value, DocumentError> {
        let mut body = if self.fields.is_null() {
            serde_json::json!({})
        } else {
            self.fields.clone()
        };
        body["apiVersion"] = Value::from(self.target.object_type.api_version.as_str());
        body["kind"] = Value::from(self.target.object_type.kind.as_str());
        body["metadata"]["name"] = Value::from(self.target.name.as_str());
        if let Some(namespace) = &self.target.namespace {
            body["metadata"]["namespace"] = Value::from(namespace.as_str());
        }
        for document in &self.documents {
            let DocumentCodec::YamlKey { key, value } = &document.codec;
            let text = live
                .and_then(|live| document.at.get(live))
                .and_then(Value::as_str)
                .unwrap_or_default();
            document
                .at
                .set(&mut body, Value::from(with_yaml_key(text, key, Some(value))?));
        }
        Ok(body)
    }

    /// Its readiness as an observation of its target.
    pub fn observation(&self) -> Observation {
        Observation::new(Target::Named(self.target.clone()), self.ready.clone())
    }
}
