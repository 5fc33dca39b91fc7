//! Every fault there is, a row each: how it is written, what it does, and which gotcha it stands for.
//!
//! A new fault is a new [`FaultName`], a row here, and the line of the operator or server that asks for it.

/// The name of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultName {
    /// An operator does nothing at all.
    Stopped,
    /// Everything an operator waits for takes ten times as long.
    Slow,
    /// The ClusterServiceVersion of a package ends in phase Failed.
    FailingInstall,
    /// The first look at a Gateway misses that Authorino has TLS, as when a cache is stale
    /// (`reference/serving.md` §1.9, P5): its EnvoyFilter comes with the next changed write or the next start of
    /// odh-model-controller, and not before.
    AuthorinoTlsMissed,
    /// An operator starts and never gets ready.
    Stuck,
    /// An operator restarts once in mid-run: it forgets what it waited for, and is led again only after its lease.
    Restart,
    /// A node stops posting its status.
    NodeDies,
    /// Somebody writes a field of an object right after our first write of it.
    UserEdits,
    /// Somebody deletes an object right after our first write of it.
    UserDeletes,
    /// Every request takes longer.
    Latency,
    /// Requests are answered 429.
    Throttled,
    /// Requests are answered 500.
    Errors,
    /// Requests are answered 503 and 504.
    Unavailable,
    /// Changes are answered 409.
    Conflicts,
    /// Connections break, before or after the request was carried out.
    DroppedConnections,
    /// Watches break.
    DroppedWatches,
    /// Watches break, and where they would go on is gone.
    ExpiredWatches,
    /// A webhook times out.
    WebhookTimeouts,
    /// Which requests are met.
    Seed,

    // Of the platform: rows G of `reference/platform.md` §4.
    /// The channel of a package has lost the version that a Subscription starts with (G32).
    PinGone,
    /// A catalogue of the marketplace does not answer.
    CatalogUnhealthy,
    /// The bundle of a package cannot be unpacked.
    UnpackFails,
    /// Somebody's manual Subscription makes every install plan of a namespace wait (G18).
    ApprovalHeld,
    /// The install plan of a package comes together with upgrades of what is installed beside it (§2.7).
    CombinedPlan,
    /// Somebody approves the upgrade that a pin leaves waiting (G20).
    UpgradeApproved,
    /// Images cannot be pulled (G42).
    Unpullable,
    /// cert-manager's webhook is refused for a while after its pods run, because its authority is not known yet (G04).
    WebhookUntrusted,
    /// A DNS challenge finds no zone that it could write to (G05).
    ChallengeFails,
    /// The ACME server cannot be reached, as in a closed network (G46).
    AcmeUnreachable,
    /// Nobody makes the credentials that a CredentialsRequest asks for, as in mode Manual (G07).
    CredentialsNeverMinted,
    /// The cluster's own credentials do not allow what a CredentialsRequest asks for (G07).
    CredentialsInsufficient,
    /// The cloud has no instance to give in a zone, and is asked again.
    NoCapacity,
    /// The cloud refuses what a Machine in a zone refers to (G16).
    MachineRefused,
    /// Node Feature Discovery labels no node (G11, G12).
    LabelsMissing,
    /// The driver of the GPUs does not come up.
    DriverFails,
    /// The GPU operator says ready while no node offers a GPU (G13).
    DevicePluginSilent,
    /// A component of the DataScienceCluster does not become ready.
    ComponentFails,
    /// OpenShift AI does not find an operator that its monitoring needs (G25).
    MonitoringUnmet,
    /// OpenShift AI does not take up the bundle of authorities (G09).
    TrustBundleMissed,
    /// OpenShift AI makes no configuration of the dashboard.
    DashboardConfigMissing,
    /// OpenShift AI refuses a flag that a later release dropped (G31).
    FlagRefused,
    /// The Leader Worker Set operator does not find the Issuer API (G40).
    IssuerApiUnseen,
    /// The Kuadrant operator never sees a Gateway API provider, however often it starts (G23).
    GatewayProviderUnseen,
    /// User-workload monitoring does not roll out (G36).
    UserWorkloadDegraded,
    /// The router rolls out no more: Routes are not admitted.
    RouterDegraded,
    /// A controller never clears the finalizer of a kind.
    FinalizerStuck,
    /// A new cluster has no default StorageClass (G41).
    NoDefaultStorageClass,
    /// A new cluster has no credentials for a registry (G42).
    NoPullSecret,
    /// A new cluster has no certificate of its router.
    NoRouterCertificate,

    // Of serving.
    /// The proxy of the gateway never takes its configuration: Programmed stays False (`reference/serving.md` §5, G1, M23).
    GatewayNotProgrammed,
    /// Somebody subscribes to a service mesh of their own: no GatewayClass is accepted (`reference/serving.md` §5, G2).
    ForeignMesh,
    /// No cloud gives a load balancer an address (`reference/serving.md` §5, G3).
    LoadBalancerPending,
    /// Somebody deletes the Secret that the gateway's listener presents (`reference/serving.md` §5, G4).
    ListenerSecretGone,
    /// A Service of somebody asks the service CA for a certificate into that Secret of openshift-ingress (`reference/serving.md` §5, G5, P12).
    SecretOverwritten,
    /// Somebody takes the namespaces of models out of the gateway's listener, once (`reference/serving.md` §5, M2, S6).
    ListenerNarrowed,
    /// Somebody deletes the hardware profile whenever it is there (`reference/serving.md` §5, M5).
    HardwareProfileGone,
    /// Somebody takes the type off the Secret of a model's connection (`reference/serving.md` §5, M6).
    ConnectionUntyped,
    /// Other pods hold every GPU: pods that ask for one stay Pending (`reference/serving.md` §5, M9, M11).
    GpusTaken,
    /// Hugging Face gives the weights of the model to nobody without a right to them (`reference/serving.md` §5, M13).
    GatedRepository,
    /// The first container of the Deployment's pods ends with code 1, again and again (`reference/serving.md` §5, M1, P20, S19).
    Crashing,
    /// The first container of the Deployment's pods takes more memory than it may (`reference/serving.md` §5, M1).
    OutOfMemory,
    /// Somebody makes a model without a name by the dashboard, whose container gen-ai-ui then crashes (`reference/serving.md` §5, M14).
    NamelessModel,
    /// A policy that lets everybody call the model is left over from before (`reference/serving.md` §5, M25).
    AnonymousPolicy,
    /// The gateway does not take the InferencePool of the model (`reference/serving.md` §5, M23).
    PoolIgnored,
    /// The operator of Kuadrant accepts no policy until it is restarted (`reference/serving.md` §5, K3).
    PoliciesNotAccepted,
    /// Policies are accepted, and never enforced (`reference/serving.md` §5, K3).
    PoliciesNotEnforced,
    /// Odh-model-controller started before the kinds of policies: it looks at no Gateway until it is restarted (`reference/serving.md` §5, K7).
    PolicyKindsMissed,
    /// Somebody deletes the Secret of MaaS's database once MaaS is on (`reference/serving.md` §5, P2).
    DatabaseSecretGone,
    /// The database of MaaS was made with another password (`reference/serving.md` §5, P9).
    DatabaseRefuses,
    /// Somebody takes TLS from Authorino again, once (`reference/serving.md` §5, P5, §2.5).
    AuthorinoTlsReverted,
    /// The tenant is Ready, and says Degraded (`reference/serving.md` §5, P6).
    TenantDegraded,
    /// The Deployment of a component is of an early-access release, with a selector that cannot be changed (`reference/serving.md` §5, P7).
    OldSelector,
    /// Tokens of the cluster have an issuer, and so an audience, of its own (`reference/serving.md` §5, P16).
    TokenAudience,
    /// Maas-controller cannot write the status of a MaaSAuthPolicy (`reference/serving.md` §5, P17).
    AuthPolicyStatusLags,
    /// Somebody deletes the tenant once it is ready (`reference/serving.md` §5, P22).
    TenantDeleted,
    /// Somebody publishes the model under a second name, and first (`reference/serving.md` §5, S8).
    SecondReference,
    /// Somebody tells maas-controller to leave the limits of the model as they are (`reference/serving.md` §5, S8, §1.12).
    MergedPolicyUnmanaged,
    /// Somebody takes the label off the Secret of a provider, once (`reference/serving.md` §5, E1).
    ProviderUnlabelled,
    /// The login pods never take changed users over (`reference/serving.md` §5, I1).
    LoginsStuck,
}

/// Who misbehaves: how the list of faults is grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The cluster: its operators and what they run.
    Cluster,
    /// People beside us.
    People,
    /// The API server, and the way to it.
    ApiServer,
}

/// What stands behind the `@` of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nothing: the fault is about the cluster.
    None,
    /// The name of an operator.
    Operator,
    /// The name of something in the cluster, and the word for it.
    Named(&'static str),
    /// How often, of a hundred times.
    Percent,
    /// For how long, or after how long, in real time.
    Duration,
    /// Either: how often, or after how long.
    PercentOrDuration,
    /// A whole number.
    Number,
}

/// A line of the list that `--list-faults` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// Which fault it is.
    pub name: FaultName,
    /// How its name is written.
    pub text: &'static str,
    /// What it is about.
    pub target: Target,
    /// What it does, in one line.
    pub effect: &'static str,
    /// Who misbehaves.
    pub group: Group,
    /// The rows of `docs/gotchas.md` that it shows, such as `G04`.
    pub gotchas: &'static [&'static str],
}

impl Description {
    /// Returns how the fault is written in full, as in `stopped@OPERATOR`.
    #[must_use]
    pub fn form(&self) -> String {
        match self.target {
            Target::None => self.text.to_owned(),
            Target::Operator => format!("{}@OPERATOR", self.text),
            Target::Named(what) => format!("{}@{what}", self.text),
            Target::Percent => format!("{}@PERCENT", self.text),
            Target::Duration => format!("{}@DURATION", self.text),
            Target::PercentOrDuration => format!("{0}@PERCENT or {0}@DURATION", self.text),
            Target::Number => format!("{}@NUMBER", self.text),
        }
    }

    /// The same fault, by somebody else than the cluster.
    const fn by(mut self, group: Group) -> Self {
        self.group = group;
        self
    }

    /// The same fault, which shows these rows of `docs/gotchas.md`.
    const fn shows(mut self, gotchas: &'static [&'static str]) -> Self {
        self.gotchas = gotchas;
        self
    }
}

const fn fault(name: FaultName, text: &'static str, target: Target, effect: &'static str) -> Description {
    Description {
        name,
        text,
        target,
        effect,
        group: Group::Cluster,
        gotchas: &[],
    }
}

/// Every fault there is, in the order in which they are listed.
pub const FAULTS: &[Description] = &[
    fault(
        FaultName::Stopped,
        "stopped",
        Target::Operator,
        "the operator does nothing: what it should bring never comes",
    ),
    fault(
        FaultName::Slow,
        "slow",
        Target::Operator,
        "everything the operator waits for takes ten times as long",
    ),
    fault(
        FaultName::FailingInstall,
        "failing-install",
        Target::Named("PACKAGE"),
        "the package's ClusterServiceVersion ends in phase Failed",
    ),
    fault(
        FaultName::AuthorinoTlsMissed,
        "authorino-tls-missed",
        Target::Named("GATEWAY"),
        "odh-model-controller misses once that Authorino has TLS: no EnvoyFilter until the Gateway changes",
    )
    .shows(&["S-P5"]),
    fault(
        FaultName::Stuck,
        "stuck",
        Target::Operator,
        "the operator starts and never gets ready: OLM goes on waiting for it, or its pods crash",
    ),
    fault(
        FaultName::Restart,
        "restart",
        Target::Operator,
        "the operator restarts once in mid-run: what it waited for begins anew, after its lease of 15 s",
    ),
    fault(
        FaultName::NodeDies,
        "node-dies",
        Target::Named("NODE or @MACHINESET"),
        "a node is unreachable ten minutes after it was Ready; its pods go after five more, its machine fails",
    ),
    fault(
        FaultName::UserEdits,
        "user-edits",
        Target::Named("ADDRESS or @KIND/NAMESPACE/NAME, with :FIELD=VALUE behind it for a field of your choice"),
        "somebody writes a field of the object once, right after our first write of it",
    )
    .by(Group::People),
    fault(
        FaultName::UserDeletes,
        "user-deletes",
        Target::Named("ADDRESS or @KIND/NAMESPACE/NAME"),
        "somebody deletes the object once, right after our first write of it",
    )
    .by(Group::People),
    fault(
        FaultName::Latency,
        "latency",
        Target::Duration,
        "every request takes so much longer",
    )
    .by(Group::ApiServer),
    fault(
        FaultName::Throttled,
        "throttled",
        Target::Percent,
        "so many requests of a hundred are answered 429, with a Retry-After of a second",
    )
    .by(Group::ApiServer),
    fault(
        FaultName::Errors,
        "errors",
        Target::Percent,
        "so many requests are answered 500, as when etcd has no leader: some of them were carried out",
    )
    .by(Group::ApiServer),
    fault(
        FaultName::Unavailable,
        "unavailable",
        Target::Percent,
        "so many requests are answered 503 or 504: some of the latter were carried out",
    )
    .by(Group::ApiServer),
    fault(
        FaultName::Conflicts,
        "conflicts",
        Target::Percent,
        "so many changes are answered 409: the object has been modified",
    )
    .by(Group::ApiServer),
    fault(
        FaultName::DroppedConnections,
        "dropped-connections",
        Target::Percent,
        "so many requests lose their connection, half of them after they were carried out",
    )
    .by(Group::ApiServer),
    fault(
        FaultName::DroppedWatches,
        "dropped-watches",
        Target::PercentOrDuration,
        "watches break at so many events of a hundred, or after so long",
    )
    .by(Group::ApiServer),
    fault(
        FaultName::ExpiredWatches,
        "expired-watches",
        Target::Duration,
        "watches break after so long, and what they would go on from is gone: 410, as an answer or in the stream",
    )
    .by(Group::ApiServer),
    fault(
        FaultName::WebhookTimeouts,
        "webhook-timeouts",
        Target::Named("KIND or @WEBHOOK"),
        "writes of a kind, or what the webhook of that name judges, are answered 500: its webhook times out",
    )
    .by(Group::ApiServer),
    fault(
        FaultName::Seed,
        "seed",
        Target::Number,
        "another choice of the requests that the faults above meet; without it always the same",
    )
    .by(Group::ApiServer),
    // Of the platform.
    fault(
        FaultName::PinGone,
        "pin-gone",
        Target::Named("PACKAGE"),
        "the channel has lost the version that the package's Subscription starts with",
    )
    .shows(&["G32"]),
    fault(
        FaultName::CatalogUnhealthy,
        "catalog-unhealthy",
        Target::Named("CATALOG"),
        "the catalogue does not answer: nothing of it is resolved",
    ),
    fault(
        FaultName::UnpackFails,
        "unpack-fails",
        Target::Named("PACKAGE"),
        "the package's bundle cannot be unpacked: no install plan comes",
    ),
    fault(
        FaultName::ApprovalHeld,
        "approval-held",
        Target::Named("NAMESPACE"),
        "somebody's manual Subscription makes every install plan of the namespace wait",
    )
    .shows(&["G18"]),
    fault(
        FaultName::CombinedPlan,
        "combined-plan",
        Target::Named("PACKAGE"),
        "the package's install plan holds upgrades of what is installed beside it, too",
    ),
    fault(
        FaultName::UpgradeApproved,
        "upgrade-approved",
        Target::Named("PACKAGE"),
        "somebody approves the package's upgrade as soon as it is planned",
    )
    .shows(&["G20"]),
    fault(
        FaultName::Unpullable,
        "unpullable",
        Target::Named("IMAGE"),
        "images whose name holds this text cannot be pulled",
    )
    .shows(&["G42"]),
    fault(
        FaultName::WebhookUntrusted,
        "webhook-untrusted",
        Target::None,
        "cert-manager's webhook is signed by an unknown authority for a while",
    )
    .shows(&["G04"]),
    fault(
        FaultName::ChallengeFails,
        "challenge-fails",
        Target::None,
        "no zone is found for the record of a DNS challenge: the certificate is not issued",
    )
    .shows(&["G05"]),
    fault(
        FaultName::AcmeUnreachable,
        "acme-unreachable",
        Target::None,
        "the ACME server cannot be reached: no issuer that uses it is ready",
    )
    .shows(&["G46"]),
    fault(
        FaultName::CredentialsNeverMinted,
        "credentials-never-minted",
        Target::None,
        "the credential operator ignores CredentialsRequests, as in mode Manual",
    )
    .shows(&["G07"]),
    fault(
        FaultName::CredentialsInsufficient,
        "credentials-insufficient",
        Target::None,
        "the cluster's own credentials do not allow what a CredentialsRequest asks for",
    )
    .shows(&["G07"]),
    fault(
        FaultName::NoCapacity,
        "no-capacity",
        Target::Named("ZONE"),
        "the cloud has no instances in the zone, and is asked again and again",
    ),
    fault(
        FaultName::MachineRefused,
        "machine-refused",
        Target::Named("ZONE"),
        "the cloud refuses what machines in the zone refer to: they end in phase Failed",
    )
    .shows(&["G16"]),
    fault(
        FaultName::LabelsMissing,
        "labels-missing",
        Target::None,
        "Node Feature Discovery labels no node",
    )
    .shows(&["G11", "G12"]),
    fault(
        FaultName::DriverFails,
        "driver-fails",
        Target::None,
        "the driver of the GPUs does not come up: ClusterPolicy stays notReady",
    ),
    fault(
        FaultName::DevicePluginSilent,
        "device-plugin-silent",
        Target::None,
        "ClusterPolicy is ready, but no node offers a GPU",
    )
    .shows(&["G13"]),
    fault(
        FaultName::ComponentFails,
        "component-fails",
        Target::Named("COMPONENT"),
        "the component of the DataScienceCluster does not become ready",
    ),
    fault(
        FaultName::MonitoringUnmet,
        "monitoring-unmet",
        Target::Named("OPERATOR"),
        "OpenShift AI does not find the operator that its monitoring needs",
    )
    .shows(&["G25"]),
    fault(
        FaultName::TrustBundleMissed,
        "trust-bundle-missed",
        Target::None,
        "OpenShift AI does not take up the cluster's own authorities",
    )
    .shows(&["G09"]),
    fault(
        FaultName::DashboardConfigMissing,
        "dashboard-config-missing",
        Target::None,
        "OpenShift AI makes no configuration of the dashboard",
    ),
    fault(
        FaultName::FlagRefused,
        "flag-refused",
        Target::Named("FLAG"),
        "OpenShift AI refuses this flag of the dashboard, as a later release does",
    )
    .shows(&["G31"]),
    fault(
        FaultName::IssuerApiUnseen,
        "issuer-api-unseen",
        Target::None,
        "the Leader Worker Set operator does not find cert-manager",
    )
    .shows(&["G40"]),
    fault(
        FaultName::GatewayProviderUnseen,
        "gateway-provider-unseen",
        Target::None,
        "Kuadrant sees no Gateway API provider, however often it is restarted",
    )
    .shows(&["G23"]),
    fault(
        FaultName::UserWorkloadDegraded,
        "user-workload-degraded",
        Target::None,
        "user-workload monitoring does not roll out",
    )
    .shows(&["G36"]),
    fault(
        FaultName::RouterDegraded,
        "router-degraded",
        Target::None,
        "the router is degraded: Routes are not admitted",
    ),
    fault(
        FaultName::FinalizerStuck,
        "finalizer-stuck",
        Target::Named("KIND"),
        "the kind's controller never clears its finalizer",
    ),
    fault(
        FaultName::NoDefaultStorageClass,
        "no-default-storage-class",
        Target::None,
        "a new cluster has no default StorageClass",
    )
    .shows(&["G41"]),
    fault(
        FaultName::NoPullSecret,
        "no-pull-secret",
        Target::Named("REGISTRY"),
        "a new cluster has no credentials for the registry",
    )
    .shows(&["G42"]),
    fault(
        FaultName::NoRouterCertificate,
        "no-router-certificate",
        Target::None,
        "a new cluster has no certificate of its router",
    ),
    // Of serving: reference/serving.md §5.
    fault(
        FaultName::GatewayNotProgrammed,
        "gateway-not-programmed",
        Target::Named("GATEWAY"),
        "the proxy of the gateway never takes its configuration: Programmed stays False",
    )
    .shows(&["S-G1", "S-M23"]),
    fault(
        FaultName::ForeignMesh,
        "foreign-mesh",
        Target::None,
        "somebody subscribes to a service mesh of their own: no GatewayClass is accepted",
    )
    .shows(&["S-G2"]),
    fault(
        FaultName::LoadBalancerPending,
        "load-balancer-pending",
        Target::None,
        "no cloud gives a load balancer an address",
    )
    .shows(&["S-G3"]),
    fault(
        FaultName::ListenerSecretGone,
        "listener-secret-gone",
        Target::Named("GATEWAY"),
        "somebody deletes the Secret that the gateway's listener presents",
    )
    .shows(&["S-G4"]),
    fault(
        FaultName::SecretOverwritten,
        "secret-overwritten",
        Target::Named("SECRET"),
        "a Service of somebody asks the service CA for a certificate into that Secret of openshift-ingress",
    )
    .shows(&["S-G5", "S-P12"]),
    fault(
        FaultName::ListenerNarrowed,
        "listener-narrowed",
        Target::Named("GATEWAY"),
        "somebody takes the namespaces of models out of the gateway's listener, once",
    )
    .shows(&["S-M2", "S-S6"]),
    fault(
        FaultName::HardwareProfileGone,
        "hardware-profile-gone",
        Target::Named("PROFILE"),
        "somebody deletes the hardware profile whenever it is there",
    )
    .shows(&["S-M5"]),
    fault(
        FaultName::ConnectionUntyped,
        "connection-untyped",
        Target::Named("SECRET"),
        "somebody takes the type off the Secret of a model's connection, whenever it is written",
    )
    .shows(&["S-M6"]),
    fault(
        FaultName::GpusTaken,
        "gpus-taken",
        Target::None,
        "other pods hold every GPU: pods that ask for one stay Pending",
    )
    .shows(&["S-M9", "S-M11"]),
    fault(
        FaultName::GatedRepository,
        "gated-repository",
        Target::Named("MODEL"),
        "Hugging Face gives the weights of the model to nobody without a right to them",
    )
    .shows(&["S-M13"]),
    fault(
        FaultName::Crashing,
        "crashing",
        Target::Named("DEPLOYMENT"),
        "the first container of the Deployment's pods ends with code 1, again and again",
    )
    .shows(&["S-M1", "S-P20", "S-S19"]),
    fault(
        FaultName::OutOfMemory,
        "out-of-memory",
        Target::Named("DEPLOYMENT"),
        "the first container of the Deployment's pods takes more memory than it may",
    )
    .shows(&["S-M1"]),
    fault(
        FaultName::NamelessModel,
        "nameless-model",
        Target::None,
        "somebody makes a model without a name by the dashboard, whose container gen-ai-ui then crashes",
    )
    .shows(&["S-M14"]),
    fault(
        FaultName::AnonymousPolicy,
        "anonymous-policy",
        Target::Named("MODEL"),
        "a policy that lets everybody call the model is left over from before",
    )
    .shows(&["S-M25"]),
    fault(
        FaultName::PoolIgnored,
        "pool-ignored",
        Target::Named("MODEL"),
        "the gateway does not take the InferencePool of the model",
    )
    .shows(&["S-M23"]),
    fault(
        FaultName::PoliciesNotAccepted,
        "policies-not-accepted",
        Target::None,
        "the operator of Kuadrant accepts no policy until it is restarted",
    )
    .shows(&["S-K3"]),
    fault(
        FaultName::PoliciesNotEnforced,
        "policies-not-enforced",
        Target::None,
        "policies are accepted, and never enforced",
    )
    .shows(&["S-K3"]),
    fault(
        FaultName::PolicyKindsMissed,
        "policy-kinds-missed",
        Target::None,
        "odh-model-controller started before the kinds of policies: it looks at no Gateway until it is restarted",
    )
    .shows(&["S-K7"]),
    fault(
        FaultName::DatabaseSecretGone,
        "database-secret-gone",
        Target::None,
        "somebody deletes the Secret of MaaS's database once MaaS is on",
    )
    .shows(&["S-P2"]),
    fault(
        FaultName::DatabaseRefuses,
        "database-refuses",
        Target::None,
        "the database of MaaS was made with another password",
    )
    .shows(&["S-P9"]),
    fault(
        FaultName::AuthorinoTlsReverted,
        "authorino-tls-reverted",
        Target::None,
        "somebody takes TLS from Authorino again, once",
    )
    .shows(&["S-P5"]),
    fault(
        FaultName::TenantDegraded,
        "tenant-degraded",
        Target::None,
        "the tenant is Ready, and says Degraded",
    )
    .shows(&["S-P6"]),
    fault(
        FaultName::OldSelector,
        "old-selector",
        Target::Named("DEPLOYMENT"),
        "the Deployment of a component is of an early-access release, with a selector that cannot be changed",
    )
    .shows(&["S-P7"]),
    fault(
        FaultName::TokenAudience,
        "token-audience",
        Target::None,
        "tokens of the cluster have an issuer, and so an audience, of its own",
    )
    .shows(&["S-P16"]),
    fault(
        FaultName::AuthPolicyStatusLags,
        "auth-policy-status-lags",
        Target::None,
        "maas-controller cannot write the status of a MaaSAuthPolicy",
    )
    .shows(&["S-P17"]),
    fault(
        FaultName::TenantDeleted,
        "tenant-deleted",
        Target::None,
        "somebody deletes the tenant once it is ready",
    )
    .shows(&["S-P22"]),
    fault(
        FaultName::SecondReference,
        "second-reference",
        Target::Named("MODEL"),
        "somebody publishes the model under a second name, and first",
    )
    .shows(&["S-S8"]),
    fault(
        FaultName::MergedPolicyUnmanaged,
        "merged-policy-unmanaged",
        Target::Named("MODEL"),
        "somebody tells maas-controller to leave the limits of the model as they are",
    )
    .shows(&["S-S8"]),
    fault(
        FaultName::ProviderUnlabelled,
        "provider-unlabelled",
        Target::Named("SECRET"),
        "somebody takes the label off the Secret of a provider, once",
    )
    .shows(&["S-E1"]),
    fault(
        FaultName::LoginsStuck,
        "logins-stuck",
        Target::None,
        "the login pods never take changed users over",
    )
    .shows(&["S-I1"]),
];
