//! Models-as-a-Service: tiers, their limits, and who is in them.

use super::{GroupName, ModelName, SecretRef, TierName, Timeout, UserName, Window};

/// Models-as-a-Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maas {
    /// How limits are written into the cluster.
    pub mode: MaasMode,
    /// How long an API key may live, in days.
    pub max_key_days: u16,
    /// Where API keys are kept.
    pub database: Database,
    /// Whether the platform's own telemetry policies are made.
    pub telemetry: bool,
    /// The tiers, in the order of the file; their priorities differ.
    pub tiers: Vec<Tier>,
    /// The groups that the stack makes, in the order of the file. A group that only a tier names is expected to exist.
    pub groups: Vec<Group>,
    /// How long each of its gates may take; absent means the reference's time.
    pub ready_timeout: Option<Timeout>,
}

/// How limits are written into the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaasMode {
    /// As subscriptions and auth policies of OpenShift AI 3.4.
    Subscriptions,
    /// As tier policies on the gateway (OpenShift AI 3.3 and before).
    GatewayPolicies,
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
        url: SecretRef,
    },
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
}

/// The limits of one tier on one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelLimits {
    /// A model of this stack that is published to MaaS.
    pub model: ModelName,
    /// All of these apply together, at least one, in the order of the file: windows differ in seconds, and a longer
    /// window allows more tokens.
    pub rates: Vec<Rate>,
}

/// So many tokens in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Tokens per user, 1 to 1,000,000,000.
    pub tokens: u32,
    /// The time after which the count starts again.
    pub window: Window,
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
