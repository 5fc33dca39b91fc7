//! What manifests wait for by `config.kubernetes.io/depends-on`
//! (<https://github.com/kubernetes-sigs/cli-utils/blob/master/README.md#depends-on-annotation>).
//!
//! That an object waits for its namespace and its definition is the engine's to see.

use super::{
    ManifestsError,
    read::{Document, annotation},
};
use serde_json::Value;
use stackctl_engine::{Address, ObjectKey, object_key::GroupKind, resource::DependsOn};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// The annotation that names what an object waits for.
pub(super) const DEPENDS_ON: &str = "config.kubernetes.io/depends-on";

/// Why an object waits for what its annotation names.
pub(super) const REASON: &str = "its depends-on annotation";

/// Every object by its key and by its address.
#[derive(Debug)]
pub(super) struct Index<'a> {
    by_object: BTreeMap<ObjectKey, (&'a Address, &'a Document<'a>)>,
    addresses: BTreeSet<&'a Address>,
    refused: &'a [ObjectKey],
}

impl<'a> Index<'a> {
    /// Indexes documents with their addresses; objects that are there twice are added to `errors`. Of `refused` documents
    /// it is known that they are there, and told what is wrong with them.
    pub(super) fn new(
        documents: &'a [(usize, Document<'_>)],
        addresses: &'a [Address],
        refused: &'a [ObjectKey],
        errors: &mut Vec<ManifestsError>,
    ) -> Self {
        let mut index = Self {
            by_object: BTreeMap::new(),
            addresses: BTreeSet::new(),
            refused,
        };
        for ((_, document), address) in documents.iter().zip(addresses) {
            let object = document.manifest.object();
            match index.by_object.get(&object.key()) {
                Some((_, first)) => errors.push(ManifestsError::Twice {
                    at: document.at(),
                    object: object.to_string(),
                    first: first.at(),
                }),
                // Two groups may have a kind of one name; then the addresses are one.
                None if !index.addresses.insert(address) => errors.push(ManifestsError::NotAnObject {
                    at: document.at(),
                    why: format!("another object is `{address}` already"),
                    hint: Cow::Borrowed("kinds of one name and different groups need a `[[manifests]]` table each"),
                }),
                None => {
                    index.by_object.insert(object.key(), (address, document));
                }
            }
        }
        index
    }

    /// The address of an object.
    pub(super) fn address(&self, object: &ObjectKey) -> Option<&'a Address> {
        self.by_object.get(object).map(|(address, _)| *address)
    }

    /// What is written of an object.
    pub(super) fn value(&self, object: &ObjectKey) -> Option<&'a Value> {
        self.by_object
            .get(object)
            .map(|(_, document)| document.manifest.value())
    }

    pub(super) fn has(&self, address: &Address) -> bool {
        self.addresses.contains(address)
    }

    fn is_refused(&self, wanted: &ObjectKey) -> bool {
        let is = |one: &ObjectKey| {
            let is_there = one.namespace.is_none() || one.namespace == wanted.namespace;
            one.kind == wanted.kind && one.name == wanted.name && is_there
        };
        self.refused.iter().any(is)
    }

    /// The edges that a document's annotation asks for.
    pub(super) fn of(
        &self,
        document: &Document<'_>,
        own: &Address,
        errors: &mut Vec<ManifestsError>,
    ) -> Vec<DependsOn> {
        let mut edges = Vec::new();
        for text in annotation(document, DEPENDS_ON)
            .into_iter()
            .flat_map(|text| text.split(','))
        {
            let text = text.trim();
            let wanted = reference(text);
            match wanted.as_ref().and_then(|key| self.address(key)) {
                Some(address) if address == own => errors.push(ManifestsError::Itself {
                    at: document.at_annotation(DEPENDS_ON),
                    says: format!("`{DEPENDS_ON}`"),
                    hint: "take it out of the annotation",
                }),
                Some(address) => edges.push(DependsOn::ready(address.clone(), REASON)),
                None if wanted.is_some_and(|key| self.is_refused(&key)) => {}
                None => errors.push(ManifestsError::Unknown {
                    at: document.at_annotation(DEPENDS_ON),
                    wanted: text.to_owned(),
                    hint: "write `GROUP/namespaces/NAMESPACE/KIND/NAME` or `GROUP/KIND/NAME` of an object of the stack"
                        .to_owned(),
                }),
            }
        }
        edges
    }
}

fn reference(text: &str) -> Option<ObjectKey> {
    let parts: Vec<&str> = text.split('/').collect();
    let (group, namespace, kind, name) = match parts.as_slice() {
        [group, "namespaces", namespace, kind, name] => (*group, Some((*namespace).to_owned()), *kind, *name),
        [group, kind, name] => (*group, None, *kind, *name),
        _ => return None,
    };
    Some(ObjectKey {
        kind: GroupKind::new(group, kind),
        namespace,
        name: name.to_owned(),
    })
}
