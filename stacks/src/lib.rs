//! The stack language and the catalogue.
//!
//! [`parse`] turns TOML layers into a [`Stack`], which cannot be wrong, or into every diagnostic at once. What comes
//! after it (the catalogue, the lints) takes the typed [`Stack`] and never looks at TOML.
//!
//! Invariants:
//! - Everything here is pure: no I/O, no clock, no environment. Texts come in, values go out; same input, same output.
//! - [`parse`] is the only maker of a [`Stack`] outside of tests; nobody checks its fields again.
//! - `language → stack ← components`: the catalogue never sees the schema, the language never sees a component.

mod capacity;
pub mod clearers;
pub mod cluster_facts;
pub mod components;
pub mod consequences;
pub mod definitions;
mod expression;
mod file_line;
pub mod hands;
pub mod language;
pub mod manifests;
pub mod pods;
pub mod preflight;
pub mod stack;
pub mod starter;
pub mod winners;

pub use components::{CompileError, Output, compile, outputs};
pub use file_line::FileLine;
pub use language::{
    Beside, Diagnostics, Example, Explanation, Position, Problem, Severity, Source, StackError, closest, explain,
    explanations, parse,
};
pub use stack::Stack;
