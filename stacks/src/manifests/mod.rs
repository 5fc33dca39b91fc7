//! Manifests of the user's own: files in, resources out.
//!
//! Invariants:
//! - Pure: the texts of files come in, nothing is read here.
//! - The address of an object depends on its kind, namespace and name alone, never on its place in a file.
//! - A Secret with values is refused: a stack's secrets come from where `SecretRef` says, so that none is in a plan.
//! - Every problem of every file is reported at once, what goes wrong beside the stack's own objects included.
//! - The conventions of other tools are carried out or told, never passed over: `order` (waves and hooks), `groups`,
//!   `edges` (depends-on), `kept`.

mod edges;
mod error;
mod groups;
mod kept;
mod kinds;
mod lint;
mod notice;
mod order;
mod read;
mod references;
mod yaml;

pub use error::{FileLine, ManifestsError};
pub use kinds::{is_of_the_server, ready_by_kind};
pub use notice::ManifestsNotice;

use crate::stack::ManifestSet;
use edges::Index;
use kinds::KnownReadiness;
use read::Document;
use stackctl_engine::{
    Address, Resource,
    address::Segment,
    graph::Until,
    readiness::Rule,
    resource::{DependsOn, Node, Object},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

/// How long an object of a manifest may take to become ready: as long as a Deployment may take by itself
/// (`progressDeadlineSeconds`).
const READY_TIMEOUT: Duration = Duration::from_secs(600);

/// The names by which Kustomize knows its file
/// (<https://github.com/kubernetes-sigs/kustomize/blob/master/api/konfig/general.go>).
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The text of one file of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFile {
    /// Its path, for people.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What the sets of a stack come to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Made {
    /// The resources.
    pub resources: Vec<Resource>,
    /// What people are told, in the order of files and lines.
    pub notices: Vec<ManifestsNotice>,
    /// Where each object stands: the file, and the line that its document begins at.
    pub places: BTreeMap<Address, FileLine>,
}

/// Where each object of every set stands: the file, and the line that its document begins at.
pub fn places(sets: &[(&ManifestSet, Vec<ManifestFile>)]) -> BTreeMap<Address, FileLine> {
    // What is wrong in them is said by `resources`.
    let mut documents = documents_of(sets, &mut Vec::new(), &mut Vec::new());
    kinds::place(&mut documents, |set| namespace_of(sets[set].0));
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
) -> Result<Made, Vec<ManifestsError>> {
    let (mut errors, mut notices) = (Vec::new(), Vec::new());
    let mut documents = documents_of(sets, &mut errors, &mut notices);
    let sets: Vec<&ManifestSet> = sets.iter().map(|(set, _)| *set).collect();
    kinds::place(&mut documents, |set| namespace_of(sets[set]));
    let turns = order::turns(&mut documents, &mut errors, &mut notices);
    lint::check(&documents, catalogue, &mut errors);
    let addresses: Vec<Address> = documents
        .iter()
        .map(|(set, document)| address(sets[*set], document))
        .collect();
    let index = Index::new(&documents, &addresses, &mut errors);
    let mut said = said(&sets, &documents, catalogue, &index, &mut errors);
    let mut gates = order::gates(&sets, &documents, &turns, &addresses, &mut said);
    gates.extend(groups::gates(
        &sets,
        &documents,
        &addresses,
        &mut said,
        &mut errors,
        &mut notices,
    ));
    let mut seen = references::edges(&documents, &index);
    let waits_of_gates: Vec<(Address, Vec<DependsOn>)> = gates
        .iter()
        .map(|gate| (gate.address.clone(), gate.depends_on.clone()))
        .collect();
    let homes = references::homes(&documents, &addresses, &index);
    references::without_knots(&addresses, &homes, &said, &waits_of_gates, &mut seen);
    let waited: BTreeSet<Address> = said
        .iter()
        .chain(waits_of_gates.iter().map(|(_, waits)| waits))
        .flatten()
        .filter(|on| on.until == Until::Ready)
        .map(|on| on.address.clone())
        .collect();
    let mut resources = gates;
    let mut told: BTreeSet<(usize, String)> = BTreeSet::new();
    for ((((set, document), address), said), seen) in documents.iter().zip(&addresses).zip(said).zip(seen) {
        let (ready, failed, is_known) = readiness(sets[*set], document);
        let object = document.manifest.object();
        let kind = &object.object_type.kind;
        if !is_known && waited.contains(address) && told.insert((*set, kind.clone())) {
            notices.push(ManifestsNotice::NoReadiness {
                at: document.at.clone(),
                object: object.to_string(),
                kind: kind.clone(),
            });
        }
        let mut node = Object::ready_when(document.manifest.clone(), ready);
        node.failed = failed;
        let mut resource = Resource::new(address.clone(), Node::Object(node));
        resource.depends_on = said.into_iter().chain(seen).collect();
        resource.provides.extend(kinds::provided(&document.manifest));
        resource.ready_timeout = READY_TIMEOUT;
        resource.usual_time = kinds::usual_time(&document.manifest);
        resource.lifecycle.holds_data = kinds::holds_data(&document.manifest);
        resource.lifecycle.retain = kept::why(document);
        resource.lifecycle.ignore_fields.clone_from(&sets[*set].ignore_fields);
        resources.push(resource);
    }
    notices.sort_by(|one, other| one.at().cmp(other.at()));
    if errors.is_empty() {
        let at = documents.into_iter().map(|(_, document)| document.at);
        let places = addresses.into_iter().zip(at).collect();
        Ok(Made {
            resources,
            notices,
            places,
        })
    } else {
        Err(errors)
    }
}

/// Every document of every set, with the place of its set.
fn documents_of(
    sets: &[(&ManifestSet, Vec<ManifestFile>)],
    errors: &mut Vec<ManifestsError>,
    notices: &mut Vec<ManifestsNotice>,
) -> Vec<(usize, Document)> {
    let mut documents = Vec::new();
    for (index, (_, files)) in sets.iter().enumerate() {
        // What lies beside such a file says nothing without it.
        if let Some(kustomization) = files.iter().find(|file| is_kustomization(file)) {
            let folder = Path::new(&kustomization.name).parent().unwrap_or(Path::new(""));
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            errors.push(ManifestsError::Kustomization {
                file: kustomization.name.clone(),
                folder: folder.display().to_string(),
            });
            continue;
        }
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
            let found = read::documents(file, errors, notices);
            documents.extend(found.into_iter().map(|document| (index, document)));
        }
    }
    documents
}

fn is_kustomization(file: &ManifestFile) -> bool {
    let name = Path::new(&file.name).file_name();
    name.is_some_and(|name| KUSTOMIZATIONS.iter().any(|known| name == *known))
}

/// What each document waits for by its table and by its own annotation.
fn said(
    sets: &[&ManifestSet],
    documents: &[(usize, Document)],
    catalogue: &[Resource],
    index: &Index<'_>,
    errors: &mut Vec<ManifestsError>,
) -> Vec<Vec<DependsOn>> {
    let known: BTreeSet<&Address> = catalogue.iter().map(|resource| &resource.address).collect();
    let is_there = |wanted: &Address| known.contains(wanted) || index.has(wanted);
    let mut of_table: BTreeMap<usize, (Vec<DependsOn>, Vec<&Address>)> = BTreeMap::new();
    let mut all = Vec::with_capacity(documents.len());
    for (set, document) in documents {
        let (waits, unknown) = of_table.entry(*set).or_insert_with(|| {
            let (there, unknown): (Vec<_>, Vec<_>) = sets[*set].depends_on.iter().partition(|wanted| is_there(wanted));
            let waits = there
                .into_iter()
                .map(|wanted| DependsOn::ready(wanted.clone(), "depends_on of its table"));
            (waits.collect(), unknown)
        });
        errors.extend(unknown.iter().map(|wanted| ManifestsError::Unknown {
            at: document.at.clone(),
            wanted: wanted.to_string(),
            hint: "`stackctl graph` lists the addresses of a stack".to_owned(),
        }));
        let mut waits = waits.clone();
        waits.extend(index.of(document, errors));
        all.push(waits);
    }
    all
}

/// When an object is ready and when it never will be, and whether anything says so.
fn readiness(set: &ManifestSet, document: &Document) -> (Rule, Option<Rule>, bool) {
    let object_type = &document.manifest.object().object_type;
    let is_about = |of: &crate::stack::KindName| of.names(object_type);
    let mut said = set.ready.iter().filter(|said| said.of.as_ref().is_none_or(is_about));
    if let Some(said) = said.next() {
        return (said.ready.clone(), said.failed.clone(), true);
    }
    match kinds::readiness_of(&document.manifest.object().object_type, document.manifest.value()) {
        KnownReadiness::By { ready, failed } => (ready, failed, true),
        KnownReadiness::Exists => (Rule::Exists, None, true),
        KnownReadiness::Unknown => (Rule::Exists, None, false),
    }
}

/// Where objects of a set live that name no namespace.
fn namespace_of(set: &ManifestSet) -> &str {
    set.namespace.as_ref().map_or("default", |namespace| namespace.as_str())
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
    address_of(set, if kind.is_empty() { "object" } else { &kind }, &key)
}

/// `manifests[team-quota].name[key]`.
fn address_of(set: &ManifestSet, name: &str, key: &str) -> Address {
    [
        Segment::keyed("manifests", set.name.as_str()),
        Segment::keyed(name, if key.is_empty() { "-" } else { key }),
    ]
    .into_iter()
    .collect::<Result<_, _>>()
    .and_then(Address::new)
    .expect("names and keys are not empty, and the name has only letters and digits")
}

#[cfg(test)]
mod tests;
