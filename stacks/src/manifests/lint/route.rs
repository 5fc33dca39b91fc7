//! Routes of OpenShift in front of gateways.
//!
//! The Service of a gateway is named after it and its class, and has a port of the name of each listener.
//!
//! Facts: `reference/serving.md` §1.1 (objects of the gateway, and the last hazard), §5.1 G6 and G7.

use super::{Seen, World, gateway};
use crate::manifests::{ManifestsError, read::Document};
use serde_json::Value;

pub(super) const ROUTE: (&str, &str) = ("route.openshift.io", "Route");

/// The port of every gateway's Service that is no listener's, by which the proxy is asked whether it is ready
/// (<https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/>, automated deployment).
const STATUS_PORT: &str = "status-port";

/// The Service that is made for a gateway.
pub(super) fn service(gateway: Seen<'_>) -> Option<String> {
    let class = gateway.value["spec"]["gatewayClassName"].as_str()?;
    Some(format!("{}-{class}", gateway.object.name))
}

/// A Route leads to a port that its gateway has, and ends TLS only where the gateway has none.
pub(super) fn check(world: &World<'_>, route: Seen<'_>, at: &Document<'_>, errors: &mut Vec<ManifestsError>) {
    let spec = &route.value["spec"];
    let Some(service) = spec["to"]["name"].as_str() else {
        return;
    };
    let Some(gateway) = world.services_of_gateways.get(&(route.namespace(), service.to_owned())) else {
        return;
    };
    let port = &spec["port"]["targetPort"];
    let listeners: Vec<&Value> = gateway::listeners(gateway.value).collect();
    let listener = match port {
        Value::String(name) => listeners.iter().find(|listener| listener["name"] == **name),
        Value::Number(_) => listeners.iter().find(|listener| listener["port"] == *port),
        _ => listeners.first().filter(|_| listeners.len() == 1),
    };
    match (listener, port.as_str()) {
        (None, Some(name)) if name != STATUS_PORT && !listeners.is_empty() => {
            let names: Vec<&str> = listeners
                .iter()
                .filter_map(|listener| listener["name"].as_str())
                .collect();
            errors.push(ManifestsError::NoSuchPort {
                at: at.at_field("spec.port.targetPort"),
                port: name.to_owned(),
                gateway: gateway.place(),
                names: names.join("`, `"),
            });
        }
        (Some(listener), _) if listener["tls"].is_object() && speaks_plain(&spec["tls"]) => {
            errors.push(ManifestsError::PlainToTls {
                at: at.at_field("spec.tls.termination"),
                gateway: gateway.place(),
            });
        }
        _ => {}
    }
}

/// Whether the router speaks plain HTTP to what is behind it.
fn speaks_plain(tls: &Value) -> bool {
    tls.get("termination").is_none_or(|termination| termination == "edge")
}
