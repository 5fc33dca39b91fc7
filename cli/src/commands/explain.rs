//! `explain`: what a diagnostic code means.

use crate::{
    cli::ExplainCommand,
    error::{Error, Problem},
    exit::Exit,
    settings::Settings,
    views,
};
use serde_json::json;
use stackctl_stacks::{Explanation, explain, explanations};

pub(super) fn run(command: &ExplainCommand, settings: &Settings) -> Result<Exit, Error> {
    let one = |is: &Explanation| {
        let example = is.example().map(|example| {
            json!({
                "language": example.beside.language(), "beside": example.beside.says(),
                "wrong": example.wrong, "right": example.right,
            })
        });
        json!({
            "code": is.code, "severity": is.severity().to_string(), "may_be_allowed": is.may_be_allowed(),
            "title": is.title, "text": is.text, "link": is.link(), "example": example,
        })
    };
    let Some(code) = &command.code else {
        views::result(&if settings.json {
            views::json::pretty(&explanations().iter().map(one).collect::<Vec<_>>())
        } else {
            views::stack::codes(explanations())
        });
        return Ok(Exit::Done);
    };
    let found = explain(code).ok_or_else(|| {
        Problem::new(format!("there is no code `{code}`")).hint("`stackctl explain` lists every code")
    })?;
    views::result(&if settings.json {
        views::json::pretty(&one(found))
    } else {
        views::stack::explanation(found, &settings.out)
    });
    Ok(Exit::Done)
}
