//! `plan`: what would be done, and why.

use super::{
    cluster::{Cluster, Use},
    diff, fresh, guards,
    known::Known,
    load, paged,
    planning::{self, Planned},
    prepare::{self, Desired},
    refresh, runtime, saved,
};
use crate::{
    cli::{PlanCommand, ReviewArgs, ReviewFormat},
    error::{Error, Problem},
    exit::Exit,
    facts,
    settings::Settings,
    views::{self, review::Review},
};
use stackctl_engine::{Resource, digest::Digest};
use std::path::Path;

/// What the screen of a plan begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum First {
    /// What is done to which object.
    Changes,
    /// What that does to those who use the platform.
    Consequences,
}

pub(super) fn run(command: &PlanCommand, settings: &Settings, first: First) -> Result<Exit, Error> {
    let (stack, sources) = load::stack(settings)?;
    let known = Known::read(settings, stack.name.as_str())?;
    if command.plan.refresh_only {
        return follow(command, settings, stack.context(), &known);
    }
    if let Some(path) = &command.facts {
        let desired = prepare::compiled(&stack, facts::from_file(path)?, settings, &command.plan.schema)?;
        load::show_notices(&desired.notices, settings);
        let planned = runtime::block_on(fresh::apply(settings, &known, &stack, &desired, &command.plan))?;
        show(
            settings,
            &planned,
            &planned.part_of(&desired),
            &known,
            None,
            &command.review,
            first,
        );
        diff::verdict(planned.plan.risk(), &command.review)?;
        return Ok(exit(command, &planned));
    }
    runtime::block_on(async {
        let cluster = Cluster::open(settings, stack.context(), Use::Read).await?;
        let answer: Result<(Planned, Option<Desired>, Option<Digest>), Error> = async {
            known.check_cluster(&cluster)?;
            if command.destroy {
                let planned = planning::destroy(
                    settings,
                    &cluster,
                    &known,
                    Some(&stack),
                    &command.plan.scope,
                    command.plan.yes_delete,
                )
                .await?;
                return Ok((planned, None, None));
            }
            let facts = known.state.as_ref().map(|state| state.facts());
            let desired = prepare::desired(
                &cluster,
                &stack,
                facts,
                command.plan.refresh_facts,
                settings,
                &command.plan.schema,
                prepare::Aim::Plan,
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
            Ok((planned, Some(desired), saved))
        }
        .await;
        cluster.close().await;
        let (planned, desired, saved) = answer?;
        let resources = desired
            .as_ref()
            .map(|desired| planned.part_of(desired))
            .unwrap_or_default();
        let saved = command.out.as_deref().zip(saved);
        show(settings, &planned, &resources, &known, saved, &command.review, first);
        guards::within_budget(&planned, command.plan.yes_delete)?;
        if let Some((path, digest)) = saved {
            views::tell(&views::plan::saved(path, &digest, &settings.place()));
        }
        diff::verdict(planned.plan.risk(), &command.review)?;
        let exit = exit(command, &planned);
        drop(resources);
        // The process ends now, and with it all that was read: taking it apart would be work for nobody.
        std::mem::forget((planned, desired));
        Ok(exit)
    })
    .inspect(|_| std::mem::forget(known))
}

fn show(
    settings: &Settings,
    planned: &Planned,
    resources: &[Resource],
    known: &Known,
    saved: Option<(&Path, Digest)>,
    how: &ReviewArgs,
    first: First,
) {
    let Planned { plan, around, .. } = planned;
    let review = Review {
        stack: around.stack.clone(),
        asked: format!("cluster {}", around.cluster),
        excess: planned.excess.iter().map(ToString::to_string).collect(),
        artefact: how.artefact.clone(),
        saved: saved.map(|(path, digest)| (path.display().to_string(), digest.to_string())),
        ..Review::default()
    };
    let document = || {
        let details = planned.details(resources, &known.identity, known.key.as_ref());
        let document = views::plan_document::plan(plan, around, &details);
        views::json::pretty(&views::plan_document::saved(document, saved))
    };
    let is_screen = !settings.json && how.format == ReviewFormat::Text;
    let text = if is_screen && first == First::Changes && !how.compact {
        views::plan::plan(plan, around, &settings.out)
    } else {
        diff::shown(settings, planned, document, &review, how)
    };
    if is_screen {
        paged::show(settings, &text);
    } else {
        views::result(&text);
    }
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
