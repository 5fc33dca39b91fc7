//! The catalogue: what each component of the platform is made of, what it waits for, and why.
//!
//! In: a [`Stack`] that cannot be wrong and the facts of a cluster. Out: the resources of a graph. [`compile`] folds over
//! the components; each is one file here and one line in `COMPONENTS`.
//!
//! Invariants:
//! - Pure and deterministic: equal stacks and facts give equal resources, in the order of their addresses.
//! - No secret stands in a manifest: its value is left open and said where it comes from.
//! - Every fact about OpenShift or an operator carries its source.
//!
//! Deliberately absent: what an edge or a gate means; the engine knows that and no OpenShift.

mod draft;
mod error;
mod gateway;
mod listener;
pub(crate) mod names;
mod olm;
mod outputs;
mod perses;
mod platform_symptoms;
mod secret;
mod symptoms;

mod cert_manager;
mod cluster_observability;
mod connectivity_link;
mod gitops;
mod gpu;
mod grafana;
mod kuadrant;
mod kueue;
mod leader_worker_set;
mod llm_d;
mod maas;
mod metallb;
mod model;
mod model_registry;
mod monitoring;
mod monitoring_console;
mod nfd;
mod nvidia;
mod opentelemetry;
mod pipelines;
mod project;
mod rhoai;
mod service_mesh;
mod tempo;
mod tls;

pub use error::CompileError;
pub use outputs::{Output, outputs};
pub(crate) use outputs::{gateway_hosts, maas_host};

use crate::{
    cluster_facts::ClusterFacts,
    stack::{OpenShift, Stack},
};
use draft::Draft;
use stackctl_engine::{Resource, facts::Facts};

/// What a component is compiled from.
#[derive(Clone, Copy, Debug)]
struct Context<'a> {
    stack: &'a OpenShift,
    facts: &'a ClusterFacts,
}

/// A component: the resources that a stack needs of it, none if it needs none.
type Component = fn(&Context<'_>) -> Vec<Draft>;

/// Every component there is.
const COMPONENTS: &[Component] = &[
    tls::resources,
    cert_manager::resources,
    gpu::resources,
    nfd::resources,
    nvidia::resources,
    pipelines::resources,
    service_mesh::resources,
    connectivity_link::resources,
    kuadrant::resources,
    leader_worker_set::resources,
    tempo::resources,
    opentelemetry::resources,
    cluster_observability::resources,
    monitoring::resources,
    monitoring_console::resources,
    kueue::resources,
    rhoai::resources,
    model_registry::resources,
    llm_d::resources,
    project::resources,
    model::resources,
    maas::resources,
    grafana::resources,
    gitops::resources,
    metallb::resources,
];

/// Compiles a stack to the resources of its graph, in the order of their addresses.
///
/// # Errors
/// Every fact that is missing or does not fit.
pub fn compile(stack: &Stack, facts: &Facts) -> Result<Vec<Resource>, Vec<CompileError>> {
    let Some(openshift) = &stack.openshift else {
        return Ok(Vec::new());
    };
    let facts = ClusterFacts::parse(openshift, facts)
        .map_err(|errors| errors.into_iter().map(CompileError::from).collect::<Vec<_>>())?;
    let context = Context {
        stack: openshift,
        facts: &facts,
    };
    let mut resources: Vec<Resource> = COMPONENTS
        .iter()
        .flat_map(|component| component(&context))
        .map(Draft::done)
        .collect();
    resources.sort_by(|a, b| a.address.cmp(&b.address));
    stack.keep(&mut resources);
    Ok(resources)
}

#[cfg(test)]
pub(crate) mod tests;
