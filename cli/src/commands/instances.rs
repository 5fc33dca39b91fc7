//! Definitions that go: whose objects are of their kinds is asked of the cluster before it is planned.

use super::cluster::Cluster;
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use stackctl_engine::{
    Address,
    execute::{Provider as _, Selector},
    plan::{self, Definition, definitions_that_go, stays_for},
    recorded::Recorded,
    resource::Consequence,
};
use stackctl_stacks::consequences::with_definition;
use std::{collections::BTreeMap, sync::Arc};

/// Lets those definitions stay that would take along what does not go: their record says so from here on, and why. What
/// goes with the others is returned, for the plan to tell. `goes` is what leaves the stack, `is_replaced` what is deleted
/// and made again because a person asked for it, with all that goes with it.
pub(super) async fn keep(
    cluster: &Cluster,
    recorded: &mut Arc<BTreeMap<Address, Recorded>>,
    goes: impl Fn(&Address) -> bool,
    is_replaced: impl Fn(&Address) -> bool,
    parallelism: usize,
) -> BTreeMap<Address, Vec<Consequence>> {
    let going = definitions_that_go(recorded, |address| goes(address) || is_replaced(address));
    if going.is_empty() {
        return BTreeMap::new();
    }
    let listed: Vec<_> = stream::iter(&going)
        .map(|definition| list(cluster, definition))
        .buffered(parallelism.max(1))
        .collect()
        .await;
    let without_it = plan::instances(recorded, &goes, &listed);
    let with_it = plan::instances(recorded, |_| true, &listed);
    let mut told: BTreeMap<Address, Vec<Consequence>> = BTreeMap::new();
    for ((definition, instances), with_it) in going.iter().zip(&without_it).zip(&with_it) {
        let address = &definition.address;
        if is_replaced(address) {
            let said = with_definition(definition, with_it.as_ref());
            told.entry(address.clone()).or_default().extend(said);
        } else if let Some(why) = stays_for(definition, instances.as_ref()) {
            if let Some(known) = Arc::make_mut(recorded).get_mut(address) {
                known.destroy.retain = Some(why);
            }
        } else {
            let said = with_definition(definition, instances.as_ref());
            told.entry(address.clone()).or_default().extend(said);
        }
    }
    told
}

/// The objects of a kind; nothing where they may not be read, or the server does not say.
async fn list(cluster: &Cluster, definition: &Definition) -> Option<Vec<Value>> {
    let answer = cluster
        .provider
        .list(&definition.kind, None, &Selector::default())
        .await;
    answer
        .inspect_err(|error| {
            tracing::info!(kind = definition.kind.kind, %error, "objects of a definition are not counted");
        })
        .ok()
}
