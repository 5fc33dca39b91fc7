//! An item of a list that the server knows only as a whole: put in, kept beside others', and taken out again.

use super::*;
use crate::resource::{Document, DocumentCodec};

const AT: &str = "spec.named";

fn server() -> ObjectRef {
    ObjectRef::cluster("example.com/v1", "Server", "cluster")
}

fn ours(certificate: &str) -> Resource {
    let mut overlay = Overlay::new(server(), Value::Null);
    overlay.documents.push(Document {
        at: FieldPath::of(AT),
        codec: DocumentCodec::ListItem {
            by: "names".to_owned(),
            item: json!({"names": ["api"], "certificate": certificate}),
        },
    });
    Resource::new(address("server.named"), Node::Overlay(overlay))
}

fn world(items: &Value) -> World {
    let world = World::new();
    let mut object = json!({"apiVersion": "example.com/v1", "kind": "Server", "metadata": {"name": "cluster"}, "spec": {"audit": "default"}});
    if !items.is_null() {
        object["spec"]["named"] = items.clone();
    }
    world.cluster.put(object);
    world
}

fn items(world: &World) -> Value {
    world.cluster.object(&server()).expect("there")["spec"]["named"].clone()
}

#[tokio::test(start_paused = true)]
async fn others_items_live_beside_ours_and_stay() {
    let theirs = json!({"names": ["other"], "certificate": "theirs"});
    let mut world = world(&json!([theirs]));
    assert!(world.apply(&[ours("one")]).await.succeeded());
    assert_eq!(items(&world), json!([theirs, {"names": ["api"], "certificate": "one"}]));
    assert_eq!(world.planned(&[ours("one")]).await, Vec::<String>::new());

    // Somebody adds one of theirs: no drift of ours, and kept when ours changes.
    let more = json!({"names": ["more"]});
    let mut edited = items(&world);
    edited.as_array_mut().expect("a list").push(more.clone());
    world.cluster.edit(&server(), AT, edited, "kubectl-edit");
    assert_eq!(world.planned(&[ours("one")]).await, Vec::<String>::new());
    assert!(world.apply(&[ours("two")]).await.succeeded());
    assert_eq!(
        items(&world),
        json!([theirs, {"names": ["api"], "certificate": "two"}, more])
    );

    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(items(&world), json!([theirs, more]));
}

#[tokio::test(start_paused = true)]
async fn an_item_that_was_there_before_comes_back() {
    let before = json!([{"names": ["api"], "certificate": "before"}]);
    let mut world = world(&before);
    world.apply(&[ours("one")]).await;
    assert_eq!(items(&world), json!([{"names": ["api"], "certificate": "one"}]));
    world.apply(&[]).await;
    assert_eq!(items(&world), before);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_was_not_there_goes_again() {
    let mut world = world(&Value::Null);
    world.apply(&[ours("one")]).await;
    assert_eq!(items(&world), json!([{"names": ["api"], "certificate": "one"}]));
    world.apply(&[]).await;
    assert_eq!(
        world.cluster.object(&server()).expect("there")["spec"],
        json!({"audit": "default"})
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_retained_stays_when_the_overlay_goes() {
    let mut world = world(&Value::Null);
    let mut overlay = Overlay::new(server(), json!({"spec": {"encryption": "on"}}));
    overlay.ready = Rule::Exists;
    let mut resource = Resource::new(address("server.encryption"), Node::Overlay(overlay));
    resource.lifecycle.retain = Some("no way back".to_owned());
    world.apply(&[resource]).await;
    assert_eq!(world.planned(&[]).await, ["release server.encryption (retained)"]);
    world.apply(&[]).await;
    let live = world.cluster.object(&server()).expect("there");
    assert_eq!(live["spec"]["encryption"], "on");
    assert!(
        !live["metadata"]["managedFields"].to_string().contains("stackctl"),
        "{live}"
    );
}
