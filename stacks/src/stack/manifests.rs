//! Manifests of the user's own.

use super::names::ObjectName;
use stackctl_engine::{Address, FieldPath, object_key::ObjectType, readiness::Rule};
use std::path::PathBuf;

/// One `[[manifests]]` table: files whose objects join the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestSet {
    /// Its name, which begins the address of each of its objects.
    pub name: ObjectName,
    /// A file; a directory, whose `*.yaml`, `*.yml` and `*.json` files are read in the order of their names; or a
    /// pattern of such files.
    pub path: PathBuf,
    /// Where its objects are that name no namespace and live in one; absent means `default`, as for kubectl.
    pub namespace: Option<ObjectName>,
    /// What each of its objects waits for.
    pub depends_on: Vec<Address>,
    /// When its objects are ready, the first that is about an object; of others their kind decides.
    pub ready: Vec<SetReadiness>,
    /// What others may move in its objects.
    pub ignore_fields: Vec<FieldPath>,
}

/// When objects of a set are ready.
#[derive(Clone, Debug, PartialEq)]
pub struct SetReadiness {
    /// Which objects; none means all of the set.
    pub of: Option<KindName>,
    /// When they are ready.
    pub ready: Rule,
    /// When they never will be.
    pub failed: Option<Rule>,
}

/// A kind as people name it: `Widget`, or `Widget.example.com` where several groups have one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindName {
    /// The kind.
    pub kind: String,
    /// The group; none means any.
    pub group: Option<String>,
}

impl KindName {
    /// Whether a type is of this kind.
    pub fn names(&self, object_type: &ObjectType) -> bool {
        let is_group = self.group.as_ref().is_none_or(|group| group == object_type.group());
        is_group && self.kind.eq_ignore_ascii_case(&object_type.kind)
    }
}
