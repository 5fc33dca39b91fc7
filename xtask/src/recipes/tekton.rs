//! The Tekton tasks and pipelines, as Tekton's own types read them: strictly, with its defaults and the rules of its webhook.
//! `tests/tekton` pins them, with the digest of every module; Go builds the judge once.

use super::{Spoiled, refuses, yaml_files};
use crate::{error::TaskError, program};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Lets the judge read `ci/tekton`.
///
/// # Errors
/// Without Go; when a file is wrong, or the judge does not see that a spoiled one is.
pub(super) fn run(root: &Path) -> Result<String, TaskError> {
    let judge = judge(root)?;
    let home = root.join("ci/tekton");
    let read = |folder: &Path| program::output(Command::new(&judge).args(yaml_files(folder)?), "");
    let n_read = read(&home)?;
    let scratch = root.join("target/recipes/tekton");
    for (file, from, to) in [
        ("pipeline.yaml", "runAfter: [review, rehearse]", "runAfter: [rehearsal]"),
        ("task.yaml", "workingDir:", "workdir:"),
    ] {
        let spoiled = Spoiled {
            file: &home.join(file),
            from,
            to,
        };
        let folder = scratch.join(file);
        refuses("Tekton", &spoiled, &folder, |folder| read(folder).map(drop))?;
    }
    Ok(format!(
        "Tekton's types: {} tasks and pipelines are right",
        n_read.trim()
    ))
}

/// Builds the judge, once, and answers where it is.
fn judge(root: &Path) -> Result<PathBuf, TaskError> {
    let program = root.join("target/tekton/judge");
    let mut go = Command::new("go");
    go.current_dir(root.join("tests/tekton"))
        .args(["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-o"])
        .arg(&program)
        .arg(".");
    program::output(&mut go, "; it builds Tekton's types from the Go module proxy")?;
    Ok(program)
}
