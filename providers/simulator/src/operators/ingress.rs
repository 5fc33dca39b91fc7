//! `ingress`: stands for the OpenShift router: Routes are admitted.
//!
//! Source: reference/serving.md §1.6 (gate `.status.ingress[].conditions[Admitted]=True`).
//!
//! Left out: host claims by other namespaces, shards, generated hosts.

use serde_json::json;

use super::kinds::{INGRESS_CONFIG, ROUTE};
use super::object::Read;
use super::turn::Turn;

const SECONDS: u64 = 2;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    let domain = turn
        .world
        .get(INGRESS_CONFIG, "", "cluster")
        .map_or(String::new(), |config| config.text("/spec/domain").to_owned());
    for route in turn.all(ROUTE) {
        let host = route.text("/spec/host");
        let admitted = route
            .list("/status/ingress")
            .iter()
            .any(|ingress| ingress.text("/host") == host);
        if route.is_deleting() || admitted || !turn.held(format!("admit {} {host}", route.uid()), SECONDS) {
            continue;
        }
        let condition = json!({"type": "Admitted", "status": "True", "lastTransitionTime": turn.stamp});
        turn.status(
            ROUTE,
            &route,
            json!({"ingress": [{
                "host": host, "routerName": "default", "routerCanonicalHostname": format!("router-default.{domain}"),
                "wildcardPolicy": "None", "conditions": [condition],
            }]}),
        );
    }
}
