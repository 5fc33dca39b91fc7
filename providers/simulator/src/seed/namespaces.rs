//! The namespaces of a fresh cluster (`reference/platform.md` §2.22, "pre-existing").

use serde_json::{Value, json};

use super::object::cluster;

/// Every API server has these from its start (<https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/>).
const OF_KUBERNETES: &[&str] = &["default", "kube-node-lease", "kube-public", "kube-system"];

const OF_OPENSHIFT: &[&str] = &[
    "openshift",
    "openshift-apiserver",
    "openshift-authentication",
    "openshift-cloud-credential-operator",
    "openshift-cluster-csi-drivers",
    "openshift-cluster-version",
    "openshift-config",
    "openshift-config-managed",
    "openshift-console",
    "openshift-dns",
    "openshift-image-registry",
    "openshift-infra",
    "openshift-ingress",
    "openshift-ingress-operator",
    "openshift-kube-apiserver",
    "openshift-machine-api",
    "openshift-marketplace",
    "openshift-monitoring",
    "openshift-operator-lifecycle-manager",
    "openshift-operators",
    "openshift-service-ca",
];

pub(super) fn objects() -> Vec<Value> {
    let kubernetes = OF_KUBERNETES
        .iter()
        .map(|name| cluster("v1", "Namespace", name, json!({})));
    let openshift = OF_OPENSHIFT.iter().map(|name| {
        let labels =
            json!({"openshift.io/cluster-monitoring": "true", "pod-security.kubernetes.io/enforce": "privileged"});
        cluster("v1", "Namespace", name, json!({"metadata": {"labels": labels}}))
    });
    kubernetes.chain(openshift).collect()
}
