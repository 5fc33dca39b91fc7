//! A resource: one node of the graph, with everything the engine has to know to plan, apply and destroy it.
//!
//! In: what the catalogue compiled. Out: values that the graph, the planner and the executor read.
//!
//! Deliberately absent: what a kind means. That an approval approves an install plan is a word of the catalogue.

mod action;
mod diagnosis;
mod gate;
mod lifecycle;
mod object;
mod overlay;
mod sent;

pub use action::{Action, Effect};
pub(crate) use diagnosis::asked_of;
pub use diagnosis::{Denial, Diagnosis};
pub use gate::{Check, Gate, Remedy};
pub use lifecycle::{Adopt, Claim, DestroyStep, Lifecycle, NeededBy, Remains};
pub use object::Object;
pub use overlay::{Document, DocumentCodec, Overlay};
pub(crate) use sent::{sent_digest, written_value};

use crate::{
    address::Address,
    graph::Until,
    late::LateSource,
    object_key::{GroupKind, ObjectRef},
};
use std::time::Duration;

/// One node of the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Its stable name.
    pub address: Address,
    /// What it is.
    pub node: Node,
    /// How it lives and dies.
    pub lifecycle: Lifecycle,
    /// The kinds that exist in the cluster once this is ready enough (their CRDs are waited for by name).
    pub provides: Vec<Provides>,
    /// What it waits for, as the catalogue says; the engine infers more.
    pub depends_on: Vec<DependsOn>,
    /// How long it may take from the moment it may start until it is ready.
    pub ready_timeout: Duration,
    /// How long that usually takes on a real cluster, where it is known; see [`expected`](crate::estimate::expected).
    pub usual_time: Option<Duration>,
    /// What a person is told beside the address: `channel stable-v1`, `waits for CSV cert-manager-operator`.
    pub note: String,
    /// What a person has to know before saying yes; each starts with a verb: `approves …`, `buys …`.
    pub consequences: Vec<Consequence>,
    /// Known symptoms of it not becoming ready, the most telling first.
    pub diagnoses: Vec<Diagnosis>,
    /// What webhooks are known to refuse of it.
    pub denials: Vec<Denial>,
}

/// Something a person should know before the prompt, in the catalogue's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Consequence {
    /// What kind of thing it is; the order in which they are shown.
    pub class: ConsequenceClass,
    /// The sentence: `approves InstallPlan for rhcl-operator.v1.3.4 (and nothing else)`.
    pub text: String,
}

/// The kinds of consequence that are told apart before the prompt, in the order in which they are shown.
///
/// The plan makes a verdict of three of it: destructive, disruptive or safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConsequenceClass {
    /// Something is approved that a person would otherwise approve.
    Approval,
    /// Something that costs money.
    Cost,
    /// Rights over the whole cluster are given.
    ClusterRights,
    /// Fields of somebody else's object are taken.
    TakesFields,
    /// Data may be lost.
    DataLoss,
    /// Those who use the platform notice it: calls fail or go elsewhere, for a moment or from then on.
    Disruption,
    /// Somebody gets, or keeps, a way in that a person should know of: keys that outlive a change, calls without a token.
    Access,
    /// Anything else worth a line.
    Notice,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Owns a whole object by server-side apply.
    Object(Object),
    /// Owns some fields of an object that someone else creates.
    Overlay(Overlay),
    /// Only waits.
    Gate(Gate),
    /// Runs when its trigger changes, until its goal holds.
    Action(Action),
    /// Asserts something once its dependencies are ready.
    Check(Check),
}

/// A kind that a resource brings to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Provides {
    /// Group and kind.
    pub kind: GroupKind,
    /// The plural, which with the group is the CRD's name.
    pub plural: String,
    /// Whether objects of it live in a namespace.
    pub namespaced: bool,
}

/// An edge as the catalogue writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependsOn {
    /// What is waited for.
    pub address: Address,
    /// How far it has to be.
    pub until: Until,
    /// Why; shown.
    pub reason: String,
}

impl DependsOn {
    /// Waits until another resource is ready.
    pub fn ready(address: Address, reason: &str) -> Self {
        Self {
            address,
            until: Until::Ready,
            reason: reason.to_owned(),
        }
    }

    /// Waits until another resource is written.
    pub fn applied(address: Address, reason: &str) -> Self {
        Self {
            address,
            until: Until::Applied,
            reason: reason.to_owned(),
        }
    }
}

impl Resource {
    /// Makes a resource with the defaults: no edges, one minute to become ready, deleted on destroy.
    pub fn new(address: Address, node: Node) -> Self {
        Self {
            address,
            node,
            lifecycle: Lifecycle::default(),
            provides: Vec::new(),
            depends_on: Vec::new(),
            ready_timeout: Duration::from_secs(60),
            usual_time: None,
            note: String::new(),
            consequences: Vec::new(),
            diagnoses: Vec::new(),
            denials: Vec::new(),
        }
    }

    /// The object that this resource writes to, if it writes to one that is known by name.
    pub fn object(&self) -> Option<&ObjectRef> {
        match &self.node {
            Node::Object(object) => Some(object.manifest.object()),
            Node::Overlay(overlay) => Some(&overlay.target),
            Node::Gate(_) | Node::Action(_) | Node::Check(_) => None,
        }
    }

    /// How long a verdict on it has to stand; see [`Gate::settle`], [`Object::settle`] and [`Overlay::settle`].
    pub(crate) fn settle(&self) -> Duration {
        match &self.node {
            Node::Object(object) => object.settle,
            Node::Overlay(overlay) => overlay.settle,
            Node::Gate(gate) => gate.settle,
            Node::Action(_) | Node::Check(_) => Duration::ZERO,
        }
    }

    /// Where its late values come from.
    pub fn late_sources(&self) -> Vec<&LateSource> {
        match &self.node {
            Node::Object(object) => object.manifest.late().iter().map(|late| &late.source).collect(),
            Node::Overlay(overlay) => overlay.documents.iter().filter_map(Document::late).collect(),
            Node::Gate(_) | Node::Action(_) | Node::Check(_) => Vec::new(),
        }
    }
}
