//! `preflight`: whether the cluster is fit for the stack; and the same before a first apply.

use super::{
    cluster::{Cluster, Use},
    load,
    planning::Planned,
    runtime,
};
use crate::{
    error::{Error, Problem},
    exit::Exit,
    facts,
    settings::Settings,
    views,
};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use stackctl_engine::execute::{Provider as _, ProviderError, Selector};
use stackctl_stacks::{
    Stack,
    preflight::{
        CLUSTER_ADMIN, Evidence, Finding, Listing, Node, Reading, Subscription, Unread, Verdict, Version, check,
        facts_wanted,
    },
};

pub(super) fn run(settings: &Settings) -> Result<Exit, Error> {
    let (stack, _) = load::stack(settings)?;
    runtime::block_on(async {
        let cluster = Cluster::open(settings, stack.context(), Use::Read).await?;
        let findings = examine(&cluster, &stack, settings.parallelism).await;
        let name = cluster.name.clone();
        cluster.close().await;
        let findings = findings?;
        views::result(&if settings.json {
            views::json::pretty(&views::json::preflight(stack.name.as_str(), &name, &findings))
        } else {
            views::preflight::all(stack.name.as_str(), &name, &findings, &settings.out)
        });
        let has = |verdict| findings.iter().any(|finding| finding.verdict == verdict);
        Ok(if has(Verdict::Fail) {
            Exit::Differs
        } else if has(Verdict::Unread) {
            Exit::Failed
        } else {
            Exit::Done
        })
    })
}

/// Makes every check before the first objects of a stack are created; tells what did not pass.
///
/// # Errors
/// When a check failed, or the cluster does not answer. Nothing was written then.
pub(super) async fn before_first_apply(
    settings: &Settings,
    cluster: &Cluster,
    stack: &Stack,
    planned: &Planned,
) -> Result<(), Error> {
    if !planned.recorded.is_empty() || planned.plan.counts().create == 0 {
        return Ok(());
    }
    let mut findings = examine(cluster, stack, settings.parallelism).await?;
    // Each right that the apply needs was asked for by name just now: less than everything may be enough.
    findings.retain(|finding| finding.check != CLUSTER_ADMIN);
    views::tell(&views::preflight::doubts(&findings, &settings.err));
    let failed: Vec<_> = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Fail)
        .map(|finding| finding.check)
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(
        Problem::new(format!("the cluster is not fit for this stack: {}", failed.join(", ")))
            .hint("follow the remedies above, or go on with `--skip-preflight`; nothing was written")
            .into(),
    )
}

/// Gathers what the checks look at, and makes them; a stack of nothing but manifests has none.
async fn examine(cluster: &Cluster, stack: &Stack, parallelism: usize) -> Result<Vec<Finding>, Error> {
    match &stack.openshift {
        Some(openshift) => Ok(check(openshift, &gather(cluster, stack, parallelism).await?)),
        None => Ok(Vec::new()),
    }
}

async fn gather(cluster: &Cluster, stack: &Stack, parallelism: usize) -> Result<Evidence, Error> {
    let wanted = facts_wanted(stack);
    let facts = stream::iter(&wanted)
        .map(|request| async move {
            let answer = facts::read_one(&cluster.provider, request).await;
            Ok::<_, Error>((request.key.clone(), read(&request.source, answer)?))
        })
        .buffered(parallelism.max(1))
        .collect::<Vec<_>>();
    let is_admin = async { read("SelfSubjectAccessReview", cluster.provider.may_do_everything().await) };
    let (facts, is_admin, nodes, versions, subscriptions) = tokio::join!(
        facts,
        is_admin,
        list(cluster, Listing::Nodes, |node| Some(Node::of(node))),
        list(cluster, Listing::Versions, Version::of),
        list(cluster, Listing::Subscriptions, |one| Some(Subscription::of(one))),
    );
    Ok(Evidence {
        facts: facts.into_iter().collect::<Result<_, _>>()?,
        is_admin: is_admin?,
        nodes: nodes?,
        versions: versions?,
        subscriptions: subscriptions?,
    })
}

/// Lists objects in all namespaces, and keeps of each what checks need.
async fn list<T>(
    cluster: &Cluster,
    listing: Listing,
    keep: impl Fn(&Value) -> Option<T>,
) -> Result<Reading<Vec<T>>, Error> {
    let of = listing.object_type();
    let answer = cluster.provider.list(&of, None, &Selector::default()).await;
    let objects = read(listing.source(), answer)?;
    Ok(objects.map(|objects| objects.iter().filter_map(keep).collect()))
}

/// What was read, or why a check cannot be made.
///
/// # Errors
/// When no other question would be answered either.
fn read<T>(source: &str, answer: Result<T, ProviderError>) -> Result<Reading<T>, Error> {
    match answer {
        Ok(answer) => Ok(Ok(answer)),
        Err(
            error @ (ProviderError::Unreachable(_) | ProviderError::Unavailable(_) | ProviderError::Unauthorized(_)),
        ) => Err(facts::unreadable(source, &error)),
        Err(error) => Ok(Err(Unread {
            source: source.to_owned(),
            why: error.to_string(),
        })),
    }
}
