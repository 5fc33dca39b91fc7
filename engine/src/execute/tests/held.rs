//! What is surely the same is held as its text: what that must not hide, and what nobody may open for nothing.

use super::*;
use crate::{
    plan::{Action, transitions},
    readiness::Readiness,
    survey::Answer,
};

/// What became of an object, in words and as it is done.
type Deed<'a> = (&'a str, &'a dyn Fn(&Memory));

/// Objects enough to be read by one list.
fn stack() -> Vec<Resource> {
    let name = |index: usize| format!("c{index}");
    (0..6)
        .map(|index| object(&format!("a.{}", name(index)), &name(index), &json!({"k": "1"}), &[]))
        .collect()
}

/// Which addresses were opened.
fn opened(stack: &[Resource], found: &Survey) -> Vec<String> {
    let is_open = |resource: &&Resource| found.held(&resource.address).is_some_and(|held| held.is_open());
    stack
        .iter()
        .filter(is_open)
        .map(|resource| resource.address.to_string())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_plan_opens_nothing_that_is_surely_the_same_and_a_destroy_nothing_at_all() {
    let mut world = World::new();
    let stack = stack();
    assert!(world.apply(&stack).await.succeeded());
    let theirs = json!("theirs");
    world.cluster.edit(&config("c1"), "data.theirs", theirs, "kubectl-edit");
    world.cluster.edit(&config("c2"), "data.k", json!("2"), "kubectl-edit");

    let (recorded, found) = world.surveyed(&stack).await;
    let plan = world.answer_on(&stack, &recorded, &found).expect("a plan");
    let changed: Vec<_> = plan.steps.iter().filter(|step| step.action != Action::NoOp).collect();
    assert_eq!(
        changed.iter().map(|step| step.address.to_string()).collect::<Vec<_>>(),
        ["a.c2"]
    );
    assert!(crate::plan::along(&plan, &recorded, |address| found.live(address)).is_empty());
    assert!(transitions(&plan, &stack, &recorded, &found, |_| false).is_empty());
    assert!(
        plan.steps
            .iter()
            .all(|step| step.readiness.as_ref().is_some_and(Readiness::is_ready))
    );
    assert_eq!(opened(&stack, &found), ["a.c2"]);
    // Who looks sees what was read.
    assert_eq!(
        found.live(&address("a.c1")).map(|live| &live["data"]["theirs"]),
        Some(&json!("theirs"))
    );

    let (recorded, found) = world.surveyed(&[]).await;
    let plan = world.answer_on(&[], &recorded, &found).expect("a plan");
    assert!(plan.steps.iter().all(|step| step.action == Action::Delete), "{plan:?}");
    assert_eq!(opened(&stack, &found), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn whatever_became_of_an_object_it_is_asked_about_or_told() {
    let one = config("c1");
    let deeds: [Deed<'_>; 8] = [
        ("a value of ours is another", &|cluster| {
            cluster.edit(&one, "data.k", json!("2"), "kubectl-edit")
        }),
        ("a value of ours is of another type", &|cluster| {
            cluster.edit(&one, "data.k", json!(1), "kubectl-edit")
        }),
        ("a field of ours is gone", &|cluster| cluster.strip(&one, "data.k")),
        ("a mark of ours is gone", &|cluster| {
            cluster.strip(&one, "metadata.annotations[\"stackctl.dev/address\"]")
        }),
        ("we own nothing of it", &|cluster| {
            cluster.disown(&one, &identity().object_manager())
        }),
        ("somebody owns a field with us", &|cluster| {
            // The value is the same, and it is no longer ours.
            cluster.edit(&one, "data.k", json!("1"), "kubectl-edit");
        }),
        ("it is on its way out", &|cluster| {
            let at = "metadata.deletionTimestamp";
            cluster.edit(&one, at, json!("2026-11-28T21:00:00Z"), "kubectl-delete");
        }),
        ("it is another one of that name", &|cluster| {
            let mut again = cluster.object(&one).expect("it is there");
            again["metadata"]["uid"] = json!("another");
            cluster.take(&one);
            cluster.put(again);
        }),
    ];
    for (what, deed) in deeds {
        let mut world = World::new();
        let stack = stack();
        assert!(world.apply(&stack).await.succeeded());
        assert_eq!(world.planned(&stack).await, Vec::<String>::new());
        deed(&world.cluster);
        let (recorded, found) = world.surveyed(&stack).await;
        let one = found.found(&address("a.c1")).expect("it was looked for");
        let is_asked = !matches!(one.answer, Answer::Unchanged);
        let is_told = match world.answer_on(&stack, &recorded, &found) {
            Ok(plan) => plan
                .step(&address("a.c1"))
                .is_some_and(|step| step.action != Action::NoOp),
            Err(errors) => errors.iter().all(|error| error.address() == Some(&address("a.c1"))),
        };
        assert!(is_asked || is_told, "{what}");
        let others: Vec<_> = opened(&stack, &found)
            .into_iter()
            .filter(|open| open != "a.c1")
            .collect();
        assert_eq!(others, [""; 0], "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_stack_says_otherwise_is_not_held_to_be_the_same() {
    let mut world = World::new();
    let mut stack = stack();
    assert!(world.apply(&stack).await.succeeded());
    stack[1] = object("a.c1", "c1", &json!({"k": "2"}), &[]);
    stack[2] = object("a.other", "c2", &json!({"k": "1"}), &[]);
    assert_eq!(
        world.planned(&stack).await,
        [
            "update a.c1 (changed-in-stack) .data.k",
            "update a.other (marked) .metadata.annotations.stackctl.dev/address",
            "forget a.c2 (already-gone)"
        ]
    );
}
