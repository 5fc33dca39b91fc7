//! What a resource has to say to the server, to compare it with what was said before.

use super::{Node, Resource};
use crate::digest::Digest;
use serde_json::Value;

/// What the stack writes, without late values and marks.
pub(crate) fn written_value(resource: &Resource) -> Value {
    match &resource.node {
        Node::Object(object) => object.manifest.value().clone(),
        Node::Overlay(overlay) => overlay.body(None).unwrap_or(Value::Null),
        Node::Gate(_) | Node::Action(_) | Node::Check(_) => Value::Null,
    }
}

/// The digest of what the stack writes: equal as long as the stack says the same.
pub(crate) fn sent_digest(resource: &Resource) -> Digest {
    let late = match &resource.node {
        Node::Object(object) => format!("{:?}", object.manifest.late()),
        _ => String::new(),
    };
    Digest::of(&serde_json::json!([written_value(resource), late]))
}
