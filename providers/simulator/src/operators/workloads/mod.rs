//! `workloads`: stands for the controller manager, the scheduler, the kubelets and the cloud controller: Deployments,
//! StatefulSets, DaemonSets and Jobs get pods and a status (here), pods run ([`pods`]), claims are bound ([`claims`]),
//! load balancers get addresses and Services their endpoints ([`services`]).
//!
//! Invariant: a changed pod template replaces every pod.
//!
//! Left out: ReplicaSets that are nobody's, rolling over step by step, CronJobs.

mod claims;
mod dead_nodes;
mod events;
mod needs;
mod pods;
mod replica_sets;
mod services;
mod trouble;

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::kinds::{DAEMON_SET, DEPLOYMENT, JOB, Kind, NODE, POD, STATEFUL_SET};
use super::object::{Read, object, owned_by, suffix};
use super::turn::{Turn, condition, map};

pub(super) use services::has_cloud;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    let pods = turn.all(POD);
    for kind in [DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB] {
        for controller in turn.all(kind) {
            if !controller.is_deleting() {
                control(turn, kind, &controller, &pods);
            }
        }
    }
    dead_nodes::reconcile(turn, &pods);
    pods::reconcile(turn, &pods);
    claims::reconcile(turn);
    services::reconcile(turn);
}

fn hash(controller: &Value) -> String {
    let text = controller["spec"]["template"].to_string();
    let digest = format!("{:x?}", Sha256::digest(text.as_bytes()));
    suffix(&digest) + &suffix(&digest[1..])
}

fn control(turn: &mut Turn<'_>, kind: Kind, controller: &Value, pods: &[Arc<Value>]) {
    let mut hash = hash(controller);
    let sets = if kind == DEPLOYMENT {
        replica_sets::of(turn, controller)
    } else {
        Vec::new()
    };
    let mut current = None;
    if kind == DEPLOYMENT {
        current = replica_sets::current(turn, controller, &hash);
        // A paused Deployment stays with the template that it had.
        if let Some(older) = current.as_ref().and_then(|set| set.label("pod-template-hash")) {
            older.clone_into(&mut hash);
        }
    }
    let owners = sets.iter().map(|set| set.uid()).chain([controller.uid()]);
    let owners: Vec<&str> = owners.collect();
    let owned: Vec<&Arc<Value>> = pods
        .iter()
        .filter(|pod| owners.iter().any(|owner| pod.is_owned_by(owner)))
        .collect();
    for set in &sets {
        replica_sets::tell(turn, set, current.as_deref(), &owned);
    }
    let wanted = places(turn, kind, controller, &hash);
    let mut ready = 0;
    for (name, node) in &wanted {
        match owned
            .iter()
            .find(|pod| slot(pod) == name && pod.label("pod-template-hash") == Some(&hash))
        {
            Some(pod) if pod.is_deleting() => {}
            Some(pod) => ready += i64::from(pod.is("Ready") || pod.text("/status/phase") == "Succeeded"),
            None => match (&current, kind == DEPLOYMENT) {
                (Some(set), true) => pod(turn, controller, set, name, &hash, node.as_deref()),
                // Its ReplicaSet comes first.
                (None, true) => {}
                (_, false) => pod(turn, controller, controller, name, &hash, node.as_deref()),
            },
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
    tell(turn, kind, controller, &hash, &rollout);
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
                && pods::tolerates(spec, node)
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

fn pod(turn: &mut Turn<'_>, controller: &Value, owner: &Value, slot: &str, hash: &str, node: Option<&str>) {
    let mut spec = controller["spec"]["template"]["spec"].clone();
    if let Some(node) = node {
        spec["nodeName"] = json!(node);
    }
    let stable = controller["kind"] == STATEFUL_SET.kind;
    // Every pod of a Deployment has a name of its own: one that was deleted does not come back under its old name.
    let drawn = suffix(&format!("{slot} {}", turn.world.newest()));
    let name = if stable {
        slot.to_owned()
    } else if controller["kind"] == DEPLOYMENT.kind {
        format!("{}-{hash}-{drawn}", controller.name())
    } else {
        format!("{slot}-{drawn}")
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
    turn.create(POD, owned_by(pod, owner));
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

fn tell(turn: &mut Turn<'_>, kind: Kind, controller: &Value, hash: &str, rollout: &Rollout) {
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
            let some = |number: i64| if number == 0 { Value::Null } else { json!(number) };
            let set = format!("ReplicaSet \"{}-{hash}\"", controller.name());
            json!({
                "observedGeneration": generation, "replicas": some(all), "updatedReplicas": some(updated),
                "readyReplicas": some(serving), "availableReplicas": some(serving),
                "unavailableReplicas": some((wanted - serving).max(0)),
                "conditions": [
                    if available {
                        condition("Available", true, "MinimumReplicasAvailable", "Deployment has minimum availability.")
                    } else {
                        condition("Available", false, "MinimumReplicasUnavailable",
                            "Deployment does not have minimum availability.")
                    },
                    if complete {
                        condition("Progressing", true, "NewReplicaSetAvailable",
                            &format!("{set} has successfully progressed."))
                    } else {
                        condition("Progressing", true, "ReplicaSetUpdated", &format!("{set} is progressing."))
                    },
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
