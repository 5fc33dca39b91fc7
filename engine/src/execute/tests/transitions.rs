//! What steps make of their objects, and what is told of it, through the planner.

use super::*;
use crate::{
    document::htpasswd::User,
    late::{Encoding, Late, LateSource},
    plan::{Transition, transitions},
    resource::{Consequence, ConsequenceClass, DestroyStep, Document, DocumentCodec},
};

impl World {
    /// What counts as recorded, and what was found.
    pub(super) async fn surveyed(&self, resources: &[Resource]) -> (BTreeMap<Address, Recorded>, Survey) {
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
        (recorded, found)
    }

    /// A plan, and what its steps make of their objects.
    async fn transitions(&self, resources: &[Resource]) -> (Plan, Vec<Transition>) {
        let (recorded, found) = self.surveyed(resources).await;
        let plan = self.plan(resources).await;
        let all = transitions(&plan, resources, &recorded, &found, |_| true);
        (plan, all)
    }

    /// One line an object: what it holds before and after.
    async fn made_of(&self, resources: &[Resource]) -> Vec<String> {
        let (_, all) = self.transitions(resources).await;
        let data = |object: &Option<Value>| {
            object
                .as_ref()
                .map_or("-".to_owned(), |object| object["data"].to_string())
        };
        let line = |one: &Transition| {
            let (before, after) = (data(&one.before), data(&one.after));
            format!("{} {}: {before} => {after}", one.address, one.object.name)
        };
        all.iter().map(line).collect()
    }
}

/// Says what a key of a ConfigMap was and will be.
fn told(transitions: &[Transition]) -> BTreeMap<Address, Vec<Consequence>> {
    let say = |one: &Transition| {
        let k = |object: &Option<Value>| {
            object
                .as_ref()
                .map_or(Value::Null, |object| object["data"]["k"].clone())
        };
        let consequence = Consequence {
            class: ConsequenceClass::Disruption,
            text: format!("turns {} into {}", k(&one.before), k(&one.after)),
        };
        (one.address.clone(), vec![consequence])
    };
    transitions.iter().map(say).collect()
}

fn texts(plan: &Plan, at: &str) -> Vec<String> {
    let step = plan.step(&address(at)).expect("a step");
    step.consequences.iter().map(|one| one.text.clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_update_carries_what_is_told_of_it_and_what_stays_says_nothing() {
    let mut world = World::new();
    let stack = |k: &str| {
        let mut changed = object("a.one", "one", &json!({"k": k}), &[]);
        changed.consequences.push(Consequence {
            class: ConsequenceClass::Notice,
            text: "says so whenever it is written".to_owned(),
        });
        [changed, object("b.two", "two", &json!({"k": "same"}), &[])]
    };
    world.apply(&stack("1")).await;
    let (plan, all) = world.transitions(&stack("2")).await;
    let plan = plan.with_consequences(told(&all));
    assert_eq!(
        texts(&plan, "a.one"),
        ["says so whenever it is written", r#"turns "1" into "2""#]
    );
    assert_eq!(texts(&plan, "b.two"), Vec::<String>::new());
    // Shown by class, and the same from the same.
    let shown: Vec<_> = plan.consequences().iter().map(|one| one.text.as_str()).collect();
    assert_eq!(shown, [r#"turns "1" into "2""#, "says so whenever it is written"]);
    let (again, all) = world.transitions(&stack("2")).await;
    assert_eq!(again.with_consequences(told(&all)), plan);
}

#[tokio::test(start_paused = true)]
async fn before_is_what_is_there_and_after_what_the_server_would_hold() {
    let mut world = World::new();
    world
        .apply(&[object("a.one", "one", &json!({"k": "1", "gone": "1"}), &[])])
        .await;
    world
        .cluster
        .edit(&config("one"), "data.theirs", json!("x"), "somebody");
    world
        .cluster
        .edit(&config("one"), "data.k", json!("drifted"), "somebody");
    let stack = [
        object("a.one", "one", &json!({"k": "2"}), &[]),
        object("b.new", "new", &json!({"k": "1"}), &[]),
    ];
    assert_eq!(
        world.made_of(&stack).await,
        [
            r#"a.one one: {"gone":"1","k":"drifted","theirs":"x"} => {"k":"2","theirs":"x"}"#,
            r#"b.new new: - => {"k":"1"}"#,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_goes_has_no_after_and_what_is_given_back_has_what_was_there() {
    let mut world = World::new();
    world.cluster.put(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "theirs", "namespace": "n"}, "data": {"k": "prior", "switch": "off", "other": "kept"}}));
    let fields = json!({"data": {"k": "ours", "new": "ours", "switch": "on"}});
    let mut taken = Resource::new(
        address("c.taken"),
        Node::Overlay(Overlay::new(config("theirs"), fields)),
    );
    taken.lifecycle.on_destroy.push(DestroyStep::Patch {
        target: config("theirs"),
        patch: json!({"data": {"switch": "removed"}}),
    });
    world
        .apply(&[object("a.one", "one", &json!({"k": "1"}), &[]), taken])
        .await;
    let ends = [
        r#"c.taken theirs: {"k":"ours","new":"ours","other":"kept","switch":"on"} => {"k":"prior","other":"kept","switch":"removed"}"#,
        r#"a.one one: {"k":"1"} => -"#,
    ];
    assert_eq!(world.made_of(&[]).await, ends);
    world.apply(&[]).await;
    assert_eq!(
        world.cluster.object(&config("theirs")).expect("there")["data"],
        json!({"k": "prior", "other": "kept", "switch": "removed"}),
        "the forecast is what happens"
    );
}

#[tokio::test(start_paused = true)]
async fn an_address_that_names_another_object_ends_the_old_one() {
    let mut world = World::new();
    world.apply(&[object("a.one", "old", &json!({"k": "1"}), &[])]).await;
    let renamed = [object("a.one", "new", &json!({"k": "1"}), &[])];
    assert_eq!(
        world.made_of(&renamed).await,
        [r#"a.one old: {"k":"1"} => -"#, r#"a.one new: - => {"k":"1"}"#]
    );
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_in_a_transition_and_that_one_changes_is() {
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
    world.cluster.edit(
        &secret("copy"),
        r#"metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]"#,
        json!(r#"{"data":{"password":"Zmlyc3Q="}}"#),
        "somebody",
    );
    let (_, same) = world.transitions(&stack).await;
    assert_eq!(same[0].changed_secrets.len(), 0);
    world.cluster.put(source("c2Vjb25k"));
    let (_, all) = world.transitions(&stack).await;
    let changed: Vec<_> = all[0].changed_secrets.iter().map(ToString::to_string).collect();
    assert_eq!(changed, [".data.password"]);
    let text = format!("{all:?}");
    assert!(!text.contains("Zmlyc3Q") && !text.contains("c2Vjb25k"), "{text}");
}

/// Users and their passwords in the htpasswd text of a Secret.
fn users(lines: &[(&str, &str)]) -> [Resource; 1] {
    let mut overlay = Overlay::new(ObjectRef::namespaced("v1", "Secret", "n", "users"), Value::Null);
    let line = |(user, password): &(&str, &str)| Document {
        at: FieldPath::of("data.htpasswd"),
        codec: DocumentCodec::Htpasswd {
            user: User::new(user).expect("a name"),
            password: LateSource::Input(SecretInput::Command(vec!["echo".to_owned(), (*password).to_owned()])),
        },
    };
    overlay.documents = lines.iter().map(line).collect();
    [Resource::new(address("users.lines"), Node::Overlay(overlay))]
}

#[tokio::test(start_paused = true)]
async fn of_users_lines_only_those_that_change_are_named() {
    let mut world = World::new();
    world.cluster.put(json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "users", "namespace": "n"}, "data": {"htpasswd": "dGhlaXJzOngK"}}));
    let logins = async |world: &World, stack: &[Resource]| {
        let (_, all) = world.transitions(stack).await;
        let logins = all.iter().flat_map(|one| &one.logins);
        let told: Vec<_> = logins.map(|(user, change)| format!("{user} {change:?}")).collect();
        told.join(", ")
    };
    let both = users(&[("alice", "Alice1234!"), ("bob", "Bob1234!")]);
    assert_eq!(logins(&world, &both).await, "alice Added, bob Added");
    world.apply(&both).await;
    assert_eq!(logins(&world, &both).await, "");
    let other = users(&[("alice", "Alice1234!"), ("bob", "another")]);
    assert_eq!(logins(&world, &other).await, "bob Replaced");
    let alone = users(&[("alice", "Alice1234!")]);
    assert_eq!(logins(&world, &alone).await, "bob TakenOut");
    assert_eq!(logins(&world, &[]).await, "alice TakenOut, bob TakenOut");
    // What somebody else made of a line is not ours to take out.
    world.cluster.edit(
        &ObjectRef::namespaced("v1", "Secret", "n", "users"),
        "data.htpasswd",
        json!("Ym9iOngK"),
        "somebody",
    );
    assert_eq!(logins(&world, &[]).await, "");
}

#[tokio::test(start_paused = true)]
async fn made_again_is_what_is_deleted_and_comes_back_under_its_name_and_nothing_else() {
    let mut world = World::new();
    let stack = |name: &str| [object("a.one", name, &json!({"k": "1"}), &[])];
    world.apply(&stack("one")).await;
    let again = |all: &[Transition]| -> Vec<String> {
        let line = |one: &Transition| format!("{} {}: {}", one.action.code(), one.object.name, one.is_made_again());
        all.iter().map(line).collect()
    };
    world.asked = vec![address("a.one")];
    assert_eq!(again(&world.transitions(&stack("one")).await.1), ["replace one: true"]);
    world.asked = Vec::new();
    assert_eq!(again(&world.transitions(&stack("one")).await.1), ["no-op one: false"]);
    let renamed = world.transitions(&stack("two")).await.1;
    assert_eq!(again(&renamed), ["replace one: false", "create two: false"]);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_was_generated_for_something_else_is_not_drawn_anew_by_the_way() {
    let mut world = World::new();
    let secret = |unless_exists: Option<ObjectRef>| {
        let manifest = Manifest::written(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "password", "namespace": "n"}}),
        )
        .with_late(Late {
            path: FieldPath::of("data.password"),
            source: LateSource::Generated {
                length: 8,
                unless_exists,
            },
            encoding: Encoding::Base64,
            sensitive: true,
        });
        [Resource::new(address("a.secret"), Node::Object(Object::new(manifest)))]
    };
    assert!(world.apply(&secret(None)).await.succeeded());
    world.asked = vec![address("a.secret")];
    assert_eq!(
        texts(&world.plan(&secret(None)).await, "a.secret"),
        ["generates the secret values of Secret n/password anew: what still uses the old ones fails"]
    );
    let errors = world.refused(&secret(Some(config("database")))).await;
    assert_eq!(
        errors[0].to_string(),
        "`a.secret` cannot be replaced: its value was generated for ConfigMap n/database, which still uses it"
    );
}
