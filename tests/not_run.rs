//! What this machine or its environment lacks, so that something is not tried.
//!
//! Invariant: it is said where nobody can miss it; and where everything has to run, as in `.ci/run`, it is a failure.

use std::io::Write as _;

/// Set by `.ci/run`: whatever is not run is a failure.
const ALL: &str = "STACKCTL_TEST_ALL";

/// Says what is not run and why.
///
/// # Panics
/// Where everything has to run.
#[track_caller]
#[expect(
    clippy::disallowed_methods,
    reason = "what has to run is for the environment of the tests to say"
)]
pub(crate) fn not_run(why: &str) {
    assert!(std::env::var(ALL).is_err(), "NOT RUN, and {ALL} is set: {why}");
    // Past the capture of the test harness, so that it is read.
    writeln!(std::io::stderr(), "NOT RUN: {why}").expect("stderr is open");
}
