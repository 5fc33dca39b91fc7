//! A folder with a stack in it, and the binary.

use crate::{audit::Entry, documents};
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

/// The speed of most runs: a thousand times the reference's, so that a whole apply takes seconds.
pub(crate) const FAST: &str = "1000";

/// How long one run may take, on however busy a machine: one that hangs is a fault of ours, and is told.
const PATIENCE: Duration = Duration::from_secs(600);

/// What the examples ask the person for.
const SECRETS: [(&str, &str); 4] = [
    ("ALICE_PASSWORD", "sekrit-Alice1234!"),
    ("BOB_PASSWORD", "sekrit-Bob1234!"),
    ("LITELLM_API_KEY", "sekrit-provider-key"),
    (
        "MAAS_DATABASE_URL",
        "postgres://maas:sekrit-password@db.example.com:5432/maas?sslmode=require",
    ),
];

/// A folder of its own, with the quickstart stack in it.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
}

/// What a run of the binary gave.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Runs a command to its end, which comes in time or is an error of the test.
    pub(crate) fn of(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("the binary starts");
        let process = child.id();
        let (ended, end) = channel::<()>();
        let watch = thread::spawn(move || {
            let hangs = end.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
            if hangs {
                drop(Command::new("kill").args(["-9", &process.to_string()]).status());
            }
            hangs
        });
        let output = child.wait_with_output().expect("the binary ends");
        drop(ended);
        let hangs = watch.join().expect("the watch ends");
        assert!(
            !hangs,
            "{command:?} hangs\n--- stdout\n{}\n--- stderr\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        documents::keep(&command, &stdout);
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout,
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Both streams, for the message of a failed assertion.
    pub(crate) fn shown(&self) -> String {
        format!(
            "exit {}\n--- stdout\n{}\n--- stderr\n{}",
            self.code, self.stdout, self.stderr
        )
    }

    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.shown());
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.shown()))
    }
}

/// A command that goes on until Ctrl-C, with its lines as they come.
pub(crate) struct Going {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Going {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the binary starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, lines }
    }

    /// The next line, which is waited for.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        self.lines.next().expect("it goes on").expect("readable")
    }

    /// Sends Ctrl-C; returns the code it ends with, and the lines that were not read.
    pub(crate) fn interrupt(mut self) -> (i32, Vec<String>) {
        let sent = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()));
        let rest = self.lines.by_ref().map(|line| line.expect("readable")).collect();
        let code = self.child.wait().expect("it ends").code();
        (code.unwrap_or(-1), rest)
    }
}

impl Drop for Going {
    /// A test that fails leaves nobody behind.
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self::of("quickstart")
    }

    /// With the files of an example in it.
    pub(crate) fn of(example: &str) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let files = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../examples/{example}"));
        for file in std::fs::read_dir(files).expect("the example is there") {
            let file = file.expect("an entry of it");
            std::fs::copy(file.path(), folder.path().join(file.file_name())).expect("a file of the example");
        }
        Self { folder }
    }

    /// Writes another stack over it.
    pub(crate) fn write(&self, text: &str) {
        std::fs::write(self.path().join("stack.toml"), text).expect("writable");
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Changes the stack file by a replacement that has to be there.
    #[track_caller]
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let path = self.path().join("stack.toml");
        let text = std::fs::read_to_string(&path).expect("readable");
        assert!(text.contains(from), "`{from}` is not in the stack");
        std::fs::write(&path, text.replacen(from, to, 1)).expect("writable");
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
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("NO_COLOR", "1");
        command.envs(SECRETS);
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command(arguments))
    }

    /// Runs a command on the embedded cluster at the tests' speed.
    pub(crate) fn simulate(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.simulated(arguments))
    }

    /// Starts a command on it that goes on.
    pub(crate) fn going(&self, arguments: &[&str]) -> Going {
        Going::start(self.simulated(arguments))
    }

    fn simulated(&self, arguments: &[&str]) -> Command {
        let mut all = arguments.to_vec();
        all.extend(["--simulate", "--simulate-speed", FAST]);
        self.command(&all)
    }

    fn simulator(&self) -> PathBuf {
        self.path().join(".stackctl/simulator")
    }

    /// What is kept of a rehearsal beside the stack file; its lock is no part of it.
    pub(crate) fn state_files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let folder = std::fs::read_dir(self.simulator().join("state")).expect("there is a state");
        folder
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|extension| extension != "lock"))
            .map(|path| (path.clone(), std::fs::read(&path).expect("readable")))
            .collect()
    }

    /// Puts that back as it was.
    pub(crate) fn put_back(&self, files: &BTreeMap<PathBuf, Vec<u8>>) {
        for path in self.state_files().into_keys().filter(|path| !files.contains_key(path)) {
            std::fs::remove_file(path).expect("it can be removed");
        }
        for (path, bytes) in files {
            std::fs::write(path, bytes).expect("writable");
        }
    }

    /// Everything that was asked of the cluster so far. A line that is being written is not there yet.
    pub(crate) fn audit(&self) -> Vec<Entry> {
        let text = std::fs::read_to_string(self.simulator().join("audit.ndjson")).expect("there is an audit log");
        let written = text.rfind('\n').map_or("", |end| &text[..end]);
        written
            .lines()
            .filter(|line| !line.is_empty())
            .map(Entry::parse)
            .collect()
    }

    /// Where the served cluster listens, once it does.
    pub(crate) fn endpoint(&self) -> Option<serde_json::Value> {
        let text = std::fs::read_to_string(self.simulator().join("endpoint.json")).ok()?;
        serde_json::from_str(&text).ok()
    }
}
