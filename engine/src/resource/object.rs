//! A whole object that is ours.

use crate::{
    manifest::Manifest,
    readiness::{Observation, Rule, Target},
};

/// A whole object, owned by server-side apply; deleted on destroy unless its lifecycle says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// What it should be.
    pub manifest: Manifest,
    /// When it is ready; [`Rule::Exists`] for kinds without a status.
    pub ready: Rule,
    /// When it never will be, by its own status.
    pub failed: Option<Rule>,
}

impl Object {
    /// An object that is ready as soon as it is there.
    pub fn new(manifest: Manifest) -> Self {
        Self {
            manifest,
            ready: Rule::Exists,
            failed: None,
        }
    }

    /// An object that is ready when a rule holds.
    pub fn ready_when(manifest: Manifest, ready: Rule) -> Self {
        Self {
            manifest,
            ready,
            failed: None,
        }
    }

    /// Its readiness as an observation of itself.
    pub fn observation(&self) -> Observation {
        Observation {
            target: Target::Named(self.manifest.object().clone()),
            ready: self.ready.clone(),
            failed: self.failed.clone(),
        }
    }
}
