//! A served embedded cluster of its own, and what its process costs.

use crate::{
    client::{Bare, failed},
    error::TaskError,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long a start may take; one with many objects reads them all.
const STARTS_WITHIN: Duration = Duration::from_secs(120);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);
/// The unit of processor times in `/proc`: `USER_HZ`, which is 100 wherever Linux runs (`man 5 proc`).
const TICKS_PER_SECOND: f64 = 100.0;

/// `stackctl simulate`, running in a folder; killed when dropped.
#[derive(Debug)]
pub(crate) struct Served {
    child: Child,
    /// How long it took from the start of the process to its first answer.
    pub(super) started_in: Duration,
    kubeconfig: PathBuf,
}

impl Served {
    /// Serves the cluster of a folder, made and seeded if it is new, and waits until it answers.
    pub(crate) fn start(stackctl: &Path, folder: &Path) -> Result<Self, TaskError> {
        Self::start_with(stackctl, folder, &[])
    }

    /// The same, with more arguments: faults, and a speed.
    pub(crate) fn start_with(stackctl: &Path, folder: &Path, arguments: &[&str]) -> Result<Self, TaskError> {
        let kubeconfig = folder.join("kubeconfig");
        if kubeconfig.exists() {
            fs::remove_file(&kubeconfig).map_err(|cause| TaskError::Write {
                path: kubeconfig.clone(),
                cause,
            })?;
        }
        let begun = Instant::now();
        let mut command = Command::new(stackctl);
        command
            .arg("simulate")
            .arg(format!("--simulate={}", folder.display()))
            .args(arguments)
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().map_err(|cause| TaskError::Start {
            program: stackctl.display().to_string(),
            cause,
        })?;
        let mut this = Self {
            child,
            started_in: Duration::ZERO,
            kubeconfig,
        };
        while !this.kubeconfig.exists() || this.connect()?.version().is_err() {
            if begun.elapsed() > STARTS_WITHIN || this.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return Err(failed(&"the embedded cluster does not come up"));
            }
            thread::sleep(LOOK_AGAIN_AFTER);
        }
        this.started_in = begun.elapsed();
        Ok(this)
    }

    /// A client of its administrator.
    pub(crate) fn connect(&self) -> Result<Bare, TaskError> {
        Bare::connect(&self.kubeconfig)
    }

    /// Where its administrator's credentials stand.
    pub(super) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Processor time of the process so far, of all its threads.
    pub(super) fn cpu(&self) -> Result<f64, TaskError> {
        let text = self.proc("stat")?;
        // Fields are counted after the name, which stands in parentheses and may hold anything (`man 5 proc`).
        let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
        match (ticks(11), ticks(12)) {
            (Some(user), Some(system)) => Ok((user + system) / TICKS_PER_SECOND),
            _ => Err(failed(&"the system does not say how much processor time was used")),
        }
    }

    /// The most memory that the process had in use so far, in MiB.
    pub(super) fn peak_memory(&self) -> Result<f64, TaskError> {
        let text = self.proc("status")?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        match kibibytes {
            Some(kibibytes) => Ok(kibibytes / 1024.0),
            None => Err(failed(&"the system does not say how much memory was used")),
        }
    }

    fn proc(&self, file: &str) -> Result<String, TaskError> {
        let path = PathBuf::from(format!("/proc/{}/{file}", self.child.id()));
        fs::read_to_string(&path).map_err(|cause| TaskError::Read { path, cause })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
