//! The transcripts: what is typed, and what comes back.
//!
//! ```text
//! == a part that operators play
//! $ kubectl get secret maas-db-config
//! > --ignore-not-found
//! what it prints, both streams
//! [1]
//!
//! == a part in which people call (callers)
//! ```
//!
//! `>` goes on with the command before it in a new line; `[1]` is an exit code other than 0. Lines that begin with `#`
//! are for whoever reads.

use std::{fmt, path::Path};

/// A file of them.
pub(crate) struct Transcript {
    pub(crate) parts: Vec<Part>,
}

/// What is done while the cluster keeps one speed.
pub(crate) struct Part {
    pub(crate) name: String,
    /// Whether it is people who need time here, and not operators.
    pub(crate) is_of_callers: bool,
    pub(crate) steps: Vec<Step>,
}

/// One command.
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) outcome: Outcome,
}

/// What a command did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Both streams, without the end of the last line.
    pub(crate) output: String,
    pub(crate) code: i32,
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.output)?;
        if self.code != 0 {
            write!(formatter, "\n[{}]", self.code)?;
        }
        Ok(())
    }
}

const OF_CALLERS: &str = " (callers)";

impl Transcript {
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("the transcript is there");
        let mut parts: Vec<Part> = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix("== ") {
                parts.push(Part {
                    name: name.to_owned(),
                    is_of_callers: name.ends_with(OF_CALLERS),
                    steps: Vec::new(),
                });
                continue;
            }
            let Some(part) = parts.last_mut() else {
                assert!(line.is_empty(), "{}: `{line}` is in no part", path.display());
                continue;
            };
            if let Some(command) = line.strip_prefix("$ ") {
                let (command, outcome) = (command.to_owned(), Outcome::default());
                part.steps.push(Step { command, outcome });
                continue;
            }
            let Some(step) = part.steps.last_mut() else { continue };
            let outcome = &mut step.outcome;
            let code = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            if let (Some(more), true) = (line.strip_prefix("> "), outcome.output.is_empty()) {
                step.command.push('\n');
                step.command.push_str(more);
            } else if let Some(code) = code.and_then(|code| code.parse().ok()) {
                outcome.code = code;
            } else {
                outcome.output.push_str(line);
                outcome.output.push('\n');
            }
        }
        for step in parts.iter_mut().flat_map(|part| &mut part.steps) {
            step.outcome.output = step.outcome.output.trim_end().to_owned();
        }
        Self { parts }
    }
}
