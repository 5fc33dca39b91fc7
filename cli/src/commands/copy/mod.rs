//! The copy of the state that the cluster keeps: looked at before a plan, kept before the first effect and after the
//! last, made to follow what is recorded without an effect, taken away after a destroy.
//!
//! Invariants:
//! - A command goes on only with the state that the copy is of, or with a newer one of the same line.
//! - The copy is not written while another run holds the lease of the stack: what it keeps there is its own.

mod follow;
mod over;

pub(super) use follow::{follow, follow_elsewhere};
use over::refused_by_label;
pub(super) use over::{Over, refuse_overtaken};

use super::{
    cluster::Cluster,
    known::{Known, problem},
    lease::{self as held, Fenced},
    runtime::Interrupts,
};
use crate::{
    error::{Error, Problem},
    settings::Settings,
    views,
};
use futures_util::StreamExt as _;
use serde_json::Value;
use stackctl_engine::{
    ObjectRef,
    execute::{ApplyRequest, DeleteRequest, Deletion, Intent, Provider, ProviderError, Selector, WatchEvent},
    marks::{MANAGED_BY_US, STACK_LABEL},
    plan::Purpose,
    recorded::Recorded,
    retry::{RetryClass, delay},
    rights::Right,
};
use stackctl_state::{
    State, StateError,
    copy::{self, ClusterCopy, Label},
    lease::{self, Holder},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    iter,
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// How long a write of a copy is tried again.
const PATIENCE: Duration = Duration::from_secs(30);
/// What takes no longer than this is not told.
const QUIET: Duration = Duration::from_secs(2);

/// What the cluster keeps of a stack's state.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    /// The Secret that leads.
    pub(super) head: Option<Value>,
    namespace: Option<Value>,
}

/// Looks for the copy of a stack's state. What may not be read counts as not there: the check of rights names it.
pub(super) async fn look(cluster: &Cluster, stack: &str) -> Result<Kept, Error> {
    let read = async |object: ObjectRef| match cluster.provider.get(&object).await {
        Err(ProviderError::Forbidden(_)) => Ok(None),
        other => other.map_err(|error| unread(&error)),
    };
    Ok(Kept {
        head: read(copy::head(stack)).await?,
        namespace: read(copy::namespace()).await?,
    })
}

impl Kept {
    /// What the Secret that leads says of its copy.
    fn label(&self) -> Result<Option<Label>, StateError> {
        self.head.as_ref().map(Label::of).transpose()
    }

    /// Refuses to go on without the state that the cluster keeps a copy of.
    pub(super) fn check(&self, known: &Known) -> Result<(), Error> {
        let stack = &known.identity.stack;
        let Some(label) = self.label().map_err(problem)? else {
            return Ok(());
        };
        let Some(state) = &known.state else {
            return Err(Problem::new(format!(
                "the stack {stack} was applied to this cluster, and its state is not here"
            ))
            .hint(
                "`stackctl state rebuild` makes it again of what the cluster keeps; or name where it is with `--state`",
            )
            .into());
        };
        if label.lineage != state.lineage() {
            return Err(Problem::new(format!(
                "the stack {stack} was applied to this cluster with another state: its lineage is {}, and the one here \
                 has {}",
                label.lineage,
                state.lineage()
            ))
            .hint(
                "name that state with `--state`, or put what the cluster keeps in place of the one here with \
                 `stackctl state rebuild --force`",
            )
            .into());
        }
        if label.serial > state.serial() {
            return Err(Problem::new(format!(
                "the state of {stack} here is older than what was applied: its serial is {}, and the cluster's {}",
                state.serial(),
                label.serial
            ))
            .hint("put back the newer one, or make it again with `stackctl state rebuild --force`")
            .into());
        }
        Ok(())
    }

    /// What a run that ended early was about to write, of which the state here knows nothing. Whether it was written, the
    /// cluster tells.
    ///
    /// # Errors
    /// When the copy holds such a thing, or may, and cannot be read.
    pub(super) async fn left(&self, cluster: &Cluster, known: &Known) -> Result<Vec<Recorded>, Error> {
        let Some(head) = self.head.as_ref().filter(|head| copy::has_open(head)) else {
            return Ok(Vec::new());
        };
        let copied = read(cluster, &known.identity.stack, head)
            .await
            .map_err(|error| unread_copy(&error))?;
        if copied.lineage() != known.identity.lineage {
            return Ok(Vec::new());
        }
        let open_here = known.state.as_ref().map_or(&[][..], State::open_intents);
        Ok(unheard(copied.open_intents(), open_here))
    }

    /// The rights that keeping the copy takes; with `removes` those to take it away.
    pub(super) fn rights(&self, removes: bool) -> BTreeSet<Right> {
        let goes = self.namespace.as_ref().is_some_and(copy::is_made_for_copies);
        copy::rights(self.namespace.is_some(), removes, goes)
    }
}

/// Keeps a copy of a state, and of what a run is about to write; nothing is sent where it is kept already, and the copy of
/// a newer state, or of another one, stays.
pub(super) async fn keep(
    provider: &impl Provider,
    state: &State,
    planned: &[Recorded],
) -> Result<ClusterCopy, Problem> {
    keep_over(provider, state, planned, Over::Known(state)).await
}

async fn keep_over(
    provider: &impl Provider,
    state: &State,
    planned: &[Recorded],
    over: Over<'_>,
) -> Result<ClusterCopy, Problem> {
    let kept = ClusterCopy::of(state, planned);
    until(|| put(provider, &kept, state, over))
        .await
        .map_err(|error| not_kept(&error))?;
    Ok(kept)
}

fn not_kept(error: &ProviderError) -> Problem {
    let hint = match error {
        ProviderError::Fenced(_) => {
            "work with the state that it wrote, or make it again with `stackctl state rebuild --force`"
        }
        _ => "run the same command again once the cluster answers",
    };
    Problem::new("what undo needs could not be kept in the cluster")
        .caused_by(error)
        .hint(hint)
}

fn fenced_by(refused: &str) -> ProviderError {
    ProviderError::Fenced(format!("the cluster keeps a copy already, and {refused}"))
}

/// After a run: the copy is of the state as it is now, and of what may have been made although nobody heard of it (`unsure`);
/// or it goes with the last of what it would undo. Where another run has the lease the copy is that run's, and stays. Somebody
/// who does not want to wait for that is heard.
///
/// # Errors
/// When a copy of nothing could not be taken away. One that is only behind is said: what it lacks undoes nothing wrong.
pub(super) async fn settle(
    settings: &Settings,
    fenced: &Fenced<'_, impl Provider>,
    holder: &Holder,
    state: &State,
    unsure: &[Recorded],
    purpose: Purpose,
) -> Result<(), Error> {
    let interrupts = Interrupts::listen();
    let settled = async {
        let goes = purpose == Purpose::Destroy && state.is_empty();
        // A run that had nothing to do has no lease of its own, and mostly nothing to write either.
        if fenced.lease.is_none() {
            if !goes && is_kept(fenced.provider, state, unsure).await {
                return Ok(());
            }
            if let Err(error) = held::is_free(fenced.provider, state.stack(), holder).await {
                say_that_it_is_behind(settings, &why(&error));
                return Ok(());
            }
        }
        let settled = match goes {
            true => remove(fenced, state, Over::Known(state)).await,
            false => keep(fenced, state, unsure).await.map(drop),
        };
        match (settled, fenced.lease) {
            (Ok(()), _) => Ok(()),
            (Err(_), Some(lease)) if lease.is_lost().await => {
                views::tell(&views::diagnostic::warning(
                    &views::state::copy_is_of_another_run(state.stack()),
                    &settings.err,
                ));
                Ok(())
            }
            (Err(error), _) if goes => Err(error.into()),
            (Err(error), _) => {
                say_that_it_is_behind(settings, &error.because);
                Ok(())
            }
        }
    };
    let told = async {
        sleep(QUIET).await;
        views::tell(&views::state::copy_is_waited_for(PATIENCE));
        std::future::pending().await
    };
    tokio::select! {
        settled = settled => settled,
        () = interrupts.asked(1) => {
            say_that_it_is_behind(settings, &["nobody waited for the cluster to answer".to_owned()]);
            Ok(())
        }
        () = told => Ok(()),
    }
}

fn say_that_it_is_behind(settings: &Settings, because: &[String]) {
    let what = views::state::copy_is_behind(because);
    views::tell(&views::diagnostic::warning(&what, &settings.err));
}

fn unread_copy(error: &Error) -> Problem {
    Problem::new("what an earlier run made and could not record stands in the cluster's copy of the state, which cannot be read")
        .because(in_words(error).join(": "))
        .hint(
            "run the same command again; if that copy is damaged and the state here is whole, `stackctl state pull >state.json` and \
             `stackctl state push state.json` write it anew, without what that run made",
        )
}

/// Of what is open in a copy, the writes that are not open here. A creation has no intent of its own; any other has, but the
/// state here may be the one from before that run.
fn unheard(open: &[Intent], open_here: &[Intent]) -> Vec<Recorded> {
    let is_open_here = |record: &Recorded| {
        open_here
            .iter()
            .any(|intent| matches!(intent, Intent::Write(here) if here.address == record.address))
    };
    let write = |intent: &Intent| match intent {
        Intent::Write(record) if record.object().is_some() => Some((**record).clone()),
        Intent::Write(_) | Intent::Delete { .. } | Intent::Act { .. } => None,
    };
    open.iter()
        .filter_map(write)
        .filter(|record| !is_open_here(record))
        .collect()
}

fn in_words(error: &Error) -> Vec<String> {
    match error {
        Error::Problems(problems) => problems.iter().flat_map(why).collect(),
        // No stack is read here, and nobody is asked.
        Error::Stack(_) | Error::Interrupted => Vec::new(),
    }
}

/// A problem and its causes, as texts.
fn why(problem: &Problem) -> Vec<String> {
    iter::once(&problem.what).chain(&problem.because).cloned().collect()
}

/// Takes the copy of a state away, and its namespace with the last one, if it was made for copies.
pub(super) async fn remove(provider: &impl Provider, state: &State, over: Over<'_>) -> Result<(), Problem> {
    let removed = until(|| take_away(provider, state, over)).await;
    removed.map_err(|error| not_removed(&error))
}

fn not_removed(error: &ProviderError) -> Problem {
    Problem::new("what undo needed could not be taken out of the cluster")
        .caused_by(error)
        .hint("run the same command again")
}

/// Reads the state of a copy.
pub(super) async fn read(cluster: &Cluster, stack: &str, head: &Value) -> Result<State, Error> {
    let read = read_by(&cluster.provider, stack, head).await;
    Ok(read.map_err(|error| unread(&error))?.map_err(problem)?)
}

async fn read_by(
    provider: &impl Provider,
    stack: &str,
    head: &Value,
) -> Result<Result<State, StateError>, ProviderError> {
    let label = match Label::of(head) {
        Ok(label) => label,
        Err(error) => return Ok(Err(error)),
    };
    let mut further = Vec::new();
    for object in label.further(stack) {
        // A part that is not there has nothing in it, which the reader names.
        further.push(provider.get(&object).await?.unwrap_or_default());
    }
    Ok(copy::read(stack, head, &further))
}

/// The stacks that the cluster keeps something of.
pub(super) async fn stacks(cluster: &Cluster) -> Result<BTreeSet<String>, Error> {
    let all = listed(&cluster.provider).await.map_err(|error| unread(&error))?;
    let stack = |secret: &Value| secret["metadata"]["labels"][STACK_LABEL].as_str().map(str::to_owned);
    Ok(all.iter().filter_map(stack).collect())
}

/// Whether the copy is that of a state already, so that nothing would be written.
async fn is_kept(provider: &impl Provider, state: &State, unsure: &[Recorded]) -> bool {
    let live = provider.get(&copy::head(state.stack())).await;
    matches!(live, Ok(Some(live)) if ClusterCopy::of(state, unsure).is_led_by(&live))
}

async fn put(provider: &impl Provider, kept: &ClusterCopy, state: &State, over: Over<'_>) -> Result<(), ProviderError> {
    let stack = state.stack();
    let live = provider.get(&copy::head(stack)).await?;
    if let Some(live) = &live {
        // What was pushed is written in any case: the copy that looks like it may be damaged.
        if matches!(over, Over::Known(_)) && kept.is_led_by(live) {
            return Ok(());
        }
        if let Some(refused) = refused_by_label(live, over) {
            return Err(fenced_by(&refused));
        }
    }
    if live.is_none() {
        make_namespace(provider, stack).await?;
    }
    for (object, body) in kept.further() {
        apply(provider, object.clone(), body.clone(), stack).await?;
    }
    match &live {
        Some(live) => {
            provider.patch(&kept.replacing(live)).await?;
        }
        None => apply(provider, copy::head(stack), kept.head().clone(), stack).await?,
    }
    let before = live.as_ref().and_then(|live| Label::of(live).ok());
    let stale = before.map(|label| label.further(stack)).unwrap_or_default();
    let is_used = |object: &ObjectRef| kept.further().iter().any(|(used, _)| used == object);
    for object in stale.into_iter().filter(|object| !is_used(object)) {
        delete(provider, object, None).await?;
    }
    Ok(())
}

/// Makes the namespace of the copies where it is not there.
pub(super) async fn make_namespace(provider: &impl Provider, stack: &str) -> Result<(), ProviderError> {
    if provider.get(&copy::namespace()).await?.is_none() {
        apply(provider, copy::namespace(), copy::namespace_body(), stack).await?;
    }
    Ok(())
}

async fn take_away(provider: &impl Provider, state: &State, over: Over<'_>) -> Result<(), ProviderError> {
    let stack = state.stack();
    let head = copy::head(stack);
    let live = provider.get(&head).await?;
    if let Some(live) = live {
        if Label::of(&live).is_ok_and(|label| label.lineage != state.lineage()) {
            return Ok(());
        }
        if let Some(refused) = refused_by_label(&live, over) {
            return Err(fenced_by(&refused));
        }
        // What leads goes last: until then the others are known by it.
        let (mut ours, mut others) = (Vec::new(), 0);
        for secret in listed(provider).await? {
            let name = secret["metadata"]["name"].as_str().unwrap_or_default().to_owned();
            match secret["metadata"]["labels"][STACK_LABEL].as_str() {
                Some(of) if of == stack && name != head.name => {
                    ours.push((ObjectRef { name, ..head.clone() }, Some(secret)));
                }
                Some(of) if of == stack => {}
                _ => others += 1,
            }
        }
        ours.push((lease::lease(stack), None));
        ours.push((head, Some(live)));
        for (object, read) in ours {
            delete(provider, object, read.as_ref()).await?;
        }
        if others > 0 {
            return Ok(());
        }
    } else if !listed(provider).await?.is_empty() {
        return Ok(());
    }
    take_namespace_away(provider).await
}

/// Takes away what a run left that was killed between its first request and its state: the namespace of the copies, unless
/// something of another stack is in it, be it no more than its lease. What nobody lets us look at stays.
///
/// # Errors
/// When another run of this stack is at work.
pub(super) async fn remove_unused(provider: &impl Provider, stack: &str, holder: &Holder) -> Result<(), Problem> {
    let ours = lease::lease(stack);
    let is_of_another = |lease: &Value| lease["metadata"]["name"] != ours.name.as_str();
    let in_namespace = Some(copy::NAMESPACE);
    let leases = until(|| async {
        provider
            .list(&ours.object_type, in_namespace, &Selector::default())
            .await
    });
    let is_used = match leases.await {
        Ok(leases) => leases.iter().any(is_of_another),
        Err(ProviderError::Forbidden(_)) => true,
        Err(error) => return Err(not_removed(&error)),
    };
    if is_used {
        return Ok(());
    }
    held::is_free(provider, stack, holder).await?;
    let unused = async || match listed(provider).await?.is_empty() {
        true => take_namespace_away(provider).await,
        false => Ok(()),
    };
    match until(unused).await {
        Ok(()) | Err(ProviderError::Forbidden(_)) => Ok(()),
        Err(error) => Err(not_removed(&error)),
    }
}

async fn take_namespace_away(provider: &impl Provider) -> Result<(), ProviderError> {
    let namespace = provider.get(&copy::namespace()).await?;
    let Some(namespace) = namespace.filter(copy::is_made_for_copies) else {
        return Ok(());
    };
    if delete(provider, copy::namespace(), Some(&namespace)).await? == Deletion::Marked {
        gone(provider, &copy::namespace(), namespace["metadata"]["uid"].as_str()).await;
    }
    Ok(())
}

/// Waits until an object is gone, for as long as a write is tried again: that it goes is the cluster's by then.
async fn gone(provider: &impl Provider, object: &ObjectRef, uid: Option<&str>) {
    let is_it =
        |live: &Value| live["metadata"]["name"] == object.name.as_str() && live["metadata"]["uid"].as_str() == uid;
    let mut events = provider.watch(&object.object_type, object.namespace.as_deref());
    let waits = async {
        while let Some(event) = events.next().await {
            match event {
                WatchEvent::Snapshot(all) if !all.iter().any(is_it) => return,
                WatchEvent::Gone(last) if is_it(&last) => return,
                WatchEvent::Snapshot(_)
                | WatchEvent::Gone(_)
                | WatchEvent::Changed(_)
                | WatchEvent::Interrupted(_)
                | WatchEvent::Resumed => {}
            }
        }
    };
    if timeout(PATIENCE, waits).await.is_err() {
        tracing::info!(%object, "is still going");
    }
}

async fn listed(provider: &impl Provider) -> Result<Vec<Value>, ProviderError> {
    let (name, value) = MANAGED_BY_US;
    let labels = BTreeMap::from([(name.to_owned(), value.to_owned())]);
    provider
        .list(&copy::secrets(), Some(copy::NAMESPACE), &Selector { labels })
        .await
}

async fn apply(provider: &impl Provider, object: ObjectRef, body: Value, stack: &str) -> Result<(), ProviderError> {
    let request = ApplyRequest {
        object,
        body,
        manager: copy::manager(stack),
        force: true,
        dry_run: false,
    };
    provider.apply(&request).await.map(drop)
}

/// Deletes an object; with `read` only as it was read, for what is in it said that it is to go.
async fn delete(provider: &impl Provider, object: ObjectRef, read: Option<&Value>) -> Result<Deletion, ProviderError> {
    let text = |name: &str| read.and_then(|live| live["metadata"][name].as_str()).map(str::to_owned);
    let request = DeleteRequest {
        object,
        uid: text("uid"),
        resource_version: text("resourceVersion"),
        foreground: false,
    };
    match provider.delete(&request).await {
        Err(ProviderError::NotFound | ProviderError::NamespaceMissing(_)) => Ok(Deletion::Gone),
        // Another one took its name: whether that goes is to be seen anew.
        Err(ProviderError::OtherUid) => Err(ProviderError::Modified),
        other => other,
    }
}

/// Tries until it works, until an error says that it never will, or until patience ends. A namespace that ends between
/// two requests is made again.
pub(super) async fn until<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, ProviderError>
where
    F: Future<Output = Result<T, ProviderError>>,
{
    let started = Instant::now();
    let mut count = 0;
    loop {
        let error = match attempt().await {
            Err(error) => error,
            done => return done,
        };
        count += 1;
        let class = match &error {
            ProviderError::NamespaceMissing(_) | ProviderError::NotFound | ProviderError::AlreadyExists => {
                RetryClass::AFewTimes
            }
            error => error.retry(),
        };
        match delay(class, count, 1.0) {
            Some(wait) if started.elapsed() + wait < PATIENCE => sleep(wait).await,
            Some(_) | None => return Err(error),
        }
    }
}

fn unread(error: &ProviderError) -> Problem {
    Problem::new("the copy of the state that the cluster keeps could not be read")
        .caused_by(error)
        .hint("check that the cluster answers and that you may read Secrets in the namespace stackctl")
}

#[cfg(test)]
mod tests;
