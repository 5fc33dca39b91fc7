//! Models: one LLMInferenceService each, with its connection and what scrapes it.
//!
//! Facts: `reference/serving.md` §1.3.

mod connection;
mod metrics;
mod scheduler;
mod service;

use super::{
    Context,
    draft::{Draft, keyed},
};
use crate::stack::Model;
use stackctl_engine::Address;

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
    nodes.push(service::resource(context, model));
    nodes.extend(metrics::resources(context, model));
    nodes
}
