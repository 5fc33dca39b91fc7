//! What other teams keep on the cluster: no stack makes it, so no stack may change or delete it.

use serde_json::{Value, json};

use super::{
    BASE_DOMAIN,
    object::{INSTALLED_AT, cluster, namespaced},
};

const TEAM: &str = "team-analytics";
/// The empty project of a team that is to get a queue: a stack may put objects of its own into it.
const TENANT: &str = "team-a";

pub(super) fn namespaces() -> Vec<Value> {
    [(TEAM, "analytics"), (TENANT, "a")]
        .map(|(name, team)| cluster("v1", "Namespace", name, json!({"metadata": {"labels": {"team": team}}})))
        .to_vec()
}

pub(super) fn objects() -> Vec<Value> {
    vec![
        namespaced(
            "v1",
            "ConfigMap",
            "openshift-config",
            "some-team",
            json!({"data": {"owner": "analytics"}}),
        ),
        namespaced(
            "v1",
            "ConfigMap",
            TEAM,
            "reports",
            json!({"data": {"schedule": "0 6 * * *"}}),
        ),
        namespaced("v1", "ServiceAccount", TEAM, "reporter", json!({})),
        route(),
    ]
}

/// A team's own route through the same router, admitted long ago.
fn route() -> Value {
    let host = format!("reports.apps.{BASE_DOMAIN}");
    let admitted = json!({"type": "Admitted", "status": "True", "lastTransitionTime": INSTALLED_AT});
    let ingress = json!({
        "host": host, "routerName": "default", "routerCanonicalHostname": format!("router-default.apps.{BASE_DOMAIN}"),
        "wildcardPolicy": "None", "conditions": [admitted],
    });
    namespaced(
        "route.openshift.io/v1",
        "Route",
        TEAM,
        "reports",
        json!({
            "spec": {
                "host": host,
                "to": {"kind": "Service", "name": "reports", "weight": 100},
                "wildcardPolicy": "None",
            },
            "status": {"ingress": [ingress]},
        }),
    )
}
