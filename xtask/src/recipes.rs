//! `cargo xtask recipes`: the recipes under `ci/`, read by the tools of those who run them.
//!
//! actionlint reads the workflow, and with it how the action is called; the shell reads its script; everything else has to be
//! YAML. GitLab and Tekton have no judge in a registry that works without their server.

use crate::{error::TaskError, program};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The judge of workflows, as the Go module proxy has it.
const ACTIONLINT: &str = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

/// Reads every recipe.
///
/// # Errors
/// Without Go; and for each recipe that is wrong.
pub(crate) fn run(root: &Path) -> Result<String, TaskError> {
    let actionlint = actionlint(root)?;
    let mut workflow = Command::new(actionlint);
    workflow.current_dir(root).args([
        "-no-color",
        "-config-file",
        "ci/github/actionlint.yaml",
        "ci/github/workflow.yml",
    ]);
    program::output(&mut workflow, "")?;
    let mut shell = Command::new("sh");
    shell.current_dir(root).args(["-n", "ci/shell/stackctl-ci.sh"]);
    program::output(&mut shell, "")?;
    let files = yaml_files(&root.join("ci"))?;
    let mut python = Command::new("python3");
    python
        .args([
            "-c",
            "import sys, yaml\nfor name in sys.argv[1:]:\n    list(yaml.safe_load_all(open(name)))",
        ])
        .args(&files);
    program::output(&mut python, "; `python3 -m pip install pyyaml` brings what it needs")?;
    Ok(format!(
        "{ACTIONLINT}: the workflow is right; {} files are YAML",
        files.len()
    ))
}

fn actionlint(root: &Path) -> Result<PathBuf, TaskError> {
    let home = root.join("target/actionlint");
    let program = home.join("actionlint");
    if !program.exists() {
        let mut go = Command::new("go");
        go.args(["install", ACTIONLINT]).env("GOBIN", &home);
        program::output(&mut go, "; it brings actionlint from the Go module proxy")?;
    }
    Ok(program)
}

fn yaml_files(directory: &Path) -> Result<Vec<PathBuf>, TaskError> {
    let unreadable = |cause| TaskError::Read {
        path: directory.to_owned(),
        cause,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            found.extend(yaml_files(&path)?);
        } else if path.extension().is_some_and(|end| end == "yml" || end == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
