//! Measurements of what is ours alone: `cargo xtask bench <what>`.
//!
//! Invariant: what is measured is the release build, whatever this task was built as.

mod engine;
mod files;
mod layered;
mod live;
mod preview;
pub(crate) mod served;
mod twin;
mod used;

use crate::{client::failed, error::TaskError, program};
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
    /// Measures what a directory of manifests costs, offline, with YAML parsing apart.
    Files(files::Files),
    /// Measures the engine on one graph; `bench engine` runs it.
    #[command(hide = true)]
    Layered(layered::Layered),
    /// Lists the objects of `bench live`, which runs it.
    #[command(hide = true)]
    Listed(live::Listed),
    /// Measures a plan without changes on a cluster, beside the list that it rests on.
    Live(live::Live),
    /// Parses the files of `bench files`, which runs it.
    #[command(hide = true)]
    Parsed(files::Parsed),
    /// Measures what the preview of a pull request costs, on the biggest example.
    Preview(preview::Preview),
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
        Bench::Files(files) => files::run(root, files),
        Bench::Layered(layered) => layered::run(layered),
        Bench::Listed(listed) => live::listed(listed),
        Bench::Live(live) => live::run(root, live),
        Bench::Parsed(parsed) => files::parsed(parsed),
        Bench::Preview(preview) => preview::run(root, preview),
        Bench::Twin(twin) => twin::run(root, twin),
    }
}

/// The program that is measured, and these tasks, which measure parts of it beside it.
struct Programs {
    stackctl: PathBuf,
    tasks: PathBuf,
}

impl Programs {
    /// Those of the release build; or a program that is there already, and these tasks as they run.
    fn found(root: &Path, given: Option<&Path>) -> Result<Self, TaskError> {
        match given {
            None => {
                let stackctl = release(root)?;
                let tasks = stackctl.with_file_name("xtask");
                Ok(Self { stackctl, tasks })
            }
            Some(path) => Ok(Self {
                stackctl: root.join(path),
                tasks: std::env::current_exe().map_err(|cause| failed(&cause))?,
            }),
        }
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
