//! What is not done without a word of its own.

use super::planning::Planned;
use crate::error::{Error, Problem};
use stackctl_engine::plan::Excess;

/// Refuses a plan that deletes more than a stack may lose by mistake, unless the person said that it is meant.
///
/// # Errors
/// Each way in which it does; nothing was done then.
pub(super) fn within_budget(planned: &Planned, yes_delete: bool) -> Result<(), Error> {
    let refused: Vec<_> = planned
        .excess
        .iter()
        .filter(|excess| !(yes_delete && excess.may_be_meant()))
        .map(problem)
        .collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(Error::Problems(refused))
    }
}

fn problem(excess: &Excess) -> Problem {
    Problem::of(excess).hint(excess.hint())
}
