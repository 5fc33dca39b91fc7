//! What goes with the definitions that a plan deletes: asked of the cluster, and told in the plan.

use super::cluster::Cluster;
use stackctl_engine::{
    Address,
    execute::{Provider as _, Selector},
    plan::{Excess, Transition},
    recorded::Recorded,
    resource::Consequence,
};
use stackctl_stacks::consequences::{Definition, Instances, definitions, with_definition};
use std::collections::{BTreeMap, BTreeSet};

/// What goes with definitions.
#[derive(Debug, Default)]
pub(super) struct WithDefinitions {
    /// What a person should know, by address.
    pub(super) told: BTreeMap<Address, Vec<Consequence>>,
    /// What a destroy does not do without a word of its own.
    pub(super) excess: Vec<Excess>,
}

/// Counts the objects of each kind whose definition goes. `recorded` is all that is recorded of the stack.
pub(super) async fn look(
    cluster: &Cluster,
    transitions: &[Transition],
    recorded: &BTreeMap<Address, Recorded>,
) -> WithDefinitions {
    let mut found = WithDefinitions::default();
    for definition in definitions(transitions) {
        let instances = instances(cluster, &definition, recorded).await;
        let told = with_definition(&definition, instances);
        found.told.entry(definition.address.clone()).or_default().extend(told);
        let others = instances.map(|instances| instances.others);
        if others != Some(0) {
            found.excess.push(Excess::Instances {
                address: definition.address,
                kind: definition.kind.kind,
                others,
            });
        }
    }
    found
}

/// The objects of a kind; nothing where they may not be read, or the server does not say.
async fn instances(
    cluster: &Cluster,
    definition: &Definition,
    recorded: &BTreeMap<Address, Recorded>,
) -> Option<Instances> {
    let all = match cluster
        .provider
        .list(&definition.kind, None, &Selector::default())
        .await
    {
        Ok(all) => all,
        Err(error) => {
            tracing::info!(kind = definition.kind.kind, %error, "objects of a definition are not counted");
            return None;
        }
    };
    // What was there before us, is kept, or holds only fields of ours is no object that a destroy may lose.
    let ours: BTreeSet<&str> = recorded
        .values()
        .filter(|known| known.is_deleted())
        .filter_map(|known| Some(known.object()?.uid.as_str()))
        .collect();
    let is_ours =
        |object: &&serde_json::Value| object["metadata"]["uid"].as_str().is_some_and(|uid| ours.contains(uid));
    let n_ours = all.iter().filter(is_ours).count();
    Some(Instances {
        ours: n_ours,
        others: all.len() - n_ours,
    })
}
