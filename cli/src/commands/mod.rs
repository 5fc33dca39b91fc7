//! Dispatch: one line for each command. Commands decide nothing and print nothing themselves.

mod completions;
mod explain;
mod load;
mod validate;
mod version;

use crate::{
    cli::{Cli, Command, StackArgs},
    error::Error,
    exit::Exit,
    logging,
    settings::{Environment, Settings},
    views,
};

/// Runs a command and shows what went wrong, if something did.
pub(crate) fn run(cli: &Cli, environment: &Environment) -> Exit {
    let stack = stack_of(&cli.command);
    let settings = match Settings::resolve(&cli.common, &stack.files, &stack.sets, environment) {
        Ok(settings) => settings,
        Err(error) => {
            views::tell(&views::diagnostic::error(&error, &views::style::Style::PLAIN));
            return Exit::Failed;
        }
    };
    logging::start(&settings.logging);
    match dispatch(cli, &settings) {
        Ok(exit) => exit,
        Err(Error::Interrupted) => Exit::Interrupted,
        Err(error) => {
            views::tell(&views::diagnostic::error(&error, &settings.err));
            Exit::Failed
        }
    }
}

fn dispatch(cli: &Cli, settings: &Settings) -> Result<Exit, Error> {
    match &cli.command {
        Command::Validate(_) => validate::run(settings),
        Command::Explain(command) => explain::run(command, settings),
        Command::Completions(command) => Ok(completions::run(command)),
        Command::Version => Ok(version::run(settings)),
        _ => Err(crate::error::Problem::new("this command is not there yet").into()),
    }
}

/// The stack files that a command names, wherever it takes them.
fn stack_of(command: &Command) -> StackArgs {
    match command {
        Command::Validate(stack) | Command::Drift(stack) | Command::Show(stack) | Command::Output(stack) => stack.clone(),
        Command::Plan(command) => command.stack.clone(),
        Command::Apply(command) => command.stack.clone(),
        Command::Destroy(command) => command.stack.clone(),
        Command::Render(command) => command.stack.clone(),
        Command::Graph(command) => command.stack.clone(),
        Command::State(command) => {
            let flags = match command {
                crate::cli::StateCommand::List(flags) => flags,
                crate::cli::StateCommand::Show(command) => &command.stack,
                crate::cli::StateCommand::Unlock(command) => &command.stack,
            };
            StackArgs { files: flags.files.clone(), sets: flags.sets.clone() }
        }
        Command::Simulate(command) => StackArgs { files: command.file.iter().cloned().collect(), sets: Vec::new() },
        Command::Explain(_) | Command::Completions(_) | Command::Version => StackArgs::default(),
    }
}
