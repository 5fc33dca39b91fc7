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

/// A fact that reads otherwise than it did.
#[derive(Clone, Debug, PartialEq)]
pub struct MovedFact {
    /// Its key.
    pub key: String,
    /// Where it was read.
    pub source: String,
    /// What it was; null when there was no such thing.
    pub before: Value,
    /// What it is; null when there is no such thing.
    pub after: Value,
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

    /// What reads otherwise than it did before, by key; what was not known before is not among it.
    pub fn moved_since(&self, before: &Self) -> Vec<MovedFact> {
        let moved = self.facts.iter().filter_map(|(key, now)| {
            let was = before.facts.get(key)?;
            (was.value != now.value).then(|| MovedFact {
                key: key.clone(),
                source: now.source.clone(),
                before: was.value.clone(),
                after: now.value.clone(),
            })
        });
        moved.collect()
    }

    /// Every fact, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Fact)> {
        self.facts.iter().map(|(key, fact)| (key.as_str(), fact))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn facts<'a>(all: impl IntoIterator<Item = (&'a str, Value)>) -> Facts {
        let mut facts = Facts::default();
        for (key, value) in all {
            let fact = Fact {
                value,
                source: format!("source of {key}"),
                holding: Holding::Pinned,
            };
            facts.insert(key, fact);
        }
        facts
    }

    #[test]
    fn only_what_was_known_and_reads_otherwise_moved() {
        let before = facts([("ami", json!("ami-1")), ("zone", json!("a")), ("gone", json!("x"))]);
        let now = facts([("ami", json!("ami-2")), ("zone", json!("a")), ("new", json!(1))]);
        let ami = MovedFact {
            key: "ami".to_owned(),
            source: "source of ami".to_owned(),
            before: json!("ami-1"),
            after: json!("ami-2"),
        };
        assert_eq!(now.moved_since(&before), [ami]);
        assert_eq!(now.moved_since(&now), []);
    }
}
