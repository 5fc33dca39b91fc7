//! What a kubelet would say of pods: that they run and are ready.
//!
//! The server has the genuine controllers of Deployments, StatefulSets and DaemonSets, and nobody who runs a pod. One node
//! is declared, and every pod is said to be ready; all else is the controllers' own doing.

use crate::{client::Bare, error::TaskError};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(100);
const NODE: &str = "/api/v1/nodes/played";

/// It plays until it is dropped; then its node goes too.
pub(super) struct Kubelet {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Kubelet {
    /// Declares the node and begins.
    ///
    /// # Errors
    /// A server that does not take the node.
    pub(super) fn start(kubeconfig: &Path) -> Result<Self, TaskError> {
        let bare = Bare::connect(kubeconfig)?;
        let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "played"}});
        bare.send("PATCH", &format!("{NODE}?fieldManager=kubelet&force=true"), Some(&node))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // A pod may go between the two requests; the next look sees what there is then.
                drop(play(&bare));
                thread::sleep(LOOK_AGAIN_AFTER);
            }
            drop(bare.send("DELETE", NODE, None));
        });
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Kubelet {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Says of every pod that is not ready that it is.
fn play(bare: &Bare) -> Result<(), TaskError> {
    let pods = bare.send("GET", "/api/v1/pods?fieldSelector=status.phase%3DPending", None)?;
    for pod in pods["items"].as_array().into_iter().flatten() {
        let of = |field: &str| pod["metadata"][field].as_str().unwrap_or_default();
        let path = format!(
            "/api/v1/namespaces/{}/pods/{}/status?fieldManager=kubelet&force=true",
            of("namespace"),
            of("name")
        );
        bare.send("PATCH", &path, Some(&ready(of("name"))))?;
    }
    Ok(())
}

/// The status of a pod that is ready
/// (<https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-conditions>).
fn ready(name: &str) -> Value {
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map(condition);
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "status": {
            "phase": "Running",
            "conditions": conditions,
        },
    })
}
