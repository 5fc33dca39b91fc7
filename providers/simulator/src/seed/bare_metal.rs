//! Machines of one's own: three control planes and three workers, two of them with GPUs, and storage.
//!
//! Source: `reference/platform.md` §2.0 (sizes, GPUs), §2.6 (what the GPU operators make of a node with NVIDIA devices).

use serde_json::{Value, json};

use super::{machines::machine_node, object::cluster};

/// What devices a machine has, which only a look at its PCI bus would tell: `<product>/<how many>`.
pub(crate) const GPUS: &str = "simulator.stackctl.dev/nvidia-devices";

/// Two workers of three.
const WITH_GPUS: usize = 2;

pub(super) fn objects() -> Vec<Value> {
    let mut objects = Vec::new();
    for index in 0..3 {
        objects.push(node("master", index));
        objects.push(node("worker", index));
    }
    objects.push(cluster(
        "storage.k8s.io/v1",
        "StorageClass",
        "lvms-vg1",
        json!({
            "metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
            "allowVolumeExpansion": true,
            "provisioner": "topolvm.io",
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
        }),
    ));
    objects
}

fn node(role: &str, index: usize) -> Value {
    let name = format!("{role}-{index}");
    let mut labels = json!({
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.openshift.io/os_id": "rhel",
    });
    labels[format!("node-role.kubernetes.io/{role}")] = json!("");
    let mut spec = json!({});
    let mut annotations = json!({});
    if role == "master" {
        labels["node-role.kubernetes.io/control-plane"] = json!("");
        spec["taints"] = json!([{"key": "node-role.kubernetes.io/master", "effect": "NoSchedule"}]);
    } else if index < WITH_GPUS {
        annotations[GPUS] = json!("NVIDIA-A100-SXM4-80GB/8");
    }
    let host = 10 + index + if role == "worker" { 10 } else { 0 };
    let metadata = json!({"labels": labels, "annotations": annotations});
    machine_node(
        &name,
        &format!("192.0.2.{host}"),
        &metadata,
        &spec,
        ("64", "528280884Ki"),
    )
}
