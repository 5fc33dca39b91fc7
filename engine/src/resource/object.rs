//! A whole object that is ours.

use crate::{
    manifest::Manifest,
    readiness::{Observation, Rule, Target},
};
use std::time::Duration;

/// A whole object, owned by server-side apply; deleted on destroy unless its lifecycle says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// What it should be.
    pub manifest: Manifest,
    /// When it is ready; [`Rule::Exists`] for kinds without a status.
    pub ready: Rule,
    /// When it never will be, by its own status.
    pub failed: Option<Rule>,
    /// What has to be seen beside it: parts that its controller makes, where its own status may still tell how they were
    /// before the last write.
    pub parts: Vec<Observation>,
    /// How long the verdict has to stand after a write that changed something, while its status is still the one of
    /// before: for kinds whose status says of no generation that it has seen it. Zero for most.
    pub settle: Duration,
}

impl Object {
    /// An object that is ready as soon as it is there.
    pub fn new(manifest: Manifest) -> Self {
        Self {
            manifest,
            ready: Rule::Exists,
            failed: None,
            parts: Vec::new(),
            settle: Duration::ZERO,
        }
    }

    /// An object that is ready when a rule holds.
    pub fn ready_when(manifest: Manifest, ready: Rule) -> Self {
        Self {
            manifest,
            ready,
            failed: None,
            parts: Vec::new(),
            settle: Duration::ZERO,
        }
    }

    /// Its readiness: an observation of itself, whose words come first, and those of its parts.
    pub fn observations(&self) -> Vec<Observation> {
        let own = Observation {
            target: Target::Named(self.manifest.object().clone()),
            ready: self.ready.clone(),
            failed: self.failed.clone(),
        };
        std::iter::once(own).chain(self.parts.iter().cloned()).collect()
    }
}
