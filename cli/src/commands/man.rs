//! `man`: the help texts as manual pages.

use crate::{
    cli::{Cli, ManCommand},
    error::{Error, Problem},
    exit::Exit,
    views,
};
use clap::CommandFactory as _;

pub(super) fn run(command: &ManCommand) -> Result<Exit, Error> {
    let directory = &command.directory;
    std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), directory))
        .map_err(|error| {
            Problem::new(format!(
                "the manual pages cannot be written to `{}`",
                directory.display()
            ))
            .caused_by(&error)
            .hint("name a directory that you may write to")
        })?;
    views::tell(&format!("manual pages are in {}\n", directory.display()));
    Ok(Exit::Done)
}
