use super::*;
use futures_util::stream::BoxStream;
use serde_json::json;
use stackctl_engine::{
    ObjectType,
    digest::Digest,
    execute::{ApplyAnswer, PatchRequest},
    packed::Packed,
    recorded::{Origin, RecordedDestroy, RecordedNode, RecordedObject},
};
use stackctl_state::LocalBackend;
use std::{path::Path, sync::Mutex};

/// An API server that reads, deletes under preconditions, and lets somebody else write right before the Lease goes.
#[derive(Debug, Default)]
struct Few {
    objects: Mutex<Vec<(ObjectRef, Value)>>,
    meanwhile: Mutex<Option<(ObjectRef, Value)>>,
}

impl Few {
    fn put(&self, object: ObjectRef, mut body: Value, version: &str) {
        body["metadata"]["uid"] = json!("u");
        body["metadata"]["resourceVersion"] = json!(version);
        self.take(&object);
        self.objects.lock().expect("no test panics").push((object, body));
    }

    fn take(&self, object: &ObjectRef) {
        self.objects
            .lock()
            .expect("no test panics")
            .retain(|(of, _)| of != object);
    }

    fn find(&self, object: &ObjectRef) -> Option<Value> {
        let objects = self.objects.lock().expect("no test panics");
        let found = objects.iter().find(|(of, _)| of == object);
        found.map(|(_, body)| body.clone())
    }
}

impl Provider for Few {
    async fn get(&self, object: &ObjectRef) -> Result<Option<Value>, ProviderError> {
        Ok(self.find(object))
    }

    async fn list(&self, of: &ObjectType, _: Option<&str>, _: &Selector) -> Result<Vec<Value>, ProviderError> {
        let objects = self.objects.lock().expect("no test panics");
        let of_type = objects.iter().filter(|(object, _)| object.object_type == *of);
        Ok(of_type.map(|(_, body)| body.clone()).collect())
    }

    async fn apply(&self, _: &ApplyRequest) -> Result<ApplyAnswer, ProviderError> {
        Err(ProviderError::Other("nothing is written".to_owned()))
    }

    async fn patch(&self, _: &PatchRequest) -> Result<Value, ProviderError> {
        Err(ProviderError::Other("nothing is written".to_owned()))
    }

    async fn delete(&self, request: &DeleteRequest) -> Result<Deletion, ProviderError> {
        if request.object.object_type.kind == "Lease"
            && let Some((object, body)) = self.meanwhile.lock().expect("no test panics").take()
        {
            self.put(object, body, "2");
        }
        let live = self.find(&request.object).ok_or(ProviderError::NotFound)?;
        let version = live["metadata"]["resourceVersion"].as_str();
        if request.resource_version.is_some() && request.resource_version.as_deref() != version {
            return Err(ProviderError::Modified);
        }
        self.take(&request.object);
        Ok(Deletion::Gone)
    }

    fn watch(&self, _: &ObjectType, _: Option<&str>) -> BoxStream<'static, WatchEvent> {
        Box::pin(futures_util::stream::pending())
    }
}

/// A state of this lineage in which nothing is recorded.
fn state(lineage: &str) -> State {
    let backend = LocalBackend::open(Path::new("nowhere"), "demo").expect("nothing is read");
    backend
        .create("c", lineage, "2026-11-28T21:00:00Z")
        .expect("nothing is written")
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_somebody_puts_in_the_place_of_ours_before_that_goes_stays() {
    let (ours, theirs) = (state("ours"), state("theirs"));
    let head = |state: &State| (copy::head("demo"), ClusterCopy::of(state, &[]).head().clone());
    for meanwhile in [None, Some(head(&theirs))] {
        let stays = meanwhile.is_some();
        let server = Few::default();
        let (object, body) = head(&ours);
        server.put(object, body, "1");
        server.put(copy::namespace(), copy::namespace_body(), "1");
        *server.meanwhile.lock().expect("no test panics") = meanwhile;
        remove(&server, &ours, Over::Known(&ours)).await.expect("it is done");
        let left = server
            .find(&copy::head("demo"))
            .map(|head| Label::of(&head).expect("it says so"));
        assert_eq!(left.map(|label| label.lineage), stays.then(|| "theirs".to_owned()));
        assert_eq!(server.find(&copy::namespace()).is_some(), stays);
    }
}

fn record(address: &str, node: impl FnOnce(RecordedObject) -> RecordedNode) -> Recorded {
    let object = RecordedObject {
        object: ObjectRef::namespaced("v1", "ConfigMap", "n", "c"),
        uid: String::new(),
        origin: Origin::Created,
        manager: "stackctl/s".to_owned(),
        sent: Digest::of(&Value::Null),
        manifest: Packed::default(),
        fields: std::sync::Arc::default(),
        sensitive: BTreeSet::new(),
        key_id: None,
        owned: None,
    };
    Recorded {
        address: address.parse().expect("an address"),
        node: node(object),
        edges: Vec::new(),
        destroy: RecordedDestroy::default(),
    }
}

fn write(record: Recorded) -> Intent {
    Intent::Write(Box::new(record))
}

#[test]
fn of_a_copy_the_writes_count_that_are_not_open_here_whatever_else_is() {
    let overlay = |object| RecordedNode::Overlay {
        object,
        undo: Vec::new(),
        documents: Vec::new(),
    };
    let open = [
        write(record("a.plain", RecordedNode::Object)),
        write(record("a.replaced", RecordedNode::Object)),
        write(record("a.drawn", RecordedNode::Object)),
        write(record("a.overlaid", overlay)),
        write(record("a.gate", |_| RecordedNode::Gate)),
    ];
    // A replacement deletes first, and was killed after it had made the new object.
    let open_here = [
        Intent::Delete {
            address: "a.replaced".parse().expect("an address"),
            object: ObjectRef::namespaced("v1", "ConfigMap", "n", "c"),
            uid: "old".to_owned(),
        },
        write(record("a.drawn", RecordedNode::Object)),
    ];
    let left: Vec<_> = unheard(&open, &open_here)
        .into_iter()
        .map(|record| record.address.to_string())
        .collect();
    assert_eq!(left, ["a.plain", "a.replaced", "a.overlaid"]);
}
