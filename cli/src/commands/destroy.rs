//! `destroy`: the reverse, from the record alone.

use super::{
    cluster::{Cluster, Use},
    copy,
    execution::{self, How, Job},
    known::Known,
    load, planning, runtime,
};
use crate::{
    cli::DestroyCommand,
    error::{Error, Problem},
    exit::Exit,
    prompt,
    settings::Settings,
    views,
};
use stackctl_engine::plan::Purpose;

pub(super) fn run(command: &DestroyCommand, settings: &Settings) -> Result<Exit, Error> {
    let (name, context) = if command.state_only {
        (only_state(settings)?, None)
    } else {
        let (stack, _) = load::stack(settings)?;
        (stack.name.to_string(), stack.context().map(str::to_owned))
    };
    if !command.yes {
        prompt::needs_terminal(Purpose::Destroy)?;
    }
    let mut known = Known::read(settings, &name)?;
    runtime::block_on(async {
        let cluster = Cluster::open(settings, context.as_deref(), Use::Write).await?;
        let exit = async {
            known.check_cluster(&cluster)?;
            let lock = known.lock("destroy")?;
            if known.state.as_ref().is_none_or(|state| state.is_empty()) {
                copy::look(&cluster, &name).await?.check(&known)?;
                // A destroy that was killed after its last deletion left the copy of nothing.
                if let Some(state) = &known.state {
                    copy::remove(&cluster, state).await?;
                }
                views::tell(&format!(
                    "nothing is recorded of the stack {name}: there is nothing to destroy\n"
                ));
                return Ok(Exit::Done);
            }
            let planned = planning::destroy(settings, &cluster, &known, &command.scope).await?;
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

/// The stack whose state is the only one there.
fn only_state(settings: &Settings) -> Result<String, Error> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&settings.state).into_iter().flatten().flatten() {
        // The state of a stack is kept in a file of its name (`LocalBackend`).
        names.extend(
            entry
                .file_name()
                .to_string_lossy()
                .strip_suffix(".state.json")
                .map(str::to_owned),
        );
    }
    names.sort();
    match names.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(
            Problem::new(format!("there is no state in `{}`", settings.state.display()))
                .hint("name its directory with `--state`, or change to the directory of the stack file")
                .into(),
        ),
        several => Err(Problem::new(format!(
            "there are several states in `{}`: {}",
            settings.state.display(),
            several.join(", ")
        ))
        .hint("name the stack file instead of `--state-only`")
        .into()),
    }
}
