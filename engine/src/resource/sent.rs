//! What a resource has to say to the server, to compare it with what was said before.

use super::{Document, Node, Resource};
use crate::digest::Digest;
use serde_json::Value;
use std::borrow::Cow;

/// What the stack writes, without late values and marks.
pub(crate) fn written_value(resource: &Resource) -> Cow<'_, Value> {
    match &resource.node {
        Node::Object(object) => Cow::Borrowed(object.manifest.value()),
        Node::Overlay(overlay) => Cow::Owned(overlay.body(None, &overlay.said(), &[]).unwrap_or(Value::Null)),
        Node::Gate(_) | Node::Action(_) | Node::Check(_) => Cow::Owned(Value::Null),
    }
}

/// The digest of what the stack writes: equal as long as the stack says the same.
pub(crate) fn sent_digest(resource: &Resource) -> Digest {
    let late = match &resource.node {
        Node::Object(object) => format!("{:?}", object.manifest.late()),
        Node::Overlay(overlay) => overlay.documents.iter().filter_map(late_of).collect(),
        Node::Gate(_) | Node::Action(_) | Node::Check(_) => String::new(),
    };
    let (written, late) = (written_value(resource), Value::from(late));
    // What others may move is recorded otherwise; where nothing is, the digest stays what it always was.
    let ignored = &resource.lifecycle.ignore_fields;
    let ignored: Option<Value> = (!ignored.is_empty()).then(|| ignored.iter().map(ToString::to_string).collect());
    Digest::of_list([&*written, &late].into_iter().chain(&ignored))
}

/// Where a fragment goes and comes from, if the stack does not say it itself.
fn late_of(document: &Document) -> Option<String> {
    Some(format!("{}: {:?}", document.path(), document.late()?))
}
