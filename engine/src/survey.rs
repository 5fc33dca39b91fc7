//! Reading the cluster for a plan: what is live, and what the server would answer.
//!
//! Invariants: nothing is written, every apply is a dry run; there is no cluster-wide list of Secrets or ConfigMaps,
//! because named objects are read by name and families in their namespace by label.

use crate::{
    FieldPath,
    address::Address,
    diff::{drift::drifted_fields, expected::expected, leaves},
    digest::StackKey,
    document::{DocumentError, ResolvedDocument},
    emptied,
    execute::{ApplyRequest, Cause, Provider, ProviderError, Selector},
    ignored::respect_ignored,
    late::{LateError, LateSource, Secrets, resolve},
    marks::{Identity, Whose},
    object_key::{GroupKind, ObjectKey, ObjectRef, ObjectType, is_being_deleted},
    ownership::applied_fields,
    packed::Packed,
    readiness::{Observation, Readiness, Seen, Target, judge},
    recorded::{Recorded, RecordedNode, RecordedObject},
    resource::{Node, Object, Overlay, Resource, sent_digest, written_value},
    yields::is_recorded_so,
};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// From how many objects of one kind and namespace on a list is read instead of each.
const WORTH_A_LIST: usize = 4;

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
    found: BTreeMap<Address, Found>,
    view: View,
    /// What counts as ready without a look, where there is no cluster to look at.
    supposed_ready: BTreeSet<Address>,
}

/// What was found of one resource.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The object as it is.
    pub live: Option<Arc<Value>>,
    /// Whose it is, if it is there.
    pub whose: Option<Whose>,
    /// What the server would answer to our apply.
    pub answer: Answer,
    /// Late paths that are not known yet, with what they wait for.
    pub unknown: Vec<(FieldPath, String)>,
    /// Our parts of shared texts, as far as they are known.
    pub documents: Vec<ResolvedDocument>,
}

impl Found {
    fn unchanged(live: Option<Arc<Value>>, whose: Option<Whose>) -> Self {
        Self {
            live,
            whose,
            answer: Answer::Unchanged,
            ..Self::default()
        }
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

/// Objects as they were read, for gates to be judged on.
#[derive(Debug, Default)]
pub struct View {
    objects: BTreeMap<ObjectKey, Arc<Value>>,
}

impl Seen for View {
    fn object(&self, object: &ObjectRef) -> Option<&Value> {
        self.shared(object).map(|object| &**object)
    }

    fn objects(&self, object_type: &ObjectType, namespace: Option<&str>) -> Vec<&Value> {
        let kind = object_type.group_kind();
        self.objects
            .iter()
            .filter(|(key, _)| key.kind == kind && (namespace.is_none() || key.namespace.as_deref() == namespace))
            .map(|(_, object)| &**object)
            .collect()
    }
}

impl View {
    fn insert(&mut self, object: Value) {
        if let Some(key) = key_of(&object) {
            self.objects.insert(key, Arc::new(object));
        }
    }

    fn shared(&self, object: &ObjectRef) -> Option<&Arc<Value>> {
        self.objects.get(&object.key())
    }
}

/// The key of a live object, if it has a kind and a name.
pub(crate) fn key_of(object: &Value) -> Option<ObjectKey> {
    let object_type = ObjectType::new(object["apiVersion"].as_str()?, object["kind"].as_str()?);
    Some(ObjectKey {
        kind: object_type.group_kind(),
        namespace: object["metadata"]["namespace"].as_str().map(str::to_owned),
        name: object["metadata"]["name"].as_str()?.to_owned(),
    })
}

impl Survey {
    /// What was found of an address.
    pub fn found(&self, address: &Address) -> Option<&Found> {
        self.found.get(address)
    }

    /// The live object of an address.
    pub fn live(&self, address: &Address) -> Option<&Value> {
        self.found.get(address)?.live.as_deref()
    }

    /// What was read, to judge gates on.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// How ready a resource is, by what was read.
    pub(crate) fn readiness(&self, resource: &Resource) -> Readiness {
        if self.supposed_ready.contains(&resource.address) {
            Readiness::Ready(String::new())
        } else {
            judge(&observations(resource), &self.view)
        }
    }

    /// The same where nobody could look: `same` stay as they are, and `ready` count as ready.
    #[must_use]
    pub(crate) fn supposing(mut self, same: &BTreeSet<Address>, ready: BTreeSet<Address>) -> Self {
        for address in same {
            if let Some(found) = self.found.get_mut(address).filter(|found| found.live.is_some()) {
                *found = Found::unchanged(found.live.take(), found.whose.take());
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
pub async fn survey<P: Provider, S: Secrets>(
    provider: &P,
    request: &SurveyRequest<'_>,
    secrets: &S,
) -> Result<Survey, SurveyError> {
    let mut survey = Survey::default();
    let width = request.parallelism.max(1);
    read_named(provider, request, width, &mut survey).await?;
    read_families(provider, request, width, &mut survey).await?;
    let view = &survey.view;
    let to_come = &ToCome::of(request, view);
    let asked: Vec<_> = stream::iter(request.resources)
        .map(|resource| async move {
            (
                resource.address.clone(),
                ask(provider, request, view, to_come, secrets, resource).await,
            )
        })
        .buffered(width)
        .collect()
        .await;
    survey.found.extend(asked);
    for (address, known) in request.recorded {
        if let Some(object) = known.object().filter(|_| !survey.found.contains_key(address)) {
            let live = survey.view.shared(&object.object).cloned();
            let whose = live
                .as_ref()
                .map(|live| request.identity.whose(live, address, &object.object, Some(known)));
            survey.found.insert(
                address.clone(),
                Found {
                    live,
                    whose,
                    ..Found::default()
                },
            );
        }
    }
    Ok(survey)
}

/// What the stack makes, and others of its objects need, that the cluster has not or is about to lose.
///
/// Asking about an object in a namespace that is not there would only be answered that, and a real server takes its time
/// to say so (its admission looks again after 50 ms). In what is being deleted a server takes writes that go with it
/// (`reference/ssa-semantics.md` finding 11).
#[derive(Debug, Default)]
struct ToCome {
    namespaces: BTreeSet<String>,
    kinds: BTreeSet<GroupKind>,
}

impl ToCome {
    fn of(request: &SurveyRequest<'_>, view: &View) -> Self {
        let mut to_come = Self::default();
        for resource in request.resources {
            if let Some(object) = resource.object().filter(|object| object.is_namespace())
                && view.object(object).is_none_or(is_being_deleted)
            {
                to_come.namespaces.insert(object.name.clone());
            }
            for provided in &resource.provides {
                let name = format!("{}.{}", provided.plural, provided.kind.group);
                let definition = ObjectRef::cluster("apiextensions.k8s.io/v1", "CustomResourceDefinition", &name);
                if view.object(&definition).is_some_and(is_being_deleted) {
                    to_come.kinds.insert(provided.kind.clone());
                }
            }
        }
        to_come
    }

    /// Why an object cannot be asked about yet, if it cannot.
    fn answer(&self, object: &ObjectRef) -> Option<Answer> {
        if let Some(namespace) = object.namespace.as_ref().filter(|name| self.namespaces.contains(*name)) {
            return Some(Answer::NamespaceToCome(namespace.clone()));
        }
        let kind = &object.object_type;
        let is_to_come = self.kinds.contains(&kind.group_kind());
        is_to_come.then(|| Answer::KindToCome(kind.clone()))
    }
}

/// Every object that is known by name: desired, recorded, observed, or holding a late value.
async fn read_named<P: Provider>(
    provider: &P,
    request: &SurveyRequest<'_>,
    width: usize,
    survey: &mut Survey,
) -> Result<(), SurveyError> {
    read_own(provider, request, width, survey).await?;
    let mut named: BTreeSet<ObjectRef> = BTreeSet::new();
    let mut wants = |object: &ObjectRef| {
        if survey.view.object(object).is_none() {
            named.insert(object.clone());
        }
    };
    for object in request.recorded.values().filter_map(Recorded::object) {
        wants(&object.object);
    }
    for resource in request.resources {
        resource.object().into_iter().for_each(&mut wants);
        for observation in observations(resource) {
            match &observation.target {
                // Looked at above.
                Target::Named(object) if resource.object() == Some(object) => {}
                Target::Named(object) => wants(object),
                Target::Linked { from, .. } => wants(from),
                Target::Copied { to, from, .. } => [to, from].into_iter().for_each(&mut wants),
                Target::Every { .. } | Target::Some { .. } | Target::Prefixed { .. } => {}
            }
        }
        for source in resource.late_sources() {
            match source {
                LateSource::Object { object, .. } => wants(object),
                LateSource::Generated { unless_exists, .. } => unless_exists.iter().for_each(&mut wants),
                LateSource::Template { .. } | LateSource::Input(_) => {}
            }
        }
    }
    get_all(provider, named, width, survey).await?;
    // Links name their object only once the holder is read.
    let mut linked = BTreeSet::new();
    for observation in request.resources.iter().flat_map(observations) {
        if let Target::Linked { from, at, of } = &observation.target
            && let Some(name) = survey.view.object(from).and_then(|holder| at.get(holder)?.as_str())
        {
            linked.insert(ObjectRef {
                object_type: of.clone(),
                namespace: from.namespace.clone(),
                name: name.to_owned(),
            });
        }
    }
    get_all(provider, linked, width, survey).await
}

/// Objects that we made, by our label: one list for each kind and namespace that holds some of them.
async fn read_own<P: Provider>(
    provider: &P,
    request: &SurveyRequest<'_>,
    width: usize,
    survey: &mut Survey,
) -> Result<(), SurveyError> {
    let mut groups: BTreeMap<(ObjectType, Option<String>), usize> = BTreeMap::new();
    for recorded in request.recorded.values() {
        if let RecordedNode::Object(object) = &recorded.node {
            let of = &object.object;
            *groups
                .entry((of.object_type.clone(), of.namespace.clone()))
                .or_default() += 1;
        }
    }
    let families = groups
        .into_iter()
        .filter(|(_, members)| *members >= WORTH_A_LIST)
        .map(|((of, namespace), _)| (of, namespace, request.identity.label()))
        .collect();
    list_all(provider, families, width, survey).await
}

async fn get_all<P: Provider>(
    provider: &P,
    named: BTreeSet<ObjectRef>,
    width: usize,
    survey: &mut Survey,
) -> Result<(), SurveyError> {
    let mut answers = stream::iter(named)
        .map(|object| async move {
            let answer = provider.get(&object).await;
            (object, answer)
        })
        .buffer_unordered(width);
    while let Some((object, answer)) = answers.next().await {
        match answer {
            Ok(Some(live)) => survey.view.insert(live),
            Ok(None) | Err(ProviderError::KindNotServed(_) | ProviderError::NotFound) => {}
            Err(cause) => {
                return Err(SurveyError {
                    object: object.to_string(),
                    cause,
                });
            }
        }
    }
    Ok(())
}

/// Families that gates look at: by label in their namespace.
async fn read_families<P: Provider>(
    provider: &P,
    request: &SurveyRequest<'_>,
    width: usize,
    survey: &mut Survey,
) -> Result<(), SurveyError> {
    let mut families = BTreeSet::new();
    for observation in request.resources.iter().flat_map(observations) {
        match &observation.target {
            Target::Every {
                of, namespace, labels, ..
            }
            | Target::Some {
                of, namespace, labels, ..
            } => {
                families.insert((of.clone(), namespace.clone(), labels.clone()));
            }
            Target::Prefixed { of, namespace, .. } => {
                families.insert((of.clone(), Some(namespace.clone()), BTreeMap::new()));
            }
            Target::Named(_) | Target::Linked { .. } | Target::Copied { .. } => {}
        }
    }
    list_all(provider, families, width, survey).await
}

/// A kind, a namespace (or all), and labels that must be equal.
type Family = (ObjectType, Option<String>, BTreeMap<String, String>);

async fn list_all<P: Provider>(
    provider: &P,
    families: BTreeSet<Family>,
    width: usize,
    survey: &mut Survey,
) -> Result<(), SurveyError> {
    let mut answers = stream::iter(families)
        .map(|(of, namespace, labels)| async move {
            let answer = provider.list(&of, namespace.as_deref(), &Selector { labels }).await;
            (of, answer)
        })
        .buffer_unordered(width);
    while let Some((of, answer)) = answers.next().await {
        match answer {
            Ok(objects) => objects.into_iter().for_each(|object| survey.view.insert(object)),
            Err(ProviderError::KindNotServed(_)) => {}
            Err(cause) => {
                return Err(SurveyError {
                    object: of.to_string(),
                    cause,
                });
            }
        }
    }
    Ok(())
}

/// What a resource looks at.
pub(crate) fn observations(resource: &Resource) -> Vec<Observation> {
    match &resource.node {
        Node::Object(object) => object.observations(),
        Node::Overlay(overlay) => vec![overlay.observation()],
        Node::Gate(gate) => gate.observations.clone(),
        Node::Action(action) => action.goal.clone(),
        Node::Check(check) => check.observations.clone(),
    }
}

async fn ask<P: Provider, S: Secrets>(
    provider: &P,
    request: &SurveyRequest<'_>,
    view: &View,
    to_come: &ToCome,
    secrets: &S,
    resource: &Resource,
) -> Found {
    let known = request.recorded.get(&resource.address);
    match &resource.node {
        Node::Object(object) => {
            let found = ask_object(provider, request, view, to_come, secrets, resource, object, known);
            found.await
        }
        Node::Overlay(overlay) => ask_overlay(provider, request, view, secrets, resource, overlay).await,
        Node::Gate(_) | Node::Action(_) | Node::Check(_) => Found::default(),
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "what a plan asks about one object; each is borrowed from its caller"
)]
async fn ask_object<P: Provider, S: Secrets>(
    provider: &P,
    request: &SurveyRequest<'_>,
    view: &View,
    to_come: &ToCome,
    secrets: &S,
    resource: &Resource,
    object: &Object,
    known: Option<&Recorded>,
) -> Found {
    let named = object.manifest.object();
    let live = view.shared(named).cloned();
    let whose = live
        .as_ref()
        .map(|live| request.identity.whose(live, &resource.address, named, known));
    let is_fixed = object.manifest.late().is_empty() && resource.lifecycle.ignore_fields.is_empty();
    let to_come = to_come.answer(named);
    if is_fixed
        && to_come.is_none()
        && whose == Some(Whose::Ours)
        && is_surely_the_same(resource, known, live.as_deref(), &request.identity.object_manager())
    {
        return Found::unchanged(live, whose);
    }
    let resolved = resolve(
        &object.manifest,
        live.as_deref(),
        |other| view.object(other).cloned(),
        secrets,
        false,
    );
    let resolved = match resolved {
        Ok(resolved) => resolved,
        Err(error) => {
            return Found {
                live,
                whose,
                answer: Answer::Late(error),
                ..Found::default()
            };
        }
    };
    if let Some(answer) = to_come {
        return Found {
            live,
            whose,
            answer,
            unknown: resolved.unknown,
            ..Found::default()
        };
    }
    let manager = request.identity.object_manager();
    let mut body = resolved.body;
    // While the stack says what it said, another address alone is nothing to write.
    let sent_before = known.filter(|known| known.object().is_some_and(|last| last.sent == sent_digest(resource)));
    let former = live
        .as_ref()
        .and_then(|live| request.identity.former_address(live, sent_before));
    request
        .identity
        .mark(&mut body, former.as_ref().unwrap_or(&resource.address), named);
    if let Some(live) = &live {
        respect_ignored(&mut body, live, resource, &manager);
    }
    let maps = live.as_deref().map(|live| emptied::emptied(&body, live, known));
    let maps = maps.unwrap_or_default();
    for map in &maps {
        map.remove(&mut body);
    }
    let answer = match dry_run(provider, named, body, live.as_deref(), &manager).await {
        Answer::Would { object, created, taken } if !maps.is_empty() => Answer::Would {
            object: Packed::of(&emptied::with_them(&maps, object.open())),
            created,
            taken,
        },
        answer => answer,
    };
    Found {
        live,
        whose,
        answer,
        unknown: resolved.unknown,
        ..Found::default()
    }
}

async fn ask_overlay<P: Provider, S: Secrets>(
    provider: &P,
    request: &SurveyRequest<'_>,
    view: &View,
    secrets: &S,
    resource: &Resource,
    overlay: &Overlay,
) -> Found {
    let live = view.shared(&overlay.target).cloned();
    let documents = match overlay.resolve(live.as_deref(), |other| view.object(other).cloned(), secrets, false) {
        Ok(documents) => documents,
        Err(error) => {
            return Found {
                live,
                answer: Answer::Late(error),
                ..Found::default()
            };
        }
    };
    if live.is_none() && !overlay.create_if_absent {
        return Found {
            answer: Answer::TargetToCome,
            documents,
            ..Found::default()
        };
    }
    let manager = request.identity.manager_of_overlay(
        &resource.address,
        &overlay.target,
        request.recorded.get(&resource.address),
        request.recorded.values(),
    );
    let known = request.recorded.get(&resource.address);
    if overlay.documents.is_empty() && is_surely_the_same(resource, known, live.as_deref(), &manager) {
        return Found::unchanged(live, None);
    }
    let uid = live.as_ref().and_then(|live| live["metadata"]["uid"].as_str());
    let last = known.map_or(&[][..], |known| known.documents_of(uid.unwrap_or_default()));
    let answer = match overlay.body(live.as_deref(), &documents, last) {
        Ok(body) => dry_run(provider, &overlay.target, body, live.as_deref(), &manager).await,
        Err(error) => Answer::Uneditable(error),
    };
    Found {
        live,
        answer,
        documents,
        ..Found::default()
    }
}

/// Whether the server would surely answer that nothing changes: what would be sent is what was sent, the object is the
/// one it was sent to, our paths hold what the server answered then, and the server notes the same fields as ours. What
/// is not sure is asked.
fn is_surely_the_same(resource: &Resource, known: Option<&Recorded>, live: Option<&Value>, manager: &str) -> bool {
    let (Some(known), Some(live)) = (known, live) else {
        return false;
    };
    let Some(last) = known.object() else { return false };
    let owned = applied_fields(live, manager);
    owned.is_some()
        && last.owned == owned
        && last.manager == manager
        && live["metadata"]["uid"] == last.uid.as_str()
        && resource.object() == Some(&last.object)
        && last.sent == sent_digest(resource)
        && last.sensitive.is_empty()
        && yields_as_recorded(resource, last, live)
        && drifted_fields(known, live, None).is_empty()
}

/// Whether what the resource leaves to managers that win is what its record leaves to them.
fn yields_as_recorded(resource: &Resource, last: &RecordedObject, live: &Value) -> bool {
    let winners = resource.lifecycle.yields_to;
    winners.is_empty() || is_recorded_so(&leaves(&written_value(resource)), &last.fields, live, winners)
}

/// Asks without force first; where others own fields, asks again with force to see what would be there.
async fn dry_run<P: Provider>(
    provider: &P,
    object: &ObjectRef,
    mut body: Value,
    live: Option<&Value>,
    manager: &str,
) -> Answer {
    if let Some(uid) = live.and_then(|live| live["metadata"].get("uid")) {
        body["metadata"]["uid"] = uid.clone();
    }
    let mut request = ApplyRequest {
        object: object.clone(),
        body,
        manager: manager.to_owned(),
        force: false,
        dry_run: true,
    };
    let mut taken = Vec::new();
    loop {
        return match provider.apply(&request).await {
            Ok(answer) => Answer::Would {
                object: Packed::of(&answer.object),
                created: answer.created,
                taken,
            },
            Err(ProviderError::Conflict(causes)) if !request.force => {
                request.force = true;
                taken = causes;
                continue;
            }
            Err(ProviderError::TakesNoDryRun { webhook }) => Answer::Unverified {
                object: Packed::of(&expected(live, &request.body, manager)),
                why: Unanswered::TakesNoDryRun(webhook),
                taken,
            },
            Err(ProviderError::VersionGone(_)) => Answer::Unverified {
                object: Packed::of(&expected(live, &request.body, manager)),
                why: Unanswered::VersionGone,
                taken,
            },
            // It is there, in another version of its kind.
            Err(ProviderError::KindNotServed(kind)) if live.is_some() => Answer::Unverified {
                object: Packed::of(&expected(live, &request.body, manager)),
                why: Unanswered::VersionToCome(kind),
                taken,
            },
            Err(ProviderError::KindNotServed(kind)) => Answer::KindToCome(kind),
            Err(ProviderError::NamespaceMissing(namespace)) => Answer::NamespaceToCome(namespace),
            Err(error) => Answer::Refused(error),
        };
    }
}
