//! `output`: what the platform offers.

use super::{
    cluster::{Cluster, Use},
    known::Known,
    load, prepare, runtime,
};
use crate::{error::Error, exit::Exit, settings::Settings, views};
use stackctl_stacks::{Stack, components};

pub(super) fn run(settings: &Settings) -> Result<Exit, Error> {
    let (stack, _) = load::stack(settings)?;
    let known = Known::read(settings, stack.name.as_str())?;
    // What was applied was applied with the facts of the state; no cluster has to be asked for that.
    let facts = match &known.state {
        Some(state) if !state.is_empty() => state.facts().clone(),
        _ => {
            views::tell("nothing is applied yet; this is what an apply would offer\n");
            of_cluster(settings, &stack)?
        }
    };
    let outputs = components::outputs(&stack, &facts).map_err(|errors| prepare::refused(&errors))?;
    views::result(&if settings.json {
        views::json::pretty(&views::output::to_json(&outputs))
    } else {
        views::output::outputs(&outputs, &settings.out)
    });
    Ok(Exit::Done)
}

fn of_cluster(settings: &Settings, stack: &Stack) -> Result<stackctl_engine::facts::Facts, Error> {
    runtime::block_on(async {
        let cluster = Cluster::open(settings, stack.context(), Use::Read).await?;
        let desired = prepare::for_look(&cluster, stack, None, settings).await;
        cluster.close().await;
        Ok(desired?.facts)
    })
}
