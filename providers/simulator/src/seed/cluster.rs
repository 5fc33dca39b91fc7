//! The cluster's configuration objects: the facts that a stack reads (reference/platform.md §1).

use super::platform::{BASE_DOMAIN, INFRASTRUCTURE, REGION};
use serde_json::{Value, json};

/// Every object.
pub(super) fn objects() -> Vec<Value> {
    let config = |kind: &str, spec: Value, status: Value| {
        json!({"apiVersion": "config.openshift.io/v1", "kind": kind, "metadata": {"name": "cluster"}, "spec": spec, "status": status})
    };
    vec![
        config(
            "Infrastructure",
            json!({"platformSpec": {"type": "AWS"}}),
            json!({"infrastructureName": INFRASTRUCTURE, "platform": "AWS", "controlPlaneTopology": "HighlyAvailable",
                "infrastructureTopology": "HighlyAvailable", "apiServerURL": format!("https://api.{BASE_DOMAIN}:6443"),
                "platformStatus": {"type": "AWS", "aws": {"region": REGION}}}),
        ),
        config("DNS", json!({"baseDomain": BASE_DOMAIN}), Value::Null),
        config("Ingress", json!({"domain": format!("apps.{BASE_DOMAIN}")}), Value::Null),
        config("Proxy", json!({"trustedCA": {"name": ""}}), Value::Null),
        config("APIServer", json!({}), Value::Null),
        config("Authentication", json!({"type": "IntegratedOAuth"}), Value::Null),
        config(
            "OAuth",
            json!({"identityProviders": [{"name": "htpasswd", "type": "HTPasswd", "mappingMethod": "claim",
                "htpasswd": {"fileData": {"name": "htpass-secret"}}}]}),
            Value::Null,
        ),
        json!({"apiVersion": "config.openshift.io/v1", "kind": "ClusterVersion", "metadata": {"name": "version"},
            "spec": {"clusterID": "5a0c8b7e-0000-4000-8000-5173c7000001", "channel": "stable-4.21"},
            "status": {"desired": {"version": "4.21.3", "image": "simulated"}, "observedGeneration": 1, "versionHash": "simulated",
                "availableUpdates": null,
                "history": [{"state": "Completed", "version": "4.21.3", "image": "simulated", "verified": true,
                    "startedTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T01:00:00Z"}],
                "conditions": [{"type": "Available", "status": "True", "lastTransitionTime": "2026-01-01T01:00:00Z"}]}}),
        json!({"apiVersion": "config.openshift.io/v1", "kind": "ClusterOperator", "metadata": {"name": "authentication"}, "spec": {},
            "status": {"conditions": [
                {"type": "Available", "status": "True", "lastTransitionTime": "2026-01-01T01:00:00Z"},
                {"type": "Progressing", "status": "False", "lastTransitionTime": "2026-01-01T01:00:00Z"}]}}),
        json!({"apiVersion": "operator.openshift.io/v1", "kind": "IngressController",
            "metadata": {"name": "default", "namespace": "openshift-ingress-operator"}, "spec": {"replicas": 2},
            "status": {"domain": format!("apps.{BASE_DOMAIN}"), "availableReplicas": 2}}),
        json!({"apiVersion": "operator.openshift.io/v1", "kind": "CloudCredential", "metadata": {"name": "cluster"},
            "spec": {"credentialsMode": "", "managementState": "Managed"}}),
        // Every namespace of global operators has this group from the installation on (reference/platform.md §2.1).
        json!({"apiVersion": "operators.coreos.com/v1", "kind": "OperatorGroup",
            "metadata": {"name": "global-operators", "namespace": "openshift-operators"}, "spec": {"upgradeStrategy": "Default"},
            "status": {"namespaces": [""], "lastUpdated": "2026-01-01T01:00:00Z"}}),
    ]
}
