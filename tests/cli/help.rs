//! Every help text, as a snapshot: a change of the command line is read before it is accepted.

use crate::sandbox::Sandbox;

const COMMANDS: &[&[&str]] = &[
    &[],
    &["init"],
    &["validate"],
    &["preflight"],
    &["plan"],
    &["apply"],
    &["destroy"],
    &["drift"],
    &["status"],
    &["logs"],
    &["diff"],
    &["show"],
    &["output"],
    &["state"],
    &["state", "list"],
    &["state", "show"],
    &["state", "mv"],
    &["state", "rm"],
    &["state", "pull"],
    &["state", "push"],
    &["state", "history"],
    &["state", "rebuild"],
    &["state", "unlock"],
    &["import"],
    &["render"],
    &["graph"],
    &["simulate"],
    &["explain"],
    &["completions"],
    &["version"],
];

#[test]
fn every_help_text_is_known() {
    let sandbox = Sandbox::empty();
    for command in COMMANDS {
        let mut arguments = command.to_vec();
        arguments.push("--help");
        let name = if command.is_empty() {
            "stackctl".to_owned()
        } else {
            command.join("-")
        };
        insta::assert_snapshot!(format!("help-{name}"), sandbox.run(&arguments));
    }
}

#[test]
fn every_command_has_an_example() {
    let sandbox = Sandbox::empty();
    for command in COMMANDS
        .iter()
        .filter(|command| !command.is_empty() && **command != ["state"])
    {
        let mut arguments = command.to_vec();
        arguments.push("--help");
        let help = sandbox.run(&arguments);
        let example = format!("  stackctl {}", command.join(" "));
        assert!(
            help.contains("Examples:") && help.contains(&example),
            "{command:?}: {help}"
        );
    }
}
