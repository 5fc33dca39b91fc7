//! The quickstart as somebody with only the rights that it needs, as the tool itself names them.

use crate::stage::Stage;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A user of the scratch cluster to whom nothing is given (`cargo xtask apiserver`).
const USER: &str = "ci";
const APPLY: &[&str] = &["apply", "stack.toml", "--yes", "--context", USER];

/// Refuses a user with too few rights before anything is written; with those that it named, and those alone, converges.
pub(crate) fn applies_with_just_enough(stage: &Stage) {
    // What facts are read from, and what the server wants of whoever makes a Role: neither is asked about beforehand.
    let facts = json!([
        {"apiGroups": ["config.openshift.io", "operator.openshift.io", "machine.openshift.io",
            "packages.operators.coreos.com", "storage.k8s.io"], "resources": ["*"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["namespaces", "secrets", "configmaps", "nodes"], "verbs": ["get", "list"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "clusterroles"], "verbs": ["bind", "escalate"]},
    ]);
    grant(stage, "stackctl-facts", &facts);
    let before = writes(stage);
    let refused = stage.run(APPLY).expect(1);
    assert_eq!(writes(stage), before, "something was written: {}", refused.shown());
    let rules = rules(&refused.stderr);
    assert!(rules.len() > 20, "{}", refused.shown());
    grant(stage, "stackctl-needed", &Value::Array(rules));
    stage.run(APPLY).expect(0);
}

/// How many writes of the user came through, by the audit log.
fn writes(stage: &Stage) -> usize {
    let is_write = |entry: &&crate::audit::Entry| {
        entry.user == USER && !entry.dry_run && ["create", "update", "patch", "delete"].contains(&entry.verb.as_str())
    };
    stage.audit().iter().filter(is_write).count()
}

/// `  get, list on pods.group in namespace x`, as rules for the whole cluster.
fn rules(said: &str) -> Vec<Value> {
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

fn grant(stage: &Stage, name: &str, rules: &Value) {
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": {"name": name}, "rules": rules});
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER}]});
    stage.write(
        "grant.json",
        &json!({"apiVersion": "v1", "kind": "List", "items": [role, binding]}).to_string(),
    );
    let granted = stage.kubectl(&["apply", "--server-side", "-f", "grant.json"]);
    assert!(granted, "kubectl is not on this machine, and rights have to be granted");
}
