//! What the cluster calls an object: its type, its key and a reference that can be requested.
//!
//! Invariant: an [`ObjectKey`] has no version, because one object is served in several; a [`ObjectRef`] has one,
//! because a request needs it.

use serde_json::Value;
use std::{
    borrow::Borrow,
    fmt,
    hash::{Hash, Hasher},
};

/// The group and kind of an object, without a version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKind {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind, in singular and CamelCase.
    pub kind: String,
}

/// The type of an object in one version, as a manifest spells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectType {
    /// `group/version`, or `version` for the core group.
    pub api_version: String,
    /// The kind, in singular and CamelCase.
    pub kind: String,
}

/// The identity of an object in the cluster: group, kind, namespace, name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey {
    /// Group and kind.
    pub kind: GroupKind,
    /// The namespace, or nothing for an object of the whole cluster.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

/// An object key with the version to ask for it in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// The type, with its version.
    pub object_type: ObjectType,
    /// The namespace, or nothing for an object of the whole cluster.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl GroupKind {
    /// Makes a group and kind; the core group is the empty text.
    pub fn new(group: &str, kind: &str) -> Self {
        Self {
            group: group.to_owned(),
            kind: kind.to_owned(),
        }
    }
}

impl ObjectType {
    /// Makes a type of `group/version` (or `v1`) and a kind.
    pub fn new(api_version: &str, kind: &str) -> Self {
        Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
        }
    }

    /// The group: what stands before the slash, empty for the core group.
    pub fn group(&self) -> &str {
        group_of(&self.api_version)
    }

    /// The version: what stands after the slash.
    pub fn version(&self) -> &str {
        self.api_version
            .split_once('/')
            .map_or(self.api_version.as_str(), |(_, version)| version)
    }

    /// The type without its version.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(self.group(), &self.kind)
    }
}

impl ObjectRef {
    /// Names an object in a namespace.
    pub fn namespaced(api_version: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            object_type: ObjectType::new(api_version, kind),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        }
    }

    /// Names an object of the whole cluster.
    pub fn cluster(api_version: &str, kind: &str, name: &str) -> Self {
        Self {
            object_type: ObjectType::new(api_version, kind),
            namespace: None,
            name: name.to_owned(),
        }
    }

    /// Names a live object, if it has a kind and a name.
    pub(crate) fn of_live(object: &Value) -> Option<Self> {
        let (api_version, kind) = (object["apiVersion"].as_str()?, object["kind"].as_str()?);
        let name = object["metadata"]["name"].as_str()?;
        Some(match object["metadata"]["namespace"].as_str() {
            Some(namespace) => Self::namespaced(api_version, kind, namespace, name),
            None => Self::cluster(api_version, kind, name),
        })
    }

    /// Whether it is a namespace, which takes along what is in it.
    pub fn is_namespace(&self) -> bool {
        self.object_type.kind == "Namespace" && self.object_type.group().is_empty()
    }

    /// Whether both name one object, in whatever versions: whether their keys are equal.
    pub fn is_same_object(&self, other: &Self) -> bool {
        self.name == other.name
            && self.namespace == other.namespace
            && self.object_type.kind == other.object_type.kind
            && self.object_type.group() == other.object_type.group()
    }

    /// The identity, without the version.
    pub fn key(&self) -> ObjectKey {
        ObjectKey {
            kind: self.object_type.group_kind(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}

/// The parts of an object's key where they stand: a map by key is asked by them without making a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Names<'a> {
    group: &'a str,
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
}

impl<'a> Names<'a> {
    /// Those of a live object, if it has a kind and a name.
    pub(crate) fn of(object: &'a Value) -> Option<Self> {
        let metadata = &object["metadata"];
        Some(Self {
            group: group_of(object["apiVersion"].as_str()?),
            kind: object["kind"].as_str()?,
            namespace: metadata["namespace"].as_str(),
            name: metadata["name"].as_str()?,
        })
    }

    /// The key that they are parts of.
    pub(crate) fn key(self) -> ObjectKey {
        ObjectKey {
            kind: GroupKind::new(self.group, self.kind),
            namespace: self.namespace.map(str::to_owned),
            name: self.name.to_owned(),
        }
    }
}

/// The key of a live object, if it has a kind and a name.
pub(crate) fn key_of(object: &Value) -> Option<ObjectKey> {
    Names::of(object).map(Names::key)
}

/// What names an object by the parts of its key.
pub(crate) trait Named {
    /// The parts.
    fn names(&self) -> Names<'_>;
}

impl Named for ObjectKey {
    fn names(&self) -> Names<'_> {
        Names {
            group: &self.kind.group,
            kind: &self.kind.kind,
            namespace: self.namespace.as_deref(),
            name: &self.name,
        }
    }
}

impl Named for ObjectRef {
    fn names(&self) -> Names<'_> {
        Names {
            group: self.object_type.group(),
            kind: &self.object_type.kind,
            namespace: self.namespace.as_deref(),
            name: &self.name,
        }
    }
}

impl Hash for dyn Named + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.names().hash(state);
    }
}

impl PartialEq for dyn Named + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.names() == other.names()
    }
}

impl Eq for dyn Named + '_ {}

/// As its parts hash and are equal: a map by key is asked with whatever names an object.
impl Hash for ObjectKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.names().hash(state);
    }
}

impl<'a> Borrow<dyn Named + 'a> for ObjectKey {
    fn borrow(&self) -> &(dyn Named + 'a) {
        self
    }
}

/// What stands before the slash of an `apiVersion`; empty for the core group.
fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// Whether a live object is on its way out: its name is free only once it is gone.
pub(crate) fn is_being_deleted(live: &Value) -> bool {
    live.pointer("/metadata/deletionTimestamp").is_some()
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.group.is_empty() {
            f.write_str(&self.kind)
        } else {
            write!(f, "{}.{}", self.kind, self.group)
        }
    }
}

impl fmt::Display for ObjectType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.api_version, self.kind)
    }
}

/// `Kind namespace/name` or `Kind name`: how people are told about an object.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind.kind, self.name),
            None => write!(f, "{} {}", self.kind.kind, self.name),
        }
    }
}

/// `Kind namespace/name` or `Kind name`: how people are told about an object.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.object_type.kind, self.name),
            None => write!(f, "{} {}", self.object_type.kind, self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::HashMap;

    #[test]
    fn versions_of_one_object_have_one_key() {
        let alpha = ObjectRef::namespaced("serving.kserve.io/v1alpha1", "LLMInferenceService", "demo", "a");
        let beta = ObjectRef::namespaced("serving.kserve.io/v1alpha2", "LLMInferenceService", "demo", "a");
        assert_eq!(alpha.key(), beta.key());
        assert!(
            alpha.is_same_object(&beta)
                && !alpha.is_same_object(&ObjectRef::cluster(
                    "serving.kserve.io/v1alpha1",
                    "LLMInferenceService",
                    "a"
                ))
        );
        assert_eq!(alpha.to_string(), "LLMInferenceService demo/a");
    }

    #[test]
    fn a_map_by_key_is_asked_with_whatever_names_an_object() {
        let object = ObjectRef::namespaced("apps/v1", "Deployment", "n", "d");
        let live =
            json!({"apiVersion": "apps/v1beta1", "kind": "Deployment", "metadata": {"namespace": "n", "name": "d"}});
        let map = HashMap::from([(object.key(), 1)]);
        let names = Names::of(&live).expect("named");
        assert_eq!((names, names.key()), (object.names(), object.key()));
        let asked = |object: &dyn Named| map.get(object).copied();
        assert_eq!((asked(&object), asked(&names.key())), (Some(1), Some(1)));
        for other in [
            ObjectRef::namespaced("v1", "Deployment", "n", "d"),
            ObjectRef::namespaced("apps/v1", "Deployment", "d", "n"),
            ObjectRef::cluster("apps/v1", "Deployment", "d"),
        ] {
            assert_eq!(asked(&other), None);
        }
    }

    #[test]
    fn the_core_group_is_empty() {
        let secret = ObjectType::new("v1", "Secret");
        assert_eq!((secret.group(), secret.version()), ("", "v1"));
    }
}
