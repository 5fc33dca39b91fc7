//! The quickstart as somebody with only the rights that it needs, as the tool itself names them.

use crate::{
    missing_rights::{beforehand, rules},
    stage::Stage,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A user of the scratch cluster to whom nothing is given (`cargo xtask apiserver`).
const USER: &str = "ci";
const APPLY: &[&str] = &["apply", "stack.toml", "--yes", "--context", USER];

/// Refuses a user with too few rights before anything is written; with those that it named, and those alone, converges.
pub(crate) fn applies_with_just_enough(stage: &Stage) {
    grant(stage, "stackctl-facts", &beforehand());
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
    is_in_force(stage, rules);
}

/// Waits until the server has heard of what was granted, which it does by a watch.
fn is_in_force(stage: &Stage, rules: &Value) {
    let last = rules.as_array().and_then(|rules| rules.last()).expect("a rule");
    let (resource, subresource) = match last["resources"][0].as_str().expect("a resource").split_once('/') {
        Some((resource, subresource)) => (resource, subresource),
        None => (last["resources"][0].as_str().expect("a resource"), ""),
    };
    let asked = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"user": USER,
        "resourceAttributes": {"group": last["apiGroups"][0], "resource": resource, "subresource": subresource,
            "verb": last["verbs"][0], "name": last["resourceNames"][0].as_str().unwrap_or_default()}}});
    stage.write("asked.json", &asked.to_string());
    let started = Instant::now();
    let ask = ["create", "-f", "asked.json", "-o", "jsonpath={.status.allowed}"];
    while stage.kubectl_says(&ask).as_deref() != Some("true") {
        assert!(started.elapsed() < Duration::from_secs(60), "{asked} is not allowed");
    }
}
