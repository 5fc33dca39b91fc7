//! Nodes that write nothing: gates that wait, with the one remedy that practice prescribes, and checks.

use super::Effect;
use crate::readiness::Observation;
use std::time::Duration;

/// A node that only waits for what others make.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// What has to be seen; all of it.
    pub observations: Vec<Observation>,
    /// How long the verdict has to stand before it frees anything: for evidence that carries neither a generation
    /// nor a link. Zero for most.
    pub settle: Duration,
    /// What to do, once, when its symptom is seen.
    pub remedy: Option<Remedy>,
    /// What a person has to do when it does not come, where only a person can: ``create Secret llm/hf with the key
    /// `token` ``.
    pub asks: Option<String>,
}

/// The one thing that practice prescribes for a known race; shown in the plan, run once.
#[derive(Clone, Debug, PartialEq)]
pub struct Remedy {
    /// What has to be seen, for `after`, beside the gate being unready.
    pub symptom: Vec<Observation>,
    /// How long the gate has to wait first.
    pub after: Duration,
    /// What is done.
    pub effects: Vec<Effect>,
    /// What a person is told: `restarts the kuadrant operator, which looks for a gateway only at its start`.
    pub why: String,
}

/// An assertion, judged once everything it depends on is ready.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// What has to hold.
    pub observations: Vec<Observation>,
}

impl Gate {
    /// A gate over one observation.
    pub fn on(observation: Observation) -> Self {
        Self::all(vec![observation])
    }

    /// A gate over several observations.
    pub fn all(observations: Vec<Observation>) -> Self {
        Self {
            observations,
            settle: Duration::ZERO,
            remedy: None,
            asks: None,
        }
    }

    /// Adds the remedy.
    #[must_use]
    pub fn with_remedy(mut self, remedy: Remedy) -> Self {
        self.remedy = Some(remedy);
        self
    }
}
