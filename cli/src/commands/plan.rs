//! `plan`: what would be done, and why.

use super::{
    cluster::{Cluster, Use},
    known::Known,
    load, planning, prepare, runtime, saved,
};
use crate::{cli::PlanCommand, error::Error, exit::Exit, settings::Settings, views};

pub(super) fn run(command: &PlanCommand, settings: &Settings) -> Result<Exit, Error> {
    let (stack, sources) = load::stack(settings)?;
    let known = Known::read(settings, stack.name.as_str())?;
    runtime::block_on(async {
        let cluster = Cluster::open(settings, stack.context(), Use::Read).await?;
        let answer = async {
            known.check_cluster(&cluster)?;
            if command.destroy {
                return planning::destroy(settings, &cluster, &known, &command.plan.scope).await;
            }
            let facts = known.state.as_ref().map(|state| state.facts());
            let desired = prepare::desired(
                &cluster,
                &stack,
                facts,
                command.plan.refresh_facts,
                settings.parallelism,
            )
            .await?;
            let planned = planning::apply(settings, &cluster, &known, &desired, &command.plan).await?;
            if let Some(path) = &command.out {
                saved::write(
                    path,
                    &sources,
                    settings,
                    &cluster,
                    &known,
                    &desired,
                    &planned,
                    &command.plan,
                )?;
            }
            Ok(planned)
        }
        .await;
        cluster.close().await;
        let planned = answer?;
        views::result(&if settings.json {
            views::json::pretty(&views::json::plan(&planned.plan, &planned.around))
        } else {
            views::plan::plan(&planned.plan, &planned.around, &settings.out)
        });
        if let Some(path) = &command.out {
            views::tell(&views::plan::saved(path));
        }
        Ok(if command.detailed_exitcode && planned.plan.has_changes() {
            Exit::Differs
        } else {
            Exit::Done
        })
    })
}
