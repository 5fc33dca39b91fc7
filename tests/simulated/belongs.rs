//! What is of another cluster, or of another stack, is named and left alone.

use crate::{
    cluster::Served,
    sandbox::Sandbox,
    scope::{recorded, sandbox},
};

/// How many writes of ours the cluster took.
fn writes(sandbox: &Sandbox) -> usize {
    sandbox.audit().iter().filter(|entry| entry.is_our_write()).count()
}

#[test]
fn a_state_of_another_cluster_and_an_object_of_another_stack_are_refused() {
    let (here, there) = (sandbox(), sandbox());
    let (_here, _there) = (Served::start(&here), Served::start(&there));
    here.simulate(&["apply", "--yes"]).expect(0);

    // The state of this cluster, and the way to the other one.
    let state = here.path().join(".stackctl/simulator/state").display().to_string();
    let kubeconfig = there
        .path()
        .join(".stackctl/simulator/kubeconfig")
        .display()
        .to_string();
    for command in [
        &["plan"][..],
        &["apply", "--yes"],
        &["drift"],
        &["status"],
        &["destroy", "--yes"],
    ] {
        let reached = ["--state", &state, "--kubeconfig", &kubeconfig];
        let told = here.run(&[command, &reached].concat()).expect(1);
        for said in [
            "the state of `parts` is of the cluster ",
            "and this is the cluster ",
            "choose the cluster with `--context`",
        ] {
            assert!(told.stderr.contains(said), "`{said}`: {}", told.shown());
        }
    }
    assert_eq!(writes(&there), 0, "nothing was written there");

    // The same objects in a stack of another name.
    let before = writes(&here);
    let stack = std::fs::read_to_string(here.path().join("stack.toml")).expect("readable");
    here.write(&stack.replace("name = \"parts\"", "name = \"others\""));
    for command in [&["plan"][..], &["plan", "--adopt"], &["apply", "--yes", "--adopt"]] {
        let told = here.simulate(command).expect(1);
        assert!(
            told.stderr
                .contains("ConfigMap parts/left belongs to the stack `parts`"),
            "{}",
            told.shown()
        );
    }
    assert_eq!(writes(&here), before, "nothing was written here");
    here.write(&stack);
    here.simulate(&["plan", "--detailed-exitcode"]).expect(0);
    assert_eq!(recorded(&here).len(), 5);
}
