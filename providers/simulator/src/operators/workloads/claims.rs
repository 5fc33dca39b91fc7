//! Claims of volumes: who is bound when, and what a pod with an unbound claim does.
//!
//! Source: <https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode>; reference/serving.md §1.3: a
//! claim whose class waits for its first consumer is not Bound before a pod that uses it has a node.
//!
//! Left out: the volumes themselves, sizes that change, access modes against each other.

use serde_json::{Value, json};

use crate::operators::kinds::{POD, PVC, STORAGE_CLASS};
use crate::operators::object::Read;
use crate::operators::turn::Turn;

/// From a claim to its volume.
const BIND_SECONDS: u64 = 10;

/// Binds claims whose class binds at once, or that a scheduled pod uses.
pub(super) fn reconcile(turn: &mut Turn<'_>) {
    for claim in turn.all(PVC) {
        if claim.is_deleting() || claim.text("/status/phase") == "Bound" {
            continue;
        }
        let Some(waits) = waits_for_consumer(turn, &claim) else {
            turn.status(PVC, &claim, json!({"phase": "Pending"}));
            continue;
        };
        let used = turn
            .world
            .list_in(POD, claim.namespace())
            .any(|pod| !pod.text("/spec/nodeName").is_empty() && names(pod).any(|name| name == claim.name()));
        if (!waits || used) && turn.held(format!("bind {}", claim.uid()), BIND_SECONDS) {
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

/// Returns the names of the claims that a pod mounts.
fn names(pod: &Value) -> impl Iterator<Item = &str> {
    let volumes = pod.list("/spec/volumes").iter();
    volumes
        .map(|volume| volume.text("/persistentVolumeClaim/claimName"))
        .filter(|name| !name.is_empty())
}

/// Returns whether a claim waits for a pod that uses it; none where no class provides for it.
fn waits_for_consumer(turn: &Turn<'_>, claim: &Value) -> Option<bool> {
    let class = turn
        .world
        .list(STORAGE_CLASS)
        .find(|class| match claim.text("/spec/storageClassName") {
            "" => class.annotation("storageclass.kubernetes.io/is-default-class") == Some("true"),
            name => class.name() == name,
        });
    class.map(|class| class.text("/volumeBindingMode") == "WaitForFirstConsumer")
}

/// Returns why a pod gets no node because of a claim, in the scheduler's words.
pub(super) fn unschedulable(turn: &Turn<'_>, pod: &Value) -> Option<String> {
    names(pod).find_map(|name| match turn.world.get(PVC, pod.namespace(), name) {
        None => Some(format!("persistentvolumeclaim \"{name}\" not found")),
        Some(claim) if claim.is_deleting() => Some(format!("persistentvolumeclaim \"{name}\" is being deleted")),
        Some(claim) if claim.text("/status/phase") == "Bound" => None,
        Some(claim) => match waits_for_consumer(turn, claim) {
            Some(true) => None,
            Some(false) | None => Some("pod has unbound immediate PersistentVolumeClaims".to_owned()),
        },
    })
}

/// Returns whether a claim that a pod mounts has no volume yet.
pub(super) fn unbound(turn: &Turn<'_>, pod: &Value) -> bool {
    names(pod).any(|name| {
        let claim = turn.world.get(PVC, pod.namespace(), name);
        claim.is_none_or(|claim| claim.text("/status/phase") != "Bound")
    })
}
