//! The lease of a stack: taken before the first effect of a run, renewed while it lasts, given back after it.
//!
//! Invariants:
//! - Nothing of the plan is written before the lease is ours, nor once somebody else has it.
//! - Before each write the age of the lease is looked at: one that nobody could renew for as long as it holds lets none
//!   through until it is renewed.
//! - That it cannot be given back is no failure: it ends by itself.

use super::copy;
use crate::{clock, error::Problem};
use futures_util::stream::BoxStream;
use serde_json::Value;
use stackctl_engine::{
    ObjectRef, ObjectType,
    execute::{
        ApplyAnswer, ApplyRequest, DeleteRequest, Deletion, PatchRequest, Provider, ProviderError, Selector, WatchEvent,
    },
};
use stackctl_state::{
    StateLock,
    lease::{self, DURATION, Holder, RENEWAL, Standing},
};
use std::{cell::Cell, time::Duration};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};

/// How long the cluster has to answer about a lease.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who holds a lease while this process has the lock of a state: the same for whoever has that very lock on this machine,
/// which is one at a time, so that what an earlier one left has died.
///
/// Names do not say which lock it is: containers that share the network of their machine have its host name, and often one
/// user and one path. The number of the locked file does. It stays from run to run, since that file is never replaced; a copy
/// of the folder has another one, which no id that is kept in the file would have; and while the lock is held no other file
/// can have it. Who removes the folder under a run has another one in the next, which waits for the first.
pub(super) fn holder(lock: &StateLock) -> Holder {
    // Where a path leads to on a machine that was started again, or on another one of the same name, is another place.
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let place = std::fs::canonicalize(lock.path()).unwrap_or_else(|_| lock.path().to_owned());
    Holder::new(
        &format!("{}@{}", clock::user(), clock::host()),
        &format!("{} {} {}", place.display(), lock.number(), boot.trim()),
    )
}

/// Refuses to go on while another run holds the lease of a stack: what it keeps in the cluster is its own until then.
///
/// # Errors
/// Whose it is, and when the cluster does not say.
pub(super) async fn is_free(provider: &impl Provider, stack: &str, holder: &Holder) -> Result<(), Problem> {
    let lease = lease::lease(stack);
    let live = copy::until(|| provider.get(&lease)).await.map_err(|error| {
        Problem::new(format!(
            "whether another run of the stack {stack} is at work could not be read"
        ))
        .caused_by(&error)
        .hint("run the same command again once the cluster answers")
    })?;
    let standing = live.map(|live| Standing::of(&live, holder, &micro_time(DURATION.as_secs())));
    match standing {
        Some(Standing::Held { who, since, heard }) => Err(at_work(stack, &who, &since, &heard)),
        Some(Standing::Free) | None => Ok(()),
    }
}

fn at_work(stack: &str, who: &str, since: &str, heard: &str) -> Problem {
    Problem::new(format!(
        "another run of the stack {stack} is at work on this cluster"
    ))
    .because(format!("it is {who}'s, since {since}; it was heard of last at {heard}"))
    .hint(format!(
        "wait until it is done, then run the same command again; if it has died, it holds nothing any more {} s after it \
         was heard of last",
        DURATION.as_secs()
    ))
}

/// A lease that is ours.
#[derive(Debug)]
pub(super) struct Lease<'a, P> {
    provider: &'a P,
    stack: String,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    /// As the server answered last.
    object: Value,
    renewed: Age,
    /// What is said of it once somebody else has it.
    lost: Option<ProviderError>,
    /// Whether it went with the copy, by our own hand: what else goes with that needs none.
    is_deleted: bool,
}

impl<'a, P: Provider> Lease<'a, P> {
    /// Takes the lease of a stack.
    ///
    /// # Errors
    /// When another run holds it, and when the cluster does not let us have one.
    pub(super) async fn take(provider: &'a P, stack: &str, holder: &Holder) -> Result<Self, Problem> {
        let asked = Cell::new(Age::young());
        let taken = copy::until(|| {
            asked.set(Age::young());
            taken(provider, stack, holder)
        })
        .await;
        let failed = |error: &ProviderError| {
            Problem::new(format!("the lease of the stack {stack} could not be taken"))
                .caused_by(error)
                .hint("run the same command again once the cluster answers; nothing was written")
        };
        match taken.map_err(|error| failed(&error))? {
            Taken::Ours(object) => Ok(Self {
                provider,
                stack: stack.to_owned(),
                held: Mutex::new(Held {
                    object,
                    renewed: asked.get(),
                    lost: None,
                    is_deleted: false,
                }),
            }),
            Taken::Theirs { who, since, heard } => Err(at_work(stack, &who, &since, &heard)),
        }
    }

    /// Renews the lease when it is time to; whether writes may leave.
    async fn hold(&self) -> Result<(), ProviderError> {
        let mut held = self.held.lock().await;
        if let Some(lost) = &held.lost {
            return Err(lost.clone());
        }
        if held.is_deleted || held.renewed.is_below(RENEWAL) {
            return Ok(());
        }
        let sent = Age::young();
        let renewing = lease::renewing(&self.stack, &held.object, &micro_time(0));
        let late = || ProviderError::Unreachable("the lease could not be renewed in time".to_owned());
        let renewed = timeout(PATIENCE, self.provider.patch(&renewing)).await;
        match renewed.unwrap_or_else(|_| Err(late())) {
            Ok(object) => {
                held.object = object;
                held.renewed = sent;
                Ok(())
            }
            Err(ProviderError::Modified | ProviderError::NotFound | ProviderError::OtherUid) => {
                self.find_again(&mut held, sent).await
            }
            // The other half is for clocks that differ.
            Err(_) if held.renewed.is_below(DURATION / 2) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What became of a lease that is no longer as we left it: an answer that was lost may have been of our own renewal.
    async fn find_again(&self, held: &mut Held, sent: Age) -> Result<(), ProviderError> {
        let live = self.provider.get(&lease::lease(&self.stack)).await?;
        let identity = |object: &Value| object["spec"]["holderIdentity"].as_str().map(str::to_owned);
        match live {
            Some(live) if identity(&live) == identity(&held.object) => {
                held.object = live;
                held.renewed = sent;
                Ok(())
            }
            _ => {
                let text = format!(
                    "another run has taken the lease of the stack {} over; this one writes nothing any more",
                    self.stack
                );
                let lost = ProviderError::Fenced(text);
                held.lost = Some(lost.clone());
                Err(lost)
            }
        }
    }

    /// Renews it for as long as this is polled: a run may wait long without a write.
    pub(super) async fn keep(&self) {
        loop {
            sleep(RENEWAL).await;
            if let Err(error) = self.hold().await {
                tracing::info!(%error, "the lease was not renewed");
            }
        }
    }

    /// Whether somebody else has it, as far as a write has found out.
    pub(super) async fn is_lost(&self) -> bool {
        self.held.lock().await.lost.is_some()
    }

    /// Gives it back.
    pub(super) async fn release(self) {
        let held = self.held.into_inner();
        if held.lost.is_some() || held.is_deleted {
            return;
        }
        let releasing = lease::releasing(&self.stack, &held.object);
        let released = timeout(PATIENCE, self.provider.patch(&releasing)).await;
        if !matches!(released, Ok(Ok(_))) {
            tracing::info!("the lease was not given back; it ends by itself");
        }
    }
}

/// Since when something is so, by the clock of the machine and by that on the wall: the first stands still while the
/// machine sleeps, the second may be set.
#[derive(Clone, Copy, Debug)]
struct Age(Instant, u64);

impl Age {
    fn young() -> Self {
        Self(Instant::now(), clock::unix_seconds())
    }

    fn is_below(&self, limit: Duration) -> bool {
        let on_the_wall = clock::unix_seconds().saturating_sub(self.1);
        self.0.elapsed() < limit && on_the_wall <= limit.as_secs()
    }
}

/// What became of asking for a lease.
enum Taken {
    Ours(Value),
    Theirs { who: String, since: String, heard: String },
}

async fn taken(provider: &impl Provider, stack: &str, holder: &Holder) -> Result<Taken, ProviderError> {
    let object = lease::lease(stack);
    let Some(live) = provider.get(&object).await? else {
        copy::make_namespace(provider, stack).await?;
        let request = ApplyRequest {
            body: lease::body(stack, holder, &micro_time(0)),
            object,
            // Of two that make it at once, each under a name of its own, the second meets a conflict.
            manager: lease::maker(holder),
            force: false,
            dry_run: false,
        };
        return match provider.apply(&request).await {
            Ok(answer) => Ok(Taken::Ours(answer.object)),
            // Somebody was faster: how it stands is to be seen anew.
            Err(ProviderError::Conflict(_)) => Err(ProviderError::AlreadyExists),
            Err(error) => Err(error),
        };
    };
    match Standing::of(&live, holder, &micro_time(DURATION.as_secs())) {
        Standing::Held { who, since, heard } => Ok(Taken::Theirs { who, since, heard }),
        Standing::Free => {
            let taking = lease::taking(stack, &live, holder, &micro_time(0));
            Ok(Taken::Ours(provider.patch(&taking).await?))
        }
    }
}

/// So many seconds ago, as `MicroTime` is written.
fn micro_time(seconds_ago: u64) -> String {
    let time = clock::rfc3339(clock::unix_seconds().saturating_sub(seconds_ago));
    time.replace('Z', ".000000Z")
}

/// A way to the cluster that lets writes through only while the lease is ours. A run that has nothing to do has none.
#[derive(Debug)]
pub(super) struct Fenced<'a, P> {
    pub(super) provider: &'a P,
    pub(super) lease: Option<&'a Lease<'a, P>>,
}

impl<P: Provider> Fenced<'_, P> {
    async fn hold(&self) -> Result<(), ProviderError> {
        match self.lease {
            Some(lease) => lease.hold().await,
            None => Ok(()),
        }
    }
}

impl<P: Provider> Provider for Fenced<'_, P> {
    async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, ProviderError> {
        self.provider.get(object).await
    }

    async fn list(
        &self,
        object_type: &ObjectType,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> Result<Vec<Value>, ProviderError> {
        self.provider.list(object_type, namespace, selector).await
    }

    async fn apply(&self, request: &ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
        self.hold().await?;
        self.provider.apply(request).await
    }

    async fn patch(&self, request: &PatchRequest) -> Result<Value, ProviderError> {
        self.hold().await?;
        self.provider.patch(request).await
    }

    async fn delete(&self, request: &DeleteRequest) -> Result<Deletion, ProviderError> {
        self.hold().await?;
        let deleted = self.provider.delete(request).await?;
        if let Some(lease) = self.lease
            && request.object == lease::lease(&lease.stack)
        {
            lease.held.lock().await.is_deleted = true;
        }
        Ok(deleted)
    }

    fn watch(&self, object_type: &ObjectType, namespace: Option<&str>) -> BoxStream<'static, WatchEvent> {
        self.provider.watch(object_type, namespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use stackctl_engine::execute::Patch;
    use stackctl_state::{LocalBackend, LockInfo, State};
    use std::{
        fs,
        path::Path,
        sync::{Mutex as Guarded, MutexGuard, PoisonError},
    };

    /// An API server that holds one object and judges preconditions, or does not answer.
    #[derive(Debug, Default)]
    struct One(Guarded<Inner>);

    #[derive(Debug, Default)]
    struct Inner {
        object: Option<Value>,
        version: u64,
        is_away: bool,
    }

    impl One {
        fn lock(&self) -> MutexGuard<'_, Inner> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        fn store(&self, mut object: Value) -> Value {
            let mut inner = self.lock();
            inner.version += 1;
            object["metadata"]["uid"] = json!("u");
            object["metadata"]["resourceVersion"] = json!(inner.version.to_string());
            inner.object = Some(object.clone());
            object
        }

        fn answers(&self) -> Result<(), ProviderError> {
            match self.lock().is_away {
                true => Err(ProviderError::Unreachable("refused".to_owned())),
                false => Ok(()),
            }
        }

        fn is_held_by(&self, holder: &Holder) -> bool {
            let object = self.lock().object.clone().expect("there");
            object["spec"]["holderIdentity"] == lease::body("demo", holder, "")["spec"]["holderIdentity"]
        }
    }

    impl Provider for One {
        async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, ProviderError> {
            self.answers()?;
            let namespace = json!({"metadata": {"name": object.name}});
            Ok(if object.is_namespace() {
                Some(namespace)
            } else if *object == stackctl_state::copy::head("demo") {
                let kept = state("2026-11-28T20:00:00Z");
                Some(stackctl_state::copy::ClusterCopy::of(&kept, &[]).head().clone())
            } else {
                self.lock().object.clone()
            })
        }

        async fn list(&self, _: &ObjectType, _: Option<&str>, _: &Selector) -> Result<Vec<Value>, ProviderError> {
            Ok(Vec::new())
        }

        async fn apply(&self, request: &ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
            self.answers()?;
            let object = self.store(request.body.clone());
            Ok(ApplyAnswer {
                object,
                created: true,
                warnings: Vec::new(),
            })
        }

        async fn patch(&self, request: &PatchRequest) -> Result<Value, ProviderError> {
            self.answers()?;
            let mut object = self.lock().object.clone().ok_or(ProviderError::NotFound)?;
            let Patch::Merge(patch) = &request.patch else {
                return Err(ProviderError::Other("no merge patch".to_owned()));
            };
            if patch["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] {
                return Err(ProviderError::Modified);
            }
            for (key, value) in patch["spec"].as_object().into_iter().flatten() {
                object["spec"][key] = value.clone();
            }
            Ok(self.store(object))
        }

        async fn delete(&self, request: &DeleteRequest) -> Result<Deletion, ProviderError> {
            self.answers()?;
            if request.object == lease::lease("demo") {
                self.lock().object = None;
            }
            Ok(Deletion::Gone)
        }

        fn watch(&self, _: &ObjectType, _: Option<&str>) -> BoxStream<'static, WatchEvent> {
            Box::pin(futures_util::stream::pending())
        }
    }

    fn here() -> Holder {
        Holder::new("ann@build-1", "here")
    }

    fn there() -> Holder {
        Holder::new("ben@build-2", "there")
    }

    fn deletion(object: ObjectRef) -> DeleteRequest {
        DeleteRequest {
            object,
            uid: None,
            resource_version: None,
            foreground: false,
        }
    }

    async fn writes(server: &One, lease: &Lease<'_, One>) -> Result<Deletion, ProviderError> {
        let fenced = Fenced {
            provider: server,
            lease: Some(lease),
        };
        let object = ObjectRef::cluster("v1", "Namespace", "n");
        fenced.delete(&deletion(object)).await
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_runs_one_has_the_lease_until_it_gives_it_back() {
        let server = One::default();
        let ours = Lease::take(&server, "demo", &here()).await.expect("free");
        let problem = Lease::take(&server, "demo", &there()).await.expect_err("held");
        assert!(
            problem.because[0].starts_with("it is ann@build-1's, since "),
            "{problem:?}"
        );
        // Who has died on this machine left the lock of the state to us.
        let again = Lease::take(&server, "demo", &here()).await.expect("our own");
        again.release().await;
        Lease::take(&server, "demo", &there()).await.expect("free again");
        assert!(server.is_held_by(&there()));
        assert!(
            matches!(writes(&server, &ours).await, Ok(Deletion::Gone)),
            "it is young"
        );
        sleep(RENEWAL).await;
        assert!(matches!(writes(&server, &ours).await, Err(ProviderError::Fenced(_))));
        ours.release().await;
        assert!(server.is_held_by(&there()), "what is another's is not given back");
    }

    /// Takes the lock of a state that is kept in a folder.
    fn locked(folder: &Path) -> StateLock {
        let backend = LocalBackend::open(folder, "demo").expect("a name");
        let who = LockInfo {
            who: "ann@build-1".to_owned(),
            pid: 1,
            command: "stackctl apply".to_owned(),
            since: "2026-11-28T21:00:00Z".to_owned(),
        };
        backend.lock(&who).expect("free")
    }

    #[tokio::test(start_paused = true)]
    async fn another_lock_at_the_same_path_takes_no_lease_of_a_run_and_its_own_does_once_that_has_died() {
        let server = One::default();
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let [state, theirs, copied] = ["state", "theirs", "copied"].map(|name| scratch.path().join(name));
        let running = locked(&state);
        let lease = Lease::take(&server, "demo", &holder(&running)).await.expect("free");
        // As a container sees it that has the same host name and user, and a copy of the state at the same path.
        fs::rename(&state, &theirs).expect("it is there");
        fs::create_dir(&state).expect("the name is free");
        fs::copy(theirs.join("demo.lock"), state.join("demo.lock")).expect("it is there");
        let beside = locked(&state);
        assert_eq!(beside.path(), running.path());
        Lease::take(&server, "demo", &holder(&beside)).await.expect_err("held");
        is_free(&server, "demo", &holder(&beside)).await.expect_err("held");
        assert!(server.is_held_by(&holder(&running)));
        // The first one dies, and its folder is gone on with.
        drop((running, beside, lease));
        fs::rename(&state, &copied).expect("it is there");
        fs::rename(&theirs, &state).expect("the name is free");
        let again = locked(&state);
        is_free(&server, "demo", &holder(&again)).await.expect("its own");
        Lease::take(&server, "demo", &holder(&again)).await.expect("its own");
    }

    const NOW: &str = "2026-11-28T21:00:00Z";

    /// A state in which nothing is recorded.
    fn state(created: &str) -> State {
        let backend = LocalBackend::open(Path::new("nowhere"), "demo").expect("nothing is read");
        backend.create("c", "l", created).expect("nothing is written")
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_lost_its_lease_leaves_the_copy_to_the_run_that_has_it() {
        let server = One::default();
        let lease = Lease::take(&server, "demo", &here()).await.expect("free");
        sleep(DURATION).await;
        let theirs = Standing::of(&server.store(lease::body("demo", &there(), "2999")), &here(), "");
        assert!(matches!(theirs, Standing::Held { .. }));
        let fenced = Fenced {
            provider: &server,
            lease: Some(&lease),
        };
        let version = server.lock().version;
        assert!(!lease.is_lost().await, "nobody has asked");
        let kept = copy::keep(&fenced, &state(NOW), &[])
            .await
            .expect_err("it is another's");
        assert!(kept.because[0].contains("another run has taken the lease"), "{kept:?}");
        copy::remove(&fenced, &state(NOW), copy::Over::Any)
            .await
            .expect_err("it is another's");
        assert!(lease.is_lost().await);
        assert_eq!(server.lock().version, version, "nothing was written");
        assert!(server.is_held_by(&there()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_goes_with_the_copy_after_the_lease_needs_none() {
        let server = One::default();
        let lease = Lease::take(&server, "demo", &here()).await.expect("free");
        let fenced = Fenced {
            provider: &server,
            lease: Some(&lease),
        };
        let deleted = deletion(lease::lease("demo"));
        fenced.delete(&deleted).await.expect("it is ours");
        sleep(DURATION).await;
        assert!(writes(&server, &lease).await.is_ok());
        assert!(!lease.is_lost().await);
        lease.release().await;
    }

    #[tokio::test]
    async fn a_command_without_a_lease_learns_whose_it_is() {
        let server = One::default();
        is_free(&server, "demo", &here()).await.expect("there is none");
        let lease = Lease::take(&server, "demo", &there()).await.expect("free");
        is_free(&server, "demo", &there()).await.expect("its own");
        let held = is_free(&server, "demo", &here()).await.expect_err("held");
        assert!(held.because[0].starts_with("it is ben@build-2's, since "), "{held:?}");
        lease.release().await;
        is_free(&server, "demo", &here()).await.expect("given back");
    }

    #[tokio::test(start_paused = true)]
    async fn no_write_leaves_once_the_lease_is_older_than_it_holds_until_it_is_renewed() {
        let server = One::default();
        let lease = Lease::take(&server, "demo", &here()).await.expect("free");
        sleep(RENEWAL * 2).await;
        server.lock().version += 1;
        assert!(lease.hold().await.is_ok(), "renewed");
        server.lock().is_away = true;
        sleep(DURATION / 2 - Duration::from_secs(1)).await;
        assert!(lease.hold().await.is_ok(), "nobody else can have it yet");
        sleep(Duration::from_secs(1)).await;
        let refused = lease.hold().await;
        assert!(matches!(refused, Err(ProviderError::Unreachable(_))), "{refused:?}");
        server.lock().is_away = false;
        assert!(writes(&server, &lease).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_only_waits_keeps_its_lease_young() {
        let server = One::default();
        let lease = Lease::take(&server, "demo", &here()).await.expect("free");
        let waited = timeout(DURATION * 3, lease.keep()).await;
        assert!(waited.is_err(), "it is never done");
        assert!(lease.held.lock().await.renewed.0.elapsed() <= RENEWAL);
        assert!(server.lock().version >= 12);
    }
}
