//! Where resources stand: once, and for as long as somebody looks.

use crate::{
    address::Address,
    digest::Digest,
    execute::{follow, look},
    graph::Graph,
    manifest::Manifest,
    marks::Identity,
    object_key::{ObjectRef, ObjectType},
    packed::Packed,
    readiness::{Observation, Rule, Target},
    recorded::{Origin, Recorded, RecordedDestroy, RecordedNode, RecordedObject},
    resource::{Action, DependsOn, Effect, Gate, Node, Object, Resource},
    status::{Is, Standing, Subject, Tally, held_up_by, put_by},
    testing::Memory,
};
use futures_util::stream;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

fn config(name: &str) -> ObjectRef {
    ObjectRef::namespaced("v1", "ConfigMap", "n", name)
}

/// A ConfigMap that is ready once its `phase` is `up`.
fn resource(at: &str, name: &str, after: &[&str]) -> Resource {
    let manifest = Manifest::written(json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "n"}}));
    let ready = Rule::equals("data.phase", "up");
    let mut resource = Resource::new(address(at), Node::Object(Object::ready_when(manifest, ready)));
    let on = |to: &&str| DependsOn::ready(address(to), "it calls it");
    resource.depends_on = after.iter().map(on).collect();
    resource
}

fn live(name: &str, phase: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}, "data": {"phase": phase}})
}

fn recorded(at: &str, node: RecordedNode) -> (Address, Recorded) {
    let known = Recorded {
        address: address(at),
        node,
        edges: Vec::new(),
        destroy: RecordedDestroy::default(),
    };
    (address(at), known)
}

fn recorded_object(object: ObjectRef) -> RecordedNode {
    RecordedNode::Object(RecordedObject {
        object,
        uid: "u".to_owned(),
        origin: Origin::Created,
        manager: "stackctl/s".to_owned(),
        sent: Digest::of_bytes(b"sent"),
        manifest: Packed::default(),
        fields: Arc::default(),
        sensitive: BTreeSet::new(),
        key_id: None,
        owned: None,
    })
}

/// `db.one` is there, `app.one` needs it, `edge.gate` waits for both.
fn stack() -> (Vec<Resource>, Graph) {
    let seen = Observation::new(Target::Named(config("edge")), Rule::Exists);
    let mut gate = Resource::new(address("edge.gate"), Node::Gate(Gate::on(seen)));
    gate.depends_on = vec![DependsOn::ready(address("app.one"), "it routes to it")];
    let resources = vec![
        resource("db.one", "db", &[]),
        resource("app.one", "app", &["db.one"]),
        gate,
    ];
    let graph = Graph::new(&resources).expect("a graph");
    (resources, graph)
}

async fn looked(cluster: &Memory, subjects: &[Subject]) -> Vec<(String, &'static str, Vec<String>)> {
    let standings = look(cluster, subjects, 4).await.expect("it answers");
    let row = |one: &Standing| {
        let waits = one.waits_for.iter().map(|edge| edge.to.to_string()).collect();
        (one.address.to_string(), one.is.code(), waits)
    };
    standings.iter().map(row).collect()
}

fn row(at: &str, code: &'static str, waits: &[&str]) -> (String, &'static str, Vec<String>) {
    (at.to_owned(), code, waits.iter().map(|to| (*to).to_owned()).collect())
}

#[tokio::test]
async fn who_waits_names_what_is_not_as_far_as_it_asks() {
    let (resources, graph) = stack();
    let subjects = Subject::of_stack(&resources, &graph, &BTreeMap::new());
    let cluster = Memory::new();
    cluster.put(live("db", "starting"));
    assert_eq!(
        looked(&cluster, &subjects).await,
        [
            row("db.one", "not-ready", &[]),
            row("app.one", "absent", &["db.one"]),
            row("edge.gate", "not-ready", &["app.one"])
        ]
    );
    let standings = look(&cluster, &subjects, 4).await.expect("it answers");
    assert_eq!(held_up_by(&standings), [(&address("db.one"), 2)]);
    for object in [live("db", "up"), live("app", "up"), live("edge", "")] {
        cluster.put(object);
    }
    let standings = look(&cluster, &subjects, 4).await.expect("it answers");
    assert!(Tally::of(&standings).is_all_ready(), "{standings:?}");
    assert_eq!(held_up_by(&standings), []);
}

#[tokio::test]
async fn what_another_stack_made_is_not_taken_for_ours_until_it_is_recorded() {
    let (resources, graph) = stack();
    let (ours, theirs) = (
        Arc::new(super::identity()),
        Identity {
            stack: "big".to_owned(),
            lineage: "other".to_owned(),
        },
    );
    let subjects: Vec<_> = Subject::of_stack(&resources, &graph, &BTreeMap::new())
        .into_iter()
        .map(|one| one.of(&ours))
        .collect();
    let cluster = Memory::new();
    let mut marked = live("db", "up");
    let object = subjects[0].object.clone().expect("an object");
    theirs.mark(&mut marked, &subjects[0].address, &object);
    cluster.put(marked);
    let standings = look(&cluster, &subjects, 4).await.expect("it answers");
    assert_eq!(standings[0].is, Is::Failed("belongs to the stack `big`".to_owned()));
    cluster.put(live("db", "up"));
    let standings = look(&cluster, &subjects, 4).await.expect("it answers");
    assert!(standings[0].is.is_ready(), "{:?}", standings[0].is);
}

#[tokio::test]
async fn what_is_on_its_way_out_is_not_ready_whatever_its_status_still_says() {
    let (resources, graph) = stack();
    let subjects = Subject::of_stack(&resources, &graph, &BTreeMap::new());
    let cluster = Memory::new();
    let mut going = live("db", "up");
    going["metadata"]["deletionTimestamp"] = json!("2026-11-22T10:31:00Z");
    going["metadata"]["finalizers"] = json!(["example.com/data"]);
    cluster.put(going);
    let standings = look(&cluster, &subjects, 4).await.expect("it answers");
    assert_eq!(
        standings[0].is,
        Is::Going("ConfigMap db waits for its finalizers: example.com/data".to_owned())
    );
    let mut namespace = json!({"kind": "Namespace", "metadata": {"name": "n"}});
    namespace["status"]["conditions"] = json!([
        {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "all resources were discovered"},
        {"type": "NamespaceContentRemaining", "status": "True", "message": "Some resources are remaining: models. has 1"},
    ]);
    assert_eq!(
        crate::status::going(&namespace),
        "Namespace n is still there; Some resources are remaining: models. has 1"
    );
}

#[tokio::test]
async fn of_the_record_alone_nothing_is_called_ready_that_only_the_stack_knows() {
    let model = ObjectRef::namespaced("example.com/v1", "Model", "n", "m");
    let all = BTreeMap::from([
        recorded("a.map", recorded_object(config("db"))),
        recorded("b.model", recorded_object(model)),
        recorded("c.gate", RecordedNode::Gate),
        recorded(
            "d.approved",
            RecordedNode::Action {
                trigger: Digest::of_bytes(b"t"),
            },
        ),
    ]);
    let by_kind = |object: &RecordedObject| {
        let known = object.object.object_type == ObjectType::new("v1", "ConfigMap");
        known.then(|| Observation::new(Target::Named(object.object.clone()), Rule::Exists))
    };
    let subjects = Subject::of_record(&all, by_kind);
    let cluster = Memory::new();
    cluster.put(live("db", ""));
    cluster.put(json!({"apiVersion": "example.com/v1", "kind": "Model", "metadata": {"name": "m", "namespace": "n"}}));
    let codes = |rows: Vec<(String, &'static str, Vec<String>)>| rows.into_iter().map(|row| row.1).collect::<Vec<_>>();
    assert_eq!(
        codes(looked(&cluster, &subjects).await),
        ["ready", "unknown", "unknown", "ready"]
    );
    cluster.take(&config("db"));
    assert_eq!(codes(looked(&cluster, &subjects).await)[0], "absent");
}

#[tokio::test]
async fn what_left_the_stack_comes_last_and_counts_for_nothing() {
    let (resources, graph) = stack();
    let known = BTreeMap::from([recorded("a.old", recorded_object(config("old")))]);
    let subjects = Subject::of_stack(&resources, &graph, &known);
    let standings = look(&Memory::new(), &subjects, 4).await.expect("it answers");
    assert_eq!(standings[3].address, address("a.old"));
    let tally = Tally::of(&standings);
    assert_eq!((tally.total(), tally.left), (3, 1));
}

#[tokio::test]
async fn a_follower_is_told_of_every_change_and_of_nothing_else() {
    let (resources, graph) = stack();
    let subjects = Subject::of_stack(&resources, &graph, &BTreeMap::new());
    let cluster = Memory::new();
    let mut told = Vec::new();
    // Each change is made once the one before it was told.
    let mut changes = vec![
        live("edge", ""),
        live("app", "up"),
        live("db", "up"),
        live("other", "x"),
    ];
    follow(&cluster, subjects, stream::pending(), |watched| {
        told.push(watched.standings.iter().map(|one| one.is.code()).collect::<Vec<_>>());
        if Tally::of(watched.standings).is_all_ready() {
            return ControlFlow::Break(());
        }
        if told.len() == 1 {
            cluster.put(changes.pop().expect("what nobody looks at"));
        }
        changes.pop().into_iter().for_each(|object| cluster.put(object));
        ControlFlow::Continue(())
    })
    .await;
    assert_eq!(
        told,
        [
            ["absent", "absent", "not-ready"],
            ["ready", "absent", "not-ready"],
            ["ready", "ready", "not-ready"],
            ["ready", "ready", "ready"]
        ]
    );
}

#[tokio::test]
async fn a_broken_watch_is_told_and_what_was_seen_stays() {
    let (resources, graph) = stack();
    let subjects = Subject::of_stack(&resources, &graph, &BTreeMap::new());
    let cluster = Memory::new();
    let mut troubles = Vec::new();
    follow(&cluster, subjects, stream::pending(), |watched| {
        troubles.push(watched.trouble.map(str::to_owned));
        match troubles.len() {
            1 => cluster.break_watches(),
            2 => cluster.mend_watches(),
            _ => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    })
    .await;
    assert_eq!(troubles, [None, Some("the connection broke".to_owned()), None]);
}

#[tokio::test]
async fn an_action_has_run_once_that_is_recorded_and_not_before() {
    let restart = Action {
        effect: Effect::Restart { target: config("db") },
        goal: vec![Observation::new(Target::Named(config("db")), Rule::Exists)],
        trigger: Value::Null,
        satisfied_by_goal: false,
    };
    let resources = vec![Resource::new(address("db.restart"), Node::Action(restart))];
    let graph = Graph::new(&resources).expect("a graph");
    let mut subjects = Subject::of_stack(&resources, &graph, &BTreeMap::new());
    let cluster = Memory::new();
    cluster.put(live("db", "up"));
    assert_eq!(looked(&cluster, &subjects).await, [row("db.restart", "not-ready", &[])]);
    subjects[0].learn(true);
    assert_eq!(looked(&cluster, &subjects).await, [row("db.restart", "ready", &[])]);
}

#[test]
fn of_a_finalizer_it_is_told_who_put_it_there_and_when_they_last_wrote() {
    let entry = |manager: &str, fields: Value| json!({"manager": manager, "operation": "Update", "fieldsV1": fields});
    let mut by = entry(
        "manager",
        json!({"f:metadata": {"f:finalizers": {".": {}, "v:\"x.io/data\"": {}}}}),
    );
    by["time"] = json!("2026-11-28T10:00:00Z");
    let live = json!({"metadata": {"finalizers": ["x.io/data", "x.io/timeless", "x.io/nobody"], "managedFields": [
        by, entry("other", json!({"f:metadata": {"f:finalizers": {"v:\"x.io/timeless\"": {}}}})),
    ]}});
    assert_eq!(
        put_by(&live),
        [
            "x.io/data was put there by manager, which last wrote it at 2026-11-28T10:00:00Z",
            "x.io/timeless was put there by other"
        ]
    );
}
