//! What a plan says of each kind of node, in each state that it can be found in.

use super::*;
use crate::{
    execute::{ApplyRequest, Provider as _, ProviderError},
    late::{Encoding, Late, LateSource},
    object_key::GroupKind,
    plan::{Reason, Shown, Unasked},
    resource::Provides,
};

/// The object whose being there opens a gate or satisfies an action.
fn goal() -> Vec<Observation> {
    vec![Observation::new(Target::Named(config("goal")), Rule::Exists)]
}

fn put(world: &World, name: &str, data: &Value) {
    world.cluster.put(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}, "data": data}),
    );
}

async fn said(world: &World, stack: &[Resource], at: &str) -> String {
    let plan = world.plan(stack).await;
    let step = plan.step(&address(at)).expect("a step");
    format!("{} ({})", step.action.code(), step.reasons[0].code())
}

async fn errors(world: &World, stack: &[Resource]) -> Vec<String> {
    world.refused(stack).await.iter().map(ToString::to_string).collect()
}

#[tokio::test(start_paused = true)]
async fn a_gate_is_waited_for_until_it_was_open_once_and_again_below_a_change() {
    let mut world = World::new();
    let mut gate = Resource::new(address("g.gate"), Node::Gate(Gate::on(goal().remove(0))));
    gate.depends_on
        .push(DependsOn::ready(address("a.one"), "it is about it"));
    let stack = |value: &str| [object("a.one", "one", &json!({"k": value}), &[]), gate.clone()];
    let alone = [Resource::new(address("g.gate"), Node::Gate(Gate::on(goal().remove(0))))];
    assert_eq!(said(&world, &alone, "g.gate").await, "wait (not-ready)");
    put(&world, "goal", &json!({}));
    assert_eq!(said(&world, &stack("1"), "g.gate").await, "wait (written-above)");
    assert!(world.apply(&stack("1")).await.succeeded());
    assert_eq!(said(&world, &stack("1"), "g.gate").await, "no-op (converged)");
    world.cluster.take(&config("goal"));
    assert_eq!(said(&world, &stack("1"), "g.gate").await, "no-op (not-ready)");
    assert_eq!(said(&world, &stack("2"), "g.gate").await, "wait (written-above)");
}

#[tokio::test(start_paused = true)]
async fn an_action_runs_for_its_trigger_once_and_not_at_all_where_its_goal_is_enough_and_holds() {
    let action = |by_goal: bool| {
        let action = Action {
            effect: Effect::Touch {
                target: config("touched"),
                annotation: "touched".to_owned(),
            },
            goal: goal(),
            trigger: json!("v1"),
            satisfied_by_goal: by_goal,
        };
        let mut action = Resource::new(address("x.run"), Node::Action(action));
        action
            .depends_on
            .push(DependsOn::ready(address("a.above"), "it is about it"));
        action
    };
    let stack = |by_goal, value: &str| [object("a.above", "above", &json!({"k": value}), &[]), action(by_goal)];
    for (by_goal, never_ran, ran, ran_below_a_change, ran_and_lost, lost_below_a_change) in [
        (
            true,
            "no-op (ran-already)",
            "no-op (ran-already)",
            "no-op (ran-already)",
            "no-op (not-ready)",
            "run (triggered)",
        ),
        (
            false,
            "run (triggered)",
            "no-op (ran-already)",
            "no-op (ran-already)",
            "no-op (ran-already)",
            "no-op (ran-already)",
        ),
    ] {
        let mut world = World::new();
        put(&world, "goal", &json!({}));
        put(&world, "touched", &json!({}));
        assert_eq!(said(&world, &stack(by_goal, "1"), "x.run").await, "run (triggered)");
        assert!(world.apply(&stack(by_goal, "1")[..1]).await.succeeded());
        assert_eq!(said(&world, &stack(by_goal, "1"), "x.run").await, never_ran);
        assert!(world.apply(&stack(by_goal, "2")).await.succeeded());
        assert_eq!(said(&world, &stack(by_goal, "2"), "x.run").await, ran);
        assert_eq!(said(&world, &stack(by_goal, "3"), "x.run").await, ran_below_a_change);
        world.cluster.take(&config("goal"));
        assert_eq!(said(&world, &stack(by_goal, "2"), "x.run").await, ran_and_lost);
        assert_eq!(said(&world, &stack(by_goal, "3"), "x.run").await, lost_below_a_change);
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_not_ours_takes_a_word_or_the_catalogue_and_never_is_never() {
    let mut world = World::new();
    put(&world, "one", &json!({"k": "1"}));
    let mut stack = [object("a.one", "one", &json!({"k": "1"}), &[])];
    assert_eq!(
        errors(&world, &stack).await,
        ["`a.one`: ConfigMap n/one is there already and not ours"]
    );
    world.adopt = true;
    assert_eq!(said(&world, &stack, "a.one").await, "adopt (consent-given)");
    stack[0].lifecycle.adopt = Adopt::Never;
    assert_eq!(errors(&world, &stack).await.len(), 1);
    world.adopt = false;
    stack[0].lifecycle.adopt = Adopt::Expected;
    assert_eq!(said(&world, &stack, "a.one").await, "adopt (made-by-controller)");
}

#[tokio::test(start_paused = true)]
async fn what_the_stack_says_may_become_ours_needs_no_other_word_and_takes_the_fields_of_others() {
    let mut world = World::new();
    put(&world, "one", &json!({"k": "theirs"}));
    world.cluster.edit(&config("one"), "data.k", json!("theirs"), "other");
    let mut stack = [object("a.one", "one", &json!({"k": "1"}), &[])];
    stack[0].lifecycle.adopt = Adopt::Given;
    assert_eq!(said(&world, &stack, "a.one").await, "adopt (consent-given)");
    let report = world.apply(&stack).await;
    assert!(report.succeeded() && report.adopted == 1, "{report:?}");
    assert_eq!(world.cluster.object(&config("one")).expect("there")["data"]["k"], "1");
}

#[tokio::test(start_paused = true)]
async fn fields_of_others_are_refused_unless_they_were_ours_or_the_object_becomes_ours_or_it_is_forced() {
    let data = |value: &str| json!({"k": value});
    let held_by_another = |name: &str| {
        let world = World::new();
        put(&world, name, &data("theirs"));
        world.cluster.edit(&config(name), "data.k", json!("theirs"), "other");
        world
    };
    let refused = "`a.one`: other owns .data.k of ConfigMap n/one";
    let stack = [object("a.one", "one", &data("ours"), &[])];

    // Adopted as asked, or as the catalogue expects: what others hold comes along.
    let mut world = held_by_another("one");
    world.adopt = true;
    assert_eq!(said(&world, &stack, "a.one").await, "adopt (consent-given)");
    let mut expected = stack.clone();
    expected[0].lifecycle.adopt = Adopt::Expected;
    world.adopt = false;
    assert_eq!(said(&world, &expected, "a.one").await, "adopt (made-by-controller)");
    // And whose it was is said before yes.
    let takes = |plan: &Plan| -> Vec<String> { plan.consequences().iter().map(|one| one.text.clone()).collect() };
    let taken = "takes data.k of ConfigMap n/one from other";
    assert_eq!(takes(&world.plan(&expected).await), [taken]);

    // Ours already, and the field never was: adopting says nothing about that.
    let mut world = World::new();
    assert!(
        world
            .apply(&[object("a.one", "one", &json!({}), &[])])
            .await
            .succeeded()
    );
    world.cluster.edit(&config("one"), "data", data("theirs"), "other");
    world.cluster.edit(&config("one"), "data.k", json!("theirs"), "other");
    for adopt in [false, true] {
        world.adopt = adopt;
        assert_eq!(errors(&world, &stack).await, [refused]);
        assert_eq!(world.refused(&stack).await[0].address(), Some(&address("a.one")));
        assert_eq!(errors(&world, &expected).await, [refused]);
    }
    // Each owner is named with what it owns.
    world.cluster.edit(&config("one"), "data.l", json!("theirs"), "hpa");
    let both = [object("a.one", "one", &json!({"k": "ours", "l": "ours"}), &[])];
    assert_eq!(
        errors(&world, &both).await,
        ["`a.one`: hpa owns .data.l, and other .data.k of ConfigMap n/one"]
    );
    world.force = true;
    assert_eq!(said(&world, &stack, "a.one").await, "update (changed-in-stack)");
    assert_eq!(takes(&world.plan(&stack).await), [taken]);
}

#[tokio::test(start_paused = true)]
async fn what_is_being_deleted_is_made_again_after_that() {
    let mut world = World::new();
    let stack = [object("a.one", "one", &json!({"k": "1"}), &[])];
    assert!(world.apply(&stack).await.succeeded());
    let at = json!("2026-11-28T10:00:00Z");
    world
        .cluster
        .edit(&config("one"), "metadata.deletionTimestamp", at, "server");
    assert_eq!(said(&world, &stack, "a.one").await, "create (terminating)");
}

#[tokio::test(start_paused = true)]
async fn what_goes_with_its_namespace_or_its_kind_is_made_again_after_that() {
    let of =
        |at: &str, manifest: Value| Resource::new(address(at), Node::Object(Object::new(Manifest::written(manifest))));
    let mut definition = of(
        "a.definition",
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.example.com"}, "spec": {"scope": "Namespaced"}}),
    );
    definition.provides.push(Provides {
        kind: GroupKind::new("example.com", "Widget"),
        plural: "widgets".to_owned(),
        namespaced: true,
    });
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}});
    let widget = json!({"apiVersion": "example.com/v1", "kind": "Widget",
        "metadata": {"name": "w", "namespace": "elsewhere"}, "spec": {"size": 1}});
    let stack = [
        of("a.namespace", namespace),
        object("a.one", "one", &json!({"k": "1"}), &["a.namespace"]),
        definition,
        of("a.widget", widget),
    ];
    let mut world = World::new();
    assert!(world.apply(&stack).await.succeeded());
    assert_eq!(world.planned(&stack).await, Vec::<String>::new());
    let at = json!("2026-11-28T10:00:00Z");
    for index in [0, 2] {
        let object = stack[index].object().expect("an object");
        world
            .cluster
            .edit(object, "metadata.deletionTimestamp", at.clone(), "server");
    }
    for one in ["a.namespace", "a.one", "a.definition", "a.widget"] {
        assert_eq!(said(&world, &stack, one).await, "create (terminating)");
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_destroyed_is_not_replaced_in_any_way() {
    let mut world = World::new();
    let kept = |name: &str, channel: &str| {
        let mut kept = object("a.one", name, &json!({"channel": channel}), &[]);
        kept.lifecycle.prevent_destroy = true;
        kept.lifecycle.replace_on.push(FieldPath::of("data.channel"));
        [kept]
    };
    assert!(world.apply(&kept("one", "stable")).await.succeeded());
    let refused = ["`a.one` may not be destroyed (prevent_destroy)"];
    assert_eq!(errors(&world, &kept("one", "beta")).await, refused);
    assert_eq!(errors(&world, &kept("other", "stable")).await, refused);
    world.asked = vec![address("a.one")];
    assert_eq!(errors(&world, &kept("one", "stable")).await, refused);
    // Once it is gone, there is nothing left to keep.
    world.asked.clear();
    world.cluster.take(&config("one"));
    assert_eq!(
        said(&world, &kept("other", "stable"), "a.one").await,
        "create (missing)"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_recorded_of_another_object_says_nothing_of_this_one() {
    let mut world = World::new();
    assert!(
        world
            .apply(&[object("a.one", "old", &json!({"k": "1"}), &[])])
            .await
            .succeeded()
    );
    put(&world, "new", &json!({"k": "9"}));
    world.adopt = true;
    let plan = world.plan(&[object("a.one", "new", &json!({"k": "1"}), &[])]).await;
    let change = &plan.steps[0].changes;
    assert!(change.iter().any(|change| change.path == FieldPath::of("data.k")));
    assert!(change.iter().all(|change| change.drift.is_none()), "{change:?}");
}

#[tokio::test(start_paused = true)]
async fn what_others_may_move_is_not_in_what_a_saved_plan_compares() {
    let mut world = World::new();
    let mut stack = [object("a.one", "one", &json!({"k": "1", "theirs": "1"}), &[])];
    stack[0].lifecycle.ignore_fields.push(FieldPath::of("data.theirs"));
    assert!(world.apply(&stack).await.succeeded());
    let read = world.read(&stack).await;
    let paths: Vec<_> = read[&address("a.one")].paths.keys().map(String::as_str).collect();
    assert!(paths.contains(&".data.k"), "{paths:?}");
    assert!(!paths.contains(&".data.theirs"), "{paths:?}");
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_is_down_below_a_change_is_unverified_whether_or_not_the_object_is_there() {
    let mut world = World::new();
    let account = |labels: &Value| {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": "above", "namespace": "n", "labels": labels}});
        Resource::new(
            address("a.above"),
            Node::Object(Object::new(Manifest::written(account))),
        )
    };
    let stack = |label: &str, value: &str| {
        [
            account(&json!({"l": label})),
            object("b.below", "below", &json!({"k": value}), &["a.above"]),
        ]
    };
    let down = || {
        let down = ProviderError::WebhookUnavailable("hook.example.com".to_owned());
        world.cluster.refuse_dry_runs("ConfigMap", down);
    };
    let unverified = Reason::Unverified {
        webhook: "hook.example.com".to_owned(),
        why: Unasked::TooEarly,
    };
    down();
    let plan = world.plan(&stack("1", "1")).await;
    let below = plan.step(&address("b.below")).expect("a step");
    assert_eq!(below.action.code(), "create");
    assert!(below.reasons.contains(&unverified), "{:?}", below.reasons);

    assert!(world.apply(&stack("1", "1")).await.succeeded());
    let plan = world.plan(&stack("2", "2")).await;
    let below = plan.step(&address("b.below")).expect("a step");
    assert_eq!(below.action.code(), "update");
    assert!(below.reasons.contains(&unverified), "{:?}", below.reasons);
    // With nothing above it, it is the server's last word.
    assert_eq!(errors(&world, &stack("1", "2")).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_new_object_shows_its_fields_and_neither_its_name_nor_a_secret_nor_what_comes_later() {
    let world = World::new();
    let late = |path: &str, source: LateSource, sensitive: bool| Late {
        path: FieldPath::of(path),
        source,
        encoding: Encoding::Plain,
        sensitive,
    };
    let elsewhere = || LateSource::Object {
        address: address("g.gate"),
        object: config("goal"),
        path: FieldPath::of("data.k"),
        encoding: Encoding::Plain,
    };
    let manifest = Manifest::written(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "one", "namespace": "n"}, "data": {"k": "1", "list": {"a": "1"}}}))
    .with_late(late("data.later", elsewhere(), false))
    .with_late(late("data.hidden", elsewhere(), true))
    .with_late(late(
        "data.password",
        LateSource::Generated {
            length: 3,
            unless_exists: None,
        },
        true,
    ));
    let stack = [
        Resource::new(address("g.gate"), Node::Gate(Gate::on(goal().remove(0)))),
        Resource::new(address("a.one"), Node::Object(Object::new(manifest))),
    ];
    let plan = world.plan(&stack).await;
    let shown: Vec<_> = plan
        .step(&address("a.one"))
        .expect("a step")
        .changes
        .iter()
        .map(|change| (change.path.to_string(), change.before.clone(), change.after.clone()))
        .collect();
    let value = |path: &str, value: &str| (path.to_owned(), Shown::Absent, Shown::Value(json!(value)));
    let secret = |path: &str| (path.to_owned(), Shown::Absent, Shown::Secret);
    let later = Shown::KnownAfter("g.gate".to_owned());
    assert_eq!(
        shown,
        [
            secret(".data.hidden"),
            value(".data.k", "1"),
            (".data.later".to_owned(), Shown::Absent, later),
            value(".data.list.a", "1"),
            secret(".data.password"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_field_that_leaves_our_hands_and_is_anothers_too_is_told_as_kept() {
    let mut world = World::new();
    let stack = |data: &Value| [object("a.one", "one", data, &[])];
    assert!(
        world
            .apply(&stack(&json!({"k": "1", "shared": "1", "ours": "1"})))
            .await
            .succeeded()
    );
    let theirs = ApplyRequest {
        object: config("one"),
        body: json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "n"},
            "data": {"k": "1", "shared": "1"}}),
        manager: "other".to_owned(),
        force: false,
        dry_run: false,
    };
    world.cluster.apply(&theirs).await.expect("it is taken as well");
    let plan = world.plan(&stack(&json!({"k": "1"}))).await;
    let kept: Vec<_> = plan.steps[0]
        .reasons
        .iter()
        .filter(|reason| reason.code() == "kept-by")
        .map(ToString::to_string)
        .collect();
    assert_eq!(kept, [".data.shared released, kept by other"]);
    assert_eq!(
        world.planned(&stack(&json!({"k": "1"}))).await,
        ["update a.one (changed-in-stack) .data.ours"]
    );
    // What is gone by now is kept by nobody.
    world.cluster.strip(&config("one"), "data.shared");
    let plan = world.plan(&stack(&json!({"k": "1"}))).await;
    assert!(plan.steps[0].reasons.iter().all(|reason| reason.code() != "kept-by"));
}

#[tokio::test(start_paused = true)]
async fn what_is_in_a_secret_is_shown_to_nobody_whoever_set_it_and_another_groups_secret_is_no_secret() {
    let of = |api_version: &str, value: &str| {
        let manifest = Manifest::written(json!({"apiVersion": api_version, "kind": "Secret",
            "metadata": {"name": "one", "namespace": "n", "labels": {"l": value}}, "data": {"k": value}}));
        [Resource::new(address("a.one"), Node::Object(Object::new(manifest)))]
    };
    for (api_version, is_shown) in [("v1", false), ("example.com/v1", true)] {
        let mut world = World::new();
        assert!(world.apply(&of(api_version, "1")).await.succeeded());
        let plan = world.plan(&of(api_version, "2")).await;
        let shown: Vec<_> = plan.steps[0]
            .changes
            .iter()
            .map(|change| (change.path.to_string(), change.before.clone(), change.after.clone()))
            .collect();
        let value = |value: &str| Shown::Value(json!(value));
        let data = if is_shown {
            (value("1"), value("2"))
        } else {
            (Shown::Secret, Shown::Secret)
        };
        assert_eq!(
            shown,
            [
                (".data.k".to_owned(), data.0, data.1),
                (".metadata.labels.l".to_owned(), value("1"), value("2"))
            ]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_there_before_us_goes_where_the_stack_says_so_and_stays_where_something_keeps_it() {
    let stack = || {
        let mut all = ["found", "kept"].map(|name| object(&format!("a.{name}"), name, &json!({"k": "1"}), &[]));
        for resource in &mut all {
            resource.lifecycle.adopt = Adopt::Given;
            resource.lifecycle.delete_adopted = true;
        }
        all[1].lifecycle.retain = Some("others use it".to_owned());
        all
    };
    let mut world = World::new();
    put(&world, "found", &json!({"k": "1"}));
    put(&world, "kept", &json!({"k": "1"}));
    assert!(world.apply(&stack()).await.succeeded());
    let codes = |plan: &Plan, at: &str| {
        let step = plan.step(&address(at)).expect("a step");
        let reasons: Vec<_> = step.reasons.iter().map(Reason::code).collect();
        format!("{} ({})", step.action.code(), reasons.join(", "))
    };
    let destroyed = world.plan(&[]).await;
    assert_eq!(codes(&destroyed, "a.found"), "delete (destroying, adopted-goes)");
    assert_eq!(codes(&destroyed, "a.kept"), "release (retained)");
    assert!(world.apply(&[]).await.succeeded());
    assert!(world.cluster.object(&config("found")).is_none() && world.cluster.object(&config("kept")).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_a_stack_made_and_let_stay_is_its_own_again_without_a_word_and_may_go_then() {
    let stack = |is_kept: bool| {
        let mut kept = object("a.kept", "kept", &json!({"k": "1"}), &[]);
        kept.lifecycle.retain = is_kept.then(|| "others use it".to_owned());
        [kept]
    };
    let mut world = World::new();
    assert!(world.apply(&stack(true)).await.succeeded());
    assert!(world.apply(&[]).await.succeeded());
    let left = world.cluster.object(&config("kept")).expect("it stays");
    assert_eq!(left["metadata"]["labels"], json!({}));
    assert_eq!(
        left["metadata"]["annotations"],
        json!({"stackctl.dev/made-by": "demo /ConfigMap/n/kept"})
    );
    assert_eq!(said(&world, &stack(true), "a.kept").await, "update (not-recorded)");
    assert!(world.apply(&stack(false)).await.succeeded());
    assert!(world.apply(&[]).await.succeeded());
    assert!(world.cluster.object(&config("kept")).is_none(), "we made it");
}

#[tokio::test(start_paused = true)]
async fn what_leaves_the_stack_is_deleted_released_or_forgotten_and_the_reason_says_which() {
    let stack = || {
        let mut all = ["made", "retained", "recreated", "found", "stays"]
            .map(|name| object(&format!("a.{name}"), name, &json!({"k": "1"}), &[]));
        all[1].lifecycle.retain = Some("others use it".to_owned());
        all[2].lifecycle.self_recreating = true;
        all[3].lifecycle.adopt = Adopt::Expected;
        all
    };
    let mut world = World::new();
    put(&world, "found", &json!({"k": "1"}));
    assert!(world.apply(&stack()).await.succeeded());
    let ends = |plan: &Plan, at: &str| {
        let step = plan.step(&address(at)).expect("a step");
        format!("{} ({})", step.action.code(), step.reasons[0].code())
    };
    let (destroyed, shrunk) = (world.plan(&[]).await, world.plan(&stack()[4..]).await);
    assert_eq!(ends(&destroyed, "a.made"), "delete (destroying)");
    assert_eq!(ends(&shrunk, "a.made"), "delete (no-longer-desired)");
    for plan in [&destroyed, &shrunk] {
        assert_eq!(ends(plan, "a.retained"), "release (retained)");
        assert_eq!(ends(plan, "a.recreated"), "release (self-recreating)");
        assert_eq!(ends(plan, "a.found"), "release (was-there-before)");
    }
    // Another object of that name is none of ours.
    world.cluster.take(&config("made"));
    put(&world, "made", &json!({"k": "1"}));
    assert_eq!(ends(&world.plan(&[]).await, "a.made"), "forget (already-gone)");
}
