//! What a person asks for by name: replacements, and a record that follows the cluster.

use super::*;
use crate::{
    plan::{Action, PlanError, Reason, Refreshed, refresh},
    recorded::Origin,
    resource::Adopt,
};

/// A namespace and two ConfigMaps in it, the second made for the first.
fn stack() -> Vec<Resource> {
    let namespace = Manifest::written(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}));
    vec![
        Resource::new(address("n.ns"), Node::Object(Object::new(namespace))),
        object("a.one", "one", &json!({"k": "1"}), &[]),
        object("b.two", "two", &json!({"k": "2"}), &["a.one"]),
    ]
}

#[tokio::test(start_paused = true)]
async fn what_is_in_a_replaced_object_goes_before_it_in_order_and_is_made_again_after_it() {
    let mut world = World::new();
    let stack = stack();
    assert!(world.apply(&stack).await.succeeded());
    let before = world.cluster.log().len();
    world.asked = vec![address("n.ns")];
    assert_eq!(
        world.planned(&stack).await,
        [
            "replace n.ns (replace-asked)",
            "replace a.one (replaced-with)",
            "replace b.two (replaced-with)"
        ]
    );
    assert!(world.apply(&stack).await.succeeded());
    assert_eq!(
        world.cluster.log()[before..],
        [
            "delete ConfigMap n/two",
            "delete ConfigMap n/one",
            "delete Namespace n",
            "create Namespace n",
            "create ConfigMap n/one",
            "create ConfigMap n/two"
        ]
    );
    world.asked.clear();
    assert_eq!(world.planned(&stack).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_only_made_and_what_is_not_ours_is_not_replaced() {
    let mut world = World::new();
    let mut stack = stack();
    world.asked = vec![address("a.one")];
    let planned = world.planned(&stack).await;
    assert!(
        planned.iter().any(|line| line.starts_with("create a.one ")),
        "{planned:?}"
    );

    world.asked.clear();
    world.cluster.put(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "n"}, "data": {"k": "1"}}));
    stack[1].lifecycle.adopt = Adopt::Expected;
    assert!(world.apply(&stack).await.succeeded());
    assert_eq!(
        world.kept.recorded[&address("a.one")].object().map(|o| o.origin),
        Some(Origin::Adopted)
    );
    let refused = |at: &PlanError| at.to_string();
    world.asked = vec![address("a.one")];
    let errors: Vec<_> = world.refused(&stack).await.iter().map(refused).collect();
    assert_eq!(
        errors,
        ["`a.one` cannot be replaced: it was there before us, and is not ours to delete"]
    );
    world.asked = vec![address("n.ns")];
    let errors: Vec<_> = world.refused(&stack).await.iter().map(refused).collect();
    assert_eq!(
        errors,
        ["`n.ns` cannot be replaced: a.one is in it, and it was there before us, and is not ours to delete"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_that_follows_the_cluster_forgets_what_is_gone_and_takes_what_drifted_as_it_is() {
    let mut world = World::new();
    let stack = stack();
    assert!(world.apply(&stack).await.succeeded());
    let refreshed = |world: &World| -> Vec<Refreshed> {
        let (identity, key) = (identity(), StackKey::new([1; 32]));
        let live: BTreeMap<Address, serde_json::Value> = world
            .kept
            .recorded
            .values()
            .filter_map(|known| Some((known.address.clone(), world.cluster.object(&known.object()?.object)?)))
            .collect();
        refresh(&world.kept.recorded, |at| live.get(at), &identity, Some(&key))
    };
    assert_eq!(refreshed(&world), Vec::new());
    world.cluster.edit(&config("one"), "data.k", json!("9"), "kubectl-edit");
    world.cluster.take(&config("two"));
    let all = refreshed(&world);
    let said: Vec<_> = all
        .iter()
        .map(|one| (one.differs.address.to_string(), one.differs.gone))
        .collect();
    assert_eq!(said, [("a.one".to_owned(), false), ("b.two".to_owned(), true)]);
    let before = world.cluster.log().len();
    for one in &all {
        world.kept.record(&one.outcome);
        world.kept.flush().expect("it is kept");
    }
    assert_eq!(world.cluster.log().len(), before, "nothing is written to the cluster");
    assert_eq!(refreshed(&world), Vec::new());
    // What drifted is what the stack says otherwise from now on, and what is gone was never there.
    let plan = world.plan(&stack).await;
    let of = |at: &str| {
        let step = plan.step(&address(at)).expect("a step");
        (step.action, step.reasons[0].clone())
    };
    assert_eq!(of("a.one"), (Action::Update, Reason::ChangedInStack));
    assert_eq!(of("b.two"), (Action::Create, Reason::Missing));
    assert!(world.apply(&stack).await.succeeded());
    assert_eq!(world.planned(&stack).await, Vec::<String>::new());
}
