//! What definitions demand and this server does not judge, told once for each definition.
//!
//! Invariant: a definition that is read again, as it is when its status changes, tells nothing new.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use super::schema::Gaps;

/// The rules of one definition that are not judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unjudged {
    /// The name of the definition.
    pub definition: String,
    /// How many rules, by why they are not judged.
    pub reasons: Vec<(String, usize)>,
}

impl fmt::Display for Unjudged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.definition)?;
        for (index, (why, count)) in self.reasons.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            let noun = if *count == 1 { "rule is" } else { "rules are" };
            write!(formatter, "{separator}{count} {noun} not judged: {why}")?;
        }
        Ok(())
    }
}

/// All that was told so far.
#[derive(Debug)]
pub(super) struct Told {
    by_definition: Mutex<BTreeMap<String, Unjudged>>,
    count: watch::Sender<usize>,
}

impl Told {
    pub(super) fn new() -> Self {
        Self {
            by_definition: Mutex::new(BTreeMap::new()),
            count: watch::Sender::new(0),
        }
    }

    /// Takes in what of a definition is not judged.
    pub(super) fn tell(&self, definition: &str, gaps: &Gaps) {
        if gaps.is_empty() {
            return;
        }
        let mut told = self.by_definition.lock().unwrap_or_else(PoisonError::into_inner);
        told.entry(definition.to_owned()).or_insert_with(|| Unjudged {
            definition: definition.to_owned(),
            reasons: gaps.iter().map(|(why, count)| (why.to_string(), *count)).collect(),
        });
        self.count.send_replace(told.len());
    }

    /// Everything, by the name of the definition.
    pub(super) fn all(&self) -> Vec<Unjudged> {
        let told = self.by_definition.lock().unwrap_or_else(PoisonError::into_inner);
        told.values().cloned().collect()
    }

    /// Tells how many definitions there are.
    pub(super) fn subscribe(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }
}
