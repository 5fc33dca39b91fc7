//! Cluster Observability: the metrics store that OpenShift AI needs before it is initialised.
//!
//! The version is pinned: 1.5.0 starts Perses with a flag that the Perses of OpenShift AI 3.4 does not know.
//!
//! Facts: `reference/platform.md` §2.9 (why before the DSCI) and §2.18.

use super::{
    Context,
    draft::{Draft, at},
    olm::{Approval, Home, Operator, Pin, Scope},
};
use stackctl_engine::Address;

/// The gate that its version has succeeded.
pub(super) fn installed() -> Address {
    at("cluster-observability.installed")
}

pub(super) fn resources(_: &Context<'_>) -> Vec<Draft> {
    let operator = Operator {
        component: "cluster-observability",
        title: "Cluster Observability",
        namespace: "openshift-cluster-observability-operator",
        home: Some(Home {
            display_name: Some("Red Hat OpenShift Cluster Observability Operator"),
            group: "cluster-observability-operator",
            scope: Scope::All,
        }),
        subscription: "openshift-cluster-observability-operator",
        package: "cluster-observability-operator",
        source: "redhat-operators",
        channel: "stable".to_owned(),
        approval: Approval::Pinned(Pin {
            csv: "cluster-observability-operator.v1.4.0".to_owned(),
            along: &[],
        }),
        config: None,
        kinds: &[],
    };
    operator.nodes(|subscription| subscription)
}
