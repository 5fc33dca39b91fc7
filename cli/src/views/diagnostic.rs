//! What is wrong, where, and the way out.

use super::style::{Meaning, Style, counted};
use crate::error::{Error, Problem};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, Severity};
use stackctl_stacks::{Diagnostics, StackError};
use std::{fmt::Write as _, path::Path};

/// An error as it is shown on stderr.
pub fn error(error: &Error, style: &Style) -> String {
    match error {
        Error::Stack(diagnostics) => stack(diagnostics, style),
        Error::Problems(problems) => problems.iter().map(|problem| self::problem(problem, style)).collect(),
        Error::Interrupted => format!("{} interrupted\n", style.paint(Meaning::Bad, "error:")),
    }
}

/// One problem: what, because of what, and what to do.
pub fn problem(problem: &Problem, style: &Style) -> String {
    let word = match &problem.code {
        Some(code) => format!("error[{code}]:"),
        None => "error:".to_owned(),
    };
    let mut text = format!("{} {}\n", style.paint(Meaning::Bad, &word), problem.what);
    for cause in &problem.because {
        let _ = writeln!(text, "  {cause}");
    }
    if let Some(hint) = &problem.hint {
        let _ = writeln!(text, "{} {hint}", style.paint(Meaning::Busy, "hint:"));
    }
    text
}

/// A warning in one line.
pub fn warning(what: &str, style: &Style) -> String {
    format!("{} {what}\n", style.paint(Meaning::Attention, "warning:"))
}

/// Files of a directory of definitions that hold none, by their names from there on.
pub fn no_definitions(directory: &Path, files: &[String], style: &Style) -> String {
    const SHOWN: usize = 3;
    let more = match files.len().saturating_sub(SHOWN) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let (n_files, directory) = (counted(files.len(), "file"), directory.display());
    let names = files
        .iter()
        .take(SHOWN)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    let what = format!("{n_files} of `{directory}` without a definition in YAML or JSON: {names}{more}");
    warning(&what, style)
}

/// A diagnostic that stops nothing, in these words, and what may be done about it.
pub fn told(diagnostic: &dyn Diagnostic, text: &str, style: &Style) -> String {
    let code = diagnostic.code().map_or_else(String::new, |code| format!("[{code}]"));
    let word = style.paint(Meaning::Attention, &format!("warning{code}:"));
    let mut text = format!("{word} {text}\n");
    if let Some(help) = diagnostic.help() {
        let _ = writeln!(text, "  help: {help}");
    }
    text
}

/// Every diagnostic of a broken stack, and their count.
pub fn stack(diagnostics: &Diagnostics, style: &Style) -> String {
    let mut text: String = diagnostics
        .iter()
        .map(|diagnostic| spanned(diagnostic, style))
        .collect();
    let _ = writeln!(text, "{diagnostics}; nothing was read from the cluster");
    text
}

/// One diagnostic, with the text it is about.
pub fn spanned(diagnostic: &StackError, style: &Style) -> String {
    let theme = match (style.color, style.unicode) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::ascii(),
        (false, true) => GraphicalTheme::unicode_nocolor(),
        (false, false) => GraphicalTheme::none(),
    };
    let (meaning, word) = match diagnostic.severity() {
        Some(Severity::Warning | Severity::Advice) => (Meaning::Attention, "warning"),
        Some(Severity::Error) | None => (Meaning::Bad, "error"),
    };
    let code = diagnostic.code();
    let mut text = format!("{} {diagnostic}\n", style.paint(meaning, &format!("{word}[{code}]:")));
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(style.width.unwrap_or(120).max(60))
        .with_links(false);
    let mut picture = String::new();
    // The handler only fails when the writer does, and a `String` does not.
    let _written = handler.render_report(&mut picture, &Bare(diagnostic));
    // Its own first lines repeat the message, which is above in our words already.
    text.push_str(&below_message(&picture));
    if let Some(help) = diagnostic.help() {
        for (index, line) in help.lines().enumerate() {
            let _ = writeln!(text, "  {} {line}", if index == 0 { "help:" } else { "     " });
        }
    }
    if !code.is_empty() {
        let _ = writeln!(text, "  why:  stackctl explain {code}");
    }
    text.push('\n');
    text
}

/// The picture that follows the message in a report.
fn below_message(report: &str) -> String {
    let corner = |line: &&str| {
        let line = line.trim_start_matches([' ', '\u{1b}']);
        line.contains("╭─") || line.contains(",-") || line.starts_with('[')
    };
    let mut text = String::new();
    for line in report.lines().skip_while(|line| !corner(line)) {
        if !line.trim().is_empty() {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// A diagnostic with nothing but its text and labels, so that code and help are said once, in our form.
#[derive(Debug)]
struct Bare<'a>(&'a StackError);

impl std::fmt::Display for Bare<'_> {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Bare<'_> {}

impl Diagnostic for Bare<'_> {
    fn severity(&self) -> Option<Severity> {
        self.0.severity()
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.0.source_code()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        self.0.labels()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_because_of_what_and_what_to_do() {
        let problem = Problem::new("the stack cannot be read")
            .because("no such file")
            .hint("name a stack file, or change to its directory");
        insta::assert_snapshot!(super::problem(&problem, &Style::PLAIN), @r"
        error: the stack cannot be read
          no such file
        hint: name a stack file, or change to its directory
        ");
    }
}
