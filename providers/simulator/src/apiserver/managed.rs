//! managedFields: who holds which path, and how a write changes that.
//!
//! Invariants:
//! - A manager is its name, operation, subresource and, for updates, apiVersion; an applying manager has one entry
//!   whatever version it applies in (`reference/ssa-semantics.md` §9).
//! - An entry without a path does not exist. An object without entries is not tracked by updates; the next apply books
//!   what is there under `before-first-apply` (§3).
//! - The time of an entry moves only when its manager changes a value (§7).

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::fields::FieldSet;
use super::schema::Schema;
use super::status::{Refusal, go_quote};
use super::typed;

/// The manager that owns what was there before the first apply.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
/// How many update entries an object keeps apart
/// (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers>).
const MAX_UPDATE_MANAGERS: usize = 10;
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// How a manager came to hold its paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Apply,
    Update,
}

/// One entry of managedFields.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    manager: String,
    operation: Operation,
    api_version: String,
    subresource: String,
    time: Option<String>,
    set: FieldSet,
}

impl Entry {
    fn is_of(&self, manager: &str, operation: Operation, api_version: &str, subresource: &str) -> bool {
        self.operation == operation
            && self.manager == manager
            && self.subresource == subresource
            && (operation == Operation::Apply || self.api_version == api_version)
    }

    /// The text that a real server sorts managers by: the entry as JSON, without what it holds.
    fn identifier(&self) -> String {
        let mut text = format!("{{\"manager\":{}", Value::from(self.manager.as_str()));
        match self.operation {
            Operation::Apply => text.push_str(",\"operation\":\"Apply\""),
            Operation::Update => {
                let _ = write!(
                    text,
                    ",\"operation\":\"Update\",\"apiVersion\":{}",
                    Value::from(self.api_version.as_str())
                );
            }
        }
        if !self.subresource.is_empty() {
            let _ = write!(text, ",\"subresource\":{}", Value::from(self.subresource.as_str()));
        }
        text.push('}');
        text
    }

    /// The manager in the words of a conflict (§1).
    fn words(&self) -> String {
        let mut words = go_quote(&self.manager);
        if !self.subresource.is_empty() {
            let _ = write!(words, " with subresource {}", go_quote(&self.subresource));
        }
        if self.operation == Operation::Update {
            let _ = write!(words, " using {}", self.api_version);
        }
        words
    }

    fn encode(&self) -> Value {
        let mut map = Map::new();
        map.insert("manager".to_owned(), json!(self.manager));
        let operation = match self.operation {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        };
        map.insert("operation".to_owned(), json!(operation));
        map.insert("apiVersion".to_owned(), json!(self.api_version));
        if let Some(time) = &self.time {
            map.insert("time".to_owned(), json!(time));
        }
        map.insert("fieldsType".to_owned(), json!("FieldsV1"));
        map.insert("fieldsV1".to_owned(), self.set.encode());
        if !self.subresource.is_empty() {
            map.insert("subresource".to_owned(), json!(self.subresource));
        }
        Value::Object(map)
    }

    fn decode(value: &Value) -> Option<Self> {
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let operation = match value["operation"].as_str()? {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return None,
        };
        let set = match &value["fieldsV1"] {
            Value::Null => FieldSet::default(),
            fields => FieldSet::decode(fields)?,
        };
        Some(Self {
            manager: text("manager"),
            operation,
            api_version: text("apiVersion"),
            subresource: text("subresource"),
            time: value["time"].as_str().map(ToOwned::to_owned),
            set,
        })
    }
}

/// All entries of one object.
#[derive(Clone, Debug, Default)]
pub(super) struct Managers {
    entries: Vec<Entry>,
}

impl Managers {
    /// Reads managedFields; `None` if any entry cannot be read.
    pub(super) fn decode(managed_fields: &Value) -> Option<Self> {
        let Value::Array(list) = managed_fields else {
            return Some(Self::default());
        };
        Some(Self {
            entries: list.iter().map(Entry::decode).collect::<Option<_>>()?,
        })
    }

    /// Reads the entries that an update starts from: those it sends, else the live ones; an empty list, or one empty
    /// entry, resets them (§1).
    pub(super) fn for_update(live: &Value, sent: &Value, is_subresource: bool) -> Self {
        let live = || Self::decode(live).unwrap_or_default();
        if is_subresource {
            return live();
        }
        match sent {
            Value::Array(list) if list.is_empty() => Self::default(),
            Value::Array(list) if list.len() == 1 && list[0].as_object().is_some_and(Map::is_empty) => Self::default(),
            _ => Self::decode(sent)
                .filter(|managers| !managers.entries.is_empty())
                .unwrap_or_else(live),
        }
    }

    /// The managedFields list in the server's order, or null when there is none.
    pub(super) fn encode(&mut self) -> Value {
        if self.entries.is_empty() {
            return Value::Null;
        }
        self.entries.sort_by(|one, other| {
            (
                one.operation,
                &one.time,
                &one.manager,
                &one.api_version,
                &one.subresource,
            )
                .cmp(&(
                    other.operation,
                    &other.time,
                    &other.manager,
                    &other.api_version,
                    &other.subresource,
                ))
        });
        Value::Array(self.entries.iter().map(Entry::encode).collect())
    }

    fn position(&self, manager: &str, operation: Operation, api_version: &str, subresource: &str) -> Option<usize> {
        self.entries
            .iter()
            .position(|entry| entry.is_of(manager, operation, api_version, subresource))
    }

    fn strip_identity(&mut self, position: usize) {
        let stripped = self.entries[position].set.difference(&identity_fields());
        if stripped.is_empty() {
            self.entries.remove(position);
        } else {
            self.entries[position].set = stripped;
        }
    }

    /// Merges the oldest update entries into one per version (`ancient-changes`) once there are too many.
    fn cap(&mut self) {
        let mut updates: Vec<Entry> = Vec::new();
        let mut rest: Vec<Entry> = Vec::new();
        for entry in std::mem::take(&mut self.entries) {
            if entry.operation == Operation::Update {
                updates.push(entry)
            } else {
                rest.push(entry)
            }
        }
        updates.sort_by_key(|entry| (entry.time.clone(), entry.identifier()));
        let mut bucket: Vec<Entry> = Vec::new();
        let mut first_of: Vec<Entry> = Vec::new();
        let mut remaining = updates.into_iter();
        let mut n_updates = remaining.len();
        while n_updates > MAX_UPDATE_MANAGERS {
            let Some(entry) = remaining.next() else { break };
            if let Some(into) = bucket.iter_mut().find(|into| into.api_version == entry.api_version) {
                into.set.extend(&entry.set);
                into.time = entry.time;
                n_updates -= 1;
            } else if let Some(index) = first_of.iter().position(|first| first.api_version == entry.api_version) {
                let mut into = first_of.remove(index);
                "ancient-changes".clone_into(&mut into.manager);
                into.subresource.clear();
                into.set.extend(&entry.set);
                into.time = entry.time;
                bucket.push(into);
                n_updates -= 1;
            } else {
                first_of.push(entry);
            }
        }
        rest.extend(bucket);
        rest.extend(first_of);
        rest.extend(remaining);
        self.entries = rest;
    }
}

/// Paths that nobody holds (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>).
fn identity_fields() -> FieldSet {
    FieldSet::of_fields(&[
        &["apiVersion"],
        &["kind"],
        &["metadata"],
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "creationTimestamp"],
        &["metadata", "selfLink"],
        &["metadata", "uid"],
        &["metadata", "clusterName"],
        &["metadata", "generation"],
        &["metadata", "managedFields"],
        &["metadata", "resourceVersion"],
    ])
}

/// What a write through an endpoint may not own.
#[derive(Clone, Debug)]
pub(super) enum Scope {
    /// Everything counts.
    Whole,
    /// Everything but these paths: the main endpoint of a kind with a status subresource.
    Except(FieldSet),
    /// Only these paths: a status endpoint.
    Only(FieldSet),
}

/// Why an apply could not be merged.
#[derive(Debug)]
pub(super) enum ApplyError {
    /// Other managers hold these paths with other values; (manager's words, its sort key, path).
    Conflicts(Vec<(String, String, String)>),
    /// Anything else: answered with 500 and no reason.
    Failed(String),
}

impl From<ApplyError> for Refusal {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Failed(text) => Self::untyped(text),
            ApplyError::Conflicts(conflicts) => {
                let causes = conflicts
                    .iter()
                    .map(|(words, _, path)| (format!("conflict with {words}"), path.clone()));
                let causes: Vec<_> = causes.collect();
                if let [(words, _, path)] = conflicts.as_slice() {
                    return Self::apply_conflict(
                        format!("Apply failed with 1 conflict: conflict with {words}: {path}"),
                        causes,
                    );
                }
                let mut managers: Vec<(&String, &String)> =
                    conflicts.iter().map(|(words, key, _)| (key, words)).collect();
                managers.sort();
                managers.dedup();
                let mut lines = Vec::new();
                for (key, words) in managers {
                    lines.push(format!("conflicts with {words}:"));
                    lines.extend(
                        conflicts
                            .iter()
                            .filter(|(_, other, _)| other == key)
                            .map(|(_, _, path)| format!("- {path}")),
                    );
                }
                Self::apply_conflict(
                    format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n")),
                    causes,
                )
            }
        }
    }
}

/// Gives the schema of an apiVersion of the kind at hand.
pub(super) type SchemaOf<'a> = &'a (dyn Fn(&str) -> Option<Arc<Schema>> + 'a);

/// One write, as far as managedFields are concerned.
pub(super) struct Tracking<'a> {
    pub(super) schema_of: SchemaOf<'a>,
    /// The schema of `api_version`.
    pub(super) schema: &'a Schema,
    pub(super) api_version: &'a str,
    pub(super) subresource: &'a str,
    pub(super) is_custom: bool,
    pub(super) scope: Scope,
    pub(super) now: String,
}

impl Tracking<'_> {
    fn scoped(&self, comparison: typed::Comparison) -> typed::Comparison {
        match &self.scope {
            Scope::Whole => comparison,
            Scope::Except(ignored) => comparison.without(ignored),
            Scope::Only(kept) => comparison.only(kept),
        }
    }

    fn is_served_schema(&self, api_version: &str) -> Result<Option<Arc<Schema>>, String> {
        match (self.schema_of)(api_version) {
            Some(schema) => Ok(Some(schema)),
            None if self.is_custom => Err(format!(
                "request to convert CR to an invalid group/version: {api_version}"
            )),
            None => Ok(None),
        }
    }

    /// Takes from every manager but `acting` what changed under it.
    fn settle(
        &self,
        old: &Value,
        new: &Value,
        managers: &mut Managers,
        acting: Option<usize>,
        force: bool,
    ) -> Result<typed::Comparison, ApplyError> {
        let comparison = self.scoped(typed::compare(self.schema, old, new));
        if comparison.is_same() {
            return Ok(comparison);
        }
        let changed = comparison.modified.union(&comparison.added);
        let mut conflicts = Vec::new();
        let mut kept = Vec::with_capacity(managers.entries.len());
        for (position, entry) in managers.entries.iter().enumerate() {
            if acting == Some(position) {
                kept.push(entry.clone());
                continue;
            }
            let mut versioned = None;
            if entry.api_version != self.api_version {
                let Some(schema) = self.is_served_schema(&entry.api_version).map_err(ApplyError::Failed)? else {
                    continue;
                };
                if !std::ptr::eq(&raw const *schema, self.schema) {
                    let other = self.scoped(typed::compare(&schema, old, new));
                    versioned = Some((other.modified.union(&other.added), other.removed));
                }
            }
            let (changed, removed) = versioned
                .as_ref()
                .map_or((&changed, &comparison.removed), |(changed, removed)| (changed, removed));
            let conflict = entry.set.intersection(changed);
            if !force && !conflict.is_empty() {
                let identifier = entry.identifier();
                for path in conflict.paths() {
                    conflicts.push((entry.words(), identifier.clone(), super::fields::render(&path)));
                }
            }
            let set = entry.set.difference(&conflict).difference(removed);
            if !set.is_empty() {
                kept.push(Entry { set, ..entry.clone() });
            }
        }
        if !conflicts.is_empty() {
            return Err(ApplyError::Conflicts(conflicts));
        }
        managers.entries = kept;
        Ok(comparison)
    }

    /// Books an update: a write that is no apply.
    ///
    /// # Errors
    ///
    /// An entry is in a version that is no longer there; a real server then drops managedFields from its answer (§9).
    pub(super) fn update(
        &self,
        old: Option<&Value>,
        new: &Value,
        managers: &mut Managers,
        manager: &str,
    ) -> Result<(), ApplyError> {
        if managers.entries.is_empty() && old.is_some() {
            return Ok(());
        }
        let mut empty = json!({ "apiVersion": self.api_version });
        if !self.is_custom {
            empty = typed::with_value_structs(empty, new);
        }
        let comparison = self.settle(old.unwrap_or(&empty), new, managers, None, true)?;
        let taken = comparison
            .modified
            .union(&comparison.added)
            .difference(&identity_fields());
        if !taken.is_empty() {
            let position = managers.position(manager, Operation::Update, self.api_version, self.subresource);
            // What is written through a scale is booked without a time.
            let time = (self.subresource != "scale").then(|| self.now.clone());
            match position {
                Some(position) => {
                    let entry = &mut managers.entries[position];
                    entry.set.extend(&taken);
                    entry.time = time;
                }
                None => managers.entries.push(Entry {
                    manager: manager.to_owned(),
                    operation: Operation::Update,
                    api_version: self.api_version.to_owned(),
                    subresource: self.subresource.to_owned(),
                    time,
                    set: taken,
                }),
            }
            managers.cap();
        }
        Ok(())
    }

    /// Merges `applied` into `live` for `manager`; `None` when no value changes.
    ///
    /// # Errors
    ///
    /// Conflicts with other managers unless `force`, and versions that cannot be converted.
    pub(super) fn apply(
        &self,
        live: Option<&Value>,
        applied: &Value,
        managers: &mut Managers,
        manager: &str,
        force: bool,
    ) -> Result<Option<Value>, ApplyError> {
        let empty = json!({ "apiVersion": self.api_version });
        let live_value = live.unwrap_or(&empty);
        if managers.entries.is_empty() && live.is_some() {
            self.book_before_first_apply(live_value, managers);
        }
        let before = managers.clone();
        match self.apply_once(live_value, applied, managers, manager, force) {
            Err(ApplyError::Conflicts(conflicts)) if manager == "kubectl" => {
                // A switch from client-side to server-side apply does not conflict with itself
                // (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#upgrading-from-client-side-apply-to-server-side-apply>).
                let allowed = self.last_applied_set(live_value);
                let left: Vec<_> = conflicts
                    .into_iter()
                    .filter(|(_, _, path)| !allowed.contains(path))
                    .collect();
                if !left.is_empty() {
                    return Err(ApplyError::Conflicts(left));
                }
                *managers = before;
                self.apply_once(live_value, applied, managers, manager, true)
            }
            other => other,
        }
    }

    fn book_before_first_apply(&self, live: &Value, managers: &mut Managers) {
        let whole = Self {
            schema_of: self.schema_of,
            scope: Scope::Whole,
            now: self.now.clone(),
            subresource: "",
            ..*self
        };
        let comparison = typed::compare(whole.schema, &json!({ "apiVersion": self.api_version }), live);
        let set = comparison
            .added
            .union(&comparison.modified)
            .difference(&identity_fields());
        if !set.is_empty() {
            managers.entries.push(Entry {
                manager: BEFORE_FIRST_APPLY.to_owned(),
                operation: Operation::Update,
                api_version: self.api_version.to_owned(),
                subresource: self.subresource.to_owned(),
                time: Some(self.now.clone()),
                set,
            });
        }
    }

    fn last_applied_set(&self, live: &Value) -> Vec<String> {
        let Some(last) = live["metadata"]["annotations"][LAST_APPLIED].as_str() else {
            return Vec::new();
        };
        let Ok(last) = serde_json::from_str::<Value>(last) else {
            return Vec::new();
        };
        let comparison = typed::compare(self.schema, &last, live);
        let set = typed::to_set(self.schema, &last)
            .difference(&comparison.modified)
            .difference(&comparison.added)
            .difference(&comparison.removed);
        let mut paths: Vec<String> = set.paths().iter().map(|path| super::fields::render(path)).collect();
        paths.push(format!(".metadata.annotations.{LAST_APPLIED}"));
        paths
    }

    fn apply_once(
        &self,
        live: &Value,
        applied: &Value,
        managers: &mut Managers,
        manager: &str,
        force: bool,
    ) -> Result<Option<Value>, ApplyError> {
        for entry in &managers.entries {
            self.is_served_schema(&entry.api_version).map_err(ApplyError::Failed)?;
        }
        let merged = typed::merge(self.schema, live, applied);
        let set = match &self.scope {
            Scope::Whole => typed::to_set(self.schema, applied),
            Scope::Except(ignored) => typed::to_set(self.schema, applied).recursive_difference(ignored),
            Scope::Only(kept) => typed::to_set(self.schema, applied).below_members(kept),
        };
        let last = match managers.position(manager, Operation::Apply, self.api_version, self.subresource) {
            Some(position) => {
                let entry = &mut managers.entries[position];
                let last = (
                    std::mem::replace(&mut entry.set, set),
                    std::mem::replace(&mut entry.api_version, self.api_version.to_owned()),
                );
                Some(last)
            }
            None => {
                managers.entries.push(Entry {
                    manager: manager.to_owned(),
                    operation: Operation::Apply,
                    api_version: self.api_version.to_owned(),
                    subresource: self.subresource.to_owned(),
                    time: None,
                    set,
                });
                None
            }
        };
        let merged = match last {
            Some((last, last_version)) if !last.is_empty() => self.prune(merged, managers, &last, &last_version)?,
            _ => merged,
        };
        let acting = managers.position(manager, Operation::Apply, self.api_version, self.subresource);
        let comparison = self.settle(live, &merged, managers, acting, force)?;
        if let Some(position) = managers.position(manager, Operation::Apply, self.api_version, self.subresource) {
            if !comparison.is_same() {
                managers.entries[position].time = Some(self.now.clone());
            }
            managers.strip_identity(position);
        }
        if comparison.is_same() {
            return Ok(None);
        }
        let mut merged = merged;
        if manager == "kubectl" && merged["metadata"]["annotations"].get(LAST_APPLIED).is_some() {
            let mut text = applied.to_string();
            text.push('\n');
            merged["metadata"]["annotations"][LAST_APPLIED] = Value::String(text);
        }
        Ok(Some(merged))
    }

    /// Removes what the manager applied last time and nobody holds now.
    fn prune(
        &self,
        merged: Value,
        managers: &Managers,
        last: &FieldSet,
        last_version: &str,
    ) -> Result<Value, ApplyError> {
        let Some(last_schema) = self.is_served_schema(last_version).map_err(ApplyError::Failed)? else {
            return Ok(merged);
        };
        let is_same_schema = std::ptr::eq(&raw const *last_schema, self.schema);
        if !is_same_schema {
            let errors = typed::check(&last_schema, &merged, true);
            if !errors.is_empty() {
                let errors = typed::join(&errors);
                return Err(ApplyError::Failed(format!(
                    "failed to prune fields: failed to convert merged object to last applied version: {errors}"
                )));
            }
        }
        let schema: &Schema = &last_schema;
        let last = typed::with_named_parents(schema, last);
        let mut pruned = typed::remove(schema, &merged, &last);
        let merged_set = typed::with_named_parents(schema, &typed::to_set(schema, &merged));
        let mut held = FieldSet::default();
        for entry in &managers.entries {
            held.extend(&entry.set);
        }
        let pruned_set = typed::with_named_parents(schema, &typed::to_set(schema, &pruned));
        let owned = pruned_set.union(&typed::with_named_parents(schema, &held));
        pruned = typed::remove(schema, &merged, &merged_set.difference(&owned));
        let pruned_set = typed::with_named_parents(schema, &typed::to_set(schema, &pruned));
        Ok(typed::remove(
            schema,
            &merged,
            &merged_set.difference(&pruned_set).intersection(&last),
        ))
    }
}
