//! One clear error with the place and the way out, exit 1, and nothing written.

use crate::sandbox::Sandbox;

#[test]
fn a_mistyped_command_line_exits_1_and_not_2() {
    let sandbox = Sandbox::empty();
    for arguments in [&["aply"][..], &["plan", "--sett", "a=b"], &["plan", "--ready-timeout", "5d"], &["graph", "--format", "png"]] {
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
