//! What the instance of OpenShift AI is set to, part by part.

use super::{NamespaceName, ObjectName, Quantity};

/// The metrics and traces that OpenShift AI keeps of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformMonitoring {
    /// The namespace they are kept in; it cannot be changed later (`reference/platform.md` §2.12).
    pub namespace: NamespaceName,
    /// How many replicas of the metrics store.
    pub metrics_replicas: u16,
    /// How long metrics are kept: `90d`.
    pub metrics_retention: Retention,
    /// The volume of each replica.
    pub metrics_volume: Quantity,
    /// Which part of all requests is traced, from 0 to 1, as its API writes it.
    pub traces_sample_ratio: SampleRatio,
    /// How long traces are kept: `2160h`.
    pub traces_retention: Retention,
}

super::names::names! {
    /// How long measurements are kept, as Prometheus and Tempo write it.
    Retention: "a retention",
        "is a number and a unit, `ms`, `s`, `m`, `h`, `d`, `w` or `y`: \"90d\"",
        is_retention;

    /// A part of a whole (`DSCInitialization`, pattern of `spec.monitoring.traces.sampleRatio`).
    SampleRatio: "a sample ratio",
        "is a number from \"0\" to \"1\" with a point: \"0.1\"",
        |text| match text.split_once('.') {
            None => text == "0" || text == "1",
            Some(("0", rest)) => !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()),
            Some(("1", rest)) => !rest.is_empty() && rest.bytes().all(|byte| byte == b'0'),
            Some(_) => false,
        };
}

fn is_retention(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=9).contains(&digits) && ["ms", "s", "m", "h", "d", "w", "y"].contains(&&text[digits..])
}

/// Who may use the dashboard, and what a notebook gets.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DashboardSettings {
    /// The group of administrators; absent leaves it to the dashboard.
    pub admin_groups: Option<String>,
    /// The groups that may log in; absent leaves it to the dashboard.
    pub allowed_groups: Option<String>,
    /// The size of a notebook's volume; absent leaves it to the dashboard.
    pub notebook_volume: Option<Quantity>,
}

/// Where MLflow keeps its runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mlflow {
    /// The size of its volume.
    pub volume: Quantity,
    /// How the volume is mounted.
    pub access_mode: AccessMode,
    /// Where runs are kept.
    pub backend_store_uri: String,
    /// Where artifacts are kept.
    pub artifacts_destination: String,
    /// Whether MLflow hands artifacts out itself.
    pub serve_artifacts: bool,
}

/// How a volume is mounted (<https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessMode {
    /// By one node.
    ReadWriteOnce,
    /// By many nodes.
    ReadWriteMany,
}

impl AccessMode {
    /// Returns the name that Kubernetes gives it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadWriteOnce => "ReadWriteOnce",
            Self::ReadWriteMany => "ReadWriteMany",
        }
    }
}

/// A hardware profile of the user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HardwareProfile {
    /// Its name.
    pub name: ObjectName,
    /// What people read.
    pub display_name: String,
    /// What it is for.
    pub description: String,
    /// Whether it is hidden.
    pub disabled: bool,
    /// The parts of the dashboard that show it; all if empty.
    pub visible_in: Vec<String>,
    /// What may be asked for.
    pub identifiers: Vec<Identifier>,
    /// Where its workloads run.
    pub scheduling: Scheduling,
}

/// One resource of a hardware profile, and how much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// The resource: `cpu`, `nvidia.com/gpu`.
    pub identifier: String,
    /// What people read.
    pub display_name: String,
    /// What kind of resource it is.
    pub resource_type: ResourceType,
    /// How much unless asked otherwise.
    pub default: Quantity,
    /// The least.
    pub min: Quantity,
    /// The most, if there is one.
    pub max: Option<Quantity>,
}

/// What kind of resource an identifier is (`reference/platform.md` §2.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceType {
    /// Processors.
    Cpu,
    /// Memory.
    Memory,
    /// GPUs and the like.
    Accelerator,
}

impl ResourceType {
    /// Returns the name that the CRD gives it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Memory => "Memory",
            Self::Accelerator => "Accelerator",
        }
    }
}

/// Where the workloads of a profile run: the CRD allows one of both (`reference/platform.md` §2.11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheduling {
    /// On nodes.
    Node {
        /// Labels that the node has, by name.
        selector: Vec<(String, String)>,
        /// Taints that do not matter.
        tolerations: Vec<Toleration>,
    },
    /// Through a queue of Kueue.
    Queue {
        /// The LocalQueue.
        queue: ObjectName,
        /// The WorkloadPriorityClass; absent means none.
        priority_class: Option<String>,
    },
}

/// A taint that does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toleration {
    /// Its key.
    pub key: String,
    /// Its value; absent means any.
    pub value: Option<String>,
    /// What the taint does: `NoSchedule`; absent means any.
    pub effect: Option<String>,
}
