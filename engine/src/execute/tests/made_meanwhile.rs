//! What somebody makes between our read and our question: the answer to the question says it, and it is not ours.

use super::*;
use crate::resource::{Document, DocumentCodec};

fn theirs() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "n"}, "data": {"k": "theirs"}})
}

#[tokio::test(start_paused = true)]
async fn an_object_that_somebody_makes_before_the_server_is_asked_needs_consent() {
    let stack = [object("a.one", "one", &json!({"k": "1"}), &[])];
    let world = World::new();
    world.cluster.once_asked(|cluster| cluster.put(theirs()));
    let errors = world.refused(&stack).await;
    assert!(
        matches!(&errors[..], [PlanError::NotOurs { address: at, .. }] if *at == address("a.one")),
        "{errors:?}"
    );
    // With consent it is adopted, as one that was read.
    let mut world = World::new();
    world.cluster.once_asked(|cluster| cluster.put(theirs()));
    world.adopt = true;
    let plan = world.plan(&stack).await;
    assert_eq!(plan.steps[0].action.code(), "adopt");
}

#[tokio::test(start_paused = true)]
async fn a_text_that_is_shared_anyway_needs_none() {
    let mut overlay = Overlay::new(config("one"), json!({}));
    overlay.create_if_absent = true;
    overlay.documents.push(Document {
        at: FieldPath::of("data.text"),
        codec: DocumentCodec::YamlKey {
            key: "ours".to_owned(),
            value: json!(true),
        },
    });
    let stack = [Resource::new(address("b.over"), Node::Overlay(overlay))];
    let world = World::new();
    world.cluster.once_asked(|cluster| cluster.put(theirs()));
    let answer = world.answer(&stack).await;
    assert!(answer.is_ok(), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn what_others_write_between_our_read_and_our_question_is_no_change_of_ours() {
    let mut world = World::new();
    assert!(
        world
            .apply(&[object("a.one", "one", &json!({"k": "1"}), &[])])
            .await
            .succeeded()
    );
    // Another value is asked about; meanwhile a controller notes something on the object.
    world.cluster.once_asked(|cluster| {
        cluster.edit(
            &config("one"),
            "metadata.annotations.revision",
            json!("2"),
            "controller",
        )
    });
    let changed = [object("a.one", "one", &json!({"k": "2"}), &[])];
    assert_eq!(
        world.planned(&changed).await,
        ["update a.one (changed-in-stack) .data.k"]
    );
}
