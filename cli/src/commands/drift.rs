//! `drift`: what changed under us.

use super::{
    cluster::{Cluster, Use},
    known::Known,
    load, paged, planning, runtime,
};
use crate::{
    error::{Error, Problem},
    exit::Exit,
    settings::Settings,
    views::{self, drift::Looked},
};
use stackctl_engine::diff::drift::{drift, unknown};

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
            planning::look(settings, &cluster, &known, &[], state.recorded()).await
        }
        .await;
        cluster.close().await;
        let survey = found?;
        let drifted = drift(
            state.recorded(),
            |address| survey.live(address).cloned(),
            known.key.as_ref(),
        );
        let objects = state.recorded().values().filter(|known| known.object().is_some());
        let looked = Looked {
            recorded: objects.count(),
            unknown: unknown(state.recorded(), |address| survey.live(address), known.key.as_ref()),
        };
        if settings.json {
            views::result(&views::json::pretty(&views::json::drift(&drifted, &looked)));
        } else {
            paged::show(settings, &views::drift::drift(&drifted, &looked, &settings.out));
        }
        Ok(if drifted.is_empty() { Exit::Done } else { Exit::Differs })
    })
}
