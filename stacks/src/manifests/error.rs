//! What can be wrong with a user's manifests.

use miette::Diagnostic;

/// Where in the files something is wrong: file and line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLine {
    /// The file, as a person would recognise it.
    pub file: String,
    /// The line that the document begins at, or the line of the mistake where the parser says it; from 1.
    pub line: usize,
}

impl std::fmt::Display for FileLine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

/// Why manifests cannot join a graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ManifestsError {
    /// A document that is no YAML.
    #[error("{at}: not valid YAML: {why}")]
    #[diagnostic(code(STK300), help("each document is one object, and a key stands once in a map"))]
    Syntax {
        /// Where.
        at: FileLine,
        /// In the parser's words.
        why: String,
    },
    /// A document that is no object of Kubernetes.
    #[error("{at}: {why}")]
    #[diagnostic(code(STK301), help("{hint}"))]
    NotAnObject {
        /// Where.
        at: FileLine,
        /// What is wrong.
        why: String,
        /// What to write.
        hint: &'static str,
    },
    /// The same object twice.
    #[error("{at}: {object} is declared at {first} too")]
    #[diagnostic(code(STK302), help("keep one of them"))]
    Twice {
        /// Where.
        at: FileLine,
        /// Which object.
        object: String,
        /// Where it stands first.
        first: FileLine,
    },
    /// An edge to what is not there.
    #[error("{at}: it waits for `{wanted}`, which is not in the stack")]
    #[diagnostic(code(STK303), help("{hint}"))]
    Unknown {
        /// Where.
        at: FileLine,
        /// What it waits for.
        wanted: String,
        /// What to write.
        hint: String,
    },
}
