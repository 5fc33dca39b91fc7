//! What others have in namespaces that a plan deletes: asked of the cluster, by metadata alone.

use super::cluster::Cluster;
use crate::error::{Error, Problem};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use stackctl_engine::{
    Address,
    execute::ProviderError,
    plan::{Others, Places, Plan, listed_for, others_along},
    recorded::Recorded,
};
use stackctl_stacks::hands::HANDS;
use std::collections::BTreeMap;

/// The objects of others that go with namespaces, and the kinds that may not be listed there.
///
/// # Errors
/// When the cluster does not say: nothing is taken for nothing.
pub(super) async fn look(
    cluster: &Cluster,
    plan: &Plan,
    recorded: &BTreeMap<Address, Recorded>,
    parallelism: usize,
) -> Result<Others, Error> {
    let answers: Vec<_> = stream::iter(listed_for(plan, recorded))
        .map(|(of, namespace)| async move {
            match cluster.provider.list_metadata(&of, &namespace).await {
                Ok(listed) => Ok(Ok(listed)),
                Err(error @ ProviderError::Forbidden(_)) => {
                    tracing::info!(kind = of.kind, namespace, %error, "objects of others are not looked at");
                    Ok(Err((of, namespace)))
                }
                Err(error) => Err(Problem::new(format!(
                    "what others have in the namespace {namespace}, which goes, could not be read: {of}"
                ))
                .caused_by(&error)
                .hint("run the same command again once the cluster answers")),
            }
        })
        .buffered(parallelism.max(1))
        .try_collect()
        .await?;
    let (mut listed, mut unread) = (Vec::new(), Places::new());
    for answer in answers {
        match answer {
            Ok(mut all) => listed.append(&mut all),
            Err(place) => _ = unread.insert(place),
        }
    }
    Ok(others_along(plan, recorded, HANDS, &listed, &unread))
}
