//! What a run that ended early wrote, of which there is no outcome: the record that it would have had.
//!
//! In: what was intended, and the object as it is. Out: a record. Pure.
//!
//! Invariants:
//! - A field that our manager holds by apply has the value that we gave it, whatever the intent could know beforehand: it is
//!   given back like one that was recorded.
//! - What is recorded is older knowledge of what was there before us, and counts; an intent adds what no record has.

use crate::{
    FieldPath,
    address::Address,
    digest::Digest,
    ownership::applied_leaves,
    packed::Packed,
    recorded::{Recorded, RecordedDocument, RecordedNode, RecordedObject, Undo},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

/// A write that came through, of which there is no outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The record that it would have had ([`found`]).
    pub record: Recorded,
    /// Whether the cluster's copy alone knows of it: of what the state itself has open nothing was recorded since.
    pub is_left: bool,
}

/// Of what was found, in the order in which it was intended, what is not recorded: by its address, at most once.
///
/// Each is held against what is recorded and never against another one: of two intents of one address the later one saw
/// more, since the first was made of a plan.
pub fn taken_up(recorded: &BTreeMap<Address, Recorded>, found: Vec<Found>) -> BTreeMap<Address, Found> {
    let of_records = recorded.values().filter_map(Recorded::object);
    let uids: HashSet<&str> = of_records.map(|object| object.uid.as_str()).collect();
    let mut taken = BTreeMap::new();
    for Found { record, is_left } in found {
        let record = match &record.node {
            // It was recorded after all, and may have another address since.
            RecordedNode::Object(object) if is_left && uids.contains(object.uid.as_str()) => continue,
            RecordedNode::Object(object) => {
                let last = recorded.get(&record.address).and_then(Recorded::object);
                if last.is_some_and(|last| last.uid == object.uid) {
                    continue;
                }
                record
            }
            RecordedNode::Overlay { .. } if is_left => {
                let known = recorded.values().find(|known| is_of_one_overlay(known, &record));
                match known.map(|known| with_more(known, &record)) {
                    None => record,
                    Some(Some(both)) => both,
                    Some(None) => continue,
                }
            }
            RecordedNode::Overlay { .. } | RecordedNode::Gate | RecordedNode::Action { .. } => record,
        };
        taken.insert(record.address.clone(), Found { record, is_left });
    }
    taken
}

/// Whether two records are of one overlay of one object, at whichever address.
fn is_of_one_overlay(one: &Recorded, other: &Recorded) -> bool {
    match (&one.node, &other.node) {
        (RecordedNode::Overlay { object: one, .. }, RecordedNode::Overlay { object: other, .. }) => {
            one.object == other.object && one.uid == other.uid && one.manager == other.manager
        }
        _ => false,
    }
}

/// The record of a write that came through, by its intent and by the object as it is; it is as it would be after an answer,
/// but for what only an answer tells.
pub fn found(intended: &Recorded, live: &Value) -> Recorded {
    let mut record = intended.clone();
    let is_overlay = matches!(record.node, RecordedNode::Overlay { .. });
    if let RecordedNode::Object(object) | RecordedNode::Overlay { object, .. } = &mut record.node {
        live["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut object.uid);
        if is_overlay {
            object.manifest = written(object, live);
        }
    }
    record
}

/// The same as something else than what is desired, so that it is written again.
pub fn to_be_written_again(mut record: Recorded) -> Recorded {
    if let RecordedNode::Object(object) | RecordedNode::Overlay { object, .. } = &mut record.node {
        object.sent = Digest::of(&Value::Null);
    }
    record
}

/// The values of an overlay's fields: of those that it holds as they are, of the others as the intent has them.
fn written(object: &RecordedObject, live: &Value) -> Packed {
    let held = applied_leaves(live, &object.manager).unwrap_or_default();
    let is_held = |path: &FieldPath| held.iter().any(|leaf| leaf.contains(path) || path.contains(leaf));
    let mut values = object.manifest.open();
    let open = object.fields.iter().filter(|path| !object.sensitive.contains(*path));
    for path in open.filter(|path| is_held(path)) {
        match path.get(live) {
            Some(value) => path.set(&mut values, value.clone()),
            None => drop(path.remove(&mut values)),
        }
    }
    Packed::of(&values)
}

/// Of records of one overlay, one that is recorded and one that was found ([`found`]), the one that knows what both know;
/// nothing where the recorded one knows it all, or they are not of one overlay.
fn with_more(known: &Recorded, found: &Recorded) -> Option<Recorded> {
    let (
        RecordedNode::Overlay {
            object: last,
            undo: undo_known,
            documents: documents_known,
        },
        RecordedNode::Overlay {
            object: now,
            undo,
            documents,
        },
    ) = (&known.node, &found.node)
    else {
        return None;
    };
    let is_known = |undo: &Undo| undo_known.iter().any(|known| known.path == undo.path);
    let knows_all = undo.iter().all(is_known) && documents.iter().all(|document| documents_known.contains(document));
    if knows_all && !holds_another_value(last, now) {
        return None;
    }
    let mut both = found.clone();
    both.address = known.address.clone();
    both.destroy.claims.clone_from(&known.destroy.claims);
    if let RecordedNode::Overlay {
        object,
        undo,
        documents,
    } = &mut both.node
    {
        object.origin = last.origin;
        let left_out = fields_of_the_first_alone(last, object);
        add_fields(object, last, &left_out);
        undo.retain(|undo| !undo_known.iter().any(|known| known.path == undo.path));
        undo.extend(undo_known.iter().cloned());
        let parts: BTreeSet<FieldPath> = documents.iter().map(RecordedDocument::path).collect();
        let others = documents_known.iter().filter(|known| !parts.contains(&known.path()));
        documents.extend(others.cloned().collect::<Vec<_>>());
    }
    Some(both)
}

/// Whether a field of both has another value since it was recorded. What is secret is known by its digest alone.
fn holds_another_value(recorded: &RecordedObject, now: &RecordedObject) -> bool {
    let (recorded_values, values) = (recorded.manifest.open(), now.manifest.open());
    recorded
        .fields
        .intersection(&now.fields)
        .filter(|path| !recorded.sensitive.contains(*path) && !now.sensitive.contains(*path))
        .any(|path| path.get(&recorded_values) != path.get(&values))
}

fn fields_of_the_first_alone(first: &RecordedObject, second: &RecordedObject) -> Vec<FieldPath> {
    first.fields.difference(&second.fields).cloned().collect()
}

/// Adds fields of another record of the object, with their values.
fn add_fields(object: &mut RecordedObject, of: &RecordedObject, fields: &[FieldPath]) {
    if fields.is_empty() {
        return;
    }
    let (mut values, theirs) = (object.manifest.open(), of.manifest.open());
    for path in fields {
        if let Some(value) = path.get(&theirs) {
            path.set(&mut values, value.clone());
        }
    }
    object.manifest = Packed::of(&values);
    Arc::make_mut(&mut object.fields).extend(fields.iter().cloned());
    let sensitive = of.sensitive.iter().filter(|path| fields.contains(path));
    object.sensitive.extend(sensitive.cloned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        document::RecordedFragment,
        object_key::ObjectRef,
        recorded::{Origin, RecordedDestroy},
    };
    use serde_json::json;

    const MANAGER: &str = "stackctl/s/a.b";

    /// An overlay of `data`, with what was there before, and with values as they are recorded.
    fn overlay(prior: &[(&str, Value)], manifest: &Value, documents: Vec<RecordedDocument>) -> Recorded {
        let path = |name: &str| FieldPath::of(&format!("data.{name}"));
        let object = RecordedObject {
            object: ObjectRef::namespaced("v1", "ConfigMap", "n", "c"),
            uid: String::new(),
            origin: Origin::Adopted,
            manager: MANAGER.to_owned(),
            sent: Digest::of(&json!("as desired")),
            manifest: Packed::of(manifest),
            fields: Arc::new(prior.iter().map(|(name, _)| path(name)).collect()),
            sensitive: BTreeSet::new(),
            key_id: None,
            owned: None,
        };
        let undo = prior.iter().map(|(name, prior)| Undo {
            path: path(name),
            prior: Some(prior.clone()),
            absent_ancestors: Vec::new(),
            prior_owner: None,
        });
        Recorded {
            address: "a.b".parse().expect("an address"),
            node: RecordedNode::Overlay {
                undo: undo.collect(),
                object,
                documents,
            },
            edges: Vec::new(),
            destroy: RecordedDestroy::default(),
        }
    }

    /// The same as a whole object.
    fn as_object(mut record: Recorded) -> Recorded {
        if let RecordedNode::Overlay { object, .. } = record.node {
            record.node = RecordedNode::Object(object);
        }
        record
    }

    fn key(key: &str, prior: &str) -> RecordedDocument {
        RecordedDocument {
            at: FieldPath::of("data.text"),
            fragment: RecordedFragment::YamlKey {
                key: key.to_owned(),
                written: json!("ours"),
                prior: Some(json!(prior)),
            },
            made_text: false,
            absent_ancestors: Vec::new(),
        }
    }

    fn parts(record: &Recorded) -> (Vec<(String, Value)>, Vec<RecordedDocument>, Value) {
        let RecordedNode::Overlay {
            object,
            undo,
            documents,
        } = &record.node
        else {
            panic!("it is an overlay")
        };
        let mut priors: Vec<_> = undo
            .iter()
            .map(|undo| (undo.path.to_string(), undo.prior.clone().unwrap_or_default()))
            .collect();
        priors.sort_by(|one, other| one.0.cmp(&other.0));
        (priors, documents.clone(), object.manifest.open())
    }

    #[test]
    fn what_our_manager_holds_has_the_value_that_we_gave_it_and_nothing_else_has() {
        let intended = overlay(
            &[("a", json!("before")), ("b", json!("before"))],
            &json!({"data": {"a": "before", "b": "before"}}),
            Vec::new(),
        );
        let entry = json!({"manager": MANAGER, "operation": "Apply", "fieldsV1": {"f:data": {"f:a": {}}}});
        let live = json!({"metadata": {"uid": "u", "managedFields": [entry]}, "data": {"a": "ours", "b": "theirs"}});
        let record = found(&intended, &live);
        assert_eq!(record.object().map(|object| object.uid.as_str()), Some("u"));
        assert_eq!(parts(&record).2, json!({"data": {"a": "ours", "b": "before"}}));
        // It may be noted as ours in smaller parts, or with all around it.
        for (noted, b) in [(json!({"f:a": {"f:x": {}}}), "before"), (json!({}), "theirs")] {
            let entry = json!({"manager": MANAGER, "operation": "Apply", "fieldsV1": {"f:data": noted}});
            let live =
                json!({"metadata": {"uid": "u", "managedFields": [entry]}, "data": {"a": "ours", "b": "theirs"}});
            let values = parts(&found(&intended, &live)).2;
            assert_eq!(values, json!({"data": {"a": "ours", "b": b}}));
        }
        let again = to_be_written_again(record.clone());
        assert_ne!(
            again.object().map(|object| &object.sent),
            record.object().map(|object| &object.sent)
        );
    }

    #[test]
    fn a_record_knows_best_what_was_there_and_an_intent_adds_what_no_record_has() {
        let values = json!({"data": {"a": "ours"}});
        let known = overlay(&[("a", json!("before"))], &values, vec![key("one", "before")]);
        let same = overlay(&[("a", json!("ours"))], &values, Vec::new());
        assert_eq!(with_more(&known, &same), None, "planned before its texts were known");

        let more = overlay(
            &[("b", json!("theirs")), ("a", json!("ours"))],
            &json!({"data": {"a": "ours", "b": "new"}}),
            vec![key("two", "theirs")],
        );
        let both = with_more(&known, &more).expect("it knows of `b` and of `two`");
        let (priors, documents, values) = parts(&both);
        let priors: Vec<_> = priors.iter().map(|(path, prior)| (path.as_str(), prior)).collect();
        assert_eq!(priors, [(".data.a", &json!("before")), (".data.b", &json!("theirs"))]);
        assert_eq!(documents, [key("two", "theirs"), key("one", "before")]);
        assert_eq!(values, json!({"data": {"a": "ours", "b": "new"}}));

        // What that run had let go is given back by whoever knows of it.
        let fewer = overlay(&[("b", json!("theirs"))], &json!({"data": {"b": "new"}}), Vec::new());
        let both = with_more(&known, &fewer).expect("it knows of `b`");
        assert_eq!(parts(&both).2, json!({"data": {"a": "ours", "b": "new"}}));
        assert_eq!(both.object().expect("an object").fields.len(), 2);

        // What that run wrote anew is what is to be given back.
        let anew = overlay(&[("a", json!("before"))], &json!({"data": {"a": "newer"}}), Vec::new());
        let both = with_more(&known, &anew).expect("it knows of another value");
        let (priors, documents, values) = parts(&both);
        assert_eq!(priors[0].1, json!("before"));
        assert_eq!(
            (documents, values),
            (vec![key("one", "before")], json!({"data": {"a": "newer"}}))
        );
        // Of a secret only a digest is known.
        let mut secret = anew;
        if let RecordedNode::Overlay { object, .. } = &mut secret.node {
            object.sensitive = object.fields.as_ref().clone();
        }
        assert_eq!((with_more(&known, &secret), with_more(&secret, &same)), (None, None));
    }

    #[test]
    fn of_two_intents_of_one_address_the_one_that_saw_more_counts_and_what_is_recorded_before_both() {
        let with_origin = |origin: Origin, prior: &str| {
            let mut record = overlay(&[("a", json!(prior))], &json!({"data": {"a": "ours"}}), Vec::new());
            if let RecordedNode::Overlay { object, .. } = &mut record.node {
                object.origin = origin;
                object.uid = "u".to_owned();
            }
            record
        };
        // The plan found nothing, or 5Gi; somebody made it, or wrote 7Gi, before the write.
        let (planned, seen) = (with_origin(Origin::Created, "5Gi"), with_origin(Origin::Adopted, "7Gi"));
        let none = BTreeMap::new();
        for is_left in [true, false] {
            for (planned, seen) in [
                (planned.clone(), seen.clone()),
                (as_object(planned.clone()), as_object(seen.clone())),
            ] {
                let found = [planned, seen.clone()].map(|record| Found { record, is_left });
                let taken = taken_up(&none, found.to_vec());
                assert_eq!(taken.values().map(|found| &found.record).collect::<Vec<_>>(), [&seen]);
                let recorded = BTreeMap::from([(seen.address.clone(), seen.clone())]);
                let taken = taken_up(&recorded, found.to_vec());
                assert_eq!(
                    taken.is_empty(),
                    is_left || matches!(seen.node, RecordedNode::Object(_))
                );
            }
        }
    }

    #[test]
    fn an_object_is_known_by_its_uid_wherever_it_is_recorded_and_an_overlay_by_whose_it_is() {
        let at = |address: &str, uid: &str, manager: &str| {
            let mut record = overlay(&[("a", json!("before"))], &json!({"data": {"a": "ours"}}), Vec::new());
            record.address = address.parse().expect("an address");
            if let RecordedNode::Overlay { object, .. } = &mut record.node {
                object.uid = uid.to_owned();
                object.manager = manager.to_owned();
            }
            record
        };
        let taken = |known: &Recorded, found: &Recorded, is_left: bool| {
            let recorded = BTreeMap::from([(known.address.clone(), known.clone())]);
            let record = found.clone();
            let taken = taken_up(&recorded, vec![Found { record, is_left }]);
            taken.into_values().next().map(|found| found.record)
        };
        let (former, now) = (as_object(at("a.b", "u", MANAGER)), as_object(at("a.now", "u", MANAGER)));
        assert_eq!(
            taken(&now, &former, true),
            None,
            "it was recorded, and has another address since"
        );
        assert_eq!(taken(&now, &former, false).as_ref(), Some(&former));
        let another = as_object(at("a.now", "another", MANAGER));
        assert_eq!(taken(&another, &former, true).as_ref(), Some(&former));

        let ours = at("a.b", "u", MANAGER);
        assert_eq!(taken(&at("a.now", "u", MANAGER), &ours, true), None);
        for theirs in [
            at("a.now", "u", "stackctl/s/a.now"),
            at("a.now", "another", MANAGER),
            now,
        ] {
            let mut theirs = theirs;
            if let RecordedNode::Overlay { undo, .. } = &mut theirs.node {
                undo.clear();
            }
            assert_eq!(
                taken(&theirs, &ours, true).as_ref(),
                Some(&ours),
                "it is of another one"
            );
        }
    }
}
