//! The embedded OpenShift: an API server, and the simulated operators that act on any API server through kube-rs.
//!
//! In: a directory, an address, a speed and faults. Out: a cluster that is served over HTTPS until it is stopped.
//!
//! Invariants:
//! - One process serves a directory: it holds the lock, and says in `endpoint.json` where it listens.
//! - A fresh directory is seeded before anything acts on it: it looks as an OpenShift on AWS would be found.
//! - All state is in the directory; a killed process loses nothing that was acknowledged.
//! - It is served over TLS alone; what opens it is in files that only their owner reads.
//!
//! Modules in reading order: [`clock`] and [`faults`] (how the cluster is to behave), [`schemas`] and [`seed`] (what a
//! fresh one holds), `certificates` (what is signed in it), `credentials` (what it is known by), [`apiserver`] (what
//! serves it), `oauth` (where users log in), [`operators`] (what acts on it), [`data_plane`] (what answers for its hosts),
//! and `directory` (who serves it).

pub mod apiserver;
mod certificates;
pub mod clock;
mod credentials;
pub mod data_plane;
mod directory;
pub mod faults;
mod guest;
mod oauth;
pub mod operators;
mod private_file;
pub mod schemas;
pub mod seed;

#[cfg(test)]
mod access_scenarios;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use apiserver::{ApiServer, ApiServerError, ApiServerOptions, Authorization, Identity, Token};
use clock::Clock;
use credentials::Credentials;
use data_plane::{DataPlane, DataPlaneOptions};
use directory::Directory;
pub use directory::{Endpoint, live_endpoint};
use faults::{Fault, Scheduled};
pub use guest::{Guest, GuestOptions};
use oauth::OAUTH_SERVER;
use operators::{Access, Operators, OperatorsOptions};
use schemas::TrueCrds;
pub use seed::Platform;

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
    /// Where the hosts of its gateways answer; port 0 takes a free one.
    pub data_plane: SocketAddr,
    /// How much faster than a real cluster it lives; 0 means that nothing takes time.
    pub speed: f64,
    /// How it misbehaves.
    pub faults: Vec<Fault>,
    /// How it misbehaves for a while.
    pub schedule: Vec<Scheduled>,
    /// Whether its operators act from the start.
    pub operators: OperatorsMode,
    /// What a new cluster runs on; one that is there stays what it is.
    pub platform: Platform,
    /// True CRDs that a new cluster has in place of the condensed ones; one that is there stays what it is.
    pub crds: Option<TrueCrds>,
}

impl SimulatorOptions {
    /// Options for a cluster in this directory, on a free port of loopback, at the default speed.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_plane: SocketAddr::from(([127, 0, 0, 1], 0)),
            speed: clock::DEFAULT_SPEED,
            faults: Vec::new(),
            schedule: Vec::new(),
            operators: OperatorsMode::Running,
            platform: Platform::Aws,
            crds: None,
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
    /// A certificate could not be made.
    #[error("make a certificate")]
    Certificate(#[source] rcgen::Error),
    /// The system gives no random bytes.
    #[error("draw a token")]
    Random(#[source] std::io::Error),
    /// The API server did not start.
    #[error("start the API server")]
    ApiServer(#[from] ApiServerError),
    /// The hosts of its gateways cannot answer.
    #[error("answer for the cluster's hosts at {address}")]
    DataPlane {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
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
    uri: http::Uri,
    credentials: Credentials,
    server: ApiServer,
    operators: Operators,
    data_plane: DataPlane,
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
        let credentials = Credentials::of(&options.dir)?;
        let servants = servants()?;
        server_options.listen = options.listen;
        server_options.serving = Some(credentials.serving(options.listen.ip())?);
        server_options.tokens = tokens(credentials.administrator(), &servants);
        server_options.authorization = Authorization::Rbac;
        let server = ApiServer::start(server_options).await?;
        let url = server.url();
        operators::register_admission(server.admission());
        let uri: http::Uri = match url.parse() {
            Ok(uri) => uri,
            Err(cause) => unreachable!("the server's own URL is one: {cause}"),
        };
        if !directory.is_seeded() {
            directory.keep_crds(options.crds.as_ref())?;
            let admin = client(credentials.config(&uri, credentials.administrator()))?;
            seed::seed(admin.clone(), options.platform, options.crds.as_ref()).await?;
            if let Some(crds) = &options.crds {
                seed::own_kinds(admin.clone(), crds).await?;
            }
            let spoilt = seed::spoil(&admin, &options.faults).await;
            spoilt.map_err(|cause| SimulatorError::Client(Box::new(cause)))?;
            directory.mark_seeded()?;
        }
        let ways = servants
            .iter()
            .map(|(user, token)| (user.clone(), credentials.config(&uri, token)));
        let ways: BTreeMap<String, kube::Config> = ways.collect();
        oauth::register(server.access(), client(ways[OAUTH_SERVER].clone())?);
        let clock = Clock::new(options.speed);
        let paused = options.operators == OperatorsMode::Paused;
        let access = Access::Embedded(ways);
        let data_plane = data_plane(&access, &options, clock).await?;
        server.pod_runtimes().register(data_plane.pods());
        let operators_options = OperatorsOptions {
            access,
            clock,
            faults: options.faults,
            schedule: options.schedule,
            paused,
            crds: directory.crds()?,
        };
        // Only now: the seed of a fresh cluster is no client under test.
        let trouble = server.trouble();
        let admission = server.admission().clone();
        let tell = move |faults: &[Fault]| {
            trouble.set(faults::trouble(faults));
            operators::follow_faults_of_webhooks(&admission, faults);
        };
        let operators =
            Operators::start(operators_options, tell).map_err(|cause| SimulatorError::Client(Box::new(cause)))?;
        directory.announce(&Endpoint {
            url: url.clone(),
            certificate_authority: credentials.authority().to_owned(),
            token: credentials.administrator().reveal().to_owned(),
            pid: std::process::id(),
            speed: clock.speed(),
            data_plane: data_plane.address(),
        })?;
        Ok(Self {
            url,
            uri,
            credentials,
            server,
            operators,
            data_plane,
            directory,
        })
    }

    /// Where the API server listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate of the authority that the API server is to be trusted by, as PEM.
    pub fn certificate_authority(&self) -> &str {
        self.credentials.authority()
    }

    /// The bearer token of the administrator.
    pub fn token(&self) -> &Token {
        self.credentials.administrator()
    }

    /// Where the kubeconfig of the administrator is, for `kubectl`.
    pub fn kubeconfig(&self) -> &Path {
        self.directory.kubeconfig()
    }

    /// A client that acts as the administrator.
    ///
    /// # Errors
    ///
    /// When no client can be made for the URL.
    pub fn client(&self) -> Result<kube::Client, SimulatorError> {
        client(self.credentials.config(&self.uri, self.token()))
    }

    /// Where the hosts of the cluster's gateways answer.
    pub fn data_plane(&self) -> &DataPlane {
        &self.data_plane
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
        self.data_plane.stop().await;
        self.operators.stop().await;
        self.server.stop().await;
        drop(self.directory);
    }
}

/// Draws a token for each part of the cluster that is a client of its API server; they live as long as the process.
fn servants() -> Result<BTreeMap<String, Token>, SimulatorError> {
    let users = operators::users().chain([OAUTH_SERVER.to_owned()]);
    let drawn = users.map(|user| Ok((user, Token::drawn().map_err(SimulatorError::Random)?)));
    drawn.collect()
}

/// Starts what answers for the cluster's hosts, with what it kept in the cluster's directory.
async fn data_plane(access: &Access, options: &SimulatorOptions, clock: Clock) -> Result<DataPlane, SimulatorError> {
    let client = access
        .client(operators::DATA_PLANE)
        .map_err(|cause| SimulatorError::Client(Box::new(cause)))?;
    let started = DataPlane::start(DataPlaneOptions {
        client,
        clock,
        dir: Some(options.dir.join("data-plane")),
        listen: options.data_plane,
    });
    started.await.map_err(|cause| SimulatorError::DataPlane {
        address: options.data_plane,
        cause,
    })
}

fn tokens(administrator: &Token, servants: &BTreeMap<String, Token>) -> BTreeMap<Token, Identity> {
    let servants = servants.iter().map(|(user, token)| (token, user.as_str()));
    let all = servants.chain([(administrator, ADMIN_USER)]);
    all.map(|(token, user)| (token.clone(), Identity::member(user, ["system:masters".to_owned()])))
        .collect()
}

fn client(config: kube::Config) -> Result<kube::Client, SimulatorError> {
    kube::Client::try_from(config).map_err(|cause| SimulatorError::Client(Box::new(cause)))
}
