//! The step of one object or overlay: desired against recorded and live.
//!
//! Invariants:
//! - What is decided is decided by `decide`; what comes after it says more of the same object, or that it is deleted first.
//! - Nothing that the stack keeps, that holds data, or that is not ours to delete is replaced by the way.
//!
//! Of what is surely the same ([`Answer::Unchanged`]) no field is looked at here. The survey found that the stack says what
//! it said, so the recorded fields are those that it writes and none leaves our hands; that each holds what was recorded, so
//! none drifted; that the server notes the same fields as ours; and it asked nothing, so there is no answer that differs.
//! What was sent is compared by its digest, live values against the record one by one: a value that the server changed
//! after our write is in the record as the server answered it (DESIGN §5.2).

use super::{
    Action, Before, Consent, Inputs, NodeKind, PlanError, Reason, Step, Subject,
    answered::{live_of, refuse_conflicts},
    because, decide,
    fields::{changes, kept},
    parts,
    planner::step,
    removals::takes_along,
    replace, taken,
};
use crate::{
    FieldPath,
    address::Address,
    diff::drift::drifted_fields,
    digest::StackKey,
    leaving::leaving_fields,
    object_key::ObjectRef,
    ownership::won,
    readiness::Seen,
    recorded::{Recorded, RecordedObject},
    resource::{Adopt, Consequence, ConsequenceClass, Node, Resource, sent_digest, written_value},
    survey::{Answer, Found},
    yields::yielded_of,
};

/// Plans one object or overlay; `above` is the nearest change that it waits for.
///
/// # Errors
/// Why it cannot be planned.
pub(super) fn written(
    inputs: &Inputs<'_>,
    resource: &Resource,
    known: Option<&Recorded>,
    above: Option<&Address>,
) -> Result<Step, PlanError> {
    let nothing = Found::default();
    let found = inputs.survey.found(&resource.address).unwrap_or(&nothing);
    let object = resource
        .object()
        .cloned()
        .expect("objects and overlays name their object");
    let (kind, manager, is_overlay) = match &resource.node {
        Node::Overlay(_) => (
            NodeKind::Overlay,
            inputs.identity.manager_of_overlay(
                &resource.address,
                &object,
                inputs.recorded.get(&resource.address),
                inputs.recorded.values(),
            ),
            true,
        ),
        _ => (NodeKind::Object, inputs.identity.object_manager(), false),
    };
    let other = other_object(resource, known);
    let is_the_same = matches!(found.answer, Answer::Unchanged);
    let mut drifted = match known {
        Some(known) if other.is_none() && !is_the_same => {
            let live = found.live();
            live.map_or_else(Vec::new, |live| drifted_fields(known, live, inputs.key))
        }
        _ => Vec::new(),
    };
    // An object is opened only where somebody may have won something of it.
    let winners = resource.lifecycle.yields_to;
    let won = match found.held.as_ref().filter(|_| !is_overlay && !winners.is_empty()) {
        Some(held) => won(held.value(), winners),
        None => Vec::new(),
    };
    let is_won = |path: &FieldPath| won.iter().any(|(won, _)| won == path);
    drifted.retain(|change| !is_won(&change.path));
    let mut after = found.after().or_else(|| replace::anew(inputs, resource, known, found));
    if let (true, Some(known), Some(after)) = (is_overlay, known, &mut after)
        && let Some(live) = found.live()
    {
        for undo in leaving_fields(known, live, &written_value(resource)) {
            if let Some(prior) = undo.prior {
                undo.path.set(after, prior);
            }
        }
    }
    let (live, unverified) = live_of(
        inputs,
        resource,
        found,
        after.as_ref(),
        is_overlay,
        !drifted.is_empty(),
        above,
    )?;
    let before = match known.and_then(Recorded::object) {
        None => Before::Never,
        Some(_) if is_the_same => Before::TheSame,
        Some(last)
            if last.sent == sent_digest(resource)
                && last.object.is_same_object(&object)
                && !is_of_another_key(last, inputs.key) =>
        {
            Before::TheSame
        }
        Some(_) => Before::SomethingElse,
    };
    let consent = match resource.lifecycle.adopt {
        Adopt::Expected => Consent::Expected,
        adopt if adopt.is_given(inputs.adopt) => Consent::Given,
        Adopt::Given | Adopt::Consent | Adopt::Never => Consent::Missing,
    };
    let (mut action, mut reason) =
        decide(Subject::Desired { live, before, consent }).ok_or_else(|| PlanError::NotOurs {
            address: resource.address.clone(),
            object: Box::new(object.clone()),
        })?;
    // What is left to who won it is no longer held by us: what is recorded says more.
    let holds_what_is_won = |last: &RecordedObject| last.fields.iter().any(is_won);
    if action == Action::NoOp && known.and_then(Recorded::object).is_some_and(holds_what_is_won) {
        (action, reason) = (Action::Record, Reason::RecordOnly);
    }
    if is_overlay && matches!(found.answer, Answer::TargetToCome) {
        (action, reason) = (Action::Create, Reason::TargetToCome);
    }
    if is_overlay && before == Before::Never && matches!(action, Action::Update | Action::Record) {
        (action, reason) = (Action::Create, Reason::Missing);
    }
    (action, reason) = replacing(inputs, resource, known, found, (action, reason))?;
    refuse_conflicts(inputs, resource, known, found, is_overlay, &object)?;
    let readiness = found.held.is_some().then(|| inputs.survey.readiness(resource));
    let mut step = step(inputs.graph, resource, kind, action, reason, readiness);
    if !won.is_empty()
        && let Some(live) = found.live()
    {
        step.reasons
            .extend(yielded_of(resource, live).iter().map(Reason::yielded));
    }
    if is_the_same && action == Action::NoOp {
        return Ok(step);
    }
    let last = parts::last_documents(known, found);
    step.changes = changes(found, after.as_ref(), resource, &drifted, &manager, action);
    step.changes.extend(parts::changes(found, last, &drifted, action));
    step.changes.sort_by(|a, b| a.path.cmp(&b.path));
    step.reasons.extend(unverified);
    step.reasons.extend(kept(known, found, resource, &manager));
    because::say(&mut step, resource, known.and_then(Recorded::object));
    if step.action == Action::Replace {
        step.reasons.extend(known.and_then(takes_along));
    }
    if step.action.is_change() {
        step.consequences.extend(taken::told(&object, known, &found.answer));
        step.consequences.extend(warned(&object, &found.answer));
        step.consequences.extend(replace::drawn_anew(&step, resource));
    }
    Ok(step)
}

/// What becomes of an action where the object that is there is deleted first: its address names another one now, a field of it
/// takes that, or a person asked for it.
fn replacing(
    inputs: &Inputs<'_>,
    resource: &Resource,
    known: Option<&Recorded>,
    found: &Found,
    decided: (Action, Reason),
) -> Result<(Action, Reason), PlanError> {
    let (mut action, mut reason) = decided;
    let other = other_object(resource, known);
    // The address stays and its object is another: the old one goes, or it would be nobody's (DESIGN §5.7).
    if let Some(old) = other {
        let live = Seen::object(inputs.survey.view(), &old.object);
        let is_there = live.is_some_and(|live| live["metadata"]["uid"] == old.uid.as_str());
        if is_there && is_prevented(resource, known) {
            return Err(PlanError::Prevented {
                address: resource.address.clone(),
            });
        }
        let is_asked = inputs.replaced.contains_key(&resource.address);
        if is_there && !is_asked && known.is_some_and(|known| known.destroy.holds_data) {
            return Err(PlanError::HoldsData {
                address: resource.address.clone(),
                object: Box::new(old.object.clone()),
            });
        }
        match (is_there, action) {
            (true, _) => (action, reason) = (Action::Replace, Reason::OtherObject(old.object.to_string())),
            (false, Action::Create) => reason = Reason::Missing,
            (false, _) => {}
        }
    }
    // Gone already means that a replacement was cut off: what was made for the old one may still be there.
    if matches!(action, Action::Update | Action::Create)
        && let Some(field) = replaced_on(resource, known)
    {
        if is_prevented(resource, known) {
            return Err(PlanError::Prevented {
                address: resource.address.clone(),
            });
        }
        if found.held.is_some() && known.is_some_and(|known| !known.is_deleted()) {
            return Err(PlanError::NotReplaceable {
                address: resource.address.clone(),
                why: format!("{field} changes, which takes another one, and this one is not ours to delete"),
            });
        }
        (action, reason) = (Action::Replace, Reason::ReplacedOn(field.to_string()));
    }
    if let Some(why) = inputs.replaced.get(&resource.address)
        && let Some(known) = known
        && action != Action::Replace
        && found.held.as_ref().is_some_and(|held| !held.is_leaving())
    {
        (action, reason) = replace::made_again(resource, known, why)?;
    }
    Ok((action, reason))
}

/// What is recorded of an address whose object is another one now.
fn other_object<'a>(resource: &Resource, known: Option<&'a Recorded>) -> Option<&'a RecordedObject> {
    let last = known.and_then(Recorded::object)?;
    let is_same = resource
        .object()
        .is_some_and(|object| last.object.is_same_object(object));
    (!is_same).then_some(last)
}

/// What the server warns of, in its words: as little of it is an error as of what the catalogue tells.
fn warned(object: &ObjectRef, answer: &Answer) -> Vec<Consequence> {
    let Answer::Would { warnings, .. } = answer else {
        return Vec::new();
    };
    let say = |warning: &String| Consequence {
        class: ConsequenceClass::Notice,
        text: format!("{object}: the server warns: {warning}"),
    };
    warnings.iter().map(say).collect()
}

/// Whether secret values are recorded by a key that was lost since: with the one that there is, nothing can be said of them
/// until they are recorded anew. Who has no key at all records nothing.
fn is_of_another_key(last: &RecordedObject, key: Option<&StackKey>) -> bool {
    key.is_some_and(|key| !last.sensitive.is_empty() && last.key_id.as_deref() != Some(key.id()))
}

/// Whether the stack says that what is recorded stays.
pub(super) fn is_prevented(resource: &Resource, known: Option<&Recorded>) -> bool {
    resource.lifecycle.prevent_destroy && known.is_some()
}

/// The first field that was applied as something else, and takes a replacement to change.
fn replaced_on<'a>(resource: &'a Resource, known: Option<&Recorded>) -> Option<&'a FieldPath> {
    let last = known.and_then(Recorded::object)?;
    if resource.lifecycle.replace_on.is_empty() {
        return None;
    }
    let (recorded, wanted) = (last.manifest.open(), written_value(resource));
    let changed = |path: &&FieldPath| matches!(path.get(&recorded), Some(was) if path.get(&wanted) != Some(was));
    resource.lifecycle.replace_on.iter().find(changed)
}
