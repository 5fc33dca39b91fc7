//! Who serves a directory: the lock, `endpoint.json` for those who want to join, and `kubeconfig` for stock clients.
//!
//! Invariants:
//! - Whoever holds the lock on the file `lock` serves; the system drops the lock with the process, however it ends.
//! - The file `seeded` is there only once the cluster holds all that it starts with: what somebody deletes afterwards
//!   stays deleted.
//! - `endpoint.json` and `kubeconfig` hold a token, so only their owner reads them, and whoever sees the first sees the
//!   second. `endpoint.json` counts only while the lock is held: one that a killed process left means nothing.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::SimulatorError;
use crate::private_file::write_private;
use crate::schemas::TrueCrds;

const LOCK: &str = "lock";
const ENDPOINT: &str = "endpoint.json";
/// How long a cluster that is being stopped, or not announced yet, may take.
const STOPS_WITHIN: Duration = Duration::from_secs(10);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);
const SEEDED: &str = "seeded";
/// Holds the path of the directory whose CRDs the cluster has.
const CRDS: &str = "crds";

/// Where a served cluster is found.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The URL of its API server.
    pub url: String,
    /// The certificate of the authority that its server is to be trusted by, as PEM.
    pub certificate_authority: String,
    /// The bearer token of its administrator.
    pub token: String,
    /// The process that serves it.
    pub pid: u32,
    /// How fast it lives.
    pub speed: f64,
    /// Where the hosts of its gateways answer.
    pub data_plane: SocketAddr,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Endpoint")
            .field("url", &self.url)
            .field("pid", &self.pid)
            .field("speed", &self.speed)
            .finish_non_exhaustive()
    }
}

/// A directory that this process serves.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    kubeconfig: PathBuf,
    /// Held until the value goes.
    _lock: File,
}

impl Directory {
    /// Takes the directory, making it if need be; whoever serves it and no longer says so is about to stop, and waited
    /// for.
    pub(crate) async fn take(path: &Path) -> Result<Self, SimulatorError> {
        let deadline = tokio::time::Instant::now() + STOPS_WITHIN;
        loop {
            match Self::try_take(path) {
                Err(SimulatorError::Served { pid: 0, .. }) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(LOOK_AGAIN_AFTER).await;
                }
                taken => return taken,
            }
        }
    }

    fn try_take(path: &Path) -> Result<Self, SimulatorError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |cause| SimulatorError::Directory { path, cause }
        };
        std::fs::create_dir_all(path).map_err(failed(path))?;
        let lock_path = path.join(LOCK);
        let lock = open(&lock_path).map_err(failed(&lock_path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                let directory = Self {
                    path: path.to_owned(),
                    kubeconfig: path.join("kubeconfig"),
                    _lock: lock,
                };
                // A killed process left its own.
                directory.withdraw();
                Ok(directory)
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let endpoint = read(path);
                let (url, pid) = endpoint.map_or((String::new(), 0), |endpoint| (endpoint.url, endpoint.pid));
                Err(SimulatorError::Served { url, pid })
            }
            Err(error) => Err(failed(&lock_path)(error.into())),
        }
    }

    /// Says where the cluster is served.
    pub(crate) fn announce(&self, endpoint: &Endpoint) -> Result<(), SimulatorError> {
        let write = || {
            write_private(&self.kubeconfig, &kubeconfig(endpoint))?;
            let text = serde_json::to_string_pretty(endpoint).map_err(io::Error::other)?;
            write_private(&self.path.join(ENDPOINT), &text)
        };
        write().map_err(|cause| SimulatorError::Directory {
            path: self.path.clone(),
            cause,
        })
    }

    /// Where [`Self::announce`] puts the kubeconfig.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Whether the cluster holds all that it starts with.
    pub(crate) fn is_seeded(&self) -> bool {
        self.path.join(SEEDED).exists()
    }

    /// Remembers that the cluster holds all that it starts with.
    pub(crate) fn mark_seeded(&self) -> Result<(), SimulatorError> {
        let path = self.path.join(SEEDED);
        File::create(&path)
            .map(drop)
            .map_err(|cause| SimulatorError::Directory { path, cause })
    }

    /// Remembers which CRDs the cluster has, for its operators install more of them later.
    pub(crate) fn keep_crds(&self, crds: Option<&TrueCrds>) -> Result<(), SimulatorError> {
        let Some(crds) = crds else { return Ok(()) };
        let path = self.path.join(CRDS);
        std::fs::write(&path, crds.dir().as_os_str().as_encoded_bytes())
            .map_err(|cause| SimulatorError::Directory { path, cause })
    }

    /// The CRDs that the cluster has in place of the condensed ones, if it was made with some.
    pub(crate) fn crds(&self) -> Result<Option<TrueCrds>, SimulatorError> {
        let kept = self.path.join(CRDS);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |cause| SimulatorError::Directory { path, cause }
        };
        match std::fs::read(&kept) {
            Ok(bytes) => {
                let path = PathBuf::from(std::ffi::OsString::from_vec(bytes));
                TrueCrds::open(&path).map(Some).map_err(failed(&path))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&kept)(error)),
        }
    }

    /// Says that nobody should join any more; the directory is given back when this value goes.
    pub(crate) fn withdraw(&self) {
        if let Err(error) = std::fs::remove_file(self.path.join(ENDPOINT)) {
            tracing::debug!(%error, "endpoint.json was gone already");
        }
    }
}

/// Returns where the cluster of a directory is served right now; none if nobody serves it.
#[must_use]
pub fn live_endpoint(dir: &Path) -> Option<Endpoint> {
    let lock = File::open(dir.join(LOCK)).ok()?;
    match flock(&lock, FlockOperation::NonBlockingLockShared) {
        Err(rustix::io::Errno::WOULDBLOCK) => read(dir),
        Ok(()) | Err(_) => None,
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}

fn read(dir: &Path) -> Option<Endpoint> {
    serde_json::from_slice(&std::fs::read(dir.join(ENDPOINT)).ok()?).ok()
}

/// Returns a kubeconfig for one cluster and its administrator.
fn kubeconfig(endpoint: &Endpoint) -> String {
    let Endpoint { url, token, .. } = endpoint;
    let authority = STANDARD.encode(&endpoint.certificate_authority);
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: simulated\n  cluster:\n    server: {url}\n    certificate-authority-data: {authority}\nusers:\n- name: admin\n  user:\n    token: {token}\ncontexts:\n- name: simulated\n  context:\n    cluster: simulated\n    user: admin\ncurrent-context: simulated\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_process_serves_and_others_learn_where() {
        let dir = tempfile::tempdir().expect("a directory");
        let directory = Directory::take(dir.path()).await.expect("nobody serves it");
        let early = Directory::take(dir.path()).await.expect_err("held, and not announced");
        assert!(matches!(early, SimulatorError::Served { pid: 0, .. }));
        assert_eq!(live_endpoint(dir.path()), None, "nothing announced yet");
        let endpoint = Endpoint {
            url: "https://127.0.0.1:1".to_owned(),
            certificate_authority: "PEM".to_owned(),
            token: "t".to_owned(),
            pid: 7,
            speed: 100.0,
            data_plane: SocketAddr::from(([127, 0, 0, 1], 2)),
        };
        directory.announce(&endpoint).expect("written");
        assert_eq!(live_endpoint(dir.path()), Some(endpoint));
        let refused = Directory::take(dir.path()).await.expect_err("held");
        assert!(matches!(refused, SimulatorError::Served { pid: 7, .. }));
        directory.withdraw();
        assert_eq!(live_endpoint(dir.path()), None);
        drop(directory);
        Directory::take(dir.path()).await.expect("nobody serves it any more");
    }

    #[tokio::test]
    async fn an_endpoint_without_its_lock_means_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let endpoint = Endpoint {
            url: String::new(),
            certificate_authority: String::new(),
            token: String::new(),
            pid: 1,
            speed: 0.0,
            data_plane: SocketAddr::from(([127, 0, 0, 1], 2)),
        };
        let directory = Directory::take(dir.path()).await.expect("nobody serves it");
        directory.announce(&endpoint).expect("written");
        drop(directory);
        assert_eq!(live_endpoint(dir.path()), None);
    }
}
