//! Managers that win, and gates that were ready: both are told, and neither is drift.

use super::*;
use crate::{
    degraded::{Degraded, degraded},
    diff::drift::drift,
    ownership::Winner,
    plan::{Reason, Shown},
    yields::{Yielded, yielded},
};

const AUTOSCALER: &[Winner] = &[Winner {
    manager: "autoscaler",
    subresource: "scale",
}];

/// Fields that an autoscaler may win.
fn scaled(data: &Value) -> Resource {
    let mut resource = object("a.one", "one", data, &[]);
    resource.lifecycle.yields_to = AUTOSCALER;
    resource
}

impl World {
    /// What a look for drift finds.
    async fn look(&self, resources: &[Resource]) -> Survey {
        let (identity, recorded) = (identity(), self.recorded(resources));
        let request = SurveyRequest {
            resources,
            recorded: &recorded,
            identity: &identity,
            key: None,
            parallelism: 4,
        };
        survey(&self.cluster, &request, &Fixed)
            .await
            .expect("the cluster answers")
    }

    /// The fields that drifted, and those that are yielded.
    async fn differs(&self, stack: &[Resource]) -> (Vec<String>, Vec<String>) {
        let survey = self.look(stack).await;
        let live = |address: &Address| survey.live(address).cloned();
        let drifted = drift(&self.recorded(stack), live, &identity(), None, AUTOSCALER);
        let drifted = drifted.iter().flat_map(|drift| &drift.changes);
        let yielded = yielded(stack, |address| survey.live(address));
        (
            drifted.map(|change| change.path.to_string()).collect(),
            yielded
                .iter()
                .map(|one| format!("{} {}", one.path, one.manager))
                .collect(),
        )
    }

    fn data(&self) -> Value {
        self.cluster.object(&config("one")).expect("there")["data"].clone()
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_winner_moved_is_left_to_it_told_as_yielded_and_recorded_once() {
    let mut world = World::new();
    let stack = [scaled(&json!({"k": "1", "scale": "1"}))];
    world.apply(&stack).await;
    assert_eq!(world.differs(&stack).await, (vec![], vec![]));
    world
        .cluster
        .scale(&config("one"), "data.scale", json!("3"), "autoscaler");
    let told = (vec![], vec![".data.scale autoscaler".to_owned()]);
    assert_eq!(world.differs(&stack).await, told);
    let reason = Reason::Yielded {
        field: ".data.scale".to_owned(),
        manager: "autoscaler",
    };
    assert_eq!(world.planned(&stack).await, ["record a.one (record-only)"]);
    let plan = world.plan(&stack).await;
    assert!(!plan.has_changes());
    assert_eq!(&plan.steps[0].reasons[1..], std::slice::from_ref(&reason));
    let read = world.read(&stack).await;
    assert!(!read[&address("a.one")].paths.contains_key(".data.scale"));

    let report = world.apply(&stack).await;
    assert!(report.succeeded() && report.updated == 0, "{report:?}");
    assert_eq!(world.data(), json!({"k": "1", "scale": "3"}));
    // From then on it moves without a word of the record, and is told all the same.
    world
        .cluster
        .scale(&config("one"), "data.scale", json!("4"), "autoscaler");
    let before = world.cluster.n_requests();
    let plan = world.plan(&stack).await;
    assert_eq!(world.cluster.n_requests() - before, 1, "a read, and nothing asked");
    assert_eq!(plan.steps[0].action.code(), "no-op");
    assert_eq!(plan.steps[0].reasons[1..], [reason]);
    assert_eq!(world.differs(&stack).await, told);
}

#[tokio::test(start_paused = true)]
async fn what_a_winner_has_is_taken_back_neither_beside_a_change_nor_by_force() {
    let mut world = World::new();
    world.apply(&[scaled(&json!({"k": "1", "scale": "1"}))]).await;
    world
        .cluster
        .scale(&config("one"), "data.scale", json!("3"), "autoscaler");
    world.force = true;
    let other = [scaled(&json!({"k": "2", "scale": "2"}))];
    assert_eq!(world.planned(&other).await, ["update a.one (changed-in-stack) .data.k"]);
    assert!(world.apply(&other).await.succeeded());
    assert_eq!(world.data(), json!({"k": "2", "scale": "3"}));
}

#[tokio::test(start_paused = true)]
async fn what_a_winner_no_longer_has_is_as_the_stack_says_again() {
    let mut world = World::new();
    let stack = [scaled(&json!({"k": "1", "scale": "1"}))];
    world.apply(&stack).await;
    world
        .cluster
        .scale(&config("one"), "data.scale", json!("3"), "autoscaler");
    world.apply(&stack).await;
    world.cluster.disown(&config("one"), "autoscaler");
    assert_eq!(
        world.planned(&stack).await,
        ["update a.one (stored-otherwise) .data.scale"]
    );
    world.apply(&stack).await;
    assert_eq!(world.data(), json!({"k": "1", "scale": "1"}));
}

#[tokio::test(start_paused = true)]
async fn nobody_else_wins_and_neither_does_a_winner_by_another_way() {
    for (manager, by_scale) in [("autoscaler", false), ("kubectl", true)] {
        let mut world = World::new();
        let stack = [scaled(&json!({"k": "1", "scale": "1"}))];
        world.apply(&stack).await;
        let (object, three) = (config("one"), json!("3"));
        if by_scale {
            world.cluster.scale(&object, "data.scale", three, manager);
        } else {
            world.cluster.edit(&object, "data.scale", three, manager);
        }
        assert_eq!(world.differs(&stack).await, (vec![".data.scale".to_owned()], vec![]));
        assert_eq!(world.planned(&stack).await, ["update a.one (drifted) .data.scale"]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_yielded_says_both_values() {
    let mut world = World::new();
    let stack = [scaled(&json!({"scale": "1"}))];
    world.apply(&stack).await;
    world
        .cluster
        .scale(&config("one"), "data.scale", json!("3"), "autoscaler");
    let survey = world.look(&stack).await;
    let one = Yielded {
        address: address("a.one"),
        path: FieldPath::of("data.scale"),
        manager: "autoscaler",
        said: Shown::Value(json!("1")),
        there: Shown::Value(json!("3")),
    };
    assert_eq!(yielded(&stack, |address| survey.live(address)), [one]);
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_was_ready_and_is_not_any_more_is_degraded_and_one_that_never_was_is_not() {
    let mut world = World::new();
    let gate = |at: &str| {
        let fine = Observation::new(Target::Named(config("watched")), Rule::equals("data.state", "fine"));
        Resource::new(address(at), Node::Gate(Gate::on(fine)))
    };
    let stack = [gate("a.gate")];
    let watched = |state: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "watched", "namespace": "n"},
            "data": {"state": state}})
    };
    world.cluster.put(watched("fine"));
    world.apply(&stack).await;
    let more = [gate("a.gate"), gate("b.never")];
    let recorded = world.recorded(&more);
    assert_eq!(degraded(&more, &recorded, &world.look(&more).await), []);
    world.cluster.put(watched("broken"));
    let found = degraded(&more, &recorded, &world.look(&more).await);
    assert_eq!(
        found,
        [Degraded {
            address: address("a.gate"),
            why: "ConfigMap watched: .data.state is broken".to_owned(),
        }]
    );
}
