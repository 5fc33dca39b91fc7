//! Whether an object is ready, judged from what was last seen of it.
//!
//! A [`Rule`] is data: the catalogue writes it, the executor evaluates it on every watch event. Nothing here waits.
//!
//! Invariants:
//! - "No status yet" is never ready.
//! - A condition that carries an `observedGeneration` older than the object's generation says nothing.
//! - Every verdict that is not ready says why, in the controller's own words where it has any.
//! - No verdict quotes what a Secret holds.
//! - No language is read here: an [`Expression`] comes compiled, as a function.

mod expression;
mod judge;
mod rule;
mod target;

pub use expression::{Expression, Unjudged};
pub use judge::{Observation, judge};
pub use rule::{Matcher, Rule};
pub use target::{Seen, Sight, Target};

/// What an object's last known state says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It is ready; what freed it, if there is something to say.
    Ready(String),
    /// Not yet, and why.
    Progressing(String),
    /// It will not become ready by itself, and why.
    Failed(String),
}

impl Readiness {
    /// Whether this is ready.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready(_))
    }

    /// The words of the verdict.
    pub fn why(&self) -> &str {
        match self {
            Self::Ready(why) | Self::Progressing(why) | Self::Failed(why) => why,
        }
    }
}
