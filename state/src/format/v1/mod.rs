//! Format 1: the structs on disk and their conversion, field by field, to and from the words of the engine.
//!
//! Invariants:
//! - What is written reads back equal; times are kept in whole milliseconds.
//! - No conversion uses `..`: a field that the engine gains does not compile until it has a place here.
//! - An unknown field is refused, never dropped: a reader that dropped it would write the state back without it. So from the
//!   first release on a new field is a new version; those that came before it have a value where they are not there, and are
//!   damage to an older build.

mod destroy;
mod edge;
mod entry;
mod json;
mod names;
mod readiness;
mod record;
#[cfg(test)]
mod tests;

use crate::{
    journal::Entry,
    recorded::{State, StateIdentity},
};
use entry::{StoredFacts, StoredIntent, StoredLine};
use names::Shared;
use record::StoredRecord;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, SeqAccess, Visitor},
};
use stackctl_engine::{Address, execute::Intent, recorded::Recorded};
use std::{collections::BTreeMap, fmt, time::Duration};

/// The version of this format.
pub(super) const VERSION: u64 = 1;
/// The version of a line of the journal that says several things at once, which a reader of version 1 does not know. A line
/// that says one thing is of version 1 as before, and so is a whole state. Some lines of several things were written under
/// version 1: they are read too.
pub(super) const GROUP_VERSION: u64 = 2;

/// What is JSON, and of this version, but not what this version says.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(pub(crate) String);

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// A whole state, with its records as they are written or as they are read.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredState<R> {
    format: String,
    version: u64,
    written_by: String,
    stack: String,
    cluster_id: String,
    lineage: String,
    serial: u64,
    created: String,
    created_by: String,
    facts: StoredFacts,
    durations_ms: BTreeMap<String, u64>,
    open_intents: Vec<StoredIntent>,
    recorded: R,
}

/// The records of a state, each made into a word of the engine as soon as it is read: as they stand on disk they would be
/// held beside all that they say.
struct ReadRecords(Vec<Recorded>);

impl<'de> Deserialize<'de> for ReadRecords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Records;
        impl<'de> Visitor<'de> for Records {
            type Value = ReadRecords;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of records")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut stored: S) -> Result<ReadRecords, S::Error> {
                let (mut shared, mut records) = (Shared::default(), Vec::new());
                while let Some(record) = stored.next_element::<StoredRecord>()? {
                    records.push(record.read(&mut shared).map_err(S::Error::custom)?);
                }
                Ok(ReadRecords(records))
            }
        }
        deserializer.deserialize_seq(Records)
    }
}

/// The text of a whole state.
pub(super) fn state_to_bytes(state: &State) -> Vec<u8> {
    let StateIdentity {
        stack,
        cluster_id,
        lineage,
        created,
        created_by,
    } = state.identity();
    let stored = StoredState {
        format: super::STATE.to_owned(),
        version: VERSION,
        written_by: crate::WRITTEN_BY.to_owned(),
        stack: stack.clone(),
        cluster_id: cluster_id.clone(),
        lineage: lineage.clone(),
        serial: state.serial(),
        created: created.clone(),
        created_by: created_by.clone(),
        facts: state.facts().into(),
        durations_ms: state
            .durations()
            .iter()
            .map(|(address, took)| (address.to_string(), milliseconds(*took)))
            .collect(),
        open_intents: state.open_intents().iter().map(StoredIntent::from).collect(),
        recorded: state.recorded().values().map(StoredRecord::from).collect::<Vec<_>>(),
    };
    let mut bytes = serde_json::to_vec(&stored).expect("every map of the format has texts as keys");
    bytes.push(b'\n');
    bytes
}

/// Reads a whole state.
pub(super) fn state_from_bytes(bytes: &[u8]) -> Result<State, Unreadable> {
    let StoredState {
        format: _,
        version: _,
        written_by: _,
        stack,
        cluster_id,
        lineage,
        serial,
        created,
        created_by,
        facts,
        durations_ms,
        open_intents,
        recorded: ReadRecords(recorded),
    } = serde_json::from_slice(bytes)?;
    let identity = StateIdentity {
        stack,
        cluster_id,
        lineage,
        created,
        created_by,
    };
    let by_address = by_address(recorded)?;
    let durations = durations_ms
        .into_iter()
        .map(|(address, ms)| Ok((address_of(&address)?, Duration::from_millis(ms))))
        .collect::<Result<_, Unreadable>>()?;
    let open_intents = open_intents
        .into_iter()
        .map(Intent::try_from)
        .collect::<Result<_, _>>()?;
    Ok(State::from_parts(
        identity,
        serial,
        by_address,
        facts.into(),
        durations,
        open_intents,
    ))
}

/// The body of one line of the journal, without its checksum.
pub(super) fn line_to_text(serial: u64, lineage: &str, entry: &Entry) -> String {
    let version = match entry {
        Entry::Together(_) => GROUP_VERSION,
        Entry::Intent(_) | Entry::Outcome(_) | Entry::Settled(_) | Entry::Moved { .. } | Entry::Facts(_) => VERSION,
    };
    let line = StoredLine {
        version,
        serial,
        lineage: lineage.to_owned(),
        entry: entry.into(),
    };
    serde_json::to_string(&line).expect("every map of the format has texts as keys")
}

/// Reads the body of one line of the journal: its serial, its lineage and what it says.
pub(super) fn line_from_text(text: &[u8]) -> Result<(u64, String, Entry), Unreadable> {
    let StoredLine {
        version: _,
        serial,
        lineage,
        entry,
    } = serde_json::from_slice::<StoredLine>(text)?;
    Ok((serial, lineage, entry.try_into()?))
}

/// Records by their addresses; they are written in that order, which costs the least to take up.
fn by_address(mut records: Vec<Recorded>) -> Result<BTreeMap<Address, Recorded>, Unreadable> {
    records.sort_by(|one, other| one.address.cmp(&other.address));
    match records.windows(2).find(|pair| pair[0].address == pair[1].address) {
        Some(pair) => Err(Unreadable(format!("`{}` is recorded twice", pair[0].address))),
        None => Ok(records
            .into_iter()
            .map(|record| (record.address.clone(), record))
            .collect()),
    }
}

fn address_of(text: &str) -> Result<Address, Unreadable> {
    text.parse()
        .map_err(|error| Unreadable(format!("`{text}` is not an address: {error}")))
}

/// Whole milliseconds; a time that is longer than the format can say is the longest it can say.
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
