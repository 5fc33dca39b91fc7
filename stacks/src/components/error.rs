//! Why a stack cannot be compiled.

use crate::cluster_facts::FactError;
use miette::Diagnostic;

/// Why a stack cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum CompileError {
    /// A fact is missing or does not fit.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fact(#[from] FactError),
}
