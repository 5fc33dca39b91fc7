//! The stack language: TOML layers in, a [`Stack`] or every diagnostic out.
//!
//! Layers are merged left to right and `--set` comes last: tables deeply, arrays of tables by `name`, everything else
//! by replacing. Then each table is read by its own file in `schema/`, and `lower` checks what crosses tables.
//!
//! Invariants:
//! - Strict: a key that no reader asked for is an error, with a suggestion.
//! - All at once: one wrong value never hides another. Only syntax errors stop earlier, since what follows them is noise.
//! - A diagnostic points into the file its value came from, also after merging.
//! - Diagnostics are in the order of files and of places in them, whatever the order they were found in.
//! - A secret written where a reference belongs is an error whose text, and whose neighbours' text, does not show it.

mod codes;
mod error;
mod layer;
mod lower;
mod place;
mod problem;
mod read;
mod schema;
mod set;
mod suggest;
mod tiers;
mod typed;
mod value;

pub use codes::{Explanation, explain, explanations};
pub use error::{Diagnostics, StackError};
pub use place::{Position, Source};
pub use problem::Problem;

use crate::stack::Stack;

/// Parses layers of TOML, left to right, and `path=value` settings on top of them.
///
/// A setting's path is keys joined by dots, with `[name]` after the name of an array of tables: `rhoai.profile`,
/// `models[qwen3-8b].replicas`. Its value is TOML, and where it is not, text.
///
/// # Errors
///
/// Everything that is wrong, and the warnings too.
pub fn parse(layers: &[Source], sets: &[String]) -> Result<(Stack, Vec<StackError>), Diagnostics> {
    let sources = place::Sources::new(layers, sets);
    let mut problems = problem::Problems::new(&sources);
    let root = layer::load(&sources, sets, &mut problems);
    if problems.has_errors() {
        return Err(problems.into_diagnostics(&sources));
    }
    let stack = match root {
        Some(root) => schema::read(&root, &mut problems).and_then(|raw| lower::lower(raw, &mut problems)),
        None => {
            problems.push(place::Place::START, Problem::EmptyStack);
            None
        }
    };
    let (errors, warnings) = problems.into_diagnostics(&sources).into_parts();
    match stack {
        Some(stack) if errors.is_empty() => Ok((stack, warnings)),
        _ => Err(Diagnostics::new(errors, warnings)),
    }
}
