//! What can go wrong with the real API server.

use std::{io, path::PathBuf};

/// Why a task with the real API server failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiserverError {
    /// A file or folder could not be read.
    #[error("{path} could not be read", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// A file or folder could not be written.
    #[error("{path} could not be written", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// A program could not be started.
    #[error("`{program}` could not be started ({hint})")]
    Start {
        /// The program.
        program: String,
        /// The way out.
        hint: String,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// The Go toolchain refused to build a binary.
    #[error(
        "`go build {package}` failed, its reason is above (it needs Go 1.24 or newer, 3 GiB of memory, and the module \
         proxy or a filled module cache); `cargo xtask apiserver build` tries again and keeps what was compiled"
    )]
    Build {
        /// The package.
        package: &'static str,
    },
    /// The module does not say which Kubernetes it builds.
    #[error("{path} requires no version of k8s.io/kubernetes", path = path.display())]
    NoVersion {
        /// The `go.mod`.
        path: PathBuf,
    },
    /// There is no place for built binaries.
    #[error("there is no place for built binaries: set STACKCTL_APISERVER_CACHE to a folder (HOME is not set)")]
    NoCache,
    /// No port is free on loopback.
    #[error("no free port on 127.0.0.1")]
    NoPort(#[source] io::Error),
    /// A key or certificate could not be made.
    #[error("a certificate could not be made")]
    Certificate(#[source] rcgen::Error),
    /// A kubeconfig could not be written as text.
    #[error("the kubeconfig could not be made: {0}")]
    Kubeconfig(String),
    /// The folder holds what no `up` has written.
    #[error(
        "{folder} is not a folder of this task and not empty: give another one with `--dir`",
        folder = folder.display()
    )]
    NotOurs {
        /// The folder.
        folder: PathBuf,
    },
    /// A record of a process cannot be read.
    #[error(
        "{path} does not name a process: end what uses the folder by hand, then remove the folder",
        path = path.display()
    )]
    BadRecord {
        /// The record.
        path: PathBuf,
    },
    /// A process did not become ready.
    #[error("{name} {what}; the end of {log}:\n{tail}", log = log.display())]
    NotReady {
        /// The program.
        name: &'static str,
        /// What became of it.
        what: &'static str,
        /// Its log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// There is no server in this folder.
    #[error("no server is up in {folder}: `cargo xtask apiserver up` starts one", folder = folder.display())]
    NotUp {
        /// The folder.
        folder: PathBuf,
    },
    /// A process outlived even a kill.
    #[error("{name} (pid {pid}) does not end: look at it with `ps -o stat,wchan -p {pid}`, then `down` again")]
    StillRunning {
        /// The program.
        name: String,
        /// Its process.
        pid: u32,
    },
}

impl ApiserverError {
    /// Whether a program ended because somebody else listens on its port.
    pub(super) fn is_of_a_taken_port(&self) -> bool {
        matches!(self, Self::NotReady { tail, .. } if tail.contains("address already in use"))
    }
}
