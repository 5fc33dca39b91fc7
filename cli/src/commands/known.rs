//! What is recorded of a stack, and who we are to the cluster because of it.

use super::cluster::Cluster;
use crate::{
    clock,
    error::{Error, Problem},
    settings::Settings,
};
use serde_json::Value;
use stackctl_engine::{
    Address, Resource,
    digest::StackKey,
    execute::{Intent, Provider as _},
    marks::{Identity, Whose},
    plan::Purpose,
    recorded::{Recorded, RecordedNode},
};
use stackctl_state::{LocalBackend, LockInfo, State, StateError, StateLock, new_lineage};
use std::collections::BTreeMap;

/// What is recorded of a stack.
#[derive(Debug)]
pub(super) struct Known {
    /// Where.
    pub(super) backend: LocalBackend,
    /// What; nothing before the first apply.
    pub(super) state: Option<State>,
    /// The stack's key, if one was drawn.
    pub(super) key: Option<StackKey>,
    /// Who we are; without a state, with the lineage that the first apply begins.
    pub(super) identity: Identity,
}

impl Known {
    /// Reads what is recorded. Nothing is written, not even a directory.
    pub(super) fn read(settings: &Settings, stack: &str) -> Result<Self, Error> {
        let backend = LocalBackend::open(&settings.state, stack).map_err(problem)?;
        let state = backend.load().map_err(problem)?;
        let key = backend.key().map_err(problem)?;
        let lineage = match &state {
            Some(state) => state.lineage().to_owned(),
            None => new_lineage().map_err(problem)?,
        };
        Ok(Self {
            backend,
            state,
            key,
            identity: Identity {
                stack: stack.to_owned(),
                lineage,
            },
        })
    }

    /// Refuses a cluster that the state is not of.
    pub(super) fn check_cluster(&self, cluster: &Cluster) -> Result<(), Error> {
        match &self.state {
            Some(state) => Ok(state.check_cluster(&cluster.id).map_err(problem)?),
            None => Ok(()),
        }
    }

    /// What counts as recorded for a plan: the records, and what an open intent says of writes that a kill kept from
    /// being recorded.
    ///
    /// - An object that bears our marks is found by them while it is desired, and needs no help; when it is to go, its
    ///   intent is the only record of it.
    /// - An overlay's intent holds what was there before us, which can be had from nowhere else. While it is desired
    ///   it is written again, so that it is recorded.
    pub(super) async fn recorded(
        &self,
        cluster: &Cluster,
        desired: &[Resource],
        purpose: Purpose,
    ) -> Result<BTreeMap<Address, Recorded>, Error> {
        let Some(state) = &self.state else {
            return Ok(BTreeMap::new());
        };
        let mut all = state.recorded().clone();
        for intent in state.open_intents() {
            let Intent::Write(intended) = intent else { continue };
            let address = &intended.address;
            let is_desired = purpose == Purpose::Apply && desired.iter().any(|resource| resource.address == *address);
            match &intended.node {
                RecordedNode::Object(object) if !is_desired && !all.contains_key(address) => {
                    let live = cluster
                        .provider
                        .get(&object.object)
                        .await
                        .map_err(|error| Problem::of(&error))?;
                    let Some(live) = live else { continue };
                    if self.identity.whose(&live, address, &object.object, None) == Whose::Ours {
                        all.insert(address.clone(), with_uid((**intended).clone(), &live));
                    }
                }
                RecordedNode::Overlay { .. } => {
                    let mut record = (**intended).clone();
                    if is_desired && let RecordedNode::Overlay { object, .. } = &mut record.node {
                        object.manifest = Value::Null;
                    }
                    all.insert(address.clone(), record);
                }
                RecordedNode::Object(_) | RecordedNode::Gate | RecordedNode::Action { .. } => {}
            }
        }
        Ok(all)
    }

    /// Takes the lock and reads the state again under it.
    pub(super) fn lock(&mut self, command: &str) -> Result<StateLock, Error> {
        let who = LockInfo {
            who: format!("{}@{}", clock::user(), clock::host()),
            pid: clock::process_id(),
            command: format!("stackctl {command}"),
            since: clock::now(),
        };
        let lock = self.backend.lock(&who).map_err(problem)?;
        self.state = self.backend.load().map_err(problem)?;
        if let Some(state) = &self.state {
            self.identity.lineage = state.lineage().to_owned();
        }
        Ok(lock)
    }

    /// The state to journal into: the one that was read, or a new one.
    pub(super) fn begun(&self, cluster: &Cluster) -> Result<State, Error> {
        match &self.state {
            Some(state) => Ok(state.clone()),
            None => Ok(self
                .backend
                .create(&cluster.id, &self.identity.lineage, &clock::now())
                .map_err(problem)?),
        }
    }
}

fn with_uid(mut record: Recorded, live: &Value) -> Recorded {
    if let RecordedNode::Object(object) = &mut record.node {
        object.uid = live["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
    }
    record
}

/// A state's error with its way out.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(super) fn problem(error: StateError) -> Problem {
    match error.hint() {
        Some(hint) => Problem::of(&error).hint(hint),
        None => Problem::of(&error),
    }
}
