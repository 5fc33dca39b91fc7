//! Replay, torn lines, and appends that fail.

use super::*;
use crate::{
    LockInfo,
    backend::{Place, Stored},
    sample::{self, address},
};
use stackctl_engine::digest::StackKey;
use std::{
    cell::{Cell, RefCell},
    io,
};

/// A place in memory that can be told to tear the next append or to refuse swaps.
#[derive(Debug, Default)]
struct Memory {
    stored: RefCell<Stored>,
    tear_after: Cell<Option<usize>>,
    swaps_fail: Cell<bool>,
    appends: Cell<usize>,
}

fn full() -> StateError {
    StateError::io("write", "demo.journal")(io::ErrorKind::StorageFull.into())
}

impl Backend for Memory {
    type Lock = ();

    fn place(&self) -> Place {
        Place {
            stack: "demo".to_owned(),
            snapshot: "demo.state.json".into(),
            journal: "demo.journal".into(),
        }
    }

    fn read(&self) -> Result<Stored, StateError> {
        Ok(self.stored.borrow().clone())
    }

    fn append(&self, (): &(), line: &[u8]) -> Result<(), StateError> {
        self.appends.set(self.appends.get() + 1);
        let journal = &mut self.stored.borrow_mut().journal;
        match self.tear_after.take() {
            None => {
                journal.extend_from_slice(line);
                Ok(())
            }
            Some(bytes) => {
                journal.extend_from_slice(&line[..bytes.min(line.len())]);
                Err(full())
            }
        }
    }

    fn swap(&self, (): &(), snapshot: &[u8]) -> Result<(), StateError> {
        if self.swaps_fail.get() {
            return Err(full());
        }
        *self.stored.borrow_mut() = Stored {
            snapshot: Some(snapshot.to_vec()),
            journal: Vec::new(),
        };
        Ok(())
    }

    fn lock(&self, _who: &LockInfo) -> Result<(), StateError> {
        Ok(())
    }

    fn unlock(&self) -> Result<Option<LockInfo>, StateError> {
        Ok(None)
    }

    fn key(&self) -> Result<Option<StackKey>, StateError> {
        Ok(None)
    }

    fn key_or_create(&self) -> Result<StackKey, StateError> {
        Ok(StackKey::new([1; 32]))
    }
}

impl Memory {
    fn loaded(&self) -> State {
        load(self).expect("readable").expect("there")
    }

    fn begun(&self) -> StateJournal<'_, Self> {
        let state = State::new("demo", "c1", "l1", "2026-11-24T02:00:00Z");
        StateJournal::start(self, state, &()).expect("writable")
    }

    fn error(&self) -> String {
        load(self).expect_err("damaged").to_string()
    }
}

impl StateJournal<'_, Memory> {
    /// One intent, durable when this returns.
    fn intended(&mut self, intent: &Intent) -> Result<(), JournalError> {
        self.intend(intent);
        self.flush()
    }

    /// One outcome, durable when this returns.
    fn recorded(&mut self, outcome: &Outcome) -> Result<(), JournalError> {
        self.record(outcome);
        self.flush()
    }
}

fn gate(text: &str) -> Outcome {
    Outcome::Recorded(Box::new(sample::gate(text)))
}

#[test]
fn what_is_replayed_is_what_was_in_memory() {
    let place = Memory::default();
    let mut journal = place.begun();
    for entry in sample::entries() {
        journal.write(entry).expect("writable");
        assert_eq!(&place.loaded(), journal.state());
    }
    assert_eq!(place.loaded().serial(), 14);
    let ended = journal.finish().expect("writable");
    assert_eq!(place.loaded(), ended);
    assert!(place.stored.borrow().journal.is_empty());
}

#[test]
fn a_last_line_cut_at_any_byte_is_dropped_and_said() {
    let place = Memory::default();
    let mut journal = place.begun();
    journal.recorded(&gate("a.b")).expect("writable");
    let whole = place.stored.borrow().journal.len();
    journal.recorded(&gate("c.d")).expect("writable");
    let bytes = place.stored.borrow().journal.clone();
    for length in whole + 1..bytes.len() {
        place.stored.borrow_mut().journal = bytes[..length].to_vec();
        let state = place.loaded();
        assert_eq!(state.recorded().len(), 1);
        let dropped = state.dropped().expect("said");
        assert_eq!(
            dropped.to_string(),
            format!(
                "the last line of `demo.journal` was cut short while it was written; its {} bytes are dropped",
                length - whole
            )
        );
        // The next run begins with a whole snapshot, so nothing is ever written behind the torn line.
        let journal = StateJournal::start(&place, state, &()).expect("writable");
        assert_eq!(place.loaded().recorded().len(), 1);
        assert_eq!(place.loaded().dropped(), None);
        drop(journal);
        *place.stored.borrow_mut() = Stored::default();
        place.begun();
    }
}

#[test]
fn a_broken_line_before_a_whole_one_is_damage() {
    let place = Memory::default();
    let mut journal = place.begun();
    journal.recorded(&gate("a.b")).expect("writable");
    journal.recorded(&gate("c.d")).expect("writable");
    place.stored.borrow_mut().journal[40] ^= 1;
    assert_eq!(
        place.error(),
        "`demo.journal` is damaged: line 1 is not what was written"
    );
}

#[test]
fn a_line_that_is_missing_or_of_another_lineage_is_damage() {
    let place = Memory::default();
    let mut journal = place.begun();
    journal.recorded(&gate("a.b")).expect("writable");
    journal.recorded(&gate("c.d")).expect("writable");
    let bytes = place.stored.borrow().journal.clone();
    let second = bytes.iter().position(|byte| *byte == b'\n').expect("two lines") + 1;
    place.stored.borrow_mut().journal = bytes[second..].to_vec();
    assert_eq!(
        place.error(),
        "`demo.journal` is damaged: line 1 goes on at serial 2, but what is before it ends at 0"
    );
    place.stored.borrow_mut().journal = format::encode_line(1, "l2", &sample::recorded("a.b"));
    assert_eq!(
        place.error(),
        "`demo.journal` is damaged: line 1 belongs to the lineage l2"
    );
}

#[test]
fn an_outcome_that_could_not_be_appended_is_saved_by_the_next_swap() {
    let place = Memory::default();
    let mut journal = place.begun();
    place.tear_after.set(Some(30));
    let error = journal.recorded(&gate("a.b")).expect_err("no room");
    assert!(
        error.reason.starts_with("could not write `demo.journal`: "),
        "{}",
        error.reason
    );
    assert!(error.hint.is_some_and(|hint| hint.starts_with("make room")));
    assert!(place.loaded().recorded().is_empty());
    // As long as there is no room nothing is written behind the torn line.
    place.swaps_fail.set(true);
    journal.recorded(&gate("c.d")).expect_err("no room");
    assert!(place.loaded().recorded().is_empty());
    place.swaps_fail.set(false);
    journal.recorded(&gate("e.f")).expect("room again");
    assert_eq!(place.loaded().recorded().len(), 3);
    assert_eq!(&place.loaded(), journal.state());
}

#[test]
fn an_intent_that_could_not_be_appended_is_none_even_if_its_line_got_through() {
    let place = Memory::default();
    let mut journal = place.begun();
    place.tear_after.set(Some(usize::MAX));
    journal
        .intended(&sample::act("a.b", "restarts it"))
        .expect_err("not told durable");
    let torn = place.stored.borrow().journal.clone();
    journal.recorded(&gate("c.d")).expect("writable");
    // Killed between the swap and the clearing: the line of the failed intent is there again, and passed over.
    let line = place.stored.borrow().journal.clone();
    place.stored.borrow_mut().journal = [torn, line].concat();
    assert_eq!(place.loaded().open_intents(), []);
    assert_eq!(place.loaded().recorded().len(), 1);
}

#[test]
fn an_intent_is_open_until_its_address_has_an_outcome_or_was_looked_at() {
    let place = Memory::default();
    let mut journal = place.begun();
    for text in ["a.b", "a.b", "c.d", "e.f", "g.h"] {
        journal.intended(&sample::act(text, "restarts it")).expect("writable");
    }
    assert_eq!(journal.state().open_intents().len(), 4);
    journal.recorded(&gate("a.b")).expect("writable");
    journal.recorded(&Outcome::Forgotten(address("c.d"))).expect("writable");
    journal.settle(&address("e.f")).expect("writable");
    assert_eq!(place.loaded().open_intents(), [sample::act("g.h", "restarts it")]);
    let serial = journal.state().serial();
    journal.settle(&address("e.f")).expect("nothing to write");
    assert_eq!(journal.state().serial(), serial);
}

#[test]
fn what_is_taken_up_is_durable_after_one_append_and_not_before() {
    let place = Memory::default();
    let mut journal = place.begun();
    journal.intend(&sample::act("a.b", "restarts it"));
    for index in 0..20 {
        journal.record(&gate(&format!("c.d{index}")));
    }
    assert_eq!((place.loaded().recorded().len(), place.appends.get()), (0, 0));
    journal.flush().expect("writable");
    assert_eq!((place.loaded().recorded().len(), place.appends.get()), (20, 1));
    assert_eq!(place.loaded().open_intents(), [sample::act("a.b", "restarts it")]);
    assert_eq!(&place.loaded(), journal.state());
    journal.flush().expect("nothing to write");
    assert_eq!(place.appends.get(), 1);
    journal.record(&gate("e.f"));
    let ended = journal.finish().expect("writable");
    assert_eq!((ended.recorded().len(), place.loaded()), (21, ended));
}

#[test]
fn of_what_became_durable_together_a_cut_at_any_byte_leaves_nothing() {
    let place = Memory::default();
    let mut journal = place.begun();
    journal.recorded(&gate("a.b")).expect("writable");
    let whole = place.stored.borrow().journal.len();
    journal.intend(&sample::act("c.d", "restarts it"));
    journal.record(&gate("e.f"));
    journal.flush().expect("writable");
    let bytes = place.stored.borrow().journal.clone();
    for length in whole + 1..bytes.len() {
        place.stored.borrow_mut().journal = bytes[..length].to_vec();
        let state = place.loaded();
        assert_eq!((state.recorded().len(), state.open_intents().len()), (1, 0), "{length}");
        assert!(state.dropped().is_some());
    }
}

#[test]
fn of_what_could_not_become_durable_together_only_what_happened_is_saved_by_the_next_swap() {
    let place = Memory::default();
    let mut journal = place.begun();
    place.tear_after.set(Some(30));
    journal.intend(&sample::act("a.b", "restarts it"));
    journal.record(&gate("c.d"));
    journal.flush().expect_err("no room");
    journal.recorded(&gate("e.f")).expect("room again");
    assert_eq!(place.loaded().recorded().len(), 2);
    assert_eq!(place.loaded().open_intents(), []);
    assert_eq!(&place.loaded(), journal.state());
}

#[test]
fn a_rename_follows_edges_and_refuses_what_is_taken() {
    let place = Memory::default();
    let mut journal = place.begun();
    for record in sample::records() {
        journal
            .recorded(&Outcome::Recorded(Box::new(record)))
            .expect("writable");
    }
    journal.recorded(&gate("model[x].service")).expect("writable");
    let (from, to) = (address("maas.database"), address("maas.store"));
    journal.rename(&from, &to).expect("free");
    let state = place.loaded();
    let record = &state.recorded()[&to];
    assert!(record.address == to && record.edges.iter().all(|edge| edge.from == to));
    assert!(matches!(journal.rename(&from, &to), Err(StateError::NotRecorded(_))));
    assert!(matches!(
        journal.rename(&to, &address("model[x].service")),
        Err(StateError::Taken(_))
    ));
}

#[test]
fn facts_that_did_not_change_write_nothing() {
    let place = Memory::default();
    let mut journal = place.begun();
    journal.keep_facts(&sample::facts()).expect("writable");
    journal.keep_facts(&sample::facts()).expect("writable");
    assert_eq!((place.loaded().serial(), place.loaded().facts()), (1, &sample::facts()));
}

#[test]
fn a_journal_that_outgrows_the_snapshot_is_taken_into_it() {
    let place = Memory::default();
    let mut journal = place.begun();
    journal.journal_limit = 2_000;
    for index in 0..20 {
        journal.recorded(&gate(&format!("a.b{index}"))).expect("writable");
    }
    assert!(place.stored.borrow().journal.len() < 4_000);
    assert_eq!(&place.loaded(), journal.state());
    // A swap that fails is no failure of the entry, which is durable.
    journal.journal_limit = 0;
    place.swaps_fail.set(true);
    journal.recorded(&gate("c.d")).expect("durable in the journal");
    assert_eq!(&place.loaded(), journal.state());
}
