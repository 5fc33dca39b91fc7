//! What others have in namespaces that a plan deletes: asked of the cluster, by metadata alone.

use super::cluster::Cluster;
use futures_util::{StreamExt as _, stream};
use stackctl_engine::{
    Address,
    plan::{Others, Plan, listed_for, others_along},
    recorded::Recorded,
};
use stackctl_stacks::hands::HANDS;
use std::collections::BTreeMap;

/// The objects of others that go with namespaces. Where they may not be read nothing is said of them: the namespace itself
/// says that it takes along what others put there.
pub(super) async fn look(
    cluster: &Cluster,
    plan: &Plan,
    recorded: &BTreeMap<Address, Recorded>,
    parallelism: usize,
) -> Others {
    let listed: Vec<_> = stream::iter(listed_for(plan, recorded))
        .map(|(of, namespace)| async move {
            let answer = cluster.provider.list_metadata(&of, &namespace).await;
            answer.unwrap_or_else(|error| {
                tracing::info!(kind = of.kind, namespace, %error, "objects of others are not looked at");
                Vec::new()
            })
        })
        .buffered(parallelism.max(1))
        .collect()
        .await;
    others_along(plan, recorded, HANDS, &listed.concat())
}
