//! `destroy`: the reverse, from the record alone.

use super::{
    cluster::{Cluster, Use},
    copy,
    execution::{self, How, Job},
    known::Known,
    lease, load, of_record, planning, runtime,
};
use crate::{cli::DestroyCommand, error::Error, exit::Exit, prompt, settings::Settings, views};
use stackctl_engine::plan::Purpose;

pub(super) fn run(command: &DestroyCommand, settings: &Settings) -> Result<Exit, Error> {
    let (name, stack) = if command.state_only {
        (
            of_record::stack(&command.stack.files, settings, "destroy --state-only NAME")?,
            None,
        )
    } else {
        let (stack, _) = load::stack(settings)?;
        (stack.name.to_string(), Some(stack))
    };
    let context = stack.as_ref().and_then(|stack| stack.context());
    match (command.yes, command.state_only) {
        (true, _) => {}
        (false, true) => prompt::needs_terminal_for_record()?,
        (false, false) => prompt::needs_terminal(Purpose::Destroy)?,
    }
    let mut known = Known::read(settings, &name)?;
    runtime::block_on(async {
        let cluster = Cluster::open(settings, context, Use::Write).await?;
        let exit = async {
            known.check_cluster(&cluster)?;
            let lock = known.lock("destroy")?;
            let is_recorded = known.state.as_ref().is_some_and(|state| !state.is_empty());
            if !is_recorded && planning::left(&cluster, &known).await?.is_empty() {
                let holder = lease::holder(&lock);
                match &known.state {
                    // A destroy that was killed after its last deletion left the copy of nothing.
                    Some(state) => {
                        lease::is_free(&cluster.provider, &name, &holder).await?;
                        copy::remove(&cluster.provider, state, copy::Over::Known(state)).await?;
                    }
                    None => copy::remove_unused(&cluster.provider, &name, &holder).await?,
                }
                views::tell(&format!(
                    "nothing is recorded of the stack {name}: there is nothing to destroy\n"
                ));
                return Ok(Exit::Done);
            }
            let planned = planning::destroy(
                settings,
                &cluster,
                &known,
                stack.as_ref(),
                &command.scope,
                command.yes_delete,
            )
            .await?;
            let how = How {
                ready_timeout: command.ready_timeout,
                yes_delete: command.yes_delete,
                ..How::default()
            };
            let job = Job {
                planned: &planned,
                resources: &[],
                facts: None,
                how,
                timeline: command.timeline.as_deref(),
                places: None,
            };
            let question = (!command.yes).then_some("Destroy this?");
            let ended = execution::ask_and_run(settings, &cluster, &known, &lock, job, question).await?;
            Ok(ended.map_or(Exit::Failed, |ended| ended.exit()))
        }
        .await;
        cluster.close().await;
        exit
    })
}
