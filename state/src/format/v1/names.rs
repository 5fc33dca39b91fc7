//! Objects, types and paths as they stand on disk.
//!
//! Invariant: a path is a list of its elements, so it reads back exactly whatever characters a key holds.

use super::Unreadable;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;
use stackctl_engine::{FieldPath, ObjectRef, ObjectType, field::PathElement};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredType {
    api_version: String,
    kind: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredObject {
    api_version: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
}

/// `["spec", {"key": {"name": "\"main\""}}, "image"]`. There are dozens an object, so a field is told from an item by what
/// it begins with, and not by trying both.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct StoredPath(Vec<StoredElement>);

#[derive(Serialize)]
#[serde(untagged)]
enum StoredElement {
    Field(String),
    Item(StoredItem),
}

impl<'de> Deserialize<'de> for StoredElement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Element;
        impl<'de> Visitor<'de> for Element {
            type Value = StoredElement;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field, or an item")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<StoredElement, E> {
                Ok(StoredElement::Field(name.to_owned()))
            }

            fn visit_map<M: MapAccess<'de>>(self, item: M) -> Result<StoredElement, M::Error> {
                StoredItem::deserialize(MapAccessDeserializer::new(item)).map(StoredElement::Item)
            }
        }
        deserializer.deserialize_any(Element)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredItem {
    /// Each key with its value in JSON text, as the engine holds it.
    Key(BTreeMap<String, String>),
    /// The value in JSON text, as the engine holds it.
    Value(String),
    Index(usize),
}

impl From<&ObjectType> for StoredType {
    fn from(object_type: &ObjectType) -> Self {
        let ObjectType { api_version, kind } = object_type;
        Self {
            api_version: api_version.clone(),
            kind: kind.clone(),
        }
    }
}

impl From<StoredType> for ObjectType {
    fn from(StoredType { api_version, kind }: StoredType) -> Self {
        Self { api_version, kind }
    }
}

impl From<&ObjectRef> for StoredObject {
    fn from(object: &ObjectRef) -> Self {
        let ObjectRef {
            object_type: ObjectType { api_version, kind },
            namespace,
            name,
        } = object;
        Self {
            api_version: api_version.clone(),
            kind: kind.clone(),
            namespace: namespace.clone(),
            name: name.clone(),
        }
    }
}

impl From<StoredObject> for ObjectRef {
    fn from(stored: StoredObject) -> Self {
        let StoredObject {
            api_version,
            kind,
            namespace,
            name,
        } = stored;
        Self {
            object_type: ObjectType { api_version, kind },
            namespace,
            name,
        }
    }
}

impl From<&FieldPath> for StoredPath {
    fn from(path: &FieldPath) -> Self {
        let elements = path.elements().iter().map(|element| match element {
            PathElement::Field(name) => StoredElement::Field(name.as_ref().to_owned()),
            PathElement::Key(keys) => StoredElement::Item(StoredItem::Key(keys.clone())),
            PathElement::Value(text) => StoredElement::Item(StoredItem::Value(text.clone())),
            PathElement::Index(index) => StoredElement::Item(StoredItem::Index(*index)),
        });
        Self(elements.collect())
    }
}

impl From<StoredPath> for FieldPath {
    fn from(StoredPath(elements): StoredPath) -> Self {
        let element = |stored| match stored {
            StoredElement::Field(name) => PathElement::Field(name.into()),
            StoredElement::Item(StoredItem::Key(keys)) => PathElement::Key(keys),
            StoredElement::Item(StoredItem::Value(text)) => PathElement::Value(text),
            StoredElement::Item(StoredItem::Index(index)) => PathElement::Index(index),
        };
        elements.into_iter().map(element).collect()
    }
}

/// The paths of one record. Most records have those of another one, so they are read as their text first.
pub(super) enum StoredPaths {
    Text(Box<RawValue>),
    Paths(Vec<StoredPath>),
}

impl From<&BTreeSet<FieldPath>> for StoredPaths {
    fn from(paths: &BTreeSet<FieldPath>) -> Self {
        Self::Paths(stored_paths(paths))
    }
}

impl Serialize for StoredPaths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::Paths(paths) => paths.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for StoredPaths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self::Text)
    }
}

/// What many records of a state have in common, by its text: each is made once.
#[derive(Default)]
pub(super) struct Shared {
    sets: HashMap<Box<str>, Arc<BTreeSet<FieldPath>>>,
    paths: HashMap<Box<str>, FieldPath>,
}

impl Shared {
    /// The paths of a record.
    pub(super) fn paths(&mut self, stored: StoredPaths) -> Result<Arc<BTreeSet<FieldPath>>, Unreadable> {
        let text: Box<str> = match stored {
            StoredPaths::Text(text) => text.into(),
            StoredPaths::Paths(paths) => return Ok(Arc::new(path_set(paths))),
        };
        if let Some(known) = self.sets.get(&text) {
            return Ok(known.clone());
        }
        let each: Vec<&RawValue> = serde_json::from_str(&text)?;
        let set = each.into_iter().map(|path| self.path(path.get()));
        let set = Arc::new(set.collect::<Result<_, Unreadable>>()?);
        self.sets.insert(text, Arc::clone(&set));
        Ok(set)
    }

    fn path(&mut self, text: &str) -> Result<FieldPath, Unreadable> {
        if let Some(known) = self.paths.get(text) {
            return Ok(known.clone());
        }
        let path = FieldPath::from(serde_json::from_str::<StoredPath>(text)?);
        self.paths.insert(text.into(), path.clone());
        Ok(path)
    }
}

pub(super) fn stored_paths<'a>(paths: impl IntoIterator<Item = &'a FieldPath>) -> Vec<StoredPath> {
    paths.into_iter().map(StoredPath::from).collect()
}

pub(super) fn path_set(stored: Vec<StoredPath>) -> BTreeSet<FieldPath> {
    stored.into_iter().map(FieldPath::from).collect()
}
