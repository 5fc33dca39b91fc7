//! How the server names the kinds of the seed: from the tables of this crate, so that no discovery is needed.

use std::collections::BTreeMap;

use kube::core::ApiResource;
use serde_json::Value;

/// What must be known of a kind to write an object of it.
#[derive(Debug)]
pub(super) struct Kind {
    /// Where its objects are.
    pub(super) resource: ApiResource,
    /// Whether its objects are in namespaces.
    pub(super) namespaced: bool,
    /// Whether its status is written apart.
    pub(super) has_status: bool,
}

/// The kinds by apiVersion and kind.
#[derive(Debug)]
pub(super) struct Kinds(BTreeMap<(String, String), Kind>);

/// Built-in kinds: apiVersion, kind, plural, in namespaces, status apart.
/// Source: <https://kubernetes.io/docs/reference/kubernetes-api/>.
const BUILT_IN: &[(&str, &str, &str, bool, bool)] = &[
    ("v1", "ConfigMap", "configmaps", true, false),
    ("v1", "Namespace", "namespaces", false, true),
    ("v1", "Node", "nodes", false, true),
    ("v1", "Secret", "secrets", true, false),
    ("v1", "ServiceAccount", "serviceaccounts", true, false),
    (
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        false,
        true,
    ),
    (
        "rbac.authorization.k8s.io/v1",
        "ClusterRole",
        "clusterroles",
        false,
        false,
    ),
    (
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        "clusterrolebindings",
        false,
        false,
    ),
    ("storage.k8s.io/v1", "StorageClass", "storageclasses", false, false),
];

impl Kinds {
    /// The built-in kinds and those of the given CRDs.
    pub(super) fn new(crds: &[Value]) -> Self {
        let built_in = BUILT_IN
            .iter()
            .map(|(api_version, kind, plural, namespaced, has_status)| {
                entry(api_version, kind, plural, *namespaced, *has_status)
            });
        Self(built_in.chain(crds.iter().flat_map(of_crd)).collect())
    }

    /// The kind of an object.
    pub(super) fn of(&self, object: &Value) -> Option<&Kind> {
        let text = |key| object.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.0.get(&(text("apiVersion"), text("kind")))
    }
}

fn of_crd(crd: &Value) -> Vec<((String, String), Kind)> {
    let text = |pointer| crd.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let versions = crd.pointer("/spec/versions").and_then(Value::as_array);
    let entries = versions.into_iter().flatten().map(|version| {
        let name = version.get("name").and_then(Value::as_str).unwrap_or_default();
        entry(
            &format!("{}/{name}", text("/spec/group")),
            text("/spec/names/kind"),
            text("/spec/names/plural"),
            text("/spec/scope") == "Namespaced",
            version.pointer("/subresources/status").is_some(),
        )
    });
    entries.collect()
}

fn entry(api_version: &str, kind: &str, plural: &str, namespaced: bool, has_status: bool) -> ((String, String), Kind) {
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    let resource = ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    };
    (
        (api_version.to_owned(), kind.to_owned()),
        Kind {
            resource,
            namespaced,
            has_status,
        },
    )
}
