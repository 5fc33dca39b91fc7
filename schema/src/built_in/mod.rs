//! The kinds of Kubernetes itself: which fields they have, and of which types.
//!
//! In: an object of such a kind. Out: fields that it does not have, and values of another type. The types are facts of the
//! Kubernetes API, and stand in `types.txt` in a short form, which the embedded API server reads too.
//!
//! Invariants:
//! - What is missing is not spoken of: of much that the published types call required the server makes the empty value.
//! - A kind or a version that is not listed is not judged.

mod types;

pub use types::Types;

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use serde_json::{Map, Value};

use super::check::{Fault, Finding};
use super::{Meaning, Schema, Type};

/// The release of Kubernetes that the types are of.
pub const RELEASE: &str = "1.34";

/// The kinds by their group and version; each has the type of its name.
const KINDS: &[(&str, &str, &[&str])] = &[
    (
        "",
        "v1",
        &[
            "ConfigMap",
            "Endpoints",
            "LimitRange",
            "Namespace",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "Pod",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
    ),
    (
        "admissionregistration.k8s.io",
        "v1",
        &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
    ),
    ("apiextensions.k8s.io", "v1", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", "v1", &["APIService"]),
    ("apps", "v1", &["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    ("autoscaling", "v2", &["HorizontalPodAutoscaler"]),
    ("batch", "v1", &["CronJob", "Job"]),
    ("coordination.k8s.io", "v1", &["Lease"]),
    ("networking.k8s.io", "v1", &["Ingress", "IngressClass", "NetworkPolicy"]),
    ("policy", "v1", &["PodDisruptionBudget"]),
    (
        "rbac.authorization.k8s.io",
        "v1",
        &["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"],
    ),
    ("scheduling.k8s.io", "v1", &["PriorityClass"]),
    ("storage.k8s.io", "v1", &["StorageClass"]),
];

/// The schemas of the kinds, each read when it is first asked for.
#[derive(Default)]
pub struct BuiltIn {
    types: Types,
    read: BTreeMap<&'static str, Arc<Schema>>,
}

impl std::fmt::Debug for BuiltIn {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let read: Vec<_> = self.read.keys().collect();
        formatter.debug_struct("BuiltIn").field("read", &read).finish()
    }
}

impl BuiltIn {
    /// Returns the schema of a version of a kind, apiVersion, kind and metadata included; none where it is not listed.
    pub fn schema(&mut self, group: &str, version: &str, kind: &str) -> Option<Arc<Schema>> {
        let (_, _, kinds) = KINDS
            .iter()
            .find(|(of, in_version, _)| (*of, *in_version) == (group, version))?;
        let kind: &'static str = kinds.iter().find(|known| **known == kind)?;
        let (types, read) = (&mut self.types, &mut self.read);
        Some(Arc::clone(read.entry(kind).or_insert_with(|| types.object(kind))))
    }
}

/// Returns what an object has that its kind has not, and the values of another type, but for its status.
pub fn misfits(schema: &Schema, object: &Value) -> Vec<Finding> {
    let mut walk = Walk {
        path: String::new(),
        found: Vec::new(),
    };
    if let Value::Object(map) = object {
        walk.fields(schema, map, |name| name == "status");
    }
    walk.found
}

struct Walk {
    path: String,
    found: Vec<Finding>,
}

impl Walk {
    fn found(&mut self, fault: Fault, text: String) {
        self.found.push(Finding {
            fault,
            field: self.path.clone(),
            text,
        });
    }

    fn fields(&mut self, schema: &Schema, map: &Map<String, Value>, is_skipped: impl Fn(&str) -> bool) {
        for (name, value) in map.iter().filter(|(name, _)| !is_skipped(name)) {
            let length = self.path.len();
            if length > 0 {
                self.path.push('.');
            }
            self.path.push_str(name);
            match schema.properties.get(name).or(schema.additional.as_ref()) {
                Some(schema) => self.value(schema, value),
                None => self.found(Fault::Unknown, String::new()),
            }
            self.path.truncate(length);
        }
    }

    fn value(&mut self, schema: &Schema, value: &Value) {
        if let Some(wanted) = misses(schema, value) {
            let text = format!(
                "must be of type {wanted}, and is of type {}",
                super::validate::type_name(value)
            );
            self.found(Fault::Value, text);
            return;
        }
        match value {
            Value::Object(map) if schema.value_type == Type::Object => self.fields(schema, map, |_| false),
            Value::Array(list) => {
                let Some(item) = schema.items.clone() else { return };
                for (index, value) in list.iter().enumerate() {
                    let length = self.path.len();
                    let _ = write!(self.path, "[{index}]");
                    self.value(&item, value);
                    self.path.truncate(length);
                }
            }
            _ => {}
        }
    }
}

/// The type that a value should be of and is not. An amount may be written as a number (`cpu: 1`).
fn misses(schema: &Schema, value: &Value) -> Option<&'static str> {
    let is_amount = schema.meaning == Meaning::Quantity && value.is_number();
    let fits = is_amount || super::validate::fits(schema.value_type, value);
    (!fits).then(|| super::validate::expected_name(schema.value_type))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(group: &str, version: &str, kind: &str, object: &Value) -> Vec<String> {
        let schema = BuiltIn::default().schema(group, version, kind).expect("a listed kind");
        let line = |finding: &Finding| match finding.fault {
            Fault::Unknown => format!("no {}", finding.field),
            Fault::Value | Fault::Rule => format!("{} {}", finding.field, finding.text),
        };
        misfits(&schema, object).iter().map(line).collect()
    }

    #[test]
    fn every_listed_kind_has_a_schema_and_other_kinds_have_none() {
        let mut built_in = BuiltIn::default();
        for (group, version, kinds) in KINDS {
            for kind in *kinds {
                let schema = built_in.schema(group, version, kind).expect("its type");
                assert!(schema.properties.contains_key("metadata"), "{kind}");
                assert_eq!(
                    misfits(&schema, &json!({"metadata": {"name": "x"}, "status": {"any": 1}})),
                    []
                );
            }
        }
        assert!(built_in.schema("apps", "v1beta1", "Deployment").is_none());
        assert!(built_in.schema("example.com", "v1", "Deployment").is_none());
    }

    #[test]
    fn fields_that_a_kind_does_not_have_and_values_of_another_type_are_found_at_their_path() {
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "lables": {}},
            "spec": {"replica": 3, "paused": "no", "template": {"spec": {"contianers": [], "containers": [
                {"name": "main", "ports": [{"containerPort": "80"}], "resources": {"limits": {"cpu": 1, "memory": "1Gi"}}},
                {"name": "side", "imagePullPolice": "Always", "livenessProbe": {"httpGet": {"port": "web", "path": "/"}}},
            ]}}},
        });
        assert_eq!(
            told("apps", "v1", "Deployment", &deployment),
            [
                "no metadata.lables",
                "spec.paused must be of type boolean, and is of type string",
                "no spec.replica",
                "spec.template.spec.containers[0].ports[0].containerPort must be of type integer, and is of type string",
                "no spec.template.spec.containers[1].imagePullPolice",
                "no spec.template.spec.contianers",
            ]
        );
    }

    #[test]
    fn a_webhook_and_a_served_api_each_have_the_service_of_their_own_kind() {
        let service = json!({"name": "s", "namespace": "n", "path": "/judge", "port": 443});
        let webhooks = json!({"webhooks": [{"name": "w", "clientConfig": {"service": service}}]});
        for kind in ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"] {
            assert_eq!(told("admissionregistration.k8s.io", "v1", kind, &webhooks), [""; 0]);
        }
        let api = json!({"spec": {"service": service}});
        assert_eq!(
            told("apiregistration.k8s.io", "v1", "APIService", &api),
            ["no spec.service.path"]
        );
    }

    #[test]
    fn what_is_free_in_a_kind_is_free_here() {
        let crd = json!({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {
            "type": "object", "properties": {"spec": {"x-kubernetes-preserve-unknown-fields": true}}
        }}}]}});
        assert_eq!(
            told("apiextensions.k8s.io", "v1", "CustomResourceDefinition", &crd),
            [""; 0]
        );
        let config = json!({"data": {"any.name": "text"}});
        assert_eq!(told("", "v1", "ConfigMap", &config), [""; 0]);
        let claim = json!({"spec": {"resources": {"requests": {"storage": 5}}}});
        assert_eq!(told("", "v1", "PersistentVolumeClaim", &claim), [""; 0]);
    }
}
