//! A process that outlives the task that started it, found again by its record.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{ApiserverError, folder::Folder, program::Program};

/// How long a process may take to end when asked to.
const GRACE: Duration = Duration::from_secs(30);
/// How long it may take when killed.
const KILLED: Duration = Duration::from_secs(10);
/// How often it is looked for.
const INTERVAL: Duration = Duration::from_millis(20);

/// What is known of a process that was started, whether it still runs or not.
#[derive(Clone, Debug)]
pub(super) struct Process {
    program: Program,
    pid: u32,
    binary: PathBuf,
    folder: PathBuf,
    address: String,
}

impl Process {
    /// Starts a program in a process group of its own, printing to its log, and records it.
    ///
    /// # Errors
    /// When it cannot be started or recorded.
    pub(super) fn start(
        program: Program,
        binary: &Path,
        arguments: &[String],
        address: &str,
        folder: &Folder,
    ) -> Result<Self, ApiserverError> {
        let failed = |cause| ApiserverError::Start {
            program: binary.display().to_string(),
            hint: "remove its folder, and `cargo xtask apiserver build` makes it anew".to_owned(),
            cause,
        };
        // As `/proc` will name it.
        let binary = binary.canonicalize().map_err(failed)?;
        let path = folder.write(&format!("{}.log", program.name()), "")?;
        let log = || {
            File::options()
                .append(true)
                .open(&path)
                .map_err(|cause| ApiserverError::Write {
                    path: path.clone(),
                    cause,
                })
        };
        let mut command = Command::new(&binary);
        command
            .args(arguments)
            .current_dir(folder.path())
            // Bounded memory, whatever the developer's own shell says about Go.
            .envs([("GOMEMLIMIT", program.memory_limit()), ("GOGC", "100")])
            .env_remove("GODEBUG")
            .stdin(Stdio::null())
            .stdout(log()?)
            .stderr(log()?)
            // Ctrl-C at the terminal of `up` is not for it.
            .process_group(0);
        #[allow(
            clippy::zombie_processes,
            reason = "it outlives this task: the system's first process awaits it"
        )]
        let child = command.spawn().map_err(failed)?;
        let process = Self {
            program,
            pid: child.id(),
            binary,
            folder: folder.path().to_owned(),
            address: address.to_owned(),
        };
        process.record(folder)?;
        Ok(process)
    }

    fn record(&self, folder: &Folder) -> Result<(), ApiserverError> {
        let record = json!({"pid": self.pid, "binary": self.binary, "address": self.address});
        folder.write(&record_of(self.program), &format!("{record}\n"))?;
        Ok(())
    }

    /// The recorded process of a program, if one was started.
    ///
    /// # Errors
    /// When there is a record but it cannot be read.
    pub(super) fn recorded(program: Program, folder: &Folder) -> Result<Option<Self>, ApiserverError> {
        let path = folder.file(&record_of(program));
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).map_err(|cause| ApiserverError::Read {
            path: path.clone(),
            cause,
        })?;
        parse(program, &text, folder.path())
            .map(Some)
            .ok_or(ApiserverError::BadRecord { path })
    }

    /// Which program it is.
    pub(super) fn program(&self) -> Program {
        self.program
    }

    /// Its number.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Where it listens, or nothing.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Whether the pid still is this process: the same binary, working on the same folder. A pid may have been given anew.
    pub(super) fn is_alive(&self) -> bool {
        let proc = PathBuf::from(format!("/proc/{}", self.pid));
        // Nothing to read for a process that ended and is not awaited yet.
        let Ok(runs) = fs::read_link(proc.join("exe")) else {
            return false;
        };
        // What Linux adds when the file was removed since.
        let runs = runs.to_string_lossy();
        let is_binary = runs.trim_end_matches(" (deleted)") == self.binary.to_string_lossy();
        is_binary && fs::read_link(proc.join("cwd")).is_ok_and(|cwd| cwd.starts_with(&self.folder))
    }

    /// Memory in use, in MiB, if it runs.
    pub(super) fn memory(&self) -> Option<u64> {
        resident(&fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?)
    }

    /// Asks it to end, and kills it when it does not. Nothing happens if it has ended.
    ///
    /// # Errors
    /// When it runs even after that.
    pub(super) fn end(&self) -> Result<(), ApiserverError> {
        for (signal, patience) in [("TERM", GRACE), ("KILL", KILLED)] {
            if !self.is_alive() {
                return Ok(());
            }
            self.signal(signal)?;
            let asked = Instant::now();
            while self.is_alive() && asked.elapsed() < patience {
                thread::sleep(INTERVAL);
            }
        }
        if self.is_alive() {
            return Err(ApiserverError::StillRunning {
                name: self.program.name().to_owned(),
                pid: self.pid,
            });
        }
        Ok(())
    }

    fn signal(&self, signal: &str) -> Result<(), ApiserverError> {
        let mut kill = Command::new("kill");
        kill.args(["-s", signal, &self.pid.to_string()]).stderr(Stdio::null());
        // Its status says nothing that `is_alive` does not say better.
        kill.status().map(drop).map_err(|cause| ApiserverError::Start {
            program: "kill".to_owned(),
            hint: "it ends the servers; Debian has it in procps".to_owned(),
            cause,
        })
    }
}

fn record_of(program: Program) -> String {
    format!("{}.process.json", program.name())
}

fn parse(program: Program, text: &str, folder: &Path) -> Option<Process> {
    let record: Value = serde_json::from_str(text).ok()?;
    Some(Process {
        program,
        pid: u32::try_from(record["pid"].as_u64()?).ok()?,
        binary: record["binary"].as_str()?.into(),
        folder: folder.to_owned(),
        address: record["address"].as_str()?.to_owned(),
    })
}

/// What `/proc/<pid>/status` says about resident memory, in MiB.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024)
}

/// The last lines of a log; as much as a terminal shows.
pub(super) fn end_of(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Program, parse, resident};

    fn read(text: &str) -> Option<super::Process> {
        parse(Program::Etcd, text, Path::new("/scratch"))
    }

    #[test]
    fn a_record_is_whole_or_none() {
        let process = read(r#"{"pid": 7, "binary": "/bin/etcd", "address": ""}"#).expect("whole");
        assert_eq!(process.pid(), 7);
        assert!(read(r#"{"pid": -1, "binary": "/bin/etcd", "address": ""}"#).is_none());
        assert!(read(r#"{"pid": 7, "bin"#).is_none());
    }

    #[test]
    fn a_pid_that_was_given_to_another_program_is_not_ours() {
        let ours = std::process::id();
        let text = format!(r#"{{"pid": {ours}, "binary": "/bin/etcd", "address": ""}}"#);
        let process = read(&text).expect("whole");
        assert!(!process.is_alive());
        process.end().expect("nothing to end");
    }

    #[test]
    fn resident_memory_is_read_in_mebibytes() {
        assert_eq!(
            resident("Name:\tetcd\nVmHWM:\t  99999 kB\nVmRSS:\t  51200 kB\n"),
            Some(50)
        );
        assert_eq!(resident("Name:\tkthreadd\n"), None);
    }
}
