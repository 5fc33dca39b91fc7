//! The gateway of MaaS: its host, who may attach routes, and how it is reached.
//!
//! The annotation that asks for TLS to Authorino is not here: written before Authorino has TLS it is looked at once, in
//! vain (`reference/serving.md` §1.9). It is a node of its own, and late.
//!
//! Facts: `reference/serving.md` §1.6, §1.11 for the labels of the older generation.

use crate::{
    components::{
        Context,
        draft::{Draft, at},
        gateway::{self, Gateway, Reached},
        listener::Listener,
        names::{APPLICATIONS, INGRESS, MAAS, MAAS_GATEWAY},
    },
    stack::{GatewayTls, Maas, MaasExposure, MaasMode},
};
use serde_json::json;
use stackctl_engine::Address;
use std::collections::BTreeSet;

/// The first segment of its addresses.
pub(in crate::components) const COMPONENT: &str = "maas";

/// Shared with other gateways of the cluster, hence its plain name.
const CLASS: &str = "openshift-default";

/// The class of the gateway; none without MaaS.
pub(in crate::components) fn class(context: &Context<'_>) -> Option<Address> {
    context.stack.maas.is_some().then(|| at("maas.class"))
}

/// The gateway.
pub(in crate::components) fn gateway() -> Address {
    at("maas.gateway")
}

/// Its host: the dashboard computes this name and no other.
pub(in crate::components) fn host(context: &Context<'_>) -> String {
    host_under(&context.facts.apps_domain)
}

/// Its host under an apps domain.
pub(in crate::components) fn host_under(domain: &str) -> String {
    format!("maas.{domain}")
}

/// Whether callers speak plain HTTP to it: without TLS, and without a router that has it.
pub(in crate::components) fn is_plain(maas: &Maas) -> bool {
    maas.gateway.tls == GatewayTls::Plain && maas.gateway.exposure == MaasExposure::LoadBalancer
}

pub(super) fn resources(context: &Context<'_>, maas: &Maas) -> Vec<Draft> {
    let host = host(context);
    let service = format!("{MAAS_GATEWAY}-{CLASS}");
    let listener = Listener {
        component: COMPONENT,
        gateway: MAAS_GATEWAY,
        service: &service,
        host: &host,
        tls: &maas.gateway.tls,
    };
    let (reached, service_type) = match maas.gateway.exposure {
        MaasExposure::LoadBalancer => (Reached::ByLoadBalancer, "LoadBalancer"),
        MaasExposure::Route(termination) => (Reached::ByRoute(termination), "ClusterIP"),
    };
    let mut metadata = json!({
        "name": MAAS_GATEWAY,
        "namespace": INGRESS,
        "annotations": {"opendatahub.io/managed": "false", "networking.istio.io/service-type": service_type},
    });
    if let MaasMode::GatewayPolicies(_) = maas.mode {
        metadata["labels"] = json!({
            "app.kubernetes.io/name": "maas",
            "app.kubernetes.io/instance": MAAS_GATEWAY,
            "app.kubernetes.io/component": "gateway",
        });
    }
    // OpenShift may have made it, and other gateways may use it.
    let mut nodes = vec![gateway::class(at("maas.class"), CLASS).expected()];
    nodes.extend(gateway::resources(
        context,
        Gateway {
            listener: &listener,
            class: CLASS,
            takes: json!({"namespaces": {"from": "Selector", "selector": {"matchExpressions": [{
                "key": "kubernetes.io/metadata.name",
                "operator": "In",
                "values": namespaces(context, maas),
            }]}}}),
            metadata,
            reached,
            ready_timeout: maas.ready_timeout,
            table: "maas.gateway",
        },
    ));
    nodes
}

/// Whose routes the gateway takes: the platform's and those of every published model. Computed, so that no model is
/// forgotten (`reference/serving.md` §5.1 M2).
fn namespaces(context: &Context<'_>, maas: &Maas) -> Vec<String> {
    let mut models: BTreeSet<_> = context
        .stack
        .maas_models()
        .map(|model| model.namespace.to_string())
        .chain(maas.external_models().iter().map(|model| model.namespace.to_string()))
        .collect();
    let fixed = [INGRESS, APPLICATIONS, MAAS].map(str::to_owned);
    if let MaasMode::GatewayPolicies(policies) = &maas.mode {
        // maas-api has a route of its own there.
        models.insert(policies.tier_lookup.namespace.to_string());
    }
    fixed.into_iter().chain(models).collect()
}
