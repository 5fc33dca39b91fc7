//! `cargo xtask recipes`: the recipes under `ci/`, read by the tools of those who run them.
//!
//! actionlint reads the workflow, and with it how the action is called; gitlab-ci-local resolves the component and holds it
//! against GitLab's own schema; Tekton's own types read its files as its webhook does; the shell reads its script; everything
//! has to be YAML.
//!
//! Invariant: each judge refuses a spoiled copy in the same run, or its praise counts for nothing.

mod gitlab;
mod tekton;

use crate::{error::TaskError, program};
use clap::Args;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The judge of workflows, as the Go module proxy has it.
const ACTIONLINT: &str = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

/// Which judges read the recipes.
#[derive(Args, Debug)]
pub(crate) struct Recipes {
    /// Let Tekton's own types judge too: Go compiles them, which takes minutes the first time.
    #[arg(long)]
    tekton: bool,
}

/// Reads every recipe.
///
/// # Errors
/// Without Go or npm; for each recipe that is wrong, and for a judge that does not see it.
pub(crate) fn run(root: &Path, recipes: &Recipes) -> Result<String, TaskError> {
    let scratch = root.join("target/recipes");
    if scratch.exists() {
        fs::remove_dir_all(&scratch).map_err(|cause| TaskError::Write {
            path: scratch.clone(),
            cause,
        })?;
    }
    let mut told = vec![workflow(root, &scratch)?, gitlab::run(root, &scratch)?];
    if recipes.tekton {
        told.push(tekton::run(root)?);
    }
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
    told.push(format!("{} files are YAML", files.len()));
    Ok(told.join("\n"))
}

/// Lets Tekton's own types judge.
///
/// # Errors
/// As [`run`].
pub(crate) fn tekton(root: &Path) -> Result<String, TaskError> {
    tekton::run(root)
}

fn workflow(root: &Path, scratch: &Path) -> Result<String, TaskError> {
    let actionlint = actionlint(root)?;
    let judge = |ci: &Path| {
        let mut workflow = Command::new(&actionlint);
        workflow
            .current_dir(root)
            .args(["-no-color", "-config-file", "ci/github/actionlint.yaml"])
            .arg(ci.join("workflow.yml"));
        program::output(&mut workflow, "").map(drop)
    };
    let home = root.join("ci/github");
    judge(&home)?;
    refuses(
        "actionlint",
        &Spoiled {
            file: &home.join("workflow.yml"),
            from: "runs-on:",
            to: "run-on:",
        },
        &scratch.join("github"),
        judge,
    )?;
    Ok(format!("{ACTIONLINT}: the workflow is right"))
}

/// A file, and what is made wrong in a copy of it.
struct Spoiled<'a> {
    file: &'a Path,
    from: &'a str,
    to: &'a str,
}

impl Spoiled<'_> {
    /// Writes the copy into a folder, under the name of the file.
    fn write(&self, folder: &Path) -> Result<(), TaskError> {
        let Self { file, from, to } = self;
        let text = read(file)?;
        if !text.contains(from) {
            return Err(TaskError::Judged {
                told: format!("`{from}` is not in {} any more, and cannot be spoiled", file.display()),
            });
        }
        let name = file.file_name().unwrap_or_default();
        write(&folder.join(name), &text.replace(from, to))
    }
}

/// Passes if a judge refuses the folder of a spoiled copy.
///
/// # Errors
/// When it does not.
fn refuses(
    judge: &str,
    spoiled: &Spoiled<'_>,
    folder: &Path,
    judges: impl Fn(&Path) -> Result<(), TaskError>,
) -> Result<(), TaskError> {
    spoiled.write(folder)?;
    match judges(folder) {
        Err(TaskError::Failed { .. }) => Ok(()),
        Err(other) => Err(other),
        Ok(()) => Err(TaskError::Judged {
            told: format!(
                "{judge} sees nothing wrong with `{}` in place of `{}` in {}",
                spoiled.to,
                spoiled.from,
                spoiled.file.display()
            ),
        }),
    }
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

fn read(path: &Path) -> Result<String, TaskError> {
    fs::read_to_string(path).map_err(|cause| TaskError::Read {
        path: path.to_owned(),
        cause,
    })
}

/// Writes a file, and the folders that it is in.
fn write(path: &Path, text: &str) -> Result<(), TaskError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|cause| TaskError::Write {
            path: path.to_owned(),
            cause,
        })
}
