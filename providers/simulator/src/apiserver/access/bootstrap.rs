//! The Roles and bindings that every cluster has, without those of controllers.
//!
//! Source: `bootstrap.json`, what a kube-apiserver 1.34 had; the family `access` of `tests/semantics` compares the main ones with a real one.

use serde_json::{Value, json};

use super::policy::GROUP;
use crate::apiserver::identity::Identity;
use crate::apiserver::request::Call;
use crate::apiserver::server::Server;
use crate::apiserver::store::ObjectKey;

const BOOTSTRAP: &str = include_str!("bootstrap.json");

/// Every Role and binding: its plural, its namespace if it has one, and what it says.
fn objects() -> Vec<(&'static str, Value)> {
    let all: Value = serde_json::from_str(BOOTSTRAP).unwrap_or_default();
    let mut objects = Vec::new();
    for (plural, kind) in [
        ("clusterroles", "ClusterRole"),
        ("clusterrolebindings", "ClusterRoleBinding"),
    ] {
        for (name, said) in all[plural].as_object().into_iter().flatten() {
            let mut object = said.clone();
            object["apiVersion"] = json!(format!("{GROUP}/v1"));
            object["kind"] = json!(kind);
            let mut labels = json!({"kubernetes.io/bootstrapping": "rbac-defaults"});
            for label in said["aggregateTo"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                labels[format!("{GROUP}/aggregate-to-{label}")] = json!("true");
            }
            if let Some(object) = object.as_object_mut() {
                object.remove("aggregateTo");
            }
            object["metadata"] = json!({
                "name": name, "labels": labels,
                "annotations": {"rbac.authorization.kubernetes.io/autoupdate": "true"},
            });
            objects.push((plural, object));
        }
    }
    objects
}

impl Server {
    /// Makes those that are missing.
    pub(in crate::apiserver) fn bootstrap_access(&self) {
        if !self.access.is_judged() {
            return;
        }
        let kinds = self.kinds.snapshot();
        for (plural, object) in objects() {
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            let key = ObjectKey {
                group: GROUP.to_owned(),
                plural: plural.to_owned(),
                namespace: String::new(),
                name: name.to_owned(),
            };
            let Some(kind) = kinds.get(GROUP, plural).filter(|_| self.store.get(&key).is_none()) else {
                continue;
            };
            let mut call = Call::internal(kind, &key, None, Identity::named("system:kube-apiserver"));
            call.path.name = None;
            if let Err(refusal) = self.create(&call, object.to_string().as_bytes()) {
                tracing::warn!(message = refusal.message(), name, "a default role could not be made");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_binding_gives_a_role_that_is_there() {
        let objects = objects();
        let names = |plural| {
            let of_kind = objects.iter().filter(move |(kind, _)| *kind == plural);
            of_kind.map(|(_, object)| object)
        };
        let roles: Vec<&str> = names("clusterroles")
            .filter_map(|role| role["metadata"]["name"].as_str())
            .collect();
        assert!(
            roles.contains(&"cluster-admin") && roles.contains(&"system:aggregate-to-view"),
            "{roles:?}"
        );
        for binding in names("clusterrolebindings") {
            let role = binding["roleRef"]["name"].as_str().unwrap_or_default();
            assert!(roles.contains(&role), "{role}");
        }
    }
}
