//! The quickstart as a service account with only the rights that it needs, as the tool itself names them: what
//! `tests/real/rights.rs` shows on a real server.

use crate::{
    cluster::Served,
    missing_rights::{beforehand, rules},
    sandbox::{FAST, Sandbox},
    scope,
    serving_ends::{LIMIT, ends, longer},
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
    serving_is_explained_to_the_account(&sandbox, served);
}

/// Diagnoses look at more than what a stack writes. What those of serving look at is asked for, and suffices.
fn serving_is_explained_to_the_account(sandbox: &Sandbox, administrator: Served) {
    drop(administrator);
    let faults = ["crashing@qwen3-8b-kserve", "nameless-model"];
    let mut simulate = vec!["simulate", "--simulate-speed", FAST];
    simulate.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    let served = Served::start_with(sandbox, &simulate);
    account(sandbox, &served);
    // The same rights as before, but each only where it is asked for.
    served.remove(&format!("{RBAC}/clusterrolebindings/stackctl-needed"));
    served.remove(&format!("{RBAC}/clusterroles/stackctl-needed"));
    let refused = sandbox.run(APPLY).expect(1);
    let needed = rules_by_place(&refused.stderr);
    for (place, resource) in [
        (Some("llm-d-demo"), "pods"),
        (Some("llm-d-demo"), "httproutes"),
        (Some("llm-d-demo"), "authpolicies"),
        (Some("llm-d-demo"), "tokenratelimitpolicies"),
        (Some("llm-d-demo"), "maasmodelrefs"),
        (Some("models-as-a-service"), "maassubscriptions"),
        (Some("redhat-ods-applications"), "pods"),
        (Some("openshift-ingress"), "pods"),
        (Some("kuadrant-system"), "pods"),
        (Some("openshift-operators"), "subscriptions"),
        (None, "llminferenceservices"),
        (None, "datascienceclusters"),
    ] {
        let rules = &needed[&place.map(str::to_owned)];
        for verb in ["get", "list", "watch"] {
            let is_it = |rule: &Value| rule["resources"][0] == resource && rule["verbs"][0] == verb;
            let is_asked = rules.as_array().is_some_and(|rules| rules.iter().any(is_it));
            assert!(is_asked, "{verb} on {resource} in {place:?}: {}", refused.shown());
        }
    }
    for (namespace, rules) in &needed {
        match namespace {
            Some(namespace) => grant_in(&served, namespace, rules),
            None => grant(&served, "stackctl-needed", rules),
        }
    }
    const NAMELESS: &str = "LLMInferenceService tiny: .spec.model.name is not there yet";
    const NAMED: &str = longer!(
        "give that model a name: `oc patch llminferenceservice tiny -n data-science-project --type=merge -p \
         '{\"spec\":{\"model\":{\"name\":\"ORG/MODEL\"}}}'`"
    );
    // To this cluster time is as real as to any other, so that no wait ends before its limit.
    ends(
        &sandbox.run(&[APPLY, &["--ready-timeout", LIMIT]].concat()),
        &[
            (
                "model[qwen3-8b].service did not become ready within 40.0 s",
                &[
                    "Pod qwen3-8b-kserve-*: container main: CrashLoopBackOff: it ended with code 1, Error: RuntimeError: \
                     Engine core initialization failed. See root cause above.",
                ],
                longer!("see `stackctl logs model[qwen3-8b]`; its flags are `args` of `[models.vllm]`"),
            ),
            (
                "rhoai.dashboard-restart did not become ready within 40.0 s",
                &[NAMELESS],
                NAMED,
            ),
            ("rhoai.ready did not become ready within 40.0 s", &[NAMELESS], NAMED),
        ],
    );
}

/// What an account may not list in a namespace that goes is not taken for nothing.
#[test]
fn a_namespace_goes_with_what_an_account_may_not_list_only_where_that_is_said() {
    let sandbox = scope::sandbox();
    let served = Served::start(&sandbox);
    let administrator = sandbox.path().join(".stackctl/simulator/kubeconfig");
    let administrator = administrator.to_str().expect("a path in UTF-8");
    sandbox
        .run(&["apply", "stack.toml", "--yes", "--kubeconfig", administrator])
        .expect(0);
    served.make(
        "/api/v1/namespaces/parts/persistentvolumeclaims",
        &json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "theirs", "namespace": "parts"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
    );
    account(&sandbox, &served);
    grant(&served, "stackctl-facts", &beforehand());
    let destroy = ["destroy", "stack.toml", "--yes", "--kubeconfig", "account.yaml"];
    // Of a part the copy of the state stays, and nothing else is looked into.
    let part = sandbox
        .run(&[&destroy[..], &["--target", "manifests[right]"]].concat())
        .expect(1);
    assert!(
        part.stderr.contains("delete on configmaps in namespace parts")
            && !part.stderr.contains("delete on leases")
            && !part.stderr.contains("persistentvolumeclaims"),
        "{}",
        part.shown()
    );
    let refused = sandbox.run(&destroy).expect(1);
    assert!(refused.stderr.contains("delete on leases"), "{}", refused.shown());
    let (of_claims, others): (Vec<_>, Vec<_>) = rules(&refused.stderr)
        .into_iter()
        .partition(|rule| rule["resources"][0] == "persistentvolumeclaims");
    assert_eq!(of_claims.len(), 1, "{}", refused.shown());
    grant(&served, "stackctl-needed", &Value::Array(others));
    let refused = sandbox.run(&destroy).expect(1);
    assert!(
        refused
            .stderr
            .contains("list on persistentvolumeclaims in namespace parts"),
        "{}",
        refused.shown()
    );
    grant(&served, "stackctl-claims", &Value::Array(of_claims));
    let refused = sandbox.run(&destroy).expect(1);
    assert!(
        refused
            .stderr
            .contains("PersistentVolumeClaim parts/theirs goes with Namespace parts"),
        "{}",
        refused.shown()
    );
    served.remove(&format!("{RBAC}/clusterrolebindings/stackctl-claims"));
    assert!(
        served
            .find("/api/v1/namespaces/parts/persistentvolumeclaims/theirs")
            .is_some()
    );
    let unseen = sandbox.run(&[&destroy[..], &["--yes-delete"]].concat()).expect(0);
    assert!(
        unseen
            .stdout
            .contains("in Namespace parts unseen: PersistentVolumeClaim may not be listed"),
        "{}",
        unseen.shown()
    );
    assert!(served.find("/api/v1/namespaces/parts").is_none());
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
