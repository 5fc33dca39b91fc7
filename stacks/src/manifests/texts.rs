//! Fields that have to be texts, and were read as something else.
//!
//! `name: yes` is a boolean to Kubernetes, `version: 1.10` a number, and the API server answers such an object with an
//! error of its decoder. Told here with the line, what stands there, and what it was read as.
//!
//! Invariants:
//! - Only fields that are texts in every version of their kind
//!   (<https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/>: ObjectMeta, ConfigMap, EnvVar).
//! - Of what may be anybody's secret, `data` and variables, only the type is said.

use super::{ManifestsError, read::Place};
use serde_json::Value;
use std::borrow::Cow;

/// A field that is no text.
#[derive(Debug)]
pub(super) struct Wrong {
    path: String,
    read: &'static str,
    needed: &'static str,
}

const TEXT: &str = "a text";
const TEXTS: &str = "a map of texts";

impl Wrong {
    /// The error, with what stands there.
    pub(super) fn error(self, place: &Place<'_>) -> ManifestsError {
        let Self { path, read, needed } = self;
        let is_metadata = path.contains("metadata.") || !path.contains('.');
        let written = place.written(&path).filter(|text| is_metadata && !text.is_empty());
        let (why, hint) = match written {
            Some(written) => (
                format!("`{path}: {written}` is {read}, and has to be {needed}"),
                format!("put it into quotes: `\"{written}\"`"),
            ),
            None => (
                format!("`{path}` is {read}, and has to be {needed}"),
                format!("write {needed}, in quotes where YAML would read something else"),
            ),
        };
        ManifestsError::NotAnObject {
            at: place.of(&path),
            why,
            hint: Cow::Owned(hint),
        }
    }
}

/// What a value was read as; none for a text.
const fn read_as(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::String(_) => return None,
        Value::Null => "nothing",
        Value::Bool(true) => "the boolean true",
        Value::Bool(false) => "the boolean false",
        Value::Number(_) => "a number",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    })
}

/// Every field of an object that has to be a text, and is there and none.
pub(super) fn wrong(object: &Value) -> Vec<Wrong> {
    let mut found = Vec::new();
    for field in ["apiVersion", "kind"] {
        one(&object[field], field.to_owned(), &mut found);
    }
    metadata(&object["metadata"], "metadata", &mut found);
    let kind = object["kind"].as_str().unwrap_or_default();
    let version = object["apiVersion"].as_str().unwrap_or_default();
    match (version, kind) {
        ("v1", "ConfigMap") => all(&object["data"], "data", &mut found),
        ("v1", "Pod") => pod(&object["spec"], "spec", &mut found),
        ("apps/v1", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch/v1", "Job") => {
            template(&object["spec"]["template"], "spec.template", &mut found);
        }
        ("batch/v1", "CronJob") => {
            let path = "spec.jobTemplate.spec.template";
            template(&object["spec"]["jobTemplate"]["spec"]["template"], path, &mut found);
        }
        _ => {}
    }
    found
}

fn metadata(metadata: &Value, path: &str, found: &mut Vec<Wrong>) {
    for field in ["name", "namespace"] {
        one(&metadata[field], format!("{path}.{field}"), found);
    }
    for field in ["labels", "annotations"] {
        all(&metadata[field], &format!("{path}.{field}"), found);
    }
}

fn template(template: &Value, path: &str, found: &mut Vec<Wrong>) {
    metadata(&template["metadata"], &format!("{path}.metadata"), found);
    pod(&template["spec"], &format!("{path}.spec"), found);
}

fn pod(spec: &Value, path: &str, found: &mut Vec<Wrong>) {
    for list in ["initContainers", "containers"] {
        for (index, container) in spec[list].as_array().into_iter().flatten().enumerate() {
            for (at, variable) in container["env"].as_array().into_iter().flatten().enumerate() {
                let path = format!("{path}.{list}[{index}].env[{at}].value");
                one(&variable["value"], path, found);
            }
        }
    }
}

/// A text that is there. A null is told by its own rule.
fn one(value: &Value, path: String, found: &mut Vec<Wrong>) {
    if let Some(read) = read_as(value).filter(|_| !value.is_null()) {
        found.push(Wrong {
            path,
            read,
            needed: TEXT,
        });
    }
}

/// Every value of a map.
fn all(map: &Value, path: &str, found: &mut Vec<Wrong>) {
    match map {
        Value::Object(entries) => {
            for (name, value) in entries {
                if let Some(read) = read_as(value) {
                    let path = format!("{path}.{name}");
                    found.push(Wrong {
                        path,
                        read,
                        needed: TEXT,
                    });
                }
            }
        }
        Value::Null => {}
        other => found.push(Wrong {
            path: path.to_owned(),
            read: read_as(other).unwrap_or(TEXT),
            needed: TEXTS,
        }),
    }
}
