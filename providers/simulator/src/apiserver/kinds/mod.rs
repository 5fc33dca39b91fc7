//! The kinds that are served: built-in ones and those that definitions bring.
//!
//! Invariant: a snapshot of the kinds never changes; a definition that comes, changes or goes makes a new snapshot.

mod autoscaling;
mod builtin;
mod defaults;
mod events;
mod rules;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::schema::Schema;

pub(super) use autoscaling::convert;
pub(super) use builtin::object_meta;
pub(super) use defaults::{complete, complete_on_create, label_namespace};
pub(super) use rules::{check_create, check_update};

/// Where a scale subresource finds its numbers, as paths of object keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    pub(super) spec_replicas: Vec<String>,
    pub(super) status_replicas: Vec<String>,
    pub(super) selector: Option<Vec<String>>,
}

/// A column of the Table form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) column_type: String,
    pub(super) format: String,
    pub(super) description: String,
    pub(super) priority: i64,
    pub(super) json_path: String,
}

/// One version of a kind.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) name: String,
    /// `apps/v1`, or `v1` in the core group.
    pub(super) api_version: String,
    pub(super) schema: Arc<Schema>,
    pub(super) is_served: bool,
    pub(super) has_status: bool,
    pub(super) scale: Option<Scale>,
    pub(super) columns: Vec<Column>,
    /// What every answer to a request in this version warns of.
    pub(super) deprecation: Option<String>,
}

/// A kind of object and how it is served.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub(super) group: String,
    /// The group that its objects are kept in: its own, but for events, which two groups serve.
    pub(super) stored_in: String,
    pub(super) kind: String,
    pub(super) list_kind: String,
    pub(super) plural: String,
    pub(super) singular: String,
    pub(super) short_names: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) is_namespaced: bool,
    pub(super) versions: Vec<Version>,
    /// Index of the version that objects are stored in.
    pub(super) storage: usize,
    /// The name of the definition that brought it; `None` for built-in kinds.
    pub(super) definition: Option<String>,
    /// Whether any part of a path is a name, and not only a subdomain.
    pub(super) has_free_names: bool,
    /// Whether metadata.generation counts changes.
    pub(super) has_generation: bool,
    /// Whether a PUT of an absent object creates it (`reference/ssa-semantics.md` §15).
    pub(super) creates_on_update: bool,
    /// Whether a PUT may lack a resourceVersion.
    pub(super) updates_unconditionally: bool,
}

impl Kind {
    pub(super) fn is_custom(&self) -> bool {
        self.definition.is_some()
    }

    /// The version of that name.
    pub(super) fn version(&self, name: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.name == name)
    }

    pub(super) fn storage_version(&self) -> &Version {
        &self.versions[self.storage]
    }

    /// The schema of an apiVersion, if the kind has that version, served or not.
    pub(super) fn schema_of(&self, api_version: &str) -> Option<Arc<Schema>> {
        self.versions
            .iter()
            .find(|version| version.api_version == api_version)
            .map(|version| Arc::clone(&version.schema))
    }
}

/// All kinds at one time, by group and plural.
#[derive(Clone, Debug, Default)]
pub(super) struct Kinds {
    by_resource: BTreeMap<(String, String), Arc<Kind>>,
}

impl Kinds {
    pub(super) fn get(&self, group: &str, plural: &str) -> Option<&Arc<Kind>> {
        self.by_resource.get(&(group.to_owned(), plural.to_owned()))
    }

    pub(super) fn of_kind(&self, group: &str, kind: &str) -> Option<&Arc<Kind>> {
        self.all()
            .find(|candidate| candidate.group == group && candidate.kind == kind)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.by_resource.values()
    }

    pub(super) fn has_group(&self, group: &str) -> bool {
        self.all()
            .any(|kind| kind.group == group && kind.versions.iter().any(|version| version.is_served))
    }

    /// Whether any built-in kind is in the group.
    pub(super) fn has_builtin_group(&self, group: &str) -> bool {
        self.all().any(|kind| kind.group == group && !kind.is_custom())
    }

    /// Served versions of a group, preferred first.
    pub(super) fn versions_of(&self, group: &str) -> Vec<String> {
        let mut versions: Vec<String> = Vec::new();
        for version in self
            .all()
            .filter(|kind| kind.group == group)
            .flat_map(|kind| &kind.versions)
        {
            if version.is_served && !versions.contains(&version.name) {
                versions.push(version.name.clone());
            }
        }
        versions.sort_by_key(|name| std::cmp::Reverse(version_priority(name)));
        versions
    }

    /// Groups with a served version, in the order in which a client looks for a name in them.
    pub(super) fn groups(&self) -> Vec<String> {
        let mut groups: Vec<String> = self.all().map(|kind| kind.group.clone()).collect();
        groups.sort_by(|a, b| (builtin::place(a), a).cmp(&(builtin::place(b), b)));
        groups.dedup();
        groups.retain(|group| !group.is_empty() && self.has_group(group));
        groups
    }
}

/// Orders versions as discovery does: GA before beta before alpha, higher numbers first
/// (<https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#version-priority>).
pub(super) fn version_priority(name: &str) -> (u8, u32, u32, String) {
    let number = |text: &str| text.parse::<u32>().ok();
    let parse = || {
        let rest = name.strip_prefix('v')?;
        let end = rest
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(rest.len());
        let major = number(&rest[..end])?;
        let (stage, minor) = match &rest[end..] {
            "" => (3, 0),
            rest => match (rest.strip_prefix("beta"), rest.strip_prefix("alpha")) {
                (Some(minor), _) => (2, number(minor)?),
                (_, Some(minor)) => (1, number(minor)?),
                _ => return None,
            },
        };
        Some((stage, major, minor, String::new()))
    };
    parse().unwrap_or((0, 0, 0, name.to_owned()))
}

/// The kinds in force.
#[derive(Debug)]
pub(super) struct Registry {
    current: RwLock<Arc<Kinds>>,
}

impl Registry {
    /// Returns the built-in kinds.
    pub(super) fn new() -> Self {
        let mut kinds = Kinds::default();
        for kind in builtin::kinds() {
            kinds
                .by_resource
                .insert((kind.group.clone(), kind.plural.clone()), Arc::new(kind));
        }
        Self {
            current: RwLock::new(Arc::new(kinds)),
        }
    }

    pub(super) fn snapshot(&self) -> Arc<Kinds> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves a kind, in place of what had its group and plural.
    pub(super) fn put(&self, kind: Kind) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut current)
            .by_resource
            .insert((kind.group.clone(), kind.plural.clone()), Arc::new(kind));
    }

    /// Serves that kind no more.
    pub(super) fn remove(&self, group: &str, plural: &str) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        Arc::make_mut(&mut current)
            .by_resource
            .remove(&(group.to_owned(), plural.to_owned()));
    }
}
