//! The shell of `stackctl`: from arguments to text and an exit code.
//!
//! The way of one run: [`cli`] says what can be typed, [`settings`] resolves flags and environment, [`commands`] call
//! the stack language, the engine, the state and a cluster, [`views`] make text of the answers, [`exit`] is the verdict.
//!
//! Invariants:
//! - Results go to stdout, progress and diagnostics to stderr.
//! - [`settings`] alone reads the environment, [`clock`] alone the wall clock, [`prompt`] alone a person's answer.
//! - A command that needs no cluster starts no runtime.

pub mod cli;
pub mod clock;
pub mod commands;
pub mod error;
pub mod exit;
pub mod facts;
pub mod files;
pub mod logging;
pub mod panics;
pub mod prompt;
pub mod secrets;
pub mod settings;
pub mod views;

use clap::Parser as _;
use exit::Exit;
use settings::Environment;
use std::ffi::OsString;

/// Runs the program with these arguments, the first being its own name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let environment = Environment::read();
    match cli::Cli::try_parse_from(arguments) {
        Ok(cli) => commands::run(&cli, &environment),
        Err(error) => {
            // clap prints help and the version to stdout, mistakes to stderr; its own exit code for those is 2.
            let _closed = error.print();
            if error.use_stderr() { Exit::Failed } else { Exit::Done }
        }
    }
}
