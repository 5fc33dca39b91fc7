//! Data of others in namespaces that a plan deletes: asked of the cluster.

use super::cluster::Cluster;
use futures_util::{StreamExt as _, stream};
use stackctl_engine::{
    Address, ObjectType,
    execute::{Provider as _, Selector},
    plan::{Along, Plan, claims_along, namespaces_that_go},
    recorded::Recorded,
};
use std::collections::BTreeMap;

/// The claims to volumes that go with namespaces and are not of the stack. Where they may not be read nothing is said of
/// them: the namespace itself says that it takes along what others put there.
pub(super) async fn look(
    cluster: &Cluster,
    plan: &Plan,
    recorded: &BTreeMap<Address, Recorded>,
    parallelism: usize,
) -> Vec<Along> {
    let of = &ObjectType::new("v1", "PersistentVolumeClaim");
    let listed: Vec<_> = stream::iter(namespaces_that_go(plan))
        .map(|namespace| async move {
            let answer = cluster.provider.list(of, Some(namespace), &Selector::default()).await;
            answer.unwrap_or_else(|error| {
                tracing::info!(namespace, %error, "claims to volumes are not looked at");
                Vec::new()
            })
        })
        .buffered(parallelism.max(1))
        .collect()
        .await;
    claims_along(plan, recorded, &listed.concat())
}
