//! What an action or a remedy does, and how often.

use super::*;

/// So many plans that name the same version.
fn plans(world: &World, number: usize) {
    for index in 0..number {
        world
            .cluster
            .put(json!({"apiVersion": "v1", "kind": "InstallPlan", "metadata": {"name": format!("p{index}"), "namespace": "n"},
                "spec": {"approved": false, "names": ["x.v1"]}}));
    }
}

fn there(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}})
}

fn action(effect: Effect, goal: Observation, satisfied_by_goal: bool) -> Resource {
    let action = Action {
        effect,
        goal: vec![goal],
        trigger: json!("x"),
        satisfied_by_goal,
    };
    Resource::new(address("x.act"), Node::Action(action))
}

#[tokio::test(start_paused = true)]
async fn of_many_plans_each_is_approved_once() {
    let mut world = World::new();
    plans(&world, 4);
    let of = ObjectType::new("v1", "InstallPlan");
    let installed = Observation::new(Target::Named(config("installed")), Rule::Exists);
    let approve = Effect::PatchAdmitted {
        of,
        namespace: "n".to_owned(),
        path: FieldPath::of("spec.names"),
        must_hold: "x.v1".to_owned(),
        may_start_with: Vec::new(),
        unless: (FieldPath::of("spec.approved"), json!(true)),
        patch: json!({"spec": {"approved": true}}),
    };
    let mut report = Report::default();
    // What is approved takes its time.
    let others = async |cluster: &Memory| {
        tokio::time::sleep(Duration::from_secs(5)).await;
        cluster.put(there("installed"));
    };
    let stack = [action(approve, installed, true)];
    world.driven(&stack, 4, |event| report.fold(event), others).await;
    assert!(report.succeeded(), "{report:?}");
    let once = ["p0", "p1", "p2", "p3"].map(|name| format!("patch InstallPlan n/{name}"));
    assert_eq!(world.cluster.log(), once);
}

#[tokio::test(start_paused = true)]
async fn an_action_is_over_once_all_that_it_found_is_done_although_its_goal_holds_before() {
    let mut world = World::new();
    plans(&world, 3);
    let of = ObjectType::new("v1", "InstallPlan");
    let delete = Effect::Delete {
        target: Target::Some {
            of,
            namespace: Some("n".to_owned()),
            labels: BTreeMap::new(),
            at_least: 0,
        },
    };
    world.cluster.put(there("goal"));
    let holds = Observation::new(Target::Named(config("goal")), Rule::Exists);
    let report = world.apply(&[action(delete, holds, false)]).await;
    assert!(report.succeeded(), "{report:?}");
    assert_eq!(world.cluster.log().len(), 3, "{:?}", world.cluster.log());
}
