//! The binary as people meet it: both streams and the exit code, without a cluster.

mod bad_input;
mod definitions;
mod diff;
mod help;
mod offline;
mod sandbox;
#[path = "../widgets.rs"]
mod widgets;
