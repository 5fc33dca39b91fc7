//! What the operators know about the cluster: one cache of every watched kind, shared by all of them.
//!
//! In: what watches and answers to our own writes say. Out: typed look-ups by kind, namespace and name.
//!
//! Invariants:
//! - An object never goes back to an older resourceVersion, so that an operator reads its own writes.
//! - A kind that is not served has no objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::kinds::{self, Kind};
use super::object::Read;

type Name = (String, String);

/// The cache.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    objects: BTreeMap<Kind, BTreeMap<Name, Arc<Value>>>,
    served: BTreeMap<Kind, Served>,
    newest: u64,
}

/// How far the watch of a served kind is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Served {
    Listing,
    Listed,
}

impl World {
    /// Returns every object of a kind, by namespace and name.
    pub(crate) fn list(&self, kind: Kind) -> impl Iterator<Item = &Arc<Value>> {
        self.objects.get(&kind).into_iter().flat_map(BTreeMap::values)
    }

    /// Returns every object of a kind in one namespace, by name.
    pub(crate) fn list_in<'a>(&'a self, kind: Kind, namespace: &str) -> impl Iterator<Item = &'a Arc<Value>> + use<'a> {
        let from = (namespace.to_owned(), String::new());
        let namespace = namespace.to_owned();
        let objects = self
            .objects
            .get(&kind)
            .into_iter()
            .flat_map(move |objects| objects.range(from.clone()..));
        objects
            .take_while(move |((of, _), _)| *of == namespace)
            .map(|(_, object)| object)
    }

    /// Returns one object; `namespace` is empty for cluster-scoped kinds.
    pub(crate) fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        self.objects.get(&kind)?.get(&(namespace.to_owned(), name.to_owned()))
    }

    /// Returns whether an object is there and not being deleted.
    pub(crate) fn has(&self, kind: Kind, namespace: &str, name: &str) -> bool {
        self.get(kind, namespace, name)
            .is_some_and(|object| !object.is_deleting())
    }

    /// Returns whether the API server serves this kind.
    pub(crate) fn serves(&self, kind: Kind) -> bool {
        self.served.contains_key(&kind)
    }

    /// Returns whether a CRD of this name is Established.
    pub(crate) fn is_established(&self, crd: &str) -> bool {
        self.get(kinds::CRD, "", crd).is_some_and(|crd| crd.is("Established"))
    }

    /// Returns whether the operator of a package runs: from its installation until its CSV is deleted.
    pub(crate) fn runs(&self, prefix: &str) -> bool {
        self.list(kinds::CSV).any(|csv| {
            csv.label("olm.copiedFrom").is_none()
                && csv
                    .name()
                    .strip_prefix(prefix)
                    .is_some_and(|rest| rest.starts_with('.'))
                && ["Installing", "Succeeded", "Replacing"].contains(&csv.text("/status/phase"))
                && !csv.is_deleting()
        })
    }

    /// Returns the installed (not copied) CSV whose name starts with `package.`, in any namespace.
    pub(crate) fn csv(&self, prefix: &str) -> Option<&Arc<Value>> {
        self.list(kinds::CSV).find(|csv| {
            csv.label("olm.copiedFrom").is_none()
                && csv
                    .name()
                    .strip_prefix(prefix)
                    .is_some_and(|rest| rest.starts_with('.'))
                && csv.text("/status/phase") == "Succeeded"
        })
    }

    /// Returns whether a Deployment is there and Available.
    pub(crate) fn is_available(&self, namespace: &str, deployment: &str) -> bool {
        self.get(kinds::DEPLOYMENT, namespace, deployment)
            .is_some_and(|object| {
                !object.is_deleting()
                    && object.is("Available")
                    && object.number("/status/observedGeneration") == object.number("/metadata/generation")
            })
    }

    /// Returns the newest resourceVersion the cache holds of an object, zero if it has none.
    fn version_of(object: &Value) -> u64 {
        object.text("/metadata/resourceVersion").parse().unwrap_or_default()
    }

    /// Returns the newest resourceVersion seen: it differs after every change.
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// Takes an object in, unless a newer one is known. Returns whether something changed.
    pub(crate) fn put(&mut self, kind: Kind, object: Value) -> bool {
        self.newest = self.newest.max(Self::version_of(&object));
        let name = (object.namespace().to_owned(), object.name().to_owned());
        let objects = self.objects.entry(kind).or_default();
        if let Some(known) = objects.get(&name)
            && Self::version_of(known) >= Self::version_of(&object)
        {
            return false;
        }
        objects.insert(name, Arc::new(object));
        true
    }

    /// Forgets an object that is gone; one of another uid stays. Returns whether something changed.
    pub(crate) fn remove(&mut self, kind: Kind, namespace: &str, name: &str, uid: &str) -> bool {
        let Some(objects) = self.objects.get_mut(&kind) else {
            return false;
        };
        let key = (namespace.to_owned(), name.to_owned());
        let same = objects
            .get(&key)
            .is_some_and(|known| uid.is_empty() || known.uid() == uid);
        same && objects.remove(&key).is_some()
    }

    /// Notes that a kind is served and that its objects are being listed.
    pub(crate) fn starts(&mut self, kind: Kind) {
        self.served.entry(kind).or_insert(Served::Listing);
    }

    /// Replaces what is known of a kind by a complete listing.
    pub(crate) fn relist(&mut self, kind: Kind, objects: Vec<Value>) {
        let known = self.objects.remove(&kind).unwrap_or_default();
        self.served.insert(kind, Served::Listed);
        for object in objects {
            let key = (object.namespace().to_owned(), object.name().to_owned());
            if let Some(known) = known
                .get(&key)
                .filter(|known| Self::version_of(known) >= Self::version_of(&object))
            {
                self.objects.entry(kind).or_default().insert(key, Arc::clone(known));
            } else {
                self.put(kind, object);
            }
        }
    }

    /// Forgets a kind that is served no more.
    pub(crate) fn ends(&mut self, kind: Kind) {
        self.served.remove(&kind);
        self.objects.remove(&kind);
    }

    /// Returns whether every served kind has been listed.
    pub(crate) fn is_complete(&self) -> bool {
        self.served.values().all(|served| *served == Served::Listed)
    }
}
