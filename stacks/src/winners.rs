//! Managers that win over what a stack says of the size of a thing: autoscalers. The engine leaves them what they wrote
//! (see [`stackctl_engine::yields`]).
//!
//! Invariant: a manager is here only where its name follows from its source: a client that names no manager is noted by the
//! program's name (reference/ssa-semantics.md §8), and who scales does it through the subresource `scale` (§1, §6).
//!
//! Deliberately absent: OLM. In what a stack writes it moves nothing (reference/platform.md §2.25).

use stackctl_engine::{Resource, ownership::Winner, resource::Node};

/// Everybody who wins.
pub const WINNERS: &[Winner] = &[
    // The horizontal pod autoscaler is a loop of this program, and nothing else in it scales by the subresource.
    // https://github.com/kubernetes/kubernetes/blob/v1.32.0/cmd/kube-controller-manager/app/autoscaling.go
    Winner {
        manager: "kube-controller-manager",
        subresource: "scale",
    },
    // MachineSets that a MachineAutoscaler names.
    // https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/clusterapi/clusterapi_provider.go
    Winner {
        manager: "cluster-autoscaler",
        subresource: "scale",
    },
    // From nothing to one and back; in between it makes a horizontal pod autoscaler.
    // https://github.com/kedacore/keda/blob/main/Dockerfile, pkg/scaling/executor/scale_scaledobjects.go
    Winner {
        manager: "keda",
        subresource: "scale",
    },
];

/// Writes into resources which of them give way: those that say how many replicas there are to be.
pub fn give_way(resources: &mut [Resource]) {
    for resource in resources {
        let says_replicas = match &resource.node {
            Node::Object(object) => object.manifest.value().pointer("/spec/replicas").is_some(),
            Node::Overlay(_) | Node::Gate(_) | Node::Action(_) | Node::Check(_) => false,
        };
        if says_replicas {
            resource.lifecycle.yields_to = WINNERS;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use stackctl_engine::{Manifest, resource::Object};

    #[test]
    fn what_says_replicas_gives_way_to_autoscalers_and_nothing_else_does() {
        let of = |spec: serde_json::Value| {
            let manifest = Manifest::written(json!({"apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "d", "namespace": "n"}, "spec": spec}));
            Resource::new("a.b".parse().expect("an address"), Node::Object(Object::new(manifest)))
        };
        let mut resources = [of(json!({"replicas": 0})), of(json!({"paused": true}))];
        give_way(&mut resources);
        assert_eq!(resources[0].lifecycle.yields_to, WINNERS);
        assert_eq!(resources[1].lifecycle.yields_to, []);
    }
}
