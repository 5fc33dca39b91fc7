//! The scheduler and the kubelets: pods get a node and run.
//!
//! Invariants:
//! - A pod runs only on a node that has room for its GPUs and whose taints it tolerates (reference/serving.md M9).
//! - A pod that lacks something waits, with the reason that Kubernetes gives: no claim (`Unschedulable`), nothing to mount
//!   (`ContainerCreating`), nothing to set its environment from (`CreateContainerConfigError`). It starts when that is there.
//!
//! Left out: probes, images, init containers that do something, CPU and memory, containers that start one by one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::claims;
use super::events::Told;
use super::needs::{self, Missing};
use super::{events, replica_sets, trouble};
use crate::faults::FaultName;
use crate::operators::is_run_by;
use crate::operators::kinds::{JOB, NODE, POD};
use crate::operators::object::{Read, count};
use crate::operators::turn::{Turn, condition, map};

const GPU: &str = "nvidia.com/gpu";
/// From scheduling to Ready for an ordinary pod: image pull and start.
const START_SECONDS: u64 = 10;
/// For a model server: image, weights and warm-up, under the 300 s of its gate (reference/serving.md §0.4).
const MODEL_START_SECONDS: u64 = 180;

/// A real server puts this taint on every new node (admission plugin `TaintNodesByCondition`).
const NOT_READY: &str = "node.kubernetes.io/not-ready";

/// Takes the taint of a node that was not ready away once it is, as the node lifecycle controller does.
fn admit_ready_nodes(turn: &mut Turn<'_>) {
    for node in turn.all(NODE) {
        let taints = node.list("/spec/taints");
        let others: Vec<_> = taints.iter().filter(|taint| taint.text("/key") != NOT_READY).collect();
        if node.is("Ready") && others.len() < taints.len() {
            let left = if others.is_empty() { Value::Null } else { json!(others) };
            turn.patch(NODE, &node, json!({"spec": {"taints": left}}));
        }
    }
}

/// Schedules pods and lets them start.
pub(super) fn reconcile(turn: &mut Turn<'_>, pods: &[Arc<Value>]) {
    admit_ready_nodes(turn);
    let mut used: BTreeMap<String, i64> = BTreeMap::new();
    for pod in pods {
        *used.entry(pod.text("/spec/nodeName").to_owned()).or_default() += gpus(pod);
    }
    let nodes = turn.all(NODE);
    for pod in pods {
        let node = pod.text("/spec/nodeName");
        if pod.is_deleting() {
            turn.end_pod(pod);
            continue;
        }
        if !node.is_empty() && turn.world.get(NODE, "", node).is_none() {
            turn.delete(POD, pod.namespace(), pod.name());
            continue;
        }
        if !node.is_empty()
            && let Some(trouble) = trouble::of(turn, pod)
        {
            trouble.tell(turn, pod);
            continue;
        }
        let phase = pod.text("/status/phase");
        if ["Running", "Succeeded", "Failed"].contains(&phase) && pod.is("Ready") || phase == "Succeeded" {
            continue;
        }
        if turn
            .world
            .get(NODE, "", node)
            .is_some_and(|node| node.condition("Ready") == "Unknown")
        {
            // No kubelet is left to start anything.
            continue;
        }
        if !node.is_empty() || pod.is("PodScheduled") {
            start(turn, pod);
            continue;
        }
        let verdict = match claims::unschedulable(turn, pod) {
            Some(why) => Err(why),
            None if gpus(pod) > 0 && turn.faults.on(FaultName::GpusTaken) => Err(format!("Insufficient {GPU}")),
            None => room(&nodes, &used, pod),
        };
        match verdict {
            Ok(node) => {
                *used.entry(node.name().to_owned()).or_default() += gpus(pod);
                turn.patch(POD, pod, json!({"spec": {"nodeName": node.name()}}));
                events::tell(turn, pod, [events::scheduled(pod, node.name())]);
            }
            Err(why) => {
                let why = format!("0/{} nodes are available: {why}.", nodes.len());
                let condition = condition("PodScheduled", false, "Unschedulable", &why);
                let status = json!({"phase": "Pending", "conditions": [condition]});
                events::with_status(turn, pod, status, [events::unscheduled(&why)]);
            }
        }
    }
}

/// Returns a node that has room for a pod, or why there is none.
fn room<'a>(nodes: &'a [Arc<Value>], used: &BTreeMap<String, i64>, pod: &Value) -> Result<&'a Arc<Value>, String> {
    let mut fitting = nodes.iter().filter(|node| {
        node.is("Ready") && tolerates(&pod["spec"], node) && node.has_labels(map(pod, "/spec/nodeSelector"))
    });
    let found = fitting.find(|node| {
        let capacity = count(node.pointer("/status/capacity/nvidia.com~1gpu"));
        capacity - used.get(node.name()).copied().unwrap_or(0) >= gpus(pod)
    });
    found.ok_or_else(|| match gpus(pod) {
        0 => "node(s) had untolerated taints".to_owned(),
        _ => format!("Insufficient {GPU}"),
    })
}

fn gpus(pod: &Value) -> i64 {
    pod.list("/spec/containers")
        .iter()
        .map(|container| count(container.pointer("/resources/limits/nvidia.com~1gpu")))
        .sum()
}

pub(super) fn tolerates(spec: &Value, node: &Value) -> bool {
    node.list("/spec/taints")
        .iter()
        .filter(|taint| taint.text("/effect") != "PreferNoSchedule")
        .all(|taint| {
            spec.list("/tolerations").iter().any(|toleration| {
                let key = toleration.text("/key");
                let effect = toleration.text("/effect");
                (key.is_empty() && toleration.text("/operator") == "Exists" || key == taint.text("/key"))
                    && (effect.is_empty() || effect == taint.text("/effect"))
            })
        })
}

fn start(turn: &mut Turn<'_>, pod: &Value) {
    match needs::missing(turn, pod) {
        Some(Missing::Claim) => return wait(turn, pod, ("ContainerCreating", ""), None),
        Some(Missing::Volume { name, why }) => {
            let told = events::unmounted(&name, &why);
            return wait(turn, pod, ("ContainerCreating", ""), Some(told));
        }
        Some(Missing::Environment(why)) => {
            return wait(
                turn,
                pod,
                ("CreateContainerConfigError", &why),
                Some(events::unmade(&why)),
            );
        }
        None => {}
    }
    if is_stuck(turn, pod) {
        return crash(turn, pod);
    }
    let model = pod.label("kserve.io/component") == Some("workload");
    let seconds = if model { MODEL_START_SECONDS } else { START_SECONDS };
    if !turn.held(format!("start {}", pod.uid()), seconds) {
        let scheduled = condition("PodScheduled", true, "", "");
        turn.status(POD, pod, json!({"phase": "Pending", "conditions": [scheduled]}));
        return;
    }
    let job = pod
        .list("/metadata/ownerReferences")
        .iter()
        .any(|owner| owner.text("/kind") == JOB.kind);
    if job {
        events::with_status(turn, pod, json!({"phase": "Succeeded"}), events::started(pod));
        return;
    }
    let state = json!({"running": {"startedAt": turn.stamp}});
    events::with_status(
        turn,
        pod,
        json!({
            "phase": "Running", "startTime": turn.stamp, "podIP": address(pod),
            "initContainerStatuses": null, "containerStatuses": containers(pod, true, &state),
            "conditions": [
                condition("PodScheduled", true, "", ""), condition("Initialized", true, "", ""),
                condition("ContainersReady", true, "", ""), condition("Ready", true, "", ""),
            ],
        }),
        events::started(pod),
    );
}

/// Returns whether a pod runs an operator that is to start and never to get ready.
fn is_stuck(turn: &Turn<'_>, pod: &Value) -> bool {
    let mut stuck = turn.faults.targets(FaultName::Stuck).peekable();
    if stuck.peek().is_none() {
        return false;
    }
    let Some(deployment) = replica_sets::deployment_of(turn, pod) else {
        return false;
    };
    let installed_by = deployment.label("olm.owner").unwrap_or_default();
    stuck.any(|operator| is_run_by(operator, pod.namespace(), deployment.name(), installed_by))
}

/// Says that the containers of a pod start, end and are held back.
fn crash(turn: &mut Turn<'_>, pod: &Value) {
    let message = format!("back-off 5m0s restarting failed container in pod {}", pod.name());
    let state = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
    let all = pod.list("/spec/containers").iter();
    let told: Vec<_> = all
        .map(|container| events::held_back(pod, container.text("/name"), false))
        .collect();
    events::with_status(
        turn,
        pod,
        json!({
            "phase": "Running", "containerStatuses": containers(pod, false, &state),
            "conditions": [
                condition("PodScheduled", true, "", ""), condition("ContainersReady", false, "ContainersNotReady", ""),
                condition("Ready", false, "ContainersNotReady", ""),
            ],
        }),
        told,
    );
}

/// Says that no container of a pod can start yet, in its status and by an event.
fn wait(turn: &mut Turn<'_>, pod: &Value, (reason, why): (&str, &str), told: Option<Told>) {
    let mut waiting = json!({"reason": reason});
    if !why.is_empty() {
        waiting["message"] = json!(why);
    }
    let state = json!({"waiting": waiting});
    events::with_status(
        turn,
        pod,
        json!({
            "phase": "Pending", "containerStatuses": containers(pod, false, &state),
            "conditions": [condition("PodScheduled", true, "", ""), condition("Ready", false, "ContainersNotReady", "")],
        }),
        told,
    );
}

/// Returns the status of every container, all in one state.
pub(super) fn containers(pod: &Value, ready: bool, state: &Value) -> Vec<Value> {
    let containers = pod.list("/spec/containers").iter();
    containers
        .map(|container| {
            json!({"name": container["name"], "ready": ready, "started": ready, "restartCount": 0,
                "image": container["image"], "imageID": "", "state": state})
        })
        .collect()
}

/// Returns the address of a pod in the network of pods (reference/platform.md §1: 10.128.0.0/14).
fn address(pod: &Value) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(pod.uid().as_bytes());
    let (block, third, last) = (128 + digest[0] % 4, digest[1], 1 + digest[2] % 254);
    format!("10.{block}.{third}.{last}")
}
