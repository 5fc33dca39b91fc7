//! A state in which every kind of record, step and edge is there once, for tests.

use crate::{
    journal::Entry,
    recorded::{State, StateIdentity},
};
use serde_json::json;
use stackctl_engine::{
    Address, FieldPath, ObjectRef, ObjectType,
    digest::{Digest, StackKey},
    execute::{Intent, Outcome},
    facts::{Fact, Facts, Holding},
    field::PathElement,
    graph::{Edge, EdgeClass, EdgeSource, Until},
    packed::Packed,
    readiness::{Matcher, Observation, Rule, Target},
    recorded::{
        Claimed, Origin, Owner, Recorded, RecordedDestroy, RecordedDocument, RecordedFragment, RecordedNode,
        RecordedObject, Undo,
    },
    resource::{DestroyStep, Remains},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

pub(crate) fn address(text: &str) -> Address {
    text.parse().expect("an address")
}

/// A record of a gate: the smallest one.
pub(crate) fn gate(text: &str) -> Recorded {
    Recorded {
        address: address(text),
        node: RecordedNode::Gate,
        edges: Vec::new(),
        destroy: RecordedDestroy::default(),
    }
}

pub(crate) fn recorded(text: &str) -> Entry {
    Entry::Outcome(Outcome::Recorded(Box::new(gate(text))))
}

pub(crate) fn act(text: &str, what: &str) -> Intent {
    Intent::Act {
        address: address(text),
        what: what.to_owned(),
    }
}

pub(crate) fn written(origin: Origin) -> RecordedObject {
    RecordedObject {
        object: ObjectRef::namespaced("v1", "Secret", "demo", "db"),
        uid: "u1".to_owned(),
        origin,
        manager: "stackctl/demo".to_owned(),
        sent: Digest::of(&json!("sent")),
        manifest: Packed::of(
            &json!({"data": {"password": StackKey::new([7; 32]).digest(b"hidden").to_string()}, "type": "Opaque"}),
        ),
        fields: std::sync::Arc::new([FieldPath::of("data.password"), FieldPath::of("type")].into()),
        sensitive: [FieldPath::of("data.password")].into(),
        key_id: Some("k1".to_owned()),
        owned: None,
    }
}

fn overlay() -> RecordedNode {
    let path = FieldPath::of("spec.containers[name=main]")
        .child(PathElement::Value("\"a\"".to_owned()))
        .child(PathElement::Index(2));
    RecordedNode::Overlay {
        object: written(Origin::Adopted),
        undo: vec![
            Undo {
                path,
                prior: None,
                absent_ancestors: vec![FieldPath::of("spec.containers")],
                prior_owner: Some(Owner {
                    manager: "kubectl-edit".to_owned(),
                    by_apply: false,
                }),
            },
            Undo {
                path: FieldPath::root(),
                prior: Some(json!(null)),
                absent_ancestors: Vec::new(),
                prior_owner: None,
            },
        ],
        documents: vec![RecordedDocument {
            at: FieldPath::of(r#"data["config.yaml"]"#),
            fragment: RecordedFragment::YamlKey {
                key: "enableUserWorkload".to_owned(),
                written: json!(true),
                prior: Some(json!(false)),
            },
            made_text: false,
            absent_ancestors: Vec::new(),
        }],
    }
}

fn edges(of: &str) -> Vec<Edge> {
    let classes = [EdgeClass::Needs, EdgeClass::Contains];
    let sources = [
        EdgeSource::Namespace,
        EdgeSource::Provider,
        EdgeSource::SameObject,
        EdgeSource::Late,
        EdgeSource::Declared,
    ];
    let edge = |(index, source): (usize, EdgeSource)| Edge {
        from: address(of),
        to: address(r#"model["a.b"].service"#),
        until: [Until::Applied, Until::Ready][index % 2],
        reason: format!("reason {index}"),
        class: classes[index % 2],
        source,
    };
    sources.into_iter().enumerate().map(edge).collect()
}

fn destroy() -> RecordedDestroy {
    let pods = ObjectType::new("v1", "Pod");
    let timeout = Duration::from_millis(90_500);
    let target = ObjectRef::cluster("operator.example.com/v1", "Operand", "default");
    let rules = Rule::All(vec![
        Rule::Exists,
        Rule::condition("Ready"),
        Rule::ConditionReason {
            kind: "Ready".to_owned(),
            reasons: vec!["Removed".to_owned()],
        },
        Rule::Any(vec![
            Rule::non_empty("status.a"),
            Rule::equals("status.b", json!(null)),
            Rule::Field {
                path: FieldPath::of("status.c"),
                is: Matcher::OneOf(vec![json!(0.1), json!(-1)]),
            },
            Rule::Field {
                path: FieldPath::of("status.d"),
                is: Matcher::AtLeast(3),
            },
            Rule::Field {
                path: FieldPath::of("status.e"),
                is: Matcher::ContainsText("x".to_owned()),
            },
            Rule::Field {
                path: FieldPath::of("status.f"),
                is: Matcher::Holds(json!("y")),
            },
            Rule::Field {
                path: FieldPath::of("status.g"),
                is: Matcher::AllStartWith(vec!["z".to_owned()]),
            },
        ]),
        Rule::Not(Box::new(Rule::RolledOut)),
        Rule::PodReady,
        Rule::ContainerStuck {
            reasons: vec!["ImagePullBackOff".to_owned()],
        },
    ]);
    let awaited = [
        Target::Named(target.clone()),
        Target::labelled(pods.clone(), "demo", "app", "db", 1),
        Target::Some {
            of: pods.clone(),
            namespace: None,
            labels: BTreeMap::new(),
            at_least: 2,
        },
        Target::Linked {
            from: target.clone(),
            at: FieldPath::of("status.installed"),
            of: pods.clone(),
        },
        Target::Prefixed {
            of: pods,
            namespace: "demo".to_owned(),
            prefixes: vec!["a-".to_owned()],
            unless_labelled: Some("foreign".to_owned()),
        },
    ];
    let gone = awaited
        .into_iter()
        .map(|target| DestroyStep::AwaitGone { target, timeout });
    let steps = [
        DestroyStep::Patch {
            target: target.clone(),
            patch: json!({"spec": {"state": "Removed", "old": null}}),
        },
        DestroyStep::Await {
            observation: Observation::new(Target::Named(target.clone()), rules).failing_when(Rule::Exists),
            timeout,
        },
    ];
    RecordedDestroy {
        prevent: true,
        retain: Some("it holds data".to_owned()),
        delete_adopted: true,
        self_recreating: true,
        steps: steps.into_iter().chain(gone).collect(),
        claims: vec![Claimed {
            object: target.clone(),
            uid: "u2".to_owned(),
            why: "installed with it".to_owned(),
            needed_by: None,
        }],
        claiming: Vec::new(),
        remains: vec![Remains {
            object: target,
            why: "kept".to_owned(),
        }],
        holds_data: true,
    }
}

pub(crate) fn records() -> Vec<Recorded> {
    let record = |text: &str, node: RecordedNode, destroy: RecordedDestroy| Recorded {
        address: address(text),
        node,
        edges: edges(text),
        destroy,
    };
    vec![
        record(
            "maas.database",
            RecordedNode::Object(written(Origin::Created)),
            destroy(),
        ),
        record("rhoai.dashboard-flags", overlay(), RecordedDestroy::default()),
        gate("rhoai.installed"),
        record(
            r#"model["a.b"].restart"#,
            RecordedNode::Action {
                trigger: Digest::of(&json!("trigger")),
            },
            RecordedDestroy::default(),
        ),
    ]
}

pub(crate) fn facts() -> Facts {
    let mut facts = Facts::default();
    let fact = |value, holding| Fact {
        value,
        source: "Infrastructure cluster .status".to_owned(),
        holding,
    };
    facts.insert("cluster.name", fact(json!("demo-7x9"), Holding::Live));
    facts.insert("aws.ami", fact(json!(null), Holding::Pinned));
    facts
}

pub(crate) fn intents() -> Vec<Intent> {
    vec![
        Intent::Write(Box::new(records().remove(1))),
        Intent::Delete {
            address: address("a.delete"),
            object: ObjectRef::namespaced("v1", "Pod", "demo", "p"),
            uid: "u3".to_owned(),
        },
        act("a.act", "restarts the dashboard"),
    ]
}

pub(crate) fn entries() -> Vec<Entry> {
    let mut entries: Vec<_> = intents().into_iter().map(Entry::Intent).collect();
    entries.extend(
        records()
            .into_iter()
            .map(|record| Entry::Outcome(Outcome::Recorded(Box::new(record)))),
    );
    entries.extend([
        Entry::Outcome(Outcome::Forgotten(address("rhoai.installed"))),
        Entry::Outcome(Outcome::Took {
            address: address("maas.database"),
            milliseconds: 1_500,
        }),
        Entry::Settled(address("a.act")),
        Entry::Moved {
            from: address("maas.database"),
            to: address("maas.store"),
        },
        Entry::Facts(facts()),
        together(),
        together(),
    ]);
    entries
}

fn together() -> Entry {
    Entry::Together(vec![
        Entry::Outcome(Outcome::Forgotten(address("a.act"))),
        Entry::Settled(address("a.b")),
    ])
}

pub(crate) fn state() -> State {
    let identity = StateIdentity {
        stack: "demo".to_owned(),
        cluster_id: "c1".to_owned(),
        lineage: "l1".to_owned(),
        created: "2026-11-24T02:00:00Z".to_owned(),
        created_by: "0.1.0".to_owned(),
    };
    let by_address = records().into_iter().map(|record| (record.address.clone(), record));
    let durations = BTreeMap::from([(address("maas.database"), Duration::from_millis(1_500))]);
    State::from_parts(identity, 41, by_address.collect(), facts(), durations, intents())
}

/// Paths that a text form would easily confuse.
pub(crate) fn odd_paths() -> BTreeSet<FieldPath> {
    [r"a.b", "a", "[0]", "", r#"{"key":{}}"#, "\n\u{0}"]
        .into_iter()
        .flat_map(|text| {
            [
                FieldPath::root().field(text),
                FieldPath::root().child(PathElement::Value(text.to_owned())),
                FieldPath::root().child(PathElement::Key([(text.to_owned(), text.to_owned())].into())),
                FieldPath::root().child(PathElement::Key(BTreeMap::new())),
            ]
        })
        .collect()
}
