//! `graph`: what waits for what.

use super::{known::Known, load, render};
use crate::{
    cli::{GraphCommand, GraphFormat, SchemaArgs},
    error::Error,
    exit::Exit,
    settings::Settings,
    views,
};
use stackctl_engine::estimate::estimate;

pub(super) fn run(command: &GraphCommand, settings: &Settings) -> Result<Exit, Error> {
    let (_, desired) = render::desired(command.facts.as_deref(), settings, &SchemaArgs::default())?;
    let graph = &desired.graph;
    if command.critical_path {
        let stack = load::stack(settings)?.0;
        let learned = Known::read(settings, stack.name.as_str())?.really_took(settings);
        let estimate = estimate(&desired.resources, graph, &learned, |_| true);
        let is_json = settings.json || command.format == GraphFormat::Json;
        views::result(&if is_json {
            views::json::pretty(&views::estimate::critical_path_json(&estimate, &desired.resources))
        } else {
            views::estimate::critical_path(&estimate, &desired.resources, &settings.out)
        });
        return Ok(Exit::Done);
    }
    views::result(&match (settings.json, command.format) {
        (true, _) | (false, GraphFormat::Json) => views::json::pretty(&views::graph::to_json(graph)),
        (false, GraphFormat::Text) => views::graph::text(graph, &settings.out),
        (false, GraphFormat::Dot) => views::graph::dot(graph),
        (false, GraphFormat::Mermaid) => views::graph::mermaid(graph),
    });
    Ok(Exit::Done)
}
