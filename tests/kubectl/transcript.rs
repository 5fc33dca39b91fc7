//! The transcripts: what is asked, and what is answered.
//!
//! ```text
//! == a name that says what holds
//! $ kubectl get configmap a
//! > --ignore-not-found
//! output, both streams
//! [1]
//! ```
//!
//! `>` goes on with the command before it in a new line; `[1]` is an exit code other than 0.

use std::fmt::Write as _;
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Where {
    Both,
    /// Needs pods that run, or kinds of an OpenShift.
    Embedded,
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) command: String,
    pub(crate) output: String,
    pub(crate) code: i32,
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) number: usize,
    pub(crate) name: String,
    pub(crate) place: Where,
    pub(crate) steps: Vec<Step>,
}

pub(crate) struct Family {
    pub(crate) cases: Vec<Case>,
}

const EMBEDDED: &str = " (embedded)";

impl Family {
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("the file of the family is there");
        let mut cases: Vec<Case> = Vec::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("== ") {
                let (name, place) = match name.strip_suffix(EMBEDDED) {
                    Some(name) => (name, Where::Embedded),
                    None => (name, Where::Both),
                };
                let (number, name, steps) = (cases.len(), name.to_owned(), Vec::new());
                cases.push(Case {
                    number,
                    name,
                    place,
                    steps,
                });
                continue;
            }
            let Some(case) = cases.last_mut() else {
                assert!(line.is_empty(), "{}: `{line}` is in no case", path.display());
                continue;
            };
            if let Some(command) = line.strip_prefix("$ ") {
                case.steps.push(Step {
                    command: command.to_owned(),
                    output: String::new(),
                    code: 0,
                });
                continue;
            }
            let Some(step) = case.steps.last_mut() else {
                continue;
            };
            let code = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
            if let (Some(more), true) = (line.strip_prefix("> "), step.output.is_empty()) {
                step.command.push('\n');
                step.command.push_str(more);
            } else if let Some(code) = code.and_then(|code| code.parse().ok()) {
                step.code = code;
            } else {
                step.output.push_str(line);
                step.output.push('\n');
            }
        }
        for step in cases.iter_mut().flat_map(|case| &mut case.steps) {
            step.output.truncate(step.output.trim_end().len());
        }
        Self { cases }
    }

    pub(crate) fn write(&self, path: &Path) {
        let texts: Vec<String> = self.cases.iter().map(text_of).collect();
        std::fs::write(path, texts.join("\n")).expect("the file of the family can be written");
    }
}

fn text_of(case: &Case) -> String {
    let place = match case.place {
        Where::Both => "",
        Where::Embedded => EMBEDDED,
    };
    let mut text = format!("== {}{place}\n", case.name);
    for step in &case.steps {
        writeln!(text, "$ {}", step.command.replace('\n', "\n> ")).expect("a String takes all");
        if !step.output.is_empty() {
            writeln!(text, "{}", step.output).expect("a String takes all");
        }
        if step.code != 0 {
            writeln!(text, "[{}]", step.code).expect("a String takes all");
        }
    }
    text
}

/// What a server answered otherwise than the transcript says.
pub(crate) fn difference(expected: &Case, found: &Case, server: &str) -> Option<String> {
    let (expected_text, found_text) = (text_of(expected), text_of(found));
    if expected_text == found_text {
        return None;
    }
    let lines = similar::TextDiff::from_lines(&expected_text, &found_text);
    Some(format!(
        "\n=== {server}: {}\n{}",
        expected.name,
        lines.unified_diff().context_radius(3)
    ))
}
