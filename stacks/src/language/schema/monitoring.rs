//! `[monitoring]`: user-workload monitoring.

use super::super::problem::Problems;
use super::super::read::{self, Field, Reader};
use super::super::typed;
use crate::stack::Monitoring;

/// What a stack without the table gets: models are of little use unseen.
pub(super) const fn default() -> Monitoring {
    Monitoring {
        enabled: true,
        ready_timeout: None,
    }
}

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<Monitoring> {
    let mut reader = Reader::new(field, "`[monitoring]`", problems)?;
    let enabled = reader.or("enabled", true, problems, read::boolean);
    let ready_timeout = reader
        .optional("ready_timeout", problems, typed::timeout)
        .map(|at| at.value);
    reader.finish(problems);
    Some(Monitoring { enabled, ready_timeout })
}
