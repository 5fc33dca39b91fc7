//! What is written reads back, and what was written by format 1 stays readable.

use super::{
    names::{StoredPath, path_set, stored_paths},
    record::StoredDocument,
    *,
};
use crate::sample;
use proptest::prelude::*;
use serde_json::{Value, json};
use stackctl_engine::{
    FieldPath, ObjectRef,
    digest::Digest,
    document::htpasswd::User,
    execute::Outcome,
    field::PathElement,
    object_key::ObjectType,
    packed::Packed,
    readiness::Target,
    recorded::{
        Claimed, Origin, RecordedDestroy, RecordedDocument, RecordedFragment, RecordedNode, RecordedObject, Undo,
    },
    resource::{Claim, NeededBy},
};

/// Files that format 1 wrote: never to be changed, only added to.
const SAMPLE_STATE: &[u8] = include_bytes!("sample.state.json");
const SAMPLE_JOURNAL: &str = include_str!("sample.journal");

fn without_writer(bytes: &[u8]) -> Value {
    let mut value: Value = serde_json::from_slice(bytes).expect("JSON");
    value["written_by"].take();
    value
}

#[test]
fn a_state_of_this_format_is_read_as_it_was_written() {
    assert_eq!(state_from_bytes(SAMPLE_STATE).expect("readable"), sample::state());
    assert_eq!(
        without_writer(&state_to_bytes(&sample::state())),
        without_writer(SAMPLE_STATE)
    );
}

#[test]
fn a_journal_of_this_format_is_read_as_it_was_written() {
    let lines: Vec<_> = SAMPLE_JOURNAL.lines().collect();
    assert_eq!(lines.len(), sample::entries().len());
    for (index, (line, entry)) in lines.into_iter().zip(sample::entries()).enumerate() {
        let read = crate::format::decode_line(line.as_bytes()).expect("readable");
        let serial = 42 + u64::try_from(index).expect("few lines");
        let written = crate::format::encode_line(serial, "l1", &entry);
        // The first line of several things was written under version 1.
        if serial != 54 {
            assert_eq!(written.strip_suffix(b"\n"), Some(line.as_bytes()));
        }
        assert_eq!((read.serial, read.lineage.as_str(), read.entry), (serial, "l1", entry));
    }
}

#[test]
fn what_goes_along_with_a_resource_is_written_and_read() {
    let mut record = sample::gate("a.b");
    let needed_by = NeededBy {
        of: ObjectType::new("operators.coreos.com/v1alpha1", "Subscription"),
        at: FieldPath::of("status.installedCSV"),
    };
    let object = ObjectRef::namespaced("v1", "ConfigMap", "n", "one");
    record.destroy.claims.push(Claimed {
        object: object.clone(),
        uid: "u".to_owned(),
        why: "made for it".to_owned(),
        needed_by: Some(needed_by.clone()),
    });
    record.destroy.claiming.push(Claim {
        target: Target::Named(object),
        why: "made for it".to_owned(),
        needed_by: Some(needed_by),
    });
    let entry = Entry::Outcome(Outcome::Recorded(Box::new(record)));
    let written = crate::format::encode_line(7, "l", &entry);
    let read = crate::format::decode_line(written.strip_suffix(b"\n").expect("a line")).expect("readable");
    assert_eq!(read.entry, entry);
    let text = String::from_utf8(written).expect("JSON");
    let kept = r#""needed_by":{"of":{"api_version":"operators.coreos.com/v1alpha1","kind":"Subscription"},"at":["status","installedCSV"]}"#;
    assert_eq!(text.matches(kept).count(), 2, "{text}");
}

#[test]
fn a_line_says_the_version_that_its_reader_has_to_know() {
    let version = |entry: &Entry| {
        let line: Value = serde_json::from_str(&line_to_text(7, "l", entry)).expect("JSON");
        line["version"].clone()
    };
    let one = Entry::Settled(sample::address("a.b"));
    assert_eq!(version(&one), 1, "an older program reads it");
    assert_eq!(
        version(&Entry::Together(vec![one])),
        2,
        "an older program says that it is newer"
    );
}

#[test]
fn a_field_that_this_version_does_not_know_is_refused() {
    let mut value: Value = serde_json::from_slice(SAMPLE_STATE).expect("JSON");
    value["recorded"][0]["colour"] = json!("red");
    let error = state_from_bytes(value.to_string().as_bytes()).expect_err("unknown");
    assert!(error.to_string().contains("unknown field `colour`"), "{error}");
}

#[test]
fn an_address_that_is_recorded_twice_is_refused() {
    let mut value: Value = serde_json::from_slice(SAMPLE_STATE).expect("JSON");
    let first = value["recorded"][0].clone();
    value["recorded"].as_array_mut().expect("a list").push(first);
    let error = state_from_bytes(value.to_string().as_bytes()).expect_err("twice");
    assert_eq!(error.to_string(), "`maas.database` is recorded twice");
}

#[test]
fn no_two_odd_paths_are_written_alike() {
    let paths = sample::odd_paths();
    let texts: std::collections::BTreeSet<_> = paths
        .iter()
        .map(|path| serde_json::to_string(&StoredPath::from(path)).expect("JSON"))
        .collect();
    assert_eq!(texts.len(), paths.len());
    assert_eq!(path_set(stored_paths(&paths)), paths);
}

fn any_path() -> impl Strategy<Value = FieldPath> {
    let element = prop_oneof![
        any::<String>().prop_map(|name| PathElement::Field(name.into())),
        prop::collection::btree_map(any::<String>(), any::<String>(), 0..3).prop_map(PathElement::Key),
        any::<String>().prop_map(PathElement::Value),
        any::<usize>().prop_map(PathElement::Index),
    ];
    prop::collection::vec(element, 0..6).prop_map(|elements| {
        elements
            .into_iter()
            .fold(FieldPath::root(), |path, next| path.child(next))
    })
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_address() -> impl Strategy<Value = Address> {
    ("[a-z][a-z0-9-]{0,8}", any::<String>(), "[a-z]{1,8}").prop_map(|(component, key, role)| {
        use stackctl_engine::address::Segment;
        let first = Segment::keyed(&component, &key).or_else(|_| Segment::new(&component));
        let segments = vec![first.expect("a name"), Segment::new(&role).expect("a name")];
        Address::new(segments).expect("two segments")
    })
}

fn any_record() -> impl Strategy<Value = Recorded> {
    let written = (
        any::<[Option<String>; 3]>(),
        any_value(),
        prop::collection::btree_set(any_path(), 0..5),
    );
    let undo = prop::collection::vec((any_path(), prop::option::of(any_value())), 0..3);
    (any_address(), written, undo, any::<bool>()).prop_map(|(address, (texts, manifest, fields), undo, whole)| {
        let [namespace, key_id, retain] = texts;
        let object = RecordedObject {
            object: ObjectRef {
                namespace,
                ..ObjectRef::cluster("v1", "Secret", "x")
            },
            uid: String::new(),
            origin: Origin::Created,
            manager: "m".to_owned(),
            sent: Digest::of(&manifest),
            manifest: Packed::of(&manifest),
            sensitive: fields.clone(),
            fields: std::sync::Arc::new(fields),
            owned: key_id.as_ref().map(|id| Digest::of_bytes(id.as_bytes())),
            key_id,
        };
        let undo = undo.into_iter().map(|(path, prior)| Undo {
            absent_ancestors: vec![path.clone()],
            path,
            prior,
            prior_owner: None,
        });
        Recorded {
            address,
            node: if whole {
                RecordedNode::Object(object)
            } else {
                RecordedNode::Overlay {
                    object,
                    undo: undo.collect(),
                    documents: Vec::new(),
                }
            },
            edges: Vec::new(),
            destroy: RecordedDestroy {
                retain,
                ..RecordedDestroy::default()
            },
        }
    })
}

fn any_document() -> impl Strategy<Value = RecordedDocument> {
    let digests = || prop::collection::vec(any::<[u8; 4]>().prop_map(|bytes| Digest::of_bytes(&bytes)), 0..3);
    let fragment = prop_oneof![
        (any::<String>(), any_value(), prop::option::of(any_value()))
            .prop_map(|(key, written, prior)| RecordedFragment::YamlKey { key, written, prior }),
        (any::<String>(), any_value(), prop::option::of(any_value()))
            .prop_map(|(by, written, prior)| RecordedFragment::ListItem { by, written, prior }),
        (digests(), digests()).prop_map(|(written, prior)| RecordedFragment::Pem { written, prior }),
        ("[^:\r\n]{1,9}", digests(), any::<bool>()).prop_map(|(user, written, was_there)| RecordedFragment::Htpasswd {
            user: User::new(&user).expect("a name"),
            written,
            was_there,
        }),
    ];
    let ancestors = prop::collection::vec(any_path(), 0..2);
    (any_path(), fragment, any::<bool>(), ancestors).prop_map(|(at, fragment, made_text, absent_ancestors)| {
        RecordedDocument {
            at,
            fragment,
            made_text,
            absent_ancestors,
        }
    })
}

#[test]
fn certificates_are_stored_as_their_digests() {
    let digest = Digest::of_bytes(b"x");
    let document = RecordedDocument {
        at: FieldPath::of(r#"data["ca-bundle.crt"]"#),
        fragment: RecordedFragment::Pem {
            written: vec![digest],
            prior: Vec::new(),
        },
        made_text: true,
        absent_ancestors: Vec::new(),
    };
    assert_eq!(
        serde_json::to_value(StoredDocument::from(&document)).expect("JSON"),
        json!({"at": ["data", "ca-bundle.crt"], "pem": {"written": [digest.to_string()], "prior": []}, "made_text": true})
    );
}

#[test]
fn a_users_line_is_stored_as_its_digest() {
    let digest = Digest::of_bytes(b"x");
    let document = RecordedDocument {
        at: FieldPath::of("data.htpasswd"),
        fragment: RecordedFragment::Htpasswd {
            user: User::new("bob").expect("a name"),
            written: vec![digest],
            was_there: false,
        },
        made_text: false,
        absent_ancestors: Vec::new(),
    };
    let stored = json!({"at": ["data", "htpasswd"],
        "htpasswd": {"user": "bob", "written": [digest.to_string()], "was_there": false}, "made_text": false});
    assert_eq!(
        serde_json::to_value(StoredDocument::from(&document)).expect("JSON"),
        stored
    );
    let mut bent = stored;
    bent["htpasswd"]["user"] = json!("bob:x");
    let read: StoredDocument = serde_json::from_value(bent).expect("its form");
    assert!(RecordedDocument::try_from(read).is_err());
}

proptest! {
    #[test]
    fn every_document_reads_back(document in any_document()) {
        let text = serde_json::to_string(&StoredDocument::from(&document)).expect("JSON");
        let read: StoredDocument = serde_json::from_str(&text).expect("its own text");
        prop_assert_eq!(RecordedDocument::try_from(read).expect("its own text"), document);
    }

    #[test]
    fn every_path_reads_back(path in any_path()) {
        let text = serde_json::to_string(&StoredPath::from(&path)).expect("JSON");
        let read: StoredPath = serde_json::from_str(&text).expect("its own text");
        prop_assert_eq!(FieldPath::from(read), path);
    }

    #[test]
    fn every_record_reads_back(record in any_record()) {
        let text = serde_json::to_string(&StoredRecord::from(&record)).expect("JSON");
        let read: StoredRecord = serde_json::from_str(&text).expect("its own text");
        prop_assert_eq!(Recorded::try_from(read).expect("its own text"), record);
    }
}
