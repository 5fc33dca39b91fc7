//! Leader Worker Set: groups of pods that serve one model together. The serving controllers watch its kind.
//!
//! Facts: `reference/platform.md` §2.8.

use super::{
    Context, cert_manager,
    draft::{Draft, Kind, at, established, seconds},
    olm::{Approval, Catalog, Home, Operator, Scope},
    platform_symptoms,
};
use serde_json::json;
use stackctl_engine::{Address, ObjectRef, readiness::Rule};

const KINDS: &[Kind] = &[Kind {
    group: "operator.openshift.io",
    kind: "LeaderWorkerSetOperator",
    plural: "leaderworkersetoperators",
    namespaced: false,
}];
/// Brought by the operand, after its settings.
const WORKLOAD_KINDS: &[Kind] = &[Kind {
    group: "leaderworkerset.x-k8s.io",
    kind: "LeaderWorkerSet",
    plural: "leaderworkersets",
    namespaced: true,
}];

/// The gate that its workload kind is served.
pub(super) fn workload_kinds() -> Address {
    at("leader-worker-set.workload-kinds")
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let operator = Operator {
        component: "leader-worker-set",
        title: "Leader Worker Set",
        namespace: "openshift-lws-operator",
        home: Some(Home {
            display_name: None,
            group: "leader-worker-set",
            scope: Scope::Own,
            is_monitored: true,
        }),
        subscription: "leader-worker-set",
        package: "leader-worker-set",
        source: Catalog::RedHat,
        channel: "stable-v1.0".to_owned(),
        approval: Approval::Default,
        config: None,
        kinds: KINDS,
    };
    let config = at("leader-worker-set.config");
    let mut nodes = operator.nodes(context, |subscription| subscription);
    nodes.extend([
        Draft::object(
            config.clone(),
            json!({
                "apiVersion": "operator.openshift.io/v1",
                "kind": "LeaderWorkerSetOperator",
                "metadata": {"name": "cluster"},
                "spec": {"logLevel": "Normal", "managementState": "Managed", "operatorLogLevel": "Normal"},
            }),
        )
        // No early failure on `Degraded`: it says so too while cert-manager is only late (§4 G40).
        .ready(Rule::Exists)
        .after(
            cert_manager::ready(),
            "its operand gets its certificates from cert-manager",
        ),
        Draft::gate(workload_kinds(), established(WORKLOAD_KINDS))
            .after_write(config, "its operand brings the kind")
            .provides(WORKLOAD_KINDS)
            .within(seconds(300))
            .diagnosed(platform_symptoms::leader_worker_set(
                ObjectRef::cluster("operator.openshift.io/v1", "LeaderWorkerSetOperator", "cluster"),
                "openshift-lws-operator",
            ))
            .note("waits for kind LeaderWorkerSet"),
    ]);
    nodes
}
