//! What the scheduler and the kubelets tell of a pod, beside its status: events.
//!
//! Source: `pkg/scheduler/schedule_one.go`, `pkg/kubelet/events`, `pkg/kubelet/kuberuntime` and `pkg/kubelet/images` of
//! <https://github.com/kubernetes/kubernetes/tree/v1.34.4> (reasons, words, who tells).
//!
//! Invariants:
//! - An event comes with the change of status that it explains, and never without one; nobody reads it back.
//! - The same of the same pod is one event: its name follows from what it says, and names come in the order in which
//!   things happen, as those of a real cluster do.
//!
//! Simplified: an event is told once, with a count of one; every image is on its node already, unless it cannot be had.
//!
//! Left out: events of everything but pods; probes, pods that are stopped, nodes.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::operators::kinds::{Kind, NAMESPACE, POD, Scope};
use crate::operators::object::{Read, object};
use crate::operators::turn::{Turn, Write};

/// Written and never read, so nobody watches it.
const EVENT: Kind = Kind {
    group: "",
    kind: "Event",
    version: "v1",
    plural: "events",
    scope: Scope::Namespaced,
};

/// Ranks of what is told of a pod; each container that starts takes the next three.
const WAITING: u8 = 0x10;
const SCHEDULED: u8 = 0x20;
const PREPARED: u8 = 0x30;
const STARTED: u8 = 0x40;
const HELD_BACK: u8 = 0xff;

/// One thing that is told of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    by: Teller,
    is_warning: bool,
    reason: &'static str,
    message: String,
    /// The container that it is about, as a path in the pod.
    about: String,
    /// Its place in the life of a pod.
    rank: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Teller {
    Scheduler,
    Kubelet,
}

impl Told {
    fn by_kubelet(rank: u8, is_warning: bool, reason: &'static str, message: String) -> Self {
        Self {
            by: Teller::Kubelet,
            is_warning,
            reason,
            message,
            about: String::new(),
            rank,
        }
    }

    fn about(mut self, container: &str, is_first: bool) -> Self {
        let list = if is_first { "initContainers" } else { "containers" };
        self.about = format!("spec.{list}{{{container}}}");
        self
    }
}

/// A pod has a node.
pub(super) fn scheduled(pod: &Value, node: &str) -> Told {
    Told {
        by: Teller::Scheduler,
        is_warning: false,
        reason: "Scheduled",
        message: format!("Successfully assigned {}/{} to {node}", pod.namespace(), pod.name()),
        about: String::new(),
        rank: SCHEDULED,
    }
}

/// No node takes a pod.
pub(super) fn unscheduled(why: &str) -> Told {
    Told {
        by: Teller::Scheduler,
        is_warning: true,
        reason: "FailedScheduling",
        message: why.to_owned(),
        about: String::new(),
        rank: WAITING,
    }
}

/// Every container of a pod was started.
pub(super) fn started(pod: &Value) -> Vec<Told> {
    let mut told = Vec::new();
    let mut rank = STARTED;
    for (list, is_first) in [("/spec/initContainers", true), ("/spec/containers", false)] {
        for container in pod.list(list) {
            let (name, image) = (container.text("/name"), container.text("/image"));
            for (reason, message) in [
                (
                    "Pulled",
                    format!("Container image \"{image}\" already present on machine"),
                ),
                ("Created", format!("Created container: {name}")),
                ("Started", format!("Started container {name}")),
            ] {
                told.push(Told::by_kubelet(rank, false, reason, message).about(name, is_first));
                rank = rank.saturating_add(1);
            }
        }
    }
    told
}

/// A volume cannot be mounted.
pub(super) fn unmounted(volume: &str, why: &str) -> Told {
    let message = format!("MountVolume.SetUp failed for volume \"{volume}\" : {why}");
    Told::by_kubelet(PREPARED, true, "FailedMount", message)
}

/// A container cannot be made.
pub(super) fn unmade(why: &str) -> Told {
    Told::by_kubelet(PREPARED, true, "Failed", format!("Error: {why}"))
}

/// An image cannot be pulled.
pub(super) fn unpulled(container: &str, is_first: bool, image: &str, why: &str) -> Vec<Told> {
    let told = [
        (true, "Failed", format!("Failed to pull image \"{image}\": {why}")),
        (true, "Failed", "Error: ErrImagePull".to_owned()),
        (false, "BackOff", format!("Back-off pulling image \"{image}\"")),
        (true, "Failed", "Error: ImagePullBackOff".to_owned()),
    ];
    let told = told.into_iter().zip(PREPARED..);
    told.map(|((is_warning, reason, message), rank)| {
        Told::by_kubelet(rank, is_warning, reason, message).about(container, is_first)
    })
    .collect()
}

/// A container ended and is held back.
pub(super) fn held_back(pod: &Value, container: &str, is_first: bool) -> Told {
    let (name, namespace, uid) = (pod.name(), pod.namespace(), pod.uid());
    let message = format!("Back-off restarting failed container {container} in pod {name}_{namespace}({uid})");
    Told::by_kubelet(HELD_BACK, true, "BackOff", message).about(container, is_first)
}

/// Writes the status of a pod, and where that changes it, tells why.
pub(super) fn with_status(turn: &mut Turn<'_>, pod: &Value, status: Value, told: impl IntoIterator<Item = Told>) {
    let n_writes = turn.writes.len();
    turn.status(POD, pod, status);
    if turn.writes.len() > n_writes {
        tell(turn, pod, told);
    }
}

/// Tells something of a pod; nothing in a namespace that goes, which takes no new objects.
pub(super) fn tell(turn: &mut Turn<'_>, pod: &Value, told: impl IntoIterator<Item = Told>) {
    if turn.world.has(NAMESPACE, "", pod.namespace()) {
        let stamp = turn.stamp;
        let events = told.into_iter().map(|told| Write::Create {
            kind: EVENT,
            object: event(pod, &told, stamp),
        });
        turn.writes.extend(events);
    }
}

fn event(pod: &Value, told: &Told, stamp: &str) -> Value {
    let source = match told.by {
        Teller::Scheduler => json!({"component": "default-scheduler"}),
        Teller::Kubelet => json!({"component": "kubelet", "host": pod["spec"]["nodeName"]}),
    };
    let mut regarding = json!({
        "apiVersion": "v1", "kind": POD.kind, "namespace": pod.namespace(), "name": pod.name(), "uid": pod.uid(),
        "resourceVersion": pod["metadata"]["resourceVersion"],
    });
    if !told.about.is_empty() {
        regarding["fieldPath"] = json!(told.about);
    }
    let said = format!("{} {} {} {}", pod.uid(), told.reason, told.about, told.message);
    let digest = Sha256::digest(said.as_bytes());
    let digest: String = digest.iter().take(7).map(|byte| format!("{byte:02x}")).collect();
    object(
        EVENT,
        pod.namespace(),
        &format!("{}.{:02x}{digest}", pod.name(), told.rank),
        json!({
            "involvedObject": regarding, "type": if told.is_warning { "Warning" } else { "Normal" },
            "reason": told.reason, "message": told.message, "count": 1,
            "firstTimestamp": stamp, "lastTimestamp": stamp,
            "reportingComponent": source["component"], "reportingInstance": pod.text("/spec/nodeName"), "source": source,
        }),
    )
}
