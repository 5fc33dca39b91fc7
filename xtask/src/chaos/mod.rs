//! Random kills of `stackctl` on a served cluster that fails now and then: `cargo xtask chaos --runs N`.
//!
//! Invariants:
//! - The cluster is a process of its own: a kill of `stackctl` is no kill of the cluster.
//! - What came of it is judged from the audit log of the cluster and from all that it holds, by comparison with one life
//!   that nobody disturbed.
//! - A run is a whole life: applies that are killed and one that is let through, an empty plan, destroys that are killed
//!   and one that is let through.
//! - A kill counts only where it is what ended the program; where too few of them did, nothing was shown, and that is an
//!   error.

mod audit;
mod dice;
mod holdings;
mod life;

use crate::{bench::release, client::failed, error::TaskError};
use clap::Args;
use dice::Dice;
use life::{Kills, Life};
use std::path::{Path, PathBuf};

/// What goes wrong besides the kills: one request in twenty, and one watch in ten.
const FAULTS: [&str; 6] = [
    "--fault",
    "errors@5%",
    "--fault",
    "dropped-connections@5%",
    "--fault",
    "dropped-watches@10%",
];
/// So many kills have to meet an apply, and so many a destroy, in each run on average.
const FEWEST_KILLS: u64 = 2;

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
    /// What the instants of the kills are drawn from.
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
    /// What should be there, as it was, and is not.
    lost: Vec<String>,
    /// What is there and should not be.
    orphaned: Vec<String>,
    /// What was made more often than once.
    doubled: Vec<String>,
}

/// Lets it happen; returns the counts.
///
/// # Errors
/// A command that fails though nobody killed it; a count that is not zero, with what it counts; too few kills that met
/// anything.
pub(crate) fn run(root: &Path, chaos: &Chaos) -> Result<String, TaskError> {
    let stackctl = match &chaos.stackctl {
        Some(path) => root.join(path),
        None => release(root)?,
    };
    let stack = root.join(&chaos.stack);
    let mut dice = Dice::of(chaos.seed);
    let mut calm = Life::begin(&stackctl, &stack, &[])?;
    let to_apply = calm.pace("apply")?;
    let applied = calm.made()?;
    let to_destroy = calm.pace("destroy")?;
    let left = calm.made()?;
    let expected = calm.differences(None)?;
    drop(calm);
    let mut count = Count::default();
    let (mut of_apply, mut of_destroy) = (Kills::default(), Kills::default());
    for run in 0..chaos.runs {
        let mut life = Life::begin(&stackctl, &stack, &FAULTS)?;
        for (command, pace, expected, kills) in [
            ("apply", &to_apply, &applied, &mut of_apply),
            ("destroy", &to_destroy, &left, &mut of_destroy),
        ] {
            kills.add(life.kills(command, pace, &mut dice)?);
            life.command(command)?;
            let told = life.told()?;
            let there = told.there();
            let name = |object: &String| format!("run {run}, {command}: {object}");
            count.lost.extend(expected.difference(&there).map(name));
            count.orphaned.extend(there.difference(expected).map(name));
            count.doubled.extend(told.doubled().iter().map(name));
            if command == "apply" {
                life.command("plan")?;
            }
        }
        let differences = life.differences(Some(&expected))?;
        let name = |what: &String| format!("run {run}, at its end: {what}");
        count.lost.extend(differences.lost.difference(&expected.lost).map(name));
        count
            .orphaned
            .extend(differences.left.difference(&expected.left).map(name));
    }
    let sentence = format!(
        "{} runs, {} kills of apply and {} of destroy, {} too late, seed {}: lost {}, orphaned {}, doubled {}",
        chaos.runs,
        of_apply.hits,
        of_destroy.hits,
        of_apply.late + of_destroy.late,
        chaos.seed,
        count.lost.len(),
        count.orphaned.len(),
        count.doubled.len()
    );
    let mut told: Vec<String> = [count.lost, count.orphaned, count.doubled].concat();
    for (command, kills) in [("apply", of_apply), ("destroy", of_destroy)] {
        if kills.hits < FEWEST_KILLS * chaos.runs {
            told.push(format!("too few kills met a running {command}: nothing was shown"));
        }
    }
    if told.is_empty() {
        Ok(sentence)
    } else {
        Err(failed(&format!("{sentence}\n{}", told.join("\n"))))
    }
}

impl Kills {
    fn add(&mut self, more: Self) {
        self.hits += more.hits;
        self.late += more.late;
    }
}
