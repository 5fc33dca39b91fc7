//! The whole graph: resources, recorded and found, to a plan or every reason why there is none.
//!
//! Of what is surely the same ([`Answer::Unchanged`]) no field is looked at here. The survey found that the stack says what
//! it said, so the recorded fields are those that it writes and none leaves our hands; that each holds what was recorded, so
//! none drifted; that the server notes the same fields as ours; and it asked nothing, so there is no answer that differs.
//! What was sent is compared by its digest, live values against the record one by one: a value that the server changed
//! after our write is in the record as the server answered it (DESIGN §5.2).

use super::{
    Action, Before, Consent, Live, NodeKind, Plan, PlanError, Purpose, Reason, Replaced, Step, Subject, Unasked,
    because, decide,
    fields::{changes, kept},
    parts,
    removals::{along as claimed_along, removals},
    replace, taken,
};
use crate::{
    FieldPath,
    address::Address,
    diff::{differences, drift::drifted_fields},
    digest::{Digest, StackKey},
    execute::ProviderError,
    graph::Graph,
    leaving::leaving_fields,
    marks::{Identity, Whose},
    object_key::{ObjectRef, ObjectType},
    ownership::won,
    readiness::{Readiness, Seen},
    recorded::{Recorded, RecordedNode, RecordedObject},
    resource::{Adopt, Consequence, ConsequenceClass, Node, Resource, asked_of, sent_digest, written_value},
    survey::{Answer, Found, Survey, Unanswered},
    yields::yielded_of,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// Everything that a plan is made of.
#[derive(Debug)]
pub struct Inputs<'a> {
    /// What is desired.
    pub resources: &'a [Resource],
    /// The order of what is desired.
    pub graph: &'a Graph,
    /// What was recorded.
    pub recorded: &'a BTreeMap<Address, Recorded>,
    /// What was found.
    pub survey: &'a Survey,
    /// Who we are.
    pub identity: &'a Identity,
    /// The stack's key, to compare sensitive leaves.
    pub key: Option<&'a StackKey>,
    /// Whether objects that are there and not ours may become ours.
    pub adopt: bool,
    /// Whether fields that others own, and we never recorded, may be taken.
    pub force_conflicts: bool,
    /// What is deleted and made again because a person asked for it, and what goes with it.
    pub replaced: &'a BTreeMap<Address, Replaced>,
}

/// Plans to bring the cluster to the stack.
///
/// # Errors
/// Every reason why it cannot be planned.
pub fn plan(inputs: &Inputs<'_>) -> Result<Plan, Vec<PlanError>> {
    let by_address: BTreeMap<_, _> = inputs.resources.iter().map(|r| (&r.address, r)).collect();
    let mut steps = Vec::new();
    let mut errors = Vec::new();
    // Addresses below a change, with the nearest change above.
    let mut below: BTreeMap<Address, Address> = BTreeMap::new();
    for address in inputs.graph.order() {
        let Some(resource) = by_address.get(address) else {
            continue;
        };
        let above = inputs
            .graph
            .dependencies(address)
            .into_iter()
            .find_map(|edge| below.get(&edge.to).cloned());
        match one(inputs, resource, above.as_ref()) {
            Ok(step) => {
                if step.action.is_change() {
                    below.insert(address.clone(), address.clone());
                } else if let Some(above) = above {
                    below.insert(address.clone(), above);
                }
                steps.push(step);
            }
            Err(error) => errors.push(error),
        }
    }
    match removals(
        inputs.recorded,
        inputs.survey,
        |address| by_address.contains_key(address),
        Purpose::Apply,
    ) {
        Ok(removed) => steps.extend(removed),
        Err(more) => errors.extend(more),
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(Plan {
        purpose: Purpose::Apply,
        steps,
        remains: Vec::new(),
        partial: None,
    })
}

/// Plans to take everything of the stack away, from the record alone.
///
/// # Errors
/// When something may not be destroyed, or the record makes no order.
pub fn plan_destroy(recorded: &BTreeMap<Address, Recorded>, survey: &Survey) -> Result<Plan, Vec<PlanError>> {
    let steps = removals(recorded, survey, |_| false, Purpose::Destroy)?;
    let mut remains: Vec<_> = recorded
        .values()
        .flat_map(|known| known.destroy.remains.iter().cloned())
        .collect();
    remains.sort();
    remains.dedup();
    Ok(Plan {
        purpose: Purpose::Destroy,
        steps,
        remains,
        partial: None,
    })
}

/// A digest of what a plan is about: the resources as compiled, every field of every one of them; nothing for a destroy.
/// Only who saves a plan, compares one, or tells machines of it asks for it.
pub fn desired_digest(purpose: Purpose, resources: &[Resource]) -> Digest {
    if purpose == Purpose::Destroy {
        return Digest::of(&Value::Null);
    }
    // The debug form is deterministic: all maps are ordered, and no secret is in a resource.
    let mut sorted: Vec<_> = resources.iter().collect();
    sorted.sort_by_key(|resource| &resource.address);
    Digest::of_debug(&sorted)
}

fn one(inputs: &Inputs<'_>, resource: &Resource, above: Option<&Address>) -> Result<Step, PlanError> {
    let readiness = || inputs.survey.readiness(resource);
    let known = inputs.recorded.get(&resource.address);
    if inputs.replaced.get(&resource.address) == Some(&Replaced::Asked)
        && let Some(why) = replace::no_object_of_its_own(&resource.node)
    {
        return Err(PlanError::NotReplaceable {
            address: resource.address.clone(),
            why: why.to_owned(),
        });
    }
    match &resource.node {
        Node::Object(_) | Node::Overlay(_) => written(inputs, resource, known, above),
        Node::Gate(_) | Node::Check(_) => {
            let readiness = readiness();
            let is_check = matches!(resource.node, Node::Check(_));
            let waits = if is_check { Action::Check } else { Action::Wait };
            let (action, reason) = match (above, readiness.is_ready()) {
                (Some(above), _) => (waits, Reason::WrittenAbove(above.clone())),
                // A gate that was ready and is not any more is no change: apply still waits (DESIGN §5.8).
                (None, false) if known.is_some() => (Action::NoOp, Reason::NotReady),
                (None, false) => (waits, Reason::NotReady),
                (None, true) => (Action::NoOp, Reason::Converged),
            };
            let kind = if is_check { NodeKind::Check } else { NodeKind::Gate };
            Ok(step(inputs.graph, resource, kind, action, reason, Some(readiness)))
        }
        Node::Action(run) => {
            let readiness = readiness();
            let trigger = Digest::of(&run.trigger);
            let ran = matches!(known.map(|known| &known.node),
                Some(RecordedNode::Action { trigger: last }) if *last == trigger);
            let holds = run.satisfied_by_goal && readiness.is_ready() && above.is_none();
            // What it did, it did to an object that goes.
            let is_undone = run.satisfied_by_goal && replace::waits_for_replaced(inputs, resource);
            let (action, reason) = if is_undone {
                (Action::Run, Reason::Triggered)
            } else if ran && (readiness.is_ready() || !run.satisfied_by_goal) || holds {
                (Action::NoOp, Reason::RanAlready)
            } else if ran && above.is_none() {
                (Action::NoOp, Reason::NotReady)
            } else {
                (Action::Run, Reason::Triggered)
            };
            Ok(step(
                inputs.graph,
                resource,
                NodeKind::Action,
                action,
                reason,
                Some(readiness),
            ))
        }
    }
}

fn written(
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
    let other = known
        .and_then(Recorded::object)
        .filter(|last| !last.object.is_same_object(&object));
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
    if step.action.is_change() {
        step.consequences.extend(taken::told(&object, known, &found.answer));
        step.consequences.extend(warned(&object, &found.answer));
        let goes = known.filter(|_| step.action == Action::Replace);
        step.consequences.extend(goes.into_iter().flat_map(claimed_along));
        step.consequences.extend(replace::drawn_anew(&step, resource));
    }
    Ok(step)
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

/// What the cluster holds, by the server's answer; and why the server has not said it, where it has not.
fn live_of(
    inputs: &Inputs<'_>,
    resource: &Resource,
    found: &Found,
    after: Option<&Value>,
    is_overlay: bool,
    drifted: bool,
    above: Option<&Address>,
) -> Result<(Live, Option<Reason>), PlanError> {
    let address = resource.address.clone();
    let object = resource
        .object()
        .cloned()
        .expect("objects and overlays name their object");
    if let Some(Whose::OtherStack(stack)) = &found.whose {
        return Err(PlanError::OtherStack {
            address,
            object: Box::new(object),
            stack: stack.clone(),
        });
    }
    let foreign = matches!(found.whose, Some(Whose::Foreign));
    if found.held.as_ref().is_some_and(|held| held.is_leaving()) {
        return Ok((Live::Terminating, None));
    }
    let is_like = |live: &Value| after.is_some_and(|after| differences(live, after).is_empty());
    // It is still there and goes with its namespace or its kind.
    let nowhere = match &found.held {
        Some(_) => Live::Terminating,
        None => Live::Nowhere,
    };
    Ok(match &found.answer {
        Answer::Would { .. } if foreign => (Live::Foreign, None),
        // Somebody made it between our read and our question.
        Answer::Would { created: false, .. } if found.held.is_none() && !is_overlay => (Live::Foreign, None),
        Answer::Would { .. } => match found.live() {
            None => (Live::Absent, None),
            Some(live) if is_like(live) => (Live::Same, None),
            Some(_) => (Live::Different { drifted }, None),
        },
        Answer::Unverified { why, .. } => {
            if let Unanswered::VersionToCome(kind) = why {
                is_provided(inputs, &address, kind)?;
            }
            let reason = Some(match why {
                Unanswered::TakesNoDryRun(webhook) => Reason::Unverified {
                    webhook: webhook.clone(),
                    why: Unasked::TakesNoDryRun,
                },
                Unanswered::VersionGone => Reason::VersionGone,
                Unanswered::VersionToCome(_) => Reason::KindOrNamespaceToCome,
            });
            match found.live() {
                Some(_) if foreign => (Live::Foreign, reason),
                None => (Live::Absent, reason),
                Some(live) if is_like(live) => (Live::Same, reason),
                Some(_) => (Live::Different { drifted }, reason),
            }
        }
        Answer::KindToCome(kind) => {
            is_provided(inputs, &address, kind)?;
            (nowhere, None)
        }
        Answer::NamespaceToCome(_) => (nowhere, None),
        Answer::TargetToCome | Answer::NotAsked => (Live::Absent, None),
        Answer::Unchanged => (Live::Same, None),
        Answer::Late(cause) => {
            return Err(PlanError::Late {
                address,
                cause: Box::new(cause.clone()),
            });
        }
        Answer::Uneditable(cause) => {
            return Err(PlanError::Uneditable {
                address,
                object: Box::new(object),
                cause: cause.clone(),
            });
        }
        // What cannot be changed is no obstacle where it is deleted first.
        Answer::Refused(_) if after.is_some() => (Live::Different { drifted }, None),
        Answer::Refused(cause) => {
            // Below something that is still to come the server cannot know yet.
            let webhook = match cause {
                ProviderError::Denied { webhook, .. } => webhook.clone(),
                ProviderError::WebhookUnavailable(text) => Some(text.clone()),
                _ => None,
            };
            let too_early = |webhook| Reason::Unverified {
                webhook,
                why: Unasked::TooEarly,
            };
            match (webhook, above) {
                (Some(webhook), Some(_)) if found.held.is_none() => (Live::Absent, Some(too_early(webhook))),
                (Some(webhook), Some(_)) => (Live::Different { drifted }, Some(too_early(webhook))),
                _ => {
                    let said = cause.to_string();
                    return Err(PlanError::Refused {
                        address,
                        object: Box::new(object),
                        cause: Box::new(cause.clone()),
                        asks: asked_of(&resource.denials, [said.as_str()]).map(str::to_owned),
                    });
                }
            }
        }
    })
}

/// Refuses a kind that neither the cluster serves nor the stack brings.
fn is_provided(inputs: &Inputs<'_>, address: &Address, kind: &ObjectType) -> Result<(), PlanError> {
    let mut provided = inputs.resources.iter().flat_map(|resource| &resource.provides);
    if provided.any(|provides| provides.kind == kind.group_kind()) {
        return Ok(());
    }
    Err(PlanError::UnknownKind {
        address: address.clone(),
        kind: Box::new(kind.clone()),
    })
}

/// Fields of others that we would set and never recorded are an error, unless the person forces them. An overlay takes
/// fields by its nature, and says so before the prompt.
fn refuse_conflicts(
    inputs: &Inputs<'_>,
    resource: &Resource,
    known: Option<&Recorded>,
    found: &Found,
    is_overlay: bool,
    object: &ObjectRef,
) -> Result<(), PlanError> {
    let (Answer::Would { taken, .. } | Answer::Unverified { taken, .. }) = &found.answer else {
        return Ok(());
    };
    let adopting = resource.lifecycle.adopt.is_given(inputs.adopt);
    if inputs.force_conflicts || is_overlay || (known.is_none() && adopting) {
        return Ok(());
    }
    let foreign = taken::of_others(taken, known);
    if foreign.is_empty() {
        return Ok(());
    }
    let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for cause in foreign {
        owners
            .entry(cause.manager.clone())
            .or_default()
            .push(cause.field.clone());
    }
    Err(PlanError::Conflict {
        address: resource.address.clone(),
        object: Box::new(object.clone()),
        owners,
    })
}

fn step(
    graph: &Graph,
    resource: &Resource,
    node: NodeKind,
    action: Action,
    reason: Reason,
    readiness: Option<Readiness>,
) -> Step {
    let says = action.is_change();
    Step {
        address: resource.address.clone(),
        node,
        action,
        reasons: vec![reason],
        object: resource.object().cloned(),
        changes: Vec::new(),
        note: resource.note.clone(),
        waits_for: graph.dependencies(&resource.address).into_iter().cloned().collect(),
        readiness,
        consequences: if says {
            resource.consequences.clone()
        } else {
            Vec::new()
        },
    }
}
