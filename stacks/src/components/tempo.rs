//! Tempo: keeps traces. Only the operator: OpenShift AI makes the instance for itself.
//!
//! Facts: `reference/platform.md` §2.9.

use super::{
    Context,
    draft::{Draft, at},
    olm::{Approval, Catalog, Home, Operator, Scope},
};
use stackctl_engine::Address;

/// The gate that its version has succeeded.
pub(super) fn installed() -> Address {
    at("tempo.installed")
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let operator = Operator {
        component: "tempo",
        title: "Tempo",
        namespace: "openshift-tempo-operator",
        home: Some(Home {
            display_name: Some("Red Hat Tempo Operator"),
            group: "tempo-operator",
            scope: Scope::All,
            is_monitored: true,
        }),
        subscription: "tempo-product",
        package: "tempo-product",
        source: Catalog::RedHat,
        channel: "stable".to_owned(),
        approval: Approval::Automatic(None),
        config: None,
        kinds: &[],
    };
    operator.nodes(context, |subscription| subscription)
}
