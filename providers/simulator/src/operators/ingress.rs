//! `ingress`: stands for the OpenShift router: Routes are admitted.
//!
//! Source: reference/serving.md §1.6 (gate `.status.ingress[].conditions[Admitted]=True`).
//!
//! Left out: host claims by other namespaces, shards, generated hosts.

use serde_json::json;

use super::kinds::{CLUSTER_OPERATOR, INGRESS_CONFIG, ROUTE};
use super::object::Read;
use super::turn::{Turn, condition};
use crate::faults::FaultName;

const SECONDS: u64 = 2;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    if !runs(turn) {
        return;
    }
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

/// Returns whether the router runs, and says in its ClusterOperator where it does not.
fn runs(turn: &mut Turn<'_>) -> bool {
    let fails = turn.faults.on(FaultName::RouterDegraded);
    let operator = turn.world.get(CLUSTER_OPERATOR, "", "ingress").cloned();
    if let Some(operator) = operator.filter(|operator| operator.is("Degraded") != fails) {
        let why = "The \"default\" ingress controller reports Degraded=True: DegradedConditions: One or more other status \
                   conditions indicate a degraded state: DeploymentAvailable=False (DeploymentUnavailable: The deployment \
                   has Available status condition set to False (reason: MinimumReplicasUnavailable) with message: \
                   Deployment does not have minimum availability.)";
        let degraded = if fails {
            condition("Degraded", true, "IngressDegraded", why)
        } else {
            condition("Degraded", false, "IngressNotDegraded", "")
        };
        turn.status(CLUSTER_OPERATOR, &operator, json!({"conditions": [degraded]}));
    }
    !fails
}
