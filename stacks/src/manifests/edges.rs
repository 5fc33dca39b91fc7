//! What manifests wait for by `config.kubernetes.io/depends-on`
//! (<https://github.com/kubernetes-sigs/cli-utils/blob/master/README.md#depends-on-annotation>).
//!
//! That an object waits for its namespace and its definition is the engine's to see.

use super::{FileLine, ManifestsError, read::Document};
use stackctl_engine::{Address, ObjectKey, object_key::GroupKind, resource::DependsOn};
use std::collections::{BTreeMap, BTreeSet};

/// The address of every object.
#[derive(Debug)]
pub(super) struct Index {
    by_object: BTreeMap<ObjectKey, (Address, FileLine)>,
    addresses: BTreeSet<Address>,
}

impl Index {
    /// Indexes documents; objects that are there twice are added to `errors`.
    pub(super) fn new(
        documents: &[(usize, Document)],
        address: impl Fn(usize, &Document) -> Address,
        errors: &mut Vec<ManifestsError>,
    ) -> Self {
        let mut index = Self {
            by_object: BTreeMap::new(),
            addresses: BTreeSet::new(),
        };
        for (set, document) in documents {
            let object = document.manifest.object();
            let address = address(*set, document);
            let first = index.by_object.get(&object.key()).map(|(_, first)| first.clone());
            match first {
                Some(first) => errors.push(ManifestsError::Twice {
                    at: document.at.clone(),
                    object: object.to_string(),
                    first,
                }),
                // Two groups may have a kind of one name; then the addresses are one.
                None if !index.addresses.insert(address.clone()) => errors.push(ManifestsError::NotAnObject {
                    at: document.at.clone(),
                    why: format!("another object is `{address}` already"),
                    hint: "kinds of one name and different groups need a `[[manifests]]` table each",
                }),
                None => {
                    index.by_object.insert(object.key(), (address, document.at.clone()));
                }
            }
        }
        index
    }

    pub(super) fn has(&self, address: &Address) -> bool {
        self.addresses.contains(address)
    }

    /// The edges that a document's annotation asks for.
    pub(super) fn of(&self, document: &Document, errors: &mut Vec<ManifestsError>) -> Vec<DependsOn> {
        let mut edges = Vec::new();
        for text in document.depends_on().into_iter().flat_map(|text| text.split(',')) {
            let text = text.trim();
            match reference(text).and_then(|key| self.by_object.get(&key)) {
                Some((address, _)) => edges.push(DependsOn::ready(address.clone(), "its depends-on annotation")),
                None => errors.push(ManifestsError::Unknown {
                    at: document.at.clone(),
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
