//! The quickstart as a service account with only the rights that it needs, as the tool itself names them: what
//! `tests/real/rights.rs` shows on a real server.

use crate::{
    cluster::Served,
    missing_rights::{beforehand, rules},
    sandbox::{FAST, Sandbox},
    serving_ends::{MAAS, PLATFORM, WITH_MAAS, ends, longer, model, tier},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const APPLY: &[&str] = &["apply", "stack.toml", "--yes", "--kubeconfig", "account.yaml"];
const USER: &str = "system:serviceaccount:default:default";

#[test]
fn an_apply_without_rights_names_each_and_converges_with_those_alone() {
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox);
    account(&sandbox, &served);
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

/// Diagnoses look at more than what the stack writes: pods, policies, references of others. With the rights that an apply
/// names, each in the namespace that it is named for, they are told as to an administrator.
#[test]
fn what_keeps_serving_from_being_ready_is_told_with_the_rights_that_an_apply_names() {
    let stack = |tokens| {
        let models = [model("crashed", "hf://org/crashed"), model("small", "hf://org/small")].concat();
        format!("{PLATFORM}{models}{MAAS}{}", tier("small", 1, tokens))
    };
    let sandbox = WITH_MAAS.copy(&stack(300));
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox.write(&stack(3000));
    let faults = [
        "simulate",
        "--simulate-speed",
        FAST,
        "--fault",
        "crashing@crashed-kserve",
        "--fault",
        "merged-policy-unmanaged@small",
    ];
    let served = Served::start_with(&sandbox, &faults);
    account(&sandbox, &served);
    grant(&served, "stackctl-facts", &beforehand());
    let refused = sandbox.run(APPLY).expect(1);
    for (namespace, rules) in rules_by_place(&refused.stderr) {
        match namespace {
            Some(namespace) => grant_in(&served, &namespace, &rules),
            None => grant(&served, "stackctl-needed", &rules),
        }
    }
    // To this cluster time is as real as to any other, so that no wait ends before its limit.
    ends(
        &sandbox.run(&[APPLY, &["--ready-timeout", "10s"]].concat()),
        &[
            (
                "model[crashed].service did not become ready within 10.0 s",
                &[
                    "Pod crashed-kserve-*: container main: CrashLoopBackOff: it ended with code 1, Error: RuntimeError: \
                     Engine core initialization failed. See root cause above.",
                ],
                longer!("see `stackctl logs model[crashed]`; its flags are `args` of `[models.vllm]`"),
            ),
            (
                "maas.tier[small].enforced did not become ready within 10.0 s",
                &["TokenRateLimitPolicy maas-trlp-small: .metadata.annotations.opendatahub.io/managed is false"],
                longer!(
                    "take the annotation `opendatahub.io/managed` off TokenRateLimitPolicy llm-d-demo/maas-trlp-small: with \
                     it maas-controller leaves the policy as it is"
                ),
            ),
        ],
    );
}

/// Writes `account.yaml`, by which the default account of the cluster is used.
fn account(sandbox: &Sandbox, served: &Served) {
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
}

/// What an apply says of missing rights, by the namespace that each is missing in; none for the whole cluster.
fn rules_by_place(said: &str) -> BTreeMap<Option<String>, Value> {
    let mut lines: BTreeMap<Option<String>, String> = BTreeMap::new();
    for line in said.lines() {
        let namespace = line.split_once(" in namespace ").map(|(_, name)| name.to_owned());
        let of_place = lines.entry(namespace).or_default();
        of_place.push_str(line);
        of_place.push('\n');
    }
    let rules = lines
        .into_iter()
        .map(|(place, lines)| (place, Value::Array(rules(&lines))));
    rules.collect()
}

/// How many writes of the account came through.
fn writes(sandbox: &Sandbox) -> usize {
    let all = sandbox.audit();
    let is_write = |entry: &&crate::audit::Entry| entry.user == USER && !entry.dry_run && entry.code < 300;
    all.iter().filter(is_write).count()
}

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

fn grant_in(served: &Served, namespace: &str, rules: &Value) {
    let at = format!("{RBAC}/namespaces/{namespace}");
    let metadata = json!({"name": "stackctl-needed", "namespace": namespace});
    served.make(&format!("{at}/roles"), &json!({"metadata": metadata, "rules": rules}));
    let binding = json!({"metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "stackctl-needed"},
        "subjects": [{"kind": "ServiceAccount", "namespace": "default", "name": "default"}]});
    served.make(&format!("{at}/rolebindings"), &binding);
}

fn grant(served: &Served, name: &str, rules: &Value) {
    let role = json!({"metadata": {"name": name}, "rules": rules});
    served.make(&format!("{RBAC}/clusterroles"), &role);
    let binding = json!({"metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "namespace": "default", "name": "default"}]});
    served.make(&format!("{RBAC}/clusterrolebindings"), &binding);
}
