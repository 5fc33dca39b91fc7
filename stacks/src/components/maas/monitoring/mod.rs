//! What watches the gateway of MaaS: alerts, dashboards in Grafana, and a dashboard of external models in the console.
//!
//! Nothing here scrapes. Kuadrant makes a monitor of Limitador by itself, since its observability is switched on, and a
//! second one would count every call twice (`reference/serving.md` §5.3 E6); models have monitors of their own.
//!
//! Facts: `reference/serving.md` §1.16 (objects, metrics and labels), `reference/platform.md` §2.18 (dashboards).

mod alerts;
mod external;
mod grafana;

use crate::{
    components::{Context, draft::Draft},
    stack::Maas,
};
use stackctl_engine::resource::ConsequenceClass;

/// The Deployment of Envoy behind the gateway, which its metrics are told apart by (`reference/serving.md` §1.6, observed).
const GATEWAY_WORKLOAD: &str = "maas-default-gateway-openshift-default";

pub(super) fn resources(context: &Context<'_>, maas: &Maas) -> Vec<Draft> {
    let mut nodes = Vec::new();
    if let Some(alerts) = maas.monitoring.alerts {
        nodes.extend(alerts::resources(context, alerts));
    }
    if let Some(namespace) = &maas.monitoring.grafana_namespace {
        nodes.extend(grafana::resources(context, maas, namespace));
    }
    if maas.monitoring.external_models {
        nodes.extend(external::resource(maas));
    }
    nodes
}

/// Says of a dashboard what it cannot tell: users and tiers are labels that the gateway's telemetry adds
/// (`reference/serving.md` §1.6 row 6, §5.3 E5).
fn by_user_and_tier(dashboard: Draft, maas: &Maas) -> Draft {
    if maas.telemetry {
        return dashboard;
    }
    dashboard.tells(
        ConsequenceClass::Notice,
        "dashboards of MaaS cannot tell users and tiers apart while `telemetry` of `[maas]` is off",
    )
}
