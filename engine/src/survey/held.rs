//! An object as it was read: a map of JSON, or its text where nobody is to look into it.
//!
//! Invariants:
//! - What it says of itself without being opened is what its map says.
//! - It opens as what was read, and then stays open.

use crate::{address::Address, object_key::is_being_deleted, packed::Packed, readiness::Readiness};
use serde_json::Value;
use std::sync::OnceLock;

/// An object as it was read.
#[derive(Debug)]
pub(crate) struct Held {
    uid: String,
    is_leaving: bool,
    /// What it is opened of; none where it was never packed.
    text: Option<Packed>,
    map: OnceLock<Value>,
    same: Option<Same>,
}

/// That an object is surely the one that a resource would leave, judged when it was read.
#[derive(Debug)]
pub(super) struct Same {
    /// The resource.
    pub(super) of: Address,
    /// How ready it is, where that is said by the object alone.
    pub(super) readiness: Option<Readiness>,
}

impl Held {
    /// An object that will be looked into.
    pub(super) fn open(object: Value) -> Self {
        Self {
            uid: object["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
            is_leaving: is_being_deleted(&object),
            text: None,
            map: OnceLock::from(object),
            same: None,
        }
    }

    /// An object that was looked into, and probably will not be again.
    pub(super) fn packed(object: &Value, same: Option<Same>) -> Self {
        Self {
            uid: object["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
            is_leaving: is_being_deleted(object),
            text: Some(Packed::of(object)),
            map: OnceLock::new(),
            same,
        }
    }

    /// What was read.
    pub(crate) fn value(&self) -> &Value {
        self.map
            .get_or_init(|| self.text.as_ref().map(Packed::open).unwrap_or_default())
    }

    /// Its uid; empty where it has none.
    pub(crate) fn uid(&self) -> &str {
        &self.uid
    }

    /// Whether it is on its way out.
    pub(crate) fn is_leaving(&self) -> bool {
        self.is_leaving
    }

    /// Whether somebody looked into it.
    #[cfg(test)]
    pub(crate) fn is_open(&self) -> bool {
        self.map.get().is_some()
    }

    /// Whether it is surely what this resource would leave.
    pub(super) fn same_for(&self, resource: &Address) -> Option<&Same> {
        self.same.as_ref().filter(|same| same.of == *resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_packed_says_of_itself_what_it_said_open() {
        let plain = json!({"metadata": {"uid": "u", "name": "n"}, "data": {"k": [1.5, null, "\u{0}é"]}});
        let leaving = json!({"metadata": {"uid": "u", "deletionTimestamp": "2026-11-28T21:00:00Z"}});
        for object in [plain, leaving, json!({"metadata": {}}), json!(null)] {
            let (open, packed) = (Held::open(object.clone()), Held::packed(&object, None));
            assert_eq!(
                (packed.uid(), packed.is_leaving(), packed.value()),
                (open.uid(), open.is_leaving(), open.value())
            );
            assert_eq!(packed.value(), &object);
        }
    }
}
