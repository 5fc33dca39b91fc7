//! `explain`: what a diagnostic code means.

use crate::{
    cli::ExplainCommand,
    error::{Error, Problem},
    exit::Exit,
    settings::Settings,
    views,
};
use stackctl_stacks::{explain, explanations};

pub(super) fn run(command: &ExplainCommand, settings: &Settings) -> Result<Exit, Error> {
    let Some(code) = &command.code else {
        views::result(&if settings.json {
            views::json::pretty(&views::stack::codes_json(explanations()))
        } else {
            views::stack::codes(explanations())
        });
        return Ok(Exit::Done);
    };
    let found = explain(code).ok_or_else(|| {
        Problem::new(format!("there is no code `{code}`")).hint("`stackctl explain` lists every code")
    })?;
    views::result(&if settings.json {
        views::json::pretty(&views::stack::explanation_json(found))
    } else {
        views::stack::explanation(found, &settings.out)
    });
    Ok(Exit::Done)
}
