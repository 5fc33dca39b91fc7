//! One life of a stack, on a cluster of its own, and kills in it.
//!
//! Invariants:
//! - A kill counts when the program ended by it and by nothing else.
//! - Whatever ends by itself has to end well.

use super::{
    audit::{Log, Told},
    dice::Dice,
    holdings::{Differences, Holdings},
};
use crate::{
    bench::served::Served,
    client::{Bare, failed},
    error::TaskError,
    program,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    ops::Range,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A thousand times the reference's durations.
const SPEED: [&str; 2] = ["--simulate-speed", "1000"];
/// How many kills are aimed at an apply, and at a destroy: from so many on, below so many.
const KILLS: Range<u64> = 2..6;
/// One kill in so many comes before the first write: while the program reads and plans.
const ONE_BEFORE_WRITES_IN: u64 = 6;
/// At most so long after a write the kill comes: while others are in flight, and what was done is written down.
const AT_MOST_AFTER_A_WRITE: Duration = Duration::from_millis(100);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(2);
/// How long garbage collection and operators have to come to rest.
const RESTS_WITHIN: Duration = Duration::from_secs(60);
/// A cluster that is the same after so long has come to rest; what it is then is expected of every other life.
const STANDS_STILL_FOR: Duration = Duration::from_secs(10);
/// `SIGKILL` (`man 7 signal`).
const KILLED: i32 = 9;

/// What a command does undisturbed, which its kills are aimed by.
#[derive(Debug)]
pub(super) struct Pace {
    /// How many of its writes the server takes.
    writes: u64,
    /// How long it reads and plans, before the first of them.
    before_writes: Duration,
}

/// How often a kill met the program, and how often it had ended by itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kills {
    pub(super) hits: u64,
    pub(super) late: u64,
}

/// What a killed run leaves to the next one beside the stack file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memory {
    /// All that it had written.
    Whole,
    /// What was there before it.
    OfBefore,
}

/// When a kill comes.
#[derive(Debug)]
struct Aim {
    /// After the server took so many writes; none means from the start.
    writes: u64,
    /// So long after that.
    then: Duration,
}

/// One stack on one cluster, in a folder that goes with it.
pub(super) struct Life {
    stackctl: PathBuf,
    folder: PathBuf,
    log: Log,
    client: Bare,
    before: Holdings,
    /// Ended when dropped.
    _served: Served,
}

impl Life {
    /// Serves a fresh cluster and looks at all that it holds.
    ///
    /// # Errors
    /// A cluster that does not come up.
    pub(super) fn begin(stackctl: &Path, stack: &Path, faults: &[&str]) -> Result<Self, TaskError> {
        let folder = std::env::temp_dir().join(format!("stackctl-chaos-{}", std::process::id()));
        // The one before may have left it.
        drop(fs::remove_dir_all(&folder));
        let simulator = folder.join("simulator");
        fs::create_dir_all(&simulator).map_err(|cause| TaskError::Write {
            path: simulator.clone(),
            cause,
        })?;
        fs::copy(stack, folder.join("stack.toml")).map_err(|cause| TaskError::Read {
            path: stack.to_owned(),
            cause,
        })?;
        let served = Served::start_with(stackctl, &simulator, &[&SPEED, faults].concat())?;
        let client = served.connect()?;
        Ok(Self {
            stackctl: stackctl.to_owned(),
            folder,
            log: Log::of(simulator.join("audit.ndjson")),
            before: Holdings::of(&client)?,
            client,
            _served: served,
        })
    }

    fn prepared(&self, command: &str) -> Command {
        let mut prepared = Command::new(&self.stackctl);
        prepared
            .arg(command)
            .arg("stack.toml")
            .args(["--simulate=simulator"])
            .args(SPEED)
            .arg(if command == "plan" {
                "--detailed-exitcode"
            } else {
                "--yes"
            })
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        prepared
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// A command that fails.
    pub(super) fn command(&self, command: &str) -> Result<(), TaskError> {
        program::output(&mut self.prepared(command), "").map(drop)
    }

    /// Runs a command to its end, and answers with its pace.
    ///
    /// # Errors
    /// A command that fails.
    pub(super) fn pace(&mut self, command: &str) -> Result<Pace, TaskError> {
        let before = self.told()?.n_writes();
        let begun = Instant::now();
        let mut child = self.spawned(command)?;
        let mut before_writes = None;
        while child.try_wait().map_err(|cause| failed(&cause))?.is_none() {
            if before_writes.is_none() && self.told()?.n_writes() > before {
                before_writes = Some(begun.elapsed());
            }
            thread::sleep(LOOK_AGAIN_AFTER);
        }
        let status = child.wait().map_err(|cause| failed(&cause))?;
        self.ended_well(command, status.success())?;
        Ok(Pace {
            writes: self.told()?.n_writes() - before,
            before_writes: before_writes.unwrap_or_else(|| begun.elapsed()),
        })
    }

    /// Runs a command some times and kills it each time, until one ends by itself: it is done then.
    ///
    /// # Errors
    /// One that ends by itself and not well.
    pub(super) fn kills(
        &mut self,
        command: &str,
        pace: &Pace,
        memory: Memory,
        dice: &mut Dice,
    ) -> Result<Kills, TaskError> {
        let mut kills = Kills::default();
        let begun = self.told()?.n_writes();
        for _ in 0..KILLS.start + dice.below(KILLS.end - KILLS.start) {
            let written = self.told()?.n_writes() - begun;
            let aim = Aim::drawn(pace, pace.writes.saturating_sub(written), dice);
            let before = match memory {
                Memory::Whole => None,
                Memory::OfBefore => Some(self.state()?),
            };
            if !self.is_killed(command, &aim)? {
                kills.late += 1;
                break;
            }
            kills.hits += 1;
            if let Some(before) = before {
                self.goes_on_from(&before)?;
            }
        }
        Ok(kills)
    }

    /// Runs a command and kills it; whether that is what it ended by.
    fn is_killed(&mut self, command: &str, aim: &Aim) -> Result<bool, TaskError> {
        let wanted = self.told()?.n_writes() + aim.writes;
        let mut child = self.spawned(command)?;
        let mut due = None;
        let status = loop {
            if due.is_none() && self.told()?.n_writes() >= wanted {
                due = Some(Instant::now() + aim.then);
            }
            if due.is_some_and(|due| Instant::now() >= due) {
                // One that has ended by itself cannot be killed, which its status says.
                drop(child.kill());
                break child.wait().map_err(|cause| failed(&cause))?;
            }
            if let Some(status) = child.try_wait().map_err(|cause| failed(&cause))? {
                break status;
            }
            thread::sleep(LOOK_AGAIN_AFTER);
        };
        if status.signal() == Some(KILLED) {
            return Ok(true);
        }
        self.ended_well(command, status.success()).map(|()| false)
    }

    /// What is kept beside the stack file, but for the lock, which is of whoever runs.
    fn state(&self) -> Result<BTreeMap<PathBuf, Vec<u8>>, TaskError> {
        let Ok(entries) = fs::read_dir(self.folder.join("simulator/state")) else {
            return Ok(BTreeMap::new());
        };
        entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension != "lock"))
            .map(|path| match fs::read(&path) {
                Ok(bytes) => Ok((path, bytes)),
                Err(cause) => Err(TaskError::Read { path, cause }),
            })
            .collect()
    }

    /// Puts back what was kept before a run; where that is refused, it is made again of what the cluster keeps.
    fn goes_on_from(&self, before: &BTreeMap<PathBuf, Vec<u8>>) -> Result<(), TaskError> {
        for path in self.state()?.into_keys().filter(|path| !before.contains_key(path)) {
            fs::remove_file(&path).map_err(|cause| TaskError::Write { path, cause })?;
        }
        for (path, bytes) in before {
            fs::write(path, bytes).map_err(|cause| TaskError::Write {
                path: path.clone(),
                cause,
            })?;
        }
        let planned = program::run(&mut self.prepared("plan"))?;
        let is_refused = String::from_utf8_lossy(&planned.stderr).contains("state rebuild");
        match planned.status.code() {
            Some(0 | 2) => return Ok(()),
            Some(1) if is_refused => {}
            _ => return Err(program::failed(&self.prepared("plan"), &planned, "")),
        }
        let mut rebuild = Command::new(&self.stackctl);
        rebuild
            .args(["state", "rebuild", "--force", "--simulate=simulator"])
            .args(SPEED)
            .current_dir(&self.folder)
            .stdin(Stdio::null());
        program::output(&mut rebuild, "").map(drop)
    }

    /// Starts a command, whose words go into a file.
    fn spawned(&self, command: &str) -> Result<std::process::Child, TaskError> {
        let path = self.words();
        let words = File::create(&path).map_err(|cause| TaskError::Write { path, cause })?;
        self.prepared(command)
            .stdout(Stdio::null())
            .stderr(words)
            .spawn()
            .map_err(|cause| TaskError::Start {
                program: self.stackctl.display().to_string(),
                cause,
            })
    }

    fn words(&self) -> PathBuf {
        self.folder.join("words")
    }

    fn ended_well(&self, command: &str, is_well: bool) -> Result<(), TaskError> {
        if is_well {
            return Ok(());
        }
        let path = self.words();
        let words = fs::read_to_string(&path).map_err(|cause| TaskError::Read { path, cause })?;
        Err(failed(&format!("{command} ended by itself, and not well\n{words}")))
    }

    /// What the audit log says by now.
    ///
    /// # Errors
    /// A log that cannot be read.
    pub(super) fn told(&mut self) -> Result<&Told, TaskError> {
        self.log.told()
    }

    /// What we made that is there now.
    ///
    /// # Errors
    /// A log that cannot be read.
    pub(super) fn made(&mut self) -> Result<BTreeSet<String>, TaskError> {
        self.told().map(Told::there)
    }

    /// How the cluster differs from what it was before the stack, once it has come to rest.
    ///
    /// # Errors
    /// A cluster that does not answer.
    pub(super) fn differences(&self) -> Result<Differences, TaskError> {
        let mut last = None;
        self.differences_until(|now| {
            let stands_still = last.as_ref() == Some(now);
            last = Some(now.clone());
            if !stands_still {
                thread::sleep(STANDS_STILL_FOR);
            }
            stands_still
        })
    }

    /// The same once it is as it is expected to be, which is waited for; what has come instead is the answer if it does not.
    ///
    /// # Errors
    /// A cluster that does not answer.
    pub(super) fn differences_until(
        &self,
        mut is_expected: impl FnMut(&Differences) -> bool,
    ) -> Result<Differences, TaskError> {
        let begun = Instant::now();
        loop {
            let now = Holdings::of(&self.client)?.since(&self.before);
            if is_expected(&now) || begun.elapsed() > RESTS_WITHIN {
                return Ok(now);
            }
        }
    }
}

impl Aim {
    /// Draws when a kill comes to a command that has so many writes left.
    fn drawn(pace: &Pace, left: u64, dice: &mut Dice) -> Self {
        if left == 0 || dice.below(ONE_BEFORE_WRITES_IN) == 0 {
            Self {
                writes: 0,
                then: dice.within(pace.before_writes),
            }
        } else {
            Self {
                writes: dice.below(left) + 1,
                then: dice.within(AT_MOST_AFTER_A_WRITE),
            }
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // Best effort: what stays lies in the folder for temporary files.
        drop(fs::remove_dir_all(&self.folder));
    }
}
