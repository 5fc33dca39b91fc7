//! The table of exit codes.
//!
//! Invariant: 2 and 3 are only ever answers (changes, drift, a check that failed; a part without changes); nothing that
//! went wrong ends with them.

use std::process::ExitCode;

/// How a run of the binary ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, and the answer is no news.
    Done,
    /// Something is wrong: the command line, the stack, the cluster, the run.
    Failed,
    /// Done, and the answer is that something differs, or is not as it has to be.
    Differs,
    /// Done, and the answer is no news, of a part: nobody looked at the rest.
    NoNewsOfPart,
    /// Stopped by Ctrl-C.
    Interrupted,
}

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Differs => 2,
            Self::NoNewsOfPart => 3,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
