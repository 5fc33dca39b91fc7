//! A state that is lost is made again of what the cluster keeps.

use crate::{cluster::Served, destroy::left_as_announced, sandbox::Sandbox};
use serde_json::json;
use std::fs;

/// Where the state of a rehearsal is.
const STATE: &str = ".stackctl/simulator/state";
const SECRET: &str = "/api/v1/namespaces/stackctl/secrets/stack.quickstart";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/stackctl/leases/stack.quickstart";

/// Loses everything that is kept beside the stack file, the key included.
#[track_caller]
fn lose_the_state(sandbox: &Sandbox) {
    let state = sandbox.path().join(STATE);
    assert!(state.join("quickstart.state.json").exists());
    // Elsewhere it keeps its inodes: a new lock is another file for certain.
    fs::rename(state, sandbox.path().join("lost")).expect("it can be moved");
}

#[test]
fn after_a_rebuild_the_plan_is_empty_and_its_destroy_restores() {
    let sandbox = Sandbox::new();
    let before = {
        let served = Served::start(&sandbox);
        served.snapshot()
    };
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let recorded = sandbox.simulate(&["state", "list"]).expect(0).stdout;
    let planned = sandbox
        .simulate(&["plan", "--destroy", "stack.toml", "--json"])
        .expect(0)
        .json();
    lose_the_state(&sandbox);
    // Without its state nothing is guessed: the way out is named.
    for command in ["plan", "apply", "destroy"] {
        let yes: &[&str] = if command == "plan" { &[] } else { &["--yes"] };
        let refused = sandbox.simulate(&[&[command, "stack.toml"], yes].concat()).expect(1);
        assert!(refused.stderr.contains("stackctl state rebuild"), "{}", refused.shown());
    }
    let rebuilt = sandbox.simulate(&["state", "rebuild"]).expect(0);
    for lost in ["how long", "history", "key"] {
        assert!(rebuilt.stdout.contains(lost), "`{lost}`: {}", rebuilt.shown());
    }
    assert_eq!(sandbox.simulate(&["state", "list"]).expect(0).stdout, recorded);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
    // What is there already is not written over without being told so.
    let refused = sandbox.simulate(&["state", "rebuild"]).expect(1);
    assert!(refused.stderr.contains("--force"), "{}", refused.shown());
    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
    let served = Served::start(&sandbox);
    left_as_announced(&before, &served.settled(), &planned);
}

#[test]
fn a_run_that_was_killed_and_lost_its_state_is_finished_after_a_rebuild() {
    let sandbox = Sandbox::new();
    let served = Served::start(&sandbox);
    let before = served.snapshot();
    let mut child = sandbox
        .command(&["apply", "stack.toml", "--yes", "--simulate"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary starts");
    // The first objects are there once the Secret is, and a quarter of the run is over.
    let writes = || sandbox.audit().iter().filter(|entry| entry.is_our_write()).count();
    while writes() < 60 {
        assert!(
            child.try_wait().expect("it can be asked").is_none(),
            "it ended too early"
        );
        std::thread::yield_now();
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it is gone");
    lose_the_state(&sandbox);
    let rebuilt = sandbox.simulate(&["state", "rebuild", "quickstart"]).expect(0);
    assert!(rebuilt.stdout.contains("a run did not end"), "{}", rebuilt.shown());
    // The lock by which it is known to have died is lost with the state: its lease says so only a minute later.
    let heard_at = |time: &str| served.patch(LEASE, &json!({"spec": {"renewTime": time}}));
    heard_at("2999-01-01T00:00:00.000000Z");
    let refused = sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(1);
    assert!(
        refused
            .stderr
            .contains("another run of the stack quickstart is at work"),
        "{}",
        refused.shown()
    );
    heard_at("2020-01-01T00:00:00.000000Z");
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
    // The lost key has a successor, by which secrets are recorded: an edit of one is seen again.
    let database = "/api/v1/namespaces/redhat-ods-applications/secrets/maas-db-config";
    let password = served.get(database)["data"]["password"].clone();
    assert_eq!(
        sandbox.simulate(&["drift", "--json"]).expect(0).json()["unknown"],
        json!([])
    );
    served.patch(database, &json!({"data": {"password": "ZWRpdGVk"}}));
    sandbox.simulate(&["drift"]).expect(2);
    served.patch(database, &json!({"data": {"password": password}}));
    let planned = sandbox
        .simulate(&["plan", "--destroy", "stack.toml", "--json"])
        .expect(0)
        .json();
    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
    left_as_announced(&before, &served.settled(), &planned);
}

#[test]
fn the_copy_is_written_twice_a_run_and_for_what_could_not_be_known_before_it() {
    let sandbox = Sandbox::new();
    let planned = sandbox.simulate(&["plan", "stack.toml", "--json"]).expect(0).json();
    let steps = planned["resource_changes"].as_array().expect("steps");
    let to_come = steps
        .iter()
        .filter(|step| step["reasons"][0]["code"] == "target-to-come")
        .count();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let listed = sandbox.simulate(&["state", "list", "--json"]).expect(0).json();
    let recorded = listed["recorded"].as_array().expect("records");
    let adopted = recorded.iter().filter(|record| record["origin"] == "adopted").count();
    let writes = || {
        let all = sandbox.audit();
        all.iter()
            .filter(|entry| entry.is_our_write() && entry.is("Secret", "stack.quickstart"))
            .count()
    };
    let first = writes();
    // What is there only once an operator runs is kept when it is; a write that is tried again is kept again.
    assert!(
        (2..=2 + to_come + adopted + 2).contains(&first),
        "{first} writes: {to_come} to come, {adopted} adopted"
    );
    assert!(to_come > 0 && adopted > 0 && first < recorded.len() / 4);
    // An apply that changes nothing writes nothing.
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    assert_eq!(writes(), first);
    sandbox.edit("tokens = 3_000,", "tokens = 6_000,");
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    // What is only changed is undone as before: nothing is kept before it.
    assert_eq!(writes(), first + 1);
    let served = Served::start(&sandbox);
    let secret = served.get(SECRET);
    let parent = &secret["metadata"]["labels"]["applyset.kubernetes.io/id"];
    assert!(
        parent.as_str().is_some_and(|id| id.starts_with("applyset-")),
        "{secret}"
    );
    // A copy that somebody took away is made again.
    served
        .send(("DELETE", SECRET), "application/json", "")
        .expect("it is there");
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    assert!(served.find(SECRET).is_some());
}

#[test]
fn an_older_state_and_one_of_another_line_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let file = sandbox.path().join(STATE).join("quickstart.state.json");
    let old = fs::read_to_string(&file).expect("a state");
    sandbox.edit("tokens = 3_000,", "tokens = 6_000,");
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    fs::write(&file, &old).expect("writable");
    let refused = sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(1);
    assert!(
        refused.stderr.contains("is older than what was applied"),
        "{}",
        refused.shown()
    );
    let rebuilt = sandbox
        .simulate(&["state", "rebuild", "--force", "--json"])
        .expect(0)
        .json();
    assert!(rebuilt["recorded"].as_u64() > Some(50), "{rebuilt}");
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
    let state: serde_json::Value = serde_json::from_str(&old).expect("JSON");
    let lineage = state["lineage"].as_str().expect("a lineage");
    fs::write(&file, old.replace(lineage, "00000000000000000000000000000000")).expect("writable");
    let refused = sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(1);
    assert!(refused.stderr.contains("with another state"), "{}", refused.shown());
}

/// Two objects, neither of which needs anything of an OpenShift.
const TWO: &str = r#"
[stack]
name = "quickstart"

[[manifests]]
name = "two"
path = "two.yaml"
"#;

/// What waits for them.
const BEHIND: &str = r#"
[[manifests]]
name = "behind"
path = "behind.yaml"
depends_on = ['manifests[two].configmap["default/one"]']
"#;

fn two(sandbox: &Sandbox, says: &str) {
    let map = |name: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: default}}\ndata: {{a: {says}}}\n"
        )
    };
    let text = format!("{}---\n{}", map("one"), map("other"));
    fs::write(sandbox.path().join("two.yaml"), text).expect("writable");
}

fn label(served: &Served) -> serde_json::Value {
    served.get(SECRET)["metadata"]["annotations"].clone()
}

#[test]
fn of_two_states_with_one_serial_the_copy_is_of_the_first_and_the_second_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write(TWO);
    two(&sandbox, "first");
    let served = Served::start(&sandbox);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let before = sandbox.state_files();
    let address = |name: &str| format!("manifests[two].configmap[\"default/{name}\"]");
    let first = sandbox.simulate(&["state", "rm", &address("one")]).expect(0);
    assert!(!first.stderr.contains("does not follow"), "{}", first.shown());
    let kept = label(&served);

    // Somebody else begins with the same state, and lets another one go.
    sandbox.put_back(&before);
    let second = sandbox.simulate(&["state", "rm", &address("other")]).expect(0);
    let said = "does not follow: it is of a newer state than the one here";
    assert!(second.stderr.contains(said), "{}", second.shown());
    assert_eq!(label(&served), kept);
    two(&sandbox, "second");
    let here = sandbox.state_files();
    let refused = sandbox.simulate(&["apply", "stack.toml", "--yes", "--adopt"]).expect(1);
    assert_eq!(sandbox.state_files(), here, "nor did the state change");
    for said in [
        "it is of another state, which has the serial of the one here",
        "state rebuild --force",
    ] {
        assert!(refused.stderr.contains(said), "`{said}`: {}", refused.shown());
    }
    assert_eq!(label(&served), kept);
    let other = served.get("/api/v1/namespaces/default/configmaps/other");
    assert_eq!(other["data"]["a"], "first", "nothing was written");
}

#[test]
fn a_copy_that_does_not_say_which_state_it_is_of_is_not_taken_for_none() {
    let sandbox = Sandbox::new();
    sandbox.write(TWO);
    two(&sandbox, "first");
    let served = Served::start(&sandbox);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    two(&sandbox, "second");
    let whole = label(&served);
    let pulled = sandbox.simulate(&["state", "pull"]).expect(0).stdout;
    fs::write(sandbox.path().join("pulled.json"), &pulled).expect("writable");
    for lost in ["lineage", "serial", "sum", "parts"] {
        let name = format!("stackctl.dev/{lost}");
        served.patch(SECRET, &json!({"metadata": {"annotations": {&name: null}}}));
        let damaged = served.get(SECRET);
        for command in [&["plan"][..], &["apply", "--yes"], &["destroy", "--yes"]] {
            let refused = sandbox.simulate(&[command, &["stack.toml"]].concat()).expect(1);
            for said in ["does not say which state it holds", "state push state.json"] {
                assert!(refused.stderr.contains(said), "{lost}, `{said}`: {}", refused.shown());
            }
        }
        assert_eq!(served.get(SECRET), damaged, "{lost}");
        sandbox.simulate(&["state", "push", "pulled.json"]).expect(0);
        assert_eq!(label(&served), whole, "{lost}");
    }
    // Nor is it written over by what changes the state alone.
    let address = "manifests[two].configmap[\"default/one\"]";
    served.patch(
        SECRET,
        &json!({"metadata": {"annotations": {"stackctl.dev/serial": "many"}}}),
    );
    let damaged = served.get(SECRET);
    let told = sandbox.simulate(&["state", "rm", address]).expect(0);
    assert!(
        told.stderr.contains("does not say which state it holds"),
        "{}",
        told.shown()
    );
    assert_eq!(served.get(SECRET), damaged);
}

#[test]
fn what_is_pushed_holds_from_then_on() {
    let sandbox = Sandbox::new();
    sandbox.write(TWO);
    two(&sandbox, "first");
    let served = Served::start(&sandbox);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let push = |state: &serde_json::Value| {
        fs::write(sandbox.path().join("pushed.json"), state.to_string()).expect("writable");
        let pushed = sandbox.simulate(&["state", "push", "pushed.json"]).expect(0);
        assert!(!pushed.stderr.contains("does not follow"), "{}", pushed.shown());
    };
    // Edited by hand, under the serial that it had.
    let mut state = sandbox.simulate(&["state", "pull"]).expect(0).json();
    state["recorded"].as_array_mut().expect("records").pop();
    push(&state);
    sandbox.simulate(&["state", "rebuild", "--force"]).expect(0);
    let listed = sandbox.simulate(&["state", "list", "--json"]).expect(0).json();
    assert_eq!(listed["recorded"].as_array().map(Vec::len), Some(1), "{listed}");
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);

    // Of a stack of which nothing is left, a copy that cannot be told goes with what is pushed.
    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
    let empty = sandbox.simulate(&["state", "pull"]).expect(0).json();
    served.make(
        "/api/v1/namespaces",
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "stackctl"}}),
    );
    let (secrets, name) = SECRET.rsplit_once('/').expect("a path");
    served.make(
        secrets,
        &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}),
    );
    let refused = sandbox.simulate(&["plan", "stack.toml"]).expect(1);
    assert!(refused.stderr.contains("state push state.json"), "{}", refused.shown());
    push(&empty);
    assert!(served.find(SECRET).is_none());
    sandbox.simulate(&["apply", "stack.toml", "--yes", "--adopt"]).expect(0);
}

#[test]
fn what_a_run_left_open_stays_open_in_the_copy_when_something_is_let_go() {
    let sandbox = Sandbox::new();
    sandbox.write(&format!(
        "{TWO}ready = {{ jsonpath = \".data.open\", equals = \"yes\" }}\n{BEHIND}"
    ));
    two(&sandbox, "first");
    let behind = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: behind, namespace: default}\n";
    fs::write(sandbox.path().join("behind.yaml"), behind).expect("writable");
    let served = Served::start(&sandbox);
    // It fails before all was made: what may have been is kept.
    let apply = ["apply", "stack.toml", "--yes", "--ready-timeout", "1s"];
    sandbox.simulate(&apply).expect(1);
    let open = || label(&served)["stackctl.dev/open"].as_str().map(str::to_owned);
    let before = open();
    assert_ne!(before.as_deref(), Some("0"));
    let address = "manifests[two].configmap[\"default/one\"]";
    let told = sandbox.simulate(&["state", "rm", address]).expect(0);
    assert!(!told.stderr.contains("does not follow"), "{}", told.shown());
    assert_eq!(open(), before);
    sandbox.simulate(&["state", "rebuild", "--force"]).expect(0);
    let listed = sandbox.simulate(&["state", "list"]).expect(0).stdout;
    assert!(
        listed.contains("default/other") && !listed.contains("default/one"),
        "{listed}"
    );
}
