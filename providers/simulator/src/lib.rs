//! The embedded OpenShift: an API server, and the simulated operators that act on any API server through kube-rs.
//!
//! In: a directory, an address, a speed and faults. Out: a cluster that is served over HTTP until it is stopped.
//!
//! Invariants:
//! - One process serves a directory: it holds the lock, and says in `endpoint.json` where it listens.
//! - A fresh directory is seeded before anything acts on it: it looks as an OpenShift on AWS would be found.
//! - All state is in the directory; a killed process loses nothing that was acknowledged.
//!
//! Modules in reading order: [`clock`] and [`faults`] (how the cluster is to behave), [`schemas`] and [`seed`] (what a
//! fresh one holds), `certificates` (what is signed in it), [`apiserver`] (what serves it), [`operators`] (what acts on
//! it), and `directory` (who serves it).

pub mod apiserver;
mod certificates;
pub mod clock;
mod directory;
pub mod faults;
mod guest;
pub mod operators;
pub mod schemas;
pub mod seed;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use apiserver::{ApiServer, ApiServerError, ApiServerOptions, Identity};
use clock::Clock;
use directory::Directory;
pub use directory::{Endpoint, live_endpoint};
use faults::Fault;
pub use guest::{Guest, GuestOptions};
use operators::{Access, Operators, OperatorsOptions};
pub use seed::Platform;

/// The token of the administrator of a simulated cluster. It opens nothing else.
const ADMIN_TOKEN: &str = "simulated-admin";
/// The user that the administrator is, as OpenShift names it.
const ADMIN_USER: &str = "kube:admin";

/// Whether the operators act from the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OperatorsMode {
    /// They act.
    #[default]
    Running,
    /// They wait for [`Simulator::resume`], as under commands that only read.
    Paused,
}

/// How a simulated cluster is started.
#[derive(Clone, Debug)]
pub struct SimulatorOptions {
    /// Where the cluster lives; made if it is missing.
    pub dir: PathBuf,
    /// Where the API server listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// How much faster than a real cluster it lives; 0 means that nothing takes time.
    pub speed: f64,
    /// How it misbehaves.
    pub faults: Vec<Fault>,
    /// Whether its operators act from the start.
    pub operators: OperatorsMode,
    /// What a new cluster runs on; one that is there stays what it is.
    pub platform: Platform,
}

impl SimulatorOptions {
    /// Options for a cluster in this directory, on a free port of loopback, at the default speed.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            speed: clock::DEFAULT_SPEED,
            faults: Vec::new(),
            operators: OperatorsMode::Running,
            platform: Platform::Aws,
        }
    }
}

/// Why a simulated cluster did not start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// Another process serves the directory: join it there.
    #[error("the simulated cluster is served by process {pid} at {url}")]
    Served {
        /// Where it listens.
        url: String,
        /// Its process id.
        pid: u32,
    },
    /// The directory cannot be used.
    #[error("use the directory {path}")]
    Directory {
        /// The directory or file.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// The API server did not start.
    #[error("start the API server")]
    ApiServer(#[from] ApiServerError),
    /// The fresh cluster could not be filled.
    #[error("seed the cluster")]
    Seed(#[from] seed::SeedError),
    /// The cluster is somebody's.
    #[error("{server} has nodes that nobody plays: it is in use")]
    InUse {
        /// Where it listens.
        server: String,
    },
    /// The kubeconfig cannot be used.
    #[error("use the kubeconfig")]
    Kubeconfig(#[source] Box<kube::config::KubeconfigError>),
    /// No client could be made for the cluster.
    #[error("speak to the API server")]
    Client(#[source] Box<kube::Error>),
}

/// A running simulated cluster.
#[derive(Debug)]
pub struct Simulator {
    url: String,
    server: ApiServer,
    operators: Operators,
    directory: Directory,
}

impl Simulator {
    /// Takes the directory, serves what it holds, seeds it if it is new, and starts the operators.
    ///
    /// # Errors
    ///
    /// [`SimulatorError::Served`] if another process serves the directory; otherwise whatever kept it from starting.
    pub async fn start(options: SimulatorOptions) -> Result<Self, SimulatorError> {
        let directory = Directory::take(&options.dir).await?;
        let mut server_options = ApiServerOptions::new(&options.dir);
        server_options.listen = options.listen;
        server_options.tokens = tokens();
        // Stock clients send no token over plain HTTP (client-go, clientcmd); the server is on loopback.
        server_options.anonymous_admin = true;
        let server = ApiServer::start(server_options).await?;
        let url = server.url();
        operators::register_admission(server.admission(), &options.faults);
        let uri: http::Uri = match url.parse() {
            Ok(uri) => uri,
            Err(cause) => unreachable!("the server's own URL is one: {cause}"),
        };
        if !directory.is_seeded() {
            seed::seed(admin(&uri)?, options.platform, None).await?;
            directory.mark_seeded()?;
        }
        let clock = Clock::new(options.speed);
        let paused = options.operators == OperatorsMode::Paused;
        let operators = Operators::start(OperatorsOptions {
            access: Access::Embedded(uri),
            clock,
            faults: options.faults,
            paused,
            crds: None,
        })
        .map_err(|cause| SimulatorError::Client(Box::new(cause)))?;
        directory.announce(&Endpoint {
            url: url.clone(),
            token: ADMIN_TOKEN.to_owned(),
            pid: std::process::id(),
            speed: clock.speed(),
        })?;
        Ok(Self {
            url,
            server,
            operators,
            directory,
        })
    }

    /// Where the API server listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The bearer token of the administrator.
    pub fn token(&self) -> &str {
        ADMIN_TOKEN
    }

    /// A kubeconfig for `kubectl`, as YAML.
    pub fn kubeconfig(&self) -> String {
        directory::kubeconfig(&self.url, ADMIN_TOKEN)
    }

    /// The API server, for whoever tests it.
    pub fn server(&self) -> &ApiServer {
        &self.server
    }

    /// Lets the operators rest.
    pub fn pause(&self) {
        self.operators.pause();
    }

    /// Lets the operators act again.
    pub fn resume(&self) {
        self.operators.resume();
    }

    /// Replaces the faults that the cluster shows; an empty list heals it.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.operators.set_faults(faults);
    }

    /// Ends the operators, then the server, and gives the directory back.
    pub async fn stop(self) {
        self.directory.withdraw();
        self.operators.stop().await;
        self.server.stop().await;
        drop(self.directory);
    }
}

fn tokens() -> BTreeMap<String, Identity> {
    let admin = Identity {
        user: ADMIN_USER.to_owned(),
        groups: vec!["system:masters".to_owned(), "system:authenticated".to_owned()],
    };
    let operators = operators::identities().map(|(token, user)| {
        let groups = vec!["system:masters".to_owned(), "system:authenticated".to_owned()];
        (token, Identity { user, groups })
    });
    operators.chain([(ADMIN_TOKEN.to_owned(), admin)]).collect()
}

fn admin(uri: &http::Uri) -> Result<kube::Client, SimulatorError> {
    let mut config = kube::Config::new(uri.clone());
    config.auth_info.token = Some(ADMIN_TOKEN.to_owned().into());
    kube::Client::try_from(config).map_err(|cause| SimulatorError::Client(Box::new(cause)))
}
