//! The binary as people meet it: both streams and the exit code, without a cluster.

mod bad_input;
mod definitions;
mod diff;
#[path = "../documents.rs"]
mod documents;
mod help;
mod offline;
mod sandbox;
mod terminal;
#[path = "../widgets.rs"]
mod widgets;
