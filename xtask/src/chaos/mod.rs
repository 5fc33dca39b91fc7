//! Random kills of `stackctl` on a served cluster that fails now and then: `cargo xtask chaos --runs N`.
//!
//! Invariants:
//! - The cluster is a process of its own: a kill of `stackctl` is no kill of the cluster.
//! - What came of it is judged from the audit log of the cluster alone, by comparison with one run that nobody disturbed.
//! - A run is a whole life: applies that are killed and one that is let through, an empty plan, destroys that are killed
//!   and one that is let through.

mod audit;

use crate::{
    bench::{release, served::Served},
    client::failed,
    error::TaskError,
    program,
};
use audit::Told;
use clap::Args;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// What goes wrong besides the kills: one request in twenty, and one watch in ten.
const FAULTS: [&str; 6] = [
    "--fault",
    "errors@5%",
    "--fault",
    "dropped-connections@5%",
    "--fault",
    "dropped-watches@10%",
];
/// A thousand times the reference's durations.
const SPEED: [&str; 2] = ["--simulate-speed", "1000"];
/// At most so many kills of an apply, and of a destroy.
const MOST_KILLS: u64 = 6;
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// What the instants of the kills are drawn from, unless a flag says it.
const SEED: u64 = 0x5eed;

/// The stack, unless a flag names one.
const STACK: &str = "examples/quickstart/stack.toml";

/// How much chaos.
#[derive(Args, Debug)]
pub(crate) struct Chaos {
    /// How many lives of a stack.
    #[arg(long, default_value_t = 20)]
    runs: u64,
    /// What the instants of the kills are drawn from; a run repeats by it.
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// The stack, which needs no answer of a person.
    #[arg(long, default_value = STACK)]
    stack: PathBuf,
    /// The program; without it the release build is made and taken.
    #[arg(long)]
    stackctl: Option<PathBuf>,
}

impl Chaos {
    /// So many runs, and all else as without a flag.
    pub(crate) fn of(runs: u64) -> Self {
        Self {
            runs,
            seed: SEED,
            stack: STACK.into(),
            stackctl: None,
        }
    }
}

/// What went wrong in all runs together.
#[derive(Debug, Default)]
struct Count {
    kills: u64,
    /// What should be there and is not.
    lost: Vec<String>,
    /// What is there and should not be.
    orphaned: Vec<String>,
    /// What was made more often than once.
    doubled: Vec<String>,
}

/// Lets it happen; returns the counts.
///
/// # Errors
/// A command that fails though nobody killed it, or a count that is not zero, with what it counts.
pub(crate) fn run(root: &Path, chaos: &Chaos) -> Result<String, TaskError> {
    let stackctl = match &chaos.stackctl {
        Some(path) => root.join(path),
        None => release(root)?,
    };
    let stack = root.join(&chaos.stack);
    let mut dice = Dice(chaos.seed);
    let calm = Life::begin(&stackctl, &stack, &[])?;
    let begun = Instant::now();
    calm.command("apply")?;
    let took = begun.elapsed();
    let (applied, _) = calm.made()?;
    calm.command("destroy")?;
    let (left, _) = calm.made()?;
    drop(calm);
    let mut count = Count::default();
    for run in 0..chaos.runs {
        let life = Life::begin(&stackctl, &stack, &FAULTS)?;
        for (command, expected) in [("apply", &applied), ("destroy", &left)] {
            count.kills += life.kills(command, took, &mut dice)?;
            life.command(command)?;
            let (there, doubled) = life.made()?;
            let name = |object: &String| format!("run {run}, {command}: {object}");
            count.lost.extend(expected.difference(&there).map(name));
            count.orphaned.extend(there.difference(expected).map(name));
            if command == "apply" {
                count.doubled.extend(doubled.iter().map(name));
                life.command("plan")?;
            }
        }
    }
    let sentence = format!(
        "{} runs, {} kills, seed {}: lost {}, orphaned {}, doubled {}",
        chaos.runs,
        count.kills,
        chaos.seed,
        count.lost.len(),
        count.orphaned.len(),
        count.doubled.len()
    );
    let told: Vec<String> = [count.lost, count.orphaned, count.doubled].concat();
    if told.is_empty() {
        Ok(sentence)
    } else {
        Err(failed(&format!("{sentence}\n{}", told.join("\n"))))
    }
}

/// One stack on one cluster, in a folder that goes with it.
#[derive(Debug)]
struct Life {
    stackctl: PathBuf,
    folder: PathBuf,
    /// Ended when dropped.
    _served: Served,
}

impl Life {
    fn begin(stackctl: &Path, stack: &Path, faults: &[&str]) -> Result<Self, TaskError> {
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
        let arguments = [&SPEED, faults].concat();
        Ok(Self {
            stackctl: stackctl.to_owned(),
            _served: Served::start_with(stackctl, &simulator, &arguments)?,
            folder,
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
    fn command(&self, command: &str) -> Result<(), TaskError> {
        program::output(&mut self.prepared(command), "").map(drop)
    }

    /// Runs a command some times and kills it each time, somewhere within the time that it takes undisturbed.
    fn kills(&self, command: &str, takes: Duration, dice: &mut Dice) -> Result<u64, TaskError> {
        let kills = dice.below(MOST_KILLS) + 1;
        for _ in 0..kills {
            let mut child = self
                .prepared(command)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .map_err(|cause| TaskError::Start {
                    program: self.stackctl.display().to_string(),
                    cause,
                })?;
            let most = u64::try_from(takes.as_millis()).unwrap_or(u64::MAX);
            let (begun, lives) = (Instant::now(), Duration::from_millis(dice.below(most.max(1))));
            while begun.elapsed() < lives && child.try_wait().is_ok_and(|ended| ended.is_none()) {
                thread::sleep(LOOK_AGAIN_AFTER);
            }
            // One that has ended by itself cannot be killed, which is as well.
            drop(child.kill());
            child.wait().map_err(|cause| failed(&cause))?;
        }
        Ok(kills)
    }

    /// What we made that is there now, and what we made more often than once.
    fn made(&self) -> Result<(BTreeSet<String>, BTreeSet<String>), TaskError> {
        let path = self.folder.join("simulator/audit.ndjson");
        let text = fs::read_to_string(&path).map_err(|cause| TaskError::Read {
            path: path.clone(),
            cause,
        })?;
        let told = Told::read(&path, &text)?;
        Ok((told.there(), told.doubled()))
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // Best effort: what stays lies in the folder for temporary files.
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// A linear congruential generator (Knuth, MMIX): random enough to spread instants, and it repeats by its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most.max(1)
    }
}
