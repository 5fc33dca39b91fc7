//! Fields that leave an overlay which stays: they are what they were before us.

use super::*;
use crate::plan::Shown;

fn overlay(fields: &Value) -> [Resource; 1] {
    let overlay = Overlay::new(config("shared"), json!({"data": fields}));
    [Resource::new(address("a.taken"), Node::Overlay(overlay))]
}

/// A ConfigMap of somebody else with this data, and what it holds now.
fn with_shared(data: &Value) -> World {
    let world = World::new();
    world.cluster.put(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "shared", "namespace": "n"}, "data": data}));
    world
}

fn held(world: &World) -> Value {
    world.cluster.object(&config("shared")).expect("it stays")["data"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_field_that_leaves_is_told_and_written_as_it_was_and_destroy_knows_no_more_of_it() {
    let before = json!({"a": "theirs", "b": "theirs", "same": "alike"});
    let mut world = with_shared(&before);
    let all = overlay(&json!({"a": "ours", "b": "ours", "new": "ours", "same": "alike"}));
    assert!(world.apply(&all).await.succeeded());
    let less = overlay(&json!({"a": "ours"}));
    let plan = world.plan(&less).await;
    let said: Vec<_> = plan.steps[0]
        .changes
        .iter()
        .map(|change| (change.path.to_string(), change.after.clone()))
        .collect();
    assert_eq!(
        said,
        [
            (".data.b".to_owned(), Shown::Value(json!("theirs"))),
            (".data.new".to_owned(), Shown::Absent),
        ]
    );
    let report = world.apply(&less).await;
    assert!(report.succeeded() && report.updated == 1, "{report:?}");
    assert_eq!(held(&world), json!({"a": "ours", "b": "theirs", "same": "alike"}));
    assert_eq!(world.planned(&less).await, Vec::<String>::new());
    // What somebody makes of it from then on is theirs.
    world.cluster.edit(&config("shared"), "data.b", json!("later"), "op");
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(held(&world), json!({"a": "theirs", "b": "later", "same": "alike"}));
}

#[tokio::test(start_paused = true)]
async fn a_field_that_leaves_and_that_somebody_changed_is_left_as_it_is() {
    let mut world = with_shared(&json!({"a": "theirs", "b": "theirs"}));
    assert!(
        world
            .apply(&overlay(&json!({"a": "ours", "b": "ours"})))
            .await
            .succeeded()
    );
    world
        .cluster
        .edit(&config("shared"), "data.b", json!("edited"), "kubectl-edit");
    assert!(world.apply(&overlay(&json!({"a": "ours"}))).await.succeeded());
    assert_eq!(held(&world), json!({"a": "ours", "b": "edited"}));
}
