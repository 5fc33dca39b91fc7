//! The quickstart as a service account with only the rights that it needs, as the tool itself names them: what
//! `tests/real/rights.rs` shows on a real server.

use crate::{
    cluster::Served,
    missing_rights::{beforehand, rules},
    sandbox::Sandbox,
};
use serde_json::{Value, json};

const APPLY: &[&str] = &["apply", "stack.toml", "--yes", "--kubeconfig", "account.yaml"];
const USER: &str = "system:serviceaccount:default:default";

#[test]
fn an_apply_without_rights_names_each_and_converges_with_those_alone() {
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox);
    let token = served.token_of_account("default", "default");
    let url = served.url();
    let authority = sandbox.path().join(".stackctl/simulator/ca.crt");
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": url, "certificate-authority": authority}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    std::fs::write(sandbox.path().join("account.yaml"), kubeconfig.to_string()).expect("writable");
    // Before anything else: who may not even look is told so in the words of the server.
    let blind = sandbox.run(APPLY).expect(1);
    assert!(
        blind.stderr.contains(&format!("User \"{USER}\" cannot get resource")),
        "{}",
        blind.shown()
    );
    grant(&served, "stackctl-facts", &beforehand());
    let refused = sandbox.run(APPLY).expect(1);
    assert!(
        refused.stderr.contains("rights are missing on the cluster:"),
        "{}",
        refused.shown()
    );
    assert!(
        refused
            .stderr
            .contains("subscriptions.operators.coreos.com in namespace"),
        "{}",
        refused.shown()
    );
    assert_eq!(writes(&sandbox), 0, "something was written: {}", refused.shown());
    let needed = rules(&refused.stderr);
    assert!(needed.len() > 20, "{}", refused.shown());
    grant(&served, "stackctl-needed", &Value::Array(needed));
    sandbox.run(APPLY).expect(0);
    assert!(writes(&sandbox) > 20);
}

/// How many writes of the account came through.
fn writes(sandbox: &Sandbox) -> usize {
    let all = sandbox.audit();
    let is_write = |entry: &&crate::audit::Entry| entry.user == USER && !entry.dry_run && entry.code < 300;
    all.iter().filter(is_write).count()
}

fn grant(served: &Served, name: &str, rules: &Value) {
    const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
    let role = json!({"metadata": {"name": name}, "rules": rules});
    served.make(&format!("{RBAC}/clusterroles"), &role);
    let binding = json!({"metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "namespace": "default", "name": "default"}]});
    served.make(&format!("{RBAC}/clusterrolebindings"), &binding);
}
