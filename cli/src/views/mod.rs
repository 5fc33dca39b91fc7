//! Text is made here and only here: values in, text out.
//!
//! Invariants:
//! - A view decides nothing: counts and verdicts come with the values it is given.
//! - Results go to stdout, all else to stderr; a closed pipe never stops a run.
//! - Same words in every view.

pub mod diagnostic;
pub mod diff;
pub mod drift;
pub mod estimate;
pub mod events;
pub mod graph;
pub mod init;
pub mod json;
pub mod junit;
pub mod live;
pub mod logs;
pub mod manifests;
pub mod markdown;
pub mod output;
pub mod pager;
pub mod plain;
pub mod plan;
pub mod plan_document;
pub mod preflight;
pub mod progress;
pub mod report;
pub mod review;
pub mod schemas;
pub mod simulator;
pub mod stack;
pub mod state;
pub mod state_document;
pub mod status;
pub mod style;
pub mod terminal;
pub mod terraform;
#[cfg(test)]
pub(crate) mod testing;
pub mod timeline;
pub mod timeline_document;
pub mod validate_document;
mod words;

/// Writes a result to stdout.
pub fn result(text: &str) {
    write(std::io::stdout().lock(), text);
}

/// Writes anything else to stderr.
pub fn tell(text: &str) {
    write(std::io::stderr().lock(), text);
}

fn write(mut to: impl std::io::Write, text: &str) {
    // Nobody reads on: what is going on in the cluster does not stop for that.
    let _closed = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
