//! What the checks look at: what to read, and what is kept of it.
//!
//! Invariant: of an object only the few fields leave that a check needs; of the pull secret, only names.

use crate::{
    cluster_facts::{FactRequest, credentials_mode, key, wanted},
    stack::{Quantity, Stack},
};
use serde_json::Value;
use stackctl_engine::{ObjectType, facts::Fact};
use std::collections::BTreeMap;

/// What was read, or why it could not be.
pub type Reading<T> = Result<T, Unread>;

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Where it stands.
    pub source: String,
    /// Why not.
    pub why: String,
}

/// What was read of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The facts of [`facts_wanted`], by key.
    pub facts: BTreeMap<String, Reading<Fact>>,
    /// Whether we may do everything.
    pub is_admin: Reading<bool>,
    /// The nodes.
    pub nodes: Reading<Vec<Node>>,
    /// The versions of operators, without copies.
    pub versions: Reading<Vec<Version>>,
    /// The Subscriptions of operators.
    pub subscriptions: Reading<Vec<Subscription>>,
}

impl Evidence {
    /// A fact that is a text, where the cluster has one, and where it was read.
    pub(super) fn text(&self, key: &str) -> Reading<(Option<&str>, &str)> {
        let (value, source) = self.fact(key)?;
        Ok((value.as_str().filter(|text| !text.is_empty()), source))
    }

    /// The value of a fact, null where the cluster has none, and where it was read.
    pub(super) fn fact(&self, key: &str) -> Reading<(&Value, &str)> {
        match self.facts.get(key) {
            Some(Ok(fact)) => Ok((&fact.value, &fact.source)),
            Some(Err(unread)) => Err(unread.clone()),
            None => Err(Unread {
                source: key.to_owned(),
                why: "it was not asked for".to_owned(),
            }),
        }
    }
}

/// Which facts the checks need: those of the stack that a check looks at, and the mode of cloud credentials always.
pub fn facts_wanted(stack: &Stack) -> Vec<FactRequest> {
    if stack.openshift.is_none() {
        return Vec::new();
    }
    let mut facts: Vec<_> = wanted(stack)
        .into_iter()
        .filter(|request| FACTS.contains(&request.key.as_str()) || request.key.starts_with(PACKAGES))
        .collect();
    facts.push(credentials_mode());
    facts
}

/// Facts that checks look at, beside the mode of cloud credentials.
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

/// What is listed in all namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Machines.
    Nodes,
    /// Versions of operators.
    Versions,
    /// Subscriptions to operators.
    Subscriptions,
}

impl Listing {
    /// The type of its objects.
    pub fn object_type(self) -> ObjectType {
        match self {
            Self::Nodes => ObjectType::new("v1", "Node"),
            Self::Versions => ObjectType::new("operators.coreos.com/v1alpha1", "ClusterServiceVersion"),
            Self::Subscriptions => ObjectType::new("operators.coreos.com/v1alpha1", "Subscription"),
        }
    }

    /// Where it is read, for people.
    pub const fn source(self) -> &'static str {
        match self {
            Self::Nodes => "Nodes .status.capacity, .status.nodeInfo.architecture",
            Self::Versions => "ClusterServiceVersions in all namespaces",
            Self::Subscriptions => "Subscriptions in all namespaces",
        }
    }
}

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
}

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

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
