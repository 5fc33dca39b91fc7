//! Manifests of the user's own.

use super::names::ObjectName;
use stackctl_engine::{Address, FieldPath, readiness::Rule};
use std::path::PathBuf;

/// One `[[manifests]]` table: files whose objects join the graph.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestSet {
    /// Its name, which begins the address of each of its objects.
    pub name: ObjectName,
    /// A file, or a directory whose `*.yaml`, `*.yml` and `*.json` files are read in the order of their names.
    pub path: PathBuf,
    /// What each of its objects waits for.
    pub depends_on: Vec<Address>,
    /// When each of its objects is ready; absent means by its kind.
    pub ready: Option<Rule>,
    /// What others may move in its objects.
    pub ignore_fields: Vec<FieldPath>,
}
