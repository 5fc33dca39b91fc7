//! Grafana: the community's operator, for people who keep their own dashboards in it.
//!
//! Facts: `reference/platform.md` §2.17.

use super::{
    Context,
    draft::{Draft, Kind},
    olm::{Approval, Catalog, Home, Operator, Scope},
};

/// What stacks have of Grafana: the dashboards of MaaS.
pub(super) const KINDS: &[Kind] = &[Kind {
    group: "grafana.integreatly.org",
    kind: "GrafanaDashboard",
    plural: "grafanadashboards",
    namespaced: true,
}];

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    if !context.stack.operators.grafana {
        return Vec::new();
    }
    let maas = context.stack.maas.as_ref();
    let has_dashboards = maas.is_some_and(|maas| maas.monitoring.grafana_namespace.is_some());
    let operator = Operator {
        component: "grafana",
        title: "Grafana",
        namespace: "grafana-operator",
        home: Some(Home {
            display_name: Some("Grafana Operator"),
            group: "grafana-operator",
            scope: Scope::All,
            // The manual's namespace alone has no label (reference/platform.md §2.1).
            is_monitored: false,
        }),
        subscription: "grafana-operator",
        package: "grafana-operator",
        source: Catalog::Community,
        channel: "v5".to_owned(),
        approval: Approval::Automatic(None),
        config: None,
        kinds: if has_dashboards { KINDS } else { &[] },
    };
    operator.nodes(context, |subscription| subscription)
}
