//! A genuine kube-apiserver with etcd and kube-controller-manager on loopback, for tests and measurements.
//!
//! In: the Go module `tests/apiserver`, which pins the versions. Out: three processes, and a kubeconfig for them.
//!
//! Invariants:
//! - Everything of a server is in one scratch folder; whoever removes it leaves nothing behind but the built binaries.
//! - A process is recorded before anybody waits for it, so `down` ends also what an interrupted `up` began.
//! - A process is ended only while its pid still runs the binary that was started, on this very folder.
//! - It listens on 127.0.0.1 alone, and what is secret lies in files that only their owner may read.
//!
//! Linux only: processes are told apart by `/proc`.

mod arguments;
mod binaries;
mod credentials;
mod down;
mod error;
mod folder;
mod kubeconfig;
mod ports;
mod process;
mod program;
mod ready;
mod status;
mod up;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use arguments::{Audit, Wanted, Workloads};
use binaries::Binaries;
pub(crate) use error::ApiserverError;
use folder::Folder;

/// Starts, ends and describes the real API server of the tests.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Builds the three binaries, unless the cache has them: some 15 CPU minutes, 3 GiB.
    Build,
    /// Starts the server, building it first where needed, and waits until it is ready: `eval $(cargo xtask apiserver up)`.
    Up {
        #[command(flatten)]
        place: Place,
        /// Keep an audit log of every write, `audit.log` in the folder.
        #[arg(long)]
        audit: bool,
        /// Let the controllers of Deployments, ReplicaSets, StatefulSets and DaemonSets act, for the cases of kubectl.
        #[arg(long)]
        workloads: bool,
    },
    /// Ends the server's processes and removes its folder.
    Down(Place),
    /// Prints the path of the kubeconfig.
    Kubeconfig(Place),
    /// Prints version, processes, ports and memory.
    Status(Place),
}

/// Where a server lives.
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// The scratch folder; another folder is another server.
    #[arg(long, default_value = "target/xtask/apiserver")]
    dir: PathBuf,
}

/// Does one task; answers with what standard output gets.
///
/// # Errors
/// Each says what failed and what to do about it.
pub(crate) fn run(root: &Path, task: &Task) -> Result<String, ApiserverError> {
    let folder = |place: &Place| Folder::new(&root.join(&place.dir));
    let binaries = || Binaries::of(&root.join("tests/apiserver"));
    match task {
        Task::Build => {
            let binaries = binaries()?;
            binaries.build_where_missing()?;
            Ok(binaries.folder().display().to_string())
        }
        Task::Up {
            place,
            audit,
            workloads,
        } => {
            let wanted = Wanted {
                audit: if *audit { Audit::Kept } else { Audit::Off },
                workloads: if *workloads {
                    Workloads::Controlled
                } else {
                    Workloads::Free
                },
            };
            up::run(&folder(place)?, &binaries()?, wanted)
        }
        Task::Down(place) => down::run(&folder(place)?),
        Task::Kubeconfig(place) => status::kubeconfig(&folder(place)?),
        Task::Status(place) => status::run(&folder(place)?),
    }
}

/// Starts a server of its own in a folder, with the controllers of workloads, and builds it first where needed; answers
/// with its kubeconfig.
///
/// # Errors
/// As [`run`].
pub(crate) fn up_with_workloads(root: &Path, folder: &Path) -> Result<PathBuf, ApiserverError> {
    let wanted = Wanted {
        audit: Audit::Off,
        workloads: Workloads::Controlled,
    };
    let folder = Folder::new(folder)?;
    up::run(&folder, &Binaries::of(&root.join("tests/apiserver"))?, wanted)?;
    Ok(folder.kubeconfig())
}

/// Ends the server of a folder and removes it.
///
/// # Errors
/// As [`run`].
pub(crate) fn end(folder: &Path) -> Result<(), ApiserverError> {
    down::run(&Folder::new(folder)?).map(drop)
}

/// Tells how a long task goes on. Not standard output: that is what a shell evaluates.
#[allow(clippy::print_stderr, reason = "progress is for the developer's terminal")]
fn tell(sentence: &str) {
    eprintln!("{sentence}");
}
