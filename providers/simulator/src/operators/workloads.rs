//! `workloads`: stands for the controller manager, the scheduler, the kubelets and the cloud controller: Deployments,
//! StatefulSets, DaemonSets and Jobs get pods and a status, pods run, claims are bound, load balancers get addresses.
//!
//! Invariants:
//! - A pod runs only on a node that has room for its GPUs and whose taints it tolerates (reference/serving.md M9).
//! - A pod whose Secret is missing waits; a changed pod template replaces every pod.
//!
//! Left out: ReplicaSets (a Deployment owns its pods), probes, images, volumes, rolling over step by step, CPU and
//! memory, CronJobs.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::kinds::{
    CONFIG_MAP, DAEMON_SET, DEPLOYMENT, JOB, Kind, NODE, POD, PVC, SECRET, SERVICE, STATEFUL_SET, STORAGE_CLASS,
};
use super::object::{Read, count, object, owned_by, suffix};
use super::turn::{Turn, condition, map};

const GPU: &str = "nvidia.com/gpu";
/// From scheduling to Ready for an ordinary pod: image pull and start.
const START_SECONDS: u64 = 10;
/// For a model server: image, weights and warm-up, under the 300 s of its gate (reference/serving.md §0.4).
const MODEL_START_SECONDS: u64 = 180;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    let pods = turn.all(POD);
    for kind in [DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB] {
        for controller in turn.all(kind) {
            if !controller.is_deleting() {
                control(turn, kind, &controller, &pods);
            }
        }
    }
    run(turn, &pods);
    claims(turn);
    balancers(turn);
}

fn hash(controller: &Value) -> String {
    let text = controller["spec"]["template"].to_string();
    suffix(&format!("{:x?}", Sha256::digest(text.as_bytes())))
}

fn control(turn: &mut Turn<'_>, kind: Kind, controller: &Value, pods: &[Arc<Value>]) {
    let hash = hash(controller);
    let owned: Vec<&Arc<Value>> = pods.iter().filter(|pod| pod.is_owned_by(controller.uid())).collect();
    let wanted = places(turn, kind, controller, &hash);
    let mut ready = 0;
    for (name, node) in &wanted {
        match owned
            .iter()
            .find(|pod| slot(pod) == name && pod.label("pod-template-hash") == Some(&hash))
        {
            Some(pod) if pod.is_deleting() => {}
            Some(pod) => ready += i64::from(pod.is("Ready") || pod.text("/status/phase") == "Succeeded"),
            None => pod(turn, controller, name, &hash, node.as_deref()),
        }
    }
    for pod in &owned {
        let current = wanted.iter().any(|(name, _)| slot(pod) == name) && pod.label("pod-template-hash") == Some(&hash);
        if !current && !pod.is_deleting() {
            // A Deployment keeps the old pods until the new ones run, unless it says Recreate.
            let rolling = kind == DEPLOYMENT && controller.text("/spec/strategy/type") != "Recreate";
            if !rolling || ready >= i64::try_from(wanted.len()).unwrap_or(i64::MAX) {
                turn.delete(POD, pod.namespace(), pod.name());
            }
        }
    }
    let count = |pods: usize| i64::try_from(pods).unwrap_or(i64::MAX);
    let living = || owned.iter().filter(|pod| !pod.is_deleting());
    let updated = living()
        .filter(|pod| pod.label("pod-template-hash") == Some(&hash))
        .count();
    // Pods of the old template serve until those of the new one do.
    let serving = living().filter(|pod| pod.is("Ready")).count();
    let rollout = Rollout {
        wanted: count(wanted.len()),
        all: count(living().count()),
        updated: count(updated),
        ready,
        serving: count(serving),
    };
    tell(turn, kind, controller, &rollout);
}

/// Returns the place of a pod within its controller.
fn slot(pod: &Value) -> &str {
    pod.annotation("simulator.stackctl.dev/slot").unwrap_or_default()
}

/// Returns the pods a controller wants: their places, and the node for a DaemonSet's.
fn places(turn: &Turn<'_>, kind: Kind, controller: &Value, hash: &str) -> Vec<(String, Option<String>)> {
    let name = controller.name();
    if kind == DAEMON_SET {
        let spec = &controller["spec"]["template"]["spec"];
        let nodes = turn.world.list(NODE).filter(|node| {
            !node.is_deleting()
                && node.is("Ready")
                && node.has_labels(map(spec, "/nodeSelector"))
                && tolerates(spec, node)
        });
        return nodes
            .map(|node| (format!("{name}-{}", suffix(node.uid())), Some(node.name().to_owned())))
            .collect();
    }
    if kind == JOB {
        return vec![(format!("{name}-{}", suffix(controller.uid())), None)];
    }
    let n_replicas = controller.number("/spec/replicas").unwrap_or(1);
    let slots = (0..n_replicas).map(|index| match kind {
        STATEFUL_SET => format!("{name}-{index}"),
        _ => format!("{name}-{hash}-{index}"),
    });
    slots.map(|slot| (slot, None)).collect()
}

fn pod(turn: &mut Turn<'_>, controller: &Value, slot: &str, hash: &str, node: Option<&str>) {
    let mut spec = controller["spec"]["template"]["spec"].clone();
    if let Some(node) = node {
        spec["nodeName"] = json!(node);
    }
    let stable = controller["kind"] == STATEFUL_SET.kind;
    // Every pod of a Deployment has a name of its own: one that was deleted does not come back under its old name.
    let name = if stable {
        slot.to_owned()
    } else {
        format!("{slot}-{}", suffix(&format!("{slot} {}", turn.world.newest())))
    };
    let mut labels = controller["spec"]["template"]["metadata"]["labels"].clone();
    if !labels.is_object() {
        labels = json!({});
    }
    labels["pod-template-hash"] = json!(hash);
    let annotations = json!({"simulator.stackctl.dev/slot": slot});
    let metadata = json!({"labels": labels, "annotations": annotations});
    let pod = object(
        POD,
        controller.namespace(),
        &name,
        json!({"metadata": metadata, "spec": spec}),
    );
    turn.create(POD, owned_by(pod, controller));
}

/// How far the pods of a controller are.
struct Rollout {
    wanted: i64,
    all: i64,
    /// Pods of the current template.
    updated: i64,
    /// Pods of the current template that are done or Ready.
    ready: i64,
    /// Ready pods of any template.
    serving: i64,
}

fn tell(turn: &mut Turn<'_>, kind: Kind, controller: &Value, rollout: &Rollout) {
    let generation = controller["metadata"]["generation"].clone();
    let Rollout {
        wanted,
        all,
        updated,
        ready,
        serving,
    } = *rollout;
    let status = match kind {
        DEPLOYMENT => {
            let available = serving >= wanted;
            let complete = ready >= wanted && all == wanted;
            json!({
                "observedGeneration": generation, "replicas": all, "updatedReplicas": updated, "readyReplicas": serving,
                "availableReplicas": serving, "unavailableReplicas": (wanted - serving).max(0),
                "conditions": [
                    condition("Available", available,
                        if available { "MinimumReplicasAvailable" } else { "MinimumReplicasUnavailable" }, ""),
                    condition("Progressing", true,
                        if complete { "NewReplicaSetAvailable" } else { "ReplicaSetUpdated" }, ""),
                ],
            })
        }
        STATEFUL_SET => json!({
            "observedGeneration": generation, "replicas": all, "updatedReplicas": updated,
            "currentReplicas": updated, "readyReplicas": serving, "availableReplicas": serving,
        }),
        DAEMON_SET => json!({
            "observedGeneration": generation, "desiredNumberScheduled": wanted, "currentNumberScheduled": wanted,
            "updatedNumberScheduled": updated, "numberReady": ready, "numberAvailable": ready,
            "numberMisscheduled": 0, "numberUnavailable": wanted - ready,
        }),
        _ if ready > 0 => json!({"succeeded": ready, "conditions": [condition("Complete", true, "", "")]}),
        _ => json!({"active": wanted}),
    };
    turn.status(kind, controller, status);
}

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
fn run(turn: &mut Turn<'_>, pods: &[Arc<Value>]) {
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
        let phase = pod.text("/status/phase");
        if ["Running", "Succeeded", "Failed"].contains(&phase) && pod.is("Ready") || phase == "Succeeded" {
            continue;
        }
        if !node.is_empty() || pod.is("PodScheduled") {
            start(turn, pod);
            continue;
        }
        let room = nodes.iter().find(|node| {
            node.is("Ready")
                && tolerates(&pod["spec"], node)
                && node.has_labels(map(pod, "/spec/nodeSelector"))
                && count(node.pointer("/status/capacity/nvidia.com~1gpu")) - used.get(node.name()).copied().unwrap_or(0)
                    >= gpus(pod)
        });
        match room {
            Some(node) => {
                *used.entry(node.name().to_owned()).or_default() += gpus(pod);
                turn.patch(POD, pod, json!({"spec": {"nodeName": node.name()}}));
            }
            None => {
                let why = if gpus(pod) > 0 {
                    format!("0/{} nodes are available: Insufficient {GPU}.", nodes.len())
                } else {
                    format!("0/{} nodes are available: node(s) had untolerated taints.", nodes.len())
                };
                let condition = condition("PodScheduled", false, "Unschedulable", &why);
                turn.status(POD, pod, json!({"phase": "Pending", "conditions": [condition]}));
            }
        }
    }
}

fn gpus(pod: &Value) -> i64 {
    pod.list("/spec/containers")
        .iter()
        .map(|container| count(container.pointer("/resources/limits/nvidia.com~1gpu")))
        .sum()
}

fn tolerates(spec: &Value, node: &Value) -> bool {
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
    let containers = || pod.list("/spec/containers").iter();
    if let Some(missing) = missing(turn, pod) {
        let waiting: Vec<Value> = containers()
            .map(|container| {
                json!({"name": container["name"], "ready": false, "started": false, "restartCount": 0,
                    "image": container["image"], "imageID": "",
                    "state": {"waiting": {"reason": "CreateContainerConfigError", "message": missing}}})
            })
            .collect();
        turn.status(POD, pod, json!({
            "phase": "Pending", "containerStatuses": waiting,
            "conditions": [condition("PodScheduled", true, "", ""), condition("Ready", false, "ContainersNotReady", "")],
        }));
        return;
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
        turn.status(POD, pod, json!({"phase": "Succeeded"}));
        return;
    }
    let running: Vec<Value> = containers()
        .map(|container| {
            json!({"name": container["name"], "ready": true, "started": true, "restartCount": 0,
                "image": container["image"], "imageID": "", "state": {"running": {"startedAt": turn.stamp}}})
        })
        .collect();
    turn.status(
        POD,
        pod,
        json!({
            "phase": "Running", "startTime": turn.stamp, "podIP": "10.128.0.10", "containerStatuses": running,
            "conditions": [
                condition("PodScheduled", true, "", ""), condition("Initialized", true, "", ""),
                condition("ContainersReady", true, "", ""), condition("Ready", true, "", ""),
            ],
        }),
    );
}

/// Returns what a pod needs and does not find: a Secret or ConfigMap of its environment or volumes.
fn missing(turn: &Turn<'_>, pod: &Value) -> Option<String> {
    let namespace = pod.namespace();
    let mut needs: Vec<(Kind, &str, &str)> = Vec::new();
    for variable in pod
        .list("/spec/containers")
        .iter()
        .flat_map(|container| container.list("/env"))
    {
        for (kind, pointer) in [
            (SECRET, "/valueFrom/secretKeyRef"),
            (CONFIG_MAP, "/valueFrom/configMapKeyRef"),
        ] {
            if let Some(reference) = variable
                .pointer(pointer)
                .filter(|reference| !reference.is_true("/optional"))
            {
                needs.push((kind, reference.text("/name"), reference.text("/key")));
            }
        }
    }
    for volume in pod.list("/spec/volumes") {
        if !volume.is_true("/secret/optional") {
            needs.push((SECRET, volume.text("/secret/secretName"), ""));
        }
    }
    let lacking = needs
        .into_iter()
        .filter(|(_, name, _)| !name.is_empty())
        .find(|(kind, name, key)| {
            let found = turn.world.get(*kind, namespace, name);
            found.is_none_or(|found| !key.is_empty() && found.get("data").is_none_or(|data| data.get(key).is_none()))
        });
    lacking.map(|(kind, name, key)| match key {
        "" => format!("{} \"{name}\" not found", kind.kind.to_lowercase()),
        key => format!("{} \"{name}\" or its key \"{key}\" not found", kind.kind.to_lowercase()),
    })
}

/// Binds claims whose class binds at once, or that a scheduled pod uses.
fn claims(turn: &mut Turn<'_>) {
    for claim in turn.all(PVC) {
        if claim.is_deleting() || claim.text("/status/phase") == "Bound" {
            continue;
        }
        let class = turn
            .world
            .list(STORAGE_CLASS)
            .find(|class| match claim.text("/spec/storageClassName") {
                "" => class.annotation("storageclass.kubernetes.io/is-default-class") == Some("true"),
                name => class.name() == name,
            });
        let Some(waits) = class.map(|class| class.text("/volumeBindingMode") == "WaitForFirstConsumer") else {
            turn.status(PVC, &claim, json!({"phase": "Pending"}));
            continue;
        };
        let used = turn.world.list_in(POD, claim.namespace()).any(|pod| {
            let volumes = pod.list("/spec/volumes").iter();
            !pod.text("/spec/nodeName").is_empty()
                && volumes
                    .into_iter()
                    .any(|volume| volume.text("/persistentVolumeClaim/claimName") == claim.name())
        });
        if (!waits || used) && turn.held(format!("bind {}", claim.uid()), START_SECONDS) {
            turn.patch(
                PVC,
                &claim,
                json!({"spec": {"volumeName": format!("pvc-{}", claim.uid())}}),
            );
            turn.status(
                PVC,
                &claim,
                json!({
                    "phase": "Bound", "accessModes": claim["spec"]["accessModes"],
                    "capacity": claim["spec"]["resources"]["requests"],
                }),
            );
        } else {
            turn.status(PVC, &claim, json!({"phase": "Pending"}));
        }
    }
}

/// Gives load balancers an address.
fn balancers(turn: &mut Turn<'_>) {
    for service in turn.all(SERVICE) {
        if service.text("/spec/type") == "LoadBalancer"
            && !service.is_deleting()
            && service.list("/status/loadBalancer/ingress").is_empty()
            && turn.held(format!("balancer {}", service.uid()), 30)
        {
            let host = format!("{}.elb.amazonaws.com", suffix(service.uid()));
            turn.status(
                SERVICE,
                &service,
                json!({"loadBalancer": {"ingress": [{"hostname": host}]}}),
            );
        }
    }
}
