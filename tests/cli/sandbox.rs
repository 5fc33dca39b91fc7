//! A folder of its own, and the binary in it with an empty environment.

use crate::documents;
use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// A stack that can be used.
pub(crate) const STACK: &str = include_str!("../../examples/quickstart/stack.toml");

/// A folder of its own.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a scratch folder"),
        }
    }

    /// A folder with the quickstart as its `stack.toml`.
    pub(crate) fn with_stack() -> Self {
        let sandbox = Self::empty();
        sandbox.write("stack.toml", STACK);
        sandbox
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("writable");
        std::fs::write(path, text).expect("writable");
    }

    /// Every file that is there, to see that nothing was written.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut directories = vec![self.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).expect("readable") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    found.push(path.strip_prefix(self.path()).expect("below").to_owned());
                }
            }
        }
        found.sort();
        found
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stackctl"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .stdin(Stdio::null());
        command
            .env("HOME", self.path())
            .env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command
    }

    /// Runs the binary to its end, by a command that was made for it.
    pub(crate) fn output(command: &mut Command) -> Output {
        let output = command.output().expect("the binary starts");
        documents::keep(command, &String::from_utf8_lossy(&output.stdout));
        output
    }

    /// Runs the binary; exit code and both streams as one text, the folder's own name left out.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = Self::output(&mut self.command(arguments));
        let text =
            |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&self.path().display().to_string(), "[folder]");
        let mut shown = format!("exit {}\n", output.status.code().unwrap_or(-1));
        for (name, text) in [("stdout", text(&output.stdout)), ("stderr", text(&output.stderr))] {
            if !text.is_empty() {
                shown = shown + "--- " + name + "\n" + &text;
            }
        }
        shown
    }
}
