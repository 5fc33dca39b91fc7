//! What an apply says of rights that are missing, as rules that give them.

use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `  get, list on pods.group in namespace x`, as rules for the whole cluster.
pub(crate) fn rules(said: &str) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    for line in said.lines() {
        let Some((verbs, rest)) = line.trim().split_once(" on ") else {
            continue;
        };
        let resource = rest.split(' ').next().unwrap_or_default();
        let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
        for verb in verbs.split(", ") {
            seen.insert((group.to_owned(), plural.to_owned(), verb.to_owned()));
        }
    }
    seen.into_iter()
        .map(|(group, plural, verb)| json!({"apiGroups": [group], "resources": [plural], "verbs": [verb]}))
        .collect()
}

/// What facts are read from, and what the server wants of whoever makes a Role: neither is asked about beforehand.
pub(crate) fn beforehand() -> Value {
    json!([
        {"apiGroups": ["config.openshift.io", "operator.openshift.io", "machine.openshift.io",
            "packages.operators.coreos.com", "storage.k8s.io"], "resources": ["*"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["namespaces", "secrets", "configmaps", "nodes"], "verbs": ["get", "list"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "clusterroles"], "verbs": ["bind", "escalate"]},
    ])
}
