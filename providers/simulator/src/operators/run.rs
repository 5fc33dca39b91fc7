//! The loop that lets the operators act: watches in, writes out.
//!
//! Invariants:
//! - One watch per kind, shared by all operators; a kind is watched from the moment its CRD is Established until that
//!   CRD is gone.
//! - No operator has a turn before every served kind has been listed, nor while paused.
//! - Nothing is polled: a turn follows a change, or the end of a wait. A write that failed is tried again later.
//! - A command is heard between two turns, so operators that never come to rest can be paused and stopped.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures_util::future::AbortHandle;
use futures_util::stream::{BoxStream, SelectAll};
use futures_util::{FutureExt, StreamExt, stream};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch_kind};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::access::Access;
use super::kinds::{self, Kind, Scope};
use super::object::Read;
use super::turn::{Timers, Turn, Write};
use super::world::World;
use super::{Operator, Runs, actors};
use crate::clock::Clock;
use crate::faults::{Fault, FaultName, Faults, Schedule, Scheduled};
use crate::schemas::TrueCrds;

/// How many writes are in flight at once.
const WRITES_IN_FLIGHT: usize = 16;
/// How long nobody leads after the leader went without a word: `LeaseDuration` of client-go's leader election, which
/// controller-runtime keeps (<https://pkg.go.dev/sigs.k8s.io/controller-runtime/pkg/manager#Options>).
const LEASE: Duration = Duration::from_secs(15);
/// How long a failed write waits before its first retry; doubled up to a second.
const FIRST_RETRY: Duration = Duration::from_millis(20);

/// What the operators need to know.
#[derive(Clone, Debug)]
pub struct OperatorsOptions {
    /// How they reach the API server.
    pub access: Access,
    /// How fast time runs.
    pub clock: Clock,
    /// How the cluster misbehaves.
    pub faults: Vec<Fault>,
    /// How it misbehaves for a while.
    pub schedule: Vec<Scheduled>,
    /// Whether they start paused.
    pub paused: bool,
    /// True CRDs to register in place of the condensed ones.
    pub crds: Option<TrueCrds>,
}

/// The running operators.
#[derive(Debug)]
pub struct Operators {
    control: watch::Sender<Control>,
    task: tokio::task::JoinHandle<()>,
}

/// What the loop is told from outside.
#[derive(Clone, Debug)]
struct Control {
    mode: Mode,
    faults: Vec<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Running,
    Paused,
    Stopped,
}

impl Operators {
    /// Starts the operators against an API server. `tell` is told the faults in force, now and whenever they change.
    ///
    /// # Errors
    ///
    /// When no client can be made for the URL.
    pub fn start(options: OperatorsOptions, tell: impl Fn(&[Fault]) + Send + 'static) -> Result<Self, kube::Error> {
        let world = options.access.client("world")?;
        let mut clients = BTreeMap::new();
        for operator in actors() {
            clients.insert(operator.name, options.access.client(operator.name)?);
        }
        let mode = if options.paused { Mode::Paused } else { Mode::Running };
        let (control, commands) = watch::channel(Control {
            mode,
            faults: options.faults.clone(),
        });
        let engine = Loop::new(options, world, clients);
        tell(&engine.options.faults);
        Ok(Self {
            control,
            task: tokio::spawn(engine.run(commands, tell)),
        })
    }

    /// Lets the operators rest: they see what happens and do nothing about it.
    pub fn pause(&self) {
        self.control.send_modify(|control| control.mode = Mode::Paused);
    }

    /// Lets the operators act again.
    pub fn resume(&self) {
        self.control.send_modify(|control| control.mode = Mode::Running);
    }

    /// Replaces the faults that the cluster shows.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.control.send_modify(|control| control.faults = faults);
    }

    /// Ends the operators; writes in flight are awaited.
    pub async fn stop(self) {
        self.control.send_modify(|control| control.mode = Mode::Stopped);
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "the simulated operators ended badly");
        }
    }
}

type Watched = (Kind, Result<Event<DynamicObject>, watcher::Error>);

struct Loop {
    options: OperatorsOptions,
    reader: Client,
    clients: BTreeMap<&'static str, Client>,
    world: World,
    listings: BTreeMap<Kind, Vec<Value>>,
    watches: SelectAll<BoxStream<'static, Watched>>,
    aborts: BTreeMap<Kind, AbortHandle>,
    timers: BTreeMap<&'static str, Timers>,
    retries: BTreeMap<Target, (Instant, Duration)>,
    /// The last write to each object and the resourceVersion it led to: what the server did not keep (a field its
    /// schema does not know) is not written again and again.
    written: BTreeMap<Target, (Write, String)>,
    /// The faults that come and go, beside those that were asked for.
    schedule: Schedule,
    asked_for: Vec<Fault>,
}

/// An operator, and the object it writes.
type Target = (&'static str, Kind, String, String);

impl Loop {
    fn new(options: OperatorsOptions, reader: Client, clients: BTreeMap<&'static str, Client>) -> Self {
        let mut this = Self {
            schedule: Schedule::new(options.schedule.clone(), Instant::now()),
            asked_for: options.faults.clone(),
            options,
            reader,
            clients,
            world: World::default(),
            listings: BTreeMap::new(),
            watches: SelectAll::new(),
            aborts: BTreeMap::new(),
            timers: BTreeMap::new(),
            retries: BTreeMap::new(),
            written: BTreeMap::new(),
        };
        for kind in kinds::ALL.iter().filter(|kind| kind.is_built_in()) {
            this.begin(*kind);
        }
        this.put_in_force();
        this
    }

    /// Puts the faults in force that were asked for, and those whose time it is. Returns whether others were before.
    fn put_in_force(&mut self) -> bool {
        let mut faults = self.asked_for.clone();
        faults.extend(self.schedule.in_force().cloned());
        let changed = faults != self.options.faults;
        self.options.faults = faults;
        changed
    }

    async fn run(mut self, mut commands: watch::Receiver<Control>, tell: impl Fn(&[Fault]) + Send) {
        loop {
            let mode = {
                let control = commands.borrow_and_update();
                if self.asked_for != control.faults {
                    self.asked_for.clone_from(&control.faults);
                }
                control.mode
            };
            if self.put_in_force() {
                tell(&self.options.faults);
            }
            let wake = match mode {
                Mode::Stopped => return,
                Mode::Running if self.world.is_complete() => {
                    let (changed, next) = self.schedule.advance(&self.world, self.options.clock, Instant::now());
                    if changed && self.put_in_force() {
                        tell(&self.options.faults);
                    }
                    self.turns(&commands).await.into_iter().chain(next).min()
                }
                Mode::Running | Mode::Paused => {
                    self.timers.values_mut().for_each(Timers::clear);
                    None
                }
            };
            let sleep = async {
                match wake {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = self.watches.next() => if let Some(event) = event { self.take(event); },
                () = sleep => {}
                changed = commands.changed() => if changed.is_err() { return },
            }
            // Everything that has arrived meanwhile belongs to the same turn.
            while let Some(Some(event)) = self.watches.next().now_or_never() {
                self.take(event);
            }
        }
    }

    fn begin(&mut self, kind: Kind) {
        if self.aborts.contains_key(&kind) {
            return;
        }
        self.world.starts(kind);
        let api: Api<DynamicObject> = Api::all_with(self.reader.clone(), &kind.resource());
        let stream = watch_kind(api, watcher::Config::default())
            .default_backoff()
            .map(move |event| (kind, event));
        let (stream, abort) = stream::abortable(stream);
        self.aborts.insert(kind, abort);
        self.watches.push(stream.boxed());
    }

    fn end(&mut self, kind: Kind) {
        if let Some(abort) = self.aborts.remove(&kind) {
            abort.abort();
        }
        self.listings.remove(&kind);
        self.world.ends(kind);
    }

    fn take(&mut self, (kind, event): Watched) {
        match event {
            Ok(Event::Init) => drop(self.listings.insert(kind, Vec::new())),
            Ok(Event::InitApply(object)) => {
                if let (Some(listing), Some(object)) = (self.listings.get_mut(&kind), value(object, kind)) {
                    listing.push(object);
                }
            }
            Ok(Event::InitDone) => {
                let listing = self.listings.remove(&kind).unwrap_or_default();
                if kind == kinds::CRD {
                    listing.iter().for_each(|crd| self.crd(crd));
                }
                self.world.relist(kind, listing);
            }
            Ok(Event::Apply(object)) => {
                if let Some(object) = value(object, kind) {
                    self.see(kind, object);
                }
            }
            Ok(Event::Delete(object)) => {
                if let Some(object) = value(object, kind) {
                    if kind == kinds::CRD
                        && let Some(gone) = kinds::find(object.text("/spec/group"), object.text("/spec/names/kind"))
                    {
                        self.end(gone);
                    }
                    self.world.remove(kind, object.namespace(), object.name(), object.uid());
                }
            }
            Err(error) => tracing::debug!(kind = kind.kind, %error, "a watch of the simulated operators failed"),
        }
    }

    fn see(&mut self, kind: Kind, object: Value) {
        if kind == kinds::CRD {
            self.crd(&object);
        }
        self.world.put(kind, object);
    }

    fn crd(&mut self, crd: &Value) {
        if let Some(kind) = kinds::find(crd.text("/spec/group"), crd.text("/spec/names/kind"))
            && crd.is("Established")
        {
            self.begin(kind);
        }
    }

    /// Lets operators act until the world is at rest or a command comes; returns when the next wait ends.
    async fn turns(&mut self, commands: &watch::Receiver<Control>) -> Option<Instant> {
        loop {
            let now = Instant::now();
            let (writes, wake) = self.turn(now);
            if writes.is_empty() {
                return wake;
            }
            let mut requests = Vec::new();
            for (operator, write) in writes {
                let write = self.with_true_crd(write);
                let installed = match operator.runs {
                    Runs::Csv(package) => self.world.csv(package),
                    Runs::Platform | Runs::Deployment(..) => None,
                };
                let installed = installed.map(|csv| (csv.namespace().to_owned(), csv.name().to_owned()));
                requests.push(answered(
                    self.clients[operator.name].clone(),
                    operator,
                    write,
                    installed,
                ));
            }
            let outcomes: Vec<_> = stream::iter(requests)
                .buffer_unordered(WRITES_IN_FLIGHT)
                .collect()
                .await;
            for (operator, write, outcome) in outcomes {
                self.outcome(operator, &write, outcome, now);
            }
            while let Some(Some(event)) = self.watches.next().now_or_never() {
                self.take(event);
            }
            // Operators that undo each other's work never come to rest.
            if !matches!(commands.has_changed(), Ok(false)) {
                return wake;
            }
            if !self.world.is_complete() {
                // A kind that has just appeared is listed first.
                return Some(Instant::now() + Duration::from_millis(5)).or(wake);
            }
        }
    }

    fn with_true_crd(&self, write: Write) -> Write {
        match (write, &self.options.crds) {
            (Write::Create { kind, object }, Some(crds)) if kind == kinds::CRD => Write::Create {
                kind,
                object: crds.instead_of(object),
            },
            (write, _) => write,
        }
    }

    /// Returns what the operators want written now, without what waits for its retry.
    fn turn(&mut self, now: Instant) -> (Vec<(&'static Operator, Write)>, Option<Instant>) {
        let stamp = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (wanted, mut wake) = turns(&self.world, &self.options, &mut self.timers, (now, &stamp));
        let mut writes = Vec::new();
        for (operator, write) in wanted {
            let (kind, namespace, name) = write.target();
            let target = (operator.name, kind, namespace.to_owned(), name.to_owned());
            let live = self
                .world
                .get(kind, namespace, name)
                .map_or("", |live| live.text("/metadata/resourceVersion"));
            if self
                .written
                .get(&target)
                .is_some_and(|(before, version)| *before == write && version == live)
            {
                continue;
            }
            match self.retries.get(&target) {
                Some((not_before, _)) if *not_before > now => wake = wake.into_iter().chain([*not_before]).min(),
                Some(_) | None => writes.push((operator, write)),
            }
        }
        (writes, wake)
    }

    fn outcome(
        &mut self,
        operator: &'static Operator,
        write: &Write,
        outcome: Result<Done, kube::Error>,
        now: Instant,
    ) {
        let (kind, namespace, name) = write.target();
        let key = (operator.name, kind, namespace.to_owned(), name.to_owned());
        match outcome {
            Ok(Done::Stored(object)) => {
                self.retries.remove(&key);
                // What nobody watches (events) is nobody's to remember.
                if let Some(object) = value(*object, kind).filter(|_| self.world.serves(kind)) {
                    let version = object.text("/metadata/resourceVersion").to_owned();
                    self.written.insert(key, (write.clone(), version));
                    self.see(kind, object);
                }
            }
            Ok(Done::Deleted) => {
                self.retries.remove(&key);
                self.world.remove(kind, namespace, name, "");
            }
            Err(error) => {
                let delay = self.retries.get(&key).map_or(FIRST_RETRY, |(_, delay)| *delay * 2);
                let delay = delay.min(Duration::from_secs(1));
                tracing::debug!(operator = operator.name, kind = kind.kind, namespace, name, %error, "a write failed");
                self.retries.insert(key, (now + delay, delay));
            }
        }
    }
}

/// Gives every operator that runs one turn. Returns what they want written, and when the next wait ends.
pub(super) fn turns(
    world: &World,
    options: &OperatorsOptions,
    timers: &mut BTreeMap<&'static str, Timers>,
    (now, stamp): (Instant, &str),
) -> (Vec<(&'static Operator, Write)>, Option<Instant>) {
    let faults = Faults(&options.faults);
    let mut writes = Vec::new();
    let mut wake: Option<Instant> = None;
    for operator in actors() {
        let timers = timers.entry(operator.name).or_default();
        let is_still = [FaultName::Stopped, FaultName::Stuck]
            .iter()
            .any(|fault| faults.at(*fault, operator.name));
        if is_still || !runs(operator.runs, world) {
            timers.clear();
            continue;
        }
        if faults.at(FaultName::Restart, operator.name)
            && let Some(until) = timers.restarts(now, options.clock.scale(LEASE))
        {
            wake = wake.into_iter().chain([until]).min();
            continue;
        }
        let slow = faults.at(FaultName::Slow, operator.name);
        let mut turn = Turn {
            world,
            now,
            stamp,
            clock: options.clock,
            slowness: if slow { 10 } else { 1 },
            faults,
            timers,
            writes: Vec::new(),
        };
        (operator.reconcile)(&mut turn);
        let wanted = turn.writes;
        wake = wake.into_iter().chain(timers.finish_turn(now)).min();
        writes.extend(wanted.into_iter().map(|write| (operator, write)));
    }
    (writes, wake)
}

fn runs(runs: Runs, world: &World) -> bool {
    match runs {
        Runs::Platform => true,
        Runs::Csv(package) => world.runs(package),
        Runs::Deployment(namespace, name) => world.is_available(namespace, name),
    }
}

enum Done {
    Stored(Box<DynamicObject>),
    Deleted,
}

/// `installed` is the version that runs the operator, where OLM installed it. Watches of two kinds come in no order, so a
/// namespace may be seen to go before the version whose end came first: an operator that is gone makes none again.
async fn answered(
    client: Client,
    operator: &'static Operator,
    write: Write,
    installed: Option<(String, String)>,
) -> Answered {
    let outcome = match (&write, installed) {
        (Write::Create { kind, .. }, Some((namespace, name))) if *kind == kinds::NAMESPACE => {
            let versions: Api<DynamicObject> = Api::namespaced_with(client.clone(), &namespace, &kinds::CSV.resource());
            match versions.get(&name).await {
                Ok(_) => perform(client, operator.manager, &write).await,
                Err(error) => Err(error),
            }
        }
        _ => perform(client, operator.manager, &write).await,
    };
    (operator, write, outcome)
}

type Answered = (&'static Operator, Write, Result<Done, kube::Error>);

async fn perform(client: Client, manager: &str, write: &Write) -> Result<Done, kube::Error> {
    let (kind, namespace, name) = write.target();
    let resource = kind.resource();
    let api: Api<DynamicObject> = match kind.scope {
        Scope::Cluster => Api::all_with(client, &resource),
        Scope::Namespaced => Api::namespaced_with(client, namespace, &resource),
    };
    let patching = PatchParams {
        field_manager: Some(manager.to_owned()),
        ..PatchParams::default()
    };
    let stored = match write {
        Write::Create { object, .. } => {
            let object = serde_json::from_value(object.clone()).map_err(kube::Error::SerdeError)?;
            let posting = PostParams {
                field_manager: Some(manager.to_owned()),
                ..PostParams::default()
            };
            match api.create(&posting, &object).await {
                // Somebody was faster: that one it is then.
                Err(kube::Error::Api(status)) if status.code == 409 => api.get(name).await?,
                other => other?,
            }
        }
        Write::Apply { object, .. } => api.patch(name, &patching.force(), &Patch::Apply(object)).await?,
        Write::Patch { patch, .. } => match api.patch(name, &patching, &Patch::Merge(patch)).await {
            // Only the embedded server lets a pod be scheduled by a patch.
            Err(kube::Error::Api(status)) if status.code == 422 && kind == kinds::POD => {
                bind(&api, name, patch).await?;
                api.get(name).await?
            }
            other => other?,
        },
        Write::PatchStatus { patch, .. } => api.patch_status(name, &patching, &Patch::Merge(patch)).await?,
        Write::Delete { uid, .. } => {
            let preconditions = Preconditions {
                uid: Some(uid.clone()),
                resource_version: None,
            };
            let mut deleting = DeleteParams::background().preconditions(preconditions);
            if kind == kinds::POD {
                // No container has to be stopped; a pod on a node would wait for its kubelet.
                deleting = deleting.grace_period(0);
            }
            return match api.delete(name, &deleting).await {
                Ok(either) => Ok(either
                    .left()
                    .filter(has_finalizers)
                    .map_or(Done::Deleted, |object| Done::Stored(Box::new(object)))),
                Err(kube::Error::Api(status)) if status.code == 404 => Ok(Done::Deleted),
                Err(error) => Err(error),
            };
        }
    };
    Ok(Done::Stored(Box::new(stored)))
}

/// Schedules a pod as a scheduler does.
async fn bind(api: &Api<DynamicObject>, name: &str, patch: &Value) -> Result<(), kube::Error> {
    let binding = serde_json::json!({
        "apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
        "target": {"apiVersion": "v1", "kind": "Node", "name": patch["spec"]["nodeName"]},
    });
    api.create_subresource::<Value, Value>("binding", name, &PostParams::default(), &binding)
        .await
        .map(drop)
}

fn has_finalizers(object: &DynamicObject) -> bool {
    object
        .metadata
        .finalizers
        .as_ref()
        .is_some_and(|finalizers| !finalizers.is_empty())
}

/// Turns an object of kube-rs into the JSON the operators read; items of a list carry no kind of their own.
fn value(object: DynamicObject, kind: Kind) -> Option<Value> {
    let mut value = serde_json::to_value(object).ok()?;
    value["apiVersion"] = kind.api_version().into();
    value["kind"] = kind.kind.into();
    if let Some(metadata) = value["metadata"].as_object_mut() {
        // Of who owns what, only that a stack wrote it is of interest, to people who meddle.
        let owned = metadata.remove("managedFields");
        let entries = owned.as_ref().and_then(Value::as_array).into_iter().flatten();
        let stacks: Vec<Value> = entries
            .filter(|entry| entry.text("/manager").starts_with("stackctl/"))
            .map(|entry| json!({"manager": entry["manager"]}))
            .collect();
        if !stacks.is_empty() {
            metadata.insert("managedFields".to_owned(), Value::Array(stacks));
        }
    }
    Some(value)
}
