//! `apply`: plan, ask, carry out; or carry out a saved plan as it is.

use super::{
    cluster::{Cluster, Use},
    execution::{self, How},
    known::Known,
    load, planning, prepare, runtime, saved,
};
use crate::{
    cli::{ApplyCommand, PlanArgs},
    error::Error,
    exit::Exit,
    prompt,
    settings::Settings,
    views,
};
use stackctl_stacks::{Stack, components};

pub(super) fn run(command: &ApplyCommand, settings: &Settings) -> Result<Exit, Error> {
    if let [only] = settings.files.as_slice()
        && let Some(saved) = saved::recognised(only)?
    {
        return run_saved(command, settings, saved);
    }
    let (stack, _) = load::stack(settings)?;
    if !command.yes {
        prompt::needs_terminal()?;
    }
    let mut known = Known::read(settings, stack.name.as_str())?;
    runtime::block_on(async {
        let cluster = Cluster::open(settings, stack.cluster.context.as_deref(), Use::Write).await?;
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
    let facts = known.state.as_ref().map(|state| state.facts());
    let desired = prepare::desired(cluster, stack, facts, command.plan.refresh_facts, settings.parallelism).await?;
    let planned = planning::apply(settings, cluster, known, &desired, &command.plan).await?;
    if settings.json {
        views::result(&views::json::line(&views::json::planned(&planned.plan, &planned.around)));
    } else {
        views::result(&views::plan::plan(&planned.plan, &planned.around, &settings.out));
    }
    if !command.yes && planned.plan.has_changes() && !prompt::confirm("Apply this?")? {
        views::tell("nothing was changed\n");
        return Ok(Exit::Failed);
    }
    let how = how(&command.plan);
    let ended = execution::run(settings, cluster, known, &lock, &planned, &desired.resources, Some(&desired.facts), how).await?;
    execution::show(settings, &planned, &ended);
    if ended.report.succeeded() && !settings.json {
        let outputs = components::outputs(stack, &desired.facts).unwrap_or_default();
        views::result(&views::output::outputs(&outputs, &settings.out));
    }
    Ok(ended.exit())
}

fn run_saved(command: &ApplyCommand, settings: &Settings, saved: saved::Read) -> Result<Exit, Error> {
    let settings = &settings.at(&saved.files())?;
    let mut known = Known::read(settings, saved.stack())?;
    let saved = saved.open(&known)?;
    let stack = saved.parse()?;
    if !command.yes {
        prompt::needs_terminal()?;
    }
    runtime::block_on(async {
        let cluster = Cluster::open(settings, stack.cluster.context.as_deref(), Use::Write).await?;
        let exit = async {
            saved.check_target(&cluster, &known)?;
            let lock = known.lock("apply")?;
            saved.check_target(&cluster, &known)?;
            known.identity.lineage = saved.lineage().to_owned();
            let desired = prepare::compiled(&stack, saved.facts()?)?;
            let planned = planning::apply(settings, &cluster, &known, &desired, &saved.arguments()).await?;
            saved.check_still_true(&planned, &known)?;
            if settings.json {
                views::result(&views::json::line(&views::json::planned(&planned.plan, &planned.around)));
            } else {
                views::result(&views::plan::plan(&planned.plan, &planned.around, &settings.out));
            }
            if !command.yes && planned.plan.has_changes() && !prompt::confirm("Apply this?")? {
                views::tell("nothing was changed\n");
                return Ok(Exit::Failed);
            }
            let how = how(&saved.arguments());
            let ended =
                execution::run(settings, &cluster, &known, &lock, &planned, &desired.resources, Some(&desired.facts), how).await?;
            execution::show(settings, &planned, &ended);
            Ok(ended.exit())
        }
        .await;
        cluster.close().await;
        exit
    })
}

fn how(arguments: &PlanArgs) -> How {
    How { adopt: arguments.adopt, force_conflicts: arguments.force_conflicts, ready_timeout: arguments.ready_timeout }
}
