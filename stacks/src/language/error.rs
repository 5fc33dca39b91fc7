//! `StackError`: a problem, the file it is in and the bytes that make it wrong; `Diagnostics`: all of them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, Severity, SourceCode};

use super::codes::{Explanation, explain};
use super::place::{Place, Position, Sources};
use super::problem::Problem;

/// One thing wrong with a stack file, and the bytes that make it wrong.
///
/// It carries its own source text, secrets masked, so any `miette` handler can show it by itself.
#[derive(Clone, Debug)]
pub struct StackError(Box<Located>);

#[derive(Clone, Debug)]
struct Located {
    problem: Problem,
    position: Position,
    source: NamedSource<Arc<str>>,
    labels: Vec<LabeledSpan>,
    /// A second place, when it is in another file and cannot be marked.
    elsewhere: Option<String>,
}

impl StackError {
    pub(crate) fn new(
        problem: Problem,
        at: Place,
        beside: Option<(Place, &'static str)>,
        sources: &Sources,
        texts: &[Arc<str>],
    ) -> Self {
        let text = texts.get(at.source).cloned().unwrap_or_else(|| Arc::from(""));
        let mut labels = vec![LabeledSpan::new_primary_with_span(
            Some(problem.label()),
            span(at, &text),
        )];
        let mut elsewhere = None;
        if let Some((place, says)) = beside {
            if place.source == at.source {
                labels.push(LabeledSpan::new_with_span(Some(says.to_owned()), span(place, &text)));
            } else {
                let Position { file, line, .. } = sources.position(place);
                elsewhere = Some(format!("{says}: {file}:{line}"));
            }
        }
        let source = NamedSource::new(sources.name(at.source), text);
        Self(Box::new(Located {
            problem,
            position: sources.position(at),
            source,
            labels,
            elsewhere,
        }))
    }

    /// Returns what is wrong.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// Returns its code, such as `STK014`.
    #[must_use]
    pub fn code(&self) -> String {
        self.0.problem.code().map_or_else(String::new, |code| code.to_string())
    }

    /// Returns where it is explained on the web.
    #[must_use]
    pub fn link(&self) -> Option<String> {
        explain(&self.code()).map(Explanation::link)
    }

    /// Returns what to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Diagnostic::help(self).map(|help| help.to_string())
    }

    /// Returns where it is.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.0.position
    }

    /// Returns which bytes of its file it is about.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.0.labels.first().map_or(0..0, |label| {
            let start = label.offset();
            start..start + label.len()
        })
    }

    /// Returns whether the stack is usable in spite of it.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        Self::warns(&self.0.problem)
    }

    pub(crate) fn warns(problem: &Problem) -> bool {
        problem.severity().is_some_and(|severity| severity < Severity::Error)
    }
}

/// Returns a span that ends inside `text`, on whole characters.
fn span(place: Place, text: &str) -> miette::SourceSpan {
    let floor = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = floor(place.start);
    (start..floor(place.end).max(start)).into()
}

impl fmt::Display for StackError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.problem.fmt(formatter)
    }
}

impl std::error::Error for StackError {}

impl Diagnostic for StackError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.problem.code()
    }

    fn severity(&self) -> Option<Severity> {
        Some(if self.is_warning() {
            Severity::Warning
        } else {
            Severity::Error
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        match (self.0.problem.help(), &self.0.elsewhere) {
            (help, None) => help,
            (None, Some(elsewhere)) => Some(Box::new(elsewhere)),
            (Some(help), Some(elsewhere)) => Some(Box::new(format!("{help}\n{elsewhere}"))),
        }
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.0.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.0.labels.iter().cloned()))
    }
}

/// Everything that is wrong with a stack, in the order of files and of places in them.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    errors: Vec<StackError>,
    warnings: Vec<StackError>,
}

impl Diagnostics {
    pub(crate) fn new(errors: Vec<StackError>, warnings: Vec<StackError>) -> Self {
        Self { errors, warnings }
    }

    pub(crate) fn into_parts(self) -> (Vec<StackError>, Vec<StackError>) {
        (self.errors, self.warnings)
    }

    /// Returns the errors.
    #[must_use]
    pub fn errors(&self) -> &[StackError] {
        &self.errors
    }

    /// Returns the warnings.
    #[must_use]
    pub fn warnings(&self) -> &[StackError] {
        &self.warnings
    }

    /// Returns the errors, then the warnings.
    pub fn iter(&self) -> impl Iterator<Item = &StackError> {
        self.errors.iter().chain(&self.warnings)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        write!(formatter, "{} error{}", self.errors.len(), plural(self.errors.len()))?;
        if self.warnings.is_empty() {
            return Ok(());
        }
        write!(
            formatter,
            ", {} warning{}",
            self.warnings.len(),
            plural(self.warnings.len())
        )
    }
}

impl std::error::Error for Diagnostics {}
