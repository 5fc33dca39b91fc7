//! The simulated operators: ordinary clients of any API server that make a fresh cluster behave as OpenShift does.
//!
//! In: a URL and a token per operator. Out: nothing; what the operators do is in the cluster and in its audit log.
//!
//! Invariants:
//! - An operator is a function of the cluster and of time (`turn::Turn`); all its state is in the cluster, so the
//!   process may end at any moment.
//! - An operator acts only while what runs it is there (`Runs`): one that is uninstalled clears no finalizer.
//! - Each operator has its own user and field manager, so that the audit log tells them apart.
//!
//! What stays after everything that a stack made is deleted (reference/platform.md §6, §2.15):
//! - CRDs of every bundle and component: deleting a CSV does not delete them;
//! - namespaces that operators made: `redhat-ods-monitoring`, `rhods-notebooks`, `rhoai-model-registries`,
//!   `models-as-a-service`, and `openshift-user-workload-monitoring` (the latter empty once monitoring is off);
//! - Subscription and CSV `servicemeshoperator3` in `openshift-operators`, with the Istio control plane
//!   `istiod-openshift-gateway` in `openshift-ingress`: the ingress operator's;
//! - namespace `openshift-gitops` with the first Argo CD, `Kueue/cluster` and the flavors and queues that OpenShift AI
//!   made for it: their operators keep them;
//! - `default-dsci`, `CertManager/cluster` if they were not deleted: their operators made them at start;
//! - Subscriptions that OLM generated for dependencies, unless they are deleted with the CSVs;
//! - the ServiceAccount `<secret>-sa` of an S3 connection, as long as its namespace is there.
//!
//! Deliberately absent: what answers calls to the cluster's hosts ([`crate::data_plane`]), leases.

mod access;
pub(crate) mod kinds;
pub(crate) mod object;
mod turn;
pub(crate) mod world;

mod admission;
mod run;

mod acme;
mod authentication;
mod cert_manager;
mod cloud_credential;
mod connections;
mod external_models;
mod gateway;
mod gitops;
mod gpu;
pub(crate) mod hostnames;
mod ingress;
mod issuance;
mod kserve;
mod kuadrant;
mod kueue;
mod leader_worker_set;
mod maas;
mod maas_access;
mod maas_policies;
mod machine_api;
mod metallb;
mod model_access;
mod model_registry;
mod nfd;
mod observability;
mod odh_model_controller;
mod olm;
mod olm_install;
mod operands;
mod people;
mod policies;
mod rhoai;
mod rhoai_components;
mod rhoai_kueue;
mod routes;
mod rules;
mod service_ca;
mod somebody;
mod workloads;

pub use admission::register as register_admission;
pub(crate) use admission::{follow as follow_faults_of_webhooks, is_known as has_webhook};
pub(crate) use routes::accepted_by;
#[cfg(test)]
mod addons_scenarios;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod data_plane_scenarios;
#[cfg(test)]
mod event_scenarios;
#[cfg(test)]
mod fault_scenarios;
#[cfg(test)]
mod gateways_scenarios;
#[cfg(test)]
mod live;
#[cfg(test)]
mod live_serving;
#[cfg(test)]
mod network_scenarios;
#[cfg(test)]
mod platform_faults;
#[cfg(test)]
mod restless;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod serving_fault_scenarios;
#[cfg(test)]
mod serving_scenarios;
#[cfg(test)]
mod trust_scenarios;

pub use access::Access;
pub(crate) use kinds::{Kind, named as kind_named};
pub(crate) use object::Read;
pub(crate) use people::is_target as is_target_of_people;
pub use run::{Operators, OperatorsOptions};
pub(crate) use world::World;

use turn::Turn;

/// What must be there for an operator to act.
#[derive(Clone, Copy, Debug)]
enum Runs {
    /// Part of the platform: always there.
    Platform,
    /// Installed by OLM: while a CSV of this name is being installed or Succeeded.
    Csv(&'static str),
    /// Deployed by another operator: while this Deployment (namespace, name) is Available.
    Deployment(&'static str, &'static str),
}

/// One simulated operator.
#[derive(Clone, Copy, Debug)]
struct Operator {
    /// How faults and the audit log name it.
    name: &'static str,
    /// The field manager of its writes.
    manager: &'static str,
    runs: Runs,
    reconcile: fn(&mut Turn<'_>),
}

const fn operator(name: &'static str, runs: Runs, reconcile: fn(&mut Turn<'_>)) -> Operator {
    Operator {
        name,
        manager: name,
        runs,
        reconcile,
    }
}

/// The namespace of OpenShift AI's applications (reference/serving.md §0.3).
const APPLICATIONS: &str = "redhat-ods-applications";
/// The namespace of the gateways (reference/serving.md §0.3).
const INGRESS: &str = "openshift-ingress";
/// The namespace of operators for all namespaces (reference/platform.md §2.1).
const GLOBAL: &str = "openshift-operators";

/// Who the data plane is to the API server.
pub(crate) const DATA_PLANE: &str = "data-plane";

/// Every operator, in the order of their turns.
const OPERATORS: &[Operator] = &[
    operator("olm", Runs::Platform, olm::reconcile),
    operator("workloads", Runs::Platform, workloads::reconcile),
    operator("machine-api", Runs::Platform, machine_api::reconcile),
    operator("nfd", Runs::Csv("nfd"), nfd::reconcile),
    operator("gpu", Runs::Csv("gpu-operator-certified"), gpu::reconcile),
    operator(
        "cert-manager",
        Runs::Csv("cert-manager-operator"),
        cert_manager::reconcile,
    ),
    operator("authentication", Runs::Platform, authentication::reconcile),
    operator("cloud-credential", Runs::Platform, cloud_credential::reconcile),
    operator("service-ca", Runs::Platform, service_ca::reconcile),
    operator("ingress", Runs::Platform, ingress::reconcile),
    operator("gateway", Runs::Platform, gateway::reconcile),
    operator("kuadrant", Runs::Csv("rhcl-operator"), kuadrant::reconcile),
    operator(
        "leader-worker-set",
        Runs::Csv("leader-worker-set"),
        leader_worker_set::reconcile,
    ),
    // Two real ones: the cluster monitoring operator is part of the platform, the other checks its own CSV.
    operator("observability", Runs::Platform, observability::reconcile),
    operator("rhoai", Runs::Csv("rhods-operator"), rhoai::reconcile),
    operator("kueue", Runs::Csv("kueue-operator"), kueue::reconcile),
    operator(
        "model-registry",
        Runs::Deployment(APPLICATIONS, "model-registry-operator-controller-manager"),
        model_registry::reconcile,
    ),
    operator("gitops", Runs::Csv("openshift-gitops-operator"), gitops::reconcile),
    operator("metallb", Runs::Csv("metallb-operator"), metallb::reconcile),
    operator(
        "odh-model-controller",
        Runs::Deployment(APPLICATIONS, "odh-model-controller"),
        odh_model_controller::reconcile,
    ),
    operator(
        "kserve",
        Runs::Deployment(APPLICATIONS, "kserve-controller-manager"),
        kserve::reconcile,
    ),
    // Its field manager is a fact: reference/serving.md §1.8.
    Operator {
        name: "maas",
        manager: "maas-controller",
        runs: Runs::Deployment(APPLICATIONS, "maas-controller"),
        reconcile: maas::reconcile,
    },
];

/// Everybody who acts: the operators, and the person whom some faults need.
fn actors() -> impl Iterator<Item = &'static Operator> {
    OPERATORS.iter().chain([&people::SOMEBODY])
}

/// Returns whether objects of a kind live in a namespace.
pub(crate) fn is_namespaced(kind: Kind) -> bool {
    kind.scope == kinds::Scope::Namespaced
}

/// Returns the operator of this name if it is part of the platform.
pub(crate) fn of_platform(name: &str) -> Option<&'static str> {
    let mut platform = OPERATORS
        .iter()
        .filter(|operator| matches!(operator.runs, Runs::Platform));
    platform
        .find(|operator| operator.name == name)
        .map(|operator| operator.name)
}

/// Returns whether a Deployment runs this operator: `owner` is the CSV it was installed by, empty without one.
fn is_run_by(name: &str, namespace: &str, deployment: &str, owner: &str) -> bool {
    OPERATORS.iter().any(|operator| {
        operator.name == name
            && match operator.runs {
                Runs::Platform => false,
                Runs::Csv(prefix) => owner.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.')),
                Runs::Deployment(in_namespace, of_name) => (in_namespace, of_name) == (namespace, deployment),
            }
    })
}

/// Returns the name of every operator.
pub fn names() -> Vec<&'static str> {
    OPERATORS.iter().map(|operator| operator.name).collect()
}

/// Returns the user that each operator acts as.
///
/// The watch that all of them share has a user of its own, `operator:world`, and so have the data plane and the person
/// whom some faults need.
pub fn users() -> impl Iterator<Item = String> {
    names()
        .into_iter()
        .chain(["world", DATA_PLANE, people::SOMEBODY.name])
        .map(access::user)
}
