//! What the checks look at: the answers of a cluster, each with where it was read.

use super::objects::{Claim, Node, PlatformPod, Service, Subscription, Version};
use serde_json::Value;
use stackctl_engine::facts::Fact;
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

impl Unread {
    /// Something that no check was expected to look at.
    pub fn not_asked(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            why: "it was not asked for".to_owned(),
        }
    }
}

/// What was read of a cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The present time, in seconds since 1970.
    pub now: i64,
    /// The facts of [`facts_wanted`](super::facts_wanted) and [`facts_then`](super::facts_then), by key.
    pub facts: BTreeMap<String, Reading<Fact>>,
    /// Whether we may do everything.
    pub is_admin: Reading<bool>,
    /// The nodes.
    pub nodes: Reading<Vec<Node>>,
    /// The versions of operators, without copies.
    pub versions: Reading<Vec<Version>>,
    /// The Subscriptions of operators.
    pub subscriptions: Reading<Vec<Subscription>>,
    /// The models that are served.
    pub services: Reading<Vec<Service>>,
    /// The pods of OpenShift AI's own namespace.
    pub platform_pods: Reading<Vec<PlatformPod>>,
    /// The pods that ask for GPUs.
    pub claims: Reading<Vec<Claim>>,
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
            None => Err(Unread::not_asked(key)),
        }
    }
}

/// What was listed.
///
/// # Errors
/// Why it could not be.
pub(super) fn listed<T>(reading: &Reading<Vec<T>>) -> Reading<&[T]> {
    match reading {
        Ok(objects) => Ok(objects),
        Err(unread) => Err(unread.clone()),
    }
}
