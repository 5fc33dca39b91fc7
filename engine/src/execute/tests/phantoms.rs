//! Updates that are none: what is as desired, and recorded otherwise or not at all.

use super::*;
use crate::{
    execute::adopted,
    late::{Encoding, Late, LateSource},
};

impl World {
    /// Plans and applies what changes nothing but the record; the plan after it is empty.
    async fn records_only(&mut self, stack: &[Resource], planned: &[&str]) {
        assert_eq!(self.planned(stack).await, planned);
        let plan = self.plan(stack).await;
        assert!(!plan.has_changes(), "{:?}", plan.counts());
        assert_eq!(plan.counts().record, planned.len());
        let report = self.apply(stack).await;
        assert!(report.succeeded() && report.updated == 0, "{report:?}");
        assert_eq!(self.planned(stack).await, Vec::<String>::new());
    }

    /// Records what is there at an address, as an import does.
    fn import(&mut self, resource: &Resource) {
        let object = resource.object().expect("it makes one");
        let live = self.cluster.object(object).expect("there");
        let record = adopted(resource, &live, &[], &identity(), None).expect("an object");
        self.kept.recorded.insert(record.address.clone(), record);
    }
}

fn one(data: &Value) -> Resource {
    object("a.one", "one", data, &[])
}

#[tokio::test(start_paused = true)]
async fn a_field_that_is_ignored_from_now_on_is_a_matter_of_the_record() {
    let mut world = World::new();
    let said = json!({"k": "1", "scale": "1"});
    world.apply(&[one(&said)]).await;
    let mut ignoring = one(&said);
    ignoring.lifecycle.ignore_fields = vec![FieldPath::of("data.scale")];
    world
        .records_only(std::slice::from_ref(&ignoring), &["record a.one (record-only)"])
        .await;
    // It was moved by others before it was said that they may, and is left to them.
    let mut world = World::new();
    world.apply(&[one(&said)]).await;
    world.cluster.edit(&config("one"), "data.scale", json!("3"), "scaler");
    world.records_only(&[ignoring], &["record a.one (record-only)"]).await;
    let live = world.cluster.object(&config("one")).expect("there");
    assert_eq!(live["data"], json!({"k": "1", "scale": "3"}));
}

#[tokio::test(start_paused = true)]
async fn what_others_moved_beside_it_has_drifted_and_is_no_change_of_the_stack() {
    let mut world = World::new();
    let said = json!({"k": "1", "scale": "1"});
    world.apply(&[one(&said)]).await;
    world.cluster.edit(&config("one"), "data.k", json!("2"), "kubectl-edit");
    let mut ignoring = one(&said);
    ignoring.lifecycle.ignore_fields = vec![FieldPath::of("data.scale")];
    assert_eq!(world.planned(&[ignoring]).await, ["update a.one (drifted) .data.k"]);
    // Another value of the stack for what drifted is one.
    let other = one(&json!({"k": "3", "scale": "1"}));
    assert_eq!(
        world.planned(&[other]).await,
        ["update a.one (changed-in-stack) .data.k"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_ours_and_not_recorded_any_more_is_recorded_again() {
    let mut world = World::new();
    let stack = [one(&json!({"k": "1"}))];
    world.apply(&stack).await;
    world.kept.recorded.clear();
    world.records_only(&stack, &["record a.one (not-recorded)"]).await;
    world.kept.recorded.clear();
    let other = [one(&json!({"k": "2"}))];
    assert_eq!(world.planned(&other).await, ["update a.one (not-recorded) .data.k"]);
    // Imported in place of that.
    world.import(&stack[0]);
    world.records_only(&stack, &["record a.one (record-only)"]).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_made_by_hand_as_the_stack_says_gets_marks_and_nothing_else() {
    let mut world = World::new();
    world.cluster.put(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "one", "namespace": "n"}, "data": {"k": "1"}}));
    let stack = [one(&json!({"k": "1"}))];
    world.import(&stack[0]);
    let planned = world.planned(&stack).await;
    assert_eq!(planned.len(), 1);
    assert!(
        planned[0].starts_with("update a.one (marked) .metadata."),
        "{planned:?}"
    );
    assert!(!planned[0].contains(".data"), "{planned:?}");
    world.apply(&stack).await;
    assert_eq!(world.planned(&stack).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_value_from_elsewhere_that_changed_is_told_as_such() {
    let mut world = World::new();
    let source = |word: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "source", "namespace": "n"}, "data": {"word": word}});
    let with = |at: &str| {
        let manifest = Manifest::written(json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "s", "namespace": "n"}}))
        .with_late(Late {
            path: FieldPath::of("data.password"),
            source: LateSource::Object {
                address: address(at),
                object: config("source"),
                path: FieldPath::of("data.word"),
                encoding: Encoding::Plain,
            },
            encoding: Encoding::Base64,
            sensitive: true,
        });
        [
            Resource::new(address("a.secret"), Node::Object(Object::new(manifest))),
            Resource::new(
                address(at),
                Node::Gate(Gate::on(Observation::new(
                    Target::Named(config("source")),
                    Rule::Exists,
                ))),
            ),
        ]
    };
    let stack = with("b.source");
    world.cluster.put(source("first"));
    world.apply(&stack).await;
    assert_eq!(world.planned(&stack).await, Vec::<String>::new());
    world.cluster.put(source("second"));
    assert_eq!(
        world.planned(&stack).await,
        ["update a.secret (value-changed) .data.password"]
    );
    // That it is taken from another address is no change of it.
    world.cluster.put(source("first"));
    let moved = with("c.source");
    let planned = world.planned(&moved).await;
    assert_eq!(planned[0], "record a.secret (record-only)", "{planned:?}");
}
