//! What is recorded of a stack, and who we are to the cluster because of it.

use super::cluster::Cluster;
use crate::{
    clock,
    error::{Error, Problem},
    settings::{ClusterChoice, Settings},
};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use stackctl_engine::{
    Address, Resource,
    digest::StackKey,
    execute::{Intent, Provider as _},
    handover::handed_over,
    left::{self, Found},
    marks::{Identity, Whose},
    moves::{LetGo, MoveError, Moves, Rename, renamed},
    ownership::managed_entries,
    plan::Purpose,
    recorded::{Recorded, RecordedNode, RecordedObject},
};
use stackctl_state::{LocalBackend, LockInfo, State, StateError, StateLock, new_lineage};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    pin::pin,
    sync::Arc,
    time::Duration,
};

/// How many objects that were intended are looked at at once.
const AT_ONCE: usize = 16;

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

/// What counts as recorded for a plan.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// The records, at the addresses of the stack as it is now; those of the state itself where nothing moved.
    pub(super) recorded: Arc<BTreeMap<Address, Recorded>>,
    /// What got another address for that; the state learns it when the plan is carried out.
    pub(super) renames: Vec<Rename>,
    /// What the stack says is to be left as it is.
    pub(super) let_go: BTreeMap<Address, LetGo>,
    /// What a run that ended early made, and the state is to learn of when the plan is carried out.
    pub(super) left: Vec<Recorded>,
}

impl Counted {
    /// Records at the addresses that a stack has for them.
    ///
    /// # Errors
    /// Moves that cannot be made.
    pub(super) fn of(
        mut all: Arc<BTreeMap<Address, Recorded>>,
        desired: &[Resource],
        moves: &Moves,
    ) -> Result<Self, Error> {
        let addresses: BTreeSet<_> = desired.iter().map(|resource| &resource.address).collect();
        let renames = moves.renames(&all, &addresses).map_err(|errors| cannot_move(&errors))?;
        if !renames.is_empty() {
            all = Arc::new(renamed(Arc::unwrap_or_clone(all), &renames));
        }
        let let_go = if moves.lets_go() {
            moves.let_go(Arc::make_mut(&mut all))
        } else {
            BTreeMap::new()
        };
        // What is desired where it is recorded moves nowhere.
        let is_handed_over = !all.keys().collect::<BTreeSet<_>>().is_subset(&addresses);
        if is_handed_over {
            all = Arc::new(handed_over(Arc::unwrap_or_clone(all), desired));
        }
        Ok(Self {
            recorded: all,
            renames,
            let_go,
            left: Vec::new(),
        })
    }
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

    /// Draws another key where something is recorded and the stack's key was lost: what is planned then records secret values
    /// by it. Where nothing is recorded there is nothing to compare by it, and the state itself may be what was lost.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn replace_lost_key(&mut self) -> Result<(), Error> {
        if self.key.is_none() && self.state.is_some() {
            self.key = Some(self.backend.key_or_create().map_err(problem)?);
        }
        Ok(())
    }

    /// How long each address took when this stack was last applied to a real cluster.
    ///
    /// A rehearsal has a state of its own, and learns nothing of a real cluster: what it is told stands in the state
    /// beside it. If that one cannot be read, nothing was learned; the estimate says so, and the rehearsal goes on.
    pub(super) fn really_took(&self, settings: &Settings) -> BTreeMap<Address, Duration> {
        let durations = |state: &State| state.durations().clone();
        if matches!(settings.cluster, ClusterChoice::Real { .. }) {
            return self.state.as_ref().map(durations).unwrap_or_default();
        }
        let beside = LocalBackend::open(&settings.real_state, &self.identity.stack).and_then(|backend| backend.load());
        match beside {
            Ok(state) => state.as_ref().map(durations).unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%error, "what a real cluster taught cannot be read");
                BTreeMap::new()
            }
        }
    }

    /// Refuses a cluster that the state is not of.
    pub(super) fn check_cluster(&self, cluster: &Cluster) -> Result<(), Error> {
        match &self.state {
            Some(state) => Ok(state.check_cluster(&cluster.id).map_err(problem)?),
            None => Ok(()),
        }
    }

    /// What counts as recorded for a plan: the records, what intents say of writes that a kill kept from being recorded, and
    /// all of it at the addresses that the stack has for it now. `left` are writes of which the cluster's copy alone knows.
    ///
    /// An intent tells what the cluster does not: whether an object was there before us, and what an overlay's fields
    /// held. It counts only if its write came through. While it is desired it is written again, so that it is recorded.
    pub(super) async fn recorded(
        &self,
        cluster: &Cluster,
        left: Vec<Recorded>,
        desired: &[Resource],
        purpose: Purpose,
        moves: &Moves,
    ) -> Result<Counted, Error> {
        let Some(state) = &self.state else {
            return Ok(Counted::default());
        };
        let mut all = state.shared_recorded();
        if state.open_intents().is_empty() && left.is_empty() {
            return Counted::of(all, desired, moves);
        }
        let open = state.open_intents().iter().filter_map(|intent| match intent {
            Intent::Write(record) => Some((&**record, false)),
            Intent::Delete { .. } | Intent::Act { .. } => None,
        });
        let intended = open.chain(left.iter().map(|record| (record, true)));
        let asked =
            stream::iter(intended).filter_map(async |(record, is_left)| Some((record, is_left, record.object()?)));
        let mut looked = pin!(
            asked
                .map(async |(record, is_left, object)| {
                    (record, is_left, object, cluster.provider.get(&object.object).await)
                })
                .buffered(AT_ONCE)
        );
        let mut found = Vec::new();
        while let Some((intended, is_left, object, live)) = looked.next().await {
            let live = live.map_err(|error| Problem::of(&error))?;
            if let Some(live) = live.filter(|live| came_through(&self.identity, intended, object, live)) {
                let record = left::found(intended, &live);
                found.push(Found { record, is_left });
            }
        }
        let wanted: HashSet<&Address> = desired.iter().map(|resource| &resource.address).collect();
        let mut made = Vec::new();
        for (address, Found { record, is_left }) in left::taken_up(state.recorded(), found) {
            if is_left {
                made.push(record.clone());
            }
            let record = match purpose == Purpose::Apply && wanted.contains(&address) {
                true => left::to_be_written_again(record),
                false => record,
            };
            Arc::make_mut(&mut all).insert(address, record);
        }
        Ok(Counted {
            left: made,
            ..Counted::of(all, desired, moves)?
        })
    }

    /// Takes the lock and reads the state again under it.
    pub(super) fn lock(&mut self, command: &str) -> Result<StateLock, Error> {
        let lock = self.backend.lock(&who(command)).map_err(problem)?;
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

fn cannot_move(errors: &[MoveError]) -> Error {
    Error::Problems(
        errors
            .iter()
            .map(|error| Problem::of(error).hint(error.hint()))
            .collect(),
    )
}

/// Who holds a lock, with which command.
pub(super) fn who(command: &str) -> LockInfo {
    LockInfo {
        who: format!("{}@{}", clock::user(), clock::host()),
        pid: clock::process_id(),
        command: format!("stackctl {command}"),
        since: clock::now(),
    }
}

fn uid_of(live: &Value) -> &str {
    live["metadata"]["uid"].as_str().unwrap_or_default()
}

/// Whether what was intended is what the live object shows: it bears our marks, or our overlay's manager holds fields.
fn came_through(identity: &Identity, intended: &Recorded, meant: &RecordedObject, live: &Value) -> bool {
    match &intended.node {
        RecordedNode::Object(object) => identity.whose(live, &intended.address, &object.object, None) == Whose::Ours,
        RecordedNode::Overlay { .. } => {
            let is_that_object = meant.uid.is_empty() || meant.uid == uid_of(live);
            let mut entries = managed_entries(live).into_iter();
            is_that_object && entries.any(|entry| entry.by_apply && entry.manager == meant.manager)
        }
        RecordedNode::Gate | RecordedNode::Action { .. } => false,
    }
}

/// A state's error with its way out.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(super) fn problem(error: StateError) -> Problem {
    match error.hint() {
        Some(hint) => Problem::of(&error).hint(hint),
        None => Problem::of(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use stackctl_engine::{
        digest::Digest,
        object_key::ObjectRef,
        packed::Packed,
        recorded::{Origin, RecordedDestroy},
    };

    const MANAGER: &str = "stackctl/s/a.b";

    fn identity() -> Identity {
        Identity {
            stack: "s".to_owned(),
            lineage: "l".to_owned(),
        }
    }

    /// An overlay of a ConfigMap that was intended while the ConfigMap had this uid.
    fn intended(uid: &str) -> Recorded {
        let object = RecordedObject {
            object: ObjectRef::namespaced("v1", "ConfigMap", "n", "c"),
            uid: uid.to_owned(),
            origin: Origin::Created,
            manager: MANAGER.to_owned(),
            sent: Digest::of(&json!("as desired")),
            manifest: Packed::default(),
            fields: std::sync::Arc::default(),
            sensitive: std::collections::BTreeSet::new(),
            key_id: None,
            owned: None,
        };
        Recorded {
            address: "a.b".parse().expect("an address"),
            node: RecordedNode::Overlay {
                object,
                undo: Vec::new(),
                documents: Vec::new(),
            },
            edges: Vec::new(),
            destroy: RecordedDestroy::default(),
        }
    }

    fn live(manager: &str) -> Value {
        let entry = json!({"manager": manager, "operation": "Apply", "fieldsV1": {"f:data": {"f:k": {}}}});
        json!({"metadata": {"name": "c", "namespace": "n", "uid": "u", "managedFields": [entry]}})
    }

    #[test]
    fn an_intended_overlay_counts_where_its_manager_holds_fields_of_the_object_that_was_meant() {
        let counts = |uid: &str, manager: &str| {
            let intended = intended(uid);
            let meant = intended.object().expect("an object");
            came_through(&identity(), &intended, meant, &live(manager))
        };
        assert!(counts("u", MANAGER) && counts("", MANAGER));
        assert!(!counts("another", MANAGER), "it was deleted and made anew");
        assert!(!counts("u", "kubectl"), "the kill came before the write");
    }
}
