//! `validate`: whether the stack can be used, offline.

use super::load;
use crate::{error::Error, exit::Exit, settings::Settings, views};

pub(super) fn run(settings: &Settings) -> Result<Exit, Error> {
    let sources = load::sources(settings)?;
    match stackctl_stacks::parse(&sources, &settings.sets) {
        Ok((stack, warnings)) if settings.json => {
            let mut answer = views::json::diagnostics(warnings.iter());
            answer["stack"] = stack.name.to_string().into();
            views::result(&views::json::pretty(&answer));
        }
        Ok((stack, warnings)) => {
            load::show_warnings(&warnings, settings);
            views::result(&views::stack::valid(&stack, warnings.len(), &settings.out));
        }
        Err(diagnostics) if settings.json => {
            views::result(&views::json::pretty(&views::json::diagnostics(diagnostics.iter())));
            return Ok(Exit::Failed);
        }
        Err(diagnostics) => return Err(diagnostics.into()),
    }
    Ok(Exit::Done)
}
