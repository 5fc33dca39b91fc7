//! Where every resource of a stack stands in the cluster now, and what it waits for.
//!
//! In: what is desired and what is recorded, as [`Subject`]s, and what was seen. Out: a [`Standing`] for each, in the order
//! of the graph.
//!
//! Invariants:
//! - Readiness is judged by the observations that an apply waits for, and by nothing else. Where only the stack file has
//!   them and it is gone, the answer is [`Is::Unknown`], never "ready".
//! - What could not be read is [`Is::Unknown`] with the server's words, never "absent".
//! - A waiting resource names only what it truly waits for: edges whose other end is not as far as they ask.
//!
//! Deliberately absent: reading the cluster (`execute::look` and `execute::follow` do), and what differs from the stack,
//! which plan and drift tell.

use crate::{
    FieldPath,
    address::Address,
    field::PathElement,
    graph::{Edge, Graph, Until},
    marks::{Identity, Whose},
    object_key::ObjectRef,
    ownership::{ManagedEntry, holder, managed_entries},
    plan::NodeKind,
    readiness::{Observation, Readiness, Rule, Seen, Sight, judge},
    recorded::{Recorded, RecordedNode, RecordedObject},
    resource::{Diagnosis, Node, Resource},
    survey::observations,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What a standing is asked of.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its address.
    pub address: Address,
    /// What it is.
    pub node: NodeKind,
    /// The object that it writes, if it writes one.
    pub object: Option<ObjectRef>,
    /// What it waits for.
    pub edges: Vec<Edge>,
    /// Whether something is recorded of it.
    pub is_recorded: bool,
    /// Whether the stack has it; of the record alone, everything counts as had.
    pub is_desired: bool,
    judged: Judged,
    /// Known symptoms of it not becoming ready.
    pub(crate) diagnoses: Vec<Diagnosis>,
    /// What a person has to do when it does not come, where only a person can.
    asks: Option<String>,
    /// Who we are, where that is to be told from others.
    identity: Option<Arc<Identity>>,
}

/// What readiness is judged by.
#[derive(Clone, Debug)]
enum Judged {
    /// What an apply waits for.
    By(Vec<Observation>),
    /// Of an action that has not run nothing is judged: its goal may hold all the same. This is what is, once it ran.
    HasNotRun(Vec<Observation>),
    /// An action that ran: there is nothing to see of it.
    Ran,
    /// Only the stack file says, and it is not there.
    Unsaid,
}

/// Where one resource stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Its address.
    pub address: Address,
    /// What it is.
    pub node: NodeKind,
    /// The object that it writes, if it writes one.
    pub object: Option<ObjectRef>,
    /// How it is.
    pub is: Is,
    /// What a known symptom says beside that.
    pub because: Option<String>,
    /// What a person has to do, where that is known.
    pub asks: Option<String>,
    /// What it waits for: nothing when it is ready.
    pub waits_for: Vec<Edge>,
    /// Whether something is recorded of it.
    pub is_recorded: bool,
    /// Whether the stack has it.
    pub is_desired: bool,
}

/// How a resource is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Is {
    /// Ready; what says so, if there is something to say.
    Ready(String),
    /// Not ready yet, and why, in the controller's own words where it has any.
    NotReady(String),
    /// It will not become ready by itself, and why.
    Failed(String),
    /// Its object is not there.
    Absent,
    /// Its object is being deleted, and what for that is waited for.
    Going(String),
    /// That cannot be said, and why.
    Unknown(String),
}

impl Is {
    /// Every code, in the order in which they are counted and shown.
    pub const CODES: [&'static str; 6] = ["ready", "failed", "not-ready", "deleting", "absent", "unknown"];

    /// The word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ready(_) => "ready",
            Self::NotReady(_) => "not-ready",
            Self::Failed(_) => "failed",
            Self::Absent => "absent",
            Self::Going(_) => "deleting",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Its words; none for what is not there.
    pub fn why(&self) -> &str {
        match self {
            Self::Ready(why) | Self::NotReady(why) | Self::Failed(why) | Self::Going(why) | Self::Unknown(why) => why,
            Self::Absent => "",
        }
    }

    /// Whether it is ready.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready(_))
    }
}

/// What was seen of a cluster, and what could not be.
pub trait Evidence: Seen {
    /// Why one of these was not read, if one was not.
    fn unread(&self, sights: &[Sight]) -> Option<String>;
}

impl Subject {
    /// What is desired, in the order of its graph, and behind it what is recorded and no longer desired.
    pub fn of_stack(resources: &[Resource], graph: &Graph, recorded: &BTreeMap<Address, Recorded>) -> Vec<Self> {
        let by_address: BTreeMap<&Address, &Resource> = resources.iter().map(|one| (&one.address, one)).collect();
        let desired = graph.order().iter().filter_map(|address| by_address.get(address));
        let mut all: Vec<_> = desired
            .map(|resource| Self::desired(resource, graph, recorded.contains_key(&resource.address)))
            .collect();
        let left = recorded
            .values()
            .filter(|known| !by_address.contains_key(&known.address));
        all.extend(left.map(|known| Self {
            is_desired: false,
            edges: Vec::new(),
            ..Self::recorded(known, Some(vec![]))
        }));
        all
    }

    /// What is recorded, where there is no stack: `by_kind` says of an object when it is ready, if its kind alone says so.
    pub fn of_record(
        recorded: &BTreeMap<Address, Recorded>,
        by_kind: impl Fn(&RecordedObject) -> Option<Observation>,
    ) -> Vec<Self> {
        let known = |edge: &&Edge| recorded.contains_key(&edge.to);
        let edges = recorded
            .values()
            .flat_map(|one| one.edges.iter().filter(known))
            .cloned();
        let order = match Graph::of_edges(recorded.keys().cloned(), edges) {
            Ok(graph) => graph.order().to_vec(),
            Err(_) => recorded.keys().cloned().collect(),
        };
        let subject = |address: &Address| {
            let known = recorded.get(address)?;
            let by = match &known.node {
                RecordedNode::Object(object) => by_kind(object).map(|one| vec![one]),
                _ => None,
            };
            Some(Self::recorded(known, by))
        };
        order.iter().filter_map(subject).collect()
    }

    fn desired(resource: &Resource, graph: &Graph, is_recorded: bool) -> Self {
        let judged = match &resource.node {
            Node::Action(action) if !is_recorded && !action.satisfied_by_goal => {
                Judged::HasNotRun(observations(resource))
            }
            _ => Judged::By(observations(resource)),
        };
        Self {
            address: resource.address.clone(),
            node: kind_of(&resource.node),
            object: resource.object().cloned(),
            edges: graph.dependencies(&resource.address).into_iter().cloned().collect(),
            is_recorded,
            is_desired: true,
            judged,
            diagnoses: resource.diagnoses.clone(),
            asks: match &resource.node {
                Node::Gate(gate) => gate.asks.clone(),
                _ => None,
            },
            identity: None,
        }
    }

    fn recorded(known: &Recorded, by: Option<Vec<Observation>>) -> Self {
        let (node, judged) = match &known.node {
            RecordedNode::Object(_) => (NodeKind::Object, by.map_or(Judged::Unsaid, Judged::By)),
            RecordedNode::Overlay { .. } => (NodeKind::Overlay, by.map_or(Judged::Unsaid, Judged::By)),
            RecordedNode::Gate => (NodeKind::Gate, Judged::Unsaid),
            RecordedNode::Action { .. } => (NodeKind::Action, Judged::Ran),
        };
        Self {
            address: known.address.clone(),
            node,
            object: known.object().map(|object| object.object.clone()),
            edges: known.edges.clone(),
            is_recorded: true,
            is_desired: true,
            judged,
            diagnoses: Vec::new(),
            asks: None,
            identity: None,
        }
    }

    /// The same, as ours: an object that another stack made is not taken for it.
    #[must_use]
    pub fn of(self, identity: &Arc<Identity>) -> Self {
        Self {
            identity: Some(identity.clone()),
            ..self
        }
    }

    /// The other stack that made what is there in place of our object.
    fn made_by(&self, live: &Value) -> Option<String> {
        let object = self
            .object
            .as_ref()
            .filter(|_| self.node == NodeKind::Object && !self.is_recorded)?;
        match self.identity.as_ref()?.whose(live, &self.address, object, None) {
            Whose::OtherStack(stack) => Some(stack),
            Whose::Ours | Whose::Foreign => None,
        }
    }

    /// Learns that something is recorded of it by now, or no more.
    pub fn learn(&mut self, is_recorded: bool) {
        self.is_recorded = is_recorded;
        if let (Judged::HasNotRun(observations), true) = (&mut self.judged, is_recorded) {
            self.judged = Judged::By(std::mem::take(observations));
        }
    }

    /// What its standing rests on, but for its symptoms.
    pub fn sights(&self) -> Vec<Sight> {
        let own = self.object.iter().map(|object| Sight::One(object.clone()));
        let by = match &self.judged {
            Judged::By(observations) | Judged::HasNotRun(observations) => observations.as_slice(),
            Judged::Ran | Judged::Unsaid => &[],
        };
        own.chain(by.iter().flat_map(|one| one.target.sights())).collect()
    }

    /// How it is, by what was seen.
    pub fn judge(&self, seen: &impl Evidence) -> Is {
        if let Some(why) = seen.unread(&self.sights()) {
            return Is::Unknown(why);
        }
        if let Some(object) = &self.object {
            match seen.object(object) {
                None => return Is::Absent,
                Some(live) if !Rule::Exists.evaluate(live).is_ready() => return Is::Going(going(live)),
                Some(live) => {
                    if let Some(stack) = self.made_by(live) {
                        return Is::Failed(format!("belongs to the stack `{stack}`"));
                    }
                }
            }
        }
        match &self.judged {
            Judged::By(observations) => match judge(observations, seen) {
                Readiness::Ready(why) => Is::Ready(why),
                Readiness::Progressing(why) => Is::NotReady(why),
                Readiness::Failed(why) => Is::Failed(why),
            },
            Judged::HasNotRun(_) => Is::NotReady("has not run yet".to_owned()),
            Judged::Ran => Is::Ready("ran".to_owned()),
            Judged::Unsaid if self.object.is_some() => {
                Is::Unknown("is there; only the stack file says when it is ready".to_owned())
            }
            Judged::Unsaid => Is::Unknown("only the stack file says what it waits for".to_owned()),
        }
    }
}

fn kind_of(node: &Node) -> NodeKind {
    match node {
        Node::Object(_) => NodeKind::Object,
        Node::Overlay(_) => NodeKind::Overlay,
        Node::Gate(_) => NodeKind::Gate,
        Node::Action(_) => NodeKind::Action,
        Node::Check(_) => NodeKind::Check,
    }
}

/// Why an object on its way out is still there.
pub(crate) fn going(live: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let (kind, name) = (text(&live["kind"]), text(&live["metadata"]["name"]));
    let listed = live["metadata"]["finalizers"].as_array().into_iter().flatten();
    let finalizers: Vec<_> = listed.filter_map(Value::as_str).collect();
    let still = if finalizers.is_empty() {
        format!("{kind} {name} is still there")
    } else {
        format!("{kind} {name} waits for its finalizers: {}", finalizers.join(", "))
    };
    // What a namespace or a definition still holds stands in its own conditions.
    let conditions = live["status"]["conditions"].as_array().into_iter().flatten();
    let says = conditions
        .filter(|one| one["status"] == "True" && one["type"].as_str().is_some_and(|of| HOLDS.contains(&of)))
        .filter_map(|one| one["message"].as_str());
    says.fold(still, |text, message| format!("{text}; {message}"))
}

/// Conditions of a Namespace and of a CustomResourceDefinition that say why one that is being deleted is still there
/// (Kubernetes API reference, NamespaceCondition; apiextensions.k8s.io/v1, `Terminating`; ssa-semantics §12).
const HOLDS: [&str; 6] = [
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
    "NamespaceDeletionContentFailure",
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "Terminating",
];

/// Who put each finalizer of an object there and when that manager last wrote it, as far as the server notes it: whose
/// finalizer it is, and a sign of whether they live.
pub(crate) fn put_by(live: &Value) -> Vec<String> {
    let entries = managed_entries(live);
    let listed = live["metadata"]["finalizers"].as_array().into_iter().flatten();
    let one = |finalizer: &Value| {
        let entry = finalizer_holder(&entries, finalizer.as_str()?)?;
        let when = entry
            .time
            .as_ref()
            .map(|time| format!(", which last wrote it at {time}"));
        let (name, manager) = (finalizer.as_str()?, &entry.manager);
        Some(format!("{name} was put there by {manager}{}", when.unwrap_or_default()))
    };
    listed.filter_map(one).collect()
}

/// The entry of managedFields that put a finalizer there.
pub(crate) fn finalizer_holder<'a>(entries: &'a [ManagedEntry], finalizer: &str) -> Option<&'a ManagedEntry> {
    let value = Value::from(finalizer).to_string();
    let path = FieldPath::of("metadata.finalizers").child(PathElement::Value(value));
    holder(entries, &path, "")
}

/// Where every subject stands; `symptom` tells of one that is not ready what is known about that, and what it asks for.
pub fn standings(
    subjects: &[Subject],
    seen: &impl Evidence,
    symptom: impl Fn(&Subject) -> (Option<String>, Option<String>),
) -> Vec<Standing> {
    let verdicts: Vec<Is> = subjects.iter().map(|one| one.judge(seen)).collect();
    let by_address: BTreeMap<&Address, (&Is, bool)> = subjects
        .iter()
        .zip(&verdicts)
        .map(|(one, is)| (&one.address, (is, one.object.is_some())))
        .collect();
    let is_unmet = |edge: &&Edge| match (by_address.get(&edge.to), edge.until) {
        (Some((Is::Ready(_) | Is::Unknown(_), _)) | None, _) => false,
        (Some((Is::NotReady(_) | Is::Failed(_) | Is::Going(_), writes)), Until::Applied) => {
            // What is there was written; of what only waits or runs, "written" means that it is over.
            !writes
        }
        (Some((Is::Absent, _)), Until::Applied) | (Some(_), Until::Ready) => true,
    };
    let standing = |(one, is): (&Subject, &Is)| {
        let is = is.clone();
        let waits = one.is_desired && !matches!(is, Is::Ready(_) | Is::Unknown(_));
        let waits_for: Vec<_> = match waits {
            true => one.edges.iter().filter(is_unmet).cloned().collect(),
            false => Vec::new(),
        };
        // What waits for others is explained by those.
        let (because, asks) = match (&is, waits && waits_for.is_empty()) {
            (Is::NotReady(_) | Is::Failed(_), true) => symptom(one),
            _ => (None, None),
        };
        let own = one
            .asks
            .clone()
            .filter(|_| matches!(is, Is::NotReady(_)) && waits_for.is_empty());
        Standing {
            address: one.address.clone(),
            node: one.node,
            object: one.object.clone(),
            because: because.filter(|because| !is.why().contains(because.as_str())),
            asks: asks.or(own),
            is,
            waits_for,
            is_recorded: one.is_recorded,
            is_desired: one.is_desired,
        }
    };
    subjects.iter().zip(&verdicts).map(standing).collect()
}

/// How many stand how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// By [`Is::code`], of what the stack has.
    pub by_code: BTreeMap<&'static str, usize>,
    /// How many left the stack, and are still recorded.
    pub left: usize,
}

impl Tally {
    /// Counts.
    pub fn of<'a>(standings: impl IntoIterator<Item = &'a Standing>) -> Self {
        let mut tally = Self::default();
        for standing in standings {
            if standing.is_desired {
                *tally.by_code.entry(standing.is.code()).or_default() += 1;
            } else {
                tally.left += 1;
            }
        }
        tally
    }

    /// How many have this code.
    pub fn count(&self, code: &str) -> usize {
        self.by_code.get(code).copied().unwrap_or_default()
    }

    /// How many there are, of what the stack has.
    pub fn total(&self) -> usize {
        self.by_code.values().sum()
    }

    /// Whether everything is ready, and known to be.
    pub fn is_all_ready(&self) -> bool {
        self.count("ready") == self.total()
    }
}

/// What holds others up: what is not ready and waits for nothing of the stack, with how many wait for it, however far;
/// those for which most wait come first.
pub fn held_up_by(standings: &[Standing]) -> Vec<(&Address, usize)> {
    let mut waiting: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
    for standing in standings {
        for edge in &standing.waits_for {
            waiting.entry(&edge.to).or_default().push(&standing.address);
        }
    }
    let roots = standings.iter().filter(|one| one.waits_for.is_empty());
    let mut held: Vec<(&Address, usize)> = roots
        .filter(|root| waiting.contains_key(&root.address))
        .map(|root| {
            let (mut found, mut next) = (BTreeSet::new(), vec![&root.address]);
            while let Some(address) = next.pop() {
                for behind in waiting.get(address).into_iter().flatten() {
                    if found.insert(*behind) {
                        next.push(behind);
                    }
                }
            }
            (&root.address, found.len())
        })
        .collect();
    held.sort_by(|(one, fewer), (two, more)| more.cmp(fewer).then(one.cmp(two)));
    held
}
