//! `kueue`: stands for the Kueue operator and the controller of its operand.
//!
//! Source: reference/platform.md §2.14: the kinds of queues come only with the operand, which comes only for
//! `Kueue/cluster`, and not without cert-manager.
//!
//! Invariants:
//! - Only the object named `cluster` counts.
//! - A ClusterQueue is Active while its flavors are there, a LocalQueue while its ClusterQueue is.
//!
//! Left out: workloads and their admission, cohorts, the finalizer that keeps a flavor in use, counters of the queues.

use serde_json::{Value, json};

use super::kinds::{CLUSTER_QUEUE, DEPLOYMENT, KUEUE_OPERATOR, LOCAL_QUEUE, RESOURCE_FLAVOR};
use super::object::{Read, owned_by};
use super::turn::{Turn, condition, observed};

const NAMESPACE: &str = "openshift-kueue-operator";
const MANAGER: &str = "kueue-controller-manager";
/// From the object to its operand's kinds: manifests are rendered and applied.
const OPERAND_SECONDS: u64 = 10;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    let instance = turn.world.get(KUEUE_OPERATOR, "", "cluster").cloned();
    if let Some(instance) = instance.filter(|instance| !instance.is_deleting()) {
        operand(turn, &instance);
    }
    if turn.world.is_available(NAMESPACE, MANAGER) {
        queues(turn);
    }
}

fn operand(turn: &mut Turn<'_>, instance: &Value) {
    if !turn.world.is_established("issuers.cert-manager.io") {
        let why = "please make sure that cert-manager is installed on your cluster";
        turn.status(
            KUEUE_OPERATOR,
            instance,
            json!({"conditions": [
                observed(instance, "Degraded", true, "MissingDependency", why),
                observed(instance, "Available", false, "MissingDependency", why),
            ]}),
        );
        return;
    }
    let labels = json!({"control-plane": "controller-manager", "app.openshift.io/name": "kueue"});
    let manager = super::operands::deployment(NAMESPACE, MANAGER, &labels, &["manager"]);
    turn.ensure(DEPLOYMENT, owned_by(manager, instance));
    if !turn.held(format!("operand {}", instance.uid()), OPERAND_SECONDS) {
        return;
    }
    let registered = turn.register_component("kueue-operand");
    let available = registered && turn.world.is_available(NAMESPACE, MANAGER);
    let reason = if available { "AsExpected" } else { "DeploymentNotReady" };
    turn.status(
        KUEUE_OPERATOR,
        instance,
        json!({
            "observedGeneration": instance["metadata"]["generation"],
            "conditions": [
                observed(instance, "Available", available, reason, ""),
                observed(instance, "Degraded", false, "AsExpected", ""),
                observed(instance, "Progressing", !available, "AsExpected", ""),
            ],
        }),
    );
}

fn queues(turn: &mut Turn<'_>) {
    for queue in turn.all(CLUSTER_QUEUE) {
        if queue.is_deleting() {
            continue;
        }
        let flavors = queue
            .list("/spec/resourceGroups")
            .iter()
            .flat_map(|group| group.list("/flavors"))
            .map(|flavor| flavor.text("/name"));
        let missing: Vec<&str> = flavors
            .filter(|flavor| !turn.world.has(RESOURCE_FLAVOR, "", flavor))
            .collect();
        let told = if missing.is_empty() {
            condition("Active", true, "Ready", "Can admit new workloads")
        } else {
            let why = format!(
                "Can't admit new workloads: references missing ResourceFlavor(s): {}.",
                missing.join(",")
            );
            condition("Active", false, "FlavorNotFound", &why)
        };
        turn.status(CLUSTER_QUEUE, &queue, json!({"conditions": [told]}));
    }
    for queue in turn.all(LOCAL_QUEUE) {
        if queue.is_deleting() {
            continue;
        }
        let whole = turn.world.get(CLUSTER_QUEUE, "", queue.text("/spec/clusterQueue"));
        let told = match whole.map(|whole| whole.is("Active")) {
            Some(true) => condition("Active", true, "Ready", "Can submit new workloads to localQueue"),
            Some(false) => condition(
                "Active",
                false,
                "ClusterQueueIsInactive",
                "Can't submit new workloads to clusterQueue",
            ),
            None => condition(
                "Active",
                false,
                "ClusterQueueDoesNotExist",
                "Can't submit new workloads to clusterQueue",
            ),
        };
        turn.status(LOCAL_QUEUE, &queue, json!({"conditions": [told]}));
    }
}
