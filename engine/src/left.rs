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
    digest::Digest,
    ownership::applied_leaves,
    packed::Packed,
    recorded::{Recorded, RecordedDocument, RecordedNode, RecordedObject, Undo},
};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};

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
pub fn with_more(known: &Recorded, found: &Recorded) -> Option<Recorded> {
    let (
        RecordedNode::Overlay {
            object: last,
            undo: undo_known,
            documents: documents_known,
        },
        RecordedNode::Overlay { undo, documents, .. },
    ) = (&known.node, &found.node)
    else {
        return None;
    };
    let is_known = |undo: &Undo| undo_known.iter().any(|known| known.path == undo.path);
    if undo.iter().all(is_known) && documents.iter().all(|document| documents_known.contains(document)) {
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
    }
}
