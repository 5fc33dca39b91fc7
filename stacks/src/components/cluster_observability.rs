//! Cluster Observability: the metrics store that OpenShift AI needs before it is initialised.
//!
//! The version is pinned: 1.5.0 starts Perses with a flag that the Perses of OpenShift AI 3.4 does not know.
//!
//! Facts: `reference/platform.md` §2.9 (why before the DSCI) and §2.18.

use super::{
    Context,
    draft::{Draft, Kind, at},
    olm::{Approval, Catalog, Home, Operator, Pin, Scope},
};
use stackctl_engine::Address;

/// Where it runs, and where the console looks for dashboards (`reference/platform.md` §2.18).
pub(super) const NAMESPACE: &str = super::names::CONSOLE_DASHBOARDS;

const KINDS: &[Kind] = &[
    Kind {
        group: "observability.openshift.io",
        kind: "UIPlugin",
        plural: "uiplugins",
        namespaced: false,
    },
    kind("PersesDashboard", "persesdashboards"),
    kind("PersesDatasource", "persesdatasources"),
];

const fn kind(kind: &'static str, plural: &'static str) -> Kind {
    Kind {
        group: "perses.dev",
        kind,
        plural,
        namespaced: true,
    }
}

/// The gate that its version has succeeded.
pub(super) fn installed() -> Address {
    at("cluster-observability.installed")
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let operator = Operator {
        component: "cluster-observability",
        title: "Cluster Observability",
        namespace: NAMESPACE,
        home: Some(Home {
            display_name: Some("Red Hat OpenShift Cluster Observability Operator"),
            group: "cluster-observability-operator",
            scope: Scope::All,
            is_monitored: true,
        }),
        subscription: "openshift-cluster-observability-operator",
        package: "cluster-observability-operator",
        source: Catalog::RedHat,
        channel: "stable".to_owned(),
        approval: Approval::Pinned(Pin {
            csv: context.stack.operators.pins.cluster_observability.to_string(),
            along: &[],
        }),
        config: None,
        kinds: KINDS,
    };
    operator.nodes(context, |subscription| subscription)
}
