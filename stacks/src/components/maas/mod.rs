//! Models-as-a-Service: a gateway, who may call through it, and how much.
//!
//! The generation of subscriptions has a database, a switch in OpenShift AI, trust between its parts and objects for each
//! tier; the older one has policies on the gateway. A stack has one of the two; gateway, telemetry, groups and users are
//! the same in both.
//!
//! Facts: `reference/serving.md` §1.6 to §1.16, edges §2.2, order of destroy §2.4.

mod authorino;
mod dashboard;
mod database;
mod external;
mod gateway;
mod gateway_policies;
mod groups;
mod monitoring;
mod registration;
mod switch;
mod symptoms;
mod telemetry;
mod tiers;
mod users;

pub(super) use dashboard::{dashboard, flags as dashboard_flags};
pub(super) use gateway::{COMPONENT, class, gateway, host, host_under, is_plain};
pub(super) use symptoms::{dashboard as dashboard_symptoms, early_access};

use super::{
    Context,
    draft::{Draft, at},
};
use crate::stack::MaasMode;
use stackctl_engine::Address;

/// The gate that API keys can be had; none without subscriptions.
pub(super) fn api(context: &Context<'_>) -> Option<Address> {
    context.stack.maas.as_ref()?.subscriptions().map(|_| at("maas.api"))
}

/// What has to be ready so that nobody calls a model unasked; none without MaaS.
pub(super) fn guarded(context: &Context<'_>) -> Option<Address> {
    Some(match context.stack.maas.as_ref()?.mode {
        MaasMode::Subscriptions(_) => authorino::done(),
        MaasMode::GatewayPolicies(_) => gateway_policies::access(),
    })
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let Some(wanted) = &context.stack.maas else {
        return Vec::new();
    };
    let mut nodes = gateway::resources(context, wanted);
    nodes.extend(telemetry::resources(wanted));
    nodes.extend(groups::resources(wanted));
    nodes.extend(users::resources(context, wanted));
    nodes.extend(monitoring::resources(context, wanted));
    match &wanted.mode {
        MaasMode::Subscriptions(subscriptions) => {
            let time = wanted.ready_timeout;
            nodes.extend(database::resources(subscriptions));
            nodes.extend(switch::resources(subscriptions, time));
            nodes.extend(authorino::resources(context));
            nodes.extend(registration::resources(context, time));
            nodes.extend(external::resources(subscriptions, time));
            nodes.extend(tiers::resources(context, wanted, subscriptions));
            nodes.extend(dashboard::resources(context));
        }
        MaasMode::GatewayPolicies(policies) => nodes.extend(gateway_policies::resources(context, policies)),
    }
    nodes
}
