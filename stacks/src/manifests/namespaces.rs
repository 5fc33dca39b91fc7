//! Namespaces that objects are to lie in, and that nobody makes.
//!
//! The server's dry run says that a namespace is missing only in its own words, object by object; offline nobody does.
//!
//! Invariants:
//! - A namespace that anything of the catalogue is in, or that every cluster has, is not spoken of: the platform makes it.
//! - Each is told once, where its first object is.

use super::{Beside, ManifestsError, ManifestsNotice, read::Document};
use crate::components::names::PLATFORM;
use stackctl_engine::Resource;
use std::collections::{BTreeMap, BTreeSet};

/// Those of every cluster (<https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces>).
const INITIAL: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// The beginnings of names that are the cluster's own: whether they are there only a cluster can say.
const OWN: [&str; 2] = ["openshift", "kube-"];

/// What makes a namespace, beside a Namespace
/// (<https://docs.redhat.com/en/documentation/openshift_container_platform/4.20/html/project_apis/>).
const MAKERS: [(&str, &str); 3] = [
    ("", "Namespace"),
    ("project.openshift.io", "Project"),
    ("project.openshift.io", "ProjectRequest"),
];

/// The namespaces that nothing makes, each with its first object and how many more there are.
pub(super) fn unmade<'d, 'a>(
    documents: &'d [(usize, Document<'a>)],
    catalogue: &[Resource],
) -> BTreeMap<&'d str, (&'d Document<'a>, usize)> {
    let of_catalogue = catalogue.iter().filter_map(Resource::object);
    let of_files = documents.iter().map(|(_, document)| document.manifest.object());
    let mut known: BTreeSet<&str> = of_catalogue
        .clone()
        .filter_map(|object| object.namespace.as_deref())
        .chain(INITIAL)
        .collect();
    if !catalogue.is_empty() {
        known.extend(PLATFORM);
    }
    let makes = |group: &str, kind: &str| MAKERS.contains(&(group, kind));
    known.extend(
        of_catalogue
            .chain(of_files)
            .filter(|object| makes(object.object_type.group(), &object.object_type.kind))
            .map(|object| object.name.as_str()),
    );
    let mut unmade: BTreeMap<&str, (&Document<'_>, usize)> = BTreeMap::new();
    for (_, document) in documents {
        let Some(namespace) = document.manifest.object().namespace.as_deref() else {
            continue;
        };
        if !known.contains(namespace) {
            let first = unmade.entry(namespace);
            first.and_modify(|(_, n_more)| *n_more += 1).or_insert((document, 0));
        }
    }
    unmade
}

/// Tells of each: an error where a cluster said that it is not there, and a warning where nobody was asked.
pub(super) fn check(
    documents: &[(usize, Document<'_>)],
    beside: &Beside<'_>,
    errors: &mut Vec<ManifestsError>,
    notices: &mut Vec<ManifestsNotice>,
) {
    for (namespace, (document, n_more)) in unmade(documents, beside.catalogue) {
        let at = document.at_field("metadata.namespace");
        let (namespace, object) = (namespace.to_owned(), document.manifest.object().to_string());
        if beside.missing.contains(&namespace) {
            errors.push(ManifestsError::NoNamespace {
                at,
                namespace,
                object,
                n_more,
            });
        } else if !beside.there.contains(&namespace) && !OWN.iter().any(|own| namespace.starts_with(own)) {
            notices.push(ManifestsNotice::NoNamespace {
                at,
                namespace,
                object,
                n_more,
            });
        }
    }
}
