//! What is not done by mistake: deletions beyond a budget, replacements, plans that nobody approved; and what is seen of a
//! run afterwards.

use crate::{
    cluster::Served,
    sandbox::{Ran, Sandbox},
    scope::{put, recorded, sandbox},
};
use serde_json::{Value, json};

#[track_caller]
fn says(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.stderr.contains(word), "`{word}`: {}", ran.shown());
    }
}

/// How many writes of ours the cluster took, but for its copy of the state.
fn writes(sandbox: &Sandbox) -> usize {
    let audit = sandbox.audit();
    let ours = audit.iter().filter(|entry| entry.is_our_write());
    ours.filter(|entry| entry.namespace != "stackctl" && entry.name != "stackctl")
        .count()
}

/// How often an object of this name was made.
fn made(sandbox: &Sandbox, kind: &str, name: &str) -> usize {
    let audit = sandbox.audit();
    let made = audit
        .iter()
        .filter(|entry| entry.created && !entry.dry_run && entry.is(kind, name));
    made.count()
}

#[test]
fn a_plan_that_deletes_much_or_data_takes_a_word_of_its_own() {
    let sandbox = sandbox();
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: kept, namespace: parts}\nspec: \
                 {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n";
    let whole = std::fs::read_to_string(sandbox.path().join("stack.toml")).expect("readable");
    std::fs::write(sandbox.path().join("right.yaml"), claim).expect("writable");
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let before = writes(&sandbox);

    // One of five objects, and it holds data.
    let (without_right, _) = whole
        .split_once("\n[[manifests]]\nname = \"right\"")
        .expect("it is the last");
    sandbox.write(without_right);
    let told = sandbox.simulate(&["plan", "stack.toml", "-o", "less.plan"]).expect(1);
    says(
        &told,
        &["PersistentVolumeClaim parts/kept holds data", "say `--yes-delete`"],
    );
    assert!(
        told.stdout.contains("1 delete"),
        "what it would do is shown: {}",
        told.shown()
    );
    assert!(!sandbox.path().join("less.plan").exists());

    // Four of five.
    let (only_base, _) = whole
        .split_once("\n[[manifests]]\nname = \"left\"")
        .expect("it is the second");
    sandbox.write(only_base);
    let told = sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(1);
    says(
        &told,
        &["deletes 3 of the 5 objects that are recorded, more than a third"],
    );

    // Half read: the file of a set is there, and nothing is in it; and a stack of nothing at all.
    sandbox.write(&whole);
    std::fs::write(sandbox.path().join("base.yaml"), "").expect("writable");
    let told = sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(1);
    says(&told, &["base.yaml:1: the file is empty"]);
    std::fs::write(sandbox.path().join("nothing.yaml"), "# all of it is commented out\n").expect("writable");
    sandbox.write("[stack]\nname = \"parts\"\n\n[[manifests]]\nname = \"base\"\npath = \"nothing.yaml\"\n");
    let told = sandbox
        .simulate(&["apply", "stack.toml", "--yes", "--yes-delete"])
        .expect(1);
    says(
        &told,
        &[
            "the stack makes nothing, and 5 resources are recorded of it",
            "`stackctl destroy`",
        ],
    );
    assert_eq!(writes(&sandbox), before, "nothing was written all the while");

    put(&sandbox, "base", "one");
    sandbox.write(only_base);
    sandbox
        .simulate(&["apply", "stack.toml", "--yes", "--yes-delete"])
        .expect(0);
    assert_eq!(recorded(&sandbox), ["base", "parts"]);
}

#[test]
fn what_a_table_keeps_is_deleted_neither_by_an_apply_nor_by_a_destroy_until_it_says_so_no_more() {
    let sandbox = sandbox();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox.edit(
        "path = \"left.yaml\"\n",
        "path = \"left.yaml\"\nprevent_destroy = true\n",
    );
    let left = r#"manifests[left].configmap["parts/left"]"#;
    // It holds before an apply has recorded it.
    let told = sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(1);
    says(&told, &[&format!("`{left}` may not be destroyed (prevent_destroy)")]);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    for refused in [
        &["destroy", "stack.toml", "--yes"][..],
        &["plan", "stack.toml", "--destroy", "--target", "manifests[base]"],
        &["apply", "stack.toml", "--yes", "--replace", left],
    ] {
        let told = sandbox.simulate(refused).expect(1);
        says(&told, &[&format!("`{left}` may not be destroyed (prevent_destroy)")]);
    }
    sandbox
        .simulate(&["destroy", "stack.toml", "--yes", "--target", "manifests[right]"])
        .expect(0);
    sandbox.edit("prevent_destroy = true\n", "");
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);

    // What is recorded otherwise is no change of the cluster.
    let plans_nothing_but = |words: &str| {
        let told = sandbox
            .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
            .expect(0);
        assert!(told.stdout.contains(words), "`{words}`: {}", told.shown());
    };
    sandbox.simulate(&["state", "rm", left, "-f", "stack.toml"]).expect(0);
    plans_nothing_but("ours by its marks, and not recorded yet");
    sandbox
        .simulate(&["import", left, "ConfigMap", "parts/left", "-f", "stack.toml"])
        .expect(0);
    plans_nothing_but("record only");
    // What counts as there before us would go with the namespace, and so would the data of others.
    let served = Served::start(&sandbox);
    served.make(
        "/api/v1/namespaces/parts/persistentvolumeclaims",
        &json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "theirs", "namespace": "parts"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}),
    );
    let told = sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(1);
    says(
        &told,
        &[
            "ConfigMap parts/left goes with Namespace parts: it was there before us",
            "PersistentVolumeClaim parts/theirs goes with Namespace parts: it is not of this stack",
            "say `--yes-delete`",
        ],
    );
    let told = sandbox
        .simulate(&["destroy", "stack.toml", "--yes", "--yes-delete"])
        .expect(0);
    assert!(
        told.stdout
            .contains("deletes ConfigMap parts/left with Namespace parts"),
        "{}",
        told.shown()
    );
}

#[test]
fn a_replacement_is_asked_for_by_name_and_takes_along_what_it_contains() {
    let sandbox = sandbox();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let left = r#"manifests[left].configmap["parts/left"]"#;
    let told = sandbox
        .simulate(&["plan", "stack.toml", "--replace", "manifests[left].secret"])
        .expect(1);
    says(&told, &["`--replace manifests[left].secret` names nothing"]);
    sandbox
        .simulate(&["apply", "stack.toml", "--yes", "--replace", left])
        .expect(0);
    assert_eq!(
        (
            made(&sandbox, "ConfigMap", "left"),
            made(&sandbox, "ConfigMap", "right")
        ),
        (2, 1)
    );

    // The namespace takes everything along, so more than a third goes.
    let all = [
        "apply",
        "stack.toml",
        "--yes",
        "--replace",
        "manifests[base].namespace[parts]",
    ];
    says(&sandbox.simulate(&all).expect(1), &["deletes 5 of the 5 objects"]);
    let mut meant = all.to_vec();
    meant.push("--yes-delete");
    let told = sandbox.simulate(&meant).expect(0);
    assert!(
        told.stdout.contains("goes with manifests[base].namespace[parts]"),
        "{}",
        told.shown()
    );
    let gone: Vec<String> = sandbox
        .audit()
        .iter()
        .filter(|entry| entry.verb == "delete" && entry.is_our_write())
        .map(|entry| entry.name.clone())
        .collect();
    assert_eq!(
        gone.last().map(String::as_str),
        Some("parts"),
        "what is in it goes before it: {gone:?}"
    );
    for name in ["base", "left", "report", "right"] {
        assert!(made(&sandbox, "ConfigMap", name) >= 2, "{name} is made again");
    }
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
}

#[test]
fn the_record_follows_the_cluster_and_nothing_is_written_to_it() {
    let sandbox = sandbox();
    let none = sandbox.simulate(&["plan", "stack.toml", "--refresh-only"]).expect(1);
    says(&none, &["nothing is recorded of the stack parts"]);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let served = Served::start(&sandbox);
    let maps = "/api/v1/namespaces/parts/configmaps";
    served.patch(&format!("{maps}/left"), &json!({"data": {"a": "edited"}}));
    let gone = served.send(("DELETE", &format!("{maps}/right")), "application/json", "{}");
    assert!(gone.is_some(), "it is deleted");
    let before = writes(&sandbox);
    let told = sandbox
        .simulate(&["plan", "stack.toml", "--refresh-only", "--detailed-exitcode"])
        .expect(2);
    for said in [
        "data.a:  one → edited   somebody-else",
        "is gone",
        "2 resources to record as it is, 3 as recorded; the cluster stays as it is",
    ] {
        assert!(told.stdout.contains(said), "`{said}`: {}", told.shown());
    }
    let for_machines = ["plan", "stack.toml", "--refresh-only", "--json"];
    let told = sandbox.simulate(&for_machines).expect(0).json();
    assert_eq!(told["summary"], json!({"refreshed": 2, "as_recorded": 3, "unknown": 0}));
    sandbox
        .simulate(&["apply", "stack.toml", "--refresh-only", "--yes"])
        .expect(0);
    assert_eq!(writes(&sandbox), before, "nothing is written to the cluster");
    assert_eq!(recorded(&sandbox), ["base", "parts", "left", "report"]);
    sandbox.simulate(&["drift", "stack.toml"]).expect(0);
    // What the stack says otherwise is a change of the stack now.
    let plan = sandbox.simulate(&["plan", "stack.toml", "--json"]).expect(0).json();
    let reason = |name: &str| {
        let mut steps = plan["resource_changes"].as_array().expect("a list").iter();
        let step = steps.find(|step| step["object"]["name"] == name).expect("a step");
        step["reasons"][0]["code"].clone()
    };
    assert_eq!(
        (reason("left"), reason("right")),
        ("changed-in-stack".into(), "missing".into())
    );
}

#[test]
fn an_approved_plan_is_applied_and_another_is_refused() {
    let sandbox = sandbox();
    let told = sandbox
        .simulate(&["plan", "stack.toml", "--json", "-o", "one.plan"])
        .expect(0);
    let digest = told.json()["saved"]["digest"].as_str().expect("a digest").to_owned();
    assert!(told.stderr.contains(&format!("--expect {digest}")), "{}", told.shown());
    let shown = sandbox.simulate(&["show", "one.plan"]).expect(0);
    assert!(shown.stdout.contains(&digest), "{}", shown.shown());

    put(&sandbox, "left", "two");
    sandbox.simulate(&["plan", "stack.toml", "-o", "two.plan"]).expect(0);
    let told = sandbox
        .simulate(&["apply", "two.plan", "--yes", "--expect", &digest])
        .expect(1);
    says(
        &told,
        &["the plan `two.plan` is not the one that was approved", &digest],
    );
    let told = sandbox
        .simulate(&["apply", "stack.toml", "--yes", "--expect", &digest])
        .expect(1);
    says(&told, &["`--expect` is about a saved plan"]);
    put(&sandbox, "left", "one");
    sandbox
        .simulate(&["apply", "one.plan", "--yes", "--expect", &digest])
        .expect(0);
}

#[test]
fn a_timeline_says_what_ran_when_and_what_it_waited_for() {
    let sandbox = sandbox();
    let told = sandbox
        .simulate(&["apply", "stack.toml", "--yes", "-v", "--timeline", "run.json"])
        .expect(0);
    assert!(told.stderr.contains("What took longest"), "{}", told.shown());
    let text = std::fs::read_to_string(sandbox.path().join("run.json")).expect("written");
    let timeline: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        (&timeline["format_version"], &timeline["purpose"]),
        (&1.into(), &"apply".into())
    );
    let all = timeline["resources"].as_array().expect("a list");
    let of = |name: &str| {
        let wanted = format!("manifests[{name}].configmap[\"parts/{name}\"]");
        all.iter()
            .find(|one| one["address"] == wanted.as_str())
            .expect("it ran")
    };
    let (left, report) = (of("left"), of("report"));
    assert_eq!(report["waited_for"]["address"], left["address"]);
    assert_eq!(report["waited_for"]["until"], "ready");
    let seconds = |value: &Value| value.as_f64().expect("a time");
    assert!(seconds(&report["started_at"]) >= seconds(&left["ended_at"]));
    assert_eq!(report["requests"][0]["did"], "created");

    let told = sandbox
        .simulate(&["destroy", "stack.toml", "--yes", "--timeline", "no/such/folder.json"])
        .expect(1);
    says(
        &told,
        &[
            "the timeline cannot be written to `no/such/folder.json`",
            "nothing was changed",
        ],
    );
    assert_eq!(recorded(&sandbox).len(), 5);
}
