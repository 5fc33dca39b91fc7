//! Models: one LLMInferenceService each, with its connection, what scrapes it, and the route of a canary.
//!
//! Facts: `reference/serving.md` §1.3, §1.4.

mod canary;
mod connection;
mod metrics;
mod scheduler;
mod service;
mod symptoms;
mod workload;

use super::{
    Context,
    draft::{Draft, keyed},
};
use crate::stack::{Deployment, Model};
use stackctl_engine::Address;

/// The way of serving, as labels have it.
fn path(deployment: &Deployment) -> &'static str {
    match deployment {
        Deployment::IntelligentInference(_) => "intelligent-inference",
        Deployment::PrefillDecode(_) => "pd-disaggregation",
    }
}

/// The service of a model.
pub(super) fn service(name: &str) -> Address {
    keyed(&[("model", name), ("service", "")])
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    context
        .stack
        .models
        .iter()
        .flat_map(|model| of_model(context, model))
        .collect()
}

fn of_model(context: &Context<'_>, model: &Model) -> Vec<Draft> {
    let mut nodes = connection::resources(model);
    nodes.extend(service::certificate(model));
    nodes.push(service::resource(context, model));
    nodes.extend(canary::resource(context, model));
    nodes.extend(metrics::resources(context, model));
    nodes
}
