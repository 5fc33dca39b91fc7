//! The gateway of MaaS: its host, who may attach routes, and how it is reached.
//!
//! The annotation that asks for TLS to Authorino is not here: written before Authorino has TLS it is looked at once, in
//! vain (`reference/serving.md` §1.9). It is a node of its own, and late.
//!
//! Facts: `reference/serving.md` §1.6.

use crate::components::{
    Context,
    draft::{Draft, at, seconds},
    llm_d::{admitted, cluster_ip, gateway_class, parameters, route},
    names::{APPLICATIONS, INGRESS, MAAS, MAAS_GATEWAY},
    tls,
};
use serde_json::json;
use stackctl_engine::{Address, readiness::Rule};
use std::collections::BTreeSet;

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

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let Some(class) = class(context) else {
        return Vec::new();
    };
    let host = host(context);
    let config = at("maas.gateway-config");
    let config_name = format!("{MAAS_GATEWAY}-override-config");
    let time = context.stack.maas.as_ref().and_then(|maas| maas.ready_timeout);
    let manifest = json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {
            "name": MAAS_GATEWAY,
            "namespace": INGRESS,
            "annotations": {
                "opendatahub.io/managed": "false",
                "networking.istio.io/service-type": "ClusterIP",
            },
        },
        "spec": {
            "gatewayClassName": CLASS,
            "infrastructure": parameters(&config_name),
            "listeners": [{
                "name": "https",
                "hostname": host,
                "port": 443,
                "protocol": "HTTPS",
                "tls": {"mode": "Terminate", "certificateRefs": [{"group": "", "kind": "Secret", "name": context.facts.tls_secret}]},
                "allowedRoutes": {"namespaces": {"from": "Selector", "selector": {"matchExpressions": [{
                    "key": "kubernetes.io/metadata.name",
                    "operator": "In",
                    "values": namespaces(context),
                }]}}},
            }],
        },
    });
    vec![
        // OpenShift may have made it, and other gateways may use it.
        gateway_class(class.clone(), CLASS).expected(),
        cluster_ip(config.clone(), &config_name),
        Draft::object(gateway(), manifest)
            .ready(Rule::condition("Programmed"))
            .within(time.map_or(seconds(300), |timeout| timeout.as_duration()))
            .after(class, "its controller has to accept the class")
            .after(tls::certificate(), "its listener presents the certificate")
            .after_write(
                config,
                "read only when the gateway is set up: later, a load balancer would stay",
            )
            .note(format!("host {host}")),
        Draft::object(
            at("maas.route"),
            route(MAAS_GATEWAY, &host, &format!("{MAAS_GATEWAY}-{CLASS}")),
        )
        .ready(admitted())
        .within(seconds(60))
        .after(gateway(), "the Service that it leads to is made for the gateway"),
    ]
}

/// Whose routes the gateway takes: the platform's and those of every published model. Computed, so that no model is
/// forgotten (`reference/serving.md` §5.1 M2).
fn namespaces(context: &Context<'_>) -> Vec<String> {
    let models: BTreeSet<_> = context
        .stack
        .maas_models()
        .map(|model| model.namespace.to_string())
        .collect();
    let fixed = [INGRESS, APPLICATIONS, MAAS].map(str::to_owned);
    fixed.into_iter().chain(models).collect()
}
