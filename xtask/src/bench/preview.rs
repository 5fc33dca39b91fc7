//! What the preview of a pull request costs: `cargo xtask bench preview`.
//!
//! Invariants:
//! - It is the whole process of `diff --format markdown` between two commits, offline, on the example of which most objects
//!   come.
//! - The change is a real one: the comment names each part of it, or there is no figure.

use super::{
    Programs,
    used::{Used, median, used},
};
use crate::{client::failed, error::TaskError, program};
use clap::Args;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The example of which most objects come.
const EXAMPLE: &str = "examples/aws-production/stack.toml";
/// What is changed in it, and what the comment has to say of that.
const CHANGES: [(&str, &str, &str); 5] = [
    ("nodes_per_zone = 1", "nodes_per_zone = 2", "g6e.2xlarge"),
    ("replicas   = 3", "replicas   = 4", "spec.replicas"),
    ("memory     = \"16Gi\"", "memory     = \"24Gi\"", "24Gi"),
    ("metrics_retention = \"30d\"", "metrics_retention = \"60d\"", "60d"),
    ("datasource = true ", "datasource = false", "datasource"),
];
/// It may take so many seconds of processor time.
const AIM: f64 = 1.0;

/// What is measured of a preview.
#[derive(Args, Debug)]
pub(crate) struct Preview {
    /// How often it is measured; the median counts.
    #[arg(long, default_value_t = 9)]
    times: usize,
    /// The program; without it the release build is made and taken.
    #[arg(long)]
    stackctl: Option<PathBuf>,
}

pub(super) fn run(root: &Path, preview: &Preview) -> Result<String, TaskError> {
    let programs = Programs::found(root, preview.stackctl.as_deref())?;
    let folder = std::env::temp_dir().join(format!("stackctl-preview-{}", std::process::id()));
    let measured = measured(root, &programs.stackctl, &folder, preview.times);
    // What is left of a scratch folder is nobody's loss.
    drop(fs::remove_dir_all(&folder));
    let (used, characters) = measured?;
    let text = format!(
        "### The preview of a pull request\n\n`diff --format markdown` of `{EXAMPLE}` with {} changes, {characters} characters: \
         {:.3} CPU s, {:.3} s, {:.0} MiB; at most {AIM} CPU s",
        CHANGES.len(),
        used.cpu,
        used.wall,
        used.mebibytes
    );
    if used.cpu > AIM {
        return Err(failed(&text));
    }
    Ok(text)
}

/// What it costs, and how long the comment is.
fn measured(root: &Path, stackctl: &Path, folder: &Path, times: usize) -> Result<(Used, usize), TaskError> {
    let example = fs::read_to_string(root.join(EXAMPLE)).map_err(|cause| failed(&cause))?;
    let mut changed = example.clone();
    for (from, to, _) in CHANGES {
        if !changed.contains(from) {
            return Err(failed(&format!(
                "`{from}` is not in {EXAMPLE} any more, and cannot be changed"
            )));
        }
        changed = changed.replacen(from, to, 1);
    }
    let repository = folder.join("repository");
    fs::create_dir_all(&repository).map_err(|cause| failed(&cause))?;
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(&repository)
            .args(["-c", "user.name=bench", "-c", "user.email=bench@example.com"])
            .args(arguments);
        program::output(&mut git, "").map(drop)
    };
    git(&["init", "--quiet", "--initial-branch", "main"])?;
    for (name, text) in [("base", &example), ("change", &changed)] {
        fs::write(repository.join("stack.toml"), text).map_err(|cause| failed(&cause))?;
        git(&["add", "."])?;
        git(&["commit", "--quiet", "-m", name])?;
    }
    let preview = || {
        let mut command = Command::new(stackctl);
        command
            .current_dir(&repository)
            .args(["diff", "--from", "HEAD~1", "--to", "HEAD", "--format", "markdown"]);
        command
    };
    let comment = program::output(&mut preview(), "")?;
    if let Some((from, to, said)) = CHANGES.iter().find(|(_, _, said)| !comment.contains(said)) {
        return Err(failed(&format!(
            "of `{from}` that becomes `{to}` nothing is said: no {said}\n{comment}"
        )));
    }
    let runs: Result<Vec<_>, _> = (0..times.max(1)).map(|_| used(&mut preview(), folder)).collect();
    Ok((median(runs?), comment.chars().count()))
}
