//! Checks of operators that are installed already.

use super::{Evidence, Listing, Outcome, Reading, Version, counted};
use crate::stack::{OpenShift, operators::BROKEN};

const MESH: &str = "servicemeshoperator";
const MESH_3: &str = "servicemeshoperator3";

/// The versions whose name fits, as people read them.
fn named(evidence: &Evidence, fits: impl Fn(&str) -> bool) -> Reading<Vec<&Version>> {
    let versions = evidence.versions.as_ref().map_err(Clone::clone)?;
    Ok(versions.iter().filter(|version| fits(&version.name)).collect())
}

fn shown(versions: &[&Version]) -> String {
    let shown: Vec<_> = versions
        .iter()
        .map(|Version { name, namespace }| format!("{name} in {namespace}"))
        .collect();
    shown.join(", ")
}

/// Fails when any version fits.
fn none_of(evidence: &Evidence, fits: impl Fn(&str) -> bool, why: &str, remedy: impl Into<String>) -> Reading<Outcome> {
    let versions = named(evidence, fits)?;
    Ok(if versions.is_empty() {
        none(evidence)
    } else {
        Outcome::fail(
            format!("{}: {why}", shown(&versions)),
            Listing::Versions.source(),
            remedy,
        )
    })
}

fn none(evidence: &Evidence) -> Outcome {
    let count = evidence.versions.as_ref().map_or(0, Vec::len);
    let found = format!("not among {}", counted(count, "installed operator"));
    Outcome::pass(found, Listing::Versions.source())
}

/// OpenShift AI is Open Data Hub under another name, and they fight for the same objects (`reference/platform.md` §2.0).
pub(super) fn open_data_hub(_: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    none_of(
        evidence,
        |name| name.contains("opendatahub"),
        "it owns the kinds that OpenShift AI needs",
        "remove Open Data Hub: its DataScienceCluster and DSCInitialization, then its Subscription and version",
    )
}

/// From OpenShift AI 2 there is no upgrade (`reference/platform.md` §2.0).
pub(super) fn rhoai_2(_: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    none_of(
        evidence,
        |name| name.starts_with("rhods-operator.2."),
        "there is no upgrade to OpenShift AI 3",
        "use a fresh cluster; or save your work, uninstall OpenShift AI and its kinds, and begin anew",
    )
}

pub(super) fn service_mesh_2(_: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    none_of(
        evidence,
        |name| name.contains(MESH) && !name.contains(MESH_3),
        "Service Mesh 2 and the gateways of OpenShift AI 3 exclude each other",
        "migrate what uses it, then remove its control planes, Subscription and version",
    )
}

/// A newer mesh than that of the ingress operator leaves the GatewayClass stuck; the one that the ingress operator
/// installs is that (`reference/platform.md` §4 G45).
pub(super) fn service_mesh_3(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let versions = named(evidence, |name| name.contains(MESH_3))?;
    let subscriptions = evidence.subscriptions.as_ref().map_err(Clone::clone)?;
    let all: Vec<_> = subscriptions.iter().filter(|one| one.package == MESH_3).collect();
    let by_hand: Vec<_> = all.iter().filter(|one| !one.is_of_ingress).collect();
    let source = Listing::Subscriptions.source();
    let found = match (by_hand.as_slice(), all.is_empty()) {
        ([one, ..], _) => format!("the Subscription to {MESH_3} in {} was made by hand", one.namespace),
        ([], true) if !versions.is_empty() => format!("{}, without a Subscription", shown(&versions)),
        ([], true) => return Ok(none(evidence)),
        ([], false) => return Ok(Outcome::pass("installed by the ingress operator", source)),
    };
    Ok(if stack.models.is_empty() {
        Outcome::pass(format!("{found}; the stack has no models"), source)
    } else {
        Outcome::warn(
            format!("{found}; a newer one than the ingress operator's keeps the GatewayClass from being accepted"),
            source,
            "remove it unless something else needs it: the ingress operator installs its own for the GatewayClass",
        )
    })
}

/// Versions that the pins keep out, and that an upgrade may have brought (`reference/platform.md` §4 G20).
pub(super) fn broken_versions(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let broken = |name: &str| BROKEN.iter().find(|(csv, _)| *csv == name);
    let versions = named(evidence, |name| broken(name).is_some())?;
    if versions.is_empty() {
        return Ok(none(evidence));
    }
    let why: Vec<_> = versions
        .iter()
        .filter_map(|version| Some(format!("{}: {}", shown(&[version]), broken(&version.name)?.1)))
        .collect();
    let pins = &stack.operators.pins;
    let remedy = format!(
        "delete its Subscription and its ClusterServiceVersion; `apply` then installs {} and {}",
        pins.connectivity_link, pins.cluster_observability
    );
    Ok(Outcome::fail(why.join("; "), Listing::Versions.source(), remedy))
}
