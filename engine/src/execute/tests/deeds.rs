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

/// Approves the plans that name the version.
fn approve() -> Effect {
    Effect::PatchAdmitted {
        of: ObjectType::new("v1", "InstallPlan"),
        namespace: "n".to_owned(),
        path: FieldPath::of("spec.names"),
        must_hold: "x.v1".to_owned(),
        may_start_with: Vec::new(),
        unless: (FieldPath::of("spec.approved"), json!(true)),
        patch: json!({"spec": {"approved": true}}),
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_plans_each_is_approved_once() {
    let mut world = World::new();
    plans(&world, 4);
    let installed = Observation::new(Target::Named(config("installed")), Rule::Exists);
    let mut report = Report::default();
    // What is approved takes its time.
    let others = async |cluster: &Memory| {
        tokio::time::sleep(Duration::from_secs(5)).await;
        cluster.put(there("installed"));
    };
    let stack = [action(approve(), installed, true)];
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

#[tokio::test(start_paused = true)]
async fn what_took_the_name_of_the_object_that_was_looked_at_is_not_patched() {
    let plan = |uid: &str, names: &[&str]| {
        json!({"apiVersion": "v1", "kind": "InstallPlan", "metadata": {"name": "p0", "namespace": "n", "uid": uid},
            "spec": {"approved": false, "names": names}})
    };
    let mut world = World::new();
    world.cluster.put(plan("first", &["x.v1"]));
    // Between our look and our patch somebody makes another one, and after that the one that is meant comes again.
    world
        .cluster
        .meanwhile(move |cluster| cluster.put(plan("second", &["x.v2"])));
    let object = ObjectRef::namespaced("v1", "InstallPlan", "n", "p0");
    let approved = Observation::new(Target::Named(object.clone()), Rule::equals("spec.approved", true));
    let others = async |cluster: &Memory| {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let now = cluster.object(&object).expect("there");
        assert_eq!(now["spec"]["approved"], false, "nobody approved that one");
        cluster.put(plan("third", &["x.v1"]));
    };
    let mut report = Report::default();
    world
        .driven(
            &[action(approve(), approved, true)],
            4,
            |event| report.fold(event),
            others,
        )
        .await;
    assert!(report.succeeded(), "{report:?}");
    assert_eq!(world.cluster.log(), ["patch InstallPlan n/p0"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_done_before_a_deletion_is_done_to_the_object_that_goes_alone() {
    let mut world = World::new();
    let mut machines = object("a.one", "one", &json!({"replicas": "3"}), &[]);
    machines.lifecycle.on_destroy.push(crate::resource::DestroyStep::Patch {
        target: config("one"),
        patch: json!({"data": {"replicas": "0"}}),
    });
    assert!(world.apply(&[machines]).await.succeeded());
    let mut theirs = there("one");
    theirs["data"] = json!({"replicas": "7"});
    world.cluster.meanwhile(move |cluster| cluster.put(theirs));
    assert!(world.apply(&[]).await.succeeded());
    let now = world.cluster.object(&config("one")).expect("theirs stays");
    assert_eq!(now["data"]["replicas"], "7");
}
