//! What machines see of an object before and after a step, through the planner.

use super::*;
use crate::{
    late::{Encoding, Late, LateSource},
    plan::{Picture, pictures},
};

impl World {
    /// The pictures of a plan.
    async fn pictures(&self, resources: &[Resource]) -> BTreeMap<Address, Picture> {
        let (identity, key, recorded) = (identity(), StackKey::new([1; 32]), self.recorded(resources));
        let request = SurveyRequest {
            resources,
            recorded: &recorded,
            identity: &identity,
            key: Some(&key),
            parallelism: 4,
        };
        let found = survey(&self.cluster, &request, &Fixed)
            .await
            .expect("the cluster answers");
        pictures(&self.plan(resources).await, resources, &recorded, &found)
    }
}

fn sides<'a>(all: &'a BTreeMap<Address, Picture>, at: &str) -> (Option<&'a Value>, Option<&'a Value>) {
    let picture = all.get(&address(at)).expect("a picture");
    let value = |side: &'a Option<crate::plan::Side>| side.as_ref().map(|side| &side.value);
    (value(&picture.before), value(&picture.after))
}

#[tokio::test(start_paused = true)]
async fn a_picture_has_what_is_ours_and_nothing_of_others() {
    let mut world = World::new();
    let stack = |k: &str| {
        [
            object("a.one", "one", &json!({"k": k, "same": "1"}), &[]),
            object("b.two", "two", &json!({"k": "2"}), &[]),
        ]
    };
    let all = world.pictures(&stack("1")).await;
    let data = |object: Option<&Value>| object.map_or(Value::Null, |object| object["data"].clone());
    let (before, after) = sides(&all, "a.one");
    assert_eq!((before, data(after)), (None, json!({"k": "1", "same": "1"})));

    world.apply(&stack("1")).await;
    let one = stack("1")[0].object().expect("an object").clone();
    world.cluster.edit(&one, "data.theirs", json!("hush"), "somebody");
    let all = world.pictures(&stack("2")[..1]).await;
    let (before, after) = sides(&all, "a.one");
    assert_eq!(data(before), json!({"k": "1", "same": "1"}));
    assert_eq!(data(after), json!({"k": "2", "same": "1"}));
    assert_eq!(
        before.map(|object| &object["metadata"]),
        after.map(|object| &object["metadata"])
    );
    assert!(!format!("{all:?}").contains("hush"), "{all:?}");
    // What left the stack goes.
    let (before, after) = sides(&all, "b.two");
    assert_eq!((data(before), after), (json!({"k": "2"}), None));
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_in_a_picture_and_that_one_changes_is() {
    let mut world = World::new();
    let secret = |name: &str| ObjectRef::namespaced("v1", "Secret", "n", name);
    let source = |value: &str| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "source", "namespace": "n"},
            "data": {"password": value}})
    };
    let copy = Manifest::written(
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "copy", "namespace": "n"}}),
    )
    .with_late(Late {
        path: FieldPath::of("data.password"),
        source: LateSource::Object {
            address: address("b.source"),
            object: secret("source"),
            path: FieldPath::of("data.password"),
            encoding: Encoding::Base64,
        },
        encoding: Encoding::Base64,
        sensitive: true,
    });
    let gate = Gate::on(Observation::new(Target::Named(secret("source")), Rule::Exists));
    let stack = [
        Resource::new(address("a.secret"), Node::Object(Object::new(copy))),
        Resource::new(address("b.source"), Node::Gate(gate)),
    ];
    world.cluster.put(source("Zmlyc3Q="));
    world.apply(&stack).await;
    let of = |all: &BTreeMap<Address, Picture>| all.get(&address("a.secret")).expect("a picture").clone();
    let same = of(&world.pictures(&stack).await);
    assert!(same.changed_secrets.is_empty());
    world.cluster.put(source("c2Vjb25k"));
    let changed = of(&world.pictures(&stack).await);
    let path = FieldPath::of("data.password");
    assert!(changed.changed_secrets.contains(&path));
    // Also once it left the stack.
    let gone = of(&world.pictures(&stack[1..]).await);
    for picture in [&same, &changed, &gone] {
        assert!(picture.before.as_ref().is_some_and(|side| side.secrets.contains(&path)));
        let text = format!("{picture:?}");
        assert!(!text.contains("Zmlyc3Q") && !text.contains("c2Vjb25k"), "{text}");
    }
}
