//! What a process costs, from its start to its end.

use crate::{client::failed, error::TaskError};
use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The unit of processor times in `/proc`: `USER_HZ`, which is 100 wherever Linux runs (`man 5 proc`).
const TICKS_PER_SECOND: f64 = 100.0;
/// How often its memory is looked at; what the system reports is the most so far, so only what comes last is missed.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(2);

/// What a process cost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Used {
    /// Seconds of processor time, its own and the system's for it.
    pub(super) cpu: f64,
    /// Seconds on the clock.
    pub(super) wall: f64,
    /// The most memory that was resident.
    pub(super) mebibytes: f64,
}

/// Runs a program to its end; what it prints is dropped, and what it complains of is in the error. No other child of
/// this process may end meanwhile.
///
/// # Errors
/// When it cannot be started, or fails. `scratch` is a folder for its complaints.
pub(super) fn used(command: &mut Command, scratch: &Path) -> Result<Used, TaskError> {
    let path = scratch.join("complaints");
    let complaints = File::create(&path).map_err(|cause| failed(&cause))?;
    let (before, begun) = (cpu_of_children()?, Instant::now());
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(complaints)
        .spawn()
        .map_err(|cause| TaskError::Start {
            program: command.get_program().to_string_lossy().into_owned(),
            cause,
        })?;
    let mut mebibytes: f64 = 0.0;
    let status = loop {
        mebibytes = mebibytes.max(most_memory(&child.id().to_string()).unwrap_or_default());
        match child.try_wait().map_err(|cause| failed(&cause))? {
            Some(status) => break status,
            None => thread::sleep(LOOK_AGAIN_AFTER),
        }
    };
    if !status.success() {
        let told = fs::read_to_string(&path).unwrap_or_default();
        let words = command.get_args().map(|word| word.to_string_lossy());
        return Err(TaskError::Failed {
            program: words.fold(command.get_program().to_string_lossy().into_owned(), |all, word| {
                format!("{all} {word}")
            }),
            told: told.lines().take(10).collect::<Vec<_>>().join("\n"),
            hint: String::new(),
        });
    }
    Ok(Used {
        cpu: cpu_of_children()? - before,
        wall: begun.elapsed().as_secs_f64(),
        mebibytes,
    })
}

/// The run of the median processor time.
pub(super) fn median(mut runs: Vec<Used>) -> Used {
    runs.sort_by(|one, other| one.cpu.total_cmp(&other.cpu));
    runs.get(runs.len() / 2).copied().unwrap_or_default()
}

/// Processor time of the children that have ended so far.
pub(super) fn cpu_of_children() -> Result<f64, TaskError> {
    let text = fs::read_to_string("/proc/self/stat").map_err(|cause| failed(&cause))?;
    // Fields are counted after the name, which stands in parentheses and may hold anything (`man 5 proc`).
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    match (ticks(13), ticks(14)) {
        (Some(user), Some(system)) => Ok((user + system) / TICKS_PER_SECOND),
        _ => Err(failed(&"the system does not say how much processor time was used")),
    }
}

/// The most memory that was resident so far, in MiB, of a process by its id or of `self`.
pub(super) fn most_memory(process: &str) -> Result<f64, TaskError> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).map_err(|cause| failed(&cause))?;
    let kibibytes: Option<f64> = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok());
    kibibytes
        .map(|kibibytes| kibibytes / 1024.0)
        .ok_or_else(|| failed(&"the system does not say how much memory was used"))
}
