//! The person's pager, for a result that is longer than the screen.
//!
//! Invariant: whatever becomes of the pager, the text is shown: one that does not start is done without.

use super::result;
use crate::settings::Pager;
use std::{
    io::Write as _,
    process::{Command, Stdio},
};

/// What a shell ends with when there is no such program.
const NOT_FOUND: i32 = 127;

/// Whether a text has more lines than the terminal.
pub fn is_too_long(text: &str) -> bool {
    rustix::termios::tcgetwinsize(std::io::stdout())
        .is_ok_and(|size| size.ws_row > 0 && text.lines().count() >= usize::from(size.ws_row))
}

/// Shows a text in a pager, and waits until the person has seen enough.
pub fn page(text: &str, pager: &Pager) {
    let mut command = Command::new("sh");
    command.args(["-c", &pager.command]).stdin(Stdio::piped());
    if !pager.says_how {
        // As git has it: colours as they are, no screen of its own, and no wait where all is seen at once.
        command.env("LESS", "FRX");
    }
    let Ok(mut child) = command.spawn() else {
        result(text);
        return;
    };
    if let Some(mut input) = child.stdin.take() {
        // Who quits early has seen enough.
        let _quit = input.write_all(text.as_bytes());
    }
    if child.wait().is_ok_and(|end| end.code() == Some(NOT_FOUND)) {
        result(text);
    }
}
