//! The only reader of a person's answer.

use crate::error::{Error, Problem};
use stackctl_engine::plan::Purpose;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// Refuses to go on where nobody could answer later; `purpose` is what would be asked about.
///
/// # Errors
/// Without a terminal; the error says `--yes`.
pub fn needs_terminal(purpose: Purpose) -> Result<(), Error> {
    if has_terminal() {
        return Ok(());
    }
    let plan = match purpose {
        Purpose::Apply => "stackctl plan",
        Purpose::Destroy => "stackctl plan --destroy",
    };
    Err(no_terminal(&format!(
        "look at `{plan}` first, then repeat this with `--yes`"
    )))
}

/// The same for a destroy by the record alone, for which nothing makes a plan without a stack file.
///
/// # Errors
/// Without a terminal; the error says `--yes`.
pub fn needs_terminal_for_record() -> Result<(), Error> {
    if has_terminal() {
        return Ok(());
    }
    Err(no_terminal(
        "look at `stackctl state list` first, then repeat this with `--yes`",
    ))
}

fn has_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn no_terminal(hint: &str) -> Error {
    Problem::new("there is no terminal to ask on").hint(hint).into()
}

/// Asks a question on stderr and reads the answer; only `yes` and `y` mean yes.
///
/// # Errors
/// Without a terminal: nobody can answer, and the error says `--yes`.
pub fn confirm(question: &str, purpose: Purpose) -> Result<bool, Error> {
    needs_terminal(purpose)?;
    let mut stderr = std::io::stderr().lock();
    // A prompt that cannot be written is not seen, and silence is no consent: the answer below decides.
    let _seen = write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    let _read = std::io::stdin().lock().read_line(&mut answer);
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
