//! Measurements of what is ours alone: `cargo xtask bench <what>`.
//!
//! Invariant: what is measured is the release build, whatever this task was built as.

mod served;
mod twin;

use crate::error::TaskError;
use clap::Subcommand;
use std::path::Path;

/// What is measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Measures how large and how fast the embedded cluster is.
    Twin(twin::Twin),
}

/// Measures it; returns a table in Markdown.
///
/// # Errors
/// What cannot be built or does not answer, and figures that are worse than the aims.
pub(crate) fn run(root: &Path, bench: &Bench) -> Result<String, TaskError> {
    match bench {
        Bench::Twin(twin) => twin::run(root, twin),
    }
}
