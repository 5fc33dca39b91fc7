//! The GitLab component, as a pipeline that includes it resolves: gitlab-ci-local puts the inputs in, follows `extends` and
//! holds what comes of it against the schema that GitLab publishes. No GitLab is asked.

use super::{Spoiled, refuses, write};
use crate::{error::TaskError, program};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The judge, as the npm registry has it.
const JUDGE: &str = "gitlab-ci-local@4.70.1";
/// Where the component is.
const COMPONENT: &str = "ci/gitlab/templates/stackctl/template.yml";
/// A pipeline that includes it, with the inputs that have no default.
const PIPELINE: &str =
    "include:\n  - local: template.yml\n    inputs: {image: registry.example.com/stackctl:1, tags: [production]}\n";
/// The jobs that have to come of it.
const JOBS: [&str; 5] = [
    "stackctl-review",
    "stackctl-rehearse",
    "stackctl-plan",
    "stackctl-apply",
    "stackctl-drift",
];

/// Lets the judge read the component.
///
/// # Errors
/// Without npm; when the component is wrong, or the judge does not see that a spoiled one is.
pub(super) fn run(root: &Path, scratch: &Path) -> Result<String, TaskError> {
    let judge = judge(root)?;
    let component = root.join(COMPONENT);
    let folder = scratch.join("gitlab");
    let right = Spoiled {
        file: &component,
        from: "",
        to: "",
    };
    right.write(&folder)?;
    let told = resolved(&judge, &folder)?;
    if let Some(missing) = JOBS.iter().find(|job| !told.contains(*job)) {
        return Err(TaskError::Judged {
            told: format!("{missing} is no job of a pipeline that includes {COMPONENT}\n{told}"),
        });
    }
    for (from, to) in [
        ("when: manual", "when: by-hand"),
        ("extends: [.stackctl,", "extends: [.stack,"),
    ] {
        let spoiled = Spoiled {
            file: &component,
            from,
            to,
        };
        refuses(JUDGE, &spoiled, &folder, |folder| resolved(&judge, folder).map(drop))?;
    }
    Ok(format!("{JUDGE}: the component makes {} jobs", JOBS.len()))
}

/// The jobs of a pipeline that includes the component in a folder.
fn resolved(judge: &Path, folder: &Path) -> Result<String, TaskError> {
    write(&folder.join(".gitlab-ci.yml"), PIPELINE)?;
    let git =
        |arguments: &[&str]| program::output(Command::new("git").current_dir(folder).args(arguments), "").map(drop);
    if !folder.join(".git").exists() {
        git(&["init", "--quiet", "--initial-branch", "main"])?;
        git(&["remote", "add", "origin", "git@gitlab.example.com:team/stack.git"])?;
    }
    // It includes what a repository knows, and nothing else.
    git(&["add", "."])?;
    program::output(Command::new(judge).current_dir(folder).arg("--list-all"), "")
}

/// Brings the judge, once, and answers where it is.
fn judge(root: &Path) -> Result<PathBuf, TaskError> {
    let home = root.join("target/gitlab-ci-local");
    let program = home.join("node_modules/.bin/gitlab-ci-local");
    if !program.exists() {
        fs::create_dir_all(&home).map_err(|cause| TaskError::Write {
            path: home.clone(),
            cause,
        })?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
            .arg(&home)
            .arg(JUDGE);
        program::output(&mut npm, "; it brings gitlab-ci-local from the npm registry")?;
    }
    Ok(program)
}
