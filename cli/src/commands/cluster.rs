//! The cluster that a command is about: of a kubeconfig, or the embedded one, joined or started here.

use crate::{
    error::{Error, Problem},
    settings::{ClusterChoice, Settings},
    views,
};
use stackctl_kubernetes::{ConnectError, ConnectOptions, KubernetesProvider};
use stackctl_simulator::{
    OperatorsMode, Platform, Simulator, SimulatorOptions,
    faults::{Fault, ScenarioErrors, Scheduled, read_scenario},
    live_endpoint,
    schemas::TrueCrds,
};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
};

/// Who we say that we are.
const USER_AGENT: &str = concat!("stackctl/", env!("CARGO_PKG_VERSION"));

/// A free port that only this machine reaches.
pub(super) const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What a command does with a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It looks. Simulated operators of this process stand still, so that a look changes nothing.
    Read,
    /// It writes.
    Write,
}

/// A cluster that answers.
#[derive(Debug)]
pub(super) struct Cluster {
    /// The way to it.
    pub(super) provider: KubernetesProvider,
    /// The uid of its `kube-system` namespace.
    pub(super) id: String,
    /// What people call it.
    pub(super) name: String,
    /// What time limits are multiplied by.
    pub(super) time_scale: f64,
    simulator: Option<Simulator>,
    writes: bool,
}

impl Cluster {
    /// Finds the cluster and asks it who it is. `context` is the stack's own choice; the command line wins.
    pub(super) async fn open(settings: &Settings, context: Option<&str>, how: Use) -> Result<Self, Error> {
        let mut cluster = Self::found(settings, context, how).await?;
        cluster.writes = how == Use::Write;
        cluster.provider = cluster.provider.with_parallelism(settings.parallelism);
        Ok(cluster)
    }

    async fn found(settings: &Settings, context: Option<&str>, how: Use) -> Result<Self, Error> {
        match &settings.cluster {
            ClusterChoice::Real {
                context: named,
                kubeconfig,
            } => {
                let context = named.clone().or_else(|| context.map(str::to_owned));
                let name = context.clone();
                let options = ConnectOptions {
                    kubeconfig: kubeconfig.clone(),
                    context,
                    user_agent: USER_AGENT.to_owned(),
                };
                let provider = KubernetesProvider::connect(&options)
                    .await
                    .map_err(|error| unreachable(&error))?;
                let name = name.unwrap_or_else(|| provider.server().to_owned());
                Self::of(provider, name, 1.0, None).await
            }
            ClusterChoice::Simulated {
                directory,
                speed,
                platform,
                faults,
            } => {
                let start = Start {
                    speed: *speed,
                    platform: *platform,
                    faults,
                    data_plane_port: None,
                    crds: None,
                };
                Self::simulated(directory, start, how).await
            }
        }
    }

    async fn simulated(directory: &Path, how_started: Start<'_>, how: Use) -> Result<Self, Error> {
        let name = "simulated".to_owned();
        if let Some(endpoint) = live_endpoint(directory) {
            if let Some(fault) = how_started.faults.first() {
                return Err(Problem::new(format!(
                    "the fault `{fault}` cannot be given to a cluster that runs already"
                ))
                .hint("give `--fault` to the `stackctl simulate` that serves it, or stop that")
                .into());
            }
            let provider = KubernetesProvider::from_url(
                &endpoint.url,
                &endpoint.token,
                Some(&endpoint.certificate_authority),
                USER_AGENT,
            )
            .map_err(|error| unreachable(&error))?
            .with_hosts_at(endpoint.data_plane);
            return Self::of(provider, name, time_scale(endpoint.speed), None).await;
        }
        let operators = match how {
            Use::Read => OperatorsMode::Paused,
            Use::Write => OperatorsMode::Running,
        };
        let speed = how_started.speed;
        let simulator = start(directory, LOOPBACK, how_started, operators).await?;
        let provider = KubernetesProvider::from_url(
            simulator.url(),
            simulator.token().reveal(),
            Some(simulator.certificate_authority()),
            USER_AGENT,
        )
        .map_err(|error| unreachable(&error))?
        .with_hosts_at(simulator.data_plane().address());
        Self::of(provider, name, time_scale(speed), Some(simulator)).await
    }

    async fn of(
        provider: KubernetesProvider,
        name: String,
        time_scale: f64,
        simulator: Option<Simulator>,
    ) -> Result<Self, Error> {
        let identity = provider.cluster_id().await.map_err(|error| unreachable(&error))?;
        Ok(Self {
            provider,
            id: identity.uid,
            name,
            time_scale,
            simulator,
            writes: false,
        })
    }

    /// Whether it is written to: then the copy of the state is too.
    pub(super) fn is_written_to(&self) -> bool {
        self.writes
    }

    /// Lets the cluster go; a simulated one of this process ends and keeps what it holds.
    pub(super) async fn close(self) {
        if let Some(simulator) = self.simulator {
            let unjudged = simulator.server().unjudged();
            simulator.stop().await;
            for one in unjudged.iter().filter(|_| self.writes) {
                views::tell(&views::simulator::unjudged(one));
            }
        }
    }
}

/// How an embedded cluster is started.
#[derive(Clone, Debug)]
pub(super) struct Start<'a> {
    /// How many times faster than real time; 0 is without waiting.
    pub(super) speed: f64,
    /// What a new one runs on.
    pub(super) platform: Platform,
    /// What goes wrong.
    pub(super) faults: &'a [String],
    /// Where its hosts answer; without one, at a free port.
    pub(super) data_plane_port: Option<u16>,
    /// True CRDs for a new one.
    pub(super) crds: Option<TrueCrds>,
}

/// Starts an embedded cluster in this process.
pub(super) async fn start(
    directory: &Path,
    listen: SocketAddr,
    Start {
        speed,
        platform,
        faults,
        data_plane_port,
        crds,
    }: Start<'_>,
    operators: OperatorsMode,
) -> Result<Simulator, Error> {
    let Asked { faults, schedule } = self::faults(faults)?;
    let options = SimulatorOptions {
        dir: directory.to_owned(),
        listen,
        data_plane: SocketAddr::new(listen.ip(), data_plane_port.unwrap_or(0)),
        speed,
        faults,
        schedule,
        operators,
        platform,
        crds,
    };
    Simulator::start(options)
        .await
        .map_err(|error| simulator_failed(directory, &error))
}

/// The faults that a person asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Those that are there all the time.
    pub(super) faults: Vec<Fault>,
    /// Those of files, which say when.
    pub(super) schedule: Vec<Scheduled>,
}

/// Reads faults as they are given: each a fault, or `@FILE`, a file of them.
pub(super) fn faults(texts: &[String]) -> Result<Asked, Problem> {
    let mut asked = Asked::default();
    for text in texts {
        if let Some(file) = text.strip_prefix('@') {
            let read = read_scenario(Path::new(file));
            asked
                .schedule
                .extend(read.map_err(|errors| not_a_scenario(file, &errors))?);
        } else {
            let fault = text.parse::<Fault>();
            let unknown = |error| Problem::of(&error).hint("`stackctl simulate --list-faults` lists them");
            asked.faults.push(fault.map_err(unknown)?);
        }
    }
    Ok(asked)
}

fn not_a_scenario(file: &str, errors: &ScenarioErrors) -> Problem {
    let problem = Problem::new(format!("the faults of `{file}` cannot be used"));
    let problem = errors
        .0
        .iter()
        .fold(problem, |problem, error| problem.because(error.to_string()));
    problem.hint("docs/simulator.md says how such a file is written")
}

/// Limits under a simulated cluster shrink as its operators get faster; without waiting, as at a thousand times.
fn time_scale(speed: f64) -> f64 {
    if speed > 0.0 { 1.0 / speed } else { 0.001 }
}

fn simulator_failed(directory: &Path, error: &dyn std::error::Error) -> Error {
    Problem::new("the simulated cluster does not start")
        .caused_by(error)
        .hint(format!(
            "is another process at work on `{}`? name another directory with `--simulate=DIR`",
            directory.display()
        ))
        .into()
}

fn unreachable(error: &ConnectError) -> Error {
    Problem::of(error).hint(error.hint()).into()
}
