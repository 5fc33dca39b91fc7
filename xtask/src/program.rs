//! Programs that tasks run: the product itself, and the judges in `../shared/tools`.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::error::TaskError;

/// Runs a program to its end and answers with what it prints; when it fails, that is in the error.
///
/// # Errors
/// When the program cannot be started or fails; `hint` then says what may mend it.
pub(crate) fn output(command: &mut Command, hint: &str) -> Result<String, TaskError> {
    let answer = run(command)?;
    if answer.status.success() {
        return Ok(String::from_utf8_lossy(&answer.stdout).into_owned());
    }
    Err(failed(command, &answer, hint))
}

/// Runs a program to its end and answers with what it did, whatever that is.
///
/// # Errors
/// When the program cannot be started.
pub(crate) fn run(command: &mut Command) -> Result<Output, TaskError> {
    command.output().map_err(|cause| TaskError::Start {
        program: command.get_program().to_string_lossy().into_owned(),
        cause,
    })
}

/// The error of a program that did not do what it is for.
pub(crate) fn failed(command: &Command, answer: &Output, hint: &str) -> TaskError {
    let program = command.get_program().to_string_lossy().into_owned();
    let words = std::iter::once(program).chain(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    let told = [answer.stdout.clone(), answer.stderr.clone()].concat();
    TaskError::Failed {
        program: words.collect::<Vec<_>>().join(" "),
        told: String::from_utf8_lossy(&told).into_owned(),
        hint: hint.to_owned(),
    }
}

/// Passes if Python has what a judge imports.
///
/// # Errors
/// When it lacks one, with the command that brings them.
pub(crate) fn python_has(modules: &[(&str, &str)]) -> Result<(), TaskError> {
    let of =
        |pick: fn(&(&str, &str)) -> String, between: &str| modules.iter().map(pick).collect::<Vec<_>>().join(between);
    let mut python = Command::new("python3");
    python
        .args([
            "-c",
            &format!("import {}", of(|(module, _)| (*module).to_owned(), ", ")),
        ])
        .stderr(Stdio::null());
    let packages = of(|(_, package)| (*package).to_owned(), " ");
    let hint = format!("; `python3 -m pip install {packages}` brings what it needs");
    output(&mut python, &hint).map(drop)
}

/// Builds `stackctl` as this task itself was built, and answers where it is.
///
/// # Errors
/// When it does not compile.
pub(crate) fn stackctl(root: &Path) -> Result<PathBuf, TaskError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .current_dir(root)
        .args(["build", "--quiet", "--package", "stackctl"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    output(&mut build, "")?;
    // Built in one profile, the two stand side by side.
    let here = std::env::current_exe().map_err(|cause| TaskError::Start {
        program: "stackctl".to_owned(),
        cause,
    })?;
    Ok(here.with_file_name(format!("stackctl{}", std::env::consts::EXE_SUFFIX)))
}
