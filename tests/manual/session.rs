//! One shell session: what a command sets, the next one has.

use crate::transcript::Outcome;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// What ends the answer of a command; nothing else prints it.
const END: &str = "==end of answer==";

/// What people have in their shell profile: a loop that asks again until an answer comes, a hundred seconds at most.
const PROFILE: &str = r#"
until_it_says() {
  wanted=$1; shift; ends=$(($(date +%s) + 100)); said=
  while [ "$(date +%s)" -lt "$ends" ]; do
    said=$("$@" 2>&1); [ "$said" = "$wanted" ] && break
  done
  echo "$said"
}
"#;

pub(crate) struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Session {
    /// Opens one in a folder, which is its home too.
    pub(crate) fn open(folder: &Path) -> Self {
        let mut child = Command::new("sh")
            .current_dir(folder)
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", folder)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("sh starts");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut session = Self { child, input, output };
        session.must("exec 2>&1");
        session.must(PROFILE);
        session
    }

    /// Types a command, and waits for what it prints.
    pub(crate) fn run(&mut self, command: &str) -> Outcome {
        // A command reads nothing of what is typed after it.
        write!(self.input, "{{ {command}\n}} </dev/null\nprintf '\\n{END} %d\\n' $?\n").expect("the shell takes it");
        self.input.flush().expect("the shell takes it");
        let mut output = String::new();
        loop {
            let mut line = String::new();
            let n_read = self.output.read_line(&mut line).expect("the shell prints text");
            assert!(n_read > 0, "the shell ended in `{command}`: {output}");
            if let Some(code) = line.strip_prefix(END) {
                let code = code.trim().parse().expect("a code");
                let output = output.trim_end().to_owned();
                return Outcome { output, code };
            }
            output.push_str(&line);
        }
    }

    /// Types something that has to succeed.
    #[track_caller]
    pub(crate) fn must(&mut self, command: &str) {
        let outcome = self.run(command);
        assert!(outcome.code == 0, "{command}: {outcome}");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        let mut rest = String::new();
        drop(self.output.read_to_string(&mut rest));
    }
}
