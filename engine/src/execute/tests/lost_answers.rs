//! A request is carried out and its answer is lost: what it made is ours, and what it took is still somebody's.

use super::*;
use crate::recorded::{Origin, RecordedNode};

fn origin(world: &World, at: &str) -> Option<Origin> {
    let known = world.kept.recorded.get(&address(at))?;
    known.object().map(|object| object.origin)
}

#[tokio::test(start_paused = true)]
async fn what_a_lost_request_made_is_made_once_and_is_ours() {
    let mut world = World::new();
    let stack = [object("a.one", "one", &json!({"k": "1"}), &[])];
    world.cluster.lose_answers(1);
    let report = world.apply(&stack).await;
    assert!(report.succeeded() && report.created == 1, "{report:?}");
    assert_eq!(world.cluster.log(), ["create ConfigMap n/one"]);
    assert_eq!(origin(&world, "a.one"), Some(Origin::Created));
    assert_eq!(world.planned(&stack).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_a_lost_request_adopted_is_released_and_not_deleted() {
    let mut world = World::new();
    world.cluster.put(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made", "namespace": "n"}, "data": {"k": "1"}}));
    let mut made = object("a.made", "made", &json!({"k": "1"}), &[]);
    made.lifecycle.adopt = Adopt::Expected;
    world.cluster.lose_answers(2);
    let report = world.apply(&[made]).await;
    assert!(report.succeeded() && report.adopted == 1, "{report:?}");
    assert_eq!(origin(&world, "a.made"), Some(Origin::Adopted));
    assert!(world.apply(&[]).await.succeeded());
    assert!(world.cluster.object(&config("made")).is_some(), "it was somebody's");
}

#[tokio::test(start_paused = true)]
async fn what_a_lost_request_overlaid_is_given_back_as_it_was() {
    let mut world = World::new();
    world.cluster.put(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": "n"}, "data": {"k": "prior"}}));
    let overlay = Overlay::new(config("theirs"), json!({"data": {"k": "ours", "new": "ours"}}));
    let taken = Resource::new(address("c.taken"), Node::Overlay(overlay));
    world.cluster.lose_answers(2);
    assert!(world.apply(&[taken]).await.succeeded());
    world.cluster.lose_answers(1);
    assert!(world.apply(&[]).await.succeeded());
    let live = world.cluster.object(&config("theirs")).expect("there");
    assert_eq!(live["data"], json!({"k": "prior"}));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_a_lost_request_made_for_its_fields_is_ours() {
    let mut world = World::new();
    let mut overlay = Overlay::new(config("shared"), json!({"data": {"k": "ours"}}));
    overlay.create_if_absent = true;
    let shared = Resource::new(address("c.shared"), Node::Overlay(overlay));
    world.cluster.lose_answers(1);
    assert!(world.apply(&[shared]).await.succeeded());
    assert_eq!(origin(&world, "c.shared"), Some(Origin::Created));
    let Some(RecordedNode::Overlay { undo, .. }) =
        world.kept.recorded.get(&address("c.shared")).map(|known| &known.node)
    else {
        panic!("an overlay is recorded as one")
    };
    assert!(undo.iter().all(|undo| undo.prior.is_none()), "{undo:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_lost_request_deleted_counts_as_deleted() {
    let mut world = World::new();
    let stack = [object("a.one", "one", &json!({"k": "1"}), &[])];
    assert!(world.apply(&stack).await.succeeded());
    world.cluster.lose_answers(1);
    let report = world.apply(&[]).await;
    assert!(
        report.succeeded() && report.deleted == 1 && report.forgotten == 0,
        "{report:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_somebody_makes_between_our_read_and_our_write_is_adopted() {
    let mut world = World::new();
    let stack = [object("a.one", "one", &json!({"k": "1"}), &[])];
    world.cluster.meanwhile(|cluster| {
        cluster.put(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "n",
            "managedFields": [{"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:data": {"f:theirs": {}}}}]},
            "data": {"theirs": "1"}}),
        );
    });
    let report = world.apply(&stack).await;
    assert!(report.succeeded() && report.adopted == 1, "{report:?}");
    assert_eq!(origin(&world, "a.one"), Some(Origin::Adopted));
}
