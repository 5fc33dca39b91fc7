//! A node that dies: what the node lifecycle controller and the machine API make of it.
//!
//! Invariants:
//! - One node dies for each fault, ten minutes after it was Ready: its MachineSet, or itself, remembers it.
//! - Without a health check nobody replaces a machine: it stays `Failed` until somebody deletes it.
//!
//! Source: <https://kubernetes.io/docs/concepts/architecture/nodes/#node-status>,
//! <https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions>;
//! <https://github.com/openshift/machine-api-operator/blob/main/pkg/controller/machine/controller.go>.
//!
//! Left out: pods that stay Terminating because no kubelet says that they ended; machine health checks.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::faults::FaultName;
use crate::operators::kinds::{MACHINE, MACHINE_SET, NODE, POD};
use crate::operators::object::Read;
use crate::operators::turn::{Turn, condition};

/// When a node dies, after it was Ready.
const LIVES_SECONDS: u64 = 600;
/// How long pods tolerate that their node cannot be reached, unless they say otherwise (admission plugin
/// `DefaultTolerationSeconds`).
const TOLERATED_SECONDS: u64 = 300;
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
/// Left where a node died.
const DIED: &str = "simulator.stackctl.dev/died";
const MACHINE_SET_LABEL: &str = "machine.openshift.io/cluster-api-machineset";

pub(super) fn reconcile(turn: &mut Turn<'_>, pods: &[Arc<Value>]) {
    for target in turn.faults.targets(FaultName::NodeDies).collect::<Vec<_>>() {
        if let Some(node) = victim(turn, target) {
            let lived = turn.held(format!("lives {}", node.uid()), LIVES_SECONDS);
            if lived {
                die(turn, &node);
            }
        }
    }
    for node in turn.all(NODE) {
        if node.condition("Ready") == "Unknown" && !node.is_deleting() {
            mourn(turn, &node, pods);
        }
    }
}

/// The Ready node that is to die: the one of that name, or the first of a MachineSet none of whose nodes has died.
fn victim(turn: &Turn<'_>, target: &str) -> Option<Arc<Value>> {
    let mut nodes = turn
        .world
        .list(NODE)
        .filter(|node| node.is("Ready") && !node.is_deleting());
    let found = nodes.find(|node| {
        let set = machine_of(turn, node).and_then(|machine| set_of(turn, &machine));
        match set {
            Some(set) if set.annotation(DIED).is_some() => false,
            Some(set) => set.name() == target || node.name() == target,
            None => node.name() == target && node.annotation(DIED).is_none(),
        }
    });
    found.cloned()
}

fn machine_of(turn: &Turn<'_>, node: &Value) -> Option<Arc<Value>> {
    let (namespace, name) = node.annotation("machine.openshift.io/machine")?.split_once('/')?;
    turn.world.get(MACHINE, namespace, name).cloned()
}

fn set_of(turn: &Turn<'_>, machine: &Value) -> Option<Arc<Value>> {
    let name = machine.label(MACHINE_SET_LABEL)?;
    turn.world.get(MACHINE_SET, machine.namespace(), name).cloned()
}

fn die(turn: &mut Turn<'_>, node: &Value) {
    let machine = machine_of(turn, node);
    let mark = json!({"metadata": {"annotations": {DIED: node.name()}}});
    match machine.as_ref().and_then(|machine| set_of(turn, machine)) {
        Some(set) => turn.patch(MACHINE_SET, &set, mark),
        None => turn.patch(NODE, node, mark),
    }
    let mut silent = condition(
        "Ready",
        false,
        "NodeStatusUnknown",
        "Kubelet stopped posting node status.",
    );
    silent["status"] = json!("Unknown");
    turn.status(NODE, node, json!({"conditions": [silent]}));
    if let Some(machine) = machine {
        let failed = json!({"phase": "Failed", "errorMessage": "Can't find created instance."});
        turn.status(MACHINE, &machine, failed);
    }
}

/// Taints a node that cannot be reached, and takes its pods away in the end.
fn mourn(turn: &mut Turn<'_>, node: &Value, pods: &[Arc<Value>]) {
    let taints = node.list("/spec/taints");
    if taints.iter().all(|taint| taint.text("/key") != UNREACHABLE) {
        let mut taints = taints.to_vec();
        for effect in ["NoSchedule", "NoExecute"] {
            taints.push(json!({"key": UNREACHABLE, "effect": effect}));
        }
        turn.patch(NODE, node, json!({"spec": {"taints": taints}}));
    }
    let is_over = turn.held(format!("tolerated {}", node.uid()), TOLERATED_SECONDS);
    for pod in pods.iter().filter(|pod| pod.text("/spec/nodeName") == node.name()) {
        if is_over {
            turn.delete(POD, pod.namespace(), pod.name());
        } else if pod.is("Ready") {
            let lost = condition("Ready", false, "", "");
            turn.status(POD, pod, json!({"conditions": [lost]}));
        }
    }
}
