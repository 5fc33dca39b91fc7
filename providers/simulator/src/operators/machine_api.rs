//! `machine-api`: stands for the machine API operator and the cloud: MachineSet → Machine → Node.
//!
//! Source: reference/platform.md §2.5 (objects), §3 phase 2 (gates), §6 (scale to 0, then delete).
//!
//! Invariants: a Machine that goes takes its Node along before its finalizer is cleared; Machines that exist already
//! (the installer's) are counted, never touched.
//!
//! What the cloud refuses (a status code 4xx) ends in phase Failed, for good; what it cannot do now is asked again, and
//! only the provider's own condition says so (<https://github.com/openshift/machine-api-provider-aws>, `launchInstance`).
//!
//! Left out: other failures of the cloud, Machine health checks, autoscaling.

use std::sync::Arc;

use serde_json::{Value, json};

use super::kinds::{MACHINE, MACHINE_SET, NODE};
use super::object::{Read, merge, object, owned_by, suffix};
use super::turn::{Turn, condition, map};
use crate::faults::FaultName;

const FINALIZER: &str = "machine.machine.openshift.io";
const MACHINE_SET_LABEL: &str = "machine.openshift.io/cluster-api-machineset";
/// From Machine to instance: the cloud answers within about a minute.
const PROVISIONED_SECONDS: u64 = 60;
/// From instance to Ready node: 5 to 15 min in all (reference/platform.md §2.5), the low end.
const RUNNING_SECONDS: u64 = 240;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    let machines = turn.all(MACHINE);
    for set in turn.all(MACHINE_SET) {
        if !set.is_deleting() {
            scale(turn, &set, &machines);
        }
    }
    for machine in &machines {
        if machine.is_deleting() {
            end(turn, machine);
        } else if machine.has_finalizer(FINALIZER) {
            provision(turn, machine);
        }
    }
}

fn scale(turn: &mut Turn<'_>, set: &Value, machines: &[Arc<Value>]) {
    let owned: Vec<&Arc<Value>> = machines
        .iter()
        .filter(|machine| {
            machine.namespace() == set.namespace() && machine.label(MACHINE_SET_LABEL) == Some(set.name())
        })
        .collect();
    let wanted = usize::try_from(set.number("/spec/replicas").unwrap_or(1)).unwrap_or_default();
    let living: Vec<&&Arc<Value>> = owned.iter().filter(|machine| !machine.is_deleting()).collect();
    let mut index = 0;
    let mut missing = wanted.saturating_sub(living.len());
    while missing > 0 {
        let name = format!("{}-{}", set.name(), suffix(&format!("{} {index}", set.uid())));
        index += 1;
        if turn.world.get(MACHINE, set.namespace(), &name).is_some() {
            continue;
        }
        missing -= 1;
        let template = &set["spec"]["template"];
        let mut machine = object(
            MACHINE,
            set.namespace(),
            &name,
            json!({
                "metadata": {"labels": template["metadata"]["labels"], "finalizers": [FINALIZER]}, "spec": template["spec"],
            }),
        );
        machine["spec"]["lifecycleHooks"] = json!({});
        turn.create(MACHINE, owned_by(machine, set));
    }
    for machine in living.iter().skip(wanted) {
        turn.delete(MACHINE, machine.namespace(), machine.name());
    }
    let ready = living
        .iter()
        .filter(|machine| machine.text("/status/phase") == "Running")
        .count();
    turn.status(MACHINE_SET, set, json!({
        "observedGeneration": set["metadata"]["generation"], "replicas": owned.len(), "fullyLabeledReplicas": owned.len(),
        "readyReplicas": ready, "availableReplicas": ready,
    }));
}

fn node_name(machine: &Value) -> String {
    let digest = machine
        .uid()
        .bytes()
        .fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let region = machine.text("/spec/providerSpec/value/placement/region");
    format!(
        "ip-10-0-{}-{}.{region}.compute.internal",
        digest >> 8 & 0xff,
        digest & 0xff
    )
}

fn provision(turn: &mut Turn<'_>, machine: &Value) {
    let zone = machine.text("/spec/providerSpec/value/placement/availabilityZone");
    match machine.text("/status/phase") {
        "" => turn.status(MACHINE, machine, json!({"phase": "Provisioning"})),
        "Provisioning" if turn.faults.at(FaultName::MachineRefused, zone) => {
            let profile = machine.text("/spec/providerSpec/value/iamInstanceProfile/id");
            let why = format!(
                "error launching instance: Value ({profile}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
            );
            let status = json!({"phase": "Failed", "errorReason": "InvalidConfiguration", "errorMessage": why});
            turn.status(MACHINE, machine, status);
        }
        "Provisioning" if turn.faults.at(FaultName::NoCapacity, zone) => {
            let size = machine.text("/spec/providerSpec/value/instanceType");
            let why = format!(
                "error creating EC2 instance: InsufficientInstanceCapacity: We currently do not have sufficient {size} capacity in the Availability Zone you requested ({zone})."
            );
            let failed = condition("MachineCreation", false, "MachineCreationFailed", &why);
            let live = machine.list("/status/providerStatus/conditions");
            let conditions = turn.conditions(live, &[failed], "type");
            turn.status(MACHINE, machine, json!({"providerStatus": {"conditions": conditions}}));
        }
        "Provisioning" if turn.held(format!("provision {}", machine.uid()), PROVISIONED_SECONDS) => {
            turn.status(MACHINE, machine, json!({"phase": "Provisioned"}));
        }
        "Provisioned" if turn.held(format!("boot {}", machine.uid()), RUNNING_SECONDS) => boot(turn, machine),
        _ => {}
    }
}

/// vCPU, memory and of what family: public AWS figures (reference/platform.md §2.5).
fn size(instance: &str) -> (i64, &'static str) {
    match instance.split_once('.').map_or("", |(_, size)| size) {
        "xlarge" => (4, "16Gi"),
        "2xlarge" if instance.starts_with("g6e") => (8, "64Gi"),
        "2xlarge" => (8, "32Gi"),
        "4xlarge" => (16, "128Gi"),
        "8xlarge" => (32, "256Gi"),
        "12xlarge" => (48, "384Gi"),
        "48xlarge" => (192, "1536Gi"),
        _ => (4, "16Gi"),
    }
}

fn boot(turn: &mut Turn<'_>, machine: &Value) {
    let name = node_name(machine);
    let instance = machine.text("/spec/providerSpec/value/instanceType");
    let (cpu, memory) = size(instance);
    let capacity = json!({"cpu": cpu.to_string(), "memory": memory, "pods": "250"});
    match turn.world.get(NODE, "", &name).cloned() {
        None => {
            let placement = &machine["spec"]["providerSpec"]["value"]["placement"];
            let mut labels = json!({
                "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
                "node.kubernetes.io/instance-type": instance, "node-role.kubernetes.io/worker": "",
                "topology.kubernetes.io/region": placement["region"],
                "topology.kubernetes.io/zone": placement["availabilityZone"],
            });
            merge(&mut labels, json!(map(machine, "/spec/metadata/labels")));
            let annotations =
                json!({"machine.openshift.io/machine": format!("{}/{}", machine.namespace(), machine.name())});
            turn.create(NODE, object(NODE, "", &name, json!({
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": {
                    "providerID": format!("aws:///{}/i-{}", placement.text("/availabilityZone"), suffix(machine.uid())),
                    "taints": machine.list("/spec/taints"),
                },
            })));
        }
        Some(node) if !node.is("Ready") => {
            turn.status(
                NODE,
                &node,
                json!({
                    "capacity": capacity, "allocatable": capacity,
                    "conditions": [condition("Ready", true, "KubeletReady", "kubelet is posting ready status")],
                }),
            );
        }
        Some(node) => turn.status(
            MACHINE,
            machine,
            json!({
                "phase": "Running", "nodeRef": {"kind": NODE.kind, "name": name, "uid": node.uid()},
            }),
        ),
    }
}

fn end(turn: &mut Turn<'_>, machine: &Value) {
    turn.status(MACHINE, machine, json!({"phase": "Deleting"}));
    // It may have booted and not be told of yet.
    let node = node_name(machine);
    if turn.world.get(NODE, "", &node).is_some() {
        turn.delete(NODE, "", &node);
    } else if turn.held(format!("terminate {}", machine.uid()), PROVISIONED_SECONDS) {
        turn.release(MACHINE, machine, FINALIZER);
    }
}
