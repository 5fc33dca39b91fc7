//! `schema`: what editors know of a stack, and readers of what we print.

use crate::{cli::SchemaCommand, exit::Exit, views};
use stackctl_stacks::language::reference::{Completeness, json_schema};

pub(super) fn run(command: &SchemaCommand) -> Exit {
    if let Some(document) = command.of {
        views::result(&views::json::pretty(&views::schemas::schema(document)));
        return Exit::Done;
    }
    let completeness = if command.layer {
        Completeness::Layer
    } else {
        Completeness::Stack
    };
    views::result(&views::json::pretty(&json_schema(completeness)));
    Exit::Done
}
