//! One clear error with the place and the way out, exit 1, and nothing written.

use crate::sandbox::Sandbox;

#[test]
fn a_mistyped_command_line_exits_1_and_not_2() {
    let sandbox = Sandbox::empty();
    for arguments in [
        &["aply"][..],
        &["plan", "--sett", "a=b"],
        &["plan", "--ready-timeout", "5d"],
        &["graph", "--format", "png"],
    ] {
        let shown = sandbox.run(arguments);
        assert!(shown.starts_with("exit 1\n--- stderr\nerror: "), "{shown}");
    }
}

#[test]
fn a_missing_file_is_named() {
    insta::assert_snapshot!(Sandbox::empty().run(&["plan", "prod.toml"]), @r"
    exit 1
    --- stderr
    error: the stack file `prod.toml` cannot be read
      No such file or directory (os error 2)
    hint: name a stack file, or change to the directory of `stack.toml`
    ");
}

#[test]
fn a_fault_needs_a_simulated_cluster() {
    insta::assert_snapshot!(Sandbox::with_stack().run(&["plan", "--fault", "stopped@olm"]), @r"
    exit 1
    --- stderr
    error: the fault `stopped@olm` needs a simulated cluster
    hint: add `--simulate`
    ");
}

#[test]
fn a_mistake_of_its_own_is_told_in_its_own_words() {
    let sandbox = Sandbox::with_stack();
    // A thread with so large a stack is one that no machine has; what runs on threads then stops with a panic.
    let mut command = sandbox.command(&["plan", "--simulate"]);
    let output = command.env("RUST_MIN_STACK", (1_u64 << 60).to_string()).output();
    let output = output.expect("the binary starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(101), "{said}");
    assert!(
        said.starts_with("error: a mistake of stackctl's own stopped it: its words are not shown"),
        "{said}"
    );
    assert!(!said.contains("panicked at"), "{said}");
}

/// A kubeconfig whose cluster listens nowhere: port 9 is for discarding, and nothing does.
const NOWHERE: &str = "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
    clusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}]\n\
    users: [{name: u, user: {token: t}}]\ncontexts: [{name: here, context: {cluster: c, user: u}}]\n";

#[test]
fn a_cluster_that_does_not_answer_is_named_and_nothing_is_written() {
    let sandbox = Sandbox::with_stack();
    sandbox.write("kubeconfig", NOWHERE);
    let before = sandbox.files();
    for command in [&["plan"][..], &["apply", "--yes"], &["drift"], &["render"], &["graph"]] {
        let mut arguments = command.to_vec();
        arguments.extend(["--kubeconfig", "kubeconfig"]);
        let shown = sandbox.run(&arguments);
        let names_it = shown.contains("127.0.0.1:9") || command == ["drift"];
        assert!(
            shown.starts_with("exit 1\n--- stderr\nerror: ") && shown.contains("\nhint: ") && names_it,
            "{shown}"
        );
    }
    assert_eq!(sandbox.files(), before);
}

#[test]
fn an_unknown_context_lists_those_there_are() {
    let sandbox = Sandbox::with_stack();
    sandbox.write("kubeconfig", NOWHERE);
    insta::assert_snapshot!(sandbox.run(&["plan", "--kubeconfig", "kubeconfig", "--context", "prod"]), @r"
    exit 1
    --- stderr
    error: the kubeconfig has no context `prod`
    hint: choose one with `--context`: here
    ");
}

#[test]
fn without_a_terminal_there_is_no_question() {
    let sandbox = Sandbox::with_stack();
    let before = sandbox.files();
    for (command, plan) in [("apply", "stackctl plan"), ("destroy", "stackctl plan --destroy")] {
        let shown = sandbox.run(&[command, "--simulate"]);
        assert_eq!(
            shown,
            format!(
                "exit 1\n--- stderr\nerror: there is no terminal to ask on\n\
                 hint: look at `{plan}` first, then repeat this with `--yes`\n"
            )
        );
    }
    assert_eq!(sandbox.files(), before);
}

#[test]
fn a_state_of_a_newer_version_and_one_of_another_stack_are_refused() {
    let sandbox = Sandbox::with_stack();
    sandbox.write(
        ".stackctl/quickstart.state.json",
        r#"{"format":"stackctl-state","version":99,"written_by":"9.0.0"}"#,
    );
    let shown = sandbox.run(&["plan"]);
    assert!(
        shown.starts_with("exit 1\n--- stderr\nerror: ") && shown.contains("newer stackctl") && shown.contains("9.0.0"),
        "{shown}"
    );
    sandbox.write(".stackctl/quickstart.state.json", "{ not a state");
    let shown = sandbox.run(&["show"]);
    assert!(shown.contains("is damaged") && shown.contains("\nhint: "), "{shown}");
}

#[test]
fn an_address_that_is_none_and_one_that_is_not_recorded_are_told_apart() {
    let sandbox = Sandbox::with_stack();
    let shown = sandbox.run(&["state", "show", "rhoai"]);
    assert!(shown.contains("`rhoai` is not an address"), "{shown}");
    let shown = sandbox.run(&["state", "show", "rhoai.subscription"]);
    assert!(shown.contains("nothing is recorded of `rhoai.subscription`"), "{shown}");
}

#[test]
fn facts_of_a_file_that_is_not_there_are_missed() {
    let shown = Sandbox::with_stack().run(&["render", "--facts", "facts.json"]);
    assert!(shown.contains("the facts in `facts.json` cannot be read"), "{shown}");
}

#[test]
fn a_held_lock_says_by_whom_and_since_when() {
    let sandbox = Sandbox::with_stack();
    let lock = ".stackctl/simulator/state/quickstart.lock";
    let holder =
        r#"{"version":1,"who":"ada@bastion","pid":4711,"command":"stackctl apply","since":"2026-11-22T10:31:00Z"}"#;
    sandbox.write(lock, holder);
    let file = std::fs::File::options()
        .write(true)
        .read(true)
        .open(sandbox.path().join(lock))
        .expect("it was just written");
    file.lock().expect("nobody else has it");
    let shown = sandbox.run(&["apply", "--simulate", "--simulate-speed", "1000", "--yes"]);
    for words in [
        "exit 1",
        "ada@bastion is at work",
        "`stackctl apply`",
        "process 4711",
        "2026-11-22T10:31:00Z",
        "\nhint: ",
    ] {
        assert!(shown.contains(words), "`{words}`: {shown}");
    }
    let audit = std::fs::read_to_string(sandbox.path().join(".stackctl/simulator/audit.ndjson")).expect("an audit log");
    let wrote = |line: &&str| line.contains("\"agent\":\"stackctl") && line.contains("\"dry_run\":false");
    assert_eq!(
        audit.lines().filter(wrote).count(),
        0,
        "nothing is written while somebody else is at work"
    );
}
