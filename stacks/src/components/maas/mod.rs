//! Models-as-a-Service with subscriptions: a gateway, a database, the switch, trust between its parts, and the tiers.
//!
//! Facts: `reference/serving.md` §1.6 to §1.14, edges §2.2, order of destroy §2.4.

mod authorino;
mod dashboard;
mod database;
mod gateway;
mod registration;
mod switch;
mod telemetry;
mod tiers;

pub(super) use authorino::done as authorino_done;
pub(super) use dashboard::{dashboard, flags as dashboard_flags};
pub(super) use gateway::{class, gateway, host, host_under};

use super::{
    Context,
    draft::{Draft, at},
};
use stackctl_engine::Address;

/// The gate that API keys can be had; none without MaaS.
pub(super) fn api(context: &Context<'_>) -> Option<Address> {
    context.stack.maas.is_some().then(|| at("maas.api"))
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let Some(wanted) = &context.stack.maas else {
        return Vec::new();
    };
    let mut nodes = gateway::resources(context);
    nodes.extend(database::resources(wanted));
    nodes.extend(switch::resources(wanted));
    nodes.extend(authorino::resources());
    nodes.extend(telemetry::resources(wanted));
    nodes.extend(registration::resources(context, wanted));
    nodes.extend(tiers::resources(context, wanted));
    nodes.extend(dashboard::resources(context));
    nodes
}
