//! The operators alone, as guests of an API server that is not ours: the same twin on a real kube-apiserver.
//!
//! The server needs no OpenShift: it is seeded like the embedded one. It must be one that nobody needs, because nodes,
//! machines and workloads are only played there.

use std::path::PathBuf;

use k8s_openapi::api::core::v1::Node;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;

use crate::SimulatorError;
use crate::clock::Clock;
use crate::faults::{Fault, Scheduled};
use crate::operators::{Access, Operators, OperatorsOptions};
use crate::schemas::TrueCrds;
use crate::seed;

/// Where the operators act, and how.
#[derive(Clone, Debug)]
pub struct GuestOptions {
    /// The kubeconfig; without one, that of the environment.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it; without one, the current one.
    pub context: Option<String>,
    /// How much faster than real operators they are; 0 means that nothing takes time.
    pub speed: f64,
    /// How they misbehave.
    pub faults: Vec<Fault>,
    /// How they misbehave for a while.
    pub schedule: Vec<Scheduled>,
    /// What the cluster is made to run on, unless it is seeded already.
    pub platform: crate::seed::Platform,
    /// True CRDs to install in place of the condensed ones.
    pub crds: Option<TrueCrds>,
}

/// Operators at work on a foreign API server.
#[derive(Debug)]
pub struct Guest {
    operators: Operators,
    server: String,
}

impl Guest {
    /// Seeds the server, as far as it is not, and starts the operators.
    ///
    /// # Errors
    ///
    /// When the kubeconfig cannot be used, or the server refuses something of the seed.
    pub async fn start(options: GuestOptions) -> Result<Self, SimulatorError> {
        let config = config(&options).await?;
        let server = config.cluster_url.to_string();
        let client = |cause| SimulatorError::Client(Box::new(cause));
        let admin = kube::Client::try_from(config.clone()).map_err(client)?;
        refuse_a_cluster_in_use(&admin, &server).await?;
        seed::seed(admin, options.platform, options.crds.as_ref()).await?;
        let operators_options = OperatorsOptions {
            access: Access::Impersonating(Box::new(config)),
            clock: Clock::new(options.speed),
            faults: options.faults,
            schedule: options.schedule,
            paused: false,
            crds: options.crds,
        };
        // The server is not ours: it has no trouble but its own.
        let operators = Operators::start(operators_options, |_| {}).map_err(client)?;
        Ok(Self { operators, server })
    }

    /// Where the server listens.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Ends the operators; what they made stays.
    pub async fn stop(self) {
        self.operators.stop().await;
    }
}

/// A cluster with nodes that we did not play is somebody's.
async fn refuse_a_cluster_in_use(admin: &kube::Client, server: &str) -> Result<(), SimulatorError> {
    let client = |cause| SimulatorError::Client(Box::new(cause));
    let nodes: Api<Node> = Api::all(admin.clone());
    if nodes
        .list(&ListParams::default().limit(1))
        .await
        .map_err(client)?
        .items
        .is_empty()
    {
        return Ok(());
    }
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("config.openshift.io", "v1", "Infrastructure"));
    let infrastructures: Api<DynamicObject> = Api::all_with(admin.clone(), &resource);
    let name = match infrastructures.get_opt("cluster").await {
        Ok(Some(infrastructure)) => infrastructure.data["status"]["infrastructureName"].clone(),
        Ok(None) | Err(kube::Error::Api(_)) => Value::Null,
        Err(cause) => return Err(client(cause)),
    };
    if name == seed::INFRASTRUCTURE_NAME {
        return Ok(());
    }
    Err(SimulatorError::InUse {
        server: server.to_owned(),
    })
}

async fn config(options: &GuestOptions) -> Result<kube::Config, SimulatorError> {
    let unusable = |cause| SimulatorError::Kubeconfig(Box::new(cause));
    let chosen = KubeConfigOptions {
        context: options.context.clone(),
        ..KubeConfigOptions::default()
    };
    let kubeconfig = match &options.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    kube::Config::from_custom_kubeconfig(kubeconfig.map_err(unusable)?, &chosen)
        .await
        .map_err(unusable)
}
