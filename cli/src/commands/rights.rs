//! Says which rights are missing before anything is written, or asked with a dry run.

use super::cluster::Cluster;
use crate::error::{Error, Problem};
use stackctl_engine::{GroupKind, Resource, rights::Right};
use stackctl_kubernetes::Denied;
use std::collections::{BTreeMap, BTreeSet};

/// Asks the cluster whether every right is given.
///
/// # Errors
/// Every right that is not, on one line for each type and namespace.
pub(super) async fn check(
    cluster: &Cluster,
    rights: &BTreeSet<Right>,
    resources: &[Resource],
    parallelism: usize,
) -> Result<(), Error> {
    let plurals: BTreeMap<GroupKind, String> = resources
        .iter()
        .flat_map(|resource| &resource.provides)
        .map(|provides| (provides.kind.clone(), provides.plural.clone()))
        .collect();
    let denied = cluster
        .provider
        .denied(rights, &plurals, parallelism)
        .await
        .map_err(|error| Problem::new("what we may do on the cluster could not be asked").caused_by(&error))?;
    if denied.is_empty() {
        return Ok(());
    }
    let problem = Problem::new(format!("rights are missing on the cluster:\n{}", lines(&denied)))
        .hint("ask for a role with these rules, or use another `--context`; nothing was written");
    Err(problem.into())
}

/// `get, list on pods in namespace kuadrant-system`, one line each.
fn lines(denied: &[Denied]) -> String {
    let mut by_place: BTreeMap<(String, Option<&str>), Vec<String>> = BTreeMap::new();
    for Denied { right, resource } in denied {
        let resource = match right.of.group() {
            "" => resource.clone(),
            group => format!("{resource}.{group}"),
        };
        let verbs = by_place.entry((resource, right.namespace.as_deref())).or_default();
        verbs.push(right.verb.to_string());
    }
    let line = |((resource, namespace), verbs): (&(String, Option<&str>), &Vec<String>)| {
        let place = namespace.map_or_else(|| "of the cluster".to_owned(), |name| format!("in namespace {name}"));
        format!("  {} on {resource} {place}", verbs.join(", "))
    };
    by_place.iter().map(line).collect::<Vec<_>>().join("\n")
}
