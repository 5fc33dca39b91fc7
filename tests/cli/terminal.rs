//! What a terminal gets and a pipe does not: colours, a width, and a pager for what is longer than the screen.

use crate::sandbox::Sandbox;
use rustix::{
    pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt},
    termios::{Winsize, tcsetwinsize},
};
use std::{fs::File, io::Read as _, process::Stdio, thread};

/// Two folders whose stacks differ in many objects.
fn two_versions() -> Sandbox {
    let sandbox = Sandbox::empty();
    for (folder, says) in [("old", "one"), ("new", "two")] {
        let map = |number: usize| {
            format!(
                "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map-{number}, namespace: default}}\ndata: {{says: {says}}}\n"
            )
        };
        let maps: String = (0..20).map(map).collect();
        sandbox.write(&format!("{folder}/maps.yaml"), &maps);
        sandbox.write(
            &format!("{folder}/stack.toml"),
            "[stack]\nname = \"s\"\n[[manifests]]\nname = \"m\"\npath = \"maps.yaml\"\n",
        );
    }
    sandbox
}

/// What a terminal of 24 lines and 80 columns shows of a run with these variables.
fn on_terminal(sandbox: &Sandbox, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let (screen, terminal) = terminal(24, 80);
    let mut command = sandbox.command(arguments);
    command
        .env("TERM", "xterm")
        .envs(variables.iter().copied())
        .stdout(Stdio::from(terminal.try_clone().expect("another handle")))
        .stderr(Stdio::from(terminal));
    let mut child = command.spawn().expect("the binary starts");
    // What this process holds of the terminal goes, so that the screen ends with the run.
    drop(command);
    let shown = thread::spawn(move || all_of(screen));
    child.wait().expect("the binary ends");
    shown.join().expect("the screen is read")
}

/// Both ends of a terminal: what is shown, and what programs write to.
fn terminal(rows: u16, columns: u16) -> (File, File) {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&screen).expect("it is ours");
    unlockpt(&screen).expect("it can be opened");
    let terminal = ioctl_tiocgptpeer(&screen, OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("its other end");
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&terminal, size).expect("a size");
    (File::from(screen), File::from(terminal))
}

/// Everything that is shown until nobody writes any more, which a terminal tells by an error.
fn all_of(mut screen: File) -> String {
    let mut shown = Vec::new();
    let mut some = [0; 4096];
    while let Ok(count @ 1..) = screen.read(&mut some) {
        shown.extend_from_slice(&some[..count]);
    }
    String::from_utf8_lossy(&shown).replace("\r\n", "\n")
}

#[test]
fn what_is_longer_than_the_screen_is_paged_on_a_terminal_and_nowhere_else() {
    let sandbox = two_versions();
    let paged = sandbox.path().join("paged");
    let pager = ("STACKCTL_PAGER", "cat > paged");
    let all = &["diff", "old", "new"];
    let last = "Plan: 0 create, 20 update, 0 delete";

    let shown = on_terminal(&sandbox, all, &[pager, ("PAGER", "false")]);
    let text = std::fs::read_to_string(&paged).expect("the pager got it");
    assert!(text.contains(last) && !shown.contains(last), "{shown}");
    assert!(text.contains("\u{1b}["), "a pager on a terminal gets colours: {text}");
    std::fs::remove_file(&paged).expect("removable");

    // Who asks for none, for another form, or reads the answer in a pipe has none; nor has what fits.
    let no_pager = [all, &["--no-pager"][..]].concat();
    let markdown = [all, &["--format", "markdown"][..]].concat();
    let json = [all, &["--json"][..]].concat();
    for (arguments, variables, says) in [
        (no_pager.as_slice(), &[pager][..], last),
        (all, &[("STACKCTL_PAGER", "cat")], last),
        (all, &[pager, ("TERM", "dumb")], last),
        (&markdown, &[pager], "<!-- stackctl:s -->"),
        (&json, &[pager], "\"format_version\""),
        (&["diff", "old", "old", "--exit-code"], &[pager], "No changes"),
    ] {
        let shown = on_terminal(&sandbox, arguments, variables);
        assert!(shown.contains(says), "{arguments:?}: {shown}");
        assert!(!paged.exists(), "{arguments:?} {variables:?}");
    }
    let mut piped = sandbox.command(all);
    let output = piped.env("TERM", "xterm").env(pager.0, pager.1).output();
    let output = output.expect("the binary starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains(last) && !text.contains('\u{1b}') && !paged.exists(),
        "{text}"
    );

    // A pager that is not there is done without.
    let shown = on_terminal(&sandbox, all, &[("STACKCTL_PAGER", "no-such-pager 2> /dev/null")]);
    assert!(shown.contains(last), "{shown}");
}

#[test]
fn colours_are_for_terminals_and_who_wants_none_or_all_says_so() {
    let sandbox = two_versions();
    let arguments = &["diff", "old", "new", "--compact", "--no-pager"];
    let has_colors = |text: &str| text.contains("\u{1b}[");
    for (variables, colored) in [
        (&[][..], true),
        (&[("NO_COLOR", "1")], false),
        (&[("CLICOLOR", "0")], false),
        (&[("CLICOLOR", "0"), ("FORCE_COLOR", "1")], true),
    ] {
        let shown = on_terminal(&sandbox, arguments, variables);
        assert_eq!(has_colors(&shown), colored, "{variables:?}: {shown}");
    }
    let mut piped = sandbox.command(arguments);
    let output = piped.env("FORCE_COLOR", "1").output().expect("the binary starts");
    assert!(has_colors(&String::from_utf8_lossy(&output.stdout)));
}
