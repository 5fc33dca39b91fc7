//! `drift`: what changed under us.

use super::{
    cluster::{Cluster, Use},
    known::Known,
    load, paged, planning, prepare, runtime,
};
use crate::{
    error::{Error, Problem},
    exit::Exit,
    settings::Settings,
    views::{self, drift::Looked},
};
use stackctl_engine::{
    Resource,
    degraded::degraded,
    diff::drift::{drift, unknown},
    ignored::without_ignored,
    resource::Node,
    yields::yielded,
};
use stackctl_stacks::winners::WINNERS;

pub(super) fn run(settings: &Settings) -> Result<Exit, Error> {
    let (stack, _) = load::stack(settings)?;
    let known = Known::read(settings, stack.name.as_str())?;
    let Some(state) = &known.state else {
        return Err(Problem::new(format!("nothing is recorded of the stack {}", stack.name))
            .hint("`stackctl apply` comes first; drift is what changed since")
            .into());
    };
    runtime::block_on(async {
        let cluster = Cluster::open(settings, stack.context(), Use::Read).await?;
        let found = async {
            known.check_cluster(&cluster)?;
            let desired = prepare::for_look(&cluster, &stack, Some(state.facts()), settings).await?;
            let is_gate = |resource: &&Resource| matches!(resource.node, Node::Gate(_));
            let gates: Vec<_> = desired.resources.iter().filter(is_gate).cloned().collect();
            let survey = planning::look(settings, &cluster, &known, &gates, state.recorded()).await?;
            Ok::<_, Error>((desired.resources, survey))
        }
        .await;
        cluster.close().await;
        let (resources, survey) = found?;
        let drifted = drift(
            state.recorded(),
            |address| survey.live(address).cloned(),
            &known.identity,
            known.key.as_ref(),
            WINNERS,
        );
        let drifted = without_ignored(drifted, &resources);
        let objects = state.recorded().values().filter(|known| known.object().is_some());
        let looked = Looked {
            recorded: objects.count(),
            unknown: unknown(state.recorded(), |address| survey.live(address), known.key.as_ref()),
            yielded: yielded(&resources, |address| survey.live(address)),
            degraded: degraded(&resources, state.recorded(), &survey),
        };
        if settings.json {
            views::result(&views::json::pretty(&views::json::drift(&drifted, &looked)));
        } else {
            paged::show(settings, &views::drift::drift(&drifted, &looked, &settings.out));
        }
        Ok(if drifted.is_empty() { Exit::Done } else { Exit::Differs })
    })
}
