//! Writing an object or an overlay: one server-side apply, decided again whenever the server says that something moved.

use super::{
    ApplyAnswer, ApplyRequest, Cause, Did, Failure, Intent, Journal, Patch, PatchRequest, Provider, ProviderError,
    context::{Context, StepError},
    mend::mend,
    record::{Taken, Written, record},
    secrets::{ReadSecrets, SecretSource},
    undo::give_back,
};
use crate::{
    FieldPath,
    diff::{differences, leaves},
    document::{ResolvedDocument, dropped, text_at},
    emptied,
    graph::Edge,
    ignored::respect_ignored,
    late::{LateError, LateSource, resolve},
    leaving::leaving_fields,
    marks::Whose,
    object_key::{ObjectRef, is_being_deleted},
    ownership::{managed_entries, owns_by_apply},
    recorded::{Origin, Recorded, RecordedDocument, RecordedNode},
    resource::{Document, Node, Object, Overlay, Resource},
    status::going,
};
use serde_json::Value;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};
use tokio::time::Instant;

/// What a write did.
#[derive(Debug)]
pub(super) struct Wrote {
    pub(super) did: Did,
    pub(super) recorded: Recorded,
    /// The object as the server answered.
    pub(super) object: Value,
    /// Whether a controller has something to look at: its generation is another one than before, as far as it has one.
    pub(super) is_of_new_generation: bool,
    /// What a person should know.
    pub(super) notes: Vec<String>,
}

/// What earlier tries of one write found. An answer may be lost after its effect, so what a later try finds may be our
/// own doing: it makes nothing ours that was somebody's, and nothing somebody's that is ours.
#[derive(Debug, Default)]
struct Tries {
    /// The uid of an object that was not ours at the first try.
    foreign: Option<String>,
    /// Whether the first try found nothing.
    found_nothing: bool,
    /// What a try of an overlay meant to give back whose outcome is not known.
    intended: Option<Recorded>,
    /// Whether fields that left an overlay were given back.
    gave_back: bool,
}

/// Writes an object or an overlay, until it works or the deadline.
pub(super) async fn write<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    resource: &Resource,
    known: Option<&Recorded>,
    edges: &[Edge],
    adopting: bool,
    overlay_manager: &str,
    deadline: Instant,
) -> Result<Wrote, StepError> {
    let tries = &RefCell::new(Tries::default());
    context
        .until(deadline, || async {
            match &resource.node {
                Node::Object(object) => write_object(context, resource, object, known, edges, adopting, tries).await,
                Node::Overlay(overlay) => {
                    write_overlay(context, resource, overlay, known, edges, overlay_manager, tries).await
                }
                Node::Gate(_) | Node::Action(_) | Node::Check(_) => {
                    Err(StepError::Failure(Failure::new("this resource has nothing to write")))
                }
            }
        })
        .await
}

async fn write_object<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    resource: &Resource,
    object: &Object,
    known: Option<&Recorded>,
    edges: &[Edge],
    adopting: bool,
    tries: &RefCell<Tries>,
) -> Result<Wrote, StepError> {
    let named = object.manifest.object();
    let manager = context.identity.object_manager();
    let live = context.provider.get(named).await?;
    if let Some(live) = live.as_ref().filter(|live| is_being_deleted(live)) {
        context.rest_for(going(live));
        return Err(ProviderError::BeingDeleted.into());
    }
    let whose = live
        .as_ref()
        .map(|live| context.identity.whose(live, &resource.address, named, known));
    if let Some(Whose::OtherStack(stack)) = &whose {
        return Err(StepError::Failure(Failure::new(format!(
            "{named} belongs to the stack `{stack}`"
        ))));
    }
    let uid = live.as_ref().map(uid_of);
    let foreign = whose == Some(Whose::Foreign) || (uid.is_some() && tries.borrow().foreign == uid);
    if foreign {
        tries.borrow_mut().foreign.clone_from(&uid);
    }
    tries.borrow_mut().found_nothing |= live.is_none();
    let origin = match (known.and_then(Recorded::object), foreign) {
        // A new object under a known address is ours whatever the old one was.
        (Some(last), false) if live.is_some() => last.origin,
        (_, true) => Origin::Adopted,
        (_, false) => Origin::Created,
    };
    let body = resolved_body(context, object, live.as_ref()).await?;
    let mut body = body;
    context.identity.mark(&mut body, &resource.address, named);
    if let Some(live) = &live {
        respect_ignored(&mut body, live, resource, &manager);
    }
    let fields = leaves(&body);
    let record = |origin: Origin, answer: Option<&Value>| {
        let written = Written {
            object: named,
            manager: &manager,
            origin,
            fields: &fields,
            answer,
        };
        record(resource, &written, edges, context.key, RecordedNode::Object)
    };
    let draws = object
        .manifest
        .late()
        .iter()
        .any(|late| matches!(late.source, LateSource::Generated { .. }));
    if (draws && live.is_none()) || foreign {
        context
            .intend(&Intent::Write(Box::new(record(origin, live.as_ref()))))
            .await?;
    }
    let recorded_paths = rendered(known);
    let may_adopt = resource.lifecycle.adopt.is_given(adopting);
    let may_force = |causes: &[Cause]| {
        context.force_conflicts
            || (foreign && may_adopt)
            || causes.iter().all(|cause| recorded_paths.contains(&cause.field))
    };
    let emptied = match &live {
        Some(live) => empty(context, named, &body, live, known, &manager).await?,
        None => None,
    };
    let found = emptied.as_ref().or(live.as_ref());
    let answer = match apply(context, named, body, found, &manager, may_force, false).await {
        Ok(answer) => answer,
        Err(error) => return Err(mend(context, error, named, found, &manager).await),
    };
    let did = match did(live.as_ref(), &answer, foreign) {
        // Made by a try whose answer was lost.
        Did::Unchanged | Did::Updated if tries.borrow().found_nothing => Did::Created,
        did => did,
    };
    // It was not there, and yet it was changed and not made: somebody was faster between our two requests.
    let overtaken = live.is_none() && !answer.created && has_other_managers(&answer.object, &manager);
    let origin = if overtaken { Origin::Adopted } else { origin };
    let surprise = (foreign || overtaken) && !may_adopt;
    let note = surprise.then(|| format!("{named} was made by somebody meanwhile; it is recorded as adopted"));
    let notes = warnings(&answer).chain(note).collect();
    Ok(Wrote {
        did,
        recorded: record(origin, Some(&answer.object)),
        is_of_new_generation: is_of_new_generation(live.as_ref(), &answer.object),
        object: answer.object,
        notes,
    })
}

/// Takes what is ours out of the maps that are to be empty; the object as it is then, if there are such.
async fn empty<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    object: &ObjectRef,
    body: &Value,
    live: &Value,
    known: Option<&Recorded>,
    manager: &str,
) -> Result<Option<Value>, StepError> {
    let maps = emptied::emptied(body, live, known, manager);
    if maps.is_empty() {
        return Ok(None);
    }
    let request = PatchRequest {
        object: object.clone(),
        patch: Patch::Json(emptied::patch(&maps, live, known, manager)),
        manager: manager.to_owned(),
        dry_run: false,
    };
    Ok(Some(context.provider.patch(&request).await?))
}

/// Whether a request may have been carried out although it came to nothing.
fn is_outcome_unknown(error: &StepError) -> bool {
    matches!(
        error,
        StepError::Provider(ProviderError::Unreachable(_) | ProviderError::Unavailable(_) | ProviderError::Internal(_))
    )
}

fn has_other_managers(object: &Value, ours: &str) -> bool {
    managed_entries(object).iter().any(|entry| entry.manager != ours)
}

async fn resolved_body<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    object: &Object,
    live: Option<&Value>,
) -> Result<Value, StepError> {
    let late = || object.manifest.late().iter().map(|late| &late.source);
    let secrets = ReadSecrets::of(context.secrets, late()).await;
    let others = others(context, late()).await?;
    let resolved = resolve(
        &object.manifest,
        live,
        |other| others.get(other).cloned(),
        &secrets,
        true,
    )
    .map_err(|error| not_had(&error))?;
    match resolved.unknown.first() {
        Some((path, after)) => Err(not_known(path, after)),
        None => Ok(resolved.body),
    }
}

/// Reads the objects that late values come from, as they are now.
async fn others<'s, P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    sources: impl Iterator<Item = &'s LateSource>,
) -> Result<BTreeMap<ObjectRef, Value>, StepError> {
    let mut others = BTreeMap::new();
    for source in sources {
        let needed = match source {
            LateSource::Object { object, .. } => Some(object),
            LateSource::Generated { unless_exists, .. } => unless_exists.as_ref(),
            LateSource::Template { .. } | LateSource::Input(_) => None,
        };
        if let Some(needed) = needed
            && let Some(other) = context.provider.get(needed).await?
        {
            others.insert(needed.clone(), other);
        }
    }
    Ok(others)
}

fn not_had(error: &LateError) -> StepError {
    StepError::Failure(Failure::new("a value of it cannot be had").because(error.to_string()))
}

fn not_known(path: &FieldPath, after: &str) -> StepError {
    StepError::Failure(Failure::new(format!("{path} is not known, although {after} is ready")))
}

/// Our parts of shared texts, with their late values.
async fn resolved_documents<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    overlay: &Overlay,
    live: Option<&Value>,
) -> Result<Vec<ResolvedDocument>, StepError> {
    let late = || overlay.documents.iter().filter_map(Document::late);
    let secrets = ReadSecrets::of(context.secrets, late()).await;
    let others = others(context, late()).await?;
    let documents = overlay
        .resolve(live, |other| others.get(other).cloned(), &secrets, true)
        .map_err(|error| not_had(&error))?;
    for document in &documents {
        if let Some(after) = document.fragment.waits_for() {
            return Err(not_known(&document.path(), &after.to_string()));
        }
    }
    Ok(documents)
}

async fn write_overlay<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    resource: &Resource,
    overlay: &Overlay,
    known: Option<&Recorded>,
    edges: &[Edge],
    manager: &str,
    tries: &RefCell<Tries>,
) -> Result<Wrote, StepError> {
    let target = &overlay.target;
    let live = context.provider.get(target).await?;
    if live.is_none() && !overlay.create_if_absent {
        return Err(ProviderError::KindNotServed(target.object_type.clone()).into());
    }
    if live.as_ref().is_some_and(is_being_deleted) {
        return Err(ProviderError::BeingDeleted.into());
    }
    let uid = live
        .as_ref()
        .and_then(|live| live["metadata"]["uid"].as_str())
        .unwrap_or_default();
    // What is there may be what an earlier try wrote: what was there before it is in what that one intended.
    let is_written = live
        .as_ref()
        .is_some_and(|live| owns_by_apply(&managed_entries(live), manager));
    let earlier = tries.borrow().intended.clone().filter(|_| is_written);
    let last = earlier.as_ref().or(known).filter(|known| {
        known
            .object()
            .is_some_and(|object| object.uid == uid || (object.uid.is_empty() && is_written))
    });
    let before = last.map_or(&[][..], |last| last.documents_of(uid));
    let documents = resolved_documents(context, overlay, live.as_ref()).await?;
    let body = overlay.body(live.as_ref(), &documents, before).map_err(|error| {
        let failure = Failure::new(format!("{target} cannot be edited")).because(error.to_string());
        StepError::Failure(match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        })
    })?;
    if let (Some(last), Some(live)) = (last, &live)
        && let Some(object) = last.object()
    {
        let leaving = leaving_fields(last, live, &body);
        if !leaving.is_empty() {
            give_back(context, object, &leaving, live).await?;
            tries.borrow_mut().gave_back = true;
            // It is read again, and then these fields are no longer ours.
            return Err(ProviderError::Modified.into());
        }
    }
    let taken = Taken::of(
        resource,
        overlay,
        &body,
        &documents,
        last,
        live.as_ref(),
        manager.to_owned(),
    );
    let intent = taken.record(live.as_ref(), &taken.intended, edges, context.key);
    context.intend(&Intent::Write(Box::new(intent.clone()))).await?;
    // Taking these fields is what the plan said, so a conflict is answered by force, under the uid and the
    // resourceVersion that were read.
    let answer = apply(
        context,
        target,
        body,
        live.as_ref(),
        manager,
        |_| true,
        !overlay.documents.is_empty(),
    )
    .await;
    let answer = answer.inspect_err(|error| {
        // A refusal had no effect; the next try finds what others left.
        let mut tries = tries.borrow_mut();
        tries.intended = is_outcome_unknown(error).then(|| tries.intended.take().unwrap_or(intent));
    });
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Err(mend(context, error, target, live.as_ref(), manager).await),
    };
    // Where it is recorded of an object that somebody made anew, it is written again, and not for the first time.
    let is_first = last.is_none() && known.is_none();
    let did = match (is_first, did(live.as_ref(), &answer, false)) {
        (true, Did::Updated | Did::Unchanged) => Did::Created,
        (false, Did::Unchanged) if tries.borrow().gave_back => Did::Updated,
        (_, did) => did,
    };
    Ok(Wrote {
        did,
        recorded: taken.record(Some(&answer.object), &taken.written, edges, context.key),
        is_of_new_generation: is_of_new_generation(live.as_ref(), &answer.object),
        notes: warnings(&answer)
            .chain(left_in(&documents, before, live.as_ref()))
            .collect(),
        object: answer.object,
    })
}

/// Applies without force; with force where `may_force` allows it, then under the uid and resourceVersion that were read.
async fn apply<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    object: &ObjectRef,
    mut body: Value,
    live: Option<&Value>,
    manager: &str,
    may_force: impl Fn(&[Cause]) -> bool,
    pinned: bool,
) -> Result<ApplyAnswer, StepError> {
    if let Some(live) = live {
        body["metadata"]["uid"] = live["metadata"]["uid"].clone();
        if pinned {
            body["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
        }
    }
    let mut request = ApplyRequest {
        object: object.clone(),
        body,
        manager: manager.to_owned(),
        force: false,
        dry_run: false,
    };
    match context.provider.apply(&request).await {
        // It was not there when we read it: read again, so that what was written to a shared text meanwhile stays.
        Err(ProviderError::Conflict(_)) if pinned && live.is_none() => Err(ProviderError::Modified.into()),
        Err(ProviderError::Conflict(causes)) if may_force(&causes) => {
            if let Some(live) = live {
                request.body["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
            }
            request.force = true;
            Ok(context.provider.apply(&request).await?)
        }
        // It was there when we read it: read again and decide again.
        Err(ProviderError::OtherUid) => Err(ProviderError::Modified.into()),
        other => Ok(other?),
    }
}

fn is_of_new_generation(before: Option<&Value>, after: &Value) -> bool {
    let generation = |object: &Value| object["metadata"]["generation"].as_i64();
    let (before, after) = (before.and_then(generation), generation(after));
    before.is_none() || before != after
}

/// What the server warns of, for people.
fn warnings(answer: &ApplyAnswer) -> impl Iterator<Item = String> {
    answer
        .warnings
        .iter()
        .map(|warning| format!("the server warns: {warning}"))
}

fn uid_of(object: &Value) -> String {
    object["metadata"]["uid"].as_str().unwrap_or_default().to_owned()
}

fn did(live: Option<&Value>, answer: &ApplyAnswer, foreign: bool) -> Did {
    match live {
        _ if answer.created => Did::Created,
        Some(_) if foreign => Did::Adopted,
        // Who owns what may have changed, which is a matter of the record.
        Some(live) if differences(live, &answer.object).is_empty() => Did::Unchanged,
        // Not there when we read it and not made by us: somebody was faster.
        None => Did::Adopted,
        Some(_) => Did::Updated,
    }
}

/// The recorded paths in the server's text form.
fn rendered(known: Option<&Recorded>) -> BTreeSet<String> {
    known
        .and_then(Recorded::object)
        .map(|o| o.fields.iter().map(ToString::to_string).collect())
        .unwrap_or_default()
}

/// What a person should know of parts that are not wanted any more and cannot be taken out.
fn left_in(documents: &[ResolvedDocument], before: &[RecordedDocument], live: Option<&Value>) -> Option<String> {
    let left = dropped(documents, before).filter_map(|gone| {
        let text = text_at(live?, &gone.at).ok().flatten()?;
        let error = gone.fragment.restore_in(&text).err()?;
        Some(format!("{}: {error}", gone.at))
    });
    Some(left.collect::<Vec<_>>().join("; ")).filter(|notes| !notes.is_empty())
}
