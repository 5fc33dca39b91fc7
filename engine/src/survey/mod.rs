//! Reading the cluster for a plan: what is live, and what the server would answer.
//!
//! Invariants:
//! - Nothing is written, every apply is a dry run; there is no cluster-wide list of Secrets or ConfigMaps, because named
//!   objects are read by name and families in their namespace by label.
//! - An object is judged as it comes: of what is surely the same its text alone is held.

mod ask;
mod dry_run;
mod held;
mod read;
mod same;
mod to_come;
mod view;

pub(crate) use held::Held;
pub use view::View;

use crate::{
    FieldPath,
    address::Address,
    digest::StackKey,
    document::{DocumentError, ResolvedDocument},
    execute::{Cause, Provider, ProviderError, SecretSource},
    late::LateError,
    marks::{Identity, Whose},
    object_key::ObjectType,
    packed::Packed,
    readiness::{Observation, Readiness, judge},
    recorded::Recorded,
    resource::{Node, Resource},
};
use futures_util::{StreamExt as _, stream};
use same::Reading;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use to_come::ToCome;

/// What a survey is about.
#[derive(Debug)]
pub struct SurveyRequest<'a> {
    /// What is desired; empty for a destroy.
    pub resources: &'a [Resource],
    /// What was recorded.
    pub recorded: &'a BTreeMap<Address, Recorded>,
    /// Who we are.
    pub identity: &'a Identity,
    /// The stack's key, to compare sensitive leaves.
    pub key: Option<&'a StackKey>,
    /// How many requests are in flight at most.
    pub parallelism: usize,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Survey {
    /// Asked by address; nobody walks through it.
    found: HashMap<Address, Found>,
    view: View,
    /// What counts as ready without a look, where there is no cluster to look at.
    supposed_ready: BTreeSet<Address>,
}

/// What was found of one resource.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The object as it is.
    pub(crate) held: Option<Arc<Held>>,
    /// Whose it is, if it is there.
    pub whose: Option<Whose>,
    /// What the server would answer to our apply.
    pub answer: Answer,
    /// Late paths that are not known yet, with what they wait for.
    pub unknown: Vec<(FieldPath, String)>,
    /// Our parts of shared texts, as far as they are known.
    pub documents: Vec<ResolvedDocument>,
    /// How ready it is, where that was judged as it was read.
    readiness: Option<Readiness>,
}

impl Found {
    fn unchanged(held: Option<Arc<Held>>, whose: Option<Whose>) -> Self {
        Self {
            held,
            whose,
            answer: Answer::Unchanged,
            ..Self::default()
        }
    }

    /// The object as it is.
    pub fn live(&self) -> Option<&Value> {
        self.held.as_ref().map(|held| held.value())
    }

    /// What the server would make of the object, where it was asked or could be asked.
    pub(crate) fn after(&self) -> Option<Value> {
        match &self.answer {
            Answer::Would { object, .. } | Answer::Unverified { object, .. } => Some(object.open()),
            Answer::NotAsked
            | Answer::Unchanged
            | Answer::KindToCome(_)
            | Answer::NamespaceToCome(_)
            | Answer::TargetToCome
            | Answer::Refused(_)
            | Answer::Uneditable(_)
            | Answer::Late(_) => None,
        }
    }
}

/// What the server would answer to our apply.
#[derive(Clone, Debug, Default)]
pub enum Answer {
    /// It was not asked: there is nothing to apply.
    #[default]
    NotAsked,
    /// It was not asked: the same was sent before, and neither our fields nor what the server notes as ours has changed.
    Unchanged,
    /// This would be there.
    Would {
        /// The object afterwards.
        object: Packed,
        /// Whether it would be made.
        created: bool,
        /// Fields of others that would have to be taken.
        taken: Vec<Cause>,
        /// What the server warns of.
        warnings: Vec<String>,
    },
    /// It cannot be asked. What an apply would leave is said without the server.
    Unverified {
        /// The object afterwards, as far as that can be said here.
        object: Packed,
        /// Why not.
        why: Unanswered,
        /// Fields of others that would have to be taken.
        taken: Vec<Cause>,
    },
    /// It cannot be asked yet: this kind is not served.
    KindToCome(ObjectType),
    /// It cannot be asked yet: this namespace is not there.
    NamespaceToCome(String),
    /// It cannot be asked yet: the object whose fields we take is not there.
    TargetToCome,
    /// It would be refused.
    Refused(ProviderError),
    /// It was not asked: a shared text cannot be edited.
    Uneditable(DocumentError),
    /// A late value cannot be had.
    Late(LateError),
}

/// Why the server cannot say what an apply would leave, and would carry it out all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// This webhook takes no dry run.
    TakesNoDryRun(String),
    /// An entry of managedFields is in a version that is no longer served, which is mended before the apply.
    VersionGone,
    /// Its kind is served, and not yet in the version that the stack writes.
    VersionToCome(ObjectType),
}

/// Why the cluster could not be surveyed.
#[derive(Debug, thiserror::Error)]
#[error("{object} could not be read")]
pub struct SurveyError {
    /// What was read.
    pub object: String,
    /// What the provider said.
    #[source]
    pub cause: ProviderError,
}

impl Survey {
    /// What was found of an address.
    pub fn found(&self, address: &Address) -> Option<&Found> {
        self.found.get(address)
    }

    /// The live object of an address.
    pub fn live(&self, address: &Address) -> Option<&Value> {
        self.found.get(address)?.live()
    }

    /// The live object of an address, as it is held.
    pub(crate) fn held(&self, address: &Address) -> Option<&Held> {
        self.found.get(address)?.held.as_deref()
    }

    /// What was read, to judge gates on.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// How ready a resource is, by what was read.
    pub(crate) fn readiness(&self, resource: &Resource) -> Readiness {
        if self.supposed_ready.contains(&resource.address) {
            return Readiness::Ready(String::new());
        }
        let judged = self.found(&resource.address).and_then(|found| found.readiness.clone());
        judged.unwrap_or_else(|| judge(&observations(resource), &self.view))
    }

    /// The same where nobody could look: `same` stay as they are, and `ready` count as ready.
    #[must_use]
    pub(crate) fn supposing(mut self, same: &BTreeSet<Address>, ready: BTreeSet<Address>) -> Self {
        for address in same {
            if let Some(found) = self.found.get_mut(address).filter(|found| found.held.is_some()) {
                *found = Found::unchanged(found.held.take(), found.whose.take());
            }
        }
        self.supposed_ready = ready;
        self
    }
}

/// Reads everything that a plan needs.
///
/// # Errors
/// When the cluster does not answer a read. A refused dry run is no error here: the planner judges it.
pub async fn survey<P: Provider, S: SecretSource>(
    provider: &P,
    request: &SurveyRequest<'_>,
    secrets: &S,
) -> Result<Survey, SurveyError> {
    let width = request.parallelism.max(1);
    let view = read::everything(provider, request, &Reading::new(request), width).await?;
    let to_come = &ToCome::of(request, &view);
    let mut found = HashMap::with_capacity(request.resources.len());
    let mut open = Vec::new();
    for resource in request.resources {
        match ask::without_asking(&view, to_come, resource) {
            Some(same) => drop(found.insert(resource.address.clone(), same)),
            None => open.push(resource),
        }
    }
    let asked: Vec<_> = stream::iter(open)
        .map(|resource| {
            let view = &view;
            async move {
                let answer = ask::ask(provider, request, view, to_come, secrets, resource).await;
                (resource.address.clone(), answer)
            }
        })
        .buffered(width)
        .collect()
        .await;
    found.extend(asked);
    for (address, known) in request.recorded {
        if let Some(object) = known.object().filter(|_| !found.contains_key(address)) {
            let held = view.held(&object.object).cloned();
            let whose = held.as_ref().map(|held| {
                let is_what_was_recorded = held.uid() == object.uid;
                if is_what_was_recorded {
                    Whose::Ours
                } else {
                    request
                        .identity
                        .whose(held.value(), address, &object.object, Some(known))
                }
            });
            found.insert(
                address.clone(),
                Found {
                    held,
                    whose,
                    ..Found::default()
                },
            );
        }
    }
    Ok(Survey {
        found,
        view,
        supposed_ready: BTreeSet::new(),
    })
}

/// What a resource looks at.
pub(crate) fn observations(resource: &Resource) -> Vec<Observation> {
    match &resource.node {
        Node::Object(object) => object.observations(),
        Node::Overlay(overlay) => vec![overlay.observation()],
        Node::Gate(_) | Node::Action(_) | Node::Check(_) => beside(resource).to_vec(),
    }
}

/// What a resource looks at beside its own object.
pub(crate) fn beside(resource: &Resource) -> &[Observation] {
    match &resource.node {
        Node::Object(object) => &object.parts,
        Node::Overlay(_) => &[],
        Node::Gate(gate) => &gate.observations,
        Node::Action(action) => &action.goal,
        Node::Check(check) => &check.observations,
    }
}
