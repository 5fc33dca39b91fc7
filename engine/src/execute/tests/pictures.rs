//! Objects before and after a step, as machines are shown them.

use super::*;
use crate::{
    late::{Encoding, Late, LateSource},
    plan::{FieldChange, Picture, Shown, Side, pictures},
};

async fn picture(world: &World, stack: &[Resource], at: &str) -> Picture {
    let (recorded, found) = world.surveyed(stack).await;
    let plan = world.plan(stack).await;
    let mut all = pictures(&plan, stack, &recorded, &found);
    all.remove(&address(at)).expect("a picture")
}

/// `data` of each side, and the paths of secrets and of what is not known yet.
fn shown(picture: &Picture) -> [String; 2] {
    [&picture.before, &picture.after].map(|side| match side {
        None => "-".to_owned(),
        Some(Side {
            value,
            secrets,
            unknown,
        }) => {
            let paths = |paths: &std::collections::BTreeSet<FieldPath>| {
                paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
            };
            format!("{} [{}] [{}]", value["data"], paths(secrets), paths(unknown))
        }
    })
}

fn put(world: &World, name: &str, data: &Value) {
    world.cluster.put(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}, "data": data}),
    );
}

#[tokio::test(start_paused = true)]
async fn an_object_is_pictured_as_far_as_it_is_ours_and_without_our_marks() {
    let mut world = World::new();
    let stack = |data: &Value| [object("a.one", "one", data, &[])];
    let first = stack(&json!({"k": "1", "gone": "1"}));
    assert_eq!(
        shown(&picture(&world, &first, "a.one").await),
        ["-", r#"{"gone":"1","k":"1"} [] []"#]
    );
    assert!(world.apply(&first).await.succeeded());
    world
        .cluster
        .edit(&config("one"), "data.theirs", json!("1"), "kubectl-edit");
    let same = r#"{"gone":"1","k":"1"} [] []"#;
    let unchanged = picture(&world, &first, "a.one").await;
    assert_eq!(shown(&unchanged), [same, same]);
    assert_eq!(
        unchanged.after.expect("there").value,
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "n"},
            "data": {"gone": "1", "k": "1"}})
    );
    assert_eq!(
        shown(&picture(&world, &stack(&json!({"k": "2"})), "a.one").await),
        [same, r#"{"k":"2"} [] []"#]
    );
    // What was recorded of another object is not looked for in this one.
    put(&world, "other", &json!({"gone": "theirs"}));
    world.adopt = true;
    let renamed = [object("a.one", "other", &json!({"k": "1"}), &[])];
    let after = picture(&world, &renamed, "a.one").await.after.expect("there");
    assert_eq!(after.value["data"], json!({"k": "1"}));
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_a_path_and_what_comes_later_is_one_too() {
    let mut world = World::new();
    let late = |path: &str, at: &str, sensitive: bool| Late {
        path: FieldPath::of(path),
        source: LateSource::Object {
            address: address("g.gate"),
            object: config("source"),
            path: FieldPath::of(at),
            encoding: Encoding::Plain,
        },
        encoding: Encoding::Plain,
        sensitive,
    };
    let made = |k: &str| {
        let manifest = Manifest::written(json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "one", "namespace": "n"}, "data": {"k": k}}))
        .with_late(late("data.later", "data.open", false))
        .with_late(late("data.hidden", "data.hidden", true));
        let source = Observation::new(Target::Named(config("source")), Rule::Exists);
        [
            Resource::new(address("g.gate"), Node::Gate(Gate::on(source))),
            Resource::new(address("a.one"), Node::Object(Object::new(manifest))),
        ]
    };
    assert_eq!(
        shown(&picture(&world, &made("1"), "a.one").await),
        ["-", r#"{"k":"1"} [.data.hidden] [.data.later]"#]
    );
    put(&world, "source", &json!({"open": "o", "hidden": "h"}));
    assert!(world.apply(&made("1")).await.succeeded());
    let as_it_is = r#"{"k":"1","later":"o"} [.data.hidden] []"#;
    let same = picture(&world, &made("1"), "a.one").await;
    assert_eq!(shown(&same), [as_it_is, as_it_is]);
    assert!(same.changed_secrets.is_empty());
    put(&world, "source", &json!({"open": "o", "hidden": "another"}));
    let other = picture(&world, &made("2"), "a.one").await;
    assert_eq!(shown(&other), [as_it_is, r#"{"k":"2","later":"o"} [.data.hidden] []"#]);
    let changed: Vec<_> = other.changed_secrets.iter().map(ToString::to_string).collect();
    assert_eq!(changed, [".data.hidden"]);
    // What was a secret is hidden after it left the stack, too.
    let open = [object("a.one", "one", &json!({"k": "1", "hidden": "h"}), &[])];
    let [before, after] = shown(&picture(&world, &open, "a.one").await);
    assert!(
        before.contains("[.data.hidden]") && after.contains("[.data.hidden]"),
        "{before} {after}"
    );
    assert!(
        !before.contains("\"h\"") && !after.contains("\"h\""),
        "{before} {after}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_data_of_a_secret_is_never_pictured() {
    let mut world = World::new();
    let of = |value: &str| {
        let manifest = Manifest::written(json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "s", "namespace": "n"}, "data": {"k": value}}));
        [Resource::new(address("a.secret"), Node::Object(Object::new(manifest)))]
    };
    assert_eq!(
        shown(&picture(&world, &of("MQ=="), "a.secret").await),
        ["-", "null [.data.k] []"]
    );
    assert!(world.apply(&of("MQ==")).await.succeeded());
    let changed = picture(&world, &of("Mg=="), "a.secret").await;
    assert_eq!(shown(&changed), ["null [.data.k] []", "null [.data.k] []"]);
    assert_eq!(changed.changed_secrets.len(), 1);
    assert_eq!(
        shown(&picture(&world, &[], "a.secret").await),
        ["null [.data.k] []", "-"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_goes_is_pictured_as_it_ends() {
    let mut world = World::new();
    put(&world, "target", &json!({"ours": "before", "theirs": "1"}));
    put(&world, "found", &json!({"k": "1"}));
    let mut found = object("a.found", "found", &json!({"k": "1"}), &[]);
    found.lifecycle.adopt = Adopt::Expected;
    let fields = Overlay::new(config("target"), json!({"data": {"ours": "after"}}));
    let stack = [
        object("a.made", "made", &json!({"k": "1"}), &[]),
        found,
        Resource::new(address("b.fields"), Node::Overlay(fields)),
    ];
    assert_eq!(
        shown(&picture(&world, &stack, "b.fields").await),
        [r#"{"ours":"before"} [] []"#, r#"{"ours":"after"} [] []"#]
    );
    assert!(world.apply(&stack).await.succeeded());
    let there = r#"{"k":"1"} [] []"#;
    assert_eq!(shown(&picture(&world, &[], "a.made").await), [there, "-"]);
    assert_eq!(shown(&picture(&world, &[], "a.found").await), [there, there]);
    assert_eq!(
        shown(&picture(&world, &[], "b.fields").await),
        [r#"{"ours":"after"} [] []"#, r#"{"ours":"before"} [] []"#]
    );
    // Gone already, or another one in its place.
    world.cluster.take(&config("made"));
    assert_eq!(picture(&world, &[], "a.made").await, Picture::default());
    put(&world, "made", &json!({"k": "1"}));
    assert_eq!(picture(&world, &[], "a.made").await, Picture::default());
}

#[test]
fn of_what_is_known_by_its_changes_alone_only_those_are_pictured() {
    let change = |path: &str, before: Shown, after: Shown| FieldChange {
        path: FieldPath::of(path),
        before,
        after,
        drift: None,
    };
    let changes = [
        change("data.k", Shown::Value(json!("1")), Shown::Value(json!("2"))),
        change("data.new", Shown::Absent, Shown::KnownAfter("g.gate".to_owned())),
        change("data.s", Shown::Secret, Shown::Secret),
        change("data.t", Shown::Absent, Shown::Secret),
    ];
    let there = Picture::of_changes(&config("one"), &changes, false);
    assert_eq!(
        shown(&there),
        [
            r#"{"k":"1"} [.data.s] []"#,
            r#"{"k":"2"} [.data.s .data.t] [.data.new]"#
        ]
    );
    let side = there.before.as_ref().expect("there");
    assert_eq!(side.value["metadata"], json!({"name": "one", "namespace": "n"}));
    let changed: Vec<_> = there.changed_secrets.iter().map(ToString::to_string).collect();
    assert_eq!(changed, [".data.s"]);
    assert_eq!(Picture::of_changes(&config("one"), &changes, true).after, None);
}
