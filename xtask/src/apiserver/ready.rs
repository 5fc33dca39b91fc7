//! Waiting until a program does its work, and no longer than a deadline.

use std::{
    io::{self, Write as _},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{
    ApiserverError,
    credentials::CA,
    folder::Folder,
    process::{self, Process},
};

/// How long a program may take to become ready; a busy machine takes ten times as long as an idle one.
const DEADLINE: Duration = Duration::from_secs(120);
/// How often it is asked.
const INTERVAL: Duration = Duration::from_millis(100);

/// One question to a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    /// The address.
    pub(super) url: &'a str,
    /// Who asks; nobody, if empty.
    pub(super) token: &'a str,
}

/// Asks until the answer is a success.
///
/// # Errors
/// When the process ends, or the deadline passes; the end of its log says why.
pub(super) fn wait(folder: &Folder, process: &Process, question: Question<'_>) -> Result<(), ApiserverError> {
    let started = Instant::now();
    loop {
        if ask(&folder.file(CA), question)?.is_some() {
            return Ok(());
        }
        let what = if !process.is_alive() {
            "ended before it was ready"
        } else if started.elapsed() > DEADLINE {
            "was not ready in two minutes"
        } else {
            thread::sleep(INTERVAL);
            continue;
        };
        let program = process.program();
        let log = folder.log(program);
        return Err(ApiserverError::NotReady {
            name: program.name(),
            what,
            tail: process::end_of(&log),
            log,
        });
    }
}

/// Asks once; answers with the body of a success. `curl` does it: this crate speaks no TLS.
///
/// # Errors
/// When `curl` cannot be started.
pub(super) fn ask(ca: &Path, question: Question<'_>) -> Result<Option<String>, ApiserverError> {
    let asked = || -> io::Result<_> {
        let mut curl = Command::new("curl")
            .args([
                "--silent",
                "--fail",
                "--max-time",
                "10",
                "--noproxy",
                "*",
                "--config",
                "-",
                "--cacert",
            ])
            .arg(ca)
            .arg(question.url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        // By standard input: arguments are for everybody to see.
        if let Some(mut config) = curl.stdin.take()
            && !question.token.is_empty()
        {
            writeln!(config, "header = \"Authorization: Bearer {}\"", question.token)?;
        }
        curl.wait_with_output()
    };
    let answer = asked().map_err(|cause| ApiserverError::Start {
        program: "curl".to_owned(),
        hint: "it asks whether the servers are ready; install it".to_owned(),
        cause,
    })?;
    Ok(answer
        .status
        .success()
        .then(|| String::from_utf8_lossy(&answer.stdout).into_owned()))
}
