//! Addresses that are renamed, and what is let go: the records follow, and the cluster hears nothing of it.

use crate::{cluster::Served, sandbox::Sandbox};
use std::fs;

const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: default}\ndata: {k: v}\n";
const SETTINGS: &str = "/api/v1/namespaces/default/configmaps/settings";

/// A stack of one file under a name, with more below.
fn stack(sandbox: &Sandbox, set: &str, more: &str) {
    sandbox.write(&format!(
        "[stack]\nname = \"quickstart\"\n[[manifests]]\nname = \"{set}\"\npath = \"manifests\"\n{more}"
    ));
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    let folder = sandbox.path().join("manifests");
    fs::create_dir(&folder).expect("writable");
    fs::write(folder.join("settings.yaml"), CONFIG).expect("writable");
    stack(&sandbox, "old", "");
    sandbox
}

/// Writes of ours that the cluster accepted, but for the copy of the state.
fn writes(sandbox: &Sandbox) -> usize {
    let all = sandbox.audit();
    let is_write = |entry: &&crate::audit::Entry| {
        entry.is_our_write() && entry.namespace != "stackctl" && entry.name != "stackctl"
    };
    all.iter().filter(is_write).count()
}

#[test]
fn a_move_renames_what_is_recorded_without_a_write_to_the_cluster() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let (uid, before) = (served.get(SETTINGS)["metadata"]["uid"].clone(), writes(&sandbox));
    // Without the move it would be written anew, under its new mark.
    stack(&sandbox, "new", "");
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(2);
    stack(
        &sandbox,
        "new",
        "[[moved]]\nfrom = \"manifests[old]\"\nto = \"manifests[new]\"\n",
    );
    let planned = sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
    assert!(
        planned.stdout.contains("is now manifests[new].configmap"),
        "{}",
        planned.shown()
    );
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    assert_eq!(writes(&sandbox), before);
    let listed = sandbox.simulate(&["state", "list"]).expect(0);
    assert!(
        listed.stdout.contains("manifests[new]") && !listed.stdout.contains("manifests[old]"),
        "{}",
        listed.shown()
    );
    // It stays in the file, and out of the plan; also when the state is made again of the cluster's copy.
    sandbox.simulate(&["state", "rebuild", "--force"]).expect(0);
    let planned = sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
    assert!(!planned.stdout.contains("is now"), "{}", planned.shown());
    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
    assert!(served.find(SETTINGS).is_none());
    assert!(uid.is_string());
}

#[test]
fn a_move_onto_what_is_recorded_is_an_error_with_its_line() {
    let sandbox = sandbox();
    let second = sandbox.path().join("second");
    fs::create_dir(&second).expect("writable");
    fs::write(
        second.join("settings.yaml"),
        CONFIG.replace("name: settings", "name: others"),
    )
    .expect("writable");
    let set = "[[manifests]]\nname = \"second\"\npath = \"second\"\n";
    stack(&sandbox, "old", set);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let moved = "[[moved]]\nfrom = 'manifests[old].configmap[\"default/settings\"]'\n\
                 to = 'manifests[second].configmap[\"default/others\"]'\n";
    stack(&sandbox, "old", &format!("{set}{moved}"));
    let refused = sandbox.simulate(&["plan", "stack.toml"]).expect(1);
    assert!(
        refused.stderr.contains("stack.toml:9:") && refused.stderr.contains("is recorded already"),
        "{}",
        refused.shown()
    );
}

#[test]
fn what_is_removed_is_released_and_stays() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let settings = served.get(SETTINGS);
    let before = writes(&sandbox);
    fs::write(
        sandbox.path().join("manifests/settings.yaml"),
        CONFIG.replace("name: settings", "name: others"),
    )
    .expect("writable");
    let removed = "[[removed]]\naddress = 'manifests[old].configmap[\"default/settings\"]'\n";
    stack(&sandbox, "old", removed);
    let planned = sandbox.simulate(&["plan", "stack.toml"]).expect(0);
    assert!(planned.stdout.contains("left as it is"), "{}", planned.shown());
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let left = served.get(SETTINGS);
    assert_eq!(
        (&left["data"], &left["metadata"]["uid"]),
        (&settings["data"], &settings["metadata"]["uid"])
    );
    assert_eq!(
        writes(&sandbox),
        before + 2,
        "the other one was made, and the mark taken off this one"
    );
    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
    assert_eq!(served.get(SETTINGS), left);
}

#[test]
fn a_destroy_leaves_what_the_stack_lets_go_though_no_apply_came_between() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let settings = served.get(SETTINGS);
    fs::write(
        sandbox.path().join("manifests/settings.yaml"),
        CONFIG.replace("name: settings", "name: others"),
    )
    .expect("writable");
    let removed = "[[removed]]\naddress = 'manifests[old].configmap[\"default/settings\"]'\n";
    stack(&sandbox, "old", removed);
    let planned = sandbox.simulate(&["plan", "stack.toml", "--destroy"]).expect(0);
    assert!(planned.stdout.contains("left as it is"), "{}", planned.shown());
    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
    let left = served.get(SETTINGS);
    assert_eq!(
        (&left["data"], &left["metadata"]["uid"]),
        (&settings["data"], &settings["metadata"]["uid"])
    );
    assert!(left["metadata"]["annotations"]["stackctl.dev/address"].is_null());
}

#[test]
fn a_destroy_knows_what_moved_by_its_new_address_and_what_the_stack_says_of_that() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    stack(
        &sandbox,
        "new",
        "prevent_destroy = true\n[[moved]]\nfrom = \"manifests[old]\"\nto = \"manifests[new]\"\n",
    );
    let refused = sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(1);
    assert!(
        refused.stderr.contains("manifests[new].configmap") && refused.stderr.contains("prevent_destroy"),
        "{}",
        refused.shown()
    );
    assert!(served.find(SETTINGS).is_some());
    stack(
        &sandbox,
        "new",
        "[[moved]]\nfrom = \"manifests[old]\"\nto = \"manifests[new]\"\n",
    );
    let planned = sandbox.simulate(&["plan", "stack.toml", "--destroy"]).expect(0);
    assert!(
        planned.stdout.contains("is now manifests[new].configmap"),
        "{}",
        planned.shown()
    );
    // The record alone knows nothing of a stack, and the stack need not be readable for it.
    sandbox.write("[stack");
    sandbox
        .simulate(&["destroy", "--state-only", "quickstart", "--yes"])
        .expect(0);
    assert!(served.find(SETTINGS).is_none());
}

#[test]
fn records_that_moved_are_destroyed_at_their_new_address() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let moved = "[[moved]]\nfrom = \"manifests[old]\"\nto = \"manifests[new]\"\n";
    stack(&sandbox, "new", moved);
    sandbox
        .simulate(&["destroy", "stack.toml", "--yes", "--target", "manifests[new]"])
        .expect(0);
    assert!(served.find(SETTINGS).is_none());
    let listed = sandbox.simulate(&["state", "list"]).expect(0);
    assert!(!listed.stdout.contains("configmap"), "{}", listed.shown());
}

#[test]
fn records_move_go_and_come_back_by_command() {
    let sandbox = sandbox();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let first = sandbox.simulate(&["state", "pull"]).expect(0).stdout;
    fs::write(sandbox.path().join("first.json"), &first).expect("writable");
    sandbox
        .simulate(&["state", "mv", "manifests[old]", "manifests[new]"])
        .expect(0);
    let settings = "manifests[new].configmap[\"default/settings\"]";
    sandbox.simulate(&["state", "show", settings]).expect(0);
    let unknown = sandbox
        .simulate(&["state", "mv", "manifests[old]", "manifests[x]"])
        .expect(1);
    assert!(
        unknown.stderr.contains("nothing is recorded of `manifests[old]`"),
        "{}",
        unknown.shown()
    );
    // What was pulled before is older now.
    let refused = sandbox.simulate(&["state", "push", "first.json"]).expect(1);
    assert!(refused.stderr.contains("the serial"), "{}", refused.shown());
    let other = first.replace("\"lineage\":\"", "\"lineage\":\"0");
    fs::write(sandbox.path().join("other.json"), other).expect("writable");
    let refused = sandbox.simulate(&["state", "push", "other.json"]).expect(1);
    assert!(refused.stderr.contains("the lineage"), "{}", refused.shown());
    sandbox.simulate(&["state", "push", "first.json", "--force"]).expect(0);
    assert_eq!(sandbox.simulate(&["state", "pull"]).expect(0).stdout, first);
    let history = sandbox.simulate(&["state", "history"]).expect(0);
    assert!(history.stdout.contains("newest state only"), "{}", history.shown());
    let history = sandbox.simulate(&["state", "history", "--json"]).expect(0).json();
    assert_eq!(history["states"].as_array().map(Vec::len), Some(1), "{history}");
    let old = "manifests[old].configmap[\"default/settings\"]";
    sandbox.simulate(&["state", "rm", old]).expect(0);
    let listed = sandbox.simulate(&["state", "list"]).expect(0);
    assert!(!listed.stdout.contains("configmap"), "{}", listed.shown());
}

#[test]
fn the_copy_follows_no_command_while_another_run_has_the_lease() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let copy = "/api/v1/namespaces/stackctl/secrets/stack.quickstart";
    let lease = "/apis/coordination.k8s.io/v1/namespaces/stackctl/leases/stack.quickstart";
    let heard_at = |heard: &str| {
        let spec = serde_json::json!({"holderIdentity": "ben@build-2/x", "acquireTime": heard, "renewTime": heard});
        served.patch(lease, &serde_json::json!({"spec": spec}));
    };
    let kept = served.get(copy);
    heard_at("2999-01-01T00:00:00.000000Z");
    let told = sandbox
        .simulate(&["state", "mv", "manifests[old]", "manifests[new]"])
        .expect(0);
    assert!(
        told.stderr.contains("does not follow") && told.stderr.contains("it is ben@build-2's, since 2999-"),
        "{}",
        told.shown()
    );
    assert_eq!(served.get(copy), kept);
    // Nor is it written by a run that has nothing to do, and so takes no lease.
    stack(&sandbox, "new", "");
    let told = sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    assert!(
        told.stderr.contains("is behind") && told.stderr.contains("ben@build-2's"),
        "{}",
        told.shown()
    );
    assert_eq!(served.get(copy), kept);
    heard_at("2020-01-01T00:00:00.000000Z");
    sandbox
        .simulate(&["state", "mv", "manifests[new]", "manifests[old]"])
        .expect(0);
    assert_ne!(served.get(copy), kept);
}

#[test]
fn an_import_records_what_is_there_and_the_next_apply_takes_what_the_stack_says() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    let theirs = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "default"}, "data": {"k": "theirs", "other": "stays"}});
    served.make("/api/v1/namespaces/default/configmaps", &theirs);
    let uid = served.get(SETTINGS)["metadata"]["uid"].clone();
    let refused = sandbox.simulate(&["plan", "stack.toml"]).expect(1);
    assert!(refused.stderr.contains("not ours"), "{}", refused.shown());
    let settings = "manifests[old].configmap[\"default/settings\"]";
    for (arguments, says) in [
        (
            ["manifests[old].secret[x]", "ConfigMap", "default/settings"],
            "the stack has no",
        ),
        (
            [settings, "Secret", "default/settings"],
            "makes ConfigMap default/settings",
        ),
        (
            [settings, "ConfigMap", "default/others"],
            "makes ConfigMap default/settings",
        ),
    ] {
        let refused = sandbox.simulate(&[&["import"][..], &arguments].concat()).expect(1);
        assert!(refused.stderr.contains(says), "{}", refused.shown());
    }
    let before = writes(&sandbox);
    sandbox
        .simulate(&["import", settings, "ConfigMap", "default/settings"])
        .expect(0);
    assert_eq!(writes(&sandbox), before);
    let again = sandbox
        .simulate(&["import", settings, "configmap", "default/settings"])
        .expect(1);
    assert!(again.stderr.contains("is recorded already"), "{}", again.shown());
    let planned = sandbox.simulate(&["plan", "stack.toml"]).expect(0);
    assert!(planned.stdout.contains("theirs"), "{}", planned.shown());
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
    let taken = served.get(SETTINGS);
    assert_eq!((&taken["metadata"]["uid"], &taken["data"]["k"]), (&uid, &"v".into()));
    // It was there before us: it is given back, not deleted.
    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
    let left = served.get(SETTINGS);
    assert_eq!(left["metadata"]["uid"], uid);
    assert!(left["metadata"]["annotations"]["stackctl.dev/address"].is_null());
}

#[test]
fn what_the_stack_made_at_another_address_is_renamed_and_not_imported() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    stack(&sandbox, "new", "");
    let before = sandbox.simulate(&["state", "pull"]).expect(0).stdout;
    let (old, new) = (
        "manifests[old].configmap[\"default/settings\"]",
        "manifests[new].configmap[\"default/settings\"]",
    );
    let import = ["import", new, "ConfigMap", "default/settings"];
    let refused = sandbox.simulate(&import).expect(1);
    for said in [
        &format!("ConfigMap default/settings is recorded already, at `{old}`"),
        "`[[moved]]`",
        &format!("`stackctl state mv '{old}' '{new}'`"),
    ] {
        assert!(refused.stderr.contains(said), "`{said}`: {}", refused.shown());
    }
    assert_eq!(sandbox.simulate(&["state", "pull"]).expect(0).stdout, before);
    // What was renamed is still what the stack made: a destroy deletes it.
    sandbox.simulate(&["state", "mv", old, new]).expect(0);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
    assert!(served.find(SETTINGS).is_none());
}

#[test]
fn what_somebody_made_in_the_place_of_what_is_recorded_elsewhere_is_imported() {
    let sandbox = sandbox();
    let served = Served::start(&sandbox);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    served.remove(SETTINGS);
    let theirs = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "default"}, "data": {"k": "theirs"}});
    served.make("/api/v1/namespaces/default/configmaps", &theirs);
    let uid = served.get(SETTINGS)["metadata"]["uid"].clone();
    stack(&sandbox, "new", "");
    let new = "manifests[new].configmap[\"default/settings\"]";
    sandbox
        .simulate(&["import", new, "ConfigMap", "default/settings"])
        .expect(0);
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    // It was there before us.
    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
    assert_eq!(served.get(SETTINGS)["metadata"]["uid"], uid);
}
