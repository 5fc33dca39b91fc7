//! One line of the journal and the facts, as they stand on disk.

use super::{Unreadable, address_of, names::StoredObject, record::StoredRecord};
use crate::journal::Entry;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stackctl_engine::{
    execute::{Intent, Outcome},
    facts::{Fact, Facts, Holding},
    recorded::Recorded,
};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredLine {
    pub(super) version: u64,
    pub(super) serial: u64,
    pub(super) lineage: String,
    pub(super) entry: StoredEntry,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum StoredEntry {
    Intent(StoredIntent),
    Recorded(Box<StoredRecord>),
    Forgotten { address: String },
    Took { address: String, ms: u64 },
    Settled { address: String },
    Moved { from: String, to: String },
    Facts(StoredFacts),
    Together(Vec<Self>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum StoredIntent {
    Write(Box<StoredRecord>),
    Delete {
        address: String,
        object: StoredObject,
        uid: String,
    },
    Act {
        address: String,
        what: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct StoredFacts(BTreeMap<String, StoredFact>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredFact {
    value: Value,
    source: String,
    holding: StoredHolding,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredHolding {
    Live,
    Pinned,
}

impl From<&Entry> for StoredEntry {
    fn from(entry: &Entry) -> Self {
        match entry {
            Entry::Intent(intent) => Self::Intent(intent.into()),
            Entry::Outcome(Outcome::Recorded(recorded)) => Self::Recorded(Box::new(recorded.as_ref().into())),
            Entry::Outcome(Outcome::Forgotten(address)) => Self::Forgotten {
                address: address.to_string(),
            },
            Entry::Outcome(Outcome::Took { address, milliseconds }) => Self::Took {
                address: address.to_string(),
                ms: *milliseconds,
            },
            Entry::Settled(address) => Self::Settled {
                address: address.to_string(),
            },
            Entry::Moved { from, to } => Self::Moved {
                from: from.to_string(),
                to: to.to_string(),
            },
            Entry::Facts(facts) => Self::Facts(facts.into()),
            Entry::Together(entries) => Self::Together(entries.iter().map(Self::from).collect()),
        }
    }
}

impl TryFrom<StoredEntry> for Entry {
    type Error = Unreadable;

    fn try_from(stored: StoredEntry) -> Result<Self, Unreadable> {
        Ok(match stored {
            StoredEntry::Intent(intent) => Self::Intent(intent.try_into()?),
            StoredEntry::Recorded(record) => Self::Outcome(Outcome::Recorded(Box::new(Recorded::try_from(*record)?))),
            StoredEntry::Forgotten { address } => Self::Outcome(Outcome::Forgotten(address_of(&address)?)),
            StoredEntry::Took { address, ms } => Self::Outcome(Outcome::Took {
                address: address_of(&address)?,
                milliseconds: ms,
            }),
            StoredEntry::Settled { address } => Self::Settled(address_of(&address)?),
            StoredEntry::Moved { from, to } => Self::Moved {
                from: address_of(&from)?,
                to: address_of(&to)?,
            },
            StoredEntry::Facts(facts) => Self::Facts(facts.into()),
            StoredEntry::Together(entries) => {
                Self::Together(entries.into_iter().map(Self::try_from).collect::<Result<_, _>>()?)
            }
        })
    }
}

impl From<&Intent> for StoredIntent {
    fn from(intent: &Intent) -> Self {
        match intent {
            Intent::Write(recorded) => Self::Write(Box::new(recorded.as_ref().into())),
            Intent::Delete { address, object, uid } => Self::Delete {
                address: address.to_string(),
                object: object.into(),
                uid: uid.clone(),
            },
            Intent::Act { address, what } => Self::Act {
                address: address.to_string(),
                what: what.clone(),
            },
        }
    }
}

impl TryFrom<StoredIntent> for Intent {
    type Error = Unreadable;

    fn try_from(stored: StoredIntent) -> Result<Self, Unreadable> {
        Ok(match stored {
            StoredIntent::Write(record) => Self::Write(Box::new(Recorded::try_from(*record)?)),
            StoredIntent::Delete { address, object, uid } => Self::Delete {
                address: address_of(&address)?,
                object: object.into(),
                uid,
            },
            StoredIntent::Act { address, what } => Self::Act {
                address: address_of(&address)?,
                what,
            },
        })
    }
}

impl From<&Facts> for StoredFacts {
    fn from(facts: &Facts) -> Self {
        let facts = facts.iter().map(|(key, Fact { value, source, holding })| {
            let fact = StoredFact {
                value: value.clone(),
                source: source.clone(),
                holding: match holding {
                    Holding::Live => StoredHolding::Live,
                    Holding::Pinned => StoredHolding::Pinned,
                },
            };
            (key.to_owned(), fact)
        });
        Self(facts.collect())
    }
}

impl From<StoredFacts> for Facts {
    fn from(StoredFacts(stored): StoredFacts) -> Self {
        let mut facts = Self::default();
        for (key, StoredFact { value, source, holding }) in stored {
            let holding = match holding {
                StoredHolding::Live => Holding::Live,
                StoredHolding::Pinned => Holding::Pinned,
            };
            facts.insert(&key, Fact { value, source, holding });
        }
        facts
    }
}
