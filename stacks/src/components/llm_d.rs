//! The llm-d gateway: where models that are not published to MaaS are reached.
//!
//! Facts: `reference/serving.md` §1.1.

use super::{
    Context,
    draft::{Draft, at},
    gateway::{self, Gateway, Reached},
    listener::Listener,
    names::INGRESS,
};
use crate::stack::{GatewayExposure, GatewayTls, OpenShift, Termination};
use serde_json::json;
use stackctl_engine::Address;

/// The first segment of its addresses.
pub(super) const COMPONENT: &str = "llm-d";

/// The class of the gateway; none when the stack serves no model.
pub(super) fn class(context: &Context<'_>) -> Option<Address> {
    (!context.stack.models.is_empty()).then(|| at("llm-d.class"))
}

/// The gateway.
pub(super) fn gateway() -> Address {
    at("llm-d.gateway")
}

/// Its host name (`reference/serving.md` §1.1, table of modes).
pub(super) fn host(context: &Context<'_>) -> String {
    host_under(context.stack, &context.facts.apps_domain)
}

/// Its host name under an apps domain.
pub(super) fn host_under(stack: &OpenShift, domain: &str) -> String {
    match &stack.gateway.exposure {
        GatewayExposure::Route => format!("{}-{INGRESS}.{domain}", stack.gateway.name),
        GatewayExposure::LoadBalancer { subdomain } => format!("{subdomain}.{domain}"),
    }
}

/// Whether callers speak plain HTTP to it: without TLS, and without a router that has it.
pub(super) fn is_plain(stack: &OpenShift) -> bool {
    stack.gateway.tls == GatewayTls::Plain && stack.gateway.exposure != GatewayExposure::Route
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let Some(class) = class(context) else {
        return Vec::new();
    };
    let wanted = &context.stack.gateway;
    let name = wanted.name.as_str();
    let class_name = format!("{name}-class");
    let (host, service) = (host(context), format!("{name}-{class_name}"));
    let listener = Listener {
        component: COMPONENT,
        gateway: name,
        service: &service,
        host: &host,
        tls: &wanted.tls,
    };
    let mut nodes = vec![gateway::class(class, &class_name)];
    nodes.extend(gateway::resources(
        context,
        Gateway {
            listener: &listener,
            class: &class_name,
            takes: json!({"namespaces": {"from": "All"}}),
            metadata: json!({"name": name, "namespace": INGRESS}),
            reached: match (&wanted.exposure, &wanted.tls) {
                (GatewayExposure::LoadBalancer { .. }, _) => Reached::ByLoadBalancer,
                (GatewayExposure::Route, GatewayTls::Plain) => Reached::ByRoute(Termination::Edge),
                (GatewayExposure::Route, _) => Reached::ByRoute(Termination::Passthrough),
            },
            ready_timeout: wanted.ready_timeout,
            table: "gateway",
        },
    ));
    nodes
}
