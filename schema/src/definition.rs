//! `Definition`: a CustomResourceDefinition, read once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Gaps, Schema, from_definition};

/// What a CustomResourceDefinition says of the objects of its kind.
#[derive(Clone, Debug)]
pub struct Definition {
    group: String,
    kind: String,
    is_namespaced: bool,
    versions: BTreeMap<String, Version>,
}

/// One version of a kind.
#[derive(Clone, Debug)]
pub struct Version {
    /// The schema of its objects, but for what every object has.
    pub schema: Schema,
    /// Whether a server answers for it.
    pub is_served: bool,
    /// Whether a status that is written with the object is dropped.
    pub has_status: bool,
}

/// Why a value is no definition that a kind could be read from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has no `{0}`")]
pub struct DefinitionError(pub &'static str);

/// Whether an object is a CustomResourceDefinition.
pub fn is_definition(object: &Value) -> bool {
    let of = object["apiVersion"].as_str().unwrap_or_default();
    object["kind"] == "CustomResourceDefinition" && of.starts_with("apiextensions.k8s.io/")
}

impl Definition {
    /// Reads a definition. A rule that cannot be judged is left out.
    ///
    /// # Errors
    /// When something is missing without which there is no kind.
    pub fn read(definition: &Value) -> Result<Self, DefinitionError> {
        let spec = &definition["spec"];
        let text = |at: &Value, name| at.as_str().map(str::to_owned).ok_or(DefinitionError(name));
        let mut versions = BTreeMap::new();
        for version in spec["versions"].as_array().ok_or(DefinitionError("spec.versions"))? {
            let name = text(&version["name"], "spec.versions[].name")?;
            versions.insert(name, Version::read(version));
        }
        Ok(Self {
            group: text(&spec["group"], "spec.group")?,
            kind: text(&spec["names"]["kind"], "spec.names.kind")?,
            is_namespaced: spec["scope"] == "Namespaced",
            versions,
        })
    }

    /// The group of its kind.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The name of its kind.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Whether its objects lie in namespaces.
    pub fn is_namespaced(&self) -> bool {
        self.is_namespaced
    }

    /// A version that is served, by its name.
    pub fn version(&self, name: &str) -> Option<&Version> {
        self.versions.get(name).filter(|version| version.is_served)
    }

    /// The names of all versions that are served.
    pub fn served(&self) -> impl Iterator<Item = &str> {
        let served = self.versions.iter().filter(|(_, version)| version.is_served);
        served.map(|(name, _)| name.as_str())
    }
}

impl Version {
    fn read(version: &Value) -> Self {
        Self {
            schema: from_definition(version["schema"].get("openAPIV3Schema"), &mut Gaps::new()),
            is_served: version["served"] == true,
            has_status: version["subresources"]
                .get("status")
                .is_some_and(|status| !status.is_null()),
        }
    }
}

/// What of a definition objects are judged by, and nothing else: no texts for people, no status, nobody's marks.
///
/// It reads as the whole one does, and is a fraction of its size.
pub fn essence(definition: &Value) -> Value {
    let spec = &definition["spec"];
    let versions = spec["versions"].as_array().into_iter().flatten().map(|version| {
        let mut kept = json!({"name": version["name"], "served": version["served"], "storage": version["storage"]});
        if let Some(schema) = version["schema"].get("openAPIV3Schema") {
            kept["schema"]["openAPIV3Schema"] = without_texts(schema);
        }
        if let Some(subresources) = version.get("subresources") {
            kept["subresources"] = subresources.clone();
        }
        kept
    });
    json!({
        "apiVersion": definition["apiVersion"],
        "kind": definition["kind"],
        "metadata": {"name": definition["metadata"]["name"]},
        "spec": {
            "group": spec["group"],
            "names": {"kind": spec["names"]["kind"], "plural": spec["names"]["plural"]},
            "scope": spec["scope"],
            "versions": versions.collect::<Vec<_>>(),
        },
    })
}

/// A schema without descriptions; a property of that name stays.
fn without_texts(schema: &Value) -> Value {
    let Value::Object(map) = schema else {
        return schema.clone();
    };
    let one = |(key, value): (&String, &Value)| {
        let kept = match (key.as_str(), value) {
            ("description" | "example" | "externalDocs" | "title", _) => return None,
            ("properties", Value::Object(fields)) => Value::Object(
                fields
                    .iter()
                    .map(|(name, field)| (name.clone(), without_texts(field)))
                    .collect(),
            ),
            ("items" | "additionalProperties" | "not", _) => without_texts(value),
            ("allOf" | "anyOf" | "oneOf", Value::Array(all)) => all.iter().map(without_texts).collect(),
            _ => value.clone(),
        };
        Some((key.clone(), kept))
    };
    Value::Object(map.iter().filter_map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> Value {
        let schema = json!({"type": "object", "description": "for people", "properties": {
            "description": {"type": "string", "description": "a field"},
            "spec": {"type": "object", "default": {"description": "kept"}},
        }});
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.example.com", "managedFields": [{}], "annotations": {"a": "b"}},
            "spec": {
                "group": "example.com", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
                "versions": [
                    {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}},
                    {"name": "v1alpha1", "served": false, "storage": false},
                ],
            },
            "status": {"conditions": []},
        })
    }

    #[test]
    fn a_version_that_is_not_served_is_none() {
        let read = Definition::read(&definition()).expect("a definition");
        assert_eq!((read.group(), read.kind()), ("example.com", "Thing"));
        assert!(read.version("v1").is_some() && read.version("v1alpha1").is_none());
        assert_eq!(read.served().collect::<Vec<_>>(), ["v1"]);
        assert!(is_definition(&definition()) && !is_definition(&json!({"kind": "CustomResourceDefinition"})));
        let nothing = Definition::read(&json!({"spec": {"versions": []}})).map(|_| ());
        assert_eq!(nothing, Err(DefinitionError("spec.group")));
    }

    #[test]
    fn the_essence_keeps_what_is_judged_and_no_text_for_people() {
        let kept = essence(&definition());
        let schema = &kept["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        assert_eq!(schema["properties"]["description"], json!({"type": "string"}));
        assert_eq!(schema["properties"]["spec"]["default"], json!({"description": "kept"}));
        let text = kept.to_string();
        assert!(!text.contains("for people") && !text.contains("managedFields") && !text.contains("status"));
        assert_eq!(essence(&kept), kept);
    }
}
