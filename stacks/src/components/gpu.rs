//! GPU pools: one MachineSet a zone, and the gate that their GPUs are there to be used.
//!
//! Facts: `reference/platform.md` §2.5.

use super::{
    Context,
    draft::{AT_ONCE, Draft, keyed, labelled, one_of, seconds},
    names::MACHINES,
    nvidia, platform_symptoms,
};
use crate::{
    cluster_facts::AwsFacts,
    stack::{GpuPool, MachineSets, Provision, Zone},
};
use serde_json::{Value, json};
use stackctl_engine::{
    Address, FieldPath, ObjectRef, ObjectType,
    readiness::{Matcher, Observation, Rule, Target},
    resource::{DestroyStep, Diagnosis},
};
use std::{collections::BTreeMap, time::Duration};

/// How long a machine may take from its MachineSet to a node with its driver: 5 to 15 minutes are usual
/// (`reference/platform.md` §2.5), and the driver is built in 10 more (§2.6).
const BOOT: Duration = seconds(1_200);

/// How long a machine usually takes from its MachineSet to a node: "10-15 typical" of 5 to 15 minutes
/// (`reference/platform.md` §2.5).
pub(super) const USUAL_BOOT: Duration = seconds(720);

const MACHINE: &str = "machine.openshift.io/v1beta1";
const MACHINE_SET_LABEL: &str = "machine.openshift.io/cluster-api-machineset";

/// The gate that a pool's GPUs are there.
fn capacity(pool: &GpuPool) -> Address {
    keyed(&[("gpu", pool.name.as_str()), ("capacity", "")])
}

/// The gates that all GPUs of the stack are there.
pub(super) fn capacities(context: &Context<'_>) -> Vec<Address> {
    let pools = context.stack.gpu.iter().filter(|pool| nodes_of(pool) > 0);
    pools.map(capacity).collect()
}

/// The MachineSets of all pools.
pub(super) fn machine_sets(context: &Context<'_>) -> Vec<Address> {
    let sets = context.stack.gpu.iter().filter_map(|pool| match &pool.provision {
        Provision::MachineSets(sets) => Some((pool, sets)),
        Provision::Existing { .. } => None,
    });
    sets.flat_map(|(pool, sets)| sets.zones.iter().map(move |zone| address(pool, zone)))
        .collect()
}

/// How long the slowest pool may take until its nodes are there.
pub(super) fn boot(context: &Context<'_>) -> Duration {
    let times = context.stack.gpu.iter().map(time_of);
    times.max().unwrap_or(BOOT)
}

fn time_of(pool: &GpuPool) -> Duration {
    pool.ready_timeout.map_or(BOOT, |timeout| timeout.as_duration())
}

/// Why machines of the stack do not become nodes.
pub(super) fn machine_diagnoses(context: &Context<'_>) -> Vec<Diagnosis> {
    let Some(aws) = &context.facts.aws else {
        return Vec::new();
    };
    let pools = context.stack.gpu.iter();
    pools.flat_map(|pool| diagnoses_of(aws, pool)).collect()
}

fn diagnoses_of(aws: &AwsFacts, pool: &GpuPool) -> Vec<Diagnosis> {
    let Provision::MachineSets(sets) = &pool.provision else {
        return Vec::new();
    };
    let of = |zone| platform_symptoms::machines((MACHINE_SET_LABEL, &name(aws, pool, zone)), pool.name.as_str());
    sets.zones.iter().flat_map(of).collect()
}

/// Whether some pool is of nodes that are there already.
pub(super) fn has_existing_nodes(context: &Context<'_>) -> bool {
    let pools = &context.stack.gpu;
    pools
        .iter()
        .any(|pool| matches!(pool.provision, Provision::Existing { .. }))
}

/// So many nodes, in words.
pub(super) fn counted(n_nodes: usize) -> String {
    let noun = if n_nodes == 1 { "node" } else { "nodes" };
    format!("{n_nodes} {noun}")
}

/// How many GPU nodes there will be at least.
pub(super) fn expected_nodes(context: &Context<'_>) -> usize {
    context.stack.gpu.iter().map(nodes_of).sum()
}

fn nodes_of(pool: &GpuPool) -> usize {
    match &pool.provision {
        Provision::MachineSets(sets) => usize::try_from(sets.nodes()).unwrap_or(usize::MAX),
        // How many there are is not said: one proves that the pool is there.
        Provision::Existing { .. } => 1,
    }
}

fn address(pool: &GpuPool, zone: &Zone) -> Address {
    keyed(&[("gpu", pool.name.as_str()), ("machineset", zone.as_str())])
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    context
        .stack
        .gpu
        .iter()
        .flat_map(|pool| pool_nodes(context, pool))
        .collect()
}

fn pool_nodes(context: &Context<'_>, pool: &GpuPool) -> Vec<Draft> {
    let mut nodes = Vec::new();
    let mut observations = Vec::new();
    let mut labels = BTreeMap::new();
    let mut gpus_per_node = 1;
    if let (Provision::MachineSets(sets), Some(aws)) = (&pool.provision, &context.facts.aws) {
        for zone in &sets.zones {
            nodes.push(machine_set(aws, pool, sets, zone));
            observations.extend((sets.nodes_per_zone > 0).then(|| machines(aws, pool, sets, zone)));
        }
        labels.insert(node_role(pool), String::new());
        gpus_per_node = i64::from(sets.size.gpus);
    } else {
        // Set on every node with a working NVIDIA GPU (reference/platform.md §2.6).
        labels.insert("nvidia.com/gpu.present".to_owned(), "true".to_owned());
    }
    let n_nodes = nodes_of(pool);
    if n_nodes == 0 {
        return nodes;
    }
    // The capacity of the node is the proof; what the GPU operator says of itself is not (reference/platform.md §4 G13).
    observations.push(Observation::new(
        Target::Some {
            of: ObjectType::new("v1", "Node"),
            namespace: None,
            labels,
            at_least: n_nodes,
        },
        Rule::Field {
            path: FieldPath::of(r#"status.capacity["nvidia.com/gpu"]"#),
            is: Matcher::AtLeast(gpus_per_node),
        },
    ));
    let machines = context.facts.aws.iter().flat_map(|aws| diagnoses_of(aws, pool));
    let mut gate = Draft::gate(capacity(pool), observations)
        .diagnosed_by(machines)
        .diagnosed(platform_symptoms::capacity(nvidia::NAMESPACE))
        .after(nvidia::ready(), "the device plugin tells the node of its GPUs")
        .within(time_of(pool))
        // The nodes are there, and the GPU operator's own validation has passed: the capacity is part of it (§2.6).
        .usually(AT_ONCE)
        .note(format!(
            "waits for {gpus_per_node} × nvidia.com/gpu on {}",
            counted(n_nodes)
        ));
    if let Provision::MachineSets(sets) = &pool.provision {
        for zone in &sets.zones {
            gate = gate.after_write(address(pool, zone), "its machines become the nodes");
        }
    }
    nodes.push(gate);
    nodes
}

/// The pool is part of the name and of the role, so that two pools in one zone are two MachineSets
/// (`reference/platform.md` §4 G15).
fn name(aws: &AwsFacts, pool: &GpuPool, zone: &Zone) -> String {
    format!("{}-{}-gpu-worker-{}{zone}", aws.infrastructure, pool.name, aws.region)
}

fn node_role(pool: &GpuPool) -> String {
    format!("node-role.kubernetes.io/{}-gpu-worker", pool.name)
}

/// The machines of one MachineSet; a machine that failed says why, and stays failed (`reference/platform.md` §4 G16).
fn machines(aws: &AwsFacts, pool: &GpuPool, sets: &MachineSets, zone: &Zone) -> Observation {
    let target = Target::Every {
        of: ObjectType::new(MACHINE, "Machine"),
        namespace: Some(MACHINES.to_owned()),
        labels: BTreeMap::from([(MACHINE_SET_LABEL.to_owned(), name(aws, pool, zone))]),
        at_least: usize::from(sets.nodes_per_zone),
    };
    Observation::new(target, one_of("status.phase", &["Provisioned", "Running"]))
        .failing_when(Rule::equals("status.phase", "Failed"))
}

fn machine_set(aws: &AwsFacts, pool: &GpuPool, sets: &MachineSets, zone: &Zone) -> Draft {
    let AwsFacts {
        infrastructure, region, ..
    } = aws;
    let name = name(aws, pool, zone);
    let cluster_label = json!({"machine.openshift.io/cluster-api-cluster": infrastructure});
    let mut own_labels = json!({(MACHINE_SET_LABEL): name});
    own_labels["machine.openshift.io/cluster-api-cluster"] = json!(infrastructure);
    let mut machine_labels = own_labels.clone();
    machine_labels["machine.openshift.io/cluster-api-machine-role"] = json!("worker");
    machine_labels["machine.openshift.io/cluster-api-machine-type"] = json!("worker");
    let mut node_labels = json!({"node-role.kubernetes.io/worker": "", (node_role(pool)): ""});
    if let Some(config) = &sets.device_plugin_config {
        node_labels["nvidia.com/device-plugin.config"] = json!(config);
    }
    let target = ObjectRef::namespaced(MACHINE, "MachineSet", MACHINES, &name);
    let its_machines = labelled(
        ObjectType::new(MACHINE, "Machine"),
        Some(MACHINES),
        (MACHINE_SET_LABEL, &name),
    );
    Draft::object(
        address(pool, zone),
        json!({
            "apiVersion": MACHINE,
            "kind": "MachineSet",
            "metadata": {"name": name, "namespace": MACHINES, "labels": cluster_label},
            "spec": {
                "replicas": sets.nodes_per_zone,
                "selector": {"matchLabels": own_labels},
                "template": {
                    "metadata": {"labels": machine_labels},
                    "spec": {
                        "metadata": {"labels": node_labels},
                        "taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}],
                        "providerSpec": {"value": provider(aws, sets, zone)},
                    },
                },
            },
        }),
    )
    .note(format!(
        "{} × {} in {region}{zone}",
        sets.nodes_per_zone, sets.size.name
    ))
    // reference/platform.md §6 item 7: no machine is left without the set that would delete it.
    .on_destroy(DestroyStep::Patch {
        target,
        patch: json!({"spec": {"replicas": 0}}),
    })
    .on_destroy(DestroyStep::AwaitGone {
        target: its_machines,
        timeout: seconds(900),
    })
}

/// Names of what the installer made: the profile, groups and subnets carry the infrastructure name.
fn provider(aws: &AwsFacts, sets: &MachineSets, zone: &Zone) -> Value {
    let AwsFacts {
        infrastructure,
        region,
        ami,
    } = aws;
    let by_name = |name: String| json!({"filters": [{"name": "tag:Name", "values": [name]}]});
    let volume = sets.root_volume;
    json!({
        "apiVersion": "awsproviderconfig.openshift.io/v1beta1",
        "kind": "AWSMachineProviderConfig",
        "ami": {"id": ami},
        "instanceType": sets.size.name,
        "deviceIndex": 0,
        "blockDevices": [{"ebs": {
            "iops": volume.iops,
            "volumeSize": volume.size_gib,
            "volumeType": volume.volume_type.as_str(),
        }}],
        "credentialsSecret": {"name": "aws-cloud-credentials"},
        "userDataSecret": {"name": "worker-user-data"},
        "iamInstanceProfile": {"id": format!("{infrastructure}-worker-profile")},
        "placement": {"availabilityZone": format!("{region}{zone}"), "region": region},
        "securityGroups": [by_name(format!("{infrastructure}-node")), by_name(format!("{infrastructure}-lb"))],
        "subnet": by_name(format!("{infrastructure}-subnet-private-{region}{zone}")),
        "tags": [{"name": format!("kubernetes.io/cluster/{infrastructure}"), "value": "owned"}],
    })
}
