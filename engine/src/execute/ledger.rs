//! The journal of one run: many lines, one wait for the disk.
//!
//! Invariants:
//! - A line is on its way until [`Ledger::save`] returns; an intent's effect begins after that, and so does whatever
//!   rests on an outcome.
//! - A save that fails fails for every line that was on its way, and for no other.

use super::{Intent, Journal, JournalError, Outcome, PatchRequest};
use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    task::{Poll, Waker},
};

/// What is written down, and who waits for it.
pub(super) struct Ledger<'a, J> {
    journal: RefCell<&'a mut J>,
    intents: RefCell<Vec<Rc<Slip>>>,
    /// Whether there are lines on their way, and whether somebody waits for one.
    on_their_way: Cell<bool>,
    awaited: Cell<bool>,
}

/// An intent on its way.
#[derive(Debug, Default)]
struct Slip {
    saved: RefCell<Option<Result<(), JournalError>>>,
    waits: RefCell<Option<Waker>>,
}

impl<'a, J: Journal> Ledger<'a, J> {
    pub(super) fn new(journal: &'a mut J) -> Self {
        Self {
            journal: RefCell::new(journal),
            intents: RefCell::default(),
            on_their_way: Cell::new(false),
            awaited: Cell::new(false),
        }
    }

    /// Writes an intent down; ends once it is durable.
    pub(super) async fn intend(&self, intent: &Intent) -> Result<(), JournalError> {
        let slip = Rc::new(Slip::default());
        self.journal.borrow_mut().intend(intent);
        self.intents.borrow_mut().push(Rc::clone(&slip));
        self.on_their_way.set(true);
        self.awaited.set(true);
        poll_fn(|context| match slip.saved.borrow_mut().take() {
            Some(saved) => Poll::Ready(saved),
            None => {
                *slip.waits.borrow_mut() = Some(context.waker().clone());
                Poll::Pending
            }
        })
        .await
    }

    /// Writes an outcome down that something rests on: the next save is to come soon.
    pub(super) fn record(&self, outcome: &Outcome) {
        self.note(outcome);
        self.awaited.set(true);
    }

    /// Writes an outcome down that nothing rests on: it is saved along with others.
    pub(super) fn note(&self, outcome: &Outcome) {
        self.journal.borrow_mut().record(outcome);
        self.on_their_way.set(true);
    }

    /// What has to be in the cluster before the effect of an intent.
    pub(super) fn beforehand(&self, intent: &Intent) -> Option<PatchRequest> {
        self.journal.borrow().beforehand(intent)
    }

    /// Whether somebody waits for a line to be durable.
    pub(super) fn is_awaited(&self) -> bool {
        self.awaited.get()
    }

    /// Makes everything that is on its way durable.
    pub(super) fn save(&self) -> Result<(), JournalError> {
        self.awaited.set(false);
        if !self.on_their_way.take() {
            return Ok(());
        }
        let saved = self.journal.borrow_mut().flush();
        for slip in self.intents.take() {
            *slip.saved.borrow_mut() = Some(saved.clone());
            if let Some(waits) = slip.waits.take() {
                waits.wake();
            }
        }
        saved
    }
}
