//! What the watches have told so far: the evidence that readiness is judged on.
//!
//! Invariants:
//! - A scope says nothing before its first snapshot: "not read yet" is never "not there".
//! - An older state never replaces a newer one: our own write is evidence at once, and a watch event from before it
//!   is dropped.

use super::WatchEvent;
use crate::{
    object_key::{ObjectKey, ObjectRef, ObjectType},
    readiness::Seen,
    survey::key_of,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// A type in a namespace, or in all of them: what one watch is about.
pub(super) type Scope = (ObjectType, Option<String>);

/// Objects by scope, as the watches told them.
#[derive(Debug, Default)]
pub(super) struct LiveView {
    scopes: BTreeMap<Scope, BTreeMap<ObjectKey, Value>>,
    /// Our own writes in scopes that are not read yet.
    written: BTreeMap<ObjectKey, Value>,
}

impl LiveView {
    /// Takes one event of a scope in.
    pub(super) fn take(&mut self, scope: &Scope, event: WatchEvent) {
        match event {
            WatchEvent::Snapshot(objects) => {
                let old = self.scopes.remove(scope).unwrap_or_default();
                let mut objects: BTreeMap<_, _> = objects.into_iter().filter_map(|o| Some((key_of(&o)?, o))).collect();
                for (key, object) in &mut objects {
                    let known = old.get(key).or_else(|| self.written.get(key));
                    if let Some(newer) = known.filter(|known| is_newer(known, object)) {
                        *object = newer.clone();
                    }
                }
                self.scopes.insert(scope.clone(), objects);
            }
            WatchEvent::Changed(object) => {
                let objects = self.scopes.entry(scope.clone()).or_default();
                if let Some(key) = key_of(&object)
                    && !objects.get(&key).is_some_and(|known| is_newer(known, &object))
                {
                    objects.insert(key, object);
                }
            }
            WatchEvent::Gone(object) => {
                if let (Some(objects), Some(key)) = (self.scopes.get_mut(scope), key_of(&object)) {
                    let same = objects
                        .get(&key)
                        .is_some_and(|known| known["metadata"]["uid"] == object["metadata"]["uid"]);
                    if same {
                        objects.remove(&key);
                    }
                }
            }
            WatchEvent::Interrupted(_) => {}
        }
    }

    /// Takes in what the server answered to a write of ours; the scopes that know it now.
    pub(super) fn wrote(&mut self, object: &Value) -> Vec<Scope> {
        let Some(key) = key_of(object) else { return Vec::new() };
        let mut told = Vec::new();
        for (scope, objects) in &mut self.scopes {
            let (of, namespace) = scope;
            let covers = of.group_kind() == key.kind && (namespace.is_none() || *namespace == key.namespace);
            if covers {
                told.push(scope.clone());
                if !objects.get(&key).is_some_and(|known| is_newer(known, object)) {
                    objects.insert(key.clone(), object.clone());
                }
            }
        }
        // A scope that is read later may still tell an older state.
        if told.is_empty() {
            self.written.insert(key, object.clone());
        }
        told
    }

    /// Whether all of these scopes have been read.
    pub(super) fn is_read(&self, scopes: &[Scope]) -> bool {
        scopes.iter().all(|scope| self.scopes.contains_key(scope))
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
        scope.get(&key)
    }

    fn objects(&self, object_type: &ObjectType, namespace: Option<&str>) -> Vec<&Value> {
        let scope = (object_type.clone(), namespace.map(str::to_owned));
        self.scopes.get(&scope).into_iter().flat_map(BTreeMap::values).collect()
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

/// Whether `known` is a later state of the same object than `other`, as far as resourceVersions can be compared.
fn is_newer(known: &Value, other: &Value) -> bool {
    let version = |object: &Value| {
        object["metadata"]["resourceVersion"]
            .as_str()
            .and_then(|v| v.parse::<u64>().ok())
    };
    known["metadata"]["uid"] == other["metadata"]["uid"]
        && matches!((version(known), version(other)), (Some(known), Some(other)) if known > other)
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
        view.wrote(&object("7", "new"));
        assert!(!view.is_read(std::slice::from_ref(&scope)));
        view.take(&scope, WatchEvent::Snapshot(vec![object("5", "old")]));
        assert_eq!(view.object(&named).expect("there")["data"]["k"], "new");
        view.take(&scope, WatchEvent::Changed(object("6", "older")));
        assert_eq!(view.object(&named).expect("there")["data"]["k"], "new");
        view.take(&scope, WatchEvent::Changed(object("8", "newest")));
        assert_eq!(view.object(&named).expect("there")["data"]["k"], "newest");
        view.take(&scope, WatchEvent::Gone(object("9", "")));
        assert!(view.object(&named).is_none());
    }
}
