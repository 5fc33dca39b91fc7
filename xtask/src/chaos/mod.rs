//! Random kills of `stackctl` on a served cluster that fails now and then: `cargo xtask chaos --runs N`.
//!
//! Invariants:
//! - The cluster is a process of its own: a kill of `stackctl` is no kill of the cluster.
//! - What came of it is judged from the audit log of the cluster and from all that it holds, by comparison with one life
//!   that nobody disturbed.
//! - A run is a whole life: applies that are killed and one that is let through, an empty plan, destroys that are killed
//!   and one that is let through. Of one life in three no apply is let through: it is destroyed as the kills left it, and
//!   nothing that we made stays that would not stay after a whole one. What operators leave behind that were stopped in the
//!   middle of their installation is theirs.
//! - Of one life in four each apply that was killed leaves no state behind: the next command has the one from before it, as a
//!   cache or a backup has, or makes it again of what the cluster keeps where that one is refused.
//! - A kill counts only where it is what ended the program; where too few of them did, nothing was shown, and that is an
//!   error.

mod audit;
mod dice;
mod holdings;
mod life;

use crate::{bench::release, client::failed, error::TaskError};
use clap::Args;
use dice::Dice;
use life::{Kills, Life, Memory};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
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
/// So many kills have to meet an apply, and so many a destroy, in each run on average.
const FEWEST_KILLS: u64 = 2;

/// One life in so many is destroyed before an apply of it was let through.
const ONE_UNFINISHED_IN: u64 = 3;

/// One life in so many goes on from the state of before each kill of an apply.
const ONE_FORGETFUL_IN: u64 = 4;

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
    let expected = calm.differences()?;
    drop(calm);
    let mut count = Count::default();
    let (mut of_apply, mut of_destroy) = (Kills::default(), Kills::default());
    let mut n_whole = 0;
    for run in 0..chaos.runs {
        let mut life = Life::begin(&stackctl, &stack, &FAULTS)?;
        let is_whole = (run + 1) % ONE_UNFINISHED_IN > 0;
        let memory = match run % ONE_FORGETFUL_IN {
            1 => Memory::OfBefore,
            _ => Memory::Whole,
        };
        of_apply.add(life.kills("apply", &to_apply, memory, &mut dice)?);
        if is_whole {
            n_whole += 1;
            life.command("apply")?;
            count.compare(&applied, &life.made()?, |object| format!("run {run}, apply: {object}"));
            life.command("plan")?;
            of_destroy.add(life.kills("destroy", &to_destroy, Memory::Whole, &mut dice)?);
        }
        life.command("destroy")?;
        let told = life.told()?;
        let name = |object: &String| format!("run {run}, destroy: {object}");
        count.doubled.extend(told.doubled().iter().map(name));
        let there = told.there();
        let at_its_end = |what: &String| format!("run {run}, at its end: {what}");
        if is_whole {
            count.compare(&left, &there, name);
            let differences = life.differences_until(|now| *now == expected)?;
            let left = differences.left.difference(&expected.left);
            count.orphaned.extend(left.map(at_its_end));
            count
                .lost
                .extend(differences.lost.difference(&expected.lost).map(at_its_end));
        } else {
            count.orphaned.extend(there.difference(&left).map(name));
            let differences = life.differences_until(|now| now.lost.is_subset(&expected.lost))?;
            count
                .lost
                .extend(differences.lost.difference(&expected.lost).map(at_its_end));
        }
    }
    let sentence = format!(
        "{} runs, {} of them unfinished, {} kills of apply and {} of destroy, {} too late, seed {}: lost {}, orphaned {}, \
         doubled {}",
        chaos.runs,
        chaos.runs - n_whole,
        of_apply.hits,
        of_destroy.hits,
        of_apply.late + of_destroy.late,
        chaos.seed,
        count.lost.len(),
        count.orphaned.len(),
        count.doubled.len()
    );
    let mut told: Vec<String> = [count.lost, count.orphaned, count.doubled].concat();
    for (command, kills, lives) in [("apply", of_apply, chaos.runs), ("destroy", of_destroy, n_whole)] {
        if kills.hits < FEWEST_KILLS * lives {
            told.push(format!("too few kills met a running {command}: nothing was shown"));
        }
    }
    if told.is_empty() {
        Ok(sentence)
    } else {
        Err(failed(&format!("{sentence}\n{}", told.join("\n"))))
    }
}

impl Count {
    /// Counts what is there and should not be, and what should be there and is not.
    fn compare(&mut self, expected: &BTreeSet<String>, there: &BTreeSet<String>, name: impl Fn(&String) -> String) {
        self.lost.extend(expected.difference(there).map(&name));
        self.orphaned.extend(there.difference(expected).map(&name));
    }
}

impl Kills {
    fn add(&mut self, more: Self) {
        self.hits += more.hits;
        self.late += more.late;
    }
}
