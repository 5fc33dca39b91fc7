//! `validate`: whether the stack can be used, offline.

use super::{load, prepare};
use crate::{error::Error, exit::Exit, settings::Settings, views};
use stackctl_stacks::manifests;

pub(super) fn run(settings: &Settings) -> Result<Exit, Error> {
    let sources = load::sources(settings)?;
    match stackctl_stacks::parse(&sources, &settings.sets) {
        Ok((stack, warnings)) => {
            let looked = manifests::check(&load::manifests(&stack)?);
            if settings.json {
                let mut answer = views::json::diagnostics(warnings.iter());
                answer["stack"] = stack.name.to_string().into();
                views::json::add_manifests(&mut answer, &looked);
                views::result(&views::json::pretty(&answer));
                return Ok(if looked.is_ok() { Exit::Done } else { Exit::Failed });
            }
            load::show_warnings(&warnings, settings);
            let notices = looked.map_err(|errors| prepare::refused(&errors))?;
            load::show_notices(&notices, settings);
            let n_warnings = warnings.len() + notices.len();
            views::result(&views::stack::valid(&stack, n_warnings, &settings.out));
        }
        Err(diagnostics) if settings.json => {
            views::result(&views::json::pretty(&views::json::diagnostics(diagnostics.iter())));
            return Ok(Exit::Failed);
        }
        Err(diagnostics) => return Err(diagnostics.into()),
    }
    Ok(Exit::Done)
}
