//! Three dashboards for a Grafana that is there: the platform, its tiers, and its models.
//!
//! The stack may install the operator of Grafana, never a Grafana: who may look at it, and where its data source gets
//! figures, is somebody else's decision. A dashboard goes to every Grafana of its own namespace that carries the label
//! which it selects.
//!
//! Facts: `reference/serving.md` §1.16 last paragraph, `reference/platform.md` §2.17.

mod models;
mod overview;
mod panel;
mod tiers;

use super::by_user_and_tier;
use crate::{
    components::{
        Context,
        draft::{Draft, at, established, keyed, seconds, see},
        grafana::KINDS,
    },
    stack::{Maas, NamespaceName},
};
use panel::Dashboard;
use serde_json::json;
use stackctl_engine::{Address, ObjectRef, readiness::Rule, resource::ConsequenceClass};

/// The label of the dashboards, and of the Grafanas that show them.
const LABEL: &str = "dashboards";
const LABELLED: &str = "grafana";

/// Strips a route to the model it leads to: that of a model of the stack is named after it with an ending, that of an
/// external one has its very name (`reference/serving.md` §1.15, §1.16).
const MODEL_OF_ROUTE: &str = r#""model", "$1", "limitador_namespace", ".*/(.*?)(-kserve-route)?""#;

pub(super) fn resources(context: &Context<'_>, maas: &Maas, namespace: &NamespaceName) -> Vec<Draft> {
    let node = |role: &str, dashboard: &Dashboard| {
        Draft::object(
            keyed(&[("maas", ""), ("monitoring", ""), (role, "")]),
            manifest(dashboard, namespace),
        )
        .after(there(), "a Grafana shows it from there")
    };
    vec![
        gate(context, namespace),
        by_user_and_tier(node("platform-overview", &overview::dashboard()), maas),
        by_user_and_tier(node("tier-usage", &tiers::dashboard(maas)), maas),
        node("model-metrics", &models::dashboard()),
    ]
}

fn there() -> Address {
    at("maas.monitoring.grafana")
}

/// Waits for a namespace that the stack does not make, and for a kind that it may not bring.
fn gate(context: &Context<'_>, namespace: &NamespaceName) -> Draft {
    let mut observations = vec![see(
        ObjectRef::cluster("v1", "Namespace", namespace.as_str()),
        Rule::Exists,
    )];
    let brings = context.stack.operators.grafana;
    if !brings {
        observations.extend(established(KINDS));
    }
    let gate = Draft::gate(there(), observations)
        // As long as the operator may take (`reference/platform.md` §2.17).
        .within(seconds(300))
        .note(format!(
            "waits for namespace {namespace} and for the kind of dashboards"
        ))
        .tells(
            ConsequenceClass::Notice,
            format!(
                "dashboards of MaaS are shown by a Grafana in namespace {namespace} that is labelled \
                 `{LABEL}: {LABELLED}` and has a Prometheus data source; the stack makes none"
            ),
        );
    if brings { gate } else { gate.provides(KINDS) }
}

fn manifest(dashboard: &Dashboard, namespace: &NamespaceName) -> serde_json::Value {
    json!({
        "apiVersion": "grafana.integreatly.org/v1beta1",
        "kind": "GrafanaDashboard",
        "metadata": {
            "name": dashboard.name,
            "namespace": namespace.as_str(),
            "labels": {LABEL: LABELLED},
        },
        "spec": {
            "instanceSelector": {"matchLabels": {LABEL: LABELLED}},
            "json": format!("{:#}", dashboard.json()),
        },
    })
}
