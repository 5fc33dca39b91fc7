//! Counts that are too long for CI; their figures are in `docs/performance.md`.

use crate::{error::TaskError, program};
use std::{path::Path, process::Command};

/// How many random schedules are tried.
const SCHEDULES: &str = "100";

/// Runs them, one kind after the other.
///
/// # Errors
/// The first that fails, with what it said.
pub(crate) fn run(root: &Path) -> Result<String, TaskError> {
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
            "schedules",
        ])
        .env("STACKCTL_SCHEDULES", SCHEDULES)
        .current_dir(root);
    program::output(&mut tests, "")?;
    Ok(format!(
        "schedules: {SCHEDULES} of {SCHEDULES} ended well, and none started early"
    ))
}
