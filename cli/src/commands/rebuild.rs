//! `state rebuild`: the state again, of the copy that the cluster keeps.

use super::{
    addressed,
    cluster::{Cluster, Use},
    copy,
    known::{self, problem},
    load, runtime,
};
use crate::{
    cli::StateRebuildCommand,
    error::{Error, Problem},
    exit::Exit,
    settings::Settings,
    views,
};
use stackctl_state::{LocalBackend, State, StateError};

pub(super) fn run(command: &StateRebuildCommand, settings: &Settings) -> Result<Exit, Error> {
    let (name, context) = match &command.name {
        Some(name) if !addressed::is_file(name) => (name.clone(), None),
        _ => {
            let (stack, _) = load::stack(settings)?;
            (stack.name.to_string(), stack.context().map(str::to_owned))
        }
    };
    let backend = LocalBackend::open(&settings.state, &name).map_err(problem)?;
    let lock = backend.lock(&known::who("state rebuild")).map_err(problem)?;
    if !command.force {
        refuse_another(&name, backend.load())?;
    }
    let state = runtime::block_on(async {
        let cluster = Cluster::open(settings, context.as_deref(), Use::Read).await?;
        let state = kept(&cluster, &name).await;
        cluster.close().await;
        state
    })?;
    backend.install(&state, &lock).map_err(problem)?;
    let has_key = backend.key().map_err(problem)?.is_some();
    let summary = super::state::summary(&state);
    views::result(&if settings.json {
        views::json::pretty(&views::state_document::rebuilt(&summary, has_key))
    } else {
        views::state::rebuilt(&summary, has_key)
    });
    Ok(Exit::Done)
}

/// The state of the copy that this cluster keeps.
async fn kept(cluster: &Cluster, name: &str) -> Result<State, Error> {
    let Some(head) = copy::look(cluster, name).await?.head else {
        let others = copy::stacks(cluster).await?;
        let problem = Problem::new(format!("the cluster keeps nothing of the stack {name}"));
        return Err(if others.is_empty() {
            problem.hint("it was not applied here, or it was destroyed")
        } else {
            let others: Vec<_> = others.into_iter().collect();
            problem.hint(format!("it keeps something of {}", others.join(", ")))
        }
        .into());
    };
    let state = copy::read(cluster, name, &head).await?;
    state.check_cluster(&cluster.id).map_err(problem)?;
    Ok(state)
}

/// Refuses to write over a state that holds something, or that cannot be read.
fn refuse_another(name: &str, there: Result<Option<State>, StateError>) -> Result<(), Error> {
    match there {
        Ok(None) => Ok(()),
        Ok(Some(state)) if state.is_empty() => Ok(()),
        Ok(Some(state)) => Err(Problem::new(format!(
            "there is a state of {name} already: {} resources, serial {}",
            state.recorded().len(),
            state.serial()
        ))
        .hint("`--force` puts what the cluster keeps in its place")
        .into()),
        Err(error) => Err(Problem::of(&error)
            .hint("`--force` puts what the cluster keeps in its place")
            .into()),
    }
}
