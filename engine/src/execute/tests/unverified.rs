//! What cannot be verified yet is planned all the same, and said to be unverified; what can never be is an error.

use super::*;
use crate::{
    execute::ProviderError,
    object_key::GroupKind,
    plan::{Action, PlanError, Reason, Step, Unasked},
    resource::Provides,
};

fn config_map(data: &Value) -> Vec<Resource> {
    vec![object("a.one", "one", data, &[])]
}

fn takes_no_dry_run() -> ProviderError {
    ProviderError::TakesNoDryRun {
        webhook: "audit.example.com".to_owned(),
    }
}

async fn step(world: &World, stack: &[Resource], at: &str) -> Step {
    world.plan(stack).await.step(&address(at)).expect("a step").clone()
}

fn is_unverified(step: &Step, why: Unasked) -> bool {
    let reason = Reason::Unverified {
        webhook: "audit.example.com".to_owned(),
        why,
    };
    step.reasons.contains(&reason) && step.reasons.iter().any(|reason| reason.code() == "unverified")
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_takes_no_dry_run_is_named_and_ends_no_plan() {
    let mut world = World::new();
    world.cluster.refuse_dry_runs("ConfigMap", takes_no_dry_run());
    let stack = config_map(&json!({"k": "1", "old": "x"}));
    let first = step(&world, &stack, "a.one").await;
    assert_eq!(first.action, Action::Create);
    assert!(is_unverified(&first, Unasked::TakesNoDryRun), "{:?}", first.reasons);
    assert_eq!(
        first.reasons[1].to_string(),
        "not verified: webhook audit.example.com takes no dry run"
    );
    assert!(world.apply(&stack).await.succeeded());
    assert_eq!(world.planned(&stack).await, Vec::<String>::new());

    // Fields of others, and values that hold already, differ in nothing; what changes and what is taken out does.
    world
        .cluster
        .edit(&config("one"), "data.theirs", json!("y"), "kubectl-edit");
    assert_eq!(world.planned(&stack).await, Vec::<String>::new());
    world.kept.recorded.clear();
    assert_eq!(world.planned(&stack).await, ["record a.one (not-recorded)"]);
    let changed = config_map(&json!({"k": "2"}));
    assert_eq!(
        world.planned(&changed).await,
        ["update a.one (not-recorded) .data.k .data.old"]
    );
    let update = step(&world, &changed, "a.one").await;
    assert!(is_unverified(&update, Unasked::TakesNoDryRun));
    assert!(world.apply(&changed).await.succeeded());
    assert_eq!(
        world.cluster.object(&config("one")).expect("there")["data"],
        json!({"k": "2", "theirs": "y"})
    );
    assert_eq!(world.planned(&changed).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_is_there_and_not_ours_is_refused_though_nobody_was_asked() {
    let mut world = World::new();
    let stack = config_map(&json!({"k": "1"}));
    world
        .cluster
        .put(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "n"}}));
    world.cluster.refuse_dry_runs("ConfigMap", takes_no_dry_run());
    let refused = world.refused(&stack).await;
    assert!(matches!(refused.as_slice(), [PlanError::NotOurs { .. }]), "{refused:?}");
    world.cluster.take(&config("one"));
    assert!(world.apply(&stack).await.succeeded());
}

#[tokio::test(start_paused = true)]
async fn a_denial_below_what_is_still_to_come_is_unverified_and_with_nothing_above_an_error() {
    let mut world = World::new();
    let secret = Manifest::written(
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "above", "namespace": "n"}}),
    );
    let above = Resource::new(address("a.above"), Node::Object(Object::new(secret)));
    let below = object("b.below", "below", &json!({"k": "1"}), &["a.above"]);
    let stack = vec![above, below];
    world.cluster.refuse_dry_runs(
        "ConfigMap",
        ProviderError::Denied {
            webhook: Some("audit.example.com".to_owned()),
            message: "there is no account".to_owned(),
        },
    );
    let early = step(&world, &stack, "b.below").await;
    assert_eq!(early.action, Action::Create);
    assert!(is_unverified(&early, Unasked::TooEarly), "{:?}", early.reasons);
    assert_eq!(
        early.reasons[1].to_string(),
        "not verified: audit.example.com answers only later"
    );

    assert!(world.apply(&stack[..1]).await.succeeded());
    let refused = world.refused(&stack).await;
    assert!(
        matches!(refused.as_slice(), [PlanError::Refused { address, .. }] if address.to_string() == "b.below"),
        "{refused:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_nobody_serves_and_nothing_brings_is_an_error() {
    let world = World::new();
    world.cluster.unserve("ConfigMap");
    let stack = config_map(&json!({"k": "1"}));
    let refused = world.refused(&stack).await;
    assert_eq!(
        refused.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["`a.one`: the cluster does not serve v1 ConfigMap, and no resource brings it"]
    );

    let mut brought = config_map(&json!({"k": "1"}));
    let definition = Manifest::written(
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator", "namespace": "n"}}),
    );
    let mut operator = Resource::new(address("b.operator"), Node::Object(Object::new(definition)));
    operator.provides.push(Provides {
        kind: GroupKind::new("", "ConfigMap"),
        plural: "configmaps".to_owned(),
        namespaced: true,
    });
    brought.push(operator);
    let waits = step(&world, &brought, "a.one").await;
    assert_eq!(
        (waits.action, waits.reasons[0].code()),
        (Action::Create, "kind-or-namespace-to-come")
    );
}
