//! `plan`: what would be done, and why.

use super::{
    cluster::{Cluster, Use},
    fresh, guards,
    known::Known,
    load,
    planning::{self, Planned},
    prepare, refresh, runtime, saved,
};
use crate::{
    cli::PlanCommand,
    error::{Error, Problem},
    exit::Exit,
    facts,
    settings::Settings,
    views,
};
use stackctl_engine::digest::Digest;
use std::path::Path;

pub(super) fn run(command: &PlanCommand, settings: &Settings) -> Result<Exit, Error> {
    let (stack, sources) = load::stack(settings)?;
    let known = Known::read(settings, stack.name.as_str())?;
    if command.plan.refresh_only {
        return follow(command, settings, stack.context(), &known);
    }
    if let Some(path) = &command.facts {
        let desired = prepare::compiled(&stack, facts::from_file(path)?, settings, &command.plan.schema)?;
        load::show_notices(&desired.notices, settings);
        let planned = runtime::block_on(fresh::apply(settings, &known, &stack, &desired, &command.plan))?;
        show(settings, &planned, None);
        return Ok(exit(command, &planned));
    }
    runtime::block_on(async {
        let cluster = Cluster::open(settings, stack.context(), Use::Read).await?;
        let answer: Result<(Planned, Option<Digest>), Error> = async {
            known.check_cluster(&cluster)?;
            if command.destroy {
                let planned = planning::destroy(settings, &cluster, &known, Some(&stack), &command.plan.scope).await?;
                return Ok((planned, None));
            }
            let facts = known.state.as_ref().map(|state| state.facts());
            let desired = prepare::desired(
                &cluster,
                &stack,
                facts,
                command.plan.refresh_facts,
                settings,
                &command.plan.schema,
            )
            .await?;
            load::show_notices(&desired.notices, settings);
            let planned = planning::apply(settings, &cluster, &known, &stack, &desired, &command.plan).await?;
            let is_meant = guards::within_budget(&planned, command.plan.yes_delete).is_ok();
            let saved = match command.out.as_deref().filter(|_| is_meant) {
                None => None,
                Some(path) => Some(saved::write(
                    path,
                    &sources,
                    settings,
                    &cluster,
                    &known,
                    &desired,
                    &planned,
                    &command.plan,
                )?),
            };
            Ok((planned, saved))
        }
        .await;
        cluster.close().await;
        let (planned, saved) = answer?;
        let saved = command.out.as_deref().zip(saved);
        show(settings, &planned, saved);
        guards::within_budget(&planned, command.plan.yes_delete)?;
        if let Some((path, digest)) = saved {
            views::tell(&views::plan::saved(path, &digest));
        }
        Ok(exit(command, &planned))
    })
}

fn show(settings: &Settings, planned: &Planned, saved: Option<(&Path, Digest)>) {
    views::result(&if settings.json {
        views::json::pretty(&views::json::plan_saved(&planned.plan, &planned.around, saved))
    } else {
        views::plan::plan(&planned.plan, &planned.around, &settings.out)
    });
}

fn exit(command: &PlanCommand, planned: &Planned) -> Exit {
    match &planned.plan {
        _ if !command.detailed_exitcode => Exit::Done,
        plan if plan.has_changes() => Exit::Differs,
        plan if plan.partial.is_some() => Exit::NoNewsOfPart,
        _ => Exit::Done,
    }
}

/// What would be recorded otherwise if the record followed the cluster.
fn follow(command: &PlanCommand, settings: &Settings, context: Option<&str>, known: &Known) -> Result<Exit, Error> {
    if command.out.is_some() {
        return Err(Problem::new("what the record would follow cannot be saved as a plan")
            .hint("leave `-o` away, and let it follow with `stackctl apply --refresh-only`")
            .into());
    }
    runtime::block_on(async {
        let cluster = Cluster::open(settings, context, Use::Read).await?;
        let look = async {
            known.check_cluster(&cluster)?;
            refresh::look(settings, &cluster, known).await
        }
        .await;
        cluster.close().await;
        let look = look?;
        refresh::show(&look, settings);
        Ok(if command.detailed_exitcode && !look.refreshed.is_empty() {
            Exit::Differs
        } else {
            Exit::Done
        })
    })
}
