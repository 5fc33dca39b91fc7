//! The gateway of MaaS: its host, who may attach routes, and how it is reached.
//!
//! The annotation that asks for TLS to Authorino is not here: written before Authorino has TLS it is looked at once, in
//! vain (`reference/serving.md` §1.9). It is a node of its own, and late.
//!
//! Facts: `reference/serving.md` §1.6, §1.11 for the labels of the older generation.

use crate::{
    components::{
        Context,
        draft::{Draft, at, seconds},
        listener::Listener,
        llm_d::{admitted, cluster_ip, gateway_class, parameters, programmed, route},
        names::{APPLICATIONS, INGRESS, MAAS, MAAS_GATEWAY},
        platform_symptoms, symptoms,
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
    let class = at("maas.class");
    let host = host(context);
    let service = format!("{MAAS_GATEWAY}-{CLASS}");
    let listener = Listener {
        component: COMPONENT,
        gateway: MAAS_GATEWAY,
        service: &service,
        host: &host,
        tls: &maas.gateway.tls,
    };
    let mut allowed = listener.manifest(context);
    allowed["allowedRoutes"] = json!({"namespaces": {"from": "Selector", "selector": {"matchExpressions": [{
        "key": "kubernetes.io/metadata.name",
        "operator": "In",
        "values": namespaces(context, maas),
    }]}}});
    let mut spec = json!({"gatewayClassName": CLASS, "listeners": [allowed]});
    let mut metadata = json!({
        "name": MAAS_GATEWAY,
        "namespace": INGRESS,
        "annotations": {"opendatahub.io/managed": "false"},
    });
    if let MaasMode::GatewayPolicies(_) = maas.mode {
        metadata["labels"] = json!({
            "app.kubernetes.io/name": "maas",
            "app.kubernetes.io/instance": MAAS_GATEWAY,
            "app.kubernetes.io/component": "gateway",
        });
    }
    // OpenShift may have made it, and other gateways may use it.
    let mut nodes = vec![gateway_class(class.clone(), CLASS).expected()];
    nodes.extend(listener.resources());
    let config = at("maas.gateway-config");
    let mut service_type = "LoadBalancer";
    if let MaasExposure::Route(termination) = maas.gateway.exposure {
        service_type = "ClusterIP";
        let config_name = format!("{MAAS_GATEWAY}-override-config");
        spec["infrastructure"] = parameters(&config_name);
        nodes.push(cluster_ip(config.clone(), &config_name));
        nodes.push(
            Draft::object(at("maas.route"), route(&listener, termination))
                .ready(admitted())
                .diagnosed(platform_symptoms::router())
                .within(seconds(60))
                .after(gateway(), "the Service that it leads to is made for the gateway"),
        );
    }
    metadata["annotations"]["networking.istio.io/service-type"] = json!(service_type);
    let by_route = service_type == "ClusterIP";
    let mut node = Draft::object(
        gateway(),
        json!({
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "Gateway",
            "metadata": metadata,
            "spec": spec,
        }),
    )
    .ready(programmed(by_route))
    .within(maas.ready_timeout.map_or(seconds(300), |timeout| timeout.as_duration()))
    .after(class, "its controller has to accept the class")
    .note(format!("host {host}"))
    .diagnosed_by(symptoms::gateway(
        MAAS_GATEWAY,
        &service,
        listener.secret(context),
        by_route,
        "maas.gateway",
    ));
    if let Some(certificate) = listener.certificate() {
        node = node.after(certificate, "its listener presents the certificate");
    }
    if by_route {
        node = node.after_write(
            config,
            "read only when the gateway is set up: later, a load balancer would stay",
        );
    }
    nodes.push(node);
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
