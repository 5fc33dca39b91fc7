//! What the checks ask of a cluster: facts, of which some are known only when others are, and lists.
//!
//! Invariant: nothing is asked for that no check of the stack looks at.

use super::{certificate, evidence::Reading, maas, models, objects::Node, operators};
use crate::{
    cluster_facts::{FactRequest, credentials_mode, key, wanted},
    components::names::APPLICATIONS,
    stack::{OpenShift, Stack},
};
use stackctl_engine::{ObjectType, facts::Fact};
use std::collections::BTreeMap;

/// Which facts the checks need: those that the stack is compiled with and a check looks at, and those of the checks alone.
pub fn facts_wanted(stack: &Stack) -> Vec<FactRequest> {
    let Some(openshift) = &stack.openshift else {
        return Vec::new();
    };
    let is_looked_at = |request: &FactRequest| match request.key.as_str() {
        key::ROUTER_CERTIFICATE => certificate::is_presented(openshift),
        key => FACTS.contains(&key) || key.starts_with(PACKAGES),
    };
    let mut facts: Vec<_> = wanted(stack).into_iter().filter(is_looked_at).collect();
    facts.push(credentials_mode());
    facts.extend(operators::facts(openshift));
    facts.extend(models::facts(openshift));
    facts.extend(maas::facts(openshift));
    // The stack may be compiled with one of them too.
    facts.sort_by(|a, b| a.key.cmp(&b.key));
    facts.dedup_by(|a, b| a.key == b.key);
    facts
}

/// Which facts the checks need beside them, now that the facts of [`facts_wanted`] are there.
pub fn facts_then(stack: &Stack, facts: &BTreeMap<String, Reading<Fact>>) -> Vec<FactRequest> {
    let stack = stack.openshift.as_ref();
    stack.map_or_else(Vec::new, |stack| certificate::facts(stack, facts))
}

/// Facts that a stack is compiled with and that checks look at.
const FACTS: &[&str] = &[
    key::OPENSHIFT,
    key::PLATFORM,
    key::BASE_DOMAIN,
    key::APPS_DOMAIN,
    key::STORAGE_CLASS,
    key::REGISTRIES,
];

/// How the keys of facts about packages begin.
pub(super) const PACKAGES: &str = "package[";

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Machines.
    Nodes,
    /// Versions of operators.
    Versions,
    /// Subscriptions to operators.
    Subscriptions,
    /// Models that are served.
    Services,
    /// Pods of OpenShift AI's own namespace.
    PlatformPods,
    /// Pods of every namespace.
    Pods,
}

impl Listing {
    /// Whether a check of the stack looks at it, given the nodes of the cluster.
    #[must_use]
    pub fn is_wanted(self, stack: &OpenShift, nodes: &[Node]) -> bool {
        match self {
            Self::Nodes | Self::Versions | Self::Subscriptions | Self::Services => true,
            Self::PlatformPods => operators::looks_at_the_controller(stack) || maas::has_embedded_database(stack),
            Self::Pods => models::counts_gpus(stack) && nodes.iter().any(|node| node.gpus > 0),
        }
    }

    /// The type of its objects.
    pub fn object_type(self) -> ObjectType {
        match self {
            Self::Nodes => ObjectType::new("v1", "Node"),
            Self::Versions => ObjectType::new("operators.coreos.com/v1alpha1", "ClusterServiceVersion"),
            Self::Subscriptions => ObjectType::new("operators.coreos.com/v1alpha1", "Subscription"),
            Self::Services => ObjectType::new("serving.kserve.io/v1alpha2", "LLMInferenceService"),
            Self::PlatformPods | Self::Pods => ObjectType::new("v1", "Pod"),
        }
    }

    /// The namespace that is listed; absent means every one.
    #[must_use]
    pub const fn namespace(self) -> Option<&'static str> {
        match self {
            Self::PlatformPods => Some(APPLICATIONS),
            Self::Nodes | Self::Versions | Self::Subscriptions | Self::Services | Self::Pods => None,
        }
    }

    /// Where it is read, for people.
    pub const fn source(self) -> &'static str {
        match self {
            Self::Nodes => "Nodes .status.capacity, .status.nodeInfo.architecture",
            Self::Versions => "ClusterServiceVersions in all namespaces",
            Self::Subscriptions => "Subscriptions in all namespaces",
            Self::Services => "LLMInferenceServices in all namespaces .spec.model.name",
            Self::PlatformPods => "Pods in redhat-ods-applications .status.containerStatuses",
            Self::Pods => "Pods in all namespaces .spec.containers[].resources, Nodes .status.allocatable",
        }
    }
}
