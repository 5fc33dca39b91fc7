//! OpenTelemetry: collects metrics and traces. Only the operator: OpenShift AI makes the collector for itself.
//!
//! Facts: `reference/platform.md` §2.9.

use super::{
    Context,
    draft::{Draft, Kind, at},
    olm::{Approval, Catalog, Home, Operator, Scope},
};
use stackctl_engine::Address;

const KINDS: &[Kind] = &[Kind {
    group: "opentelemetry.io",
    kind: "Instrumentation",
    plural: "instrumentations",
    namespaced: true,
}];

/// The gate that its kinds are served.
pub(super) fn kinds() -> Address {
    at("opentelemetry.kinds")
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let operator = Operator {
        component: "opentelemetry",
        title: "OpenTelemetry",
        namespace: "openshift-opentelemetry-operator",
        home: Some(Home {
            display_name: Some("Red Hat build of OpenTelemetry Operator"),
            group: "opentelemetry-operator",
            scope: Scope::All,
            is_monitored: true,
        }),
        subscription: "opentelemetry-product",
        package: "opentelemetry-product",
        source: Catalog::RedHat,
        channel: "stable".to_owned(),
        approval: Approval::Automatic(None),
        config: None,
        kinds: KINDS,
    };
    operator.nodes(context, |subscription| subscription)
}
