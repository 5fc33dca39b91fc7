//! A cluster that answers at once: ConfigMaps and Namespaces that nobody else touches.
//!
//! Invariants: one manager owns what it applied; nothing waits for a timer; watches tell what they cover and no more; what
//! it holds is packed, so that the memory that is measured is the engine's.

use futures_util::{StreamExt as _, stream, stream::BoxStream};
use serde_json::{Map, Value, json};
use stackctl_engine::{
    GroupKind, ObjectKey, ObjectRef, ObjectType,
    execute::{
        ApplyAnswer, ApplyRequest, DeleteRequest, Deletion, PatchRequest, Provider, ProviderError, Selector, WatchEvent,
    },
    packed::Packed,
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

#[derive(Debug, Default)]
pub(super) struct Instantly(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    objects: BTreeMap<ObjectKey, Packed>,
    watchers: BTreeMap<(GroupKind, Option<String>), Vec<UnboundedSender<Told>>>,
    version: u64,
}

/// What a watch hears of an object once it listens.
#[derive(Clone, Debug)]
enum Told {
    Changed(Packed),
    Gone(Packed),
}

impl Told {
    fn event(&self) -> WatchEvent {
        match self {
            Self::Changed(object) => WatchEvent::Changed(object.open()),
            Self::Gone(object) => WatchEvent::Gone(object.open()),
        }
    }
}

impl Instantly {
    pub(super) fn is_empty(&self) -> bool {
        self.inner().objects.is_empty()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn tell(&mut self, key: &ObjectKey, told: &Told) {
        for namespace in [None, key.namespace.clone()] {
            if let Some(watchers) = self.watchers.get_mut(&(key.kind.clone(), namespace)) {
                watchers.retain(|watcher| watcher.send(told.clone()).is_ok());
            }
            if key.namespace.is_none() {
                break;
            }
        }
    }

    fn of(&self, kind: &GroupKind, namespace: Option<&str>) -> Vec<Value> {
        let covered = |key: &&ObjectKey| {
            key.kind == *kind && namespace.is_none_or(|namespace| key.namespace.as_deref() == Some(namespace))
        };
        self.objects
            .iter()
            .filter(|(key, _)| covered(key))
            .map(|(_, object)| object.open())
            .collect()
    }
}

/// What `manager` applied, as the server writes it down: the leaves of labels, annotations and data.
fn entry(manager: &str, body: &Value) -> Value {
    let leaves = |at: &Value| -> Map<String, Value> {
        at.as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| (format!("f:{name}"), json!({})))
            .collect()
    };
    let mut fields = Map::new();
    let mut metadata = Map::new();
    for name in ["labels", "annotations"] {
        if body["metadata"][name].is_object() {
            metadata.insert(format!("f:{name}"), leaves(&body["metadata"][name]).into());
        }
    }
    fields.insert("f:metadata".to_owned(), metadata.into());
    if body["data"].is_object() {
        fields.insert("f:data".to_owned(), leaves(&body["data"]).into());
    }
    json!({"manager": manager, "operation": "Apply", "apiVersion": body["apiVersion"], "fieldsType": "FieldsV1",
        "fieldsV1": fields})
}

impl Provider for Instantly {
    async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, ProviderError> {
        Ok(self.inner().objects.get(&object.key()).map(Packed::open))
    }

    async fn list(
        &self,
        object_type: &ObjectType,
        namespace: Option<&str>,
        _: &Selector,
    ) -> Result<Vec<Value>, ProviderError> {
        Ok(self.inner().of(&object_type.group_kind(), namespace))
    }

    async fn apply(&self, request: &ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
        let mut inner = self.inner();
        let key = request.object.key();
        let created = !inner.objects.contains_key(&key);
        let mut object = request.body.clone();
        let version = inner.version + 1;
        object["metadata"]["uid"] = json!(format!("uid-{version}"));
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        object["metadata"]["managedFields"] = json!([entry(&request.manager, &request.body)]);
        if request.object.object_type.kind == "Namespace" {
            object["status"] = json!({"phase": "Active"});
        }
        if !request.dry_run {
            inner.version = version;
            let packed = Packed::of(&object);
            inner.objects.insert(key.clone(), packed.clone());
            inner.tell(&key, &Told::Changed(packed));
        }
        Ok(ApplyAnswer {
            object,
            created,
            warnings: Vec::new(),
        })
    }

    async fn patch(&self, request: &PatchRequest) -> Result<Value, ProviderError> {
        Err(ProviderError::Unreachable(format!(
            "{} cannot be patched here",
            request.object
        )))
    }

    async fn delete(&self, request: &DeleteRequest) -> Result<Deletion, ProviderError> {
        let mut inner = self.inner();
        let key = request.object.key();
        let last = inner.objects.remove(&key).ok_or(ProviderError::NotFound)?;
        inner.tell(&key, &Told::Gone(last));
        Ok(Deletion::Gone)
    }

    fn watch(&self, object_type: &ObjectType, namespace: Option<&str>) -> BoxStream<'static, WatchEvent> {
        let kind = object_type.group_kind();
        let mut inner = self.inner();
        let (sender, receiver) = unbounded_channel();
        let now = WatchEvent::Snapshot(inner.of(&kind, namespace));
        inner
            .watchers
            .entry((kind, namespace.map(str::to_owned)))
            .or_default()
            .push(sender);
        let later = stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|told| (told.event(), receiver))
        });
        stream::iter([now]).chain(later).boxed()
    }
}
