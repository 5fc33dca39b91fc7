//! Operators that nothing else here needs, which version of the pinned ones, and where packages come from.

use super::{ChannelName, NamespaceName, ObjectName};

/// What is said about operators beyond those that the platform needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operators {
    /// The Grafana operator, from the community's catalogue.
    pub grafana: bool,
    /// OpenShift Pipelines.
    pub pipelines: bool,
    /// The channel of Service Mesh 3, where it is wanted: only the Llama Stack operator uses it.
    pub service_mesh: Option<ChannelName>,
    /// The versions that are approved by hand.
    pub pins: Pins,
    /// Where packages come from.
    pub catalogs: Catalogs,
}

/// Versions that only we approve, since a newer one is known to break the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pins {
    /// Of Connectivity Link (`reference/platform.md` §2.7).
    pub connectivity_link: ObjectName,
    /// Of Cluster Observability (`reference/platform.md` §2.18).
    pub cluster_observability: ObjectName,
}

/// Versions that are known to break the platform, and how (`reference/platform.md` §4 G20).
pub const BROKEN: &[(&str, &str)] = &[
    (
        "rhcl-operator.v1.4.0",
        "its gateways answer 500 AUTH_FAILURE with OpenShift AI 3.4",
    ),
    (
        "cluster-observability-operator.v1.5.0",
        "it starts Perses with a flag that OpenShift AI 3.4 does not know",
    ),
];

/// The CatalogSources of the marketplace; others than OpenShift's own on a cluster that mirrors them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogs {
    /// The namespace they are in.
    pub namespace: NamespaceName,
    /// Red Hat's operators.
    pub redhat: ObjectName,
    /// Certified operators of partners.
    pub certified: ObjectName,
    /// The community's operators.
    pub community: ObjectName,
}
