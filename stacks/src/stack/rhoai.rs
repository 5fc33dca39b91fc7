//! OpenShift AI: which release of the operator, and which of its components.

use super::{
    ChannelName, DashboardSettings, Fate, HardwareProfile, Mlflow, NamespaceName, ObjectName, PlatformMonitoring,
    Timeout,
};

/// The OpenShift AI operator and its instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rhoai {
    /// The channel the operator is installed from.
    pub channel: ChannelName,
    /// The first version to install; OLM follows the channel from there if approval is automatic.
    pub csv: ObjectName,
    /// Who approves upgrades.
    pub approval: Approval,
    /// What is switched on.
    pub components: Components,
    /// The metrics and traces that it keeps of itself.
    pub monitoring: PlatformMonitoring,
    /// Who may use the dashboard.
    pub dashboard: DashboardSettings,
    /// Where MLflow keeps its runs.
    pub mlflow: Mlflow,
    /// Whether the profiles for any GPU and for those of the pools are made.
    pub default_hardware_profiles: bool,
    /// Hardware profiles of the user's own, in the order of the file.
    pub hardware_profiles: Vec<HardwareProfile>,
    /// The namespace of workbenches; it cannot be changed later (`reference/platform.md` §2.12).
    pub workbench_namespace: NamespaceName,
    /// The namespace of model registries; it cannot be changed while the component is on (§2.12).
    pub registry_namespace: NamespaceName,
    /// How long each of its gates may take; absent means the reference's time.
    pub ready_timeout: Option<Timeout>,
    /// How its objects live and die.
    pub fate: Fate,
}

/// A tested pair of channel and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// The stable channel.
    Stable,
    /// Early access.
    Ea,
}

impl Profile {
    /// Returns the channel of this profile (`reference/platform.md` §2.10).
    #[must_use]
    pub const fn channel(self) -> &'static str {
        match self {
            Self::Stable => "stable-3.x",
            Self::Ea => "beta",
        }
    }

    /// Returns the first version of this profile (`reference/platform.md` §2.10; the chart's form, row D04).
    #[must_use]
    pub const fn csv(self) -> &'static str {
        match self {
            Self::Stable => "rhods-operator.3.4.0",
            Self::Ea => "rhods-operator.3.4.0-ea.2",
        }
    }
}

/// Who approves the upgrades of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// OLM, as soon as the channel offers them.
    Automatic,
    /// We, and only the version that is pinned.
    Manual,
}

/// The components of the DataScienceCluster; KServe is always on, MaaS follows `[maas]`.
///
/// Defaults are those of the manual's chart (`reference/platform.md` §2.11) but for Llama Stack, which wants a service
/// mesh that nothing else here needs and is therefore off unless asked for (row D36).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Components {
    /// The dashboard.
    pub dashboard: bool,
    /// Data science pipelines (`aipipelines`).
    pub pipelines: bool,
    /// Workbenches.
    pub workbenches: bool,
    /// The model registry.
    pub model_registry: bool,
    /// MLflow; needs a default StorageClass.
    pub mlflow: bool,
    /// The training operator.
    pub training_operator: bool,
    /// NVIDIA NIM serving.
    pub nim: bool,
    /// The Llama Stack operator.
    pub llama_stack: bool,
    /// TrustyAI.
    pub trustyai: bool,
    /// The Feast feature store.
    pub feature_store: bool,
    /// Kueue, from its own operator (`Unmanaged`).
    pub kueue: bool,
    /// Ray and its queue objects; needs Kueue.
    pub distributed_workloads: bool,
}

impl Default for Components {
    fn default() -> Self {
        Self {
            dashboard: true,
            pipelines: true,
            workbenches: true,
            model_registry: true,
            mlflow: true,
            training_operator: true,
            nim: true,
            llama_stack: false,
            trustyai: false,
            feature_store: false,
            kueue: false,
            distributed_workloads: false,
        }
    }
}
