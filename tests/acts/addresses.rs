//! Objects that are there, and addresses that are to stand for them.

use super::server::{Folder, Server, version};
use serde_json::Value;
use std::fs;

pub(super) fn a_moved_address_writes_nothing_to_the_object(server: &Server<'_>) {
    let folder = server.folder("moved");
    folder.map("settings", "mode: calm");
    folder.apply();
    let (before, n_writes) = (folder.get("configmap", "settings"), folder.writes().len());
    let named = |set: &str, more: &str| {
        let text = format!("[stack]\nname = \"moved\"\n[[manifests]]\nname = \"{set}\"\npath = \".\"\n{more}");
        folder.put("stack.toml", &text);
    };
    named(
        "renamed",
        "[[moved]]\nfrom = \"manifests[all]\"\nto = \"manifests[renamed]\"\n",
    );
    folder
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .says(&["is now manifests[renamed]"]);
    folder.run(&["apply", "--yes"]).expect(0);
    let listed = folder
        .run(&["state", "list"])
        .expect(0)
        .says(&["manifests[renamed].configmap"]);
    assert!(!listed.stdout.contains("manifests[all]"), "{}", listed.shown());
    let after = folder.get("configmap", "settings");
    assert_eq!(version(&after), version(&before));
    assert_eq!(after, before);
    assert_eq!(folder.writes().len(), n_writes, "by the audit log nothing was written");
    // The table is done with, and the address stands for the object all the same.
    named("renamed", "");
    folder.is_converged();
    folder.destroy();
}

fn web(stack: &str, image: &str) -> String {
    format!(
        "apiVersion: v1
kind: Service
metadata: {{name: web, namespace: {stack}}}
spec:
  selector: {{app: web}}
  ports: [{{port: 80, targetPort: 8080}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {stack}, labels: {{app: web}}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - name: main
        image: {image}
        resources: {{requests: {{cpu: 500m, memory: 1Gi}}}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: web, namespace: {stack}}}
spec:
  serviceName: web
  replicas: 0
  selector: {{matchLabels: {{app: web, kind: set}}}}
  template:
    metadata: {{labels: {{app: web, kind: set}}}}
    spec: {{containers: [{{name: main, image: {image}}}]}}
"
    )
}

/// What a restart would change: the spec with its template, and which ReplicaSets and pods there are.
#[derive(Debug, PartialEq)]
struct Rollout {
    spec: Value,
    replica_sets: Vec<Value>,
    pods: Vec<Value>,
}

fn rollout(folder: &Folder<'_>) -> Rollout {
    let uids = |kind: &str| {
        let all: Value = serde_json::from_str(&folder.kubectl(&["get", kind, "-o", "json"])).expect("JSON");
        let items = all["items"].as_array().into_iter().flatten();
        items.map(|item| item["metadata"]["uid"].clone()).collect()
    };
    Rollout {
        spec: folder.get("deployment", "web")["spec"].clone(),
        replica_sets: uids("replicasets"),
        pods: uids("pods"),
    }
}

pub(super) fn what_was_made_by_hand_is_adopted_without_a_restart(server: &Server<'_>) {
    let folder = server.folder("byhand");
    folder.put("web.yaml", &web("byhand", "registry.example.com/web:1"));
    folder.kubectl(&["apply", "-f", "base.yaml"]);
    folder.kubectl(&["apply", "-f", "web.yaml"]);
    folder.kubectl(&["rollout", "status", "deployment/web", "--timeout=60s"]);
    let before = rollout(&folder);
    assert_eq!(before.pods.len(), 2, "its pods are there: {before:?}");
    let generation = |kind: &str| folder.get(kind, "web")["metadata"]["generation"].clone();
    let (of_deployment, of_stateful_set) = (generation("deployment"), generation("statefulset"));

    let told = folder.run(&["apply", "--yes"]).expect(1);
    told.says(&["Deployment byhand/web", "--adopt"]);
    assert!(folder.writes().is_empty(), "nothing was written");
    folder.run(&["plan", "--adopt"]).expect(0).says(&["4 adopt"]);
    folder
        .run(&["apply", "--yes", "--adopt"])
        .expect(0)
        .says(&["4 adopted"]);
    assert_eq!(rollout(&folder), before, "nothing was rolled out");
    folder.is_converged();
    assert_eq!(rollout(&folder), before);
    // An annotation alone makes another generation of a Deployment (k8s.io/kubernetes pkg/registry/apps/deployment
    // strategy.go, PrepareForUpdate) and of no other workload: that is our mark, once.
    assert_eq!(generation("statefulset"), of_stateful_set);
    let after = generation("deployment").as_i64().zip(of_deployment.as_i64());
    assert_eq!(after.map(|(after, before)| after - before), Some(1));

    // From here on the stack says what it is, also of what kubectl had applied.
    folder.put("web.yaml", &web("byhand", "registry.example.com/web:2"));
    folder.apply();
    let Rollout { spec, .. } = rollout(&folder);
    assert_eq!(
        spec["template"]["spec"]["containers"][0]["image"],
        "registry.example.com/web:2"
    );
    // What was there before us stays.
    folder.run(&["destroy", "--yes"]).expect(0);
    let left = folder.get("deployment", "web");
    assert_eq!(left["spec"], spec);
    assert!(!left["metadata"].to_string().contains("stackctl"), "{left}");
    // Unless the stack says that it goes.
    folder.stack("adopt = true\ndelete_adopted = true\n");
    folder.apply();
    let goes = "was there before us, and goes by `delete_adopted`";
    folder.run(&["plan", "--destroy"]).expect(0).says(&[goes, "4 delete"]);
    folder.destroy();
}

pub(super) fn one_object_is_imported_without_a_write(server: &Server<'_>) {
    let folder = server.folder("imported");
    folder.map("settings", "mode: calm, colour: red");
    folder.kubectl(&["apply", "-f", "base.yaml"]);
    folder.put(
        "theirs.txt",
        &folder.map_text("settings", "mode: wild, colour: red, extra: theirs"),
    );
    folder.kubectl(&["apply", "-f", "theirs.txt"]);
    let before = folder.get("configmap", "settings");
    let address = r#"manifests[all].configmap["imported/settings"]"#;
    folder
        .run(&["import", address, "ConfigMap", "imported/other"])
        .expect(1)
        .says(&["makes ConfigMap imported/settings"]);
    folder
        .run(&["import", address, "ConfigMap", "imported/settings"])
        .expect(0);
    folder
        .run(&["import", "manifests[all].namespace[imported]", "Namespace", "imported"])
        .expect(0);
    assert_eq!(folder.get("configmap", "settings"), before);
    assert!(folder.writes().is_empty(), "an import writes nothing");
    // The next plan sets the stack against it.
    folder
        .run(&["plan", "--detailed-exitcode"])
        .expect(2)
        .says(&["data.mode:  wild → calm"]);
    folder.apply();
    let after = folder.get("configmap", "settings");
    assert_eq!(
        after["data"],
        serde_json::json!({"mode": "calm", "colour": "red", "extra": "theirs"})
    );
    folder.run(&["destroy", "--yes"]).expect(0);
    assert_eq!(
        folder.get("configmap", "settings")["data"],
        after["data"],
        "it was there before us"
    );
    folder.kubectl(&["delete", "namespace", "imported"]);
}

/// What a stack lets go is nobody's, and another one takes it; what only a command dropped keeps its mark, and who wants it is
/// told how to take that off.
pub(super) fn what_one_stack_lets_go_another_takes(server: &Server<'_>) {
    let (giver, taker) = (server.folder("giver"), server.folder("taker"));
    for name in ["let-go", "dropped"] {
        giver.map(name, "mode: calm");
    }
    giver.apply();
    let manifest = |name: &str| giver.map_text(name, "mode: calm");
    let file = |name: &str| giver.path().join(format!("{name}.yaml"));
    fs::remove_file(file("let-go")).expect("it is there");
    fs::remove_file(file("dropped")).expect("it is there");
    giver.stack("\n[[removed]]\naddress = 'manifests[all].configmap[\"giver/let-go\"]'\n");
    giver
        .run(&["state", "rm", r#"manifests[all].configmap["giver/dropped"]"#])
        .expect(0);
    giver.apply();
    taker.put("let-go.yaml", &manifest("let-go"));
    taker.run(&["apply", "--yes", "--adopt"]).expect(0).says(&["1 adopted"]);
    taker.put("dropped.yaml", &manifest("dropped"));
    let way = "kubectl label configmap dropped -n giver stackctl.dev/stack-";
    taker
        .run(&["plan", "--adopt"])
        .expect(1)
        .says(&["belongs to the stack `giver`", way]);
    giver.kubectl(&["label", "configmap", "dropped", "stackctl.dev/stack-"]);
    taker.run(&["apply", "--yes", "--adopt"]).expect(0).says(&["1 adopted"]);
    taker.is_converged();
    taker.destroy();
    assert!(giver.has("configmap", "let-go") && giver.has("configmap", "dropped"));
    // What somebody put into a namespace goes with it, and not without a word.
    giver.kubectl(&["create", "configmap", "by-hand", "--from-literal=mode=calm"]);
    let told = "ConfigMap giver/by-hand goes with Namespace giver: it is not of this stack";
    giver.run(&["destroy", "--yes"]).expect(1).says(&[told, "--yes-delete"]);
    giver.run(&["destroy", "--yes", "--yes-delete"]).expect(0);
}
