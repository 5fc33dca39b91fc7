//! What the watches have told so far: the evidence that readiness is judged on.
//!
//! Invariants:
//! - A scope says nothing before its first snapshot: "not read yet" is never "not there".
//! - An older state never replaces a newer one: our own write is evidence at once, and a watch event from before it
//!   is dropped.
//! - An object is held as its text, and as a value only from when somebody looks at it until its step is done: a run is
//!   told of all objects of a scope, and looks at few of them at a time.

use super::WatchEvent;
use crate::{
    object_key::{GroupKind, ObjectKey, ObjectRef, ObjectType, is_being_deleted, key_of},
    packed::Packed,
    readiness::{Seen, Sight},
};
use serde_json::Value;
use std::{collections::BTreeMap, sync::OnceLock};

/// A type in a namespace, or in all of them: what one watch is about.
pub(super) type Scope = (ObjectType, Option<String>);

/// Objects by scope, as the watches told them.
#[derive(Debug, Default)]
pub(super) struct LiveView {
    scopes: BTreeMap<Scope, BTreeMap<ObjectKey, Held>>,
    /// The scopes that were read, in whatever version, by the objects that they hold.
    holding: BTreeMap<(GroupKind, Option<String>), Vec<Scope>>,
    /// Our own writes in scopes that are not read yet.
    written: BTreeMap<ObjectKey, Held>,
}

/// One object as it was told.
#[derive(Clone, Debug)]
struct Held {
    text: Packed,
    /// Its value, once somebody looked at it.
    open: OnceLock<Value>,
    uid: String,
    /// Its resourceVersion, if it is a number.
    version: Option<u64>,
}

impl Held {
    /// An object without the record of who owns which of its fields, which is half of it and which no verdict looks at.
    /// Only of what is on its way out it is told who holds it up.
    fn of(mut object: Value) -> Self {
        if !is_being_deleted(&object)
            && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
        {
            metadata.remove("managedFields");
        }
        let (uid, version) = state_of(&object);
        Self {
            uid: uid.to_owned(),
            version,
            text: Packed::of(&object),
            open: OnceLock::new(),
        }
    }

    fn value(&self) -> &Value {
        self.open.get_or_init(|| self.text.open())
    }

    fn state(&self) -> State<'_> {
        (&self.uid, self.version)
    }

    /// Whether it is a later state of the same object than another, as far as resourceVersions can be compared.
    fn is_newer(&self, (uid, version): State<'_>) -> bool {
        self.uid == uid && self.version.zip(version).is_some_and(|(own, other)| own > other)
    }

    /// Whether it is the same state of the same object as another, or a later one.
    fn is_as_new(&self, (uid, version): State<'_>) -> bool {
        self.uid == uid && self.version.zip(version).is_some_and(|(own, other)| own >= other)
    }
}

/// Which object it is, by its uid, and its resourceVersion, if that is a number.
type State<'a> = (&'a str, Option<u64>);

fn state_of(object: &Value) -> State<'_> {
    let text = |name: &str| object["metadata"][name].as_str();
    let version = text("resourceVersion").and_then(|version| version.parse().ok());
    (text("uid").unwrap_or_default(), version)
}

impl LiveView {
    /// Takes one event of a scope in; whether anything is seen differently now.
    pub(super) fn take(&mut self, scope: &Scope, event: WatchEvent) -> bool {
        match event {
            WatchEvent::Snapshot(objects) => {
                let old = std::mem::take(self.scope(scope));
                let told = objects
                    .into_iter()
                    .filter_map(|object| Some((key_of(&object)?, Held::of(object))));
                let mut objects: BTreeMap<_, _> = told.collect();
                for (key, object) in &mut objects {
                    let known = old.get(key).or_else(|| self.written.get(key));
                    if let Some(newer) = known.filter(|known| known.is_newer(object.state())) {
                        *object = newer.clone();
                    }
                }
                self.scopes.insert(scope.clone(), objects);
                true
            }
            WatchEvent::Changed(object) => {
                let objects = self.scope(scope);
                let Some(key) = key_of(&object) else { return false };
                let is_new = !objects
                    .get(&key)
                    .is_some_and(|known| known.is_as_new(state_of(&object)));
                if is_new {
                    objects.insert(key, Held::of(object));
                }
                is_new
            }
            WatchEvent::Gone(object) => {
                let (Some(objects), Some(key)) = (self.scopes.get_mut(scope), key_of(&object)) else {
                    return false;
                };
                let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
                let same = objects.get(&key).is_some_and(|known| known.uid == uid);
                same && objects.remove(&key).is_some()
            }
            WatchEvent::Interrupted(_) | WatchEvent::Resumed => false,
        }
    }

    /// Takes in objects of a scope that were read one by one; only for those that look at no others of it.
    pub(super) fn read_of(&mut self, scope: &Scope, objects: Vec<Value>) {
        let known = self.scope(scope);
        known.extend(
            objects
                .into_iter()
                .filter_map(|object| Some((key_of(&object)?, Held::of(object)))),
        );
    }

    /// Takes in what the server answered to a write of ours; the scopes that know it now.
    pub(super) fn wrote(&mut self, key: &ObjectKey, object: Value) -> Vec<Scope> {
        let in_all = self.holding.get(&(key.kind.clone(), None)).into_iter();
        let in_its_own = key
            .namespace
            .is_some()
            .then(|| (key.kind.clone(), key.namespace.clone()));
        let in_its_own = in_its_own.and_then(|own| self.holding.get(&own)).into_iter();
        let told: Vec<Scope> = in_all.chain(in_its_own).flatten().cloned().collect();
        let now = Held::of(object);
        for scope in &told {
            let objects = self.scope(scope);
            if !objects.get(key).is_some_and(|known| known.is_as_new(now.state())) {
                objects.insert(key.clone(), now.clone());
            }
        }
        // A scope that is read later may still tell an older state.
        if told.is_empty() {
            self.written.insert(key.clone(), now);
        }
        told
    }

    /// Nobody looks at an object for now: its value can be made again of its text.
    pub(super) fn close(&mut self, object: &ObjectRef) {
        let (key, of) = (object.key(), &object.object_type);
        for namespace in [object.namespace.clone(), None] {
            let scope = self.scopes.get_mut(&(of.clone(), namespace));
            if let Some(held) = scope.and_then(|objects| objects.get_mut(&key)) {
                held.open.take();
            }
        }
    }

    /// Whether all that these look at has been read.
    pub(super) fn is_read(&self, sights: &[Sight]) -> bool {
        sights.iter().all(|sight| self.scopes.contains_key(&sight.scope()))
    }

    /// The objects of a scope, which counts as read from here on.
    fn scope(&mut self, scope: &Scope) -> &mut BTreeMap<ObjectKey, Held> {
        if !self.scopes.contains_key(scope) {
            let (of, namespace) = scope;
            let held = self.holding.entry((of.group_kind(), namespace.clone()));
            held.or_default().push(scope.clone());
        }
        self.scopes.entry(scope.clone()).or_default()
    }
}

impl Seen for LiveView {
    fn object(&self, object: &ObjectRef) -> Option<&Value> {
        let key = object.key();
        let own = (object.object_type.clone(), object.namespace.clone());
        let scope = self
            .scopes
            .get(&own)
            .or_else(|| self.scopes.get(&(object.object_type.clone(), None)))?;
        scope.get(&key).map(Held::value)
    }

    fn objects(&self, object_type: &ObjectType, namespace: Option<&str>) -> Vec<&Value> {
        let scope = (object_type.clone(), namespace.map(str::to_owned));
        let held = self.scopes.get(&scope).into_iter().flat_map(BTreeMap::values);
        held.map(Held::value).collect()
    }
}

/// Objects of one list.
pub(super) struct Listed(pub(super) Vec<Value>);

impl Seen for Listed {
    fn object(&self, object: &ObjectRef) -> Option<&Value> {
        let key = object.key();
        self.0.iter().find(|candidate| key_of(candidate).as_ref() == Some(&key))
    }

    fn objects(&self, _: &ObjectType, _: Option<&str>) -> Vec<&Value> {
        self.0.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(version: &str, text: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "n", "uid": "u", "resourceVersion": version}, "data": {"k": text}})
    }

    #[test]
    fn our_write_is_not_undone_by_an_event_from_before_it() {
        let scope = (ObjectType::new("v1", "ConfigMap"), Some("n".to_owned()));
        let named = ObjectRef::namespaced("v1", "ConfigMap", "n", "c");
        let mut view = LiveView::default();
        view.wrote(&named.key(), object("7", "new"));
        assert!(!view.is_read(&[Sight::One(named.clone())]));
        assert!(view.take(&scope, WatchEvent::Snapshot(vec![object("5", "old")])));
        assert_eq!(view.object(&named).expect("there")["data"]["k"], "new");
        assert!(!view.take(&scope, WatchEvent::Changed(object("6", "older"))));
        assert!(!view.take(&scope, WatchEvent::Changed(object("7", "new"))));
        assert_eq!(view.object(&named).expect("there")["data"]["k"], "new");
        assert!(view.take(&scope, WatchEvent::Changed(object("8", "newest"))));
        assert_eq!(view.object(&named).expect("there")["data"]["k"], "newest");
        view.close(&named);
        assert_eq!(view.object(&named).expect("there")["data"]["k"], "newest");
        assert!(view.take(&scope, WatchEvent::Gone(object("9", ""))));
        assert!(view.object(&named).is_none());
    }
}
