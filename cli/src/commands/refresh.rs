//! `--refresh-only`: what is recorded follows the cluster, and nothing is written to the cluster but its copy of that.

use super::{
    cluster::Cluster,
    known::{Known, problem},
    planning,
};
use crate::{
    error::{Error, Problem},
    settings::Settings,
    views::{self, drift::Looked},
};
use stackctl_engine::{
    diff::drift::unknown,
    execute::Journal as _,
    plan::{Refreshed, refresh},
};
use stackctl_state::{State, StateLock};

/// What would be recorded otherwise.
#[derive(Debug)]
pub(super) struct Look {
    /// Each address of which something else is to be recorded.
    pub(super) refreshed: Vec<Refreshed>,
    looked: Looked,
}

/// Reads every recorded object, and what is to be recorded of it.
///
/// # Errors
/// When nothing is recorded, or the cluster does not answer.
pub(super) async fn look(settings: &Settings, cluster: &Cluster, known: &Known) -> Result<Look, Error> {
    let Some(state) = &known.state else {
        return Err(
            Problem::new(format!("nothing is recorded of the stack {}", known.identity.stack))
                .hint("`stackctl apply` comes first; there is nothing that could follow the cluster")
                .into(),
        );
    };
    let survey = planning::look(settings, cluster, known, &[], state.recorded()).await?;
    let refreshed = refresh(
        state.recorded(),
        |address| survey.live(address),
        &known.identity,
        known.key.as_ref(),
    );
    let objects = state.recorded().values().filter(|known| known.object().is_some());
    let looked = Looked {
        recorded: objects.count(),
        unknown: unknown(state.recorded(), |address| survey.live(address), known.key.as_ref()),
        ..Looked::default()
    };
    Ok(Look { refreshed, looked })
}

/// Shows what would be recorded otherwise.
pub(super) fn show(look: &Look, settings: &Settings) {
    views::result(&if settings.json {
        views::json::pretty(&views::json::refreshed(&look.refreshed, &look.looked))
    } else {
        views::drift::refreshed(&look.refreshed, &look.looked, &settings.out)
    });
}

/// Records it, and returns the state that it comes to.
///
/// # Errors
/// When the state cannot be written.
pub(super) fn record(look: &Look, before: State, known: &Known, lock: &StateLock) -> Result<State, Error> {
    let mut journal = known.backend.journal(before, lock).map_err(problem)?;
    for one in &look.refreshed {
        journal.record(&one.outcome);
    }
    Ok(journal.finish().map_err(problem)?)
}
