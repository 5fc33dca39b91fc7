//! What the dashboard shows of MaaS.
//!
//! Facts: `reference/serving.md` §1.13. `vLLMDeploymentOnMaaS` is the one that is usually missed.

use crate::components::{
    Context,
    draft::{Draft, at},
    rhoai,
};
use serde_json::{Value, json};
use stackctl_engine::Address;

/// The flags of MaaS on the dashboard; none without subscriptions or without a dashboard.
pub(in crate::components) fn dashboard(context: &Context<'_>) -> Option<Address> {
    let is_shown = super::api(context).is_some() && context.stack.rhoai.components.dashboard;
    is_shown.then(|| at("maas.dashboard"))
}

/// What the flags are; nothing where there are none.
pub(in crate::components) fn flags(context: &Context<'_>) -> Value {
    match dashboard(context) {
        Some(_) => json!({"modelAsService": true, "maasAuthPolicies": true, "vLLMDeploymentOnMaaS": true}),
        None => json!({}),
    }
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let node = |address| {
        rhoai::dashboard_flags(address, &flags(context))
            .after(at("maas.api"), "its pages call maas-api")
            .after_write(at("rhoai.dashboard"), "the flags of the platform come first")
    };
    dashboard(context).map(node).into_iter().collect()
}
