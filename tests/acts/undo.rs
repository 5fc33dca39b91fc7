//! What is left when a file is lost.

use super::server::Server;
use std::{fs, path::Path};

pub(super) fn a_lost_state_is_rebuilt_and_the_plan_is_empty(server: &Server<'_>) {
    let folder = server.folder("lost");
    folder.map("settings", "mode: calm");
    folder.map("theirs", "a: one");
    // One of them is not ours to delete, which only the record says.
    folder.kubectl(&["apply", "-f", "base.yaml"]);
    folder.kubectl(&["apply", "-f", "theirs.yaml"]);
    folder.run(&["apply", "--yes", "--adopt"]).expect(0);
    let listed = folder.run(&["state", "list"]).expect(0).stdout;
    fs::remove_dir_all(folder.path().join(".stackctl")).expect("there is a state");
    for command in [&["plan"][..], &["apply", "--yes"], &["destroy", "--yes"]] {
        folder.run(command).expect(1).says(&["stackctl state rebuild"]);
    }
    let n_writes = folder.writes().len();
    folder.run(&["state", "rebuild"]).expect(0);
    assert_eq!(folder.run(&["state", "list"]).expect(0).stdout, listed);
    folder.is_converged();
    folder.apply();
    assert_eq!(folder.writes().len(), n_writes);
    folder.run(&["destroy", "--yes"]).expect(0);
    assert!(folder.has("configmap", "theirs") && folder.has("namespace", "lost"));
    assert!(!folder.has("configmap", "settings"));
    folder.kubectl(&["delete", "namespace", "lost"]);
}

/// What a command lets go is let go in the cluster's copy too, so that a rebuild does not bring it back.
pub(super) fn what_a_command_lets_go_stays_gone_when_the_state_is_rebuilt(server: &Server<'_>) {
    let folder = server.folder("letgo");
    for name in ["kept", "dropped", "edited"] {
        folder.map(name, "a: one");
    }
    folder.apply();
    let address = |name: &str| format!("manifests[all].configmap[\"letgo/{name}\"]");
    let rebuilt = || {
        fs::remove_dir_all(folder.path().join(".stackctl")).expect("there is a state");
        folder.run(&["state", "rebuild"]).expect(0);
        folder.run(&["state", "list"]).expect(0).stdout
    };
    // One is let go: it leaves the stack, the record and the copy, and stays in the cluster.
    fs::remove_file(folder.path().join("dropped.yaml")).expect("it is there");
    let told = folder.run(&["state", "rm", &address("dropped")]).expect(0);
    assert!(!told.stderr.contains("does not follow"), "{}", told.shown());
    assert!(!rebuilt().contains(&address("dropped")));
    folder.is_converged();
    assert!(folder.has("configmap", "dropped"));
    // A record that follows the cluster.
    folder.kubectl(&[
        "patch",
        "configmap",
        "edited",
        "--type=merge",
        "-p",
        r#"{"data":{"a":"two"}}"#,
    ]);
    let n_writes = folder.writes().len();
    folder.run(&["apply", "--refresh-only", "--yes"]).expect(0);
    folder.run(&["drift"]).expect(0);
    rebuilt();
    folder.run(&["drift"]).expect(0);
    assert_eq!(folder.writes().len(), n_writes, "no object was written");
    folder.run(&["apply", "--yes"]).expect(0);
    // Another name; and what was pulled before it, put in its place.
    let pulled = folder.run(&["state", "pull"]).expect(0).stdout;
    folder.put("pulled.json.txt", &pulled);
    folder
        .run(&["state", "mv", "manifests[all]", "manifests[new]"])
        .expect(0);
    assert!(rebuilt().contains("manifests[new]"));
    folder.run(&["state", "push", "pulled.json.txt", "--force"]).expect(0);
    assert!(!rebuilt().contains("manifests[new]"));
    // Where the cluster is not reached, it is said, and done by the next apply.
    let nowhere = folder.path().join("nowhere.yaml.txt");
    let server = "apiVersion: v1\nkind: Config\ncurrent-context: a\n\
                  clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}]\n\
                  contexts: [{name: a, context: {cluster: a, user: a}}]\nusers: [{name: a, user: {}}]\n";
    fs::write(&nowhere, server).expect("writable");
    let told = folder.run_at(&nowhere, &["state", "mv", "manifests[all]", "manifests[new]"]);
    told.expect(0)
        .says(&["the copy of the state that the cluster keeps does not follow"]);
    folder.stack("[[moved]]\nfrom = \"manifests[new]\"\nto = \"manifests[all]\"\n");
    folder.run(&["apply", "--yes"]).expect(0);
    assert!(rebuilt().contains("manifests[all]"));
    folder.kubectl(&["delete", "configmap", "dropped"]);
    folder.destroy();
}

pub(super) fn a_destroy_whose_stack_is_gone_goes_in_order(server: &Server<'_>) {
    destroy_without("stateonly", server, |stack| {
        fs::remove_file(stack).expect("it is there");
    });
}

pub(super) fn a_destroy_whose_stack_no_longer_parses_goes_in_order(server: &Server<'_>) {
    destroy_without("garbled", server, |stack| {
        fs::write(stack, "[stack\nname = ").expect("writable");
    });
}

/// Applies a stack of objects that wait for each other, loses it with all its manifests, and takes it away by its record.
fn destroy_without(stack: &'static str, server: &Server<'_>, lose: impl FnOnce(&Path)) {
    let folder = server.folder(stack);
    folder.map("first", "a: one");
    for (name, needs) in [("second", "first"), ("third", "second")] {
        let note = format!(
            "namespace: {stack}, annotations: {{config.kubernetes.io/depends-on: /namespaces/{stack}/ConfigMap/{needs}}}"
        );
        let text = folder.map_text(name, "a: one");
        folder.put(
            &format!("{name}.yaml"),
            &text.replace(&format!("namespace: {stack}"), &note),
        );
    }
    folder.apply();
    lose(&folder.path().join("stack.toml"));
    for name in ["base", "first", "second", "third"] {
        fs::remove_file(folder.path().join(format!("{name}.yaml"))).expect("it is there");
    }
    folder.run(&["destroy", "--yes"]).expect(1).says(&["stack.toml"]);
    folder.run(&["destroy", "--state-only", "--yes", "nobody"]).expect(1);
    folder.run(&["destroy", "--state-only", "--yes"]).expect(0);
    assert_eq!(
        folder.deleted(),
        ["third", "second", "first", stack],
        "dependents go first"
    );
    assert!(!folder.has("namespace", stack));
    let again = folder.run(&["destroy", "--state-only", "--yes"]).expect(0);
    again.says(&["nothing to destroy"]);
}
