//! `gpu`: stands for the NVIDIA GPU operator and its operands.
//!
//! Source: reference/platform.md §2.6: node selection by the NFD label, `.status.state`, node capacity
//! `nvidia.com/gpu`; ready is vacuous without GPU nodes (reasons `NFDLabelsMissing`, `NoGPUNodes`, G13); the operator
//! deletes the ServiceMonitor `nvidia-dcgm-exporter` while its own is not enabled (G14).
//!
//! Left out: MIG, time slicing, driver versions.

use serde_json::{Value, json};

use super::kinds::{CLUSTER_POLICY, DAEMON_SET, NODE, NODE_FEATURE_DISCOVERY, SERVICE, SERVICE_MONITOR};
use super::nfd::LABEL;
use super::object::{Read, object, owned_by};
use super::turn::{Turn, condition};
use crate::faults::FaultName;
use crate::seed::GPUS;

const NAMESPACE: &str = "nvidia-gpu-operator";
const EXPORTER: &str = "nvidia-dcgm-exporter";
/// The driver is the long part: minutes under the gate's 600 s (reference/platform.md §2.6).
const DRIVER_SECONDS: u64 = 120;
const OPERANDS: &[&str] = &[
    "nvidia-driver-daemonset",
    "nvidia-container-toolkit-daemonset",
    "nvidia-device-plugin-daemonset",
    EXPORTER,
    "gpu-feature-discovery",
    "nvidia-operator-validator",
];

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    let Some(policy) = turn
        .all(CLUSTER_POLICY)
        .into_iter()
        .find(|policy| !policy.is_deleting())
    else {
        return;
    };
    for name in OPERANDS {
        turn.ensure(DAEMON_SET, owned_by(daemon_set(name), &policy));
    }
    let service = object(
        SERVICE,
        NAMESPACE,
        EXPORTER,
        json!({
            "metadata": {"labels": {"app": EXPORTER}},
            "spec": {"selector": {"app": EXPORTER}, "ports": [{"name": "gpu-metrics", "port": 9400, "protocol": "TCP"}]},
        }),
    );
    turn.ensure(SERVICE, owned_by(service, &policy));
    monitor(turn, &policy);

    let labelled: Vec<_> = turn
        .all(NODE)
        .into_iter()
        .filter(|node| node.label(LABEL) == Some("true"))
        .collect();
    let mut waiting = false;
    for node in &labelled {
        let (gpus, product) = hardware(node);
        let done = node.pointer("/status/capacity/nvidia.com~1gpu").is_some();
        // Without a device plugin that registers, everything the policy looks at runs all the same.
        if turn.faults.on(FaultName::DevicePluginSilent) {
            continue;
        }
        waiting |= !done;
        let driven = !turn.faults.on(FaultName::DriverFails);
        if !done && driven && node.is("Ready") && turn.held(format!("driver {}", node.uid()), DRIVER_SECONDS) {
            turn.patch(NODE, node, json!({"metadata": {"labels": {
                "nvidia.com/gpu.present": "true", "nvidia.com/gpu.product": product, "nvidia.com/gpu.count": gpus.to_string(),
            }}}));
            let amount = json!({"nvidia.com/gpu": gpus.to_string()});
            turn.status(NODE, node, json!({"capacity": amount, "allocatable": amount}));
        }
    }
    let (state, reason, message) = if waiting {
        (
            "notReady",
            "OperandNotReady",
            "ClusterPolicy is not ready, states not ready: [state-driver state-device-plugin]",
        )
    } else if !labelled.is_empty() {
        (
            "ready",
            "Reconciled",
            "ClusterPolicy is ready as all resources have been successfully reconciled",
        )
    } else if turn.world.list(NODE_FEATURE_DISCOVERY).next().is_none() {
        ("ready", "NFDLabelsMissing", "No NFD labels found")
    } else {
        (
            "ready",
            "NoGPUNodes",
            "No GPU node found, watching for new nodes to join the cluster.",
        )
    };
    let ready = state == "ready";
    if !ready || turn.held(format!("policy {} {reason}", policy.uid()), 10) {
        turn.status(
            CLUSTER_POLICY,
            &policy,
            json!({
                "state": state, "namespace": NAMESPACE,
                "conditions": [
                    condition("Ready", ready, reason, message),
                    condition("Error", !ready, if ready { "Ready" } else { reason }, if ready { "" } else { message }),
                ],
            }),
        );
    }
}

fn daemon_set(name: &str) -> Value {
    let labels = json!({"app": name});
    object(
        DAEMON_SET,
        NAMESPACE,
        name,
        json!({"metadata": {"labels": labels}, "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {
                "containers": [{"name": name, "image": format!("nvcr.io/nvidia/{name}")}],
                "nodeSelector": {LABEL: "true"},
                "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
            }},
        }}),
    )
}

fn monitor(turn: &mut Turn<'_>, policy: &Value) {
    if !policy.is_true("/spec/dcgmExporter/serviceMonitor/enabled") {
        turn.delete(SERVICE_MONITOR, NAMESPACE, EXPORTER);
        return;
    }
    let interval = policy.text("/spec/dcgmExporter/serviceMonitor/interval");
    let monitor = object(
        SERVICE_MONITOR,
        NAMESPACE,
        EXPORTER,
        json!({
            "metadata": {"labels": {"app": EXPORTER}},
            "spec": {
                "selector": {"matchLabels": {"app": EXPORTER}}, "namespaceSelector": {"matchNames": [NAMESPACE]},
                "endpoints": [{"port": "gpu-metrics", "path": "/metrics", "interval": if interval.is_empty() { "15s" } else { interval }}],
            },
        }),
    );
    turn.ensure(SERVICE_MONITOR, owned_by(monitor, policy));
}

/// How many GPUs a node has, and what they call themselves (reference/platform.md §2.5, §2.6).
fn hardware(node: &Value) -> (i64, String) {
    let devices = node.annotation(GPUS).and_then(|devices| devices.split_once('/'));
    if let Some((product, count)) = devices {
        return (count.parse().unwrap_or(1), product.to_owned());
    }
    let instance = node.label("node.kubernetes.io/instance-type").unwrap_or_default();
    let product = match instance.split_once('.').map_or(instance, |(family, _)| family) {
        "g6e" => "NVIDIA-L40S",
        "g5" => "NVIDIA-A10G",
        "p4d" => "NVIDIA-A100-SXM4-40GB",
        "p4de" => "NVIDIA-A100-SXM4-80GB",
        "p5e" | "p5en" => "NVIDIA-H200",
        _ => "NVIDIA-H100-80GB-HBM3",
    };
    let gpus = match instance {
        "g5.12xlarge" | "g6e.12xlarge" | "g6e.24xlarge" => 4,
        _ if instance.starts_with('p') && !instance.ends_with(".4xlarge") || instance.ends_with(".48xlarge") => 8,
        _ => 1,
    };
    (gpus, product.to_owned())
}
