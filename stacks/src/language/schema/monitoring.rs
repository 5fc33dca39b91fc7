//! `[monitoring]`: user-workload monitoring.

use super::super::problem::{Problem, Problems};
use super::super::read::{self, Field, Reader};
use super::super::typed;
use crate::stack::Monitoring;

/// What a stack without the table gets: models are of little use unseen.
pub(super) const fn default() -> Monitoring {
    Monitoring {
        enabled: true,
        dashboards: true,
        datasource: false,
        ready_timeout: None,
    }
}

pub(super) fn read(field: Field<'_>, problems: &mut Problems) -> Option<Monitoring> {
    let mut reader = Reader::new(field, "`[monitoring]`", problems)?;
    let enabled = reader.or("enabled", true, problems, read::boolean);
    let dashboards = reader.or("dashboards", enabled, problems, read::boolean);
    let datasource = reader.or("datasource", false, problems, read::boolean);
    for (key, is_on) in [("dashboards", dashboards), ("datasource", datasource)] {
        if is_on && !enabled {
            problems.push(
                reader.key_place(key).unwrap_or(reader.place),
                Problem::Requires {
                    this: key,
                    other: "enabled = true",
                    hint: "without user-workload monitoring there is nothing to show",
                },
            );
        }
    }
    let ready_timeout = reader
        .optional("ready_timeout", problems, typed::timeout)
        .map(|at| at.value);
    reader.finish(problems);
    Some(Monitoring {
        enabled,
        dashboards,
        datasource,
        ready_timeout,
    })
}
