//! `completions`: a script for a shell.

use crate::{
    cli::{Cli, CompletionsCommand},
    exit::Exit,
    views,
};
use clap::CommandFactory as _;

pub(super) fn run(command: &CompletionsCommand) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Cli::command(), "stackctl", &mut script);
    views::result(&String::from_utf8_lossy(&script));
    Exit::Done
}
