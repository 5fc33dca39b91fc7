//! `cargo xtask editor`: an editor's judge of TOML reads every stack of the repository with our JSON Schema.
//!
//! The judge is taplo, which stands behind the TOML support of VS Code. What `validate` accepts it has to accept, and what
//! `validate` refuses for its structure alone it has to refuse.

use crate::{error::TaskError, program};
use stackctl_stacks::language::reference::{Completeness, json_schema};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The judge, as the npm registry has it.
const TAPLO: &str = "@taplo/cli@0.7.0";

/// What is wrong with the structure of a stack: an unknown key, another type, a word that is none of the key's, a number out
/// of its range.
const STRUCTURE: [&str; 4] = ["STK003", "STK004", "STK006", "STK009"];

/// Lets the judge read the examples and the corpus of `tests/configs`.
///
/// # Errors
/// Without npm; and for each stack of which the judge thinks otherwise than `validate`.
pub(crate) fn run(root: &Path) -> Result<String, TaskError> {
    let taplo = taplo(root)?;
    let configs = root.join("tests/configs");
    let mut accepted = toml_files(&configs.join("valid"))?;
    accepted.extend(toml_files(&configs.join("doubtful"))?);
    let (mut refused, mut beyond) = (Vec::new(), 0);
    for path in toml_files(&configs.join("invalid"))? {
        let told = read(&path.with_extension("snap"))?;
        if STRUCTURE.iter().any(|code| told.contains(code)) {
            refused.push(path);
        } else {
            beyond += 1;
        }
    }
    let mut layers = Vec::new();
    for directory in directories(&root.join("examples"))? {
        for path in toml_files(&directory)? {
            let is_whole = read(&path)?.contains("[stack]");
            if is_whole { &mut accepted } else { &mut layers }.push(path);
        }
    }
    let mut wrong = Vec::new();
    for (completeness, files, is_right) in [
        (Completeness::Stack, &accepted, true),
        (Completeness::Layer, &layers, true),
        (Completeness::Stack, &refused, false),
    ] {
        let found = refused_by(&taplo, root, completeness, files)?;
        for file in files {
            if found.contains(file) == is_right {
                let verdict = if is_right { "is refused" } else { "is accepted" };
                wrong.push(format!("{} {verdict}", file.display()));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(TaskError::Judged { told: wrong.join("\n") });
    }
    Ok(format!(
        "{TAPLO}: {} stacks and {} layers accepted, {} refused for their structure; {beyond} are wrong in what no schema says",
        accepted.len(),
        layers.len(),
        refused.len(),
    ))
}

/// Brings the judge, once, and answers where it is.
fn taplo(root: &Path) -> Result<PathBuf, TaskError> {
    let home = root.join("target/taplo");
    let program = home.join("node_modules/.bin/taplo");
    if !program.exists() {
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"])
            .arg(&home)
            .arg(TAPLO);
        program::output(&mut npm, "; it brings taplo from the npm registry")?;
    }
    Ok(program)
}

/// Which of these files the judge refuses.
fn refused_by(
    taplo: &Path,
    root: &Path,
    completeness: Completeness,
    files: &[PathBuf],
) -> Result<BTreeSet<PathBuf>, TaskError> {
    let schema = root.join("target/taplo/stack.schema.json");
    fs::write(&schema, json_schema(completeness).to_string()).map_err(|cause| TaskError::Write {
        path: schema.clone(),
        cause,
    })?;
    let mut lint = Command::new(taplo);
    lint.current_dir(root)
        .args(["lint", "--colors", "never", "--schema"])
        .arg(format!("file://{}", schema.display()))
        .args(files);
    let answer = program::run(&mut lint)?;
    let told = String::from_utf8_lossy(&answer.stderr).into_owned();
    let found: BTreeSet<PathBuf> = files
        .iter()
        .filter(|file| told.contains(&format!("path=\"{}\"", file.display())))
        .cloned()
        .collect();
    // What it says is only understood if it agrees with how it ended.
    if found.is_empty() == answer.status.success() {
        Ok(found)
    } else {
        Err(program::failed(&lint, &answer, ""))
    }
}

fn read(path: &Path) -> Result<String, TaskError> {
    fs::read_to_string(path).map_err(|cause| TaskError::Read {
        path: path.to_owned(),
        cause,
    })
}

fn toml_files(directory: &Path) -> Result<Vec<PathBuf>, TaskError> {
    let mut files = entries(directory)?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    Ok(files)
}

fn directories(directory: &Path) -> Result<Vec<PathBuf>, TaskError> {
    let mut directories = entries(directory)?;
    directories.retain(|path| path.is_dir());
    Ok(directories)
}

/// What a directory holds, by name.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, TaskError> {
    let unreadable = |cause| TaskError::Read {
        path: directory.to_owned(),
        cause,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        found.push(entry.map_err(unreadable)?.path());
    }
    found.sort();
    Ok(found)
}
