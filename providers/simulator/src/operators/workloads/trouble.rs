//! What keeps the containers of a pod from running: images that cannot be pulled, and containers that end.
//!
//! Source: <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-states>; reference/serving.md M12
//! (images), M13 (weights of a gated repository), M14 (a model without a name takes a container of the dashboard down), P9
//! (another password than the database was made with).
//!
//! Invariant: trouble that is gone leaves a pod that starts as ever.
//!
//! Left out: restarts one by one (the back-off is told at once), containers of a pod that run beside one that does not.

use serde_json::{Value, json};

use super::pods::containers;
use super::{events, replica_sets};
use crate::faults::FaultName;
use crate::operators::APPLICATIONS;
use crate::operators::kinds::LLM_INFERENCE_SERVICE;
use crate::operators::object::Read;
use crate::operators::turn::{Turn, condition};

/// What a registry says to whom it does not know.
const UNAUTHORIZED: &str = "unauthorized: access to the requested resource is not authorized";

/// Why a container does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    container: String,
    /// Whether it is one that runs before the others.
    is_first: bool,
    end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Unpulled {
        image: String,
    },
    Ended {
        code: i64,
        reason: &'static str,
        words: String,
    },
}

/// Returns what keeps a pod from running.
pub(super) fn of(turn: &Turn<'_>, pod: &Value) -> Option<Trouble> {
    unpulled(turn, pod)
        .or_else(|| gated(turn, pod))
        .or_else(|| nameless(turn, pod))
        .or_else(|| ended(turn, pod))
}

fn unpulled(turn: &Turn<'_>, pod: &Value) -> Option<Trouble> {
    turn.faults.targets(FaultName::Unpullable).find_map(|text| {
        let lists = [("/spec/initContainers", true), ("/spec/containers", false)];
        lists.into_iter().find_map(|(list, is_first)| {
            let mut containers = pod.list(list).iter();
            let found = containers.find(|container| container.text("/image").contains(text))?;
            Some(Trouble {
                container: found.name_of_container(),
                is_first,
                end: End::Unpulled {
                    image: found.text("/image").to_owned(),
                },
            })
        })
    })
}

/// The container that downloads weights is refused them.
fn gated(turn: &Turn<'_>, pod: &Value) -> Option<Trouble> {
    let model = pod.label("app.kubernetes.io/name")?;
    let first = pod.list("/spec/initContainers").first()?;
    let asked = turn.faults.at(FaultName::GatedRepository, model) && first.text("/name") == "storage-initializer";
    asked.then(|| {
        let repository = first.text("/args/0").trim_start_matches("hf://");
        Trouble {
            container: first.name_of_container(),
            is_first: true,
            end: End::Ended {
                code: 1,
                reason: "Error",
                words: format!(
                    "huggingface_hub.errors.GatedRepoError: 401 Client Error. Cannot access gated repo for url \
                     https://huggingface.co/api/models/{repository}. Access to model {repository} is restricted."
                ),
            },
        }
    })
}

/// One model without a name, wherever it is, ends a container of the dashboard.
fn nameless(turn: &Turn<'_>, pod: &Value) -> Option<Trouble> {
    let is_dashboard = pod.namespace() == APPLICATIONS && pod.label("app") == Some("rhods-dashboard");
    let found = is_dashboard
        && turn
            .world
            .list(LLM_INFERENCE_SERVICE)
            .any(|service| service.text("/spec/model/name").is_empty());
    found.then(|| Trouble {
        container: "gen-ai-ui".to_owned(),
        is_first: false,
        end: End::Ended {
            code: 2,
            reason: "Error",
            words: "panic: runtime error: invalid memory address or nil pointer dereference".to_owned(),
        },
    })
}

fn ended(turn: &Turn<'_>, pod: &Value) -> Option<Trouble> {
    if turn.faults.0.is_empty() {
        return None;
    }
    let deployment = replica_sets::deployment_of(turn, pod)?;
    let owner = deployment.name();
    let first = pod.list("/spec/containers").first()?;
    let faults = turn.faults;
    let end = if faults.at(FaultName::OutOfMemory, owner) {
        End::Ended {
            code: 137,
            reason: "OOMKilled",
            words: "INFO 01-01 00:00:00 [gpu_model_runner.py] Starting to load model".to_owned(),
        }
    } else if faults.at(FaultName::Crashing, owner) {
        let is_model = pod.label("kserve.io/component") == Some("workload");
        let words = if is_model {
            "RuntimeError: Engine core initialization failed. See root cause above."
        } else {
            "fatal: cannot read the configuration"
        };
        End::Ended {
            code: 1,
            reason: "Error",
            words: words.to_owned(),
        }
    } else if owner == "maas-api" && faults.on(FaultName::DatabaseRefuses) {
        End::Ended {
            code: 1,
            reason: "Error",
            words: "FATAL: password authentication failed for user \"maas\" (SQLSTATE 28P01)".to_owned(),
        }
    } else {
        return None;
    };
    Some(Trouble {
        container: first.name_of_container(),
        is_first: false,
        end,
    })
}

/// What a container is called.
trait Container {
    fn name_of_container(&self) -> String;
}

impl Container for Value {
    fn name_of_container(&self) -> String {
        self.text("/name").to_owned()
    }
}

impl Trouble {
    /// Writes it into the status of the pod.
    pub(super) fn tell(&self, turn: &mut Turn<'_>, pod: &Value) {
        let (waiting, last, told) = match &self.end {
            End::Unpulled { image } => (
                json!({"reason": "ImagePullBackOff", "message": format!("Back-off pulling image \"{image}\": ErrImagePull: {UNAUTHORIZED}")}),
                Value::Null,
                events::unpulled(&self.container, self.is_first, image, UNAUTHORIZED),
            ),
            End::Ended { code, reason, words } => (
                json!({"reason": "CrashLoopBackOff",
                    "message": format!("back-off 5m0s restarting failed container={} pod={}", self.container, pod.name())}),
                json!({"terminated": {"exitCode": code, "reason": reason, "message": words}}),
                vec![events::held_back(pod, &self.container, self.is_first)],
            ),
        };
        let stuck = json!({"waiting": waiting});
        let mut first = Value::Null;
        let mut others = if self.is_first {
            containers(pod, false, &json!({"waiting": {"reason": "PodInitializing"}}))
        } else {
            containers(pod, true, &json!({"running": {}}))
        };
        let is_stuck = |status: &&mut Value| status.text("/name") == self.container;
        if self.is_first {
            first = json!([{"name": self.container, "ready": false, "started": false, "restartCount": 5, "image": "",
                "imageID": "", "state": stuck, "lastState": last}]);
        } else if let Some(status) = others.iter_mut().find(is_stuck) {
            status["ready"] = json!(false);
            status["started"] = json!(false);
            status["state"] = stuck;
            status["lastState"] = last;
        }
        let phase = if self.is_first { "Pending" } else { "Running" };
        let why = format!("containers with unready status: [{}]", self.container);
        events::with_status(
            turn,
            pod,
            json!({
                "phase": phase, "initContainerStatuses": first, "containerStatuses": others,
                "conditions": [
                    condition("PodScheduled", true, "", ""), condition("Initialized", !self.is_first, "", ""),
                    condition("ContainersReady", false, "ContainersNotReady", &why),
                    condition("Ready", false, "ContainersNotReady", &why),
                ],
            }),
            told,
        );
    }
}
