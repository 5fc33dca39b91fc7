//! The OpenShift router and the load balancers: which listener of which Gateway a call comes to.
//!
//! Source: reference/serving.md §1.1, §1.6 (exposure by Route or by load balancer), G6 (its page where nothing is behind a
//! Route), G7 (`edge` in front of a TLS listener is 502);
//! <https://docs.redhat.com/en/documentation/openshift_container_platform/4.21/html/ingress_and_load_balancing/configuring-routes>
//! (what becomes of plain HTTP at a Route with TLS).
//!
//! Invariants:
//! - A call enters by a Route that is admitted, or by a load balancer whose Gateway has a listener for the host.
//! - What is not a Gateway behind a Route is played by nobody, which is said (501) and not hidden.
//!
//! Left out: wildcard Routes, paths of Routes, several backends of a Route.

use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;

use super::call::{Answer, Call};
use super::endpoints;
use crate::operators::hostnames;
use crate::operators::kinds::{GATEWAY, ROUTE, SERVICE};
use crate::operators::object::Read;
use crate::operators::world::World;

/// The label by which proxy, Service and pods of a Gateway know it.
const GATEWAY_NAME: &str = "gateway.networking.k8s.io/gateway-name";
/// What the router shows where nothing answers behind a host.
const UNAVAILABLE: &str = "<html>\n  <head><title>Application is not available</title></head>\n  <body>\n    <h1>Application is not available</h1>\n    <p>The application is currently not serving requests at this endpoint. It may not have been started or is still starting.</p>\n  </body>\n</html>\n";

/// How TLS ends on the way to a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    /// At the Gateway: the client sees the certificate of its listener.
    AtTheGateway,
    /// At the router: the client sees the router's certificate, or the Route's own.
    AtTheRouter,
}

/// Where a call has come to.
#[derive(Clone, Debug)]
pub(super) struct Entrance {
    pub(super) gateway: Arc<Value>,
    /// The listener of the Gateway.
    pub(super) listener: Value,
}

/// Returns the admitted Route of a host.
pub(super) fn route_of<'a>(world: &'a World, host: &str) -> Option<&'a Arc<Value>> {
    world.list(ROUTE).find(|route| {
        let admitted = |ingress: &Value| {
            let conditions = ingress.list("/conditions");
            ingress.text("/host") == host
                && conditions
                    .iter()
                    .any(|entry| entry.text("/type") == "Admitted" && entry.text("/status") == "True")
        };
        !route.is_deleting() && route.text("/spec/host") == host && route.list("/status/ingress").iter().any(admitted)
    })
}

/// Returns whose certificate a client of a host sees, and the Route if there is one.
pub(super) fn ends<'a>(world: &'a World, host: &str) -> (Ends, Option<&'a Arc<Value>>) {
    let route = route_of(world, host);
    let at_the_gateway = match route {
        Some(route) => route.text("/spec/tls/termination") == "passthrough",
        None => balanced(world, host).is_some(),
    };
    (
        if at_the_gateway {
            Ends::AtTheGateway
        } else {
            Ends::AtTheRouter
        },
        route,
    )
}

/// Returns the Gateway and listener that a client of a host speaks TLS with.
pub(super) fn listener_of(world: &World, host: &str) -> Option<Entrance> {
    match route_of(world, host) {
        Some(route) => behind(world, route).ok(),
        None => balanced(world, host),
    }
}

/// Leads a call to a listener, or gives the router's own answer.
pub(super) fn enter(world: &World, call: &Call) -> Result<Entrance, Box<Answer>> {
    let Some(route) = route_of(world, &call.host) else {
        return balanced(world, &call.host).ok_or_else(unavailable);
    };
    let termination = route.text("/spec/tls/termination");
    match (termination, call.is_tls) {
        ("", true) => return Err(unavailable()),
        ("", false) | (_, true) => {}
        (_, false) => match route.text("/spec/tls/insecureEdgeTerminationPolicy") {
            "Redirect" => {
                let location = format!("https://{}{}", call.host, call.path_and_query());
                return Err(Box::new(Answer::empty(StatusCode::FOUND).with("location", &location)));
            }
            "Allow" if termination != "passthrough" => {}
            _ => return Err(unavailable()),
        },
    }
    let entrance = behind(world, route)?;
    let speaks_tls = entrance.listener.text("/protocol") == "HTTPS";
    let expects_tls = ["passthrough", "reencrypt"].contains(&termination);
    if speaks_tls != expects_tls {
        return Err(Box::new(Answer::text(
            StatusCode::BAD_GATEWAY,
            "The server returned an invalid or incomplete response.\n",
        )));
    }
    Ok(entrance)
}

/// Returns what is behind a Route: the listener of a Gateway with the port that the Route sends to.
fn behind(world: &World, route: &Value) -> Result<Entrance, Box<Answer>> {
    let service = world
        .get(SERVICE, route.namespace(), route.text("/spec/to/name"))
        .ok_or_else(unavailable)?;
    let wanted = &route["spec"]["port"]["targetPort"];
    let ports = service.list("/spec/ports");
    let port = ports
        .iter()
        .find(|port| {
            wanted.is_null() || port["name"] == *wanted || port["targetPort"] == *wanted || port["port"] == *wanted
        })
        .ok_or_else(unavailable)?;
    if endpoints::ready(world, service).is_empty() {
        return Err(unavailable());
    }
    let played = service
        .label(GATEWAY_NAME)
        .and_then(|name| world.get(GATEWAY, service.namespace(), name));
    let Some(gateway) = played else {
        let why = format!(
            "nothing plays what is behind Service {}/{} on a simulated cluster\n",
            service.namespace(),
            service.name()
        );
        return Err(Box::new(Answer::text(StatusCode::NOT_IMPLEMENTED, why)));
    };
    let listeners = gateway.list("/spec/listeners");
    let listener = listeners
        .iter()
        .find(|listener| listener["port"] == port["port"])
        .ok_or_else(unavailable)?;
    Ok(Entrance {
        gateway: Arc::clone(gateway),
        listener: listener.clone(),
    })
}

/// Returns the Gateway behind a load balancer whose listener has this host, the most specific one.
fn balanced(world: &World, host: &str) -> Option<Entrance> {
    let mut found: Option<Entrance> = None;
    for service in world
        .list(SERVICE)
        .filter(|service| service.text("/spec/type") == "LoadBalancer")
    {
        let Some(gateway) = service
            .label(GATEWAY_NAME)
            .and_then(|name| world.get(GATEWAY, service.namespace(), name))
        else {
            continue;
        };
        if endpoints::ready(world, service).is_empty() || !gateway.is("Programmed") {
            continue;
        }
        for listener in gateway.list("/spec/listeners") {
            let hostname = listener.text("/hostname");
            let longer = found
                .as_ref()
                .is_none_or(|found| hostname.len() > found.listener.text("/hostname").len());
            if !hostname.is_empty() && hostnames::meet(hostname, host) && longer {
                found = Some(Entrance {
                    gateway: Arc::clone(gateway),
                    listener: listener.clone(),
                });
            }
        }
    }
    found
}

fn unavailable() -> Box<Answer> {
    let mut page = Answer::text(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE).with("content-type", "text/html");
    page = page.with("cache-control", "private, max-age=0, no-cache, no-store");
    Box::new(page)
}
