//! Grafana: the community's operator, for people who keep their own dashboards in it.
//!
//! Facts: `reference/platform.md` §2.17.

use super::{
    Context,
    draft::Draft,
    olm::{Approval, Catalog, Home, Operator, Scope},
};

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    if !context.stack.operators.grafana {
        return Vec::new();
    }
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
        kinds: &[],
    };
    operator.nodes(context, |subscription| subscription)
}
