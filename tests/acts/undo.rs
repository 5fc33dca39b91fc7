//! What is left when a file is lost.

use super::server::Server;
use std::fs;

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

/// Its file is gone the first time, and no longer parses the second.
pub(super) fn a_destroy_without_its_stack_goes_in_order(server: &Server<'_>) {
    for loss in [Loss::Gone, Loss::Garbled] {
        let folder = server.folder("stateonly");
        for (name, needs) in [("first", ""), ("second", "first"), ("third", "second")] {
            folder.map(name, "a: one");
            if needs.is_empty() {
                continue;
            }
            let note = format!(
                "namespace: stateonly, annotations: {{config.kubernetes.io/depends-on: /namespaces/stateonly/ConfigMap/{needs}}}"
            );
            let text = folder.map_text(name, "a: one").replace("namespace: stateonly", &note);
            folder.put(&format!("{name}.yaml"), &text);
        }
        folder.apply();
        let n_deleted = folder.deleted().len();
        let stack = folder.path().join("stack.toml");
        match loss {
            Loss::Gone => fs::remove_file(&stack).expect("it is there"),
            Loss::Garbled => fs::write(&stack, "[stack\nname = ").expect("writable"),
        }
        for name in ["base", "first", "second", "third"] {
            fs::remove_file(folder.path().join(format!("{name}.yaml"))).expect("it is there");
        }
        folder.run(&["destroy", "--yes"]).expect(1).says(&["stack.toml"]);
        folder.run(&["destroy", "--state-only", "--yes"]).expect(0);
        let deleted = &folder.deleted()[n_deleted..];
        assert_eq!(
            deleted,
            ["third", "second", "first", "stateonly"],
            "dependents go first"
        );
        assert!(!folder.has("namespace", "stateonly"));
        folder
            .run(&["destroy", "--state-only", "--yes"])
            .expect(0)
            .says(&["nothing to destroy"]);
    }
}

/// How a stack file is lost.
#[derive(Clone, Copy)]
enum Loss {
    Gone,
    Garbled,
}
