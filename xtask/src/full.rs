//! What is too long for CI, or needs a module proxy; figures are in `docs/performance.md`.

use crate::{
    bundles::{self, Bundles},
    chaos::{self, Chaos},
    error::TaskError,
    program, recipes,
};
use std::{path::Path, process::Command};

/// How many random schedules are tried.
const SCHEDULES: &str = "100";

/// How often the served cluster is killed under writes.
const KILLS: &str = "200";

/// How many mutilated stacks and manifests are read.
const INPUTS: &str = "1000000";

/// How many lives of a stack `stackctl` is killed in.
const LIVES: u64 = 200;

/// Runs them, one kind after the other.
///
/// # Errors
/// The first that fails, with what it said.
pub(crate) fn run(root: &Path) -> Result<String, TaskError> {
    simulated(root, "schedules", ("STACKCTL_SCHEDULES", SCHEDULES))?;
    simulated(root, "killed", ("STACKCTL_KILLS", KILLS))?;
    mutilated(root)?;
    let lives = chaos::run(root, &Chaos::of(LIVES))?;
    let bundles = bundles::run(root, &Bundles::default())?;
    let tekton = recipes::tekton(root)?;
    Ok(format!(
        "schedules: {SCHEDULES} of {SCHEDULES} ended well, and none started early\n\
         kills: {KILLS} of the served cluster, and no acknowledged write was lost\n\
         mutilated files: {INPUTS} were read, and what was said of each points into it\n\
         kills of stackctl: {lives}\n\
         bundles: {bundles}\n\
         recipes: {tekton}"
    ))
}

/// Runs the tests of one file on the embedded cluster, with a count that a variable names.
fn simulated(root: &Path, file: &str, (variable, count): (&str, &str)) -> Result<(), TaskError> {
    let mut tests = Command::new("cargo");
    tests
        .args([
            "test",
            "--release",
            "--package",
            "stackctl",
            "--test",
            "simulated",
            "--",
            file,
        ])
        .env(variable, count)
        .current_dir(root);
    program::output(&mut tests, "").map(drop)
}

/// Reads mutilated stacks and manifests.
fn mutilated(root: &Path) -> Result<(), TaskError> {
    let mut tests = Command::new("cargo");
    tests
        .args([
            "test",
            "--release",
            "--package",
            "stackctl-stacks",
            "--lib",
            "--",
            "fuzz",
        ])
        .env("STACKCTL_FUZZ", INPUTS)
        .current_dir(root);
    program::output(&mut tests, "").map(drop)
}
