//! Checks of operators that are installed already.

use super::{Evidence, Listing, Outcome, Reading, Version, counted, evidence::listed};
use crate::{
    cluster_facts::{FactRead, FactRequest, request},
    components::names::APPLICATIONS,
    stack::{OpenShift, operators::BROKEN},
};
use stackctl_engine::{ObjectRef, facts::Holding};

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

/// Installed, or about to be: a Subscription is enough (`reference/serving.md` §5.1 G2).
pub(super) fn service_mesh_2(_: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    const WHY: &str = "Service Mesh 2 and the gateways of OpenShift AI 3 exclude each other";
    const REMEDY: &str = "migrate what uses it, then remove its control planes, Subscription and version";
    let of_versions = none_of(
        evidence,
        |name| name.contains(MESH) && !name.contains(MESH_3),
        WHY,
        REMEDY,
    )?;
    let subscriptions = listed(&evidence.subscriptions)?;
    let subscribed = subscriptions
        .iter()
        .find(|one| one.package == MESH && !one.is_of_ingress);
    Ok(match subscribed {
        Some(one) if of_versions.remedy.is_none() => {
            let found = format!("the Subscription to {MESH} in {}: {WHY}", one.namespace);
            Outcome::fail(found, Listing::Subscriptions.source(), REMEDY)
        }
        _ => of_versions,
    })
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
    Ok(if stack.models.is_empty() && stack.maas.is_none() {
        Outcome::pass(format!("{found}; the stack has no gateway"), source)
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

/// The key of the fact when the kind of policies came.
pub(super) const POLICIES_SINCE: &str = "kind[authpolicies.kuadrant.io].since";
/// The controller that makes policies and filters for gateways, by its label `control-plane` (`reference/serving.md` §1.3).
const CONTROLLER: &str = "odh-model-controller";

/// Whether something of the stack is authenticated, which that controller has to see to.
pub(super) fn looks_at_the_controller(stack: &OpenShift) -> bool {
    stack.maas.is_some() || stack.models.iter().any(|model| model.access.needs_authentication())
}

/// The facts that these checks alone look at.
pub(super) fn facts(stack: &OpenShift) -> Option<FactRequest> {
    let kind = ObjectRef::cluster(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "authpolicies.kuadrant.io",
    );
    let field = "metadata.creationTimestamp";
    looks_at_the_controller(stack).then(|| request(POLICIES_SINCE, FactRead::Object(kind), field, Holding::Live))
}

/// The controller looks at its start which kinds there are, and never again (`reference/serving.md` §1.9, §5.2 K7).
pub(super) fn model_controller(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    if !looks_at_the_controller(stack) {
        return Ok(Outcome::pass("nothing of the stack is authenticated", "the stack"));
    }
    let (since, source) = evidence.text(POLICIES_SINCE)?;
    let pods = listed(&evidence.platform_pods)?;
    let controllers = pods.iter().filter(|pod| pod.control_plane == CONTROLLER);
    // Times of the API are RFC 3339, in UTC and to the second: their order is that of their texts.
    let started = controllers.filter_map(|pod| pod.started.as_deref()).min();
    Ok(match (since, started) {
        (Some(since), Some(started)) if started < since => Outcome::warn(
            format!(
                "{CONTROLLER} runs since {started}, and the kind AuthPolicy came at {since}: it makes none for gateways"
            ),
            source,
            format!("`oc rollout restart deployment/{CONTROLLER} -n {APPLICATIONS}`"),
        ),
        (Some(_), Some(_)) => Outcome::pass(
            format!("{CONTROLLER} was started after the kind AuthPolicy came"),
            source,
        ),
        (_, None) => Outcome::pass(format!("{CONTROLLER} does not run yet"), Listing::PlatformPods.source()),
        (None, Some(_)) => Outcome::pass("Connectivity Link is not there yet", source),
    })
}
