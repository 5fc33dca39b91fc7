//! `state`: what is recorded, how to change that, and its lock.
//!
//! Invariant: nothing here asks or changes the cluster, but that its copy of the state follows what is changed here; where
//! it cannot, that is said, and the next apply does it.

use super::{
    addressed,
    copy::{self, Over},
    known::{Known, problem},
    of_record,
};
use crate::{
    cli::{StateCommand, StatePushCommand},
    error::{Error, Problem},
    exit::Exit,
    settings::Settings,
    views::{self, state::Summary},
};
use stackctl_engine::{
    Address,
    moves::{Move, MoveError, Moves, Prefix},
    recorded::Recorded,
};
use stackctl_stacks::Stack;
use stackctl_state::{State, StateLock};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::Path,
};

pub(super) fn run(command: &StateCommand, settings: &Settings) -> Result<Exit, Error> {
    let (name, stack) = of_record::stack_or_record(settings, &usage(command))?;
    let name = name.as_str();
    let mut known = Known::read(settings, name)?;
    let context = stack.as_ref().and_then(Stack::context);
    let follow = |lock: &StateLock, state: &State, over: Over<'_>| {
        copy::follow_elsewhere(settings, context, lock, state, over);
    };
    let none = BTreeMap::new();
    match command {
        StateCommand::List(_) => list(known.state.as_ref().map_or(&none, State::recorded), settings),
        StateCommand::Show(command) => {
            let recorded = known.state.as_ref().map_or(&none, State::recorded);
            return show(&command.address, recorded, settings);
        }
        StateCommand::Mv(command) => rename(&mut known, name, &command.from, &command.to, follow)?,
        StateCommand::Rm(command) => forget(&mut known, name, &command.addresses, follow)?,
        StateCommand::Pull(_) => views::result(&said(state(known.state.as_ref(), name)?)?),
        StateCommand::Push(command) => push(&mut known, command, follow)?,
        StateCommand::History(_) => history(state(known.state.as_ref(), name)?, settings),
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

/// How a command is called with the name of a stack.
fn usage(command: &StateCommand) -> String {
    let of = match command {
        StateCommand::List(_) => "list NAME",
        StateCommand::Show(_) => "show ADDRESS NAME",
        StateCommand::Mv(_) => "mv FROM TO NAME",
        StateCommand::Rm(_) => "rm ADDRESS -f NAME",
        StateCommand::Pull(_) => "pull NAME",
        StateCommand::Push(_) => "push FILE NAME",
        StateCommand::History(_) => "history NAME",
        StateCommand::Rebuild(_) => "rebuild NAME",
        StateCommand::Unlock(_) => "unlock NAME",
    };
    format!("state {of}")
}

fn list(recorded: &BTreeMap<Address, Recorded>, settings: &Settings) {
    views::result(&if settings.json {
        views::json::pretty(&views::state_document::list(recorded))
    } else {
        views::state::list(recorded, &settings.out)
    });
}

fn show(text: &str, recorded: &BTreeMap<Address, Recorded>, settings: &Settings) -> Result<Exit, Error> {
    let address = address(text)?;
    let known = recorded.get(&address).ok_or_else(|| not_recorded(&address))?;
    views::result(&if settings.json {
        views::json::pretty(&views::state_document::one(known))
    } else {
        views::state::one(known, &settings.out)
    });
    Ok(Exit::Done)
}

/// Reads an address that was typed.
pub(super) fn address(text: &str) -> Result<Address, Problem> {
    text.parse().map_err(|error| {
        Problem::new(format!("`{text}` is not an address"))
            .caused_by(&error)
            .hint("`stackctl state list` shows every address")
    })
}

fn not_recorded(what: &dyn std::fmt::Display) -> Problem {
    Problem::new(format!("nothing is recorded of `{what}`")).hint("`stackctl state list` shows what is recorded")
}

fn state<'a>(state: Option<&'a State>, stack: &str) -> Result<&'a State, Problem> {
    state.ok_or_else(|| {
        Problem::new(format!("there is no state of {stack}"))
            .hint("an apply begins one; one that was lost is made again by `stackctl state rebuild`")
    })
}

/// A state for views, which know no place of storage.
pub(super) fn summary(state: &State) -> Summary {
    let identity = state.identity();
    Summary {
        stack: identity.stack.clone(),
        lineage: identity.lineage.clone(),
        serial: state.serial(),
        recorded: state.recorded().len(),
        open: state.open_intents().len(),
        created: identity.created.clone(),
        created_by: identity.created_by.clone(),
    }
}

fn rename(
    known: &mut Known,
    stack: &str,
    from: &str,
    to: &str,
    follow: impl FnOnce(&StateLock, &State, Over<'_>),
) -> Result<(), Error> {
    let prefix = |text: &str| -> Result<Prefix, Problem> {
        text.parse().map_err(|error| {
            Problem::new(format!("`{text}` is not an address, nor the beginning of one")).caused_by(&error)
        })
    };
    let (from, to) = (prefix(from)?, prefix(to)?);
    let lock = known.lock("state mv")?;
    let before = state(known.state.as_ref(), stack)?.clone();
    let moves = Moves {
        moved: vec![Move {
            from: from.clone(),
            to,
            written_at: "state mv".to_owned(),
        }],
        removed: Vec::new(),
    };
    let renames = moves
        .renames(before.recorded(), &BTreeSet::new())
        .map_err(|errors| Error::Problems(errors.iter().map(refused).collect()))?;
    if renames.is_empty() {
        return Err(not_recorded(&from).into());
    }
    let mut journal = known.backend.journal(before.clone(), &lock).map_err(problem)?;
    for rename in &renames {
        journal.rename(&rename.from, &rename.to).map_err(problem)?;
    }
    let state = journal.finish().map_err(problem)?;
    views::result(&views::state::renamed(&renames));
    follow(&lock, &state, Over::Known(&before));
    Ok(())
}

fn refused(error: &MoveError) -> Problem {
    Problem::of(error).hint(error.hint())
}

fn forget(
    known: &mut Known,
    stack: &str,
    addresses: &[String],
    follow: impl FnOnce(&StateLock, &State, Over<'_>),
) -> Result<(), Error> {
    let addresses = addresses
        .iter()
        .filter(|text| !addressed::is_file(text))
        .map(|text| address(text))
        .collect::<Result<BTreeSet<_>, _>>()?;
    let lock = known.lock("state rm")?;
    let before = state(known.state.as_ref(), stack)?.clone();
    let unknown: Vec<_> = addresses
        .iter()
        .filter(|address| !before.recorded().contains_key(*address))
        .map(|address| not_recorded(address))
        .collect();
    if !unknown.is_empty() {
        return Err(Error::Problems(unknown));
    }
    let mut journal = known.backend.journal(before.clone(), &lock).map_err(problem)?;
    for address in &addresses {
        journal.forget(address).map_err(problem)?;
    }
    let state = journal.finish().map_err(problem)?;
    views::result(&views::state::forgotten(&addresses));
    follow(&lock, &state, Over::Known(&before));
    Ok(())
}

/// A state as it is stored: the key is no part of it.
fn said(state: &State) -> Result<String, Problem> {
    String::from_utf8(state.to_bytes()).map_err(|error| Problem::of(&error))
}

fn push(
    known: &mut Known,
    command: &StatePushCommand,
    follow: impl FnOnce(&StateLock, &State, Over<'_>),
) -> Result<(), Error> {
    let mut bytes = Vec::new();
    let read = if command.file == Path::new("-") {
        std::io::stdin().read_to_end(&mut bytes).map(drop)
    } else {
        std::fs::read(&command.file).map(|read| bytes = read)
    };
    read.map_err(|error| {
        Problem::new(format!("`{}` could not be read", command.file.display()))
            .caused_by(&error)
            .hint("name a file that `stackctl state pull` wrote, or `-` for standard input")
    })?;
    let pushed = State::from_bytes(&bytes, &command.file).map_err(problem)?;
    let lock = known.lock("state push")?;
    if let Some(there) = known.state.as_ref().filter(|_| !command.force) {
        there.check_lineage(pushed.lineage()).map_err(|error| {
            Problem::of(&error).hint("it descends from another first state; `--force` puts it in place all the same")
        })?;
        pushed.check_not_older_than(there).map_err(problem)?;
    }
    known.backend.install(&pushed, &lock).map_err(problem)?;
    views::result(&views::state::pushed(&summary(&pushed)));
    // Who puts an older one in place means that it holds from now on.
    follow(
        &lock,
        &pushed,
        if command.force {
            Over::Any
        } else {
            Over::Pushed(&pushed)
        },
    );
    Ok(())
}

fn history(state: &State, settings: &Settings) {
    views::result(&if settings.json {
        views::json::pretty(&views::state_document::history(&summary(state)))
    } else {
        views::state::history(&summary(state), &settings.state)
    });
}
