//! Manifests of the user's own: files in, resources out.
//!
//! Invariants:
//! - Pure: the texts of files come in, nothing is read here.
//! - The address of an object depends on its kind, namespace and name alone, never on its place in a file.
//! - A Secret with values is refused: a stack's secrets come from where `SecretRef` says, so that none is in a plan.
//! - Every problem of every file is reported at once, what goes wrong beside the stack's own objects included.

mod edges;
mod error;
mod lint;
mod read;

pub use error::{FileLine, ManifestsError};

use crate::stack::ManifestSet;
use read::Document;
use stackctl_engine::{
    Address, Manifest, Resource,
    address::Segment,
    object_key::GroupKind,
    readiness::Rule,
    resource::{DependsOn, Node, Object, Provides},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// How long an object of a manifest may take to become ready: as long as a Deployment may take by itself
/// (`progressDeadlineSeconds`).
const READY_TIMEOUT: Duration = Duration::from_secs(600);

/// The text of one file of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFile {
    /// Its path, for people.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Where each object of every set stands: the file, and the line that its document begins at.
pub fn places(sets: &[(&ManifestSet, Vec<ManifestFile>)]) -> BTreeMap<Address, FileLine> {
    let mut documents: Vec<(usize, Document)> = Vec::new();
    for (index, (_, files)) in sets.iter().enumerate() {
        for file in files {
            // What is wrong in them is said by `resources`.
            let found = read::documents(file, &mut Vec::new());
            documents.extend(found.into_iter().map(|document| (index, document)));
        }
    }
    read::place(&mut documents);
    let place = |(set, document): (usize, Document)| (address(sets[set].0, &document), document.at);
    documents.into_iter().map(place).collect()
}

/// Makes the resources of every set. `catalogue` is what the stack comes to otherwise: what they may wait for besides each
/// other, and what they must not contradict.
///
/// # Errors
/// Everything that is wrong in any file.
pub fn resources(
    sets: &[(&ManifestSet, Vec<ManifestFile>)],
    catalogue: &[Resource],
) -> Result<Vec<Resource>, Vec<ManifestsError>> {
    let mut errors = Vec::new();
    let mut documents: Vec<(usize, Document)> = Vec::new();
    for (index, (_, files)) in sets.iter().enumerate() {
        for file in files {
            if file.text.trim().is_empty() {
                errors.push(ManifestsError::NotAnObject {
                    at: FileLine {
                        file: file.name.clone(),
                        line: 1,
                    },
                    why: "the file is empty".to_owned(),
                    hint: "it may be half written: write its objects, or take it away",
                });
            }
            let found = read::documents(file, &mut errors);
            documents.extend(found.into_iter().map(|document| (index, document)));
        }
    }
    read::place(&mut documents);
    lint::check(&documents, catalogue, &mut errors);
    let known: BTreeSet<&Address> = catalogue.iter().map(|resource| &resource.address).collect();
    let index = edges::Index::new(&documents, |set, document| address(sets[set].0, document), &mut errors);
    let mut resources = Vec::with_capacity(documents.len());
    for (set, document) in &documents {
        let (set, _) = sets[*set];
        let mut waits = Vec::new();
        for wanted in &set.depends_on {
            if known.contains(wanted) || index.has(wanted) {
                waits.push(DependsOn::ready(wanted.clone(), "depends_on of its table"));
            } else {
                errors.push(ManifestsError::Unknown {
                    at: document.at.clone(),
                    wanted: wanted.to_string(),
                    hint: "`stackctl graph` lists the addresses of a stack".to_owned(),
                });
            }
        }
        waits.extend(index.of(document, &mut errors));
        resources.push(resource(set, document, waits));
    }
    if errors.is_empty() { Ok(resources) } else { Err(errors) }
}

fn resource(set: &ManifestSet, document: &Document, waits: Vec<DependsOn>) -> Resource {
    let ready = set.ready.clone().unwrap_or_else(|| ready_of(&document.manifest));
    let node = Node::Object(Object::ready_when(document.manifest.clone(), ready));
    let mut resource = Resource::new(address(set, document), node);
    resource.depends_on = waits;
    resource.provides.extend(provided(&document.manifest));
    resource.ready_timeout = READY_TIMEOUT;
    resource.lifecycle.holds_data = holds_data(&document.manifest);
    resource.lifecycle.ignore_fields.clone_from(&set.ignore_fields);
    resource
}

/// The kind that a definition brings (apiextensions.k8s.io/v1: `spec.group`, `spec.names`, `spec.scope`).
fn provided(manifest: &Manifest) -> Option<Provides> {
    let object_type = &manifest.object().object_type;
    if (object_type.group(), object_type.kind.as_str()) != ("apiextensions.k8s.io", "CustomResourceDefinition") {
        return None;
    }
    let spec = &manifest.value()["spec"];
    Some(Provides {
        kind: GroupKind::new(spec["group"].as_str()?, spec["names"]["kind"].as_str()?),
        plural: spec["names"]["plural"].as_str()?.to_owned(),
        namespaced: spec["scope"] == "Namespaced",
    })
}

/// Whether data is lost with an object of this kind: volumes, and with a definition every object of its kind
/// (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#delete-a-customresourcedefinition).
fn holds_data(manifest: &Manifest) -> bool {
    let object_type = &manifest.object().object_type;
    matches!(
        (object_type.group(), object_type.kind.as_str()),
        ("", "PersistentVolumeClaim" | "PersistentVolume") | ("apiextensions.k8s.io", "CustomResourceDefinition")
    )
}

/// `manifests[team-quota].resourcequota[team-a/quota]`.
fn address(set: &ManifestSet, document: &Document) -> Address {
    let object = document.manifest.object();
    let kind: String = object
        .object_type
        .kind
        .to_lowercase()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .collect();
    let key = match &object.namespace {
        Some(namespace) => format!("{namespace}/{}", object.name),
        None => object.name.clone(),
    };
    [
        Segment::keyed("manifests", set.name.as_str()),
        Segment::keyed(if kind.is_empty() { "object" } else { &kind }, &key),
    ]
    .into_iter()
    .collect::<Result<_, _>>()
    .and_then(Address::new)
    .expect("names and keys are not empty, and the kind has only letters and digits")
}

/// When an object is ready by its kind; others are once they are there.
fn ready_of(manifest: &Manifest) -> Rule {
    let object_type = &manifest.object().object_type;
    match (object_type.group(), object_type.kind.as_str()) {
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet") => Rule::RolledOut,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Rule::established(),
        ("apiregistration.k8s.io", "APIService") => Rule::condition("Available"),
        ("batch", "Job") => Rule::condition("Complete"),
        ("", "Pod") => Rule::PodReady,
        _ => Rule::Exists,
    }
}

#[cfg(test)]
mod tests;
