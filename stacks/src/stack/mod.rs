//! `Stack`: the typed configuration that cannot be wrong.
//!
//! In: nothing (only the language builds these values). Out: what the catalogue compiles.
//!
//! Invariants:
//! - Every name obeys the grammar of the Kubernetes object it ends up in, with room for the suffixes we add.
//! - Names are unique where an address or an object key needs them to be: pools, models, tiers, groups.
//! - Every reference resolves: a tier names only models of this stack that are published to MaaS.
//! - Defaults are applied: an `Option` here means "read it from the cluster" or "nothing was asked for", never "look up
//!   the default elsewhere".
//! - No secret value is in here, only a [`SecretRef`] that says where to get it.

pub mod addons;
pub mod duration;
pub mod fate;
pub mod gateway;
pub mod gpu;
pub mod gpu_tiers;
pub mod maas;
pub mod manifests;
pub mod model;
pub mod names;
pub mod operators;
pub mod quantity;
pub mod rhoai;
pub mod rhoai_settings;
pub mod secret;
pub mod version;
pub mod window;

pub use addons::{Application, Gitops, Kueue, LocalQueue, MetalLb, ModelRegistry};
pub use duration::Timeout;
pub use fate::{Fate, TableFate};
pub use gateway::{Gateway, GatewayExposure, GatewayIssuer, GatewayTls, MaasExposure, MaasGateway, Termination};
pub use gpu::{GpuPool, MachineSets, Provision, RootVolume, VolumeType};
pub use gpu_tiers::{GpuTier, InstanceType};
pub use maas::{
    Database, ExternalModel, GatewayPolicies, GatewayTier, Group, Maas, MaasAlerts, MaasMode, MaasMonitoring, MaasUser,
    Members, ModelLimits, Oidc, Provider, Rate, Subscriptions, TenantTelemetry, Tier, TierLookup, TierMetadata,
};
pub use manifests::{Allowance, KindName, ManifestSet, SetDependency, SetReadiness};
pub(crate) use model::is_gated;
pub use model::{
    Access, Canary, CpuInference, Deployment, Display, EnvVar, FirstArgument, KvTransfer, LogLevel, Model,
    ModelMonitoring, ModelSource, ModelVolume, Prefill, PrefillDecode, PrefixCaching, PrefixScoring, Probe, Probes,
    Requests, S3Account, S3Connection, Scheduler, SchedulerTls, Vllm,
};
pub use names::{
    ChannelName, DomainName, EnvName, GroupName, HostLabel, ModelName, NamespaceName, ObjectName, PoolName, StackName,
    TierName, UserName, Zone,
};
pub use operators::{Catalogs, Operators, Pins};
pub use quantity::Quantity;
pub use rhoai::{Approval, Components, Profile, Rhoai};
pub use rhoai_settings::{
    AccessMode, DashboardSettings, HardwareProfile, Identifier, Mlflow, PlatformMonitoring, ResourceType, Retention,
    SampleRatio, Scheduling, Toleration,
};
pub use secret::{GivenSecret, SecretRef};
pub use version::VersionRequirement;
pub use window::Window;

use crate::manifests::definition_stays;
use serde_json::Value;
use stackctl_engine::{
    Address,
    late::SecretFile,
    moves::Moves,
    plan,
    resource::{Adopt, Node, Resource},
};

/// What one stack file (and its layers) asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// The name of the stack, which marks every object that is ours.
    pub name: StackName,
    /// The platform that the catalogue makes; absent in a stack of nothing but manifests, for any Kubernetes cluster.
    pub openshift: Option<OpenShift>,
    /// Manifests of the user's own, in the order of the file.
    pub manifests: Vec<ManifestSet>,
    /// What of any manifest is meant so.
    pub allow: Vec<Allowance>,
    /// Addresses that were renamed, and what is left as it is though it is in the stack no more.
    pub moves: Moves,
    /// How the objects of each table live and die, of those tables that say it.
    pub fates: Vec<TableFate>,
    /// Where what was applied is recorded.
    pub state: StateConfig,
}

impl Stack {
    /// Writes into resources how they live and die, by what their tables say: of what is a whole object. What a controller
    /// makes beside us is released whatever they say.
    pub fn keep(&self, resources: &mut [Resource]) {
        for resource in resources {
            if !matches!(resource.node, Node::Object(_)) {
                continue;
            }
            let (lifecycle, address) = (&mut resource.lifecycle, &resource.address);
            lifecycle.prevent_destroy |= self.keeps(address);
            if lifecycle.adopt == Adopt::Expected {
                continue;
            }
            lifecycle.delete_adopted = self.says(address, |fate| fate.delete_adopted);
            if lifecycle.adopt == Adopt::Consent && self.says(address, |fate| fate.adopt) {
                lifecycle.adopt = Adopt::Given;
            }
        }
    }

    /// Why a recorded definition stays, if the stack has its table and that does not say `delete_crds`, whatever was said
    /// when it was recorded. `manifest` is what was recorded of it.
    pub fn keeps_definition(&self, address: &Address, manifest: &Value) -> Option<String> {
        let set = self.manifests.iter().find(|set| {
            plan::Pattern::component("manifests", Some(set.name.as_str())).is_ok_and(|all| all.names(address))
        })?;
        (!set.delete_crds).then(|| definition_stays(manifest))
    }

    /// Whether no plan may delete what was made at an address, whatever was said when it was recorded.
    pub fn keeps(&self, address: &Address) -> bool {
        self.says(address, |fate| fate.prevent_destroy)
    }

    /// Whether what was there before us at an address stays, whatever was said when it was recorded: the stack has its table,
    /// and that does not say `delete_adopted`.
    pub fn gives_back(&self, address: &Address) -> bool {
        self.says(address, |_| true) && !self.says(address, |fate| fate.delete_adopted)
    }

    fn says(&self, address: &Address, what: impl Fn(&Fate) -> bool) -> bool {
        self.fates
            .iter()
            .any(|table| what(&table.fate) && table.of.names(address))
    }
}

/// What the catalogue makes on an OpenShift cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenShift {
    /// What is said about the cluster itself.
    pub cluster: Cluster,
    /// Where the certificate of the gateways comes from.
    pub tls: Tls,
    /// A certificate authority that the cluster is to trust, besides what `tls` brings.
    pub trusted_ca: Option<TrustedCa>,
    /// GPU pools, in the order of the file.
    pub gpu: Vec<GpuPool>,
    /// The OpenShift AI operator and its components.
    pub rhoai: Rhoai,
    /// User-workload monitoring.
    pub monitoring: Monitoring,
    /// The gateway of models that are not published to MaaS.
    pub gateway: Gateway,
    /// The models to serve, in the order of the file.
    pub models: Vec<Model>,
    /// Models-as-a-Service, when it is enabled.
    pub maas: Option<Maas>,
    /// Operators beyond those that the platform needs, pins, and where packages come from.
    pub operators: Operators,
    /// The queues of Kueue.
    pub kueue: Kueue,
    /// Model registries, in the order of the file.
    pub model_registries: Vec<ModelRegistry>,
    /// OpenShift GitOps, where it is wanted.
    pub gitops: Option<Gitops>,
    /// MetalLB, where it is wanted.
    pub metallb: Option<MetalLb>,
}

impl Stack {
    /// The kubeconfig context that the stack names.
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        self.openshift.as_ref()?.cluster.context.as_deref()
    }
}

impl OpenShift {
    /// Returns the model of that name.
    #[must_use]
    pub fn model(&self, name: &ModelName) -> Option<&Model> {
        self.models.iter().find(|model| &model.name == name)
    }

    /// Returns the models that are published to MaaS, in the order of the file.
    pub fn maas_models(&self) -> impl Iterator<Item = &Model> {
        self.models.iter().filter(|model| model.access == Access::Maas)
    }
}

/// What is said about the cluster, as against what is read from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// What the cluster runs on.
    pub platform: Platform,
    /// The versions of OpenShift this stack accepts.
    pub openshift: VersionRequirement,
    /// The kubeconfig context to use, unless the command line names one.
    pub context: Option<String>,
    /// The apps domain the cluster must have; absent means "whatever it has".
    pub apps_domain: Option<DomainName>,
    /// Whether the API server encrypts Secrets in etcd. Taking it back is not enough to decrypt them.
    pub etcd_encryption: bool,
    /// Whether the cluster has no way to the internet; only what is asked of the internet is held against it.
    pub disconnected: bool,
}

/// What the cluster runs on, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Installer-provisioned AWS: Route53 and MachineSets are available.
    Aws,
    /// Anything else: no cloud API is used.
    None,
}

/// Where the certificate that the gateways present comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Let's Encrypt by a DNS challenge in Route53 (only on AWS).
    LetsEncrypt {
        /// Whom the certificate authority writes to; it works without.
        email: Option<String>,
        /// The hosted zone, where discovery by name fails; absent means "found by name".
        hosted_zone_id: Option<String>,
        /// What else presents the certificates.
        attach: Attach,
    },
    /// A certificate authority of our own, made by cert-manager.
    LocalCa {
        /// What else presents the certificates.
        attach: Attach,
    },
    /// A certificate that is already in the cluster.
    Existing {
        /// A Secret in `openshift-ingress`; absent means the router's own certificate, read as a fact.
        secret: Option<ObjectName>,
    },
}

impl Tls {
    /// The ClusterIssuer that is made for it; none for a certificate that is there.
    #[must_use]
    pub const fn issuer(&self) -> Option<&'static str> {
        match self {
            Self::LetsEncrypt { .. } => Some(GatewayIssuer::LETSENCRYPT),
            Self::LocalCa { .. } => Some(GatewayIssuer::LOCAL_CA),
            Self::Existing { .. } => None,
        }
    }
}

/// A certificate authority that is not public, which what calls the platform from inside has to trust
/// (`reference/serving.md` §1.17).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustedCa {
    /// In a file of PEM blocks.
    File(SecretFile),
    /// `ca.crt` of the Secret that the generated certificate of a gateway is written to.
    OfGateway(GeneratedFor),
}

/// Which gateway has a generated certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GeneratedFor {
    /// The llm-d gateway.
    LlmD,
    /// The gateway of MaaS.
    Maas,
}

/// What presents the certificates that the stack makes, beside the gateways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attach {
    /// The API server, at `api.<base domain>`.
    pub api: bool,
    /// The router, for every host under the apps domain.
    pub ingress: bool,
}

/// User-workload monitoring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Monitoring {
    /// Whether user-workload monitoring is switched on.
    pub enabled: bool,
    /// Whether the console shows dashboards of models.
    pub dashboards: bool,
    /// Whether those dashboards have a data source of their own.
    pub datasource: bool,
    /// How long it may take to become ready; absent means the reference's time.
    pub ready_timeout: Option<Timeout>,
}

/// Where what was applied is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateConfig {
    /// In a directory beside the first stack file.
    Local,
}
