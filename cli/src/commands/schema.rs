//! `schema`: what editors know of a stack.

use crate::{cli::SchemaCommand, exit::Exit, views};
use stackctl_stacks::language::reference::{Completeness, json_schema};

pub(super) fn run(command: &SchemaCommand) -> Exit {
    let completeness = if command.layer {
        Completeness::Layer
    } else {
        Completeness::Stack
    };
    views::result(&views::json::pretty(&json_schema(completeness)));
    Exit::Done
}
