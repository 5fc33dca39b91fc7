//! What OpenShift AI makes for Kueue while its DataScienceCluster says `Unmanaged`.
//!
//! Source: reference/platform.md §2.14: `Kueue/cluster` once the operator of Kueue is there, then a flavor, the
//! ClusterQueue that the DataScienceCluster names, and a LocalQueue in every namespace labelled for Kueue. The words of the
//! refusal: <https://github.com/opendatahub-io/opendatahub-operator>, tag v3.4.0, status of the component.
//!
//! Invariant: it is made once and stays: who changes it keeps the change, and no owner takes it along.
//!
//! Left out: flavors for GPUs, quotas after the first look at the nodes, roles for queues.

use serde_json::{Value, json};

use super::kinds::{CLUSTER_QUEUE, KUEUE_OPERATOR, LOCAL_QUEUE, NAMESPACE, RESOURCE_FLAVOR};
use super::object::{Read, object};
use super::turn::Turn;

const FLAVOR: &str = "default-flavor";
const MANAGED: &str = "kueue.openshift.io/managed";

/// Returns what the component's CR takes over from the DataScienceCluster.
pub(crate) fn spec(dsc: &Value) -> Value {
    let name = |key: &str| match dsc.text(&format!("/spec/components/kueue/{key}")) {
        "" => "default".to_owned(),
        name => name.to_owned(),
    };
    json!({
        "managementState": "Unmanaged",
        "defaultClusterQueueName": name("defaultClusterQueueName"),
        "defaultLocalQueueName": name("defaultLocalQueueName"),
    })
}

/// Makes what Kueue needs, or says with a reason why it cannot yet.
pub(crate) fn provision(turn: &mut Turn<'_>, component: &Value) -> Result<(), (&'static str, String)> {
    if turn.world.csv("kueue-operator").is_none() {
        return Err((
            "KueueOperatorNotInstalleReason",
            "Kueue operator not installed, install it or change kueue component state to Removed".to_owned(),
        ));
    }
    let frameworks = [
        "BatchJob",
        "RayJob",
        "RayCluster",
        "JobSet",
        "MPIJob",
        "PyTorchJob",
        "TrainJob",
        "AppWrapper",
        "Pod",
        "Deployment",
        "StatefulSet",
        "LeaderWorkerSet",
    ];
    let annotations = json!({"annotations": {"opendatahub.io/managed": "false"}});
    let instance = json!({"metadata": annotations, "spec": {
        "managementState": "Managed",
        "config": {
            "integrations": {"frameworks": frameworks},
            "workloadManagement": {"labelPolicy": "QueueName"},
        },
    }});
    turn.create(KUEUE_OPERATOR, object(KUEUE_OPERATOR, "", "cluster", instance));
    for kind in [RESOURCE_FLAVOR, CLUSTER_QUEUE, LOCAL_QUEUE] {
        let crd = format!("{}.{}", kind.plural, kind.group);
        if !turn.world.is_established(&crd) || !turn.world.serves(kind) {
            let why = format!("no matches for kind {} in {}", kind.kind, kind.api_version());
            return Err(("Error", why));
        }
    }
    turn.create(
        RESOURCE_FLAVOR,
        object(
            RESOURCE_FLAVOR,
            "",
            FLAVOR,
            json!({"metadata": annotations, "spec": {}}),
        ),
    );
    let queue = component.text("/spec/defaultClusterQueueName");
    let quota = |name: &str, quota: &str| json!({"name": name, "nominalQuota": quota});
    let spec = json!({
        "namespaceSelector": {},
        "resourceGroups": [{
            "coveredResources": ["cpu", "memory"],
            "flavors": [{"name": FLAVOR, "resources": [quota("cpu", "16"), quota("memory", "64Gi")]}],
        }],
    });
    turn.create(
        CLUSTER_QUEUE,
        object(CLUSTER_QUEUE, "", queue, json!({"metadata": annotations, "spec": spec})),
    );
    let local = component.text("/spec/defaultLocalQueueName");
    for namespace in turn.all(NAMESPACE) {
        if namespace.label(MANAGED) == Some("true") && !namespace.is_deleting() {
            let parts = json!({"metadata": annotations, "spec": {"clusterQueue": queue}});
            turn.create(LOCAL_QUEUE, object(LOCAL_QUEUE, namespace.name(), local, parts));
        }
    }
    Ok(())
}
