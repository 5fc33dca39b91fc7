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
    /// No image whose reference holds that text can be pulled (`reference/serving.md` §5, M12).
    ImagePullFails,
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
    /// The operator of Kuadrant finds no gateway provider, however often it is started (`reference/serving.md` §5, K1).
    GatewayApiNeverSeen,
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
    /// This release of OpenShift AI refuses the flag of the dashboard (`reference/serving.md` §5, P14).
    DashboardFlagRefused,
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

/// What stands behind the `@` of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nothing: the fault is about the cluster.
    None,
    /// The name of an operator.
    Operator,
    /// The name of something in the cluster, and the word for it.
    Named(&'static str),
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
}

impl Description {
    /// Returns how the fault is written in full, as in `stopped@OPERATOR`.
    #[must_use]
    pub fn form(&self) -> String {
        match self.target {
            Target::None => self.text.to_owned(),
            Target::Operator => format!("{}@OPERATOR", self.text),
            Target::Named(what) => format!("{}@{what}", self.text),
        }
    }
}

const fn fault(name: FaultName, text: &'static str, target: Target, effect: &'static str) -> Description {
    Description {
        name,
        text,
        target,
        effect,
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
    ),
    // Of serving: reference/serving.md §5.
    fault(
        FaultName::GatewayNotProgrammed,
        "gateway-not-programmed",
        Target::Named("GATEWAY"),
        "the proxy of the gateway never takes its configuration: Programmed stays False",
    ),
    fault(
        FaultName::ForeignMesh,
        "foreign-mesh",
        Target::None,
        "somebody subscribes to a service mesh of their own: no GatewayClass is accepted",
    ),
    fault(
        FaultName::LoadBalancerPending,
        "load-balancer-pending",
        Target::None,
        "no cloud gives a load balancer an address",
    ),
    fault(
        FaultName::ListenerSecretGone,
        "listener-secret-gone",
        Target::Named("GATEWAY"),
        "somebody deletes the Secret that the gateway's listener presents",
    ),
    fault(
        FaultName::SecretOverwritten,
        "secret-overwritten",
        Target::Named("SECRET"),
        "a Service of somebody asks the service CA for a certificate into that Secret of openshift-ingress",
    ),
    fault(
        FaultName::ListenerNarrowed,
        "listener-narrowed",
        Target::Named("GATEWAY"),
        "somebody takes the namespaces of models out of the gateway's listener, once",
    ),
    fault(
        FaultName::HardwareProfileGone,
        "hardware-profile-gone",
        Target::Named("PROFILE"),
        "somebody deletes the hardware profile whenever it is there",
    ),
    fault(
        FaultName::ConnectionUntyped,
        "connection-untyped",
        Target::Named("SECRET"),
        "somebody takes the type off the Secret of a model's connection",
    ),
    fault(
        FaultName::GpusTaken,
        "gpus-taken",
        Target::None,
        "other pods hold every GPU: pods that ask for one stay Pending",
    ),
    fault(
        FaultName::ImagePullFails,
        "image-pull-fails",
        Target::Named("IMAGE"),
        "no image whose reference holds that text can be pulled",
    ),
    fault(
        FaultName::GatedRepository,
        "gated-repository",
        Target::Named("MODEL"),
        "Hugging Face gives the weights of the model to nobody without a right to them",
    ),
    fault(
        FaultName::Crashing,
        "crashing",
        Target::Named("DEPLOYMENT"),
        "the first container of the Deployment's pods ends with code 1, again and again",
    ),
    fault(
        FaultName::OutOfMemory,
        "out-of-memory",
        Target::Named("DEPLOYMENT"),
        "the first container of the Deployment's pods takes more memory than it may",
    ),
    fault(
        FaultName::NamelessModel,
        "nameless-model",
        Target::None,
        "somebody makes a model without a name by the dashboard, whose container gen-ai-ui then crashes",
    ),
    fault(
        FaultName::AnonymousPolicy,
        "anonymous-policy",
        Target::Named("MODEL"),
        "a policy that lets everybody call the model is left over from before",
    ),
    fault(
        FaultName::PoolIgnored,
        "pool-ignored",
        Target::Named("MODEL"),
        "the gateway does not take the InferencePool of the model",
    ),
    fault(
        FaultName::GatewayApiNeverSeen,
        "gateway-api-never-seen",
        Target::None,
        "the operator of Kuadrant finds no gateway provider, however often it is started",
    ),
    fault(
        FaultName::PoliciesNotAccepted,
        "policies-not-accepted",
        Target::None,
        "the operator of Kuadrant accepts no policy until it is restarted",
    ),
    fault(
        FaultName::PoliciesNotEnforced,
        "policies-not-enforced",
        Target::None,
        "policies are accepted, and never enforced",
    ),
    fault(
        FaultName::PolicyKindsMissed,
        "policy-kinds-missed",
        Target::None,
        "odh-model-controller started before the kinds of policies: it looks at no Gateway until it is restarted",
    ),
    fault(
        FaultName::DatabaseSecretGone,
        "database-secret-gone",
        Target::None,
        "somebody deletes the Secret of MaaS's database once MaaS is on",
    ),
    fault(
        FaultName::DatabaseRefuses,
        "database-refuses",
        Target::None,
        "the database of MaaS was made with another password",
    ),
    fault(
        FaultName::AuthorinoTlsReverted,
        "authorino-tls-reverted",
        Target::None,
        "somebody takes TLS from Authorino again, once",
    ),
    fault(
        FaultName::TenantDegraded,
        "tenant-degraded",
        Target::None,
        "the tenant is Ready, and says Degraded",
    ),
    fault(
        FaultName::OldSelector,
        "old-selector",
        Target::Named("DEPLOYMENT"),
        "the Deployment of a component is of an early-access release, with a selector that cannot be changed",
    ),
    fault(
        FaultName::DashboardFlagRefused,
        "dashboard-flag-refused",
        Target::Named("FLAG"),
        "this release of OpenShift AI refuses the flag of the dashboard",
    ),
    fault(
        FaultName::TokenAudience,
        "token-audience",
        Target::None,
        "tokens of the cluster have an issuer, and so an audience, of its own",
    ),
    fault(
        FaultName::AuthPolicyStatusLags,
        "auth-policy-status-lags",
        Target::None,
        "maas-controller cannot write the status of a MaaSAuthPolicy",
    ),
    fault(
        FaultName::TenantDeleted,
        "tenant-deleted",
        Target::None,
        "somebody deletes the tenant once it is ready",
    ),
    fault(
        FaultName::SecondReference,
        "second-reference",
        Target::Named("MODEL"),
        "somebody publishes the model under a second name, and first",
    ),
    fault(
        FaultName::MergedPolicyUnmanaged,
        "merged-policy-unmanaged",
        Target::Named("MODEL"),
        "somebody tells maas-controller to leave the limits of the model as they are",
    ),
    fault(
        FaultName::ProviderUnlabelled,
        "provider-unlabelled",
        Target::Named("SECRET"),
        "somebody takes the label off the Secret of a provider, once",
    ),
    fault(
        FaultName::LoginsStuck,
        "logins-stuck",
        Target::None,
        "the login pods never take changed users over",
    ),
];
