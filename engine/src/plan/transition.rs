//! What each step makes of its object: as it is now, and as it will be.
//!
//! In: a plan and what it was made from. Out: one [`Transition`] for each object that a step is about, for those who know
//! what a change of that object means; two where an address names another object than before.
//!
//! Invariants:
//! - Equal inputs give equal transitions, in the order of the steps.
//! - No secret's value is in one: of a Secret only the metadata is, and of other objects no sensitive leaf. That one
//!   would change is said by its path.
//! - Steps that change nothing are in it as well, with the same on both sides: what one change means often hangs on
//!   what stays.
//! - [`Action::Replace`] says that the very object is deleted: of an address that names another object than before, the
//!   old one has it if it goes, and the new one is made.
//!
//! Deliberately absent: what is dropped from the record because it is gone already.

use super::{Action, FieldChange, NodeKind, Plan, Shown, Step, fields::sensitive};
use crate::{
    FieldPath,
    address::Address,
    diff::leaves,
    document::{RecordedDocument, htpasswd::User, htpasswd_user, text_at},
    object_key::ObjectRef,
    readiness::Seen,
    recorded::{Origin, Recorded, RecordedNode, RecordedObject, Undo},
    resource::{DestroyStep, Resource, written_value},
    survey::{Answer, Found, Survey},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What one step makes of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The resource.
    pub address: Address,
    /// Whether the step is about the whole object or some of its fields.
    pub node: NodeKind,
    /// What the step does.
    pub action: Action,
    /// The object.
    pub object: ObjectRef,
    /// The object as it is, what others wrote to it included; nothing when it is not there.
    pub before: Option<Value>,
    /// The object as it will be: what the server answered to a dry run, or without an answer what is there with what
    /// would be sent. Nothing when it goes.
    pub after: Option<Value>,
    /// The leaves that hold a secret on both sides, and another one afterwards.
    pub changed_secrets: BTreeSet<FieldPath>,
    /// The users whose lines in an htpasswd text of the object change, and how; of a line that stays nothing is said.
    pub logins: BTreeMap<User, LoginChange>,
}

impl Transition {
    /// Whether the object is deleted and made again under its name: it is there on both sides, and not in between.
    pub fn is_made_again(&self) -> bool {
        self.node == NodeKind::Object && self.action == Action::Replace && self.before.is_some() && self.after.is_some()
    }
}

/// What becomes of a user's line in an htpasswd text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginChange {
    /// There is none, and one is put in.
    Added,
    /// Another password takes the place of the one that is there.
    Replaced,
    /// It is kept or replaced: the password is known only after another resource is ready.
    KnownLater,
    /// It is taken out.
    TakenOut,
}

/// What every step of a plan makes of its object, for those objects that somebody wants to judge, and for all that are
/// replaced: a plan may be about a hundred thousand others. The plan's own inputs are asked for; resources are empty for a
/// destroy.
pub fn transitions(
    plan: &Plan,
    resources: &[Resource],
    recorded: &BTreeMap<Address, Recorded>,
    survey: &Survey,
    is_wanted: impl Fn(&ObjectRef) -> bool,
) -> Vec<Transition> {
    let by_address: BTreeMap<_, _> = resources.iter().map(|r| (&r.address, r)).collect();
    let mut all = Vec::new();
    let is_told = |step: &&Step| {
        let wanted = step.object.as_ref().map(&is_wanted);
        wanted.is_some_and(|is_wanted| is_wanted || step.action == Action::Replace)
    };
    for step in plan.steps.iter().filter(is_told) {
        let known = recorded.get(&step.address);
        match (by_address.get(&step.address), known) {
            (Some(resource), known) => all.extend(desired(step, resource, known, survey)),
            (None, Some(known)) => all.extend(removed(step, known, survey)),
            (None, None) => {}
        }
    }
    all
}

fn desired(step: &Step, resource: &Resource, known: Option<&Recorded>, survey: &Survey) -> Vec<Transition> {
    let Some(object) = resource.object() else {
        return Vec::new();
    };
    let mut all = Vec::new();
    let last = known.and_then(Recorded::object);
    if let (Some(known), Some(old)) = (known, last.filter(|last| !last.object.is_same_object(object))) {
        let live = Seen::object(survey.view(), &old.object).filter(|live| is_of(live, old));
        all.extend(live.map(|live| end(step, known, old, live)));
    }
    let nothing_found = Found::default();
    let found = survey.found(&resource.address).unwrap_or(&nothing_found);
    let hidden = sensitive(resource);
    let before = found.live();
    let after = match (&found.answer, before) {
        (Answer::Would { object, .. } | Answer::Unverified { object, .. }, _) => object.open(),
        (Answer::Unchanged, Some(live)) => live.clone(),
        (_, Some(live)) => expected(live, resource, last),
        (_, None) => written_value(resource).into_owned(),
    };
    let action = match (step.action, before) {
        // What was there before us is not deleted, and neither is what has another name than what is replaced.
        (Action::Replace, Some(_)) if !all.is_empty() || !known.is_some_and(Recorded::is_deleted) => Action::Update,
        (Action::Replace, None) => Action::Create,
        (action, _) => action,
    };
    all.push(Transition {
        action,
        before: before.map(|live| without_secrets(live, object, &hidden)),
        after: Some(without_secrets(&after, object, &hidden)),
        changed_secrets: changed_secrets(step),
        logins: changed_logins(step),
        ..nothing(step, object)
    });
    all
}

fn removed(step: &Step, known: &Recorded, survey: &Survey) -> Option<Transition> {
    let last = known.object()?;
    let live = survey.live(&known.address).filter(|live| is_of(live, last))?;
    Some(end(step, known, last, live))
}

/// What was recorded ends: deleted, released as it is, or with its fields given back.
fn end(step: &Step, known: &Recorded, last: &RecordedObject, live: &Value) -> Transition {
    let stays = !known.is_deleted() || known.destroy.self_recreating;
    let after = match &known.node {
        RecordedNode::Object(_) => stays.then(|| live.clone()),
        RecordedNode::Overlay { undo, .. } => {
            (last.origin == Origin::Adopted).then(|| given_back(live, known, last, undo))
        }
        RecordedNode::Gate | RecordedNode::Action { .. } => None,
    };
    let shown = |object: &Value| without_secrets(object, &last.object, &last.sensitive);
    let action = match (step.action, &after) {
        (Action::Replace, Some(_)) => Action::Release,
        (action, _) => action,
    };
    Transition {
        action,
        before: Some(shown(live)),
        after: after.as_ref().map(shown),
        logins: ended_logins(known, live),
        ..nothing(step, &last.object)
    }
}

fn nothing(step: &Step, object: &ObjectRef) -> Transition {
    Transition {
        address: step.address.clone(),
        node: step.node,
        action: step.action,
        object: object.clone(),
        before: None,
        after: None,
        changed_secrets: BTreeSet::new(),
        logins: BTreeMap::new(),
    }
}

/// Whether a live object is the one that was recorded, and not another one of its name.
fn is_of(live: &Value, last: &RecordedObject) -> bool {
    last.uid.is_empty() || live["metadata"]["uid"] == last.uid.as_str()
}

/// What is there with what would be sent, where the server could not be asked: what we no longer send is gone.
pub(super) fn expected(live: &Value, resource: &Resource, last: Option<&RecordedObject>) -> Value {
    let wanted = written_value(resource);
    let desired = leaves(&wanted);
    let mut after = live.clone();
    for path in last.into_iter().flat_map(|last| last.fields.iter()) {
        if !desired.iter().any(|leaf| leaf.contains(path) || path.contains(leaf)) {
            path.remove(&mut after);
        }
    }
    for path in &desired {
        if let Some(value) = path.get(&wanted) {
            path.set(&mut after, value.clone());
        }
    }
    after
}

/// What is left of an object whose fields are given back: patched as its destroy says, and what we wrote is again what
/// was there before, unless somebody wrote it meanwhile.
pub(super) fn given_back(live: &Value, known: &Recorded, last: &RecordedObject, undo: &[Undo]) -> Value {
    let mut after = live.clone();
    for step in &known.destroy.steps {
        if let DestroyStep::Patch { target, patch } = step
            && target.is_same_object(&last.object)
        {
            merge(&mut after, patch);
        }
    }
    let written = last.manifest.open();
    for undo in undo {
        if undo.path.get(&after) != undo.path.get(&written) {
            continue;
        }
        match &undo.prior {
            Some(prior) => undo.path.set(&mut after, prior.clone()),
            None => {
                undo.path.remove(&mut after);
            }
        }
    }
    after
}

/// A merge patch (RFC 7386): maps are merged, a null removes, all else replaces.
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = Value::Object(serde_json::Map::new());
    }
    let Value::Object(into) = into else { return };
    for (name, value) in patch {
        if value.is_null() {
            into.remove(name);
        } else {
            merge(into.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Leaves that show as secret before and after: another value is there then.
fn changed_secrets(step: &Step) -> BTreeSet<FieldPath> {
    step.changes
        .iter()
        .filter(|change| change.before == Shown::Secret && change.after == Shown::Secret)
        .map(|change| change.path.clone())
        .collect()
}

/// The lines that a step changes.
fn changed_logins(step: &Step) -> BTreeMap<User, LoginChange> {
    let change = |change: &FieldChange| {
        let what = match (&change.before, &change.after) {
            (Shown::Absent, _) => LoginChange::Added,
            (_, Shown::Absent) => LoginChange::TakenOut,
            (_, Shown::KnownAfter(_)) => LoginChange::KnownLater,
            (_, Shown::Secret | Shown::Value(_)) => LoginChange::Replaced,
        };
        Some((htpasswd_user(&change.path)?, what))
    };
    step.changes.iter().filter_map(change).collect()
}

/// The lines that go with what was recorded: those that we put in, and that are as we wrote them.
fn ended_logins(known: &Recorded, live: &Value) -> BTreeMap<User, LoginChange> {
    let RecordedNode::Overlay { documents, .. } = &known.node else {
        return BTreeMap::new();
    };
    let goes = |document: &RecordedDocument| {
        let text = text_at(live, &document.at).ok().flatten()?;
        let without = document.fragment.restore_in(&text).ok()?;
        let user = htpasswd_user(&document.path())?;
        (without != text).then_some((user, LoginChange::TakenOut))
    };
    documents.iter().filter_map(goes).collect()
}

/// Leaves out what nobody may see, and the copy of it that `kubectl apply` keeps in an annotation; and who owns which
/// field, which means nothing here.
fn without_secrets(object: &Value, of: &ObjectRef, sensitive: &BTreeSet<FieldPath>) -> Value {
    let mut shown = object.clone();
    for path in sensitive {
        path.remove(&mut shown);
    }
    if let Value::Object(map) = &mut shown
        && of.object_type.kind == "Secret"
        && of.object_type.group().is_empty()
    {
        map.remove("data");
        map.remove("stringData");
    }
    if let Some(Value::Object(metadata)) = shown.get_mut("metadata") {
        metadata.remove("managedFields");
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        digest::Digest,
        manifest::Manifest,
        packed::Packed,
        resource::{Node, Object},
    };
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn without_an_answer_what_we_no_longer_send_is_gone_and_what_others_wrote_stays() {
        let object =
            |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data});
        let wanted = Manifest::written(object(json!({"k": "2", "new": "1"})));
        let last = RecordedObject {
            object: wanted.object().clone(),
            uid: "u".to_owned(),
            origin: Origin::Created,
            manager: "m".to_owned(),
            sent: Digest::of(&Value::Null),
            manifest: Packed::of(&json!({"data": {"k": "1", "gone": "1"}})),
            fields: Arc::new(BTreeSet::from([FieldPath::of("data.k"), FieldPath::of("data.gone")])),
            sensitive: BTreeSet::new(),
            key_id: None,
            owned: None,
        };
        let resource = Resource::new("a.b".parse().expect("an address"), Node::Object(Object::new(wanted)));
        let live = object(json!({"k": "1", "gone": "1", "theirs": "1"}));
        let after = expected(&live, &resource, Some(&last));
        assert_eq!(after["data"], json!({"k": "2", "new": "1", "theirs": "1"}));
    }
}
