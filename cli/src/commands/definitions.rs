//! Objects against the definitions of their kinds: those that a person names, the stack's own, and those that an earlier
//! plan saw.
//!
//! Invariants:
//! - What a definition of the person's or of the stack says is an error. Beside a cluster only of objects that it cannot be
//!   asked about: it knows what others own of those that are there, and what its webhooks fill in.
//! - Kinds of Kubernetes itself are judged in files where no cluster is asked; beside one they make warnings, of objects that
//!   it cannot be asked about.
//! - What only a definition says that was seen, and may be of another release, is a warning, and only of objects that the
//!   cluster cannot be asked about.

use super::{load, prepare};
use crate::{
    cli::SchemaArgs,
    error::{Error, Problem},
    files::Files,
    settings::Settings,
    views,
};
use serde_json::Value;
use stackctl_engine::{
    Address, GroupKind, ObjectType, Resource,
    execute::ProviderError,
    readiness::Seen as _,
    survey::{Answer, Survey},
};
use stackctl_simulator::schemas::TrueCrds;
pub(super) use stackctl_stacks::definitions::DefinitionFault as Fault;
use stackctl_stacks::{
    Stack,
    definitions::{Definitions, OfKubernetes, RELEASE, essence},
    manifests::{self, Scopes},
};
use stackctl_state::SeenDefinitions;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The kinds of what resources write.
fn kinds(resources: &[Resource]) -> BTreeSet<GroupKind> {
    let objects = resources.iter().filter_map(Resource::object);
    // Many objects are of few types.
    let types: BTreeSet<&ObjectType> = objects.map(|object| &object.object_type).collect();
    types.into_iter().map(ObjectType::group_kind).collect()
}

/// The stack's own definitions, and those of a directory that a person names, of the kinds that resources are of.
///
/// # Errors
/// A directory, or a file for one of the kinds, that cannot be read.
pub(super) fn given(directory: Option<&Path>, resources: &[Resource]) -> Result<Definitions, Error> {
    let mut definitions = Definitions::of_resources(resources);
    if let Some(directory) = directory {
        definitions.complete(of_directory(directory, &kinds(resources))?);
    }
    Ok(definitions)
}

/// Whether objects of types lie in namespaces, by the definitions that a person names and by those that were seen.
///
/// # Errors
/// A directory, or a file for one of the kinds, that cannot be read.
pub(super) fn scopes(settings: &Settings, schema: &SchemaArgs, types: &BTreeSet<ObjectType>) -> Result<Scopes, Error> {
    if types.is_empty() {
        return Ok(Scopes::new());
    }
    let kinds: BTreeSet<GroupKind> = types.iter().map(ObjectType::group_kind).collect();
    let mut definitions = match settings.crds(schema) {
        Some(directory) => of_directory(&directory, &kinds)?,
        None => Definitions::default(),
    };
    definitions.complete(seen_of(settings, &kinds));
    Ok(definitions.scopes())
}

/// The definitions of some kinds in a directory.
fn of_directory(directory: &Path, kinds: &BTreeSet<GroupKind>) -> Result<Definitions, Error> {
    let mut definitions = Definitions::default();
    let crds = opened(directory)?;
    let wanted = kinds
        .iter()
        .map(|kind| (kind.group.as_str(), kind.kind.as_str()))
        .collect();
    let unreadable = |(file, why): (&Path, &str)| Fault::Unreadable {
        file: file.display().to_string(),
        why: why.to_owned(),
    };
    let mut faults: Vec<Fault> = crds.unreadable().map(unreadable).collect();
    for (file, crd) in crds.of_kinds(&wanted) {
        let file = file.display().to_string();
        let why = match crd {
            Ok(crd) => definitions.add(&crd).err().map(|error| error.to_string()),
            Err(why) => Some(why),
        };
        faults.extend(why.map(|why| Fault::Unreadable { file, why }));
    }
    if faults.is_empty() {
        Ok(definitions)
    } else {
        Err(prepare::refused(&faults))
    }
}

/// Tells which files of a directory were not looked at, because they hold no definition.
pub(super) fn tell_others(directory: &Path, settings: &Settings) -> Result<(), Error> {
    let crds = opened(directory)?;
    // Who keeps definitions explains them there too.
    let is_prose = |path: &&PathBuf| path.extension().is_some_and(|end| end == "md");
    let name = |path: &PathBuf| path.strip_prefix(crds.dir()).unwrap_or(path).display().to_string();
    let others: Vec<String> = crds.others().iter().filter(|path| !is_prose(path)).map(name).collect();
    if !others.is_empty() {
        views::tell(&views::diagnostic::no_definitions(directory, &others, &settings.err));
    }
    Ok(())
}

fn opened(directory: &Path) -> Result<TrueCrds, Error> {
    TrueCrds::open(directory).map_err(|error| {
        Problem::new(format!("the CRDs of `{}` cannot be read", directory.display()))
            .caused_by(&error)
            .hint("name a directory of CustomResourceDefinitions with `--crds`")
            .into()
    })
}

/// Definitions of the kinds of resources that an earlier plan saw.
pub(super) fn seen(settings: &Settings, resources: &[Resource]) -> Definitions {
    seen_of(settings, &kinds(resources))
}

fn seen_of(settings: &Settings, kinds: &BTreeSet<GroupKind>) -> Definitions {
    let is_wanted = |group: &str| kinds.iter().any(|kind| kind.group == group);
    let mut definitions = Definitions::default();
    for definition in SeenDefinitions::beside(&settings.state).of_groups(is_wanted) {
        // A disposable file that is no definition says nothing.
        let _unusable = definitions.add(&definition);
    }
    definitions
}

/// Everything that definitions say against resources, with its place in the files of the stack.
///
/// # Errors
/// Files of manifests that could be read a moment ago, and cannot be any more.
pub(super) fn faults<'a>(
    definitions: &Definitions,
    written: Written<'_>,
    resources: &[&Resource],
    live: impl Fn(&Address) -> Option<&'a Value> + Copy,
) -> Result<Vec<Fault>, Error> {
    let faults = definitions.check(resources, |_, _| None, live);
    if faults.is_empty() || written.stack.manifests.is_empty() {
        return Ok(faults);
    }
    // Places are looked up only once there is something to say.
    with_lines(written, |lines| {
        definitions.check(resources, |address, field| lines.of(address, field), live)
    })
}

fn with_lines<T>(written: Written<'_>, check: impl FnOnce(&manifests::Lines<'_>) -> T) -> Result<T, Error> {
    let sets = load::manifests_of(written.files, written.stack)?;
    let mut files = manifests::read(&sets);
    // What the catalogue brings was among what is known when the objects were put into their namespaces.
    files.place(&[], written.scopes);
    Ok(check(&files.lines()))
}

/// What the types of Kubernetes say of the objects of files, each with its place.
///
/// # Errors
/// Files of manifests that could be read a moment ago, and cannot be any more.
pub(super) fn of_kubernetes(written: Written<'_>, resources: &[&Resource]) -> Result<OfKubernetes, Error> {
    let found = OfKubernetes::check(resources, |_, _| None);
    if found.is_empty() || written.stack.manifests.is_empty() {
        return Ok(found);
    }
    with_lines(written, |lines| {
        OfKubernetes::check(resources, |address, field| lines.of(address, field))
    })
}

/// Where resources come from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written<'a> {
    /// Where the files of the stack are.
    pub(super) files: &'a Files,
    /// The stack.
    pub(super) stack: &'a Stack,
    /// By what its objects were put into namespaces.
    pub(super) scopes: &'a Scopes,
}

impl<'a> Written<'a> {
    /// From a stack that is where we are.
    pub(super) const fn here(stack: &'a Stack, scopes: &'a Scopes) -> Self {
        Self {
            files: &Files::HERE,
            stack,
            scopes,
        }
    }
}

/// Refuses resources that the definitions do not allow.
///
/// # Errors
/// Everything that the definitions say against them.
pub(super) fn check(
    definitions: &Definitions,
    written: Written<'_>,
    resources: &[Resource],
    settings: &Settings,
) -> Result<(), Error> {
    let resources: Vec<&Resource> = resources.iter().collect();
    let mut faults = faults(definitions, written, &resources, |_| None)?;
    let of_kubernetes = of_kubernetes(written, &resources)?;
    faults.extend(of_kubernetes.errors);
    doubt(&of_kubernetes.doubts, settings);
    if faults.is_empty() {
        Ok(())
    } else {
        Err(prepare::refused(&faults))
    }
}

/// Judges what the cluster could not be asked about, now that it is known what is there; and keeps what was seen of the
/// kinds.
///
/// # Errors
/// What a definition of the person's or of the stack says against a change.
pub(super) fn after_survey(
    settings: &Settings,
    given: &Definitions,
    written: Written<'_>,
    resources: &[Resource],
    survey: &Survey,
) -> Result<(), Error> {
    let is_open = |resource: &&Resource| {
        let found = survey.found(&resource.address);
        found.is_some_and(|found| is_unasked(&found.answer))
    };
    let unasked: Vec<&Resource> = resources.iter().filter(is_open).collect();
    let live = |address: &Address| survey.live(address);
    let of_change = faults(given, written, &unasked, live)?;
    if !of_change.is_empty() {
        return Err(prepare::refused(&of_change));
    }
    let crds = ObjectType::new("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    let served: Vec<Value> = survey.view().objects(&crds, None).into_iter().map(essence).collect();
    let mut known = Definitions::default();
    for definition in &served {
        let _unusable = known.add(definition);
    }
    known.complete(seen(settings, resources));
    warn(&faults(&known.without(given), written, &unasked, live)?, settings);
    let of_kubernetes = of_kubernetes(written, &unasked)?;
    doubt(&of_kubernetes.errors, settings);
    doubt(&of_kubernetes.doubts, settings);
    if let Err(error) = SeenDefinitions::beside(&settings.state).keep(&served) {
        tracing::info!(%error, "what was seen of the kinds is not kept");
    }
    Ok(())
}

/// Whether a server has said nothing about the schema of what was to be asked.
fn is_unasked(answer: &Answer) -> bool {
    match answer {
        Answer::KindToCome(_) | Answer::NamespaceToCome(_) | Answer::TargetToCome | Answer::NotAsked => true,
        // A webhook that could not be asked stands before the schema.
        Answer::Refused(ProviderError::WebhookUnavailable(_)) | Answer::Unverified { .. } => true,
        Answer::Unchanged | Answer::Would { .. } | Answer::Refused(_) | Answer::Uneditable(_) | Answer::Late(_) => {
            false
        }
    }
}

/// Shows what definitions that were only seen say.
pub(super) fn warn(faults: &[Fault], settings: &Settings) {
    tell(faults, "by the definition that was seen last", settings);
}

/// Shows what the types of Kubernetes say, which another release may know better.
pub(super) fn doubt(faults: &[Fault], settings: &Settings) {
    tell(faults, &format!("as of Kubernetes {RELEASE}"), settings);
}

fn tell(faults: &[Fault], by: &str, settings: &Settings) {
    for fault in faults {
        let text = format!("{fault}, {by}");
        views::tell(&views::diagnostic::told(fault, &text, &settings.err));
    }
}
