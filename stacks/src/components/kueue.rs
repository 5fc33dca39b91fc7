//! Kueue: its operator, and the queues of the stack.
//!
//! The order is not the manual's: the kinds of the queues come with the operand, which OpenShift AI makes only once its
//! component says `Unmanaged` (`reference/platform.md` §2.14, §7 row D20).
//!
//! Facts: `reference/platform.md` §2.14, §4 G28 and G30.

use super::{
    Context, cert_manager,
    draft::{Draft, Kind, at, established, keyed, seconds},
    olm::{Approval, Catalog, Home, Operator, Scope},
    rhoai,
};
use crate::stack::LocalQueue;
use serde_json::json;
use stackctl_engine::{Address, resource::ConsequenceClass};
use std::collections::BTreeSet;

const QUEUE_KINDS: &[Kind] = &[
    kind("ResourceFlavor", "resourceflavors", false),
    kind("ClusterQueue", "clusterqueues", false),
    kind("LocalQueue", "localqueues", true),
];

const fn kind(kind: &'static str, plural: &'static str, namespaced: bool) -> Kind {
    Kind {
        group: "kueue.x-k8s.io",
        kind,
        plural,
        namespaced,
    }
}

/// The gate that its operator has succeeded; none when the stack does not ask for it.
pub(super) fn installed(context: &Context<'_>) -> Option<Address> {
    context.stack.rhoai.components.kueue.then(|| at("kueue.installed"))
}

/// The LocalQueues of that name.
pub(super) fn queues(context: &Context<'_>, name: &str) -> Vec<Address> {
    let queues = context.stack.kueue.queues.iter();
    queues
        .filter(|queue| queue.name.as_str() == name)
        .map(queue_address)
        .collect()
}

/// The LocalQueues of a namespace.
pub(super) fn queues_in(context: &Context<'_>, namespace: &str) -> Vec<Address> {
    let queues = context.stack.kueue.queues.iter();
    queues
        .filter(|queue| queue.namespace.as_str() == namespace)
        .map(queue_address)
        .collect()
}

/// The namespaces that have a LocalQueue, each once.
pub(super) fn namespaces<'a>(context: &Context<'a>) -> BTreeSet<&'a str> {
    let queues = context.stack.kueue.queues.iter();
    let wanted = queues.filter(|_| installed(context).is_some());
    wanted.map(|queue| queue.namespace.as_str()).collect()
}

fn queue_address(queue: &LocalQueue) -> Address {
    let key = format!("{}/{}", queue.namespace, queue.name);
    keyed(&[("kueue", ""), ("queue", &key)])
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    if installed(context).is_none() {
        return Vec::new();
    }
    let operator = Operator {
        component: "kueue",
        title: "Kueue",
        namespace: "openshift-kueue-operator",
        home: Some(Home {
            display_name: None,
            group: "openshift-kueue-operator",
            scope: Scope::AllWithStrategy,
            is_monitored: true,
        }),
        subscription: "kueue-operator",
        package: "kueue-operator",
        source: Catalog::RedHat,
        channel: "stable-v1.3".to_owned(),
        approval: Approval::Automatic(None),
        config: None,
        kinds: &[],
    };
    let mut nodes = operator.nodes(context, |subscription| {
        subscription
            .after(
                cert_manager::ready(),
                "its operand gets its certificates from cert-manager",
            )
            .tells(
                ConsequenceClass::Notice,
                "with Kueue the dashboard labels every new project for it, and such projects see profiles with a queue only",
            )
    });
    nodes.push(
        Draft::gate(at("kueue.queue-kinds"), established(QUEUE_KINDS))
            .after_write(
                rhoai::cluster(),
                "OpenShift AI makes the operand, which brings the kinds",
            )
            .after(at("kueue.installed"), "its operator runs the operand")
            .provides(QUEUE_KINDS)
            .within(seconds(600))
            .note("waits for kinds ClusterQueue, ResourceFlavor and LocalQueue"),
    );
    nodes.extend(queue_nodes(context));
    nodes
}

fn queue_nodes(context: &Context<'_>) -> Vec<Draft> {
    let wanted = &context.stack.kueue;
    let (flavor, cluster_queue) = (wanted.flavor.as_str(), wanted.cluster_queue.as_str());
    let quota = |name: &str, quota: &str| json!({"name": name, "nominalQuota": quota});
    let mut nodes = vec![
        Draft::object(
            at("kueue.flavor"),
            json!({
                "apiVersion": "kueue.x-k8s.io/v1beta1",
                "kind": "ResourceFlavor",
                "metadata": {"name": flavor},
                "spec": {"tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]},
            }),
        )
        // OpenShift AI makes one of the usual name too, and queues of its own use it (reference/platform.md §2.14).
        .expected()
        .retain("queues that OpenShift AI made may still use it")
        .leaves(
            stackctl_engine::ObjectRef::cluster("kueue.x-k8s.io/v1beta1", "ResourceFlavor", "*"),
            "OpenShift AI makes flavors of its own",
        )
        .leaves(
            stackctl_engine::ObjectRef::cluster("kueue.x-k8s.io/v1beta1", "ClusterQueue", "default"),
            "OpenShift AI made it for itself",
        )
        .leaves(
            stackctl_engine::ObjectRef::cluster("kueue.openshift.io/v1", "Kueue", "cluster"),
            "OpenShift AI made it and keeps it",
        ),
        Draft::object(
            at("kueue.cluster-queue"),
            json!({
                "apiVersion": "kueue.x-k8s.io/v1beta1",
                "kind": "ClusterQueue",
                "metadata": {"name": cluster_queue},
                "spec": {
                    "namespaceSelector": {},
                    "resourceGroups": [{
                        "coveredResources": ["cpu", "memory", "nvidia.com/gpu"],
                        "flavors": [{"name": flavor, "resources": [
                            quota("cpu", wanted.cpu.as_str()),
                            quota("memory", wanted.memory.as_str()),
                            quota("nvidia.com/gpu", &wanted.gpus.to_string()),
                        ]}],
                    }],
                },
            }),
        )
        .after_write(at("kueue.flavor"), "its quotas are of that flavor"),
    ];
    for queue in &wanted.queues {
        nodes.push(
            Draft::object(
                queue_address(queue),
                json!({
                    "apiVersion": "kueue.x-k8s.io/v1beta1",
                    "kind": "LocalQueue",
                    "metadata": {"name": queue.name.as_str(), "namespace": queue.namespace.as_str()},
                    "spec": {"clusterQueue": cluster_queue},
                }),
            )
            .after_write(at("kueue.cluster-queue"), "its workloads go there"),
        );
    }
    nodes
}
