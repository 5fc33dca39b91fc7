//! A peer that is a program of its own.

use super::objects::Objects;
use crate::error::TaskError;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

/// A program, and the server that it works on.
#[derive(Debug)]
pub(super) struct Program {
    path: String,
    kubeconfig: PathBuf,
}

impl Program {
    pub(super) fn new(path: &str, kubeconfig: &Path) -> Self {
        Self {
            path: path.to_owned(),
            kubeconfig: kubeconfig.to_owned(),
        }
    }

    /// The program, if it is on `PATH`.
    pub(super) fn found(name: &str, kubeconfig: &Path) -> Option<Self> {
        let answers = Command::new(name)
            .arg("--help")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        answers.is_ok().then(|| Self::new(name, kubeconfig))
    }

    /// How many seconds one command takes on the objects, from its start to its end.
    ///
    /// # Errors
    /// When it fails.
    pub(super) fn time(&self, objects: &Objects, arguments: &[&str]) -> Result<f64, TaskError> {
        let begun = Instant::now();
        self.run(objects.folder(), arguments)?;
        Ok(begun.elapsed().as_secs_f64())
    }

    pub(super) fn run(&self, folder: &Path, arguments: &[&str]) -> Result<(), TaskError> {
        let output = Command::new(&self.path)
            .args(arguments)
            .current_dir(folder)
            .env("KUBECONFIG", &self.kubeconfig)
            .output()
            .map_err(|cause| TaskError::Start {
                program: self.path.clone(),
                cause,
            })?;
        if output.status.success() {
            return Ok(());
        }
        let told = String::from_utf8_lossy(&output.stderr);
        Err(TaskError::Failed {
            program: format!("{} {}", self.path, arguments.join(" ")),
            told: told.lines().take(10).collect::<Vec<_>>().join("\n"),
            hint: String::new(),
        })
    }
}
