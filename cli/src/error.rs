//! What can go wrong in a command, in the shape in which it is shown.
//!
//! Invariant: nothing here holds a secret; sources are errors of crates that promise the same.

use stackctl_stacks::Diagnostics;
use std::{error::Error as StdError, fmt};

/// Why a command ended early.
#[derive(Debug)]
pub enum Error {
    /// The stack is broken: diagnostics with spans.
    Stack(Box<Diagnostics>),
    /// Anything else: one block for each.
    Problems(Vec<Problem>),
    /// The person stopped it.
    Interrupted,
}

/// One thing that is wrong, with the way out.
#[derive(Debug)]
pub struct Problem {
    /// The code that `stackctl explain` knows, where it has one.
    pub code: Option<String>,
    /// What, as a lowercase fragment.
    pub what: String,
    /// The causes below it, outermost first.
    pub because: Vec<String>,
    /// What to type or change.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem in one sentence.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            code: None,
            what: what.into(),
            because: Vec::new(),
            hint: None,
        }
    }

    /// A problem of an error: its own words, and its sources below.
    pub fn of(error: &dyn StdError) -> Self {
        Self::new(error.to_string()).below(error.source())
    }

    /// Adds an error and its sources as causes.
    #[must_use]
    pub fn caused_by(self, error: &dyn StdError) -> Self {
        self.below(Some(error))
    }

    /// Adds a cause in words.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.because.push(cause.into());
        self
    }

    /// Adds the code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn below(mut self, mut cause: Option<&dyn StdError>) -> Self {
        while let Some(error) = cause {
            let text = error.to_string();
            // Layers that only pass their cause on would say it twice.
            if !text.is_empty() && self.because.last() != Some(&text) {
                self.because.push(text);
            }
            cause = error.source();
        }
        self
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problems(vec![problem])
    }
}

impl From<Diagnostics> for Error {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Stack(Box::new(diagnostics))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}
