//! Node Feature Discovery: labels nodes by their hardware, which is how the GPU operator finds its nodes.
//!
//! Facts: `reference/platform.md` §2.6.

use super::{
    Context,
    draft::{Draft, Kind, at, seconds},
    gpu,
    olm::{Approval, Catalog, Home, Operator, Scope},
    platform_symptoms,
};
use serde_json::json;
use stackctl_engine::{
    Address, ObjectRef, ObjectType,
    readiness::{Observation, Rule, Target},
};
use std::{collections::BTreeMap, time::Duration};

const NAMESPACE: &str = "openshift-nfd";
const KINDS: &[Kind] = &[Kind {
    group: "nfd.openshift.io",
    kind: "NodeFeatureDiscovery",
    plural: "nodefeaturediscoveries",
    namespaced: true,
}];

/// 10de is the PCI vendor id of NVIDIA; the name depends on `deviceLabelFields: [vendor]`.
const NVIDIA_LABEL: &str = "feature.node.kubernetes.io/pci-10de.present";

/// The node that tells it what to look for.
pub(super) fn instance() -> Address {
    at("nfd.instance")
}

/// The gate that GPU nodes are labelled.
pub(super) fn labels() -> Address {
    at("nfd.labels")
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let Some(version) = &context.facts.nfd else {
        return Vec::new();
    };
    let operator = Operator {
        component: "nfd",
        title: "Node Feature Discovery",
        namespace: NAMESPACE,
        home: Some(Home {
            display_name: Some("Node Feature Discovery"),
            group: "openshift-nfd",
            scope: Scope::Own,
            is_monitored: true,
        }),
        subscription: "nfd",
        package: "nfd",
        source: Catalog::RedHat,
        channel: version.channel.clone(),
        approval: Approval::Automatic(Some(version.csv.clone())),
        config: None,
        kinds: KINDS,
    };
    let mut nodes = operator.nodes(context, |subscription| subscription);
    let mut discovery = Draft::object(
        instance(),
        json!({
            "apiVersion": "nfd.openshift.io/v1",
            "kind": "NodeFeatureDiscovery",
            "metadata": {"name": "nfd-instance", "namespace": NAMESPACE},
            "spec": {
                "operand": {
                    "image": "registry.redhat.io/openshift4/ose-node-feature-discovery-rhel9",
                    "imagePullPolicy": "Always",
                },
                "workerConfig": {"configData": WORKER},
            },
        }),
    );
    if gpu::has_existing_nodes(context) {
        discovery = discovery.leaves(
            ObjectRef::cluster("v1", "Node", "*"),
            "nodes that were there keep the labels that tell of their GPUs",
        );
    }
    nodes.push(discovery);
    let expected = gpu::expected_nodes(context);
    if expected > 0 {
        let labelled = Observation::new(
            Target::Some {
                of: ObjectType::new("v1", "Node"),
                namespace: None,
                labels: BTreeMap::from([(NVIDIA_LABEL.to_owned(), "true".to_owned())]),
                at_least: expected,
            },
            Rule::Exists,
        );
        let mut gate = Draft::gate(labels(), vec![labelled])
            .after_write(instance(), "it labels nodes by what it is told to look for")
            .within(gpu::boot(context))
            .usually(usual_wait(context))
            .diagnosed_by(gpu::machine_diagnoses(context))
            .diagnosed_by(platform_symptoms::labels(NAMESPACE))
            .note(format!("waits for {} with an NVIDIA device", gpu::counted(expected)));
        for machine_set in gpu::machine_sets(context) {
            gate = gate.after_write(machine_set, "its nodes are the ones that get the label");
        }
        nodes.push(gate);
    }
    nodes
}

/// A new node has to boot first, which began with its MachineSet, a little earlier than this is waited for; on one that is there a worker looks every `sleepInterval` (`reference/platform.md` §2.6).
fn usual_wait(context: &Context<'_>) -> Duration {
    if gpu::machine_sets(context).is_empty() {
        seconds(60)
    } else {
        gpu::USUAL_BOOT
    }
}

const WORKER: &str = r#"core:
  sleepInterval: 60s
sources:
  pci:
    deviceClassWhitelist:
      - "0200"
      - "03"
      - "12"
    deviceLabelFields:
      - vendor
"#;
