//! What was last applied, per address, and what else outlives a run.
//!
//! In: a snapshot and the lines of the journal after it. Out: a [`State`], a value without a connection to where it
//! was read from.
//!
//! Invariants:
//! - The serial only grows: every entry that is taken in makes it one more.
//! - An intent stays open until an outcome of its address, or word that the cluster was looked at.

use crate::{error::StateError, format, journal::Entry};
use stackctl_engine::{
    Address,
    execute::{Intent, Outcome},
    facts::Facts,
    recorded::Recorded,
};
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Which state this is; never changes once it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateIdentity {
    /// The stack's name.
    pub stack: String,
    /// The cluster: the uid of its `kube-system` namespace.
    pub cluster_id: String,
    /// A random text that every later state of this one keeps.
    pub lineage: String,
    /// When it was made, in RFC 3339.
    pub created: String,
    /// The version of stackctl that made it.
    pub created_by: String,
}

/// What was last applied, per address, and what else outlives a run.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    identity: StateIdentity,
    serial: u64,
    recorded: Arc<BTreeMap<Address, Recorded>>,
    facts: Facts,
    durations: BTreeMap<Address, Duration>,
    open_intents: Vec<Intent>,
    dropped: Option<DroppedLine>,
}

/// The last line of a journal was cut short by a kill. Nobody was told of what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DroppedLine {
    /// The journal.
    pub path: PathBuf,
    /// How many bytes of the line were there.
    pub bytes: usize,
}

impl fmt::Display for DroppedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the last line of `{}` was cut short while it was written; its {} bytes are dropped",
            self.path.display(),
            self.bytes
        )
    }
}

/// Draws the lineage of a new state: 32 hexadecimal digits.
///
/// # Errors
/// When the system gives no random bytes.
pub fn new_lineage() -> Result<String, StateError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(StateError::NoRandomness)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

impl State {
    /// A state that holds nothing yet; nothing is stored by this. `created` is the time now, in RFC 3339.
    pub fn new(stack: &str, cluster_id: &str, lineage: &str, created: &str) -> Self {
        let identity = StateIdentity {
            stack: stack.to_owned(),
            cluster_id: cluster_id.to_owned(),
            lineage: lineage.to_owned(),
            created: created.to_owned(),
            created_by: crate::WRITTEN_BY.to_owned(),
        };
        Self::from_parts(
            identity,
            0,
            BTreeMap::new(),
            Facts::default(),
            BTreeMap::new(),
            Vec::new(),
        )
    }

    pub(crate) fn from_parts(
        identity: StateIdentity,
        serial: u64,
        recorded: BTreeMap<Address, Recorded>,
        facts: Facts,
        durations: BTreeMap<Address, Duration>,
        open_intents: Vec<Intent>,
    ) -> Self {
        Self {
            identity,
            serial,
            recorded: Arc::new(recorded),
            facts,
            durations,
            open_intents,
            dropped: None,
        }
    }

    /// Which state this is.
    pub fn identity(&self) -> &StateIdentity {
        &self.identity
    }

    /// The stack's name.
    pub fn stack(&self) -> &str {
        &self.identity.stack
    }

    /// The cluster that was applied to.
    pub fn cluster_id(&self) -> &str {
        &self.identity.cluster_id
    }

    /// The lineage.
    pub fn lineage(&self) -> &str {
        &self.identity.lineage
    }

    /// How many entries made this state.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// What was last applied, per address.
    pub fn recorded(&self) -> &BTreeMap<Address, Recorded> {
        &self.recorded
    }

    /// The same, for who keeps it beside the state: what the state learns after this is not in it.
    pub fn shared_recorded(&self) -> Arc<BTreeMap<Address, Recorded>> {
        Arc::clone(&self.recorded)
    }

    /// What was read about the cluster when it was last applied to.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// How long each address took to become ready when it last did.
    pub fn durations(&self) -> &BTreeMap<Address, Duration> {
        &self.durations
    }

    /// What was about to happen and of which no outcome is known, in the order of time: the cluster tells.
    pub fn open_intents(&self) -> &[Intent] {
        &self.open_intents
    }

    /// The line that a kill cut short, if there was one.
    pub fn dropped(&self) -> Option<&DroppedLine> {
        self.dropped.as_ref()
    }

    /// Whether nothing is recorded and nothing is open: what a destroy leaves.
    pub fn is_empty(&self) -> bool {
        self.recorded.is_empty() && self.open_intents.is_empty()
    }

    /// Refuses a cluster that this state is not of.
    ///
    /// # Errors
    /// When the ids differ.
    pub fn check_cluster(&self, cluster_id: &str) -> Result<(), StateError> {
        if self.cluster_id() == cluster_id {
            return Ok(());
        }
        Err(StateError::OtherCluster {
            stack: self.stack().to_owned(),
            recorded: self.cluster_id().to_owned(),
            reached: cluster_id.to_owned(),
        })
    }

    /// Refuses a lineage that is not this state's.
    ///
    /// # Errors
    /// When they differ.
    pub fn check_lineage(&self, lineage: &str) -> Result<(), StateError> {
        if self.lineage() == lineage {
            return Ok(());
        }
        Err(StateError::OtherLineage {
            stack: self.stack().to_owned(),
            found: self.lineage().to_owned(),
            wanted: lineage.to_owned(),
        })
    }

    /// Refuses to take the place of a newer state of the same line.
    ///
    /// # Errors
    /// When that one's serial is higher.
    pub fn check_not_older_than(&self, there: &Self) -> Result<(), StateError> {
        if self.serial >= there.serial {
            return Ok(());
        }
        Err(StateError::Older {
            stack: self.stack().to_owned(),
            serial: self.serial,
            there: there.serial,
        })
    }

    /// The state as it is stored, in the newest version of its format.
    pub fn to_bytes(&self) -> Vec<u8> {
        format::encode_state(self)
    }

    /// Reads a state that was stored, in any version that this program knows; `path` is for errors.
    ///
    /// # Errors
    /// When it is no state, damaged, or of a newer version.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, StateError> {
        format::decode_state(bytes, path)
    }

    /// Takes in one entry.
    pub(crate) fn take(&mut self, entry: Entry) {
        self.serial += 1;
        self.apply(entry);
    }

    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Intent(intent) => {
                // The same intent again, by a later run, is still one thing to look for.
                if !self.open_intents.contains(&intent) {
                    self.open_intents.push(intent);
                }
            }
            Entry::Outcome(Outcome::Recorded(recorded)) => {
                self.settle(&recorded.address);
                Arc::make_mut(&mut self.recorded).insert(recorded.address.clone(), *recorded);
            }
            Entry::Outcome(Outcome::Forgotten(address)) => {
                self.settle(&address);
                Arc::make_mut(&mut self.recorded).remove(&address);
            }
            Entry::Outcome(Outcome::Took { address, milliseconds }) => {
                self.durations.insert(address, Duration::from_millis(milliseconds));
            }
            Entry::Settled(address) => self.settle(&address),
            Entry::Moved { from, to } => self.rename(&from, &to),
            Entry::Facts(facts) => self.facts = facts,
            Entry::Together(entries) => entries.into_iter().for_each(|entry| self.apply(entry)),
        }
    }

    /// Lets a serial pass that a line on disk may carry, though we were told that it could not be written.
    pub(crate) fn skip_serial(&mut self) {
        self.serial += 1;
    }

    pub(crate) fn set_dropped(&mut self, dropped: DroppedLine) {
        self.dropped = Some(dropped);
    }

    fn settle(&mut self, address: &Address) {
        self.open_intents.retain(|intent| address_of(intent) != address);
    }

    /// Renames an address: in its own record, in what is open of it and in every edge that names it.
    fn rename(&mut self, from: &Address, to: &Address) {
        for intent in &mut self.open_intents {
            let address = match intent {
                Intent::Write(recorded) => &mut recorded.address,
                Intent::Delete { address, .. } | Intent::Act { address, .. } => address,
            };
            if address == from {
                *address = to.clone();
            }
        }
        let recorded = Arc::make_mut(&mut self.recorded);
        if let Some(mut record) = recorded.remove(from) {
            record.address = to.clone();
            recorded.insert(to.clone(), record);
        }
        if let Some(took) = self.durations.remove(from) {
            self.durations.insert(to.clone(), took);
        }
        for edge in recorded.values_mut().flat_map(|record| &mut record.edges) {
            for end in [&mut edge.from, &mut edge.to] {
                if end == from {
                    *end = to.clone();
                }
            }
        }
    }
}

/// The address that an intent is about.
pub fn address_of(intent: &Intent) -> &Address {
    match intent {
        Intent::Write(recorded) => &recorded.address,
        Intent::Delete { address, .. } | Intent::Act { address, .. } => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_cluster_and_another_lineage_are_named() {
        let state = State::new("demo", "c1", "l1", "2026-11-24T02:00:00Z");
        assert!(state.check_cluster("c1").is_ok() && state.check_lineage("l1").is_ok());
        assert_eq!(
            state.check_cluster("c2").expect_err("another").to_string(),
            "the state of `demo` is of the cluster c1, and this is the cluster c2"
        );
        assert_eq!(
            state.check_lineage("l2").expect_err("another").to_string(),
            "the state of `demo` has the lineage l1, not l2"
        );
    }

    #[test]
    fn two_lineages_are_never_alike() {
        let lineages = [new_lineage().expect("random"), new_lineage().expect("random")];
        assert_ne!(lineages[0], lineages[1]);
        assert!(lineages.iter().all(|lineage| lineage.len() == 32));
    }
}
