//! The NVIDIA GPU operator: drivers, device plugin and metrics on every node that Node Feature Discovery labels.
//!
//! Facts: `reference/platform.md` §2.6.

use super::{
    Context,
    draft::{Draft, Kind, TAKES_NOTICE, at, seconds, see},
    gpu, nfd,
    olm::{Approval, Catalog, Home, Operator, Scope},
    platform_symptoms,
};
use serde_json::json;
use stackctl_engine::{Address, ObjectRef, readiness::Rule};

/// Where the operator and its operands run.
pub(super) const NAMESPACE: &str = "nvidia-gpu-operator";
const POLICY: &str = "gpu-cluster-policy";
const KINDS: &[Kind] = &[Kind {
    group: "nvidia.com",
    kind: "ClusterPolicy",
    plural: "clusterpolicies",
    namespaced: false,
}];

/// The gate that drivers are on the GPU nodes.
pub(super) fn ready() -> Address {
    at("nvidia.ready")
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let Some(version) = &context.facts.gpu_operator else {
        return Vec::new();
    };
    let operator = Operator {
        component: "nvidia",
        title: "NVIDIA GPU",
        namespace: NAMESPACE,
        home: Some(Home {
            display_name: Some("NVIDIA GPU Operator"),
            group: "nvidia-gpu-operator",
            scope: Scope::Own,
            is_monitored: true,
        }),
        subscription: "gpu-operator-certified",
        package: "gpu-operator-certified",
        source: Catalog::Certified,
        channel: version.channel.clone(),
        approval: Approval::Automatic(Some(version.csv.clone())),
        config: None,
        kinds: KINDS,
    };
    let mut nodes = operator.nodes(context, |subscription| subscription);
    let policy = at("nvidia.policy");
    nodes.push(
        Draft::object(
            policy.clone(),
            json!({
                "apiVersion": "nvidia.com/v1",
                "kind": "ClusterPolicy",
                "metadata": {"name": POLICY},
                "spec": {
                    "operator": {"defaultRuntime": "crio", "use_ocp_driver_toolkit": true},
                    // Required by the schema, and its defaults are right.
                    "daemonsets": {},
                    "driver": {"enabled": true},
                    "toolkit": {"enabled": true},
                    "devicePlugin": {"enabled": true},
                    "dcgm": {"enabled": true},
                    // Left out, the operator deletes the ServiceMonitor of that name whenever it looks
                    // (reference/platform.md §2.6, §4 G14).
                    "dcgmExporter": {"enabled": true, "serviceMonitor": {"enabled": true, "interval": "15s"}},
                    "gfd": {"enabled": true},
                    "nodeStatusExporter": {"enabled": true},
                    "mig": {"strategy": "single"},
                },
            }),
        )
        .after_write(
            nfd::instance(),
            "the operator chooses nodes by the labels of Node Feature Discovery",
        ),
    );
    if gpu::expected_nodes(context) > 0 {
        nodes.push(
            Draft::gate(
                ready(),
                vec![see(
                    ObjectRef::cluster("nvidia.com/v1", "ClusterPolicy", POLICY),
                    on_nodes(),
                )],
            )
            .diagnosed_by(platform_symptoms::driver(
                ObjectRef::cluster("nvidia.com/v1", "ClusterPolicy", POLICY),
                NAMESPACE,
            ))
            .after_write(policy, "the operator rolls its daemonsets out for it")
            .after(
                nfd::labels(),
                "without labelled nodes the policy is ready and does nothing",
            )
            .within(seconds(600))
            // Its state says of no generation: for a moment it is that of the policy before.
            .settled(TAKES_NOTICE)
            .note("waits for drivers on the GPU nodes"),
        );
    }
    nodes
}

/// Ready, and not because there is nothing to do (`reference/platform.md` §4 G13).
fn on_nodes() -> Rule {
    Rule::All(vec![
        Rule::equals("status.state", "ready"),
        Rule::Not(Box::new(Rule::ConditionReason {
            kind: "Ready".to_owned(),
            reasons: vec!["NoGPUNodes".to_owned(), "NFDLabelsMissing".to_owned()],
        })),
    ])
}
