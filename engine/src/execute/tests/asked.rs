//! What a person asks for by name: replacements, and a record that follows the cluster.

use super::*;
use crate::{
    diff::drift::{There, drift},
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
async fn what_cannot_be_changed_is_refused_unless_it_is_to_be_deleted_first() {
    let mut world = World::new();
    let of = |value: &str| vec![object("a.one", "one", &json!({"k": value}), &[])];
    assert!(world.apply(&of("1")).await.succeeded());
    let message = "spec.selector: Invalid value: field is immutable".to_owned();
    let immutable = ("spec.selector".to_owned(), message.clone());
    world.cluster.refuse_dry_runs(
        "ConfigMap",
        crate::execute::ProviderError::Invalid {
            message,
            causes: vec![immutable],
        },
    );
    let errors = world.refused(&of("2")).await;
    assert!(matches!(errors.as_slice(), [PlanError::Refused { .. }]), "{errors:?}");
    world.asked = vec![address("a.one")];
    assert_eq!(world.planned(&of("2")).await, ["replace a.one (replace-asked) .data.k"]);
}

#[tokio::test(start_paused = true)]
async fn what_stays_says_that_it_was_there_or_why_the_stack_keeps_it() {
    for (was_there, reason) in [
        (true, Reason::WasThereBefore),
        (false, Reason::Retained("it holds data".to_owned())),
    ] {
        let mut world = World::new();
        world.adopt = true;
        if was_there {
            world
                .cluster
                .put(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "n"}}));
        }
        let mut kept = object("a.one", "one", &json!({"k": "1"}), &[]);
        kept.lifecycle.retain = Some("it holds data".to_owned());
        assert!(world.apply(&[kept]).await.succeeded());
        let plan = world.plan(&[]).await;
        assert_eq!(
            (plan.steps[0].action, plan.steps[0].reasons.as_slice()),
            (Action::Release, &[reason][..])
        );
    }
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
        .map(|one| (one.differs.address.to_string(), one.differs.there))
        .collect();
    assert_eq!(
        said,
        [("a.one".to_owned(), There::It), ("b.two".to_owned(), There::Nothing)]
    );
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

/// What is there in the place of what is recorded, in a word.
fn word(there: There) -> &'static str {
    match there {
        There::It => "there",
        There::Another => "another",
        There::Nothing => "gone",
    }
}

/// What drifted, as `address: gone`, `address: another` or `address: there`.
fn drifted(world: &World) -> Vec<String> {
    let live = |at: &Address| world.cluster.object(&world.kept.recorded.get(at)?.object()?.object);
    let all = drift(&world.kept.recorded, live, &identity(), None, &[]);
    all.iter()
        .map(|one| format!("{}: {}", one.address, word(one.there)))
        .collect()
}

/// What would be recorded otherwise, in the same words.
fn refreshed(world: &World) -> Vec<(String, Refreshed)> {
    let (identity, key) = (identity(), StackKey::new([1; 32]));
    let live: BTreeMap<Address, Value> = world
        .kept
        .recorded
        .values()
        .filter_map(|known| Some((known.address.clone(), world.cluster.object(&known.object()?.object)?)))
        .collect();
    let all = refresh(&world.kept.recorded, |at| live.get(at), &identity, Some(&key));
    let shown = |one: Refreshed| (format!("{}: {}", one.differs.address, word(one.differs.there)), one);
    all.into_iter().map(shown).collect()
}

#[tokio::test(start_paused = true)]
async fn an_object_in_the_place_of_ours_is_ours_by_its_marks_alone_and_one_with_our_fields_never_is() {
    let mut world = World::new();
    let mut stack = stack();
    let fields = Overlay::new(config("one"), json!({"data": {"late": "1"}}));
    let mut late = Resource::new(address("c.late"), Node::Overlay(fields));
    late.depends_on
        .push(DependsOn::ready(address("a.one"), "it is set late"));
    stack.push(late);
    assert!(world.apply(&stack).await.succeeded());
    let said = |world: &World| refreshed(world).into_iter().map(|(said, _)| said).collect::<Vec<_>>();
    assert_eq!(said(&world), Vec::<String>::new());

    // Made again with our marks, as a restore from a backup does it.
    let mut restored = world.cluster.object(&config("one")).expect("there");
    restored["metadata"]["uid"] = json!("restored");
    world.cluster.put(restored.clone());
    assert_eq!(said(&world), ["a.one: there", "c.late: another"]);
    assert_eq!(drifted(&world), Vec::<String>::new());
    let Outcome::Recorded(again) = &refreshed(&world)[0].1.outcome else {
        panic!("it is recorded");
    };
    assert_eq!(again.object().map(|object| object.uid.as_str()), Some("restored"));

    // Made by somebody else.
    restored["metadata"]["annotations"] = json!({});
    world.cluster.put(restored);
    assert_eq!(said(&world), ["a.one: another", "c.late: another"]);
    assert_eq!(drifted(&world), ["a.one: another"]);
    world.cluster.take(&config("one"));
    assert_eq!(drifted(&world), ["a.one: gone", "c.late: gone"]);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_drifted_is_recorded_as_a_digest_and_by_the_stacks_own_key_alone() {
    let mut world = World::new();
    let secret = ObjectRef::namespaced("v1", "Secret", "n", "s");
    let manifest =
        Manifest::written(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "n"}}))
            .with_late(crate::late::Late {
                path: FieldPath::of("data.password"),
                source: crate::late::LateSource::Generated {
                    length: 3,
                    unless_exists: None,
                },
                encoding: crate::late::Encoding::Base64,
                sensitive: true,
            });
    let stack = [Resource::new(address("a.secret"), Node::Object(Object::new(manifest)))];
    assert!(world.apply(&stack).await.succeeded());
    world
        .cluster
        .edit(&secret, "data.password", json!("aHVudGVyMg=="), "kubectl-edit");
    let recorded = |world: &World| {
        let Outcome::Recorded(known) = refreshed(world).remove(0).1.outcome else {
            panic!("it is recorded");
        };
        known.object().expect("an object").manifest.open()["data"]["password"].clone()
    };
    let before = world.kept.recorded[&address("a.secret")]
        .object()
        .map(|object| object.manifest.open()["data"]["password"].clone());
    let after = recorded(&world);
    assert!(
        after.as_str().is_some_and(|text| !text.contains("aHVudGVyMg")),
        "{after}"
    );
    assert_ne!(Some(&after), before.as_ref());
}

#[tokio::test(start_paused = true)]
async fn only_a_whole_object_can_be_replaced_and_what_was_done_to_it_is_done_again() {
    let mut world = World::new();
    let goal = || Observation::new(Target::Named(config("one")), Rule::Exists);
    let run = crate::resource::Action {
        effect: Effect::Touch {
            target: config("one"),
            annotation: "touched".to_owned(),
        },
        goal: vec![goal()],
        trigger: json!("v1"),
        satisfied_by_goal: true,
    };
    let mut run = Resource::new(address("x.run"), Node::Action(run));
    run.depends_on
        .push(DependsOn::ready(address("a.one"), "it is about it"));
    let gate = Resource::new(address("g.gate"), Node::Gate(Gate::on(goal())));
    let mut stack = stack();
    stack.extend([run, gate]);
    assert!(world.apply(&stack).await.succeeded());
    let step = |plan: &Plan| plan.step(&address("x.run")).expect("a step").action;
    assert_eq!(step(&world.plan(&stack).await), Action::NoOp);
    world.asked = vec![address("b.two")];
    assert_eq!(step(&world.plan(&stack).await), Action::NoOp, "it is about another one");
    world.asked = vec![address("a.one")];
    assert_eq!(step(&world.plan(&stack).await), Action::Run);
    for (at, why) in [
        ("g.gate", "it is a gate, which only waits"),
        ("x.run", "it is an action, which makes nothing"),
    ] {
        world.asked = vec![address(at)];
        let errors: Vec<_> = world.refused(&stack).await.iter().map(ToString::to_string).collect();
        assert_eq!(errors, [format!("`{at}` cannot be replaced: {why}")]);
    }
    // What is asked for and was never made is nothing that was done to it.
    world.asked = vec![address("a.one")];
    world.kept.recorded.remove(&address("a.one"));
    assert_eq!(step(&world.plan(&stack).await), Action::NoOp);
}
