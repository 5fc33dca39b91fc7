//! The copy of a state that the cluster keeps: what undo needs, where it cannot be lost without what it undoes.
//!
//! In: a state, and what a run is about to write. Out: the bodies of Secrets, and back. Pure; the shell sends them.
//!
//! One Secret leads (`stack.<name>` in the namespace [`NAMESPACE`]); it is the parent of the stack's `ApplySet` too. It
//! holds the state, deflated, without how long things took, and what the run in progress intends. What does not fit goes
//! on in further Secrets.
//!
//! Invariants:
//! - What leads is replaced whole, and further Secrets are named after what they hold: whoever reads it sees one copy,
//!   never parts of two.
//! - What is about to be written stands in it before it is written; an intent that could not be told beforehand is added
//!   under a key of its own, so that two of them never stand in each other's way.
//! - It holds what a state holds, so no secret's value.
//!
//! Deliberately absent: durations and history, which no undoing needs, and the stack's key.

mod apply_set;
mod pack;
#[cfg(test)]
mod tests;

use crate::{error::StateError, format, journal::Entry, recorded::State};
use serde_json::{Map, Value, json};
use stackctl_engine::{
    Address, ObjectRef, ObjectType,
    digest::Digest,
    execute::{Intent, Patch, PatchRequest},
    marks::{MANAGED_BY_US, STACK_LABEL},
    recorded::{Recorded, RecordedNode},
    rights::{Right, Verb},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

/// The namespace that the copies of all stacks are in.
pub const NAMESPACE: &str = "stackctl";

const LINEAGE: &str = "stackctl.dev/lineage";
const SERIAL: &str = "stackctl.dev/serial";
const SUM: &str = "stackctl.dev/sum";
const PARTS: &str = "stackctl.dev/parts";
/// How many intents were open, or planned, when the copy was put in place.
const OPEN: &str = "stackctl.dev/open";
const MADE_FOR: &str = "stackctl.dev/made-for";
const COPIES: &str = "copies-of-states";
/// Where the state stands in a Secret's data.
const STATE: &str = "state";
/// What the keys of intents that were added later start with.
const INTENT: &str = "intent-";
/// The most bytes of the state in one Secret. A Secret holds 1 MiB of data (<https://kubernetes.io/docs/concepts/configuration/secret/#restrictions-on-data-size>);
/// a quarter of that stays free for intents that are added.
const PART: usize = 768 << 10;

/// The namespace of the copies.
pub fn namespace() -> ObjectRef {
    ObjectRef::cluster("v1", "Namespace", NAMESPACE)
}

/// The type of the objects that hold copies.
pub fn secrets() -> ObjectType {
    ObjectType::new("v1", "Secret")
}

/// The Secret that leads the copy of a stack.
pub fn head(stack: &str) -> ObjectRef {
    named(&format!("stack.{stack}"))
}

fn named(secret: &str) -> ObjectRef {
    ObjectRef::namespaced("v1", "Secret", NAMESPACE, secret)
}

/// The namespace as it is made where there is none.
pub fn namespace_body() -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": NAMESPACE, "labels": {MANAGED_BY_US.0: MANAGED_BY_US.1}, "annotations": {MADE_FOR: COPIES}}})
}

/// Whether a namespace was made for the copies, so that it may go with the last of them.
pub fn is_made_for_copies(namespace: &Value) -> bool {
    namespace["metadata"]["annotations"][MADE_FOR] == COPIES
}

/// Which rights keeping a copy takes, or taking it away, and its namespace with it. Whoever may not make the namespace
/// needs none for it once it is there.
pub fn rights(namespace_is_there: bool, removes: bool, namespace_goes: bool) -> BTreeSet<Right> {
    let right = |of: &ObjectType, namespace: Option<&str>, verb: Verb| Right {
        of: of.clone(),
        namespace: namespace.map(str::to_owned),
        verb,
    };
    let mut verbs = vec![Verb::Get, Verb::List, Verb::Create, Verb::Patch];
    if removes {
        verbs.push(Verb::Delete);
    }
    let mut all: BTreeSet<_> = verbs
        .into_iter()
        .map(|verb| right(&secrets(), Some(NAMESPACE), verb))
        .collect();
    let of = namespace().object_type;
    let mut verbs = vec![Verb::Get];
    if !namespace_is_there {
        verbs.extend([Verb::Create, Verb::Patch]);
    }
    if removes && namespace_goes {
        verbs.extend([Verb::List, Verb::Watch, Verb::Delete]);
    }
    all.extend(verbs.into_iter().map(|verb| right(&of, None, verb)));
    all.extend(crate::lease::rights(removes));
    all
}

/// Which copy a Secret leads: what can be told without reading it whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The lineage of the state.
    pub lineage: String,
    /// The serial of the state.
    pub serial: u64,
    sum: String,
    parts: usize,
}

impl Label {
    /// Reads what a leading Secret says of its copy.
    ///
    /// # Errors
    /// When it does not say it, or says nothing that can be understood: which state is newer cannot be told then.
    pub fn of(head: &Value) -> Result<Self, StateError> {
        let text = |name: &str| head["metadata"]["annotations"][name].as_str();
        let read = || {
            Some(Self {
                lineage: text(LINEAGE)?.to_owned(),
                serial: text(SERIAL)?.parse().ok()?,
                sum: text(SUM)?.to_owned(),
                parts: text(PARTS)?.parse().ok()?,
            })
        };
        read().ok_or_else(|| StateError::CopyDamaged {
            object: named(head["metadata"]["name"].as_str().unwrap_or_default()).to_string(),
            reason: "it does not say which state it holds".to_owned(),
        })
    }

    /// Whether a copy of a state, with nothing open in it, is this very copy.
    pub fn is_of(&self, state: &State) -> bool {
        let (bytes, _) = stored(state, &[]);
        self.sum == Digest::of_bytes(&bytes).short()
    }

    /// The further Secrets of the copy.
    pub fn further(&self, stack: &str) -> Vec<ObjectRef> {
        (2..=self.parts)
            .map(|number| further(stack, &self.sum, number))
            .collect()
    }
}

fn further(stack: &str, sum: &str, number: usize) -> ObjectRef {
    named(&format!("stack.{stack}.{sum}.{number}"))
}

/// A copy as it is to be kept.
#[derive(Clone, Debug)]
pub struct ClusterCopy {
    stack: String,
    lineage: String,
    serial: u64,
    sum: String,
    head: Value,
    further: Vec<(ObjectRef, Value)>,
    /// How each address is undone, by what stands in the copy.
    undone: BTreeMap<Address, Recorded>,
}

impl ClusterCopy {
    /// The copy of a state and of what a run is about to write.
    pub fn of(state: &State, planned: &[Recorded]) -> Self {
        let identity = state.identity();
        let (bytes, kept) = stored(state, planned);
        let sum = Digest::of_bytes(&bytes).short();
        let packed = pack::packed(&bytes);
        let parts: Vec<_> = packed.chunks(PART).collect();
        let stack = identity.stack.clone();
        let mut bodies = parts.iter().enumerate().map(|(index, part)| {
            let object = match index {
                0 => head(&stack),
                _ => further(&stack, &sum, index + 1),
            };
            let body = body(&object, &stack, part);
            (object, body)
        });
        let mut head = bodies.next().map_or(Value::Null, |(_, body)| body);
        let further: Vec<_> = bodies.collect();
        let annotations = json!({
            LINEAGE: identity.lineage,
            SERIAL: state.serial().to_string(),
            SUM: sum,
            PARTS: parts.len().to_string(),
            OPEN: kept.open_intents().len().to_string(),
        });
        head["metadata"]["annotations"] = annotations;
        apply_set::mark(&mut head, &crate::copy::head(&stack), &kept);
        let mut undone = state.recorded().clone();
        undone.extend(planned.iter().map(|record| (record.address.clone(), record.clone())));
        Self {
            lineage: identity.lineage.clone(),
            serial: state.serial(),
            stack,
            sum,
            head,
            further,
            undone,
        }
    }

    /// Whether a leading Secret leads this very copy, with nothing added.
    pub fn is_led_by(&self, head: &Value) -> bool {
        let added = head["data"].as_object().into_iter().flatten();
        Label::of(head).is_ok_and(|label| label.sum == self.sum && label.parts == self.further.len() + 1)
            && !added.into_iter().any(|(key, _)| key.starts_with(INTENT))
    }

    /// The further Secrets: to be there before the one that leads.
    pub fn further(&self) -> &[(ObjectRef, Value)] {
        &self.further
    }

    /// The Secret that leads, for a place where there is none.
    pub fn head(&self) -> &Value {
        &self.head
    }

    /// The patch that puts this copy in place of the one that a Secret leads now.
    pub fn replacing(&self, live: &Value) -> PatchRequest {
        let mut data: Map<String, Value> = live["data"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| (key.clone(), Value::Null))
            .collect();
        data.extend(self.head["data"].as_object().cloned().unwrap_or_default());
        let metadata = json!({
            "uid": live["metadata"]["uid"],
            "resourceVersion": live["metadata"]["resourceVersion"],
            "labels": self.head["metadata"]["labels"],
            "annotations": self.head["metadata"]["annotations"],
        });
        self.patch(&json!({"metadata": metadata, "data": data}))
    }

    /// What has to be added before the effect of an intent, if it is undone otherwise than the copy says.
    pub fn lacking(&self, intent: &Intent) -> Option<PatchRequest> {
        let Intent::Write(record) = intent else { return None };
        let known = self.undone.get(&record.address);
        if known.is_some_and(|known| known.is_undone_like(record)) {
            return None;
        }
        let line = format::encode_line(self.serial, &self.lineage, &Entry::Intent(intent.clone()));
        let key = format!(
            "{INTENT}{}",
            Digest::of_bytes(record.address.to_string().as_bytes()).short()
        );
        Some(self.patch(&json!({"data": {key: pack::text(&pack::packed(&line))}})))
    }

    fn patch(&self, patch: &Value) -> PatchRequest {
        PatchRequest {
            object: head(&self.stack),
            patch: Patch::Merge(patch.clone()),
            manager: manager(&self.stack),
            dry_run: false,
        }
    }
}

/// The state that a copy holds, and its bytes.
fn stored(state: &State, planned: &[Recorded]) -> (Vec<u8>, State) {
    let mut intents = state.open_intents().to_vec();
    intents.extend(planned.iter().map(|record| Intent::Write(Box::new(record.clone()))));
    let kept = State::from_parts(
        state.identity().clone(),
        state.serial(),
        state.recorded().clone(),
        state.facts().clone(),
        BTreeMap::new(),
        intents,
    );
    (format::encode_state(&kept), kept)
}

/// Whether a copy holds intents of a run that has not ended, or ended early; told without reading it whole.
pub fn has_open(head: &Value) -> bool {
    let said = head["metadata"]["annotations"][OPEN].as_str();
    let mut data = head["data"].as_object().into_iter().flatten();
    said.is_some_and(|said| said != "0") || data.any(|(key, _)| key.starts_with(INTENT))
}

/// The manager that writes the copy of a stack.
pub fn manager(stack: &str) -> String {
    format!("stackctl/{stack}")
}

/// Reads a copy from the Secret that leads and the further ones, in their order.
///
/// What a run had begun when it ended is open in the state. Gates and actions of it count for the order of a removal.
///
/// # Errors
/// When it is damaged, of a newer version, or another stack's.
pub fn read(stack: &str, head: &Value, further: &[Value]) -> Result<State, StateError> {
    let place = PathBuf::from(self::head(stack).to_string());
    let damaged = |reason: &str| StateError::CopyDamaged {
        object: self::head(stack).to_string(),
        reason: reason.to_owned(),
    };
    let label = Label::of(head)?;
    let mut packed = Vec::new();
    for secret in std::iter::once(head).chain(further) {
        let part = secret["data"][STATE].as_str().and_then(pack::untext);
        packed.extend(part.ok_or_else(|| damaged("a part of it is missing"))?);
    }
    let bytes = pack::unpacked(&packed).ok_or_else(|| damaged("its bytes are not what was written"))?;
    if Digest::of_bytes(&bytes).short() != label.sum {
        return Err(damaged("its sum is not that of its bytes"));
    }
    let state = format::decode_state(&bytes, &place)?;
    if state.stack() != stack {
        return Err(damaged(&format!("it is of the stack `{}`", state.stack())));
    }
    let mut recorded = state.recorded().clone();
    let mut open = Vec::new();
    let added = added(head, &label).map_err(|reason| damaged(&reason))?;
    for intent in state.open_intents().iter().cloned().chain(added) {
        match intent {
            Intent::Write(record) if matches!(record.node, RecordedNode::Gate | RecordedNode::Action { .. }) => {
                recorded.entry(record.address.clone()).or_insert(*record);
            }
            other => open.push(other),
        }
    }
    Ok(State::from_parts(
        state.identity().clone(),
        state.serial(),
        recorded,
        state.facts().clone(),
        BTreeMap::new(),
        open,
    ))
}

/// The intents that were added to a copy after it was put in place.
fn added(head: &Value, label: &Label) -> Result<Vec<Intent>, String> {
    let mut intents = Vec::new();
    let data = head["data"].as_object().into_iter().flatten();
    for (key, value) in data.filter(|(key, _)| key.starts_with(INTENT)) {
        let line = value
            .as_str()
            .and_then(pack::untext)
            .and_then(|packed| pack::unpacked(&packed));
        let line = line.as_deref().and_then(|line| line.strip_suffix(b"\n"));
        let line = line.and_then(|line| format::decode_line(line).ok());
        let line = line.ok_or_else(|| format!("its `{key}` is not what was written"))?;
        if let (Entry::Intent(intent), true) =
            (line.entry, line.lineage == label.lineage && line.serial == label.serial)
        {
            intents.push(intent);
        }
    }
    Ok(intents)
}

fn body(object: &ObjectRef, stack: &str, part: &[u8]) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "type": "stackctl.dev/state",
        "metadata": {"name": object.name, "namespace": NAMESPACE,
            "labels": {STACK_LABEL: stack, MANAGED_BY_US.0: MANAGED_BY_US.1}},
        "data": {STATE: pack::text(part)}})
}
