//! `graph`: what waits for what.

use super::render;
use crate::{
    cli::{GraphCommand, GraphFormat},
    error::Error,
    exit::Exit,
    settings::Settings,
    views,
};
use stackctl_engine::{Address, graph::critical_path};
use std::{collections::BTreeMap, time::Duration};

pub(super) fn run(command: &GraphCommand, settings: &Settings) -> Result<Exit, Error> {
    let desired = render::desired(command.facts.as_deref(), settings)?;
    let graph = &desired.graph;
    if command.critical_path {
        let limits: BTreeMap<_, _> = desired
            .resources
            .iter()
            .map(|resource| (&resource.address, resource.ready_timeout))
            .collect();
        let limit = |address: &Address| limits.get(address).copied().unwrap_or(Duration::ZERO);
        let (path, time) = critical_path(graph, limit);
        views::result(&views::graph::critical_path(&path, time, limit));
        return Ok(Exit::Done);
    }
    views::result(&match (settings.json, command.format) {
        (true, _) => views::json::pretty(&views::graph::to_json(graph)),
        (false, GraphFormat::Text) => views::graph::text(graph, &settings.out),
        (false, GraphFormat::Dot) => views::graph::dot(graph),
        (false, GraphFormat::Mermaid) => views::graph::mermaid(graph),
    });
    Ok(Exit::Done)
}
