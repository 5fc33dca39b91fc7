//! The platform's own objects: namespaces, nodes, machine sets, storage, certificates, identity, roles.

use serde_json::{Value, json};

/// The base domain of the simulated cluster; its applications live under `apps.`.
pub(super) const BASE_DOMAIN: &str = "sandbox.example.com";
/// The infrastructure name, as the installer draws it: cluster name and five letters.
pub(super) const INFRASTRUCTURE: &str = "sandbox-x7k2p";
/// The region.
pub(super) const REGION: &str = "eu-west-1";
/// The image that the installer chose for workers; not a real one.
const IMAGE: &str = "ami-0a1b2c3d4e5f67890";

/// Namespaces that are there before any stack (reference/platform.md §2.22), and those that the reference reads from.
const NAMESPACES: &[&str] = &[
    "default",
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "openshift-cloud-credential-operator",
    "openshift-config",
    "openshift-config-managed",
    "openshift-console",
    "openshift-ingress",
    "openshift-ingress-operator",
    "openshift-machine-api",
    "openshift-marketplace",
    "openshift-monitoring",
    "openshift-operators",
    "openshift-authentication",
];

/// Every object.
pub(super) fn objects() -> Vec<Value> {
    let mut all: Vec<Value> = NAMESPACES
        .iter()
        .map(|name| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "status": {"phase": "Active"}}))
        .collect();
    all.extend(nodes());
    all.extend(["a", "b", "c"].map(worker_machine_set));
    all.push(json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": "gp3-csi", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "ebs.csi.aws.com", "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": true, "parameters": {"type": "gp3", "encrypted": "true"}}));
    all.extend(secrets());
    all.extend(["cluster-admins", "rhods-admins"].map(|name| {
        json!({"apiVersion": "user.openshift.io/v1", "kind": "Group", "metadata": {"name": name}, "users": ["admin"]})
    }));
    all.extend(["cluster-admin", "admin", "edit", "view", "cluster-monitoring-view"].map(|name| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name},
            "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": if name.ends_with("view") { json!(["get", "list", "watch"]) } else { json!(["*"]) }}]})
    }));
    // Somebody else's, to be there untouched after everything.
    all.push(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "some-team", "namespace": "openshift-config"},
        "data": {"owner": "another team"}}));
    all
}

fn nodes() -> Vec<Value> {
    let mut nodes = Vec::new();
    for (index, zone) in ["a", "b", "c"].iter().enumerate() {
        for role in ["master", "worker"] {
            let name = format!("ip-10-0-{}-1{}.{REGION}.compute.internal", index * 16, role.len());
            let (cpu, memory) = if role == "master" { ("4", "16Gi") } else { ("8", "32Gi") };
            let amount = json!({"cpu": cpu, "memory": memory, "pods": "250"});
            nodes.push(json!({"apiVersion": "v1", "kind": "Node",
                "metadata": {"name": name, "labels": {
                    "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
                    format!("node-role.kubernetes.io/{role}"): "",
                    "topology.kubernetes.io/region": REGION, "topology.kubernetes.io/zone": format!("{REGION}{zone}")}},
                "spec": {"providerID": format!("aws:///{REGION}{zone}/i-{index:016x}{}", role.len())},
                "status": {"capacity": amount, "allocatable": amount,
                    "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}]}}));
        }
    }
    nodes
}

/// A worker MachineSet as the installer makes it (reference/platform.md §2.5 names each field).
fn worker_machine_set(zone: &str) -> Value {
    let name = format!("{INFRASTRUCTURE}-worker-{REGION}{zone}");
    let filter = |value: String| json!({"filters": [{"name": "tag:Name", "values": [value]}]});
    json!({"apiVersion": "machine.openshift.io/v1beta1", "kind": "MachineSet",
        "metadata": {"name": name, "namespace": "openshift-machine-api",
            "labels": {"machine.openshift.io/cluster-api-cluster": INFRASTRUCTURE}},
        // The workers above stand for themselves: the installer's sets are counted, never scaled.
        "spec": {"replicas": 0,
            "selector": {"matchLabels": {"machine.openshift.io/cluster-api-cluster": INFRASTRUCTURE,
                "machine.openshift.io/cluster-api-machineset": name}},
            "template": {
                "metadata": {"labels": {"machine.openshift.io/cluster-api-cluster": INFRASTRUCTURE,
                    "machine.openshift.io/cluster-api-machine-role": "worker",
                    "machine.openshift.io/cluster-api-machine-type": "worker",
                    "machine.openshift.io/cluster-api-machineset": name}},
                "spec": {"providerSpec": {"value": {
                    "apiVersion": "awsproviderconfig.openshift.io/v1beta1", "kind": "AWSMachineProviderConfig",
                    "ami": {"id": IMAGE}, "instanceType": "m6i.2xlarge", "deviceIndex": 0,
                    "blockDevices": [{"ebs": {"iops": 0, "volumeSize": 120, "volumeType": "gp3"}}],
                    "credentialsSecret": {"name": "aws-cloud-credentials"},
                    "userDataSecret": {"name": "worker-user-data"},
                    "iamInstanceProfile": {"id": format!("{INFRASTRUCTURE}-worker-profile")},
                    "placement": {"availabilityZone": format!("{REGION}{zone}"), "region": REGION},
                    "securityGroups": [filter(format!("{INFRASTRUCTURE}-node")), filter(format!("{INFRASTRUCTURE}-lb"))],
                    "subnet": filter(format!("{INFRASTRUCTURE}-subnet-private-{REGION}{zone}")),
                    "tags": [{"name": format!("kubernetes.io/cluster/{INFRASTRUCTURE}"), "value": "owned"}]}}}}}})
}

/// Secrets that stacks refer to. Their values are texts that say so; none opens anything.
fn secrets() -> Vec<Value> {
    let secret = |namespace: &str, name: &str, kind: &str, data: Value| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace},
            "type": kind, "stringData": data})
    };
    let pull = json!({"auths": {
        "registry.redhat.io": {"auth": "c2ltdWxhdGVkOnNpbXVsYXRlZA=="},
        "quay.io": {"auth": "c2ltdWxhdGVkOnNpbXVsYXRlZA=="}}});
    let certificate = json!({
        "tls.crt": format!("-----BEGIN CERTIFICATE-----\nsimulated: *.apps.{BASE_DOMAIN}\n-----END CERTIFICATE-----\n"),
        "tls.key": "-----BEGIN PRIVATE KEY-----\nsimulated\n-----END PRIVATE KEY-----\n"});
    vec![
        secret("openshift-config", "pull-secret", "kubernetes.io/dockerconfigjson", json!({".dockerconfigjson": pull.to_string()})),
        secret("openshift-ingress", "router-certs-default", "kubernetes.io/tls", certificate),
        secret("openshift-config", "htpass-secret", "Opaque", json!({"htpasswd": "admin:simulated\n"})),
        secret("openshift-machine-api", "aws-cloud-credentials", "Opaque", json!({"aws_access_key_id": "simulated"})),
        secret("openshift-machine-api", "worker-user-data", "Opaque", json!({"userData": "simulated"})),
    ]
}
