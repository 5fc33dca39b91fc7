//! What was read about the cluster before anything is compiled: values by key, each with where it was read.
//!
//! Invariants: no OpenShift word stands here, the catalogue says what a key means; no fact is a secret.

use serde_json::Value;
use std::collections::BTreeMap;

/// How long a fact is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holding {
    /// Read again by every run.
    Live,
    /// Read once, kept in the state, moved only on request.
    Pinned,
}

/// One thing that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// What was read; null when the cluster has no such thing.
    pub value: Value,
    /// Where it was read, for people: `Infrastructure cluster .status.infrastructureName`.
    pub source: String,
    /// How long it is believed.
    pub holding: Holding,
}

/// Everything that was read, by key.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Facts {
    facts: BTreeMap<String, Fact>,
}

impl Facts {
    /// Adds a fact, in place of an older one of the same key.
    pub fn insert(&mut self, key: &str, fact: Fact) {
        self.facts.insert(key.to_owned(), fact);
    }

    /// The value of a fact, unless it is missing or null.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.facts
            .get(key)
            .map(|fact| &fact.value)
            .filter(|value| !value.is_null())
    }

    /// The value of a fact that is a text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str)
    }

    /// Every fact, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Fact)> {
        self.facts.iter().map(|(key, fact)| (key.as_str(), fact))
    }
}
