//! OpenShift AI: the operator, its instance, its hardware profiles and its dashboard.
//!
//! The instance is many parts that are ready at different times. Each that somebody waits for is a gate of its own; the
//! whole being Ready frees nothing.
//!
//! Facts: `reference/platform.md` §2.10 to §2.12.

mod dashboard;
mod hardware_profiles;
mod instance;

pub(super) use dashboard::flags as dashboard_flags;
pub(super) use hardware_profiles::address as hardware_profile;
pub(super) use instance::{cluster, cluster_object, controllers, initialization};

use super::{
    Context, connectivity_link,
    draft::{Draft, Kind, at},
    kuadrant, leader_worker_set,
    names::APPLICATIONS,
    olm::{Approval, Catalog, Home, Operator, Pin, Scope},
    opentelemetry, tempo,
};
use crate::stack;
use serde_json::json;
use stackctl_engine::ObjectRef;

/// What the operator's version brings; the kinds of its components come later (`reference/platform.md` §2.21).
const KINDS: &[Kind] = &[
    Kind {
        group: "dscinitialization.opendatahub.io",
        kind: "DSCInitialization",
        plural: "dscinitializations",
        namespaced: false,
    },
    Kind {
        group: "datasciencecluster.opendatahub.io",
        kind: "DataScienceCluster",
        plural: "datascienceclusters",
        namespaced: false,
    },
    Kind {
        group: "infrastructure.opendatahub.io",
        kind: "HardwareProfile",
        plural: "hardwareprofiles",
        namespaced: true,
    },
    Kind {
        group: "components.platform.opendatahub.io",
        kind: "Dashboard",
        plural: "dashboards",
        namespaced: false,
    },
];

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let wanted = &context.stack.rhoai;
    let csv = wanted.csv.to_string();
    let operator = Operator {
        component: "rhoai",
        title: "OpenShift AI",
        namespace: "redhat-ods-operator",
        home: Some(Home {
            display_name: Some("Red Hat OpenShift AI"),
            group: "rhods-operator",
            scope: Scope::All,
            is_monitored: true,
        }),
        subscription: "rhods-operator",
        package: "rhods-operator",
        source: Catalog::RedHat,
        channel: wanted.channel.to_string(),
        approval: match wanted.approval {
            stack::Approval::Automatic => Approval::Automatic(Some(csv)),
            stack::Approval::Manual => Approval::Pinned(Pin { csv, along: &[] }),
        },
        config: None,
        kinds: KINDS,
    };
    let mut nodes = operator.nodes(context, |subscription| before_operator(context, subscription));
    nodes.push(Draft::object(
        at("rhoai.applications"),
        json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": APPLICATIONS, "labels": {"openshift.io/cluster-monitoring": "true"}},
        }),
    ));
    nodes.extend(instance::resources(context));
    nodes.extend(hardware_profiles::resources(context));
    nodes.extend(dashboard::resources(context));
    nodes
}

/// What the operator needs before it starts, and what it leaves (`reference/platform.md` §3, edges to
/// `rhoai.subscription`; §2.22 for the namespaces).
fn before_operator(context: &Context<'_>, subscription: Draft) -> Draft {
    let wanted = &context.stack.rhoai;
    let kept = "OpenShift AI made it and does not delete it; people may have put things there";
    let namespace = |name| ObjectRef::cluster("v1", "Namespace", name);
    subscription
        // OLM does not move the operator when the channel is changed in place (reference/platform.md §4 G33).
        .replaced_on("spec.channel")
        .after_write(
            at("rhoai.applications"),
            "the operator looks for its applications there",
        )
        .after(
            tempo::installed(),
            "the monitoring that it sets up keeps traces in Tempo",
        )
        .after(
            opentelemetry::kinds(),
            "the monitoring that it sets up needs a collector",
        )
        .after(
            connectivity_link::kinds(),
            "without kind AuthPolicy its reconciler crashes when it starts",
        )
        .after(kuadrant::operands(), "it configures authentication when it starts")
        .after(
            leader_worker_set::workload_kinds(),
            "its serving controllers watch LeaderWorkerSet",
        )
        .leaves(namespace(wanted.monitoring.namespace.as_str()), kept)
        .leaves(namespace(wanted.workbench_namespace.as_str()), kept)
        .leaves(namespace(wanted.registry_namespace.as_str()), kept)
        .leaves(
            ObjectRef::cluster("v1", "ConfigMap", "odh-trusted-ca-bundle"),
            "OpenShift AI put its bundle of certificate authorities into every namespace",
        )
}
