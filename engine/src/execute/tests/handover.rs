//! Objects that move to other addresses.

use super::*;
use crate::recorded::Origin;

fn at(where_it_is: &str) -> [Resource; 1] {
    [object(where_it_is, "kept", &json!({"k": "1"}), &[])]
}

fn uid(world: &World) -> Value {
    world.cluster.object(&config("kept")).expect("there")["metadata"]["uid"].clone()
}

#[tokio::test(start_paused = true)]
async fn an_object_that_moves_to_another_address_is_kept_and_marked_anew() {
    let mut world = World::new();
    assert!(world.apply(&at("a.one")).await.succeeded());
    let before = uid(&world);
    let planned = world.planned(&at("a.two")).await;
    assert_eq!(
        planned,
        [
            "update a.two (marked) .metadata.annotations.stackctl.dev/address",
            "forget a.one (already-gone)"
        ]
    );
    assert!(world.apply(&at("a.two")).await.succeeded());
    assert_eq!(uid(&world), before, "it was made anew");
    assert_eq!(world.kept.recorded.keys().collect::<Vec<_>>(), [&address("a.two")]);
    assert_eq!(world.planned(&at("a.two")).await, Vec::<String>::new());
    // It is still one that we made.
    assert!(world.apply(&[]).await.succeeded());
    assert!(world.cluster.object(&config("kept")).is_none());
}

#[tokio::test(start_paused = true)]
async fn the_old_record_goes_after_the_new_one_is_written() {
    let mut world = World::new();
    world.apply(&at("a.one")).await;
    let recorded = world.recorded(&at("z.two"));
    let edges = &recorded[&address("z.two")].edges;
    assert!(edges.iter().any(|edge| edge.to == address("a.one")), "{edges:?}");
    world.told.clear();
    assert!(world.apply(&at("z.two")).await.succeeded());
    let started = |name: &str| {
        let is_it = |told: &String| told.starts_with("Started") && told.contains(&format!("{name:?}"));
        world.told.iter().position(is_it).expect("a step")
    };
    assert!(started("z") < started("a"), "{:?}", world.told);
}

#[tokio::test(start_paused = true)]
async fn what_was_there_before_us_stays_so_at_its_new_address_and_what_both_record_is_not_deleted() {
    let mut world = World::new();
    world.apply(&at("a.one")).await;
    if let Some(crate::recorded::RecordedNode::Object(object)) = world
        .kept
        .recorded
        .get_mut(&address("a.one"))
        .map(|known| &mut known.node)
    {
        object.origin = Origin::Adopted;
    }
    let old = world.kept.recorded.clone();
    assert!(world.apply(&at("a.two")).await.succeeded());
    let origin = |world: &World| {
        let known = world.kept.recorded[&address("a.two")].object();
        known.map(|object| object.origin)
    };
    assert_eq!(origin(&world), Some(Origin::Adopted));
    // A kill before the old record went.
    world.kept.recorded.extend(old);
    let before = uid(&world);
    assert_eq!(world.planned(&at("a.two")).await, ["forget a.one (already-gone)"]);
    assert!(world.apply(&at("a.two")).await.succeeded());
    assert_eq!((uid(&world), origin(&world)), (before, Some(Origin::Adopted)));
}
