//! Why a state could not be read, written or locked; each with the place and a next step.
//!
//! Invariant: no secret's bytes are in an error.

use crate::lock::LockInfo;
use std::{io, path::PathBuf};

/// Why a state could not be read, written or locked.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The file system said no.
    #[error("could not {doing} `{path}`")]
    Io {
        /// What was tried: `read`, `write`, `lock`, `create`.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What it said.
        #[source]
        cause: io::Error,
    },
    /// A file is not what a writer of its version wrote.
    #[error("`{path}` is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The copy in the cluster is not what a writer of its version wrote.
    #[error("the copy of the state in {object} is damaged: {reason}")]
    CopyDamaged {
        /// The Secret.
        object: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The state is older than the one in its place.
    #[error("the state of `{stack}` that is to be stored has the serial {serial}, and the one in its place {there}")]
    Older {
        /// The stack.
        stack: String,
        /// Its serial.
        serial: u64,
        /// The serial of what is there.
        there: u64,
    },
    /// A file is of a version that this program does not know.
    #[error("`{path}` was written by a newer stackctl: format {version}, this one reads up to {newest}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version, or that of a line in it.
        version: u64,
        /// The newest version that this program reads.
        newest: u64,
        /// The version of the program that wrote it, if it says.
        written_by: Option<String>,
    },
    /// The state is another stack's.
    #[error("`{path}` is the state of the stack `{found}`, not of `{wanted}`")]
    OtherStack {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        wanted: String,
    },
    /// The state is of another cluster.
    #[error("the state of `{stack}` is of the cluster {recorded}, and this is the cluster {reached}")]
    OtherCluster {
        /// The stack.
        stack: String,
        /// The cluster that was applied to.
        recorded: String,
        /// The cluster that answers now.
        reached: String,
    },
    /// The state descends from another first state.
    #[error("the state of `{stack}` has the lineage {found}, not {wanted}")]
    OtherLineage {
        /// The stack.
        stack: String,
        /// The lineage it has.
        found: String,
        /// The lineage it should have.
        wanted: String,
    },
    /// Somebody else is at work on this state.
    #[error("{}", held(.holder.as_deref()))]
    Held {
        /// The lock file.
        path: PathBuf,
        /// Who; nothing when they have not said yet.
        holder: Option<Box<LockInfo>>,
    },
    /// The state is not the one that was read: another run was at work in between.
    #[error("the state at `{path}` changed after it was read")]
    ChangedMeanwhile {
        /// The file.
        path: PathBuf,
    },
    /// There is a state already where a new one should begin.
    #[error("there is a state at `{path}` already")]
    AlreadyThere {
        /// The file.
        path: PathBuf,
    },
    /// A stack's name that cannot be a file's name.
    #[error("`{0}` cannot be the name of a state")]
    BadName(String),
    /// An address that a record should move to is taken.
    #[error("`{0}` is recorded already: nothing can move there")]
    Taken(String),
    /// Nothing is recorded of an address.
    #[error("nothing is recorded of `{0}`")]
    NotRecorded(String),
    /// The system gave no random bytes.
    #[error("the system gives no random bytes: {0}")]
    NoRandomness(getrandom::Error),
}

impl StateError {
    /// What to do next, if there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { cause, path, .. } => io_hint(cause.kind(), path),
            Self::Damaged { .. } => Some(
                "put back a copy of it; without one, move it away, and the next plan finds what carries the marks of \
                 this stack"
                    .to_owned(),
            ),
            Self::CopyDamaged { .. } => Some(
                "if the state here is whole, `stackctl state pull >state.json` and `stackctl state push state.json` write \
                 it anew; without a state, put back a copy of the Secret"
                    .to_owned(),
            ),
            Self::Older { .. } => Some("keep the newer one, or take the older one's side with `--force`".to_owned()),
            Self::Newer { written_by, .. } => Some(match written_by {
                Some(version) => format!("use stackctl {version} or a later one"),
                None => "use the stackctl that wrote it, or a later one".to_owned(),
            }),
            Self::OtherStack { .. } => {
                Some("state files are named after their stack and are not to be renamed".to_owned())
            }
            Self::OtherCluster { .. } => Some(
                "choose the cluster with `--context`, or keep the state of another cluster in another directory with \
                 `--state`"
                    .to_owned(),
            ),
            Self::OtherLineage { .. } => Some("make a new plan".to_owned()),
            Self::Held { path, holder } => Some(match holder.as_deref() {
                Some(holder) => format!(
                    "wait until it is done; if that process is stuck, end process {} on {}",
                    holder.pid,
                    holder.host()
                ),
                None => format!(
                    "wait until it is done; `{}` is locked by a living process",
                    path.display()
                ),
            }),
            Self::Taken(_) => Some("remove that record first with `stackctl state rm`".to_owned()),
            Self::NotRecorded(_) => Some("`stackctl state list` shows what is recorded".to_owned()),
            Self::ChangedMeanwhile { .. } => Some("run the same command again".to_owned()),
            Self::AlreadyThere { .. } | Self::BadName(_) | Self::NoRandomness(_) => None,
        }
    }

    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::Io { doing, path, cause }
    }
}

fn held(holder: Option<&LockInfo>) -> String {
    match holder {
        Some(holder) => format!(
            "{} is at work on this state: `{}`, process {}, since {}",
            holder.who, holder.command, holder.pid, holder.since
        ),
        None => "another process is at work on this state".to_owned(),
    }
}

fn io_hint(kind: io::ErrorKind, path: &std::path::Path) -> Option<String> {
    let parent = path.parent().unwrap_or(path);
    // What is named without a directory is in the present one.
    let directory = if parent.as_os_str().is_empty() {
        std::path::Path::new(".")
    } else {
        parent
    }
    .display();
    match kind {
        io::ErrorKind::PermissionDenied => Some(format!(
            "make `{directory}` yours to read and write, or name another directory with `--state`"
        )),
        io::ErrorKind::ReadOnlyFilesystem => Some(format!(
            "`{directory}` cannot be written: name another directory with `--state`"
        )),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(format!(
            "make room where `{directory}` is, then run the same command again: it finishes what was begun"
        )),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => Some(format!(
            "move away what is in the place of the directory `{directory}`, or name another with `--state`"
        )),
        io::ErrorKind::Unsupported => Some(format!(
            "the file system of `{directory}` has no locks: name a directory on another with `--state`"
        )),
        _ => None,
    }
}
