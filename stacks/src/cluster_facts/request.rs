//! One fact to read: where it stands, what is kept of it, and how long it is believed.

use super::certificate::Certificate;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};
use stackctl_engine::{
    FieldPath, ObjectRef, ObjectType,
    facts::{Fact, Holding},
    marks::{STACK_LABEL, is_ours},
    ownership::managed_entries,
};
use std::collections::BTreeSet;

/// One fact to read.
#[derive(Clone, Debug, PartialEq)]
pub struct FactRequest {
    /// Its key among the facts.
    pub key: String,
    /// Which object holds it.
    pub read: FactRead,
    /// What is kept of that object.
    pub take: Take,
    /// How long it is believed.
    pub holding: Holding,
    /// Where it is read, for people.
    pub source: String,
}

/// Which object holds a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactRead {
    /// The one of this name; it may be absent.
    Object(ObjectRef),
    /// The first of a type, by name.
    First {
        /// The type.
        of: ObjectType,
        /// The namespace, or nothing for objects of the whole cluster.
        namespace: Option<String>,
    },
    /// The first of a type, by name, that carries an annotation.
    FirstAnnotated {
        /// The type.
        of: ObjectType,
        /// The namespace, or nothing for objects of the whole cluster.
        namespace: Option<String>,
        /// The annotation.
        annotation: String,
        /// Its value.
        value: String,
    },
}

/// What is kept of an object that was read; all else is dropped at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Take {
    /// The value at a path.
    Field(FieldPath),
    /// Some fields of every item of a list.
    Columns {
        /// Where the list stands.
        list: FieldPath,
        /// The fields of an item that are kept.
        fields: Vec<String>,
    },
    /// The names in a map that stands inside a base64 text of JSON: never what the names stand for.
    KeysOfDecoded {
        /// Where the text stands.
        at: FieldPath,
        /// Where the map stands in the JSON.
        inside: FieldPath,
    },
    /// The value at a path of a document that stands, as YAML, inside a text.
    FieldOfText {
        /// Where the text stands.
        at: FieldPath,
        /// Where the value stands in the document.
        inside: FieldPath,
    },
    /// Of a Secret with a certificate what [`Certificate`] keeps, never a byte of its key; an empty map where the text is
    /// no certificate.
    Certificate,
}

/// A request for the value at a path, written as [`FieldPath::of`] reads it.
pub(crate) fn request(key: &str, read: FactRead, path: &str, holding: Holding) -> FactRequest {
    FactRequest {
        key: key.to_owned(),
        source: format!("{} .{path}", read.shown()),
        take: Take::Field(FieldPath::of(path.split(' ').next().unwrap_or_default())),
        read,
        holding,
    }
}

/// Some fields of every item of a list.
pub(super) fn column(list: &str, fields: &[&str]) -> Take {
    Take::Columns {
        list: FieldPath::of(list),
        fields: fields.iter().map(|&field| field.to_owned()).collect(),
    }
}

impl FactRead {
    /// The object, or the first of its type, as people read it.
    fn shown(&self) -> String {
        match self {
            Self::Object(object) => object.to_string(),
            Self::First { of, namespace } => format!("first {}{}", of.kind, within(namespace.as_deref())),
            Self::FirstAnnotated {
                of,
                namespace,
                annotation,
                value,
            } => format!(
                "first {}{} with {annotation}={value}",
                of.kind,
                within(namespace.as_deref())
            ),
        }
    }

    fn admits(&self, object: &Value) -> bool {
        let metadata = &object["metadata"];
        let of_a_stack = metadata["labels"].get(STACK_LABEL).is_some();
        match self {
            Self::Object(_) => true,
            Self::First { .. } => !of_a_stack,
            Self::FirstAnnotated { annotation, value, .. } => {
                !of_a_stack
                    && metadata["annotations"]
                        .get(annotation)
                        .is_some_and(|found| found == value.as_str())
            }
        }
    }
}

fn within(namespace: Option<&str>) -> String {
    namespace.map(|name| format!(" in {name}")).unwrap_or_default()
}

impl FactRequest {
    /// Picks the answer out of what was fetched: the object, if it is there, or the list.
    ///
    /// The value is null when the cluster has no such thing.
    pub fn answer(&self, fetched: &[Value]) -> Fact {
        let mut candidates: Vec<_> = fetched.iter().filter(|object| self.read.admits(object)).collect();
        candidates.sort_by_key(|object| object["metadata"]["name"].as_str().unwrap_or_default());
        let value = candidates
            .into_iter()
            .find_map(|object| self.take.of(object).filter(|_| !self.take.is_set_by_us(object)))
            .unwrap_or(Value::Null);
        Fact {
            value,
            source: self.source.clone(),
            holding: self.holding,
        }
    }
}

/// Whether the path, or all of what it is a part of, is among the fields; a map that is held beside its entries holds none
/// of them by that.
fn holds(fields: &BTreeSet<FieldPath>, path: &FieldPath) -> bool {
    let is_whole = |field: &FieldPath| !fields.iter().any(|other| other != field && field.contains(other));
    fields.iter().any(|field| field.contains(path) && is_whole(field))
}

impl Take {
    /// Whether the value is one that a stack wrote, and nobody beside it: such a value says nothing about the cluster.
    fn is_set_by_us(&self, object: &Value) -> bool {
        let Self::Field(path) = self else { return false };
        let entries = managed_entries(object);
        let mut holders = entries.iter().filter(|entry| holds(&entry.fields, path)).peekable();
        holders.peek().is_some() && holders.all(|entry| is_ours(&entry.manager))
    }

    fn of(&self, object: &Value) -> Option<Value> {
        match self {
            Self::Field(path) => path.get(object).cloned(),
            Self::Columns { list, fields } => {
                let keep = |item: &Value| {
                    let kept = fields
                        .iter()
                        .filter_map(|field| Some((field.clone(), item.get(field)?.clone())));
                    Value::Object(kept.collect::<Map<_, _>>())
                };
                Some(Value::Array(list.get(object)?.as_array()?.iter().map(keep).collect()))
            }
            Self::KeysOfDecoded { at, inside } => {
                let bytes = STANDARD.decode(at.get(object)?.as_str()?).ok()?;
                let document: Value = serde_json::from_slice(&bytes).ok()?;
                let mut names: Vec<_> = inside.get(&document)?.as_object()?.keys().cloned().collect();
                names.sort();
                Some(Value::from(names))
            }
            Self::FieldOfText { at, inside } => {
                let document: Value = serde_saphyr::from_str(at.get(object)?.as_str()?).ok()?;
                inside.get(&document).cloned()
            }
            Self::Certificate => {
                let certificate = Certificate::of_secret(object);
                Some(certificate.map_or_else(|| Value::Object(Map::new()), |certificate| certificate.to_fact()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_names_of_registries_leave_the_pull_secret() {
        let request = FactRequest {
            take: Take::KeysOfDecoded {
                at: FieldPath::of(r#"data[".dockerconfigjson"]"#),
                inside: FieldPath::of("auths"),
            },
            ..request(
                "k",
                FactRead::Object(ObjectRef::namespaced("v1", "Secret", "n", "s")),
                "data",
                Holding::Live,
            )
        };
        let text = STANDARD.encode(r#"{"auths":{"registry.redhat.io":{"auth":"c2VjcmV0"},"quay.io":{"auth":"x"}}}"#);
        let fact = request.answer(&[json!({"data": {".dockerconfigjson": text}})]);
        assert_eq!(fact.value, json!(["quay.io", "registry.redhat.io"]));
    }

    #[test]
    fn an_object_of_a_stack_is_no_answer() {
        let request = request(
            "ami",
            FactRead::First {
                of: ObjectType::new("machine.openshift.io/v1beta1", "MachineSet"),
                namespace: None,
            },
            "spec.ami",
            Holding::Pinned,
        );
        let set = |name: &str, labels: Value, ami: &str| json!({"metadata": {"name": name, "labels": labels}, "spec": {"ami": ami}});
        let fetched = [
            set("b", json!({}), "ami-b"),
            set("c", json!({}), "ami-c"),
            set("a", json!({"stackctl.dev/stack": "s"}), "ours"),
        ];
        assert_eq!(request.answer(&fetched).value, json!("ami-b"));
        assert_eq!(request.answer(&[]).value, Value::Null);
    }

    #[test]
    fn of_a_list_only_the_named_fields_are_kept() {
        let take = column("status.channels", &["name", "currentCSV"]);
        let manifest = json!({"status": {"channels": [{"name": "stable", "currentCSV": "a.v1", "currentCSVDesc": {"icon": "…"}}]}});
        assert_eq!(
            take.of(&manifest),
            Some(json!([{"name": "stable", "currentCSV": "a.v1"}]))
        );
    }

    #[test]
    fn of_a_text_only_the_named_field_is_kept() {
        let take = Take::FieldOfText {
            at: FieldPath::of(r#"data["config.yaml"]"#),
            inside: FieldPath::of("enableUserWorkload"),
        };
        let of = |text: &str| take.of(&json!({"data": {"config.yaml": text}}));
        let others = "prometheusK8s:\n  retention: 7d\n";
        assert_eq!(of(&format!("enableUserWorkload: true\n{others}")), Some(json!(true)));
        assert_eq!(of(others), None);
        assert_eq!(of("no: [yaml"), None);
    }

    #[test]
    fn a_field_that_a_stack_wrote_is_no_answer() {
        let router = FactRead::Object(ObjectRef::namespaced(
            "operator.openshift.io/v1",
            "IngressController",
            "n",
            "default",
        ));
        let request = request("certificate", router, "spec.defaultCertificate.name", Holding::Pinned);
        let written_by = |manager: &str| {
            json!({
                "metadata": {"name": "default", "managedFields": [{
                    "manager": manager, "operation": "Apply", "apiVersion": "operator.openshift.io/v1",
                    "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:defaultCertificate": {"f:name": {}}}},
                }]},
                "spec": {"defaultCertificate": {"name": "ingress-certs"}},
            })
        };
        assert_eq!(
            request.answer(&[written_by("stackctl/production/tls.router")]).value,
            Value::Null
        );
        assert_eq!(
            request.answer(&[written_by("kubectl-edit")]).value,
            json!("ingress-certs")
        );
        // Held by somebody else too, it is theirs as well.
        let mut both = written_by("stackctl/production/tls.router");
        let other = written_by("kubectl-edit")["metadata"]["managedFields"][0].clone();
        both["metadata"]["managedFields"]
            .as_array_mut()
            .expect("a list")
            .push(other);
        assert_eq!(request.answer(&[both]).value, json!("ingress-certs"));
        // Who holds the map around it holds nothing of it.
        let mut beside = written_by("stackctl/production/tls.router");
        let mut maker = written_by("installer")["metadata"]["managedFields"][0].clone();
        maker["fieldsV1"] = json!({"f:spec": {".": {}, "f:replicas": {}}});
        beside["metadata"]["managedFields"]
            .as_array_mut()
            .expect("a list")
            .push(maker);
        assert_eq!(request.answer(&[beside]).value, Value::Null);
    }
}
