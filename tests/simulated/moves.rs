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
fn what_is_removed_is_forgotten_and_stays() {
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
    assert_eq!(served.get(SETTINGS), settings);
    assert_eq!(writes(&sandbox), before + 1, "only the other one was made");
    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
    assert_eq!(served.get(SETTINGS), settings);
}
