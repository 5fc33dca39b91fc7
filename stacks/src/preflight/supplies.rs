//! Checks of what the platform takes from the cluster: storage, registries, packages.

use super::{Evidence, Outcome, Reading, reads::PACKAGES, registries::bare};
use crate::{
    cluster_facts::{ClusterFacts, FactError, key},
    stack::OpenShift,
};
use serde_json::Value;
use stackctl_engine::facts::Facts;

/// Claims without a class stay pending (`reference/platform.md` §4 G41).
pub(super) fn storage_class(_: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let (name, source) = evidence.text(key::STORAGE_CLASS)?;
    Ok(match name {
        Some(name) => Outcome::pass(name, source),
        None => Outcome::fail(
            "no StorageClass is the default: claims would stay pending",
            source,
            "`oc annotate storageclass NAME storageclass.kubernetes.io/is-default-class=true`",
        ),
    })
}

/// Where the images of OpenShift AI are, and those of some models and tools (`reference/platform.md` §4 G42).
const NEEDED: &str = "registry.redhat.io";
const USEFUL: &str = "quay.io";

pub(super) fn pull_secret(_: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let (registries, source) = evidence.fact(key::REGISTRIES)?;
    let registries: Vec<&str> = registries
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let has = |wanted: &str| registries.iter().any(|name| bare(name) == wanted);
    let remedy = |registry: &str| {
        format!(
            "add {registry} to the Secret openshift-config/pull-secret; where a mirror serves its images, that is enough"
        )
    };
    Ok(if !has(NEEDED) {
        let found = format!("no login for {NEEDED}: images of OpenShift AI could not be pulled");
        let remedy = format!("{}: go on with `--skip-preflight`", remedy(NEEDED));
        Outcome::fail(found, source, remedy)
    } else if !has(USEFUL) {
        let found = format!("no login for {USEFUL}: some images may not be pulled");
        Outcome::warn(found, source, remedy(USEFUL))
    } else {
        Outcome::pass(format!("{NEEDED}, {USEFUL}"), source)
    })
}

/// The channels and versions that the stack installs are offered (`reference/platform.md` §4 G32).
pub(super) fn packages(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    const SOURCE: &str = "PackageManifests in openshift-marketplace";
    let mut facts = Facts::default();
    for (key, fact) in &evidence.facts {
        match fact {
            Ok(fact) => facts.insert(key, fact.clone()),
            Err(unread) if key.starts_with(PACKAGES) => return Err(unread.clone()),
            Err(_) => {}
        }
    }
    // Other checks have better words for what else is wrong.
    let errors = ClusterFacts::parse(stack, &facts).err().unwrap_or_default();
    let mut wrong: Vec<String> = errors.iter().filter_map(not_offered).collect();
    wrong.dedup();
    if !wrong.is_empty() {
        let remedy = "see that the catalogue sources are healthy (`oc get catalogsource -n openshift-marketplace`) and \
                      that a mirror has these packages; or change channel and version in the stack";
        return Ok(Outcome::fail(wrong.join("; "), SOURCE, remedy));
    }
    let mut names: Vec<_> = evidence.facts.keys().filter_map(|key| package_of(key)).collect();
    names.dedup();
    let others = names.into_iter().filter(|name| *name != "rhods-operator");
    let all: Vec<_> = [format!("{} in {}", stack.rhoai.csv, stack.rhoai.channel)]
        .into_iter()
        .chain(others.map(str::to_owned))
        .collect();
    Ok(Outcome::pass(all.join(", "), SOURCE))
}

/// The package that a fact is about, if it is about one.
fn package_of(key: &str) -> Option<&str> {
    Some(key.strip_prefix(PACKAGES)?.split_once(']')?.0)
}

fn not_offered(error: &FactError) -> Option<String> {
    match error {
        FactError::Missing { key, .. } => Some(format!("the marketplace has no package {}", package_of(key)?)),
        FactError::NotInChannel { .. } | FactError::NoChannel { .. } => Some(error.to_string()),
        FactError::Version { .. }
        | FactError::AppsDomain { .. }
        | FactError::Platform { .. }
        | FactError::BothGenerations
        | FactError::HtpasswdProviders { .. }
        | FactError::Domains { .. } => None,
    }
}

/// Buckets are outside of the cluster; nothing in it says whether there are any (`reference/platform.md` §2.0).
pub(super) fn object_storage(stack: &OpenShift, _: &Evidence) -> Reading<Outcome> {
    let wants = [
        (stack.rhoai.components.pipelines, "pipelines"),
        (stack.rhoai.components.model_registry, "the model registry"),
        (true, "artifacts of models"),
    ];
    let wants: Vec<_> = wants.iter().filter(|(wants, _)| *wants).map(|(_, who)| *who).collect();
    Ok(Outcome::warn(
        format!("not to be seen from here; {} want S3", wants.join(", ")),
        "the stack",
        "have a bucket of an S3-compatible store and its keys at hand",
    ))
}
