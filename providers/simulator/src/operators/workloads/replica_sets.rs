//! The ReplicaSets of a Deployment: one for each of its templates, which is what `kubectl rollout` goes through.
//!
//! Invariants:
//! - The ReplicaSet of the current template has the highest revision; a template that comes back is no new ReplicaSet.
//! - A paused Deployment gets no ReplicaSet.
//!
//! Source: <https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/controller/deployment/util/deployment_util.go>.
//! Left out: `revisionHistoryLimit`, adoption of what was orphaned.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::operators::kinds::{DEPLOYMENT, Kind, REPLICA_SET};
use crate::operators::object::{Read, object, owned_by};
use crate::operators::turn::{Turn, Write, map};

const REVISION: &str = "deployment.kubernetes.io/revision";
/// What is told of a Deployment and not of its ReplicaSets.
const NOT_COPIED: [&str; 2] = ["kubectl.kubernetes.io/last-applied-configuration", REVISION];

/// Makes the ReplicaSet of the current template, numbers it, and returns it once it is there.
pub(super) fn current(turn: &mut Turn<'_>, deployment: &Value, hash: &str) -> Option<Arc<Value>> {
    let owned = of(turn, deployment);
    let newest = owned.iter().map(|set| revision(set)).max().unwrap_or(0);
    let name = format!("{}-{hash}", deployment.name());
    let Some(set) = owned.iter().find(|set| set.name() == name) else {
        if deployment.is_true("/spec/paused") {
            return owned.iter().find(|set| revision(set) == newest).map(Arc::clone);
        }
        create(turn, deployment, hash, newest + 1);
        return None;
    };
    let number = if revision(set) == newest { newest } else { newest + 1 };
    let mut annotations = copied(deployment);
    annotations.insert(REVISION.to_owned(), json!(number.to_string()));
    sized(deployment, &mut annotations);
    let replicas = deployment.number("/spec/replicas").unwrap_or(1);
    let wanted = json!({"metadata": {"annotations": annotations}, "spec": {"replicas": replicas}});
    turn.patch(REPLICA_SET, set, wanted);
    if deployment.annotation(REVISION) != Some(&number.to_string()) {
        // With the status, as the controller does: it is no change of what is wanted.
        turn.writes.push(Write::PatchStatus {
            kind: DEPLOYMENT,
            namespace: deployment.namespace().to_owned(),
            name: deployment.name().to_owned(),
            patch: json!({"metadata": {"annotations": {REVISION: number.to_string()}}}),
        });
    }
    Some(Arc::clone(set))
}

/// The Deployment that a pod is of, by its ReplicaSet; none for a pod of anything else.
pub(super) fn deployment_of(turn: &Turn<'_>, pod: &Value) -> Option<Arc<Value>> {
    let owner = |object: &Value, kind: Kind| {
        let mut owners = object.list("/metadata/ownerReferences").iter();
        let owner = owners.find(|owner| owner.text("/kind") == kind.kind)?.text("/name");
        turn.world.get(kind, object.namespace(), owner).cloned()
    };
    owner(&*owner(pod, REPLICA_SET)?, DEPLOYMENT)
}

/// Returns the ReplicaSets of a Deployment.
pub(super) fn of(turn: &Turn<'_>, deployment: &Value) -> Vec<Arc<Value>> {
    let sets = turn.world.list_in(REPLICA_SET, deployment.namespace());
    sets.filter(|set| set.is_owned_by(deployment.uid()) && !set.is_deleting())
        .cloned()
        .collect()
}

/// Says how many pods a ReplicaSet has; one that is not the current one keeps those it has.
pub(super) fn tell(turn: &mut Turn<'_>, set: &Value, current: Option<&Value>, pods: &[&Arc<Value>]) {
    let living = pods
        .iter()
        .filter(|pod| pod.is_owned_by(set.uid()) && !pod.is_deleting());
    let (all, ready) = living.fold((0, 0), |(all, ready), pod| {
        (all + 1, ready + i64::from(pod.is("Ready")))
    });
    if current.is_none_or(|current| current.uid() != set.uid()) {
        turn.patch(REPLICA_SET, set, json!({"spec": {"replicas": all}}));
    }
    let some = |number: i64| if number == 0 { Value::Null } else { json!(number) };
    let status = json!({"observedGeneration": set["metadata"]["generation"], "replicas": all, "fullyLabeledReplicas": some(all),
        "readyReplicas": some(ready), "availableReplicas": some(ready)});
    turn.status(REPLICA_SET, set, status);
}

fn revision(set: &Value) -> u64 {
    set.annotation(REVISION)
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

fn copied(deployment: &Value) -> Map<String, Value> {
    let annotations = map(deployment, "/metadata/annotations").iter();
    annotations
        .filter(|(key, _)| !NOT_COPIED.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Says how many pods are wanted, and how many there may be while they change.
fn sized(deployment: &Value, annotations: &mut Map<String, Value>) {
    let replicas = deployment.number("/spec/replicas").unwrap_or(1);
    let surge = match deployment.pointer("/spec/strategy/rollingUpdate/maxSurge") {
        Some(Value::Number(number)) => number.as_i64().unwrap_or_default(),
        Some(Value::String(text)) => {
            let percentage: i64 = text.trim_end_matches('%').parse().unwrap_or_default();
            (replicas * percentage + 99) / 100
        }
        _ => 0,
    };
    for (key, number) in [("desired-replicas", replicas), ("max-replicas", replicas + surge)] {
        annotations.insert(format!("deployment.kubernetes.io/{key}"), json!(number.to_string()));
    }
}

fn create(turn: &mut Turn<'_>, deployment: &Value, hash: &str, number: u64) {
    let mut annotations = copied(deployment);
    annotations.insert(REVISION.to_owned(), json!(number.to_string()));
    sized(deployment, &mut annotations);
    let mut selector = deployment["spec"]["selector"].clone();
    selector["matchLabels"]["pod-template-hash"] = json!(hash);
    let mut template = deployment["spec"]["template"].clone();
    template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
    let labels = template["metadata"]["labels"].clone();
    let replicas = deployment.number("/spec/replicas").unwrap_or(1);
    let set = object(
        REPLICA_SET,
        deployment.namespace(),
        &format!("{}-{hash}", deployment.name()),
        json!({"metadata": {"labels": labels, "annotations": annotations},
            "spec": {"replicas": replicas, "selector": selector, "template": template}}),
    );
    turn.create(REPLICA_SET, owned_by(set, deployment));
}
