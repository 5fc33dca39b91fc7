//! `state`: what is recorded, and its lock.

use super::{
    known::{Known, problem},
    load,
};
use crate::{
    cli::StateCommand,
    error::{Error, Problem},
    exit::Exit,
    settings::Settings,
    views,
};
use serde_json::json;
use stackctl_engine::{Address, recorded::Recorded};
use std::collections::BTreeMap;

pub(super) fn run(command: &StateCommand, settings: &Settings) -> Result<Exit, Error> {
    let (stack, _) = load::stack(settings)?;
    let known = Known::read(settings, stack.name.as_str())?;
    let none = BTreeMap::new();
    let recorded = known.state.as_ref().map_or(&none, |state| state.recorded());
    match command {
        StateCommand::List(_) => list(recorded, settings),
        StateCommand::Show(command) => return show(&command.address, recorded, settings),
        // It is dispatched before: it needs no stack file.
        StateCommand::Rebuild(_) => {}
        StateCommand::Unlock(_) => {
            let left_by = known.backend.unlock().map_err(problem)?;
            views::result(&views::state::unlocked(
                left_by.map(|holder| (holder.who, holder.command, holder.since)),
            ));
        }
    }
    Ok(Exit::Done)
}

fn list(recorded: &BTreeMap<Address, Recorded>, settings: &Settings) {
    views::result(&if settings.json {
        let all: Vec<_> = recorded.values().map(views::json::recorded).collect();
        views::json::pretty(&json!({"format_version": views::json::FORMAT_VERSION, "recorded": all}))
    } else {
        views::state::list(recorded, &settings.out)
    });
}

fn show(text: &str, recorded: &BTreeMap<Address, Recorded>, settings: &Settings) -> Result<Exit, Error> {
    let address: Address = text.parse().map_err(|error| {
        Problem::new(format!("`{text}` is not an address"))
            .caused_by(&error)
            .hint("`stackctl state list` shows every address")
    })?;
    let known = recorded.get(&address).ok_or_else(|| {
        Problem::new(format!("nothing is recorded of `{address}`")).hint("`stackctl state list` shows what is recorded")
    })?;
    views::result(&if settings.json {
        views::json::pretty(&views::json::recorded(known))
    } else {
        views::state::one(known, &settings.out)
    });
    Ok(Exit::Done)
}
