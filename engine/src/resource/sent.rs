//! What a resource has to say to the server, to compare it with what was said before.

use super::{Document, Node, Resource};
use crate::digest::Digest;
use serde_json::Value;

/// What the stack writes, without late values and marks.
pub(crate) fn written_value(resource: &Resource) -> Value {
    match &resource.node {
        Node::Object(object) => object.manifest.value().clone(),
        Node::Overlay(overlay) => overlay.body(None, &overlay.said(), &[]).unwrap_or(Value::Null),
        Node::Gate(_) | Node::Action(_) | Node::Check(_) => Value::Null,
    }
}

/// The digest of what the stack writes: equal as long as the stack says the same.
pub(crate) fn sent_digest(resource: &Resource) -> Digest {
    let late = match &resource.node {
        Node::Object(object) => format!("{:?}", object.manifest.late()),
        Node::Overlay(overlay) => overlay.documents.iter().filter_map(late_of).collect(),
        Node::Gate(_) | Node::Action(_) | Node::Check(_) => String::new(),
    };
    let mut said = vec![written_value(resource), Value::from(late)];
    // What others may move is recorded otherwise; where nothing is, the digest stays what it always was.
    let ignored = &resource.lifecycle.ignore_fields;
    if !ignored.is_empty() {
        said.push(ignored.iter().map(ToString::to_string).collect());
    }
    Digest::of(&Value::from(said))
}

/// Where a fragment goes and comes from, if the stack does not say it itself.
fn late_of(document: &Document) -> Option<String> {
    Some(format!("{}: {:?}", document.path(), document.late()?))
}
