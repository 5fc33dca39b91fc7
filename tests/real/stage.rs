//! The cluster that is given, a folder with the stack in it, and the binary.

use crate::{acts::Server, audit::Entry, documents, not_run::not_run};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A real cluster and a folder.
pub(crate) struct Stage {
    folder: tempfile::TempDir,
    kubeconfig: PathBuf,
    audit_log: Option<PathBuf>,
}

/// What a run of the binary gave.
pub(crate) struct Ran {
    code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn shown(&self) -> String {
        format!("exit {:?}\n{}\n{}", self.code, self.stdout, self.stderr)
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.shown());
        self
    }
}

impl Stage {
    /// The cluster of `STACKCTL_TEST_KUBECONFIG`, if it is set.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place of these tests that reads the environment"
    )]
    pub(crate) fn given() -> Option<Self> {
        let kubeconfig = std::env::var("STACKCTL_TEST_KUBECONFIG").ok()?;
        let folder = tempfile::tempdir().expect("a scratch folder");
        let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart/stack.toml");
        std::fs::copy(stack, folder.path().join("stack.toml")).expect("the quickstart is there");
        Some(Self {
            folder,
            kubeconfig: kubeconfig.into(),
            audit_log: std::env::var("STACKCTL_TEST_AUDIT_LOG").ok().map(PathBuf::from),
        })
    }

    pub(crate) fn server(&self) -> String {
        self.kubeconfig.display().to_string()
    }

    /// The true CRDs, where they are beside the project.
    pub(crate) fn crds() -> Option<PathBuf> {
        let crds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/crds");
        crds.is_dir().then_some(crds)
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stackctl"));
        command
            .args(arguments)
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        let output = command.output().expect("the binary starts");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        documents::keep(&command, &stdout);
        Ran {
            code: output.status.code(),
            stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Writes a file into the folder that everything runs in.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("the folder can be written to");
    }

    /// Where everything runs.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs kubectl; false where there is none.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> bool {
        self.kubectl_says(arguments).is_some()
    }

    /// What kubectl says; nothing where there is none.
    pub(crate) fn kubectl_says(&self, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(arguments);
        command.current_dir(self.folder.path());
        match command.env("HOME", self.folder.path()).output() {
            Ok(output) => {
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                Some(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Err(_) => None,
        }
    }

    /// The server for the acts that every server has to play.
    pub(crate) fn for_acts(&self) -> Server<'_> {
        Server {
            kubeconfig: self.kubeconfig.clone(),
            audit: Box::new(|| self.audit()),
        }
    }

    /// Everything that was written so far, as the server's own audit log has it; nothing where none is named.
    pub(crate) fn audit(&self) -> Vec<Entry> {
        let Some(path) = &self.audit_log else {
            not_run("STACKCTL_TEST_AUDIT_LOG names no audit log");
            return Vec::new();
        };
        let text = std::fs::read(path).expect("the audit log can be read");
        let text = String::from_utf8_lossy(&text);
        // A line that is being written is not there yet.
        let written = text.rfind('\n').map_or("", |end| &text[..end]);
        let lines = written
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"));
        let entries: Vec<_> = lines.filter_map(|line| entry(&line)).collect();
        // Judges of an empty log would find nothing wrong.
        assert!(
            entries.iter().any(Entry::changes),
            "{}: nobody has written to this server: it is the log of another one",
            path.display()
        );
        entries
    }
}

/// One line of a kube-apiserver's audit log (audit.k8s.io/v1).
fn entry(line: &Value) -> Option<Entry> {
    let text = |pointer: &str| {
        line.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let user = match text("/impersonatedUser/username") {
        user if user.is_empty() => text("/user/username"),
        user => user,
    };
    let code = line.pointer("/responseStatus/code").and_then(Value::as_i64)?;
    // A question about rights is asked by a POST and makes nothing.
    if text("/objectRef/resource") == "selfsubjectaccessreviews" {
        return None;
    }
    let uri = text("/requestURI");
    Some(Entry {
        time: text("/requestReceivedTimestamp"),
        agent: text("/userAgent"),
        user,
        verb: text("/verb"),
        dry_run: uri.contains("dryRun=All"),
        code,
        kind: text("/objectRef/resource"),
        namespace: text("/objectRef/namespace"),
        name: text("/objectRef/name"),
        uid: text("/responseObject/metadata/uid"),
        created: code == 201,
        subresource: text("/objectRef/subresource"),
    })
}
