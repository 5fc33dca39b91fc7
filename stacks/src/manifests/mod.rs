//! Manifests of the user's own: files in, resources out.
//!
//! [`read`] takes texts, [`Files`] says what has to be known about them beside a stack (whether objects of a kind lie in
//! namespaces, which namespaces there are), and [`Files::resources`] makes the resources of them.
//!
//! Invariants:
//! - Pure: the texts of files come in, nothing is read here.
//! - The address of an object depends on its kind, namespace and name alone, never on its place in a file.
//! - A Secret with values is refused: a stack's secrets come from where `SecretRef` says, so that none is in a plan.
//! - Every problem of every file is reported at once, what goes wrong beside the stack's own objects included, each at the
//!   line of the field that it is about.
//! - What the stack says is meant so is not reported, and what it says for nothing is told: `allowed`.
//! - The conventions of other tools are carried out or told, never passed over: `order` (waves and hooks), `groups`,
//!   `edges` (depends-on), `kept`.

mod allowed;
mod circle;
mod edges;
mod error;
mod groups;
mod kept;
mod kinds;
mod lint;
mod marks;
mod namespaces;
mod notice;
mod order;
mod read;
mod references;
mod texts;
mod yaml;

pub use crate::FileLine;
pub use error::ManifestsError;
pub use kinds::{is_of_the_server, ready_by_kind};
pub use lint::Capacity;
pub use notice::ManifestsNotice;

pub(crate) use kept::definition_stays;

use crate::stack::{Allowance, KindName, ManifestSet, SetDependency, SetReadiness};
use circle::Circles;
use edges::Index;
use kinds::KnownReadiness;
use read::Document;
use stackctl_engine::{
    Address, ObjectKey, Resource,
    address::Segment,
    graph::Until,
    object_key::{GroupKind, ObjectType},
    readiness::Rule,
    resource::{DependsOn, Node, Object},
};
use stackctl_schema::definition::is_definition;
use std::{
    borrow::Cow,
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

/// Why objects wait for what their table names.
const OF_TABLE: &str = "depends_on of its table";

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

/// Whether objects of a kind lie in namespaces.
pub type Scopes = BTreeMap<GroupKind, bool>;

/// What is known beside the files.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    /// What the stack comes to otherwise: what objects may wait for besides each other, and what they must not contradict.
    pub catalogue: &'a [Resource],
    /// What the stack says of GPUs.
    pub capacity: Capacity<'a>,
    /// What the stack says is meant so, whichever table it is in.
    pub allowed: &'a [Allowance],
    /// Of [`Files::unmade`] those that a cluster has.
    pub there: &'a BTreeSet<String>,
    /// Of [`Files::unmade`] those that a cluster said it has not. Of the others nothing is known.
    pub missing: &'a BTreeSet<String>,
}

/// The documents of every set.
#[derive(Debug)]
pub struct Files<'a> {
    sets: Vec<(&'a ManifestSet, Vec<&'a str>)>,
    documents: Vec<(usize, Document<'a>)>,
    errors: Vec<ManifestsError>,
    notices: Vec<ManifestsNotice>,
    /// What documents that are refused are of: what waits for them waits for nothing unknown.
    refused: Vec<ObjectKey>,
    /// Kinds that nothing is known of, of objects that name no namespace.
    unplaced: BTreeSet<GroupKind>,
}

/// Reads the documents of every set; what is wrong in them is said by [`Files::resources`].
pub fn read<'a>(sets: &'a [(&'a ManifestSet, Vec<ManifestFile>)]) -> Files<'a> {
    let (mut errors, mut notices, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let documents = documents_of(sets, &mut errors, &mut notices, &mut refused);
    let names = |files: &'a [ManifestFile]| files.iter().map(|file| file.name.as_str()).collect();
    Files {
        sets: sets.iter().map(|(set, files)| (*set, names(files))).collect(),
        documents,
        errors,
        notices,
        refused,
        unplaced: BTreeSet::new(),
    }
}

impl<'a> Files<'a> {
    /// What is wrong in the files themselves.
    pub fn errors(&self) -> &[ManifestsError] {
        &self.errors
    }

    /// The types of objects that name no namespace, where neither the files nor the catalogue say whether they lie in one.
    pub fn unplaced(&self, catalogue: &[Resource]) -> BTreeSet<ObjectType> {
        kinds::unplaced(&self.documents, catalogue)
    }

    /// Puts objects that name no namespace and need one into that of their table, as kubectl does, and those of the whole
    /// cluster into none. What nothing is known of stays as it is written.
    pub fn place(&mut self, catalogue: &[Resource], scopes: &Scopes) {
        let sets = &self.sets;
        let namespace_of = |set: usize| namespace_of(sets[set].0);
        self.unplaced = kinds::place(&mut self.documents, catalogue, scopes, namespace_of, &mut self.notices);
    }

    /// The namespaces that objects are to lie in, and that nothing in the stack makes or has an object in.
    pub fn unmade(&self, catalogue: &[Resource]) -> BTreeSet<String> {
        let unmade = namespaces::unmade(&self.documents, catalogue);
        unmade.into_keys().map(str::to_owned).collect()
    }

    /// Where each object stands.
    pub fn lines(&self) -> Lines<'_> {
        let all = self.documents.iter();
        Lines(
            all.map(|(set, document)| (address(self.sets[*set].0, document), document))
                .collect(),
        )
    }

    /// Makes the resources.
    ///
    /// # Errors
    /// Everything that is wrong in any file.
    pub fn resources(self, beside: &Beside<'_>) -> Result<Made, Vec<ManifestsError>> {
        let Self {
            sets,
            documents,
            mut errors,
            mut notices,
            refused,
            unplaced,
        } = self;
        namespaces::check(&documents, beside, &mut errors, &mut notices);
        let only_sets: Vec<&ManifestSet> = sets.iter().map(|(set, _)| *set).collect();
        notices.extend(unused_readiness(&only_sets, &documents));
        errors.extend(impossible_readiness(&only_sets, &documents));
        notices.extend(unwritten_namespaces(&only_sets, &documents, &unplaced));
        let (resources, places) = compiled(&only_sets, documents, &refused, beside, &mut errors, &mut notices);
        allowed::settle(&sets, beside.allowed, &mut errors, &mut notices);
        notices.sort_by(|one, other| one.at().cmp(other.at()));
        if errors.is_empty() {
            Ok(Made {
                resources,
                notices,
                places,
            })
        } else {
            Err(errors)
        }
    }
}

/// Where the objects of files stand.
#[derive(Debug)]
pub struct Lines<'f>(BTreeMap<Address, &'f Document<'f>>);

impl Lines<'_> {
    /// The line of a field of an object: `spec.rules[1].name`; of the object for an empty one.
    pub fn of(&self, address: &Address, field: &str) -> Option<FileLine> {
        self.0.get(address).map(|document| document.at_field(field))
    }
}

/// Makes the resources of sets of which nothing else is known, for a cluster that has every namespace.
///
/// # Errors
/// Everything that is wrong in any file.
pub fn resources(
    sets: &[(&ManifestSet, Vec<ManifestFile>)],
    catalogue: &[Resource],
) -> Result<Made, Vec<ManifestsError>> {
    let mut files = read(sets);
    files.place(catalogue, &Scopes::new());
    let there = files.unmade(catalogue);
    files.resources(&Beside {
        catalogue,
        capacity: Capacity::default(),
        allowed: &[],
        there: &there,
        missing: &BTreeSet::new(),
    })
}

/// The resources of documents in their places, and where each stands.
fn compiled(
    sets: &[&ManifestSet],
    mut documents: Vec<(usize, Document<'_>)>,
    refused: &[ObjectKey],
    beside: &Beside<'_>,
    errors: &mut Vec<ManifestsError>,
    notices: &mut Vec<ManifestsNotice>,
) -> (Vec<Resource>, BTreeMap<Address, FileLine>) {
    let turns = order::turns(&mut documents, errors, notices);
    lint::check(&documents, beside.catalogue, beside.capacity, errors, notices);
    let addresses: Vec<Address> = documents
        .iter()
        .map(|(set, document)| address(sets[*set], document))
        .collect();
    let index = Index::new(&documents, &addresses, refused, errors);
    let mut said = said(sets, &documents, &addresses, beside.catalogue, &index, errors);
    let of_turns = order::gates(sets, &documents, &turns, &addresses, &mut said);
    let of_groups = groups::gates(sets, &documents, &addresses, &mut said, errors, notices);
    let mut seen = references::edges(&documents, &index);
    let gates = of_turns.iter().chain(&of_groups);
    let waits_of_gates: Vec<(Address, Vec<DependsOn>)> = gates
        .map(|gate| (gate.address.clone(), gate.depends_on.clone()))
        .collect();
    let natures = references::natures(&documents, &addresses, &index);
    let cycles = references::without_knots(&addresses, &natures, &said, &waits_of_gates, &mut seen);
    let circles = Circles {
        sets,
        documents: &documents,
        addresses: &addresses,
        turns: &of_turns,
        groups: &of_groups,
    };
    errors.extend(circles.told(&cycles));
    let waited: BTreeSet<Address> = said
        .iter()
        .chain(waits_of_gates.iter().map(|(_, waits)| waits))
        .flatten()
        .filter(|on| on.until == Until::Ready)
        .map(|on| on.address.clone())
        .collect();
    let named = named(sets);
    let without_status = kinds::without_status(&documents);
    let mut resources = of_turns;
    resources.extend(of_groups);
    let mut told: BTreeSet<(usize, String)> = BTreeSet::new();
    for ((((set, document), address), said), seen) in documents.iter().zip(&addresses).zip(said).zip(seen) {
        let (ready, failed, is_known) = readiness(sets[*set], document, &without_status);
        let object = document.manifest.object();
        let kind = &object.object_type.kind;
        match named.get(address) {
            _ if is_known => {}
            Some(at) => errors.push(ManifestsError::NoReadiness {
                at: (*at).clone(),
                object: object.to_string(),
                kind: kind.clone(),
            }),
            None if waited.contains(address) && told.insert((*set, kind.clone())) => {
                notices.push(ManifestsNotice::NoReadiness {
                    at: document.at(),
                    object: object.to_string(),
                    kind: kind.clone(),
                });
            }
            None => {}
        }
        let mut node = Object::ready_when(document.manifest.clone(), ready);
        node.failed = failed;
        let mut resource = Resource::new(address.clone(), Node::Object(node));
        resource.depends_on = said.into_iter().chain(seen).collect();
        resource.provides.extend(kinds::provided(&document.manifest));
        resource.ready_timeout = READY_TIMEOUT;
        resource.usual_time = kinds::usual_time(&document.manifest);
        resource.lifecycle.holds_data = kinds::holds_data(&document.manifest);
        let value = document.manifest.value();
        let is_kept = is_definition(value) && !sets[*set].delete_crds;
        resource.lifecycle.retain = kept::why(document).or_else(|| is_kept.then(|| definition_stays(value)));
        resource.lifecycle.ignore_fields.clone_from(&sets[*set].ignore_fields);
        resources.push(resource);
    }
    let at = documents.iter().map(|(_, document)| document.at());
    let places = addresses.into_iter().zip(at).collect();
    (resources, places)
}

/// Every document of every set, with the place of its set.
fn documents_of<'a>(
    sets: &'a [(&'a ManifestSet, Vec<ManifestFile>)],
    errors: &mut Vec<ManifestsError>,
    notices: &mut Vec<ManifestsNotice>,
    refused: &mut Vec<ObjectKey>,
) -> Vec<(usize, Document<'a>)> {
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
                    hint: Cow::Borrowed("it may be half written: write its objects, or take it away"),
                });
            }
            let found = read::documents(file, errors, notices, refused);
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
    documents: &[(usize, Document<'_>)],
    addresses: &[Address],
    catalogue: &[Resource],
    index: &Index<'_>,
    errors: &mut Vec<ManifestsError>,
) -> Vec<Vec<DependsOn>> {
    let known: BTreeSet<&Address> = catalogue.iter().map(|resource| &resource.address).collect();
    let is_there = |wanted: &Address| known.contains(wanted) || index.has(wanted);
    let mut of_table: BTreeMap<usize, (Vec<DependsOn>, Vec<&SetDependency>)> = BTreeMap::new();
    let mut all = Vec::with_capacity(documents.len());
    for ((set, document), address) in documents.iter().zip(addresses) {
        let (waits, unknown) = of_table.entry(*set).or_insert_with(|| {
            let (there, unknown): (Vec<_>, Vec<_>) =
                sets[*set].depends_on.iter().partition(|wanted| is_there(&wanted.on));
            let waits = there
                .into_iter()
                .map(|wanted| DependsOn::ready(wanted.on.clone(), OF_TABLE));
            (waits.collect(), unknown)
        });
        errors.extend(unknown.drain(..).map(|wanted| ManifestsError::Unknown {
            at: wanted.at.clone(),
            wanted: wanted.on.to_string(),
            hint: "`stackctl graph` lists the addresses of a stack".to_owned(),
        }));
        if waits.iter().any(|wait| wait.address == *address) {
            errors.push(ManifestsError::Itself {
                at: document.at(),
                says: "`depends_on` of its table".to_owned(),
                hint: "put what the others wait for into a table of its own: `depends_on` holds for every object of a table",
            });
        }
        let mut waits = waits.clone();
        waits.extend(index.of(document, address, errors));
        all.push(waits);
    }
    all
}

/// Tables of `ready` that are about a kind of which their set has no object.
fn unused_readiness(sets: &[&ManifestSet], documents: &[(usize, Document<'_>)]) -> Vec<ManifestsNotice> {
    let mut kinds: BTreeMap<usize, BTreeSet<&ObjectType>> = BTreeMap::new();
    for (set, document) in documents {
        let object_type = &document.manifest.object().object_type;
        kinds.entry(*set).or_default().insert(object_type);
    }
    let mut unused = Vec::new();
    for (index, set) in sets.iter().enumerate() {
        let Some(kinds) = kinds.get(&index) else { continue };
        for said in &set.ready {
            let Some(of) = &said.of else { continue };
            if kinds.iter().any(|kind| of.names(kind)) {
                continue;
            }
            let all: BTreeSet<&str> = kinds.iter().map(|kind| kind.kind.as_str()).collect();
            let hint = match crate::closest(&of.kind, all.iter().copied()) {
                Some(close) => format!("did you mean `{close}`?"),
                None => "take it out, or name a kind that the files have".to_owned(),
            };
            unused.push(ManifestsNotice::NoSuchKind {
                at: said.at.clone(),
                kind: of.to_string(),
                hint,
            });
        }
    }
    unused
}

/// Whether an object has no status, by its kind or by a definition among the files: nothing of it can be waited for.
fn has_no_status(object_type: &ObjectType, without_status: &BTreeSet<GroupKind>) -> bool {
    kinds::is_without_status(object_type) || without_status.contains(&object_type.group_kind())
}

/// Tables of `ready` that name a kind and wait for a status that it has not.
fn impossible_readiness(sets: &[&ManifestSet], documents: &[(usize, Document<'_>)]) -> Vec<ManifestsError> {
    let without_status = kinds::without_status(documents);
    let mut impossible = Vec::new();
    for (index, set) in sets.iter().enumerate() {
        for said in set.ready.iter().filter(|said| said.reads_status()) {
            let Some(of) = &said.of else { continue };
            let mut of_set = documents.iter().filter(|(set, _)| *set == index);
            let is_meant =
                |object_type: &ObjectType| of.names(object_type) && has_no_status(object_type, &without_status);
            if of_set.any(|(_, document)| is_meant(&document.manifest.object().object_type)) {
                impossible.push(ManifestsError::NoStatus {
                    at: said.at.clone(),
                    kind: of.to_string(),
                });
            }
        }
    }
    impossible
}

/// Objects that `namespace` of their table may be meant for, and that nobody knows to lie in one; the first of each kind.
fn unwritten_namespaces(
    sets: &[&ManifestSet],
    documents: &[(usize, Document<'_>)],
    unplaced: &BTreeSet<GroupKind>,
) -> Vec<ManifestsNotice> {
    let mut told: BTreeSet<(usize, GroupKind)> = BTreeSet::new();
    let mut notices = Vec::new();
    for (set, document) in documents {
        let object = document.manifest.object();
        let kind = object.object_type.group_kind();
        let Some(namespace) = sets[*set].namespace.as_ref().filter(|_| object.namespace.is_none()) else {
            continue;
        };
        if unplaced.contains(&kind) && told.insert((*set, kind.clone())) {
            notices.push(ManifestsNotice::UnknownScope {
                at: document.at(),
                object: object.to_string(),
                kind: kind.kind,
                namespace: namespace.to_string(),
            });
        }
    }
    notices
}

/// What tables say that their objects wait for, and where the first of them says it.
fn named<'s>(sets: &[&'s ManifestSet]) -> BTreeMap<&'s Address, &'s FileLine> {
    let mut named = BTreeMap::new();
    for wanted in sets.iter().flat_map(|set| &set.depends_on) {
        named.entry(&wanted.on).or_insert(&wanted.at);
    }
    named
}

/// When an object is ready and when it never will be, and whether anything says so. What has no status is as soon as it is
/// there, also where a table for all objects reads one.
fn readiness(
    set: &ManifestSet,
    document: &Document<'_>,
    without_status: &BTreeSet<GroupKind>,
) -> (Rule, Option<Rule>, bool) {
    let object_type = &document.manifest.object().object_type;
    let is_about = |of: &KindName| of.names(object_type);
    let has_none = has_no_status(object_type, without_status);
    let is_for = |said: &&SetReadiness| match &said.of {
        Some(of) => is_about(of),
        None => !(has_none && said.reads_status()),
    };
    if let Some(said) = set.ready.iter().find(is_for) {
        return (said.ready.clone(), said.failed.clone(), true);
    }
    match kinds::readiness_of(object_type, document.manifest.value()) {
        KnownReadiness::By { ready, failed } => (ready, failed, true),
        KnownReadiness::Exists => (Rule::Exists, None, true),
        KnownReadiness::Unknown => (Rule::Exists, None, without_status.contains(&object_type.group_kind())),
    }
}

/// Where objects of a set live that name no namespace.
fn namespace_of(set: &ManifestSet) -> &str {
    set.namespace.as_ref().map_or("default", |namespace| namespace.as_str())
}

/// `manifests[team-quota].resourcequota[team-a/quota]`.
fn address(set: &ManifestSet, document: &Document<'_>) -> Address {
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
