//! Measurements of what is ours alone: `cargo xtask bench <what>`.
//!
//! Invariant: what is measured is the release build, whatever this task was built as.

mod engine;
mod layered;
pub(crate) mod served;
mod twin;

use crate::{error::TaskError, program};
use clap::Subcommand;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// What is measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Measures what the engine costs by itself, with Terraform beside it.
    Engine(engine::Engine),
    /// Measures the engine on one graph; `bench engine` runs it.
    #[command(hide = true)]
    Layered(layered::Layered),
    /// Measures how large and how fast the embedded cluster is.
    Twin(twin::Twin),
}

/// Measures it; returns a table in Markdown.
///
/// # Errors
/// What cannot be built or does not answer, and figures that are worse than the aims.
pub(crate) fn run(root: &Path, bench: &Bench) -> Result<String, TaskError> {
    match bench {
        Bench::Engine(engine) => engine::run(root, engine),
        Bench::Layered(layered) => layered::run(layered),
        Bench::Twin(twin) => twin::run(root, twin),
    }
}

/// Builds the product, and these tasks beside it, as they are shipped.
pub(crate) fn release(root: &Path) -> Result<PathBuf, TaskError> {
    let mut build = Command::new("cargo");
    build
        .current_dir(root)
        .args(["build", "--release", "--locked", "--quiet", "--workspace", "--bins"]);
    program::output(&mut build, "")?;
    Ok(root.join("target/release/stackctl"))
}
