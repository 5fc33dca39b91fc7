//! Dispatch: one line for each command. Commands decide nothing and print nothing themselves.

mod addressed;
mod apply;
mod cluster;
mod compare;
mod completions;
mod copy;
mod definitions;
mod destroy;
mod diff;
mod drift;
mod execution;
mod explain;
mod fresh;
mod graph;
mod guards;
mod import;
mod init;
mod instances;
mod known;
mod lease;
mod load;
mod logs;
mod man;
mod manifest_files;
mod of_record;
mod others;
mod output;
mod paged;
mod plan;
mod planning;
mod pods;
mod preflight;
mod prepare;
mod rebuild;
mod refresh;
mod render;
mod rights;
mod runtime;
mod saved;
mod schema;
mod scope;
mod show;
mod simulate;
mod state;
mod status;
mod validate;
mod version;

use crate::{
    cli::{Cli, Command, StackArgs, StateCommand},
    clock,
    error::Error,
    exit::Exit,
    logging,
    settings::{Environment, Settings},
    views,
};

/// Runs a command and shows what went wrong, if something did.
pub(crate) fn run(cli: &Cli, environment: &Environment) -> Exit {
    let stack = stack_of(&cli.command);
    let mut common = cli.common.clone();
    if matches!(cli.command, Command::Simulate(_)) {
        common.simulate.get_or_insert(None);
    }
    let settings = match Settings::resolve(&common, &stack.files, &stack.sets, environment) {
        Ok(settings) => settings,
        Err(error) => {
            views::tell(&views::diagnostic::error(&error, &views::style::Style::PLAIN));
            return Exit::Failed;
        }
    };
    logging::start(&settings.logging);
    let says_events = settings.json && says_events(&cli.command);
    if says_events {
        views::result(&views::json::line(&views::events::version(&clock::now())));
    }
    match dispatch(cli, &settings) {
        Ok(exit) => exit,
        Err(Error::Interrupted) => Exit::Interrupted,
        Err(error) => {
            views::tell(&views::diagnostic::error(&error, &settings.err));
            if says_events {
                for line in views::events::errors(&error, &clock::now()) {
                    views::result(&views::json::line(&line));
                }
            }
            Exit::Failed
        }
    }
}

/// Whether a command tells what it does line by line.
fn says_events(command: &Command) -> bool {
    match command {
        Command::Apply(command) => !command.plan.refresh_only,
        Command::Destroy(_) => true,
        _ => false,
    }
}

fn dispatch(cli: &Cli, settings: &Settings) -> Result<Exit, Error> {
    match &cli.command {
        Command::Init(command) => init::run(command, settings),
        Command::Validate(command) => validate::run(command, settings),
        Command::Explain(command) => explain::run(command, settings),
        Command::Schema(command) => Ok(schema::run(command)),
        Command::Man(command) => man::run(command),
        Command::Completions(command) => Ok(completions::run(command)),
        Command::Version => Ok(version::run(settings)),
        Command::Preflight(_) => preflight::run(settings),
        Command::Plan(command) => plan::run(command, settings, plan::First::Changes),
        Command::Apply(command) => apply::run(command, settings),
        Command::Destroy(command) => destroy::run(command, settings),
        Command::Drift(_) => drift::run(settings),
        Command::Status(command) => status::run(command, settings),
        Command::Logs(command) => logs::run(command, settings),
        Command::Diff(command) => diff::run(command, settings),
        Command::Show(_) => show::run(settings),
        Command::Output(_) => output::run(settings),
        Command::Import(command) => import::run(command, settings),
        Command::State(StateCommand::Rebuild(command)) => rebuild::run(command, settings),
        Command::State(command) => state::run(command, settings),
        Command::Render(command) => render::run(command, settings),
        Command::Graph(command) => graph::run(command, settings),
        Command::Simulate(command) => simulate::run(command, settings),
    }
}

/// The stack files that a command names, wherever it takes them.
fn stack_of(command: &Command) -> StackArgs {
    match command {
        Command::Preflight(stack) | Command::Drift(stack) | Command::Show(stack) | Command::Output(stack) => {
            stack.clone()
        }
        Command::Validate(command) => command.stack.clone(),
        Command::Plan(command) => command.stack.clone(),
        Command::Diff(command) => command.stack.clone(),
        Command::Apply(command) => command.stack.clone(),
        Command::Destroy(command) => command.stack.clone(),
        Command::Render(command) => command.stack.clone(),
        Command::Graph(command) => command.stack.clone(),
        Command::State(command) => match command {
            StateCommand::List(record)
            | StateCommand::Unlock(record)
            | StateCommand::Pull(record)
            | StateCommand::History(record) => addressed::with(&record.named, &record.flags),
            StateCommand::Mv(command) => addressed::with(&command.stack.named, &command.stack.flags),
            StateCommand::Push(command) => addressed::with(&command.stack.named, &command.stack.flags),
            StateCommand::Show(command) => addressed::with(&command.stack.named, &command.stack.flags),
            StateCommand::Rm(command) => addressed::stack_of(&command.addresses, &command.stack),
            StateCommand::Rebuild(command) => addressed::stack_of(command.name.as_slice(), &command.stack),
        },
        Command::Status(command) => addressed::stack_of(&command.addresses, &command.stack),
        Command::Logs(command) => addressed::stack_of(&command.addresses, &command.stack.flags()),
        Command::Init(command) => StackArgs {
            files: vec![init::file_in(command.directory.as_deref())],
            sets: Vec::new(),
        },
        Command::Import(command) => addressed::with(&command.named, &command.stack),
        Command::Simulate(command) => StackArgs {
            files: command.file.as_deref().map(simulate::stack_in).into_iter().collect(),
            sets: Vec::new(),
        },
        Command::Explain(_) | Command::Schema(_) | Command::Man(_) | Command::Completions(_) | Command::Version => {
            StackArgs::default()
        }
    }
}
