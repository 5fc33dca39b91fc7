//! How the gateway controller judges routes and pools: which Gateway takes a route, and whether its backends are there.
//!
//! Source: reference/serving.md §1.4 (routes to pools), §5.1 M2, M23; Gateway API, `HTTPRouteStatus` and `ParentReference`
//! (<https://gateway-api.sigs.k8s.io/reference/spec/>); [`super::hostnames`] says when host names meet.
//!
//! Invariants:
//! - A route of a namespace that no listener admits is told `NotAllowedByListeners`; one whose hosts none of the admitting
//!   listeners has, `NoMatchingListenerHostname`; one that names a listener that is not there, `NoMatchingParent`.
//! - A route is Accepted whether or not its backends are there; that is what `ResolvedRefs` says.
//!
//! Left out: kinds of routes but HTTPRoute, reference grants, routes in conflict with each other.

use serde_json::{Value, json};

use super::gateway::CONTROLLER;
use super::hostnames;
use super::kinds::{GATEWAY, HTTP_ROUTE, INFERENCE_POOL, NAMESPACE, SERVICE};
use super::object::Read;
use super::turn::{Turn, map, observed};
use crate::faults::FaultName;

pub(super) fn reconcile(turn: &mut Turn<'_>) {
    for route in turn.all(HTTP_ROUTE) {
        if !route.is_deleting() {
            attach(turn, &route);
        }
    }
    for pool in turn.all(INFERENCE_POOL) {
        if !pool.is_deleting() {
            parents_of_pool(turn, &pool);
        }
    }
}

/// Returns how many routes a listener of a Gateway serves.
pub(super) fn attached(turn: &Turn<'_>, gateway: &Value, listener: &Value) -> usize {
    let serves = |route: &Value| {
        route.list("/spec/parentRefs").iter().any(|reference| {
            let holder = json!({"parentRef": reference});
            names(&holder, "/parentRef", route.namespace(), gateway)
                && listeners(turn, route, reference, gateway).is_ok_and(|found| found.contains(&listener.text("/name")))
        })
    };
    turn.world.list(HTTP_ROUTE).filter(|route| serves(route)).count()
}

/// Returns whether a route is attached to a Gateway.
pub(crate) fn accepted_by(route: &Value, gateway: &Value) -> bool {
    route.list("/status/parents").iter().any(|parent| {
        names(parent, "/parentRef", route.namespace(), gateway)
            && parent
                .list("/conditions")
                .iter()
                .any(|entry| entry.text("/type") == "Accepted" && entry.text("/status") == "True")
    })
}

/// Returns whether a parent reference names a Gateway.
fn names(holder: &Value, pointer: &str, own: &str, gateway: &Value) -> bool {
    let namespace = match holder.text(&format!("{pointer}/namespace")) {
        "" => own,
        namespace => namespace,
    };
    holder.text(&format!("{pointer}/name")) == gateway.name() && namespace == gateway.namespace()
}

fn attach(turn: &mut Turn<'_>, route: &Value) {
    let mut parents = Vec::new();
    for reference in route.list("/spec/parentRefs") {
        let holder = json!({"parentRef": reference});
        let Some(gateway) = turn
            .all(GATEWAY)
            .into_iter()
            .find(|gateway| names(&holder, "/parentRef", route.namespace(), gateway))
        else {
            continue;
        };
        if gateway.condition("Accepted") != "True" {
            continue;
        }
        let (accepted, reason, why) = match listeners(turn, route, reference, &gateway) {
            Ok(_) => (true, "Accepted", "Route was valid"),
            Err((reason, why)) => (false, reason, why),
        };
        let missing = backends(turn, route);
        let (resolution, what) = match &missing {
            None => ("ResolvedRefs", "All references resolved".to_owned()),
            Some(missing) => ("BackendNotFound", format!("backend({missing}) not found")),
        };
        let live = route
            .list("/status/parents")
            .iter()
            .find(|live| live["parentRef"] == *reference);
        let conditions = turn.conditions(
            live.map_or(&[], |live| live.list("/conditions")),
            &[
                observed(route, "Accepted", accepted, reason, why),
                observed(route, "ResolvedRefs", missing.is_none(), resolution, &what),
            ],
            "type",
        );
        parents.push(json!({"parentRef": reference, "controllerName": CONTROLLER, "conditions": conditions}));
    }
    turn.status(HTTP_ROUTE, route, json!({"parents": parents}));
}

/// Returns the names of the listeners that take a route, or why none does: reason and message.
fn listeners<'a>(
    turn: &Turn<'_>,
    route: &Value,
    reference: &Value,
    gateway: &'a Value,
) -> Result<Vec<&'a str>, (&'static str, &'static str)> {
    let (section, port) = (reference.text("/sectionName"), reference.number("/port"));
    let named: Vec<&Value> = gateway
        .list("/spec/listeners")
        .iter()
        .filter(|listener| section.is_empty() || listener.text("/name") == section)
        .filter(|listener| port.is_none() || listener.number("/port") == port)
        .collect();
    if named.is_empty() {
        return Err((
            "NoMatchingParent",
            "no listener of the gateway is the one that is named",
        ));
    }
    let admitting: Vec<&Value> = named
        .into_iter()
        .filter(|listener| admits(turn, listener, gateway, route.namespace()))
        .collect();
    if admitting.is_empty() {
        let why = "no listeners of the gateway allow routes of this namespace";
        return Err(("NotAllowedByListeners", why));
    }
    let hosts = route.list("/spec/hostnames");
    let meets = |listener: &&&Value| {
        let hostname = listener.text("/hostname");
        hosts.is_empty() || hosts.iter().any(|host| hostnames::meet(hostname, host.text("")))
    };
    let serving: Vec<&str> = admitting
        .iter()
        .filter(meets)
        .map(|listener| listener.text("/name"))
        .collect();
    if serving.is_empty() {
        let why = "no hostnames of the route match those of a listener";
        return Err(("NoMatchingListenerHostname", why));
    }
    Ok(serving)
}

/// Returns whether a listener admits routes of a namespace.
fn admits(turn: &Turn<'_>, listener: &Value, gateway: &Value, namespace: &str) -> bool {
    let allowed = "/allowedRoutes/namespaces";
    match listener.text(&format!("{allowed}/from")) {
        "All" => true,
        "Selector" => {
            let mut labels = turn
                .world
                .get(NAMESPACE, "", namespace)
                .map(|object| object["metadata"]["labels"].clone())
                .unwrap_or_default();
            if !labels.is_object() {
                labels = json!({});
            }
            // The API server sets this label on every namespace.
            labels["kubernetes.io/metadata.name"] = json!(namespace);
            let selector = listener
                .pointer(&format!("{allowed}/selector"))
                .cloned()
                .unwrap_or_default();
            map(&selector, "/matchLabels")
                .iter()
                .all(|(key, value)| labels.get(key) == Some(value))
                && selector.list("/matchExpressions").iter().all(|expression| {
                    let value = labels.get(expression.text("/key"));
                    let listed = value.is_some_and(|value| expression.list("/values").contains(value));
                    match expression.text("/operator") {
                        "In" => listed,
                        "NotIn" => !listed,
                        "Exists" => value.is_some(),
                        _ => value.is_none(),
                    }
                })
        }
        _ => gateway.namespace() == namespace,
    }
}

/// Returns a backend of the route that is not there.
fn backends(turn: &Turn<'_>, route: &Value) -> Option<String> {
    let references = route
        .list("/spec/rules")
        .iter()
        .flat_map(|rule| rule.list("/backendRefs"));
    let missing = references.into_iter().find(|reference| {
        let namespace = match reference.text("/namespace") {
            "" => route.namespace(),
            namespace => namespace,
        };
        let kind = if reference.text("/kind") == INFERENCE_POOL.kind {
            INFERENCE_POOL
        } else {
            SERVICE
        };
        turn.world.get(kind, namespace, reference.text("/name")).is_none()
    });
    missing.map(|reference| reference.text("/name").to_owned())
}

/// A pool is accepted by every Gateway whose routes send to it.
fn parents_of_pool(turn: &mut Turn<'_>, pool: &Value) {
    let model = pool.name().trim_end_matches("-inference-pool");
    if turn.faults.at(FaultName::PoolIgnored, model) {
        return;
    }
    let mut parents: Vec<Value> = Vec::new();
    for route in turn.all(HTTP_ROUTE) {
        let sends = route.namespace() == pool.namespace()
            && route
                .list("/spec/rules")
                .iter()
                .flat_map(|rule| rule.list("/backendRefs"))
                .any(|reference| {
                    reference.text("/kind") == INFERENCE_POOL.kind && reference.text("/name") == pool.name()
                });
        if !sends {
            continue;
        }
        for parent in route.list("/status/parents") {
            let reference = json!({
                "group": GATEWAY.group, "kind": GATEWAY.kind, "name": parent["parentRef"]["name"],
                "namespace": parent["parentRef"]["namespace"],
            });
            if parents.iter().any(|known: &Value| known["parentRef"] == reference) {
                continue;
            }
            let live = pool
                .list("/status/parents")
                .iter()
                .find(|live| live["parentRef"] == reference);
            let conditions = turn.conditions(
                live.map_or(&[], |live| live.list("/conditions")),
                &[
                    observed(
                        pool,
                        "Accepted",
                        true,
                        "Accepted",
                        "Referenced by an HTTPRoute accepted by the parentRef Gateway",
                    ),
                    observed(
                        pool,
                        "ResolvedRefs",
                        true,
                        "ResolvedRefs",
                        "Referenced ExtensionRef resolved",
                    ),
                ],
                "type",
            );
            parents.push(json!({"parentRef": reference, "conditions": conditions}));
        }
    }
    turn.status(INFERENCE_POOL, pool, json!({"parents": parents}));
}
