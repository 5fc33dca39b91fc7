//! What the data plane sees of the cluster: a cache of the kinds that decide about a call, filled by watches.
//!
//! In: what the API server tells. Out: a [`World`] that is read for a moment, and objects that are asked for by name.
//!
//! Invariants:
//! - Nobody holds the cache while waiting for something: [`View::read`] lends it to a function that cannot wait.
//! - Secrets and ConfigMaps are not watched; they are asked for when a call needs one.
//! - A kind is watched from the moment its CRD is Established until that CRD is gone.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use futures_util::future::AbortHandle;
use futures_util::stream::{self, BoxStream, SelectAll};
use futures_util::{FutureExt as _, StreamExt as _};
use kube::Client;
use kube::api::{Api, DynamicObject};
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt as _, watcher as watch_kind};
use serde_json::Value;
use tokio::sync::watch;

use crate::operators::kinds::{
    AUTH_POLICY, AUTHORINO, CRD, DEPLOYMENT, ENVOY_FILTER, EXTERNAL_MODEL, GATEWAY, HTTP_ROUTE, INFERENCE_POOL,
    KUADRANT, Kind, LIMITADOR, LLM_INFERENCE_SERVICE, MAAS_MODEL_REF, MAAS_SUBSCRIPTION, POD, RATE_LIMIT_POLICY, ROUTE,
    SERVICE, Scope, TENANT, TOKEN_RATE_LIMIT_POLICY,
};
use crate::operators::object::Read;
use crate::operators::world::World;

/// The kinds that decide about a call.
const WATCHED: &[Kind] = &[
    CRD,
    ROUTE,
    GATEWAY,
    HTTP_ROUTE,
    INFERENCE_POOL,
    SERVICE,
    POD,
    DEPLOYMENT,
    AUTH_POLICY,
    TOKEN_RATE_LIMIT_POLICY,
    RATE_LIMIT_POLICY,
    ENVOY_FILTER,
    KUADRANT,
    AUTHORINO,
    LIMITADOR,
    TENANT,
    LLM_INFERENCE_SERVICE,
    EXTERNAL_MODEL,
    MAAS_MODEL_REF,
    MAAS_SUBSCRIPTION,
];

/// The cache, and the way to what is not in it.
pub(super) struct View {
    world: RwLock<World>,
    client: Client,
    /// Counts what was seen; whoever waits for the cluster to change waits for this.
    seen: watch::Sender<u64>,
}

impl std::fmt::Debug for View {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("View")
            .field("seen", &*self.seen.borrow())
            .finish_non_exhaustive()
    }
}

impl View {
    /// Returns a view that has seen nothing yet.
    pub(super) fn new(client: Client) -> Self {
        Self::of(World::default(), client)
    }

    /// Returns a view of this world.
    pub(super) fn of(world: World, client: Client) -> Self {
        let (seen, _) = watch::channel(0);
        Self {
            world: RwLock::new(world),
            client,
            seen,
        }
    }

    /// Lends the cache.
    pub(super) fn read<T>(&self, with: impl FnOnce(&World) -> T) -> T {
        with(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, with: impl FnOnce(&mut World) -> T) {
        with(&mut self.world.write().unwrap_or_else(PoisonError::into_inner));
        self.seen.send_modify(|seen| *seen += 1);
    }

    /// Sees another world.
    #[cfg(test)]
    pub(super) fn see(&self, world: World) {
        self.write(|seen| *seen = world);
    }

    /// Returns how often the cluster was seen to change, as something that can be waited for.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.seen.subscribe()
    }

    /// Waits until everything that is there has been listed once.
    pub(super) async fn complete(&self) {
        let mut changes = self.changes();
        while !self.read(|world| world.serves(CRD) && world.is_complete()) {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Asks for one object by name; none where there is none, or where the server does not say.
    pub(super) async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Value> {
        let root = if kind.group.is_empty() { "api" } else { "apis" };
        let scope = match kind.scope {
            Scope::Cluster => String::new(),
            Scope::Namespaced => format!("/namespaces/{namespace}"),
        };
        let path = format!("/{root}/{}{scope}/{}/{name}", kind.api_version(), kind.plural);
        let request = http::Request::get(path).body(Vec::new()).ok()?;
        match self.client.request::<Value>(request).await {
            Ok(object) => Some(object),
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => {
                tracing::debug!(kind = kind.kind, namespace, name, %error, "the data plane cannot read an object");
                None
            }
        }
    }

    /// Returns the client that asks.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Follows the cluster, forever.
    pub(super) async fn follow(&self) {
        let mut watches = Watches::default();
        self.begin(&mut watches, CRD);
        for kind in WATCHED.iter().filter(|kind| kind.is_built_in()) {
            self.begin(&mut watches, *kind);
        }
        while let Some(event) = watches.streams.next().await {
            self.take(&mut watches, event);
            while let Some(Some(event)) = watches.streams.next().now_or_never() {
                self.take(&mut watches, event);
            }
        }
    }

    fn begin(&self, watches: &mut Watches, kind: Kind) {
        if watches.aborts.contains_key(&kind) {
            return;
        }
        self.write(|world| world.starts(kind));
        let api: Api<DynamicObject> = Api::all_with(self.client.clone(), &kind.resource());
        let events = watch_kind(api, watcher::Config::default())
            .default_backoff()
            .map(move |event| (kind, event));
        let (events, abort) = stream::abortable(events);
        watches.aborts.insert(kind, abort);
        watches.streams.push(events.boxed());
    }

    fn take(&self, watches: &mut Watches, (kind, event): Watched) {
        match event {
            Ok(Event::Init) => drop(watches.listings.insert(kind, Vec::new())),
            Ok(Event::InitApply(object)) => {
                if let (Some(listing), Some(object)) = (watches.listings.get_mut(&kind), value(object, kind)) {
                    listing.push(object);
                }
            }
            Ok(Event::InitDone) => {
                let listing = watches.listings.remove(&kind).unwrap_or_default();
                if kind == CRD {
                    listing.iter().for_each(|crd| self.definition(watches, crd));
                }
                self.write(|world| world.relist(kind, listing));
            }
            Ok(Event::Apply(object)) => {
                if let Some(object) = value(object, kind) {
                    if kind == CRD {
                        self.definition(watches, &object);
                    }
                    self.write(|world| world.put(kind, object));
                }
            }
            Ok(Event::Delete(object)) => {
                let Some(object) = value(object, kind) else { return };
                if kind == CRD
                    && let Some(gone) = defined(&object)
                    && let Some(abort) = watches.aborts.remove(&gone)
                {
                    abort.abort();
                    self.write(|world| world.ends(gone));
                }
                self.write(|world| world.remove(kind, object.namespace(), object.name(), object.uid()));
            }
            Err(error) => tracing::debug!(kind = kind.kind, %error, "a watch of the data plane failed"),
        }
    }

    fn definition(&self, watches: &mut Watches, crd: &Value) {
        if let Some(kind) = defined(crd).filter(|_| crd.is("Established")) {
            self.begin(watches, kind);
        }
    }
}

type Watched = (Kind, Result<Event<DynamicObject>, watcher::Error>);

#[derive(Default)]
struct Watches {
    streams: SelectAll<BoxStream<'static, Watched>>,
    aborts: BTreeMap<Kind, AbortHandle>,
    listings: BTreeMap<Kind, Vec<Value>>,
}

/// Returns the watched kind that a definition defines.
fn defined(crd: &Value) -> Option<Kind> {
    let (group, kind) = (crd.text("/spec/group"), crd.text("/spec/names/kind"));
    WATCHED
        .iter()
        .copied()
        .find(|known| known.group == group && known.kind == kind)
}

fn value(object: DynamicObject, kind: Kind) -> Option<Value> {
    let mut value = serde_json::to_value(object).ok()?;
    value["apiVersion"] = kind.api_version().into();
    value["kind"] = kind.kind.into();
    if let Some(metadata) = value["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    // Of a definition only what it defines counts here.
    if kind == CRD
        && let Some(versions) = value.pointer_mut("/spec/versions")
    {
        *versions = Value::Null;
    }
    Some(value)
}
