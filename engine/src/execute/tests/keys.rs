//! Secrets, with the key that they were recorded with, without it, and with another one.

use super::*;
use crate::{
    FieldPath,
    diff::drift::{drift, unknown},
    late::{Encoding, Late, LateSource},
};

fn secret() -> ObjectRef {
    ObjectRef::namespaced("v1", "Secret", "n", "one")
}

/// A Secret with a value that a command gives.
fn stack() -> [Resource; 1] {
    let manifest = Manifest::written(json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "one", "namespace": "n"}}))
    .with_late(Late {
        path: FieldPath::of("data.token"),
        source: LateSource::Input(SecretInput::Command(vec!["echo".to_owned(), "ours".to_owned()])),
        encoding: Encoding::Base64,
        sensitive: true,
    });
    [Resource::new(address("a.one"), Node::Object(Object::new(manifest)))]
}

/// What drifted, and what cannot be compared.
fn judged(world: &World) -> (Vec<String>, Vec<String>) {
    let live = world.cluster.object(&secret());
    let (recorded, key) = (&world.kept.recorded, world.key.as_ref());
    let drifted = drift(recorded, |_| live.clone(), &identity(), key, &[]);
    let unknown = unknown(recorded, |_| live.as_ref(), key);
    let changes = drifted.iter().flat_map(|one| &one.changes);
    (
        changes.map(|change| change.path.to_string()).collect(),
        unknown.iter().map(ToString::to_string).collect(),
    )
}

fn edited(world: &World) {
    world
        .cluster
        .edit(&secret(), "data.token", json!("dGhlaXJz"), "intruder");
}

#[tokio::test(start_paused = true)]
async fn without_the_key_a_secret_is_neither_as_recorded_nor_drifted() {
    let mut world = World::new();
    assert!(world.apply(&stack()).await.succeeded());
    let key = world.key.take();
    let (nothing, unknown) = (Vec::<String>::new(), vec!["a.one".to_owned()]);
    assert_eq!(judged(&world), (nothing.clone(), unknown.clone()));
    edited(&world);
    assert_eq!(judged(&world), (nothing.clone(), unknown));
    world.key = key;
    assert_eq!(judged(&world), (vec![".data.token".to_owned()], nothing));
}

#[tokio::test(start_paused = true)]
async fn by_another_key_a_secret_is_recorded_anew_and_its_next_edit_is_seen() {
    let mut world = World::new();
    assert!(world.apply(&stack()).await.succeeded());
    world.key = None;
    assert_eq!(
        world.planned(&stack()).await,
        Vec::<String>::new(),
        "nothing to record by"
    );
    world.key = Some(StackKey::new([2; 32]));
    assert_eq!(world.planned(&stack()).await, ["record a.one (record-only)"]);
    assert!(world.apply(&stack()).await.succeeded());
    assert_eq!(world.planned(&stack()).await, Vec::<String>::new());
    assert_eq!(judged(&world), (Vec::new(), Vec::new()));
    edited(&world);
    assert_eq!(judged(&world).0, [".data.token"]);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_somebody_changed_is_taken_back_and_not_told_as_kept() {
    let mut world = World::new();
    assert!(world.apply(&stack()).await.succeeded());
    edited(&world);
    let plan = world.plan(&stack()).await;
    let codes: Vec<_> = plan.steps[0].reasons.iter().map(|reason| reason.code()).collect();
    assert!(!codes.contains(&"kept-by"), "{codes:?}");
    assert!(world.apply(&stack()).await.succeeded());
    let value = world.cluster.object(&secret()).expect("there")["data"]["token"].clone();
    assert_eq!(value, json!("b3Vycw=="));
}
