//! What is kept of an object that was listed.
//!
//! Invariant: of an object only the few fields leave that a check needs.

use crate::stack::Quantity;
use serde_json::Value;

/// A machine of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Whether workloads go there.
    pub is_worker: bool,
    /// Thousandths of a CPU.
    pub millicores: u128,
    /// Bytes.
    pub memory: u128,
    /// As Go names it: `amd64`, `arm64`.
    pub architecture: String,
    /// GPUs that its workloads may have; none before a device plugin has counted them.
    pub gpus: u64,
}

/// The resource that GPUs are asked for by.
const GPU: &str = "nvidia.com/gpu";

impl Node {
    /// Keeps of a node what checks need.
    pub fn of(object: &Value) -> Self {
        const NANO: u128 = 1_000_000_000;
        let nano = |resource: &str| {
            let text = object["status"]["capacity"][resource].as_str().unwrap_or_default();
            text.parse::<Quantity>().map_or(0, |quantity| quantity.nano())
        };
        let label = |name: &str| object["metadata"]["labels"].get(name);
        let said = object["status"]["nodeInfo"]["architecture"].as_str();
        let labelled = || label("kubernetes.io/arch").and_then(Value::as_str);
        Self {
            is_worker: label("node-role.kubernetes.io/worker").is_some(),
            millicores: nano("cpu") * 1000 / NANO,
            memory: nano("memory") / NANO,
            architecture: said.or_else(labelled).unwrap_or("unknown").to_owned(),
            gpus: count(&object["status"]["allocatable"][GPU]),
        }
    }
}

/// A version of an operator that is installed, or being installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its name: `rhods-operator.3.4.0`.
    pub name: String,
    /// The namespace it is in.
    pub namespace: String,
}

impl Version {
    /// Keeps of a ClusterServiceVersion what checks need; nothing of one that was copied from elsewhere, which says
    /// nothing about its namespace (`reference/platform.md` §4 G22).
    pub fn of(object: &Value) -> Option<Self> {
        let metadata = &object["metadata"];
        if metadata["labels"].get("olm.copiedFrom").is_some() {
            return None;
        }
        Some(Self {
            name: text(&metadata["name"]),
            namespace: text(&metadata["namespace"]),
        })
    }
}

/// A Subscription to an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Its package.
    pub package: String,
    /// The namespace it is in.
    pub namespace: String,
    /// Whether the ingress operator made it, for a GatewayClass
    /// (<https://github.com/openshift/cluster-ingress-operator/blob/release-4.21/pkg/operator/controller/names.go>).
    pub is_of_ingress: bool,
}

impl Subscription {
    /// Keeps of a Subscription what checks need.
    pub fn of(object: &Value) -> Self {
        let metadata = &object["metadata"];
        Self {
            package: text(&object["spec"]["name"]),
            namespace: text(&metadata["namespace"]),
            is_of_ingress: metadata["annotations"]
                .get("ingress.operator.openshift.io/owned")
                .is_some(),
        }
    }
}

/// A model that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The namespace it is in.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What clients call the model; empty where nobody said it.
    pub model_name: String,
}

impl Service {
    /// Keeps of an LLMInferenceService what checks need.
    pub fn of(object: &Value) -> Self {
        Self {
            namespace: text(&object["metadata"]["namespace"]),
            name: text(&object["metadata"]["name"]),
            model_name: text(&object["spec"]["model"]["name"]),
        }
    }
}

/// A pod of OpenShift AI's own namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformPod {
    /// Its label `app`.
    pub app: String,
    /// Its label `control-plane`.
    pub control_plane: String,
    /// When the last of its containers that run was started, in RFC 3339 and UTC; absent while none runs.
    pub started: Option<String>,
    /// How often its containers were started again.
    pub restarts: u64,
}

impl PlatformPod {
    /// Keeps of a Pod what checks need.
    pub fn of(object: &Value) -> Self {
        let labels = &object["metadata"]["labels"];
        let containers = object["status"]["containerStatuses"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let started = |container: &Value| container["state"]["running"]["startedAt"].as_str().map(str::to_owned);
        let restarts = |container: &Value| container["restartCount"].as_u64().unwrap_or(0);
        Self {
            app: text(&labels["app"]),
            control_plane: text(&labels["control-plane"]),
            started: containers.iter().filter_map(started).max(),
            restarts: containers.iter().map(restarts).sum(),
        }
    }
}

/// A pod that asks for GPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The namespace it is in.
    pub namespace: String,
    /// The LLMInferenceService that it is a copy of, if it is one of a model.
    pub service: Option<String>,
    /// How many GPUs it asks for.
    pub gpus: u64,
}

impl Claim {
    /// Keeps of a Pod what checks need; nothing of one that asks for no GPU or has ended.
    pub fn of(object: &Value) -> Option<Self> {
        let spec = &object["spec"];
        let asked = |containers: &str| spec[containers].as_array().into_iter().flatten().map(gpus);
        // https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
        let gpus = asked("containers")
            .sum::<u64>()
            .max(asked("initContainers").max().unwrap_or(0));
        let has_ended = matches!(object["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
        if gpus == 0 || has_ended {
            return None;
        }
        let labels = &object["metadata"]["labels"];
        // https://github.com/opendatahub-io/kserve/blob/master/pkg/controller/v1alpha2/llmisvc/workload_single_node.go
        let is_of_a_model = labels["kserve.io/component"] == "workload";
        Some(Self {
            namespace: text(&object["metadata"]["namespace"]),
            service: is_of_a_model.then(|| text(&labels["app.kubernetes.io/name"])),
            gpus,
        })
    }
}

/// The GPUs that a container asks for; of such a resource the limit is the request.
fn gpus(container: &Value) -> u64 {
    let of = |which: &str| count(&container["resources"][which][GPU]);
    of("limits").max(of("requests"))
}

fn count(value: &Value) -> u64 {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.parse().unwrap_or(0)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
