//! Models-as-a-Service: its gateway, who may use which model, how much, and models that run elsewhere.
//!
//! There are two generations that exclude each other ([`MaasMode`]); what both have is in [`Maas`].

use std::collections::BTreeMap;

use super::{
    Display, DomainName, GivenSecret, GroupName, MaasGateway, ModelName, NamespaceName, ObjectName, SecretRef,
    TierName, Timeout, UserName, Window,
};

/// Models-as-a-Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maas {
    /// How limits are written into the cluster.
    pub mode: MaasMode,
    /// The gateway.
    pub gateway: MaasGateway,
    /// Whether the gateway's metrics say which model, tier and user a request was for.
    pub telemetry: bool,
    /// Whether Limitador tells all it counts.
    pub exhaustive_telemetry: bool,
    /// How long a gateway waits for the answer whether a caller may come in; absent means as long as it does by itself.
    pub auth_timeout: Option<Timeout>,
    /// The Redis that Limitador keeps its counters in, password included; absent means its memory.
    pub limitador_redis_url: Option<GivenSecret>,
    /// What watches the gateway.
    pub monitoring: MaasMonitoring,
    /// The groups that the stack makes, in the order of the file. A group that only a tier names is expected to exist.
    pub groups: Vec<Group>,
    /// Users that log in with a password, in the order of the file.
    pub users: Vec<MaasUser>,
    /// How long each of its gates may take; absent means the reference's time.
    pub ready_timeout: Option<Timeout>,
}

/// How limits are written into the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MaasMode {
    /// As subscriptions and auth policies of OpenShift AI 3.4.
    Subscriptions(Box<Subscriptions>),
    /// As tier policies on the gateway (OpenShift AI 3.3 and before).
    GatewayPolicies(GatewayPolicies),
}

/// The generation of subscriptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriptions {
    /// How long an API key may live, in days.
    pub max_key_days: u16,
    /// Where API keys are kept.
    pub database: Database,
    /// Tokens of another identity provider that callers may list models with.
    pub oidc: Option<Oidc>,
    /// What the tenant itself measures; absent means that it decides.
    pub tenant_telemetry: Option<TenantTelemetry>,
    /// The tiers, in the order of the file; their priorities differ.
    pub tiers: Vec<Tier>,
    /// Models that run elsewhere, in the order of the file.
    pub external_models: Vec<ExternalModel>,
}

/// Where API keys are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A PostgreSQL pod without a volume: its keys do not survive it (`reference/serving.md` §1.7).
    Embedded {
        /// The password of its user.
        password: SecretRef,
    },
    /// A PostgreSQL of yours.
    External {
        /// Its connection URL, password included.
        url: GivenSecret,
    },
}

/// Another identity provider (`reference/serving.md` §1.10, `externalOIDC`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oidc {
    /// Its issuer, an https URL.
    pub issuer_url: String,
    /// The client that its tokens are for.
    pub client_id: String,
    /// Seconds that its keys are kept; at least 30.
    pub ttl_seconds: u32,
}

/// What the tenant measures of each request (`reference/serving.md` §1.10, `telemetry.metrics`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantTelemetry {
    /// The organisation.
    pub organization: bool,
    /// The user, by name.
    pub user: bool,
    /// The groups.
    pub group: bool,
    /// The model.
    pub model_usage: bool,
}

/// A tier: who may use which models, and how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// The name of the tier, unique in the stack.
    pub name: TierName,
    /// A caller in several tiers gets the one with the highest priority; unique in the stack.
    pub priority: u32,
    /// The groups in it; groups and users together are at least one.
    pub groups: Vec<GroupName>,
    /// The users in it, meant for service accounts.
    pub users: Vec<UserName>,
    /// Its models with their limits, at least one, in the order each model is first named.
    pub limits: Vec<ModelLimits>,
    /// What a token costs, as a decimal number.
    pub billing_per_token: Option<String>,
    /// Whom its use is charged to.
    pub metadata: TierMetadata,
}

/// Whom the use of a tier is charged to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TierMetadata {
    /// The organisation.
    pub organization_id: Option<String>,
    /// The cost centre.
    pub cost_center: Option<String>,
    /// Anything else, by name.
    pub labels: BTreeMap<String, String>,
}

/// The limits of one tier on one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelLimits {
    /// A model of this stack that is published to MaaS, or an external one.
    pub model: ModelName,
    /// All of these apply together, at least one, in the order of the file: windows differ in seconds, and a longer
    /// window allows more tokens.
    pub rates: Vec<Rate>,
}

/// So many tokens in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Tokens per user, 1 to 1,000,000,000; requests where requests are counted.
    pub tokens: u32,
    /// The time after which the count starts again.
    pub window: Window,
}

/// A model that runs elsewhere and is offered through the gateway of MaaS (`reference/serving.md` §1.15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalModel {
    /// Its name, unique among all models of the stack.
    pub name: ModelName,
    /// The namespace of its objects; never one of the platform's own.
    pub namespace: NamespaceName,
    /// Whose API it speaks.
    pub provider: Provider,
    /// The host that serves it.
    pub endpoint: DomainName,
    /// What its provider calls it; unique among the external models of the stack.
    pub target_model: String,
    /// The Secret of its credential.
    pub secret: ObjectName,
    /// Its credential.
    pub api_key: GivenSecret,
    /// Whether the host speaks TLS.
    pub tls: bool,
    /// The port of the host.
    pub port: u16,
    /// What people read about it.
    pub display: Display,
}

/// Whose API an external model speaks (`reference/serving.md` §1.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are those of the API")]
pub enum Provider {
    OpenAi,
    Anthropic,
    AzureOpenAi,
    Vertex,
    BedrockOpenAi,
}

impl Provider {
    /// As the API has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::AzureOpenAi => "azure-openai",
            Self::Vertex => "vertex",
            Self::BedrockOpenAi => "bedrock-openai",
        }
    }
}

/// The generation of tier policies (`reference/serving.md` §1.11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayPolicies {
    /// The service that says which tier a caller is in; it has to be in the cluster already.
    pub tier_lookup: TierLookup,
    /// Whom the tokens of callers are for.
    pub audience: String,
    /// The tiers, in the order of the file; their levels differ.
    pub tiers: Vec<GatewayTier>,
}

/// The service that says which tier a caller is in: `http://<service>.<namespace>.svc.cluster.local:<port>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierLookup {
    /// Its namespace, which the map of tiers is in too.
    pub namespace: NamespaceName,
    /// The name of the Service, and of the Deployment behind it.
    pub service: ObjectName,
    /// Its port.
    pub port: u16,
}

/// A tier of the older generation: what every caller in it may do, whichever model is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayTier {
    /// The name of the tier, unique in the stack and never changed.
    pub name: TierName,
    /// A caller in several tiers gets the one with the highest level; unique in the stack.
    pub level: u32,
    /// The groups in it; at least one.
    pub groups: Vec<GroupName>,
    /// Requests that are let through.
    pub requests: Rate,
    /// Tokens that are given out.
    pub tokens: Rate,
}

/// What watches the gateway of MaaS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaasMonitoring {
    /// Alerts on the gateway, on Limitador and on models; absent means none.
    pub alerts: Option<MaasAlerts>,
    /// The namespace of a Grafana that gets three dashboards; absent means none.
    pub grafana_namespace: Option<NamespaceName>,
    /// Whether the console shows a dashboard of external models.
    pub external_models: bool,
}

/// Alerts on MaaS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaasAlerts {
    /// From how many requests in a hundred that are turned away an alert is due.
    pub rejection_percent: u8,
}

/// A group that the stack makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The name of the group, unique in the stack.
    pub name: GroupName,
    /// Who decides who is in it.
    pub members: Members,
}

/// Who decides who is in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// Somebody else: the stack makes the group and never touches its users.
    Unmanaged,
    /// The stack: exactly these.
    Exactly(Vec<UserName>),
}

/// A user that logs in with a password: one line of the document that the cluster's identity provider reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaasUser {
    /// The name, unique in the stack.
    pub name: UserName,
    /// The password.
    pub password: GivenSecret,
}

impl Maas {
    /// Returns what only the generation of subscriptions has.
    #[must_use]
    pub fn subscriptions(&self) -> Option<&Subscriptions> {
        match &self.mode {
            MaasMode::Subscriptions(wanted) => Some(wanted),
            MaasMode::GatewayPolicies(_) => None,
        }
    }

    /// Returns how many tiers there are, in either generation.
    #[must_use]
    pub fn n_tiers(&self) -> usize {
        match &self.mode {
            MaasMode::Subscriptions(wanted) => wanted.tiers.len(),
            MaasMode::GatewayPolicies(policies) => policies.tiers.len(),
        }
    }

    /// Returns the models that run elsewhere.
    #[must_use]
    pub fn external_models(&self) -> &[ExternalModel] {
        self.subscriptions().map_or(&[], |wanted| &wanted.external_models)
    }
}
