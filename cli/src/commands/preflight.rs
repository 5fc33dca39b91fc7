//! `preflight`: whether the cluster is fit for the stack; and the same before a first apply.

use super::{
    cluster::{Cluster, Use},
    load,
    planning::Planned,
    runtime,
};
use crate::{
    clock,
    error::{Error, Problem},
    exit::Exit,
    facts,
    settings::Settings,
    views,
};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use stackctl_engine::{
    execute::{Provider as _, ProviderError, Selector},
    facts::Fact,
};
use stackctl_stacks::{
    Stack,
    cluster_facts::FactRequest,
    preflight::{
        CLUSTER_ADMIN, Claim, Evidence, Finding, Listing, Node, PlatformPod, Reading, Service, Subscription, Unread,
        Verdict, Version, check, facts_then, facts_wanted,
    },
    stack::OpenShift,
};
use std::collections::BTreeMap;

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
        Some(openshift) => Ok(check(
            openshift,
            &Box::pin(gather(cluster, stack, openshift, parallelism)).await?,
        )),
        None => Ok(Vec::new()),
    }
}

/// Reads in two rounds: what the second one asks for hangs on answers of the first.
async fn gather(
    cluster: &Cluster,
    stack: &Stack,
    openshift: &OpenShift,
    parallelism: usize,
) -> Result<Evidence, Error> {
    let wanted = facts_wanted(stack);
    let is_admin = async { read("SelfSubjectAccessReview", cluster.provider.may_do_everything().await) };
    let early = Lists {
        cluster,
        stack: openshift,
        nodes: &[],
    };
    let (facts, is_admin, nodes, versions, subscriptions, services, platform_pods) = tokio::join!(
        read_all(cluster, &wanted, parallelism),
        is_admin,
        early.list(Listing::Nodes, |node| Some(Node::of(node))),
        early.list(Listing::Versions, Version::of),
        early.list(Listing::Subscriptions, |one| Some(Subscription::of(one))),
        early.list(Listing::Services, |service| Some(Service::of(service))),
        early.list(Listing::PlatformPods, |pod| Some(PlatformPod::of(pod))),
    );
    let (mut facts, nodes) = (facts?, nodes?);
    let later = Lists {
        nodes: nodes.as_deref().unwrap_or_default(),
        ..early
    };
    let then = facts_then(stack, &facts);
    let (more, claims) = tokio::join!(
        read_all(cluster, &then, parallelism),
        later.list(Listing::Pods, Claim::of),
    );
    facts.extend(more?);
    Ok(Evidence {
        now: i64::try_from(clock::unix_seconds()).unwrap_or(i64::MAX),
        facts,
        is_admin: is_admin?,
        claims: claims?,
        nodes,
        versions: versions?,
        subscriptions: subscriptions?,
        services: services?,
        platform_pods: platform_pods?,
    })
}

async fn read_all(
    cluster: &Cluster,
    wanted: &[FactRequest],
    parallelism: usize,
) -> Result<BTreeMap<String, Reading<Fact>>, Error> {
    let facts: Vec<_> = stream::iter(wanted)
        .map(|request| async move {
            let answer = facts::read_one(&cluster.provider, request).await;
            Ok::<_, Error>((request.key.clone(), read(&request.source, answer)?))
        })
        .buffered(parallelism.max(1))
        .collect()
        .await;
    facts.into_iter().collect()
}

/// Who lists, and what decides whether it is needed.
#[derive(Clone, Copy)]
struct Lists<'a> {
    cluster: &'a Cluster,
    stack: &'a OpenShift,
    nodes: &'a [Node],
}

impl Lists<'_> {
    /// Lists objects if a check looks at them, and keeps of each what checks need.
    async fn list<T>(self, listing: Listing, keep: impl Fn(&Value) -> Option<T>) -> Result<Reading<Vec<T>>, Error> {
        if !listing.is_wanted(self.stack, self.nodes) {
            return Ok(Err(Unread::not_asked(listing.source())));
        }
        let of = listing.object_type();
        let provider = &self.cluster.provider;
        let answer = provider.list(&of, listing.namespace(), &Selector::default()).await;
        let objects = read(listing.source(), answer)?;
        Ok(objects.map(|objects| objects.iter().filter_map(keep).collect()))
    }
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
