//! `apply`: plan, ask, carry out; or carry out a saved plan as it is.

use super::{
    cluster::{Cluster, Use},
    copy::{self, Over},
    execution::{self, How, Job},
    known::Known,
    load, planning, preflight, prepare, refresh, runtime, saved, scope,
};
use crate::{
    cli::{ApplyCommand, PlanArgs},
    clock,
    error::{Error, Problem},
    exit::Exit,
    prompt,
    settings::Settings,
    views,
};
use stackctl_engine::plan::Purpose;
use stackctl_stacks::{Stack, components};
use stackctl_state::StateLock;

pub(super) fn run(command: &ApplyCommand, settings: &Settings) -> Result<Exit, Error> {
    for file in &settings.files {
        let Some(saved) = saved::recognised(file)? else {
            continue;
        };
        takes_nothing_more(&command.plan, settings)?;
        return run_saved(command, settings, saved);
    }
    if command.expect.is_some() {
        return Err(
            Problem::new("`--expect` is about a saved plan, and this is a stack file")
                .hint("save a plan with `stackctl plan -o FILE`, and apply that file")
                .into(),
        );
    }
    let (stack, _) = load::stack(settings)?;
    if !command.yes {
        prompt::needs_terminal(Purpose::Apply)?;
    }
    let mut known = Known::read(settings, stack.name.as_str())?;
    runtime::block_on(async {
        let cluster = Cluster::open(settings, stack.context(), Use::Write).await?;
        let exit = fresh(command, settings, &stack, &cluster, &mut known).await;
        cluster.close().await;
        exit
    })
}

async fn fresh(
    command: &ApplyCommand,
    settings: &Settings,
    stack: &Stack,
    cluster: &Cluster,
    known: &mut Known,
) -> Result<Exit, Error> {
    known.check_cluster(cluster)?;
    let lock = known.lock("apply")?;
    if command.plan.refresh_only {
        return follow(command, settings, cluster, known, &lock).await;
    }
    known.replace_lost_key()?;
    let facts = known.state.as_ref().map(|state| state.facts());
    let refresh = command.plan.refresh_facts;
    let desired = prepare::desired(
        cluster,
        stack,
        facts,
        refresh,
        settings,
        &command.plan.schema,
        prepare::Aim::Plan,
    )
    .await?;
    load::show_notices(&desired.notices, settings);
    let planned = planning::apply(settings, cluster, known, stack, &desired, &command.plan).await?;
    if !command.skip_preflight && is_first(known) {
        preflight::before_first_apply(settings, cluster, stack, &planned).await?;
    }
    let job = Job {
        planned: &planned,
        resources: &planned.part_of(&desired),
        facts: Some(&desired.facts),
        how: how(&command.plan),
        timeline: command.timeline.as_deref(),
        places: Some(&desired.places),
    };
    let Some(ended) = execution::ask_and_run(settings, cluster, known, &lock, job, question(command)).await? else {
        return Ok(Exit::Failed);
    };
    // What is offered hangs on all of the stack.
    if ended.report.succeeded() && planned.plan.partial.is_none() {
        let outputs = components::outputs(stack, &desired.facts).unwrap_or_default();
        views::result(&if settings.json {
            views::json::line(&views::events::outputs(&outputs, &clock::now()))
        } else {
            views::output::outputs(&outputs, &settings.out)
        });
    }
    Ok(ended.exit())
}

/// Whether nothing of the whole stack is recorded, whatever part of it is planned.
fn is_first(known: &Known) -> bool {
    known.state.as_ref().is_none_or(|state| state.recorded().is_empty())
}

/// Lets the record follow the cluster.
async fn follow(
    command: &ApplyCommand,
    settings: &Settings,
    cluster: &Cluster,
    known: &Known,
    lock: &StateLock,
) -> Result<Exit, Error> {
    let look = refresh::look(settings, cluster, known).await?;
    refresh::show(&look, settings);
    if look.refreshed.is_empty() {
        return Ok(Exit::Done);
    }
    if !command.yes && !prompt::confirm("Record this?", Purpose::Apply)? {
        views::tell("nothing was changed\n");
        return Ok(Exit::Failed);
    }
    let before = known.begun(cluster)?;
    let state = refresh::record(&look, before.clone(), known, lock)?;
    copy::follow(settings, cluster, lock, &state, Over::Known(&before)).await;
    views::tell("recorded as it is; nothing else was written to the cluster\n");
    Ok(Exit::Done)
}

/// Refuses flags that a saved plan has an answer to of its own.
fn takes_nothing_more(arguments: &PlanArgs, settings: &Settings) -> Result<(), Error> {
    if settings.files.len() > 1 {
        return Err(
            Problem::new("a saved plan stands alone: it holds the stack files that it was made of")
                .hint("name the plan and no other file")
                .into(),
        );
    }
    let asks = !scope::asked(&arguments.scope).is_whole()
        || !arguments.replace.is_empty()
        || !settings.sets.is_empty()
        || arguments.refresh_only
        || arguments.refresh_facts
        || arguments.adopt
        || arguments.force_conflicts
        || arguments.ready_timeout.is_some();
    if asks {
        return Err(Problem::new(
            "a saved plan is applied as it is, and says itself what it is made of and which part of the stack it is about",
        )
        .hint("save another one: `stackctl plan -o FILE` with these flags")
        .into());
    }
    Ok(())
}

fn run_saved(command: &ApplyCommand, settings: &Settings, saved: saved::Read) -> Result<Exit, Error> {
    let settings = &settings.at(&saved.files())?;
    let mut known = Known::read(settings, saved.stack())?;
    let saved = saved.open(&known)?;
    if let Some(expected) = &command.expect {
        saved.check_digest(expected)?;
    }
    let stack = saved.parse()?;
    if !command.yes {
        prompt::needs_terminal(Purpose::Apply)?;
    }
    runtime::block_on(async {
        let cluster = Cluster::open(settings, stack.context(), Use::Write).await?;
        let exit = async {
            saved.check_target(&cluster, &known)?;
            let lock = known.lock("apply")?;
            saved.check_target(&cluster, &known)?;
            known.identity.lineage = saved.lineage().to_owned();
            let arguments = saved.arguments()?;
            let desired = prepare::on(
                &cluster,
                &stack,
                saved.facts()?,
                settings,
                &arguments.schema,
                prepare::Aim::Plan,
            )
            .await?;
            let planned = planning::apply(settings, &cluster, &known, &stack, &desired, &arguments).await?;
            saved.check_still_true(&planned, &planned.part_of(&desired), &known)?;
            if !command.plan.yes_delete {
                saved.check_losses(&planned)?;
            }
            if !command.skip_preflight && is_first(&known) {
                preflight::before_first_apply(settings, &cluster, &stack, &planned).await?;
            }
            let mut how = how(&arguments);
            how.yes_delete |= command.plan.yes_delete;
            let job = Job {
                planned: &planned,
                resources: &planned.part_of(&desired),
                facts: Some(&desired.facts),
                how,
                timeline: command.timeline.as_deref(),
                places: Some(&desired.places),
            };
            let ended = execution::ask_and_run(settings, &cluster, &known, &lock, job, question(command)).await?;
            Ok(ended.map_or(Exit::Failed, |ended| ended.exit()))
        }
        .await;
        cluster.close().await;
        exit
    })
}

fn question(command: &ApplyCommand) -> Option<&'static str> {
    (!command.yes).then_some("Apply this?")
}

fn how(arguments: &PlanArgs) -> How {
    How {
        adopt: arguments.adopt,
        force_conflicts: arguments.force_conflicts,
        ready_timeout: arguments.ready_timeout,
        yes_delete: arguments.yes_delete,
    }
}
