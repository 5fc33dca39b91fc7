//! An API server, a folder with a stack in it, the binary, and stock kubectl as everybody else.

use crate::{audit::Entry, documents, not_run::not_run};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A server of either kind: all that the acts know of it.
pub(crate) struct Server<'a> {
    /// How it is reached.
    pub(crate) kubeconfig: PathBuf,
    /// Everything that was asked of it so far, by its own audit log.
    pub(crate) audit: Box<dyn Fn() -> Vec<Entry> + Sync + 'a>,
}

/// What a program gave.
pub(crate) struct Ran {
    what: String,
    code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    fn of(command: &mut Command) -> Self {
        let output = command.stdin(Stdio::null()).output().expect("the program starts");
        Self {
            what: format!("{command:?}"),
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub(crate) fn shown(&self) -> String {
        let Self {
            what,
            code,
            stdout,
            stderr,
        } = self;
        format!("{what}\nexit {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.shown());
        self
    }

    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(
                self.stdout.contains(word) || self.stderr.contains(word),
                "`{word}` is not said: {}",
                self.shown()
            );
        }
        self
    }
}

impl Server<'_> {
    /// A folder for one stack, which is named as the namespace that it makes.
    pub(crate) fn folder(&self, stack: &'static str) -> Folder<'_> {
        let folder = Folder {
            server: self,
            folder: tempfile::tempdir().expect("a scratch folder"),
            stack,
            before: (self.audit)().len(),
        };
        folder.stack("");
        folder.put(
            "base.yaml",
            &format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {stack}}}\n"),
        );
        folder
    }

    /// Whether kubectl is on this machine; said loudly where it is not.
    pub(crate) fn has_kubectl() -> bool {
        let found = Command::new("kubectl").arg("version").arg("--client").output().is_ok();
        if !found {
            not_run("what others do is done by kubectl, which is not on this machine");
        }
        found
    }
}

/// One stack on the server.
pub(crate) struct Folder<'a> {
    server: &'a Server<'a>,
    folder: tempfile::TempDir,
    stack: &'static str,
    /// How long the audit log was: a scratch cluster may have seen the same acts already.
    before: usize,
}

impl Folder<'_> {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the stack file: every `*.yaml` of the folder is its, and what is added.
    pub(crate) fn stack(&self, more: &str) {
        let name = self.stack;
        let text = format!("[stack]\nname = \"{name}\"\n\n[[manifests]]\nname = \"all\"\npath = \".\"\n{more}");
        self.put("stack.toml", &text);
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("the folder can be written to");
    }

    /// Writes the manifest of a ConfigMap of the stack's namespace.
    pub(crate) fn map(&self, name: &str, entries: &str) {
        self.put(&format!("{name}.yaml"), &self.map_text(name, entries));
    }

    /// The manifest of a ConfigMap of the stack's namespace.
    pub(crate) fn map_text(&self, name: &str, entries: &str) -> String {
        let namespace = self.stack;
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}}}\ndata: {{{entries}}}\n"
        )
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_at(&self.server.kubeconfig, arguments)
    }

    /// The same with another way to a cluster.
    pub(crate) fn run_at(&self, kubeconfig: &Path, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stackctl"));
        command.args(arguments).arg("--kubeconfig").arg(kubeconfig);
        command.current_dir(self.path()).env_clear();
        command.env("HOME", self.path()).env("NO_COLOR", "1");
        let ran = Ran::of(&mut command);
        documents::keep(&command, &ran.stdout);
        ran
    }

    /// Applies the stack, and sees that nothing is left to do then.
    #[track_caller]
    pub(crate) fn apply(&self) -> Ran {
        let applied = self.run(&["apply", "--yes"]).expect(0);
        self.is_converged();
        applied
    }

    #[track_caller]
    pub(crate) fn is_converged(&self) {
        self.run(&["plan", "--detailed-exitcode"]).expect(0);
        self.run(&["drift"]).expect(0);
    }

    /// Runs kubectl as somebody else would, in the stack's namespace.
    #[track_caller]
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        self.kubectl_edits("", arguments)
    }

    /// The same with an editor: an expression of sed over the file that kubectl hands out.
    #[track_caller]
    pub(crate) fn kubectl_edits(&self, expression: &str, arguments: &[&str]) -> String {
        let mut command = Command::new("kubectl");
        command
            .arg("--kubeconfig")
            .arg(&self.server.kubeconfig)
            .args(["-n", self.stack]);
        command.args(arguments).current_dir(self.path());
        command
            .env("HOME", self.path())
            .env("KUBE_EDITOR", format!("sed -i {expression}"));
        Ran::of(&mut command).expect(0).stdout
    }

    /// An object as the server holds it.
    #[track_caller]
    pub(crate) fn get(&self, kind: &str, name: &str) -> Value {
        let text = self.kubectl(&["get", kind, name, "-o", "json", "--show-managed-fields"]);
        serde_json::from_str(&text).expect("JSON")
    }

    /// Whether an object is there.
    #[track_caller]
    pub(crate) fn has(&self, kind: &str, name: &str) -> bool {
        !self
            .kubectl(&["get", kind, name, "-o", "name", "--ignore-not-found"])
            .is_empty()
    }

    /// What the binary wrote to objects of the stack so far, in order; the copy of the state is none of them.
    pub(crate) fn writes(&self) -> Vec<Entry> {
        let mut all = (self.server.audit)().split_off(self.before);
        let is_of_stack = |entry: &Entry| entry.namespace == self.stack || entry.name == self.stack;
        all.retain(|entry| entry.is_our_write() && is_of_stack(entry));
        all
    }

    /// The names of what the binary deleted so far, in order.
    pub(crate) fn deleted(&self) -> Vec<String> {
        let deleted = self.writes().into_iter().filter(|entry| entry.verb == "delete");
        deleted.map(|entry| entry.name).collect()
    }

    /// Takes the stack away.
    #[track_caller]
    pub(crate) fn destroy(&self) {
        self.run(&["destroy", "--yes"]).expect(0);
        assert!(!self.has("namespace", self.stack), "the namespace stays");
    }
}

/// Whether a manager holds the field of an object whose path in `managedFields` these keys are.
pub(crate) fn holds(object: &Value, manager: &str, keys: &[&str]) -> bool {
    let entries = object["metadata"]["managedFields"].as_array();
    entries.into_iter().flatten().any(|entry| {
        let field = keys
            .iter()
            .fold(&entry["fieldsV1"], |fields, key| &fields[format!("f:{key}")]);
        entry["manager"] == manager && !field.is_null()
    })
}

/// The instant of an object's last change, as the server counts.
pub(crate) fn version(object: &Value) -> &Value {
    &object["metadata"]["resourceVersion"]
}
