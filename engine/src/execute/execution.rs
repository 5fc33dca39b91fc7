//! What is carried out, and how.

use crate::{
    address::Address, clearers::Clearer, digest::StackKey, marks::Identity, plan::Plan, recorded::Recorded,
    resource::Resource,
};
use std::{collections::BTreeMap, time::Duration};

/// Everything that is carried out.
#[derive(Debug)]
pub struct Execution<'a> {
    /// What would be done.
    pub plan: &'a Plan,
    /// What is desired.
    pub resources: &'a [Resource],
    /// What was recorded.
    pub recorded: &'a BTreeMap<Address, Recorded>,
    /// Who we are.
    pub identity: &'a Identity,
    /// The stack's key.
    pub key: Option<&'a StackKey>,
    /// How it is carried out.
    pub options: Options,
}

/// How a plan is carried out.
#[derive(Clone, Debug)]
pub struct Options {
    /// Requests in flight at most.
    pub parallelism: usize,
    /// How long every resource may take, in place of its own limit.
    pub ready_timeout: Option<Duration>,
    /// What the resources' own limits are multiplied by: 1 for a real cluster, 1 / speed for a simulated one.
    pub time_scale: f64,
    /// Takes fields that others own and we never recorded.
    pub force_conflicts: bool,
    /// Takes objects that are there and not ours.
    pub adopt: bool,
    /// How long each resource took before, for the order of what could start.
    pub durations: BTreeMap<Address, Duration>,
    /// Who clears which finalizers: data of the catalogue.
    pub clearers: &'static [Clearer],
}

impl Default for Options {
    fn default() -> Self {
        Self {
            parallelism: 16,
            ready_timeout: None,
            time_scale: 1.0,
            force_conflicts: false,
            adopt: false,
            durations: BTreeMap::new(),
            clearers: &[],
        }
    }
}
