//! What others made for a resource goes with it: where we made it, and where nobody else needs it.

use super::*;
use crate::{
    execute::ProviderError,
    plan::{Action as Planned, Reason},
    resource::{DestroyStep, NeededBy},
};

/// A ConfigMap that takes along what was made for it.
fn claiming(targets: &[&str]) -> Resource {
    let mut resource = object("a.one", "one", &json!({"channel": "stable"}), &[]);
    for target in targets {
        resource.lifecycle.claims.push(Claim {
            target: Target::Named(config(target)),
            why: "it was made for it".to_owned(),
            needed_by: Some(NeededBy {
                of: ObjectType::new("v1", "Widget"),
                at: FieldPath::of("spec.needs"),
            }),
        });
    }
    resource
}

fn config_map(name: &str, made: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "n", "creationTimestamp": made}})
}

fn widget(name: &str, needs: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Widget", "metadata": {"name": name, "namespace": "n"}, "spec": {"needs": needs}})
}

fn deleted(world: &World) -> Vec<String> {
    let log = world.cluster.log();
    log.into_iter().filter(|line| line.starts_with("delete")).collect()
}

#[tokio::test(start_paused = true)]
async fn what_goes_along_is_named_by_the_plan_and_what_was_there_before_is_not_of_it() {
    let mut world = World::new();
    world.cluster.put(config_map("before", "2020-01-01T00:00:00Z"));
    world.cluster.put(config_map("since", "2030-01-01T00:00:00Z"));
    // What two claims lead to is one object.
    assert!(
        world
            .apply(&[claiming(&["before", "since", "since"])])
            .await
            .succeeded()
    );
    let plan = world.plan(&[]).await;
    let told: Vec<_> = plan.steps[0].reasons.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["the stack is destroyed", "takes along ConfigMap since"]);
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(deleted(&world), ["delete ConfigMap n/one", "delete ConfigMap n/since"]);
}

#[tokio::test(start_paused = true)]
async fn a_replacement_says_what_goes_along_and_a_change_takes_nothing_along() {
    let mut world = World::new();
    world.cluster.put(config_map("since", "2030-01-01T00:00:00Z"));
    let stack = [claiming(&["since"])];
    assert!(world.apply(&stack).await.succeeded());
    let reasons = async |world: &World, stack: &[Resource]| {
        let plan = world.plan(stack).await;
        let codes: Vec<_> = plan.steps[0].reasons.iter().map(Reason::code).collect();
        codes.join(" ")
    };
    world
        .cluster
        .edit(&config("one"), "data.channel", json!("beta"), "kubectl-edit");
    assert_eq!(reasons(&world, &stack).await, "drifted");
    world.asked = vec![address("a.one")];
    assert_eq!(reasons(&world, &stack).await, "replace-asked takes-along");
}

#[tokio::test(start_paused = true)]
async fn what_was_claimed_stays_claimed_when_the_resource_is_made_anew() {
    let mut world = World::new();
    world.cluster.put(config_map("since", "2026-11-25T00:00:00Z"));
    assert!(world.apply(&[claiming(&["since"])]).await.succeeded());
    world.cluster.take(&config("one"));
    let mut again = config_map("one", "2026-11-26T00:00:00Z");
    again["data"] = json!({"channel": "other"});
    world.cluster.put(again);
    world.adopt = true;
    assert!(world.apply(&[claiming(&["since"])]).await.succeeded());
    let claims = &world.kept.recorded[&address("a.one")].destroy.claims;
    assert_eq!(
        claims.len(),
        1,
        "older than the object of today, and claimed by the one before it"
    );
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_needs_stays_and_is_not_waited_for() {
    let mut world = World::new();
    world.cluster.put(config_map("since", "2030-01-01T00:00:00Z"));
    world.cluster.put(widget("theirs", "since"));
    world.cluster.put(widget("another", "something else"));
    assert!(world.apply(&[claiming(&["since"])]).await.succeeded());
    world.told.clear();
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(deleted(&world), ["delete ConfigMap n/one"]);
    let noted = "ConfigMap n/since stays: Widget n/theirs needs it";
    assert!(world.told.iter().any(|told| told.contains(noted)), "{:?}", world.told);
    assert!(world.kept.recorded.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_somebody_needs_by_the_time_its_deletion_is_sent_again_stays() {
    let mut world = World::new();
    world.cluster.put(config_map("since", "2030-01-01T00:00:00Z"));
    assert!(world.apply(&[claiming(&["since"])]).await.succeeded());
    let answer = ProviderError::Throttled { retry_after: None };
    world.cluster.refuse_deletion(&config("since"), answer, |cluster| {
        cluster.put(widget("theirs", "since"));
    });
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(deleted(&world), ["delete ConfigMap n/one"]);
    assert!(world.cluster.object(&config("since")).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_is_given_back_keeps_all_that_it_works_with() {
    let mut world = World::new();
    world.cluster.put(config_map("one", "2026-11-23T00:00:00Z"));
    world.cluster.put(config_map("since", "2030-01-01T00:00:00Z"));
    let mut resource = claiming(&["since"]);
    resource.lifecycle.on_destroy.push(DestroyStep::Patch {
        target: config("one"),
        patch: json!({"data": {"channel": "none"}}),
    });
    world.adopt = true;
    assert!(world.apply(&[resource.clone()]).await.succeeded());

    // Nor is it deleted to be made again.
    let mut moved = resource.clone();
    moved.lifecycle.replace_on.push(FieldPath::of("data.channel"));
    let Node::Object(object) = &mut moved.node else {
        panic!("it is an object")
    };
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "n"},
        "data": {"channel": "beta"}});
    object.manifest = Manifest::new(body).expect("a manifest");
    let errors = world.refused(&[moved]).await;
    assert_eq!(
        errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "`a.one` cannot be replaced: .data.channel changes, which takes another one, and this one is not ours to delete"
        ]
    );

    let plan = world.plan(&[]).await;
    assert_eq!(plan.steps[0].action, Planned::Release);
    assert_eq!(plan.steps[0].reasons, [Reason::WasThereBefore]);
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(deleted(&world), Vec::<String>::new());
    assert_eq!(
        world.cluster.object(&config("one")).expect("there")["data"]["channel"],
        "stable"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_made_for_it_since_it_was_recorded_goes_too() {
    let mut world = World::new();
    assert!(world.apply(&[claiming(&["since"])]).await.succeeded());
    assert_eq!(world.kept.recorded[&address("a.one")].destroy.claims, []);
    world.cluster.put(config_map("since", "2030-01-01T00:00:00Z"));
    assert!(world.apply(&[]).await.succeeded());
    assert_eq!(deleted(&world), ["delete ConfigMap n/one", "delete ConfigMap n/since"]);
    assert!(world.kept.recorded.is_empty());
}
