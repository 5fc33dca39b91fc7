//! A small cluster in memory: enough of server-side apply, patches, deletion and watches for the engine's own laws.
//!
//! What it leaves out, on purpose: defaults, schemas, list keys beyond those of [`crate::diff::leaves`]. Exact
//! semantics are proven on the embedded API server and on a real one.

use crate::{
    FieldPath,
    diff::leaves,
    digest::Digest,
    execute::{
        ApplyAnswer, ApplyRequest, Cause, DeleteRequest, Deletion, Patch, PatchRequest, Provider, ProviderError,
        Selector, WatchEvent,
    },
    object_key::{ObjectKey, ObjectRef, ObjectType, key_of},
    ownership::managed_entries,
    packed::Packed,
    recorded::{Origin, Recorded, RecordedDestroy, RecordedNode, RecordedObject},
};
use futures_util::{StreamExt as _, stream, stream::BoxStream};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::broadcast;

/// The cluster.
pub(crate) struct Memory {
    inner: Mutex<Inner>,
    events: broadcast::Sender<Told>,
}

/// What watches hear of.
#[derive(Clone)]
enum Told {
    /// An object as it is now, if it is there, and as it was last.
    One(ObjectKey, Option<Value>, Value),
    /// Everything that is there, after something was missed.
    All(Vec<Value>),
    /// The connection broke.
    Broken,
}

/// What somebody else does to the cluster, once.
type Deed = Box<dyn FnOnce(&Memory) + Send>;

#[derive(Default)]
struct Inner {
    objects: BTreeMap<ObjectKey, Value>,
    version: u64,
    /// `verb Kind name` of every request that changed something.
    log: Vec<String>,
    /// How many requests there were in all.
    n_requests: usize,
    /// Kinds that are not served.
    unserved: BTreeSet<String>,
    /// Kinds whose dry runs admission refuses, with its answer.
    refused: BTreeMap<String, ProviderError>,
    /// Versions that are gone from their definitions.
    gone: BTreeSet<String>,
    /// What every apply to objects of a kind is warned of.
    warnings: BTreeMap<String, String>,
    /// What every apply is answered that is no dry run.
    trouble: Option<ProviderError>,
    /// Names of objects whose writes are refused for good.
    unwritable: BTreeSet<String>,
    /// What somebody else does right before the next write.
    meanwhile: Option<Deed>,
    /// What somebody else does right before the next dry run.
    asked: Option<Deed>,
    /// How many answers to writes get lost.
    lost: usize,
    /// Of which object the next deletion is not carried out, what it is answered, and what somebody else does then.
    undeleted: Option<(ObjectKey, ProviderError, Deed)>,
    /// How long an apply takes.
    takes: Duration,
    /// Whether watches hear of nothing.
    is_broken: bool,
}

impl Inner {
    /// What the writer hears of what was carried out.
    fn answer<T>(&mut self, answer: T) -> Result<T, ProviderError> {
        if self.lost == 0 {
            return Ok(answer);
        }
        self.lost -= 1;
        Err(ProviderError::Unreachable("the connection broke".to_owned()))
    }
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::default(),
            events: broadcast::channel(10_000).0,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().expect("no test panics while it holds the lock")
    }

    pub(crate) fn n_requests(&self) -> usize {
        self.lock().n_requests
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.lock().log.clone()
    }

    pub(crate) fn unserve(&self, kind: &str) {
        self.lock().unserved.insert(kind.to_owned());
    }

    pub(crate) fn serve(&self, kind: &str) {
        self.lock().unserved.remove(kind);
    }

    /// Lets admission answer every dry run of a kind with this.
    pub(crate) fn refuse_dry_runs(&self, kind: &str, answer: ProviderError) {
        self.lock().refused.insert(kind.to_owned(), answer);
    }

    /// Answers every apply with this from now on, or carries it out again.
    pub(crate) fn is_in_trouble(&self, trouble: Option<ProviderError>) {
        self.lock().trouble = trouble;
    }

    /// Warns of something whenever objects of a kind are applied, whether or not that is a dry run.
    pub(crate) fn warn_of(&self, kind: &str, warning: &str) {
        self.lock().warnings.insert(kind.to_owned(), warning.to_owned());
    }

    /// Refuses every write of objects of a name.
    pub(crate) fn refuse_writes(&self, name: &str) {
        self.lock().unwritable.insert(name.to_owned());
    }

    /// Puts an object as some controller would.
    pub(crate) fn put(&self, object: Value) {
        let mut inner = self.lock();
        self.store(&mut inner, object, None);
    }

    /// Edits one field as somebody else would: it is theirs from then on.
    pub(crate) fn edit(&self, object: &ObjectRef, path: &str, value: Value, manager: &str) {
        self.edit_through(None, object, path, value, manager);
    }

    /// Edits one field through the subresource `scale`, as autoscalers do.
    pub(crate) fn scale(&self, object: &ObjectRef, path: &str, value: Value, manager: &str) {
        self.edit_through(Some("scale"), object, path, value, manager);
    }

    fn edit_through(&self, subresource: Option<&str>, object: &ObjectRef, path: &str, value: Value, manager: &str) {
        let mut inner = self.lock();
        let mut live = inner.objects[&object.key()].clone();
        let path = FieldPath::of(path);
        path.set(&mut live, value);
        let mut owned = owned(&live);
        for fields in owned.values_mut() {
            fields.remove(&path);
        }
        owned
            .entry((manager.to_owned(), false, subresource.map(str::to_owned)))
            .or_default()
            .insert(path);
        write_owned(&mut live, &owned);
        self.store(&mut inner, live, None);
    }

    /// Takes a field out as somebody else would, which leaves nobody as its owner (ssa-semantics §6).
    pub(crate) fn strip(&self, object: &ObjectRef, path: &str) {
        let mut inner = self.lock();
        let mut live = inner.objects[&object.key()].clone();
        let path = FieldPath::of(path);
        path.remove(&mut live);
        let mut owned = owned(&live);
        for fields in owned.values_mut() {
            fields.remove(&path);
        }
        write_owned(&mut live, &owned);
        self.store(&mut inner, live, None);
    }

    /// Takes a manager's entries out of an object, as somebody does who edits managedFields.
    pub(crate) fn disown(&self, object: &ObjectRef, manager: &str) {
        let mut inner = self.lock();
        let mut live = inner.objects[&object.key()].clone();
        let mut owned = owned(&live);
        owned.retain(|(who, _, _), _| who != manager);
        write_owned(&mut live, &owned);
        self.store(&mut inner, live, None);
    }

    /// A manager's entry is in a version that goes from its definition: every apply fails from then on (ssa-semantics §9).
    pub(crate) fn retire(&self, object: &ObjectRef, manager: &str, version: &str) {
        let mut inner = self.lock();
        let mut live = inner.objects[&object.key()].clone();
        let entries = live["metadata"]["managedFields"].as_array_mut();
        for entry in entries.expect("somebody owns something") {
            if entry["manager"] == manager {
                entry["apiVersion"] = json!(version);
            }
        }
        inner.gone.insert(version.to_owned());
        self.store(&mut inner, live, None);
    }

    /// Somebody takes an object away.
    pub(crate) fn take(&self, object: &ObjectRef) {
        self.lock().objects.remove(&object.key());
    }

    /// Carries the next writes out without a word.
    pub(crate) fn lose_answers(&self, count: usize) {
        self.lock().lost = count;
    }

    /// Answers the next deletion of an object with this instead of carrying it out, and lets somebody else do something
    /// before it is sent again.
    pub(crate) fn refuse_deletion(
        &self,
        object: &ObjectRef,
        answer: ProviderError,
        deed: impl FnOnce(&Self) + Send + 'static,
    ) {
        self.lock().undeleted = Some((object.key(), answer, Box::new(deed)));
    }

    /// Each apply takes so long from now on.
    pub(crate) fn takes(&self, time: Duration) {
        self.lock().takes = time;
    }

    /// Lets somebody else do something right before the next write is carried out.
    pub(crate) fn meanwhile(&self, deed: impl FnOnce(&Self) + Send + 'static) {
        self.lock().meanwhile = Some(Box::new(deed));
    }

    /// The same right before the next dry run.
    pub(crate) fn once_asked(&self, deed: impl FnOnce(&Self) + Send + 'static) {
        self.lock().asked = Some(Box::new(deed));
    }

    /// Lets them do it now.
    fn interfere(&self) {
        let deed = self.lock().meanwhile.take();
        if let Some(deed) = deed {
            deed(self);
        }
    }

    /// Watches miss what happens from now on.
    pub(crate) fn break_watches(&self) {
        let mut inner = self.lock();
        self.tell(&inner, Told::Broken);
        inner.is_broken = true;
    }

    /// Watches list again, and go on from there.
    pub(crate) fn mend_watches(&self) {
        let mut inner = self.lock();
        inner.is_broken = false;
        let all = inner.objects.values().cloned().collect();
        self.tell(&inner, Told::All(all));
    }

    fn tell(&self, inner: &Inner, told: Told) {
        if !inner.is_broken {
            // Nobody may be watching.
            drop(self.events.send(told));
        }
    }

    pub(crate) fn object(&self, object: &ObjectRef) -> Option<Value> {
        self.lock().objects.get(&object.key()).cloned()
    }

    fn store(&self, inner: &mut Inner, mut object: Value, log: Option<String>) -> Value {
        let key = key_of(&object).expect("an object has a key");
        inner.version += 1;
        object["metadata"]["resourceVersion"] = json!(inner.version.to_string());
        if object["metadata"]["uid"].is_null() {
            object["metadata"]["uid"] = json!(format!("uid-{}", inner.version));
        }
        if object["metadata"]["creationTimestamp"].is_null() {
            object["metadata"]["creationTimestamp"] = json!("2026-11-24T02:00:00Z");
        }
        inner.objects.insert(key.clone(), object.clone());
        inner.log.extend(log);
        self.tell(inner, Told::One(key, Some(object.clone()), object.clone()));
        object
    }
}

/// A resourceVersion that is sent must be the present one (ssa-semantics §4, §5, §12).
fn refuse_stale(live: Option<&Value>, sent: &Value) -> Result<(), ProviderError> {
    match live {
        Some(live) if !sent.is_null() && *sent != live["metadata"]["resourceVersion"] => Err(ProviderError::Modified),
        _ => Ok(()),
    }
}

/// An entry in a version that is gone breaks every apply (ssa-semantics §9).
fn refuse_gone(gone: &BTreeSet<String>, live: Option<&Value>) -> Result<(), ProviderError> {
    let entries = live.and_then(|live| live["metadata"]["managedFields"].as_array());
    let mut versions = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["apiVersion"].as_str());
    match versions.find(|version| gone.contains(*version)) {
        None => Ok(()),
        Some(version) => Err(ProviderError::VersionGone(format!(
            "request to convert CR to an invalid group/version: {version}"
        ))),
    }
}

/// By manager, whether it applied, and the subresource it wrote through.
type Owned = BTreeMap<(String, bool, Option<String>), BTreeSet<FieldPath>>;

fn owned(object: &Value) -> Owned {
    managed_entries(object)
        .into_iter()
        .map(|e| ((e.manager, e.by_apply, e.subresource), e.fields))
        .collect()
}

fn write_owned(object: &mut Value, owned: &Owned) {
    let before = object["metadata"]["managedFields"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let entries: Vec<_> = owned
        .iter()
        .filter(|(_, fields)| !fields.is_empty())
        .map(|((manager, by_apply, subresource), fields)| {
            let mut set = Value::Object(Map::new());
            for path in fields {
                let mut at = &mut set;
                for element in path.elements() {
                    let name = match element {
                        crate::field::PathElement::Field(name) => format!("f:{name}"),
                        crate::field::PathElement::Key(keys) => {
                            let map: Map<String, Value> = keys
                                .iter()
                                .map(|(k, v)| (k.clone(), serde_json::from_str(v).expect("a JSON text")))
                                .collect();
                            format!("k:{}", Value::Object(map))
                        }
                        other => format!("v:{other}"),
                    };
                    if !at.is_object() {
                        *at = json!({});
                    }
                    at = at
                        .as_object_mut()
                        .expect("just made one")
                        .entry(name)
                        .or_insert_with(|| json!({}));
                }
            }
            let operation = if *by_apply { "Apply" } else { "Update" };
            let mut entry = json!({"manager": manager, "operation": operation, "fieldsV1": set});
            if let Some(subresource) = subresource {
                entry["subresource"] = json!(subresource);
            }
            let same = |was: &&Value| was["manager"] == entry["manager"] && was["operation"] == entry["operation"];
            if let Some(version) = before.iter().find(same).and_then(|was| was.get("apiVersion")) {
                entry["apiVersion"] = version.clone();
            }
            entry
        })
        .collect();
    object["metadata"]["managedFields"] = Value::Array(entries);
}

impl Provider for Memory {
    async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, ProviderError> {
        self.lock().n_requests += 1;
        Ok(self.object(object))
    }

    async fn list(
        &self,
        object_type: &ObjectType,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Result<Vec<Value>, ProviderError> {
        let mut inner = self.lock();
        inner.n_requests += 1;
        Ok(list(&inner, object_type, namespace, selector))
    }

    async fn apply(&self, request: &ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
        tokio::task::yield_now().await;
        let takes = self.lock().takes;
        if !request.dry_run {
            tokio::time::sleep(takes).await;
            self.interfere();
        } else if let Some(deed) = { self.lock().asked.take() } {
            deed(self);
        }
        let mut inner = self.lock();
        inner.n_requests += 1;
        if let (Some(trouble), false) = (&inner.trouble, request.dry_run) {
            return Err(trouble.clone());
        }
        if inner.unserved.contains(&request.object.object_type.kind) {
            return Err(ProviderError::KindNotServed(request.object.object_type.clone()));
        }
        let refusal = inner.refused.get(&request.object.object_type.kind);
        if let (Some(refusal), true) = (refusal, request.dry_run) {
            return Err(refusal.clone());
        }
        if !request.dry_run && inner.unwritable.contains(&request.object.name) {
            return Err(ProviderError::Forbidden("nobody may write it".to_owned()));
        }
        let live = inner.objects.get(&request.object.key()).cloned();
        refuse_gone(&inner.gone, live.as_ref())?;
        let created = live.is_none();
        refuse_stale(live.as_ref(), &request.body["metadata"]["resourceVersion"])?;
        if let (Some(uid), true) = (request.body["metadata"]["uid"].as_str(), created) {
            assert!(!uid.is_empty());
            return Err(ProviderError::OtherUid);
        }
        let mut after = live.clone().unwrap_or_else(|| {
            json!({"apiVersion": request.object.object_type.api_version, "kind": request.object.object_type.kind,
                "metadata": {"name": request.object.name}})
        });
        if let Some(namespace) = &request.object.namespace {
            after["metadata"]["namespace"] = json!(namespace);
        }
        let paths = leaves(&request.body);
        let mut owners = owned(&after);
        let us = (request.manager.clone(), true, None);
        let causes: Vec<Cause> = owners
            .iter()
            .filter(|(who, _)| **who != us)
            .flat_map(|((manager, _, _), fields)| fields.iter().map(move |field| (manager, field)))
            .filter(|(_, field)| paths.contains(*field) && field.get(&after) != field.get(&request.body))
            .map(|(manager, field)| Cause {
                manager: manager.clone(),
                field: field.to_string(),
                message: String::new(),
            })
            .collect();
        if !causes.is_empty() && !request.force {
            return Err(ProviderError::Conflict(causes));
        }
        let dropped: Vec<_> = owners
            .get(&us)
            .into_iter()
            .flatten()
            .filter(|path| !paths.contains(*path))
            .cloned()
            .collect();
        for path in dropped {
            let kept = owners.iter().any(|(who, fields)| *who != us && fields.contains(&path));
            if !kept {
                path.remove(&mut after);
            }
        }
        for path in &paths {
            let value = path.get(&request.body).cloned().unwrap_or_default();
            if path.get(&after) != Some(&value) {
                for (who, fields) in &mut owners {
                    if *who != us {
                        fields.remove(path);
                    }
                }
                path.set(&mut after, value);
            }
        }
        owners.insert(us, paths);
        write_owned(&mut after, &owners);
        let warning = inner.warnings.get(&request.object.object_type.kind);
        let answer = |object| ApplyAnswer {
            object,
            created,
            warnings: warning.cloned().into_iter().collect(),
        };
        if request.dry_run || live.as_ref() == Some(&after) {
            let answer = answer(after);
            return if request.dry_run {
                Ok(answer)
            } else {
                inner.answer(answer)
            };
        }
        let verb = if created { "create" } else { "update" };
        let log = format!("{verb} {}", request.object);
        let mut answer = answer(Value::Null);
        answer.object = self.store(&mut inner, after, Some(log));
        inner.answer(answer)
    }

    async fn patch(&self, request: &PatchRequest) -> Result<Value, ProviderError> {
        self.interfere();
        let mut inner = self.lock();
        let mut live = inner
            .objects
            .get(&request.object.key())
            .cloned()
            .ok_or(ProviderError::NotFound)?;
        match &request.patch {
            Patch::Merge(patch) => {
                let uid = &patch["metadata"]["uid"];
                if !uid.is_null() && *uid != live["metadata"]["uid"] {
                    return Err(ProviderError::OtherUid);
                }
                refuse_stale(Some(&live), &patch["metadata"]["resourceVersion"])?;
                merge(&mut live, patch);
            }
            Patch::Json(operations) => {
                for operation in operations.as_array().expect("a list") {
                    let pointer = operation["path"].as_str().expect("a path");
                    if pointer == "/metadata/resourceVersion" {
                        refuse_stale(Some(&live), &operation["value"])?;
                    }
                    let mut names: Vec<_> = pointer
                        .split('/')
                        .skip(1)
                        .map(|n| n.replace("~1", "/").replace("~0", "~"))
                        .collect();
                    let last = names.pop().expect("not the root");
                    let parent = names.iter().fold(&mut live, |at, name| match at {
                        Value::Array(items) => &mut items[name.parse::<usize>().expect("an index")],
                        other => &mut other[name.as_str()],
                    });
                    if operation["op"] == "remove" {
                        parent.as_object_mut().expect("a map").remove(&last);
                    } else {
                        parent[last.as_str()] = operation["value"].clone();
                    }
                }
            }
        }
        let log = format!("patch {}", request.object);
        let object = self.store(&mut inner, live, Some(log));
        inner.answer(object)
    }

    async fn delete(&self, request: &DeleteRequest) -> Result<Deletion, ProviderError> {
        self.interfere();
        let key = request.object.key();
        let refused = { self.lock().undeleted.take_if(|(of, ..)| *of == key) };
        if let Some((_, answer, deed)) = refused {
            deed(self);
            return Err(answer);
        }
        let mut inner = self.lock();
        let live = inner.objects.get(&key).cloned().ok_or(ProviderError::NotFound)?;
        if request.uid.as_deref().is_some_and(|uid| live["metadata"]["uid"] != uid) {
            return Err(ProviderError::OtherUid);
        }
        refuse_stale(Some(&live), &json!(request.resource_version))?;
        inner.objects.remove(&key);
        inner.log.push(format!("delete {}", request.object));
        self.tell(&inner, Told::One(key, None, live));
        inner.answer(Deletion::Gone)
    }

    fn watch(&self, object_type: &ObjectType, namespace: Option<&str>) -> BoxStream<'static, WatchEvent> {
        let receiver = self.events.subscribe();
        let now = list(&self.lock(), object_type, namespace, &Selector::default());
        let (kind, namespace) = (object_type.group_kind(), namespace.map(str::to_owned));
        let later = stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.ok().map(|event| (event, receiver))
        })
        .filter_map(move |told| {
            let covers = |key: &ObjectKey| key.kind == kind && (namespace.is_none() || namespace == key.namespace);
            std::future::ready(match told {
                Told::One(key, after, last) => {
                    let event = after.map_or(WatchEvent::Gone(last), WatchEvent::Changed);
                    covers(&key).then_some(event)
                }
                Told::All(objects) => {
                    let covered = objects
                        .into_iter()
                        .filter(|object| key_of(object).as_ref().is_some_and(covers));
                    Some(WatchEvent::Snapshot(covered.collect()))
                }
                Told::Broken => Some(WatchEvent::Interrupted("the connection broke".to_owned())),
            })
        });
        stream::iter([WatchEvent::Snapshot(now)])
            .chain(later)
            .chain(stream::pending())
            .boxed()
    }
}

fn list(inner: &Inner, of: &ObjectType, namespace: Option<&str>, selector: &Selector) -> Vec<Value> {
    let kind = of.group_kind();
    inner
        .objects
        .iter()
        .filter(|(key, _)| key.kind == kind && (namespace.is_none() || key.namespace.as_deref() == namespace))
        .map(|(_, object)| object.clone())
        .filter(|object| {
            selector
                .labels
                .iter()
                .all(|(n, v)| object["metadata"]["labels"][n.as_str()] == v.as_str())
        })
        .collect()
}

fn merge(into: &mut Value, patch: &Value) {
    let Some(map) = patch.as_object() else {
        *into = patch.clone();
        return;
    };
    for (name, value) in map {
        if value.is_null() {
            into.as_object_mut().map(|into| into.remove(name));
        } else {
            merge(&mut into[name.as_str()], value);
        }
    }
}

/// The record of an object of which these fields are a manager's.
pub(crate) fn known_fields(fields: &[&str], manager: &str) -> Recorded {
    let object = RecordedObject {
        object: ObjectRef::namespaced("v1", "ConfigMap", "n", "c"),
        uid: "u".to_owned(),
        origin: Origin::Created,
        manager: manager.to_owned(),
        sent: Digest::of(&Value::Null),
        manifest: Packed::default(),
        fields: Arc::new(fields.iter().map(|field| FieldPath::of(field)).collect()),
        sensitive: BTreeSet::new(),
        key_id: None,
        owned: None,
    };
    Recorded {
        address: "a.b".parse().expect("an address"),
        node: RecordedNode::Object(object),
        edges: Vec::new(),
        destroy: RecordedDestroy::default(),
    }
}
