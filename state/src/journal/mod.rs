//! What happened since the snapshot: append one entry, replay, take all into the snapshot.
//!
//! Invariants:
//! - What was taken up by `intend` and `record` is durable once `flush` has returned, all of it by one line and one wait for
//!   the disk: a kill or a loss of power leaves all of it or none.
//! - A line carries the serial of the state after it, so a line that the snapshot already holds is passed over: it does
//!   not matter whether a kill came before or after the old journal was cleared.
//! - Only the last line can be broken, since each is durable before the next is begun. A broken line before a whole one
//!   is damage, not a kill.
//! - After a failed append nothing is appended to that journal again: the next entry first rewrites the snapshot.

mod replay;
#[cfg(test)]
mod tests;

pub(crate) use replay::load;

use crate::{Backend, LocalBackend, copy::ClusterCopy, error::StateError, format, recorded::State};
use stackctl_engine::{
    Address,
    execute::{Intent, Journal, JournalError, Outcome, PatchRequest},
    facts::Facts,
};

/// A journal that is smaller than this, in bytes, is never taken into the snapshot before the run ends.
const SMALL_JOURNAL: usize = 4 << 20;

/// One thing that changes a state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    /// Something is about to happen.
    Intent(Intent),
    /// Something happened.
    Outcome(Outcome),
    /// The cluster was looked at: what was open of an address is answered.
    Settled(Address),
    /// An address was renamed.
    Moved {
        /// The address so far.
        from: Address,
        /// The address from now on.
        to: Address,
    },
    /// The facts were read.
    Facts(Facts),
    /// Several things, in their order, that became durable together.
    Together(Vec<Self>),
}

impl Entry {
    /// What of it happened, whether or not it could be stored; what was only wanted did not.
    fn happened(self) -> Option<Self> {
        match self {
            Self::Outcome(_) => Some(self),
            Self::Together(entries) => {
                let happened: Vec<_> = entries.into_iter().filter_map(Self::happened).collect();
                (!happened.is_empty()).then_some(Self::Together(happened))
            }
            Self::Intent(_) | Self::Settled(_) | Self::Moved { .. } | Self::Facts(_) => None,
        }
    }
}

/// The state of a run that is at work.
///
/// Dropping it loses nothing: what was journalled is replayed by the next [`LocalBackend::load`].
#[derive(Debug)]
pub struct StateJournal<'a, B: Backend = LocalBackend> {
    backend: &'a B,
    lock: &'a B::Lock,
    state: State,
    /// What was taken up and is not durable yet.
    unsaved: Vec<Entry>,
    journal_bytes: usize,
    journal_limit: usize,
    append_failed: bool,
    copy: Option<ClusterCopy>,
}

impl<'a, B: Backend> StateJournal<'a, B> {
    /// Begins a run: stores the state whole, which shows that it can be stored before anything else happens.
    ///
    /// # Errors
    /// When it cannot be stored, or when the stored state is not the one that was read.
    pub fn start(backend: &'a B, state: State, lock: &'a B::Lock) -> Result<Self, StateError> {
        let stored = load(backend)?.map(|stored| (stored.lineage().to_owned(), stored.serial()));
        let fresh = stored.is_none() && state.serial() == 0;
        if !fresh && stored != Some((state.lineage().to_owned(), state.serial())) {
            return Err(StateError::ChangedMeanwhile {
                path: backend.place().snapshot,
            });
        }
        let mut journal = Self {
            backend,
            lock,
            state,
            unsaved: Vec::new(),
            journal_bytes: 0,
            journal_limit: SMALL_JOURNAL,
            append_failed: false,
            copy: None,
        };
        journal.compact()?;
        Ok(journal)
    }

    /// Says what the cluster keeps of this state now, so that it is told what it lacks before an effect.
    #[must_use]
    pub fn copied(mut self, copy: ClusterCopy) -> Self {
        self.copy = Some(copy);
        self
    }

    /// The state as it stands now, without what is not durable yet.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Keeps what was read about the cluster. Facts that are kept already write nothing.
    ///
    /// # Errors
    /// When they could not be stored.
    pub fn keep_facts(&mut self, facts: &Facts) -> Result<(), StateError> {
        if self.state.facts() == facts {
            return Ok(());
        }
        self.write(Entry::Facts(facts.clone()))
    }

    /// Closes what is open of an address: the cluster was looked at, and nothing more is to be recorded of it.
    ///
    /// # Errors
    /// When it could not be stored.
    pub fn settle(&mut self, address: &Address) -> Result<(), StateError> {
        if self
            .state
            .open_intents()
            .iter()
            .all(|intent| crate::address_of(intent) != address)
        {
            return Ok(());
        }
        self.write(Entry::Settled(address.clone()))
    }

    /// Renames what is recorded of an address.
    ///
    /// # Errors
    /// When nothing is recorded or open of `from`, something is of `to`, or it could not be stored.
    pub fn rename(&mut self, from: &Address, to: &Address) -> Result<(), StateError> {
        let is_open = |intent: &Intent| crate::address_of(intent) == from;
        if !self.state.recorded().contains_key(from) && !self.state.open_intents().iter().any(is_open) {
            return Err(StateError::NotRecorded(from.to_string()));
        }
        if self.state.recorded().contains_key(to) {
            return Err(StateError::Taken(to.to_string()));
        }
        self.write(Entry::Moved {
            from: from.clone(),
            to: to.clone(),
        })
    }

    /// Drops what is recorded of an address; the cluster is not touched.
    ///
    /// # Errors
    /// When nothing is recorded of it, or it could not be stored.
    pub fn forget(&mut self, address: &Address) -> Result<(), StateError> {
        if !self.state.recorded().contains_key(address) {
            return Err(StateError::NotRecorded(address.to_string()));
        }
        self.write(Entry::Outcome(Outcome::Forgotten(address.clone())))
    }

    /// Ends a run: takes the journal into the snapshot, and with it whatever was taken up since the last flush.
    ///
    /// # Errors
    /// When the snapshot could not be stored. Nothing that was durable is lost by that.
    pub fn finish(mut self) -> Result<State, StateError> {
        if let Some(entry) = self.taken_up() {
            self.state.take(entry);
        }
        self.compact()?;
        Ok(self.state)
    }

    /// Makes one entry durable, and what was taken up before it.
    fn write(&mut self, entry: Entry) -> Result<(), StateError> {
        self.unsaved.push(entry);
        self.save()
    }

    /// What was taken up and is not durable yet, as one entry.
    fn taken_up(&mut self) -> Option<Entry> {
        let mut entries = std::mem::take(&mut self.unsaved);
        match entries.len() {
            0 | 1 => entries.pop(),
            _ => Some(Entry::Together(entries)),
        }
    }

    fn save(&mut self) -> Result<(), StateError> {
        let Some(entry) = self.taken_up() else { return Ok(()) };
        if let Err(error) = self.append(&entry) {
            // What happened stays known in memory, so that a later swap can still save it; what was only wanted does
            // not happen. The line may be on disk all the same, so its serial is spent.
            match entry.happened() {
                Some(happened) => self.state.take(happened),
                None => self.state.skip_serial(),
            }
            return Err(error);
        }
        self.state.take(entry);
        if self.journal_bytes > self.journal_limit && self.compact().is_err() {
            // The entry is durable; only the tidying failed. Try again when there is as much again to tidy.
            self.journal_limit = 2 * self.journal_bytes;
        }
        Ok(())
    }

    fn append(&mut self, entry: &Entry) -> Result<(), StateError> {
        if self.append_failed {
            self.compact()?;
        }
        let line = format::encode_line(self.state.serial() + 1, self.state.lineage(), entry);
        let appended = self.backend.append(self.lock, &line);
        self.append_failed = appended.is_err();
        self.journal_bytes += line.len();
        appended
    }

    /// Stores the state whole and clears the journal.
    fn compact(&mut self) -> Result<(), StateError> {
        let snapshot = format::encode_state(&self.state);
        self.backend.swap(self.lock, &snapshot)?;
        self.append_failed = false;
        self.journal_bytes = 0;
        // A journal of twice the snapshot: what is rewritten stays in proportion to what is written.
        self.journal_limit = SMALL_JOURNAL.max(2 * snapshot.len());
        Ok(())
    }
}

impl<B: Backend> Journal for StateJournal<'_, B> {
    fn intend(&mut self, intent: &Intent) {
        self.unsaved.push(Entry::Intent(intent.clone()));
    }

    fn record(&mut self, outcome: &Outcome) {
        self.unsaved.push(Entry::Outcome(outcome.clone()));
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        self.save().map_err(|error| in_words(&error))
    }

    fn beforehand(&self, intent: &Intent) -> Option<PatchRequest> {
        self.copy.as_ref()?.lacking(intent)
    }
}

fn in_words(error: &StateError) -> JournalError {
    let reason = match error {
        StateError::Io { cause, .. } => format!("{error}: {cause}"),
        _ => error.to_string(),
    };
    JournalError {
        reason,
        hint: error.hint(),
    }
}
