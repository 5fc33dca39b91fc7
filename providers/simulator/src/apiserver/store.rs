//! The objects in memory, their history, and the one place where both change.
//!
//! Invariants:
//! - Every change gets the next resourceVersion of one global count, is on disk before it is seen, and is in the history
//!   of its kind.
//! - A change names the state it was made from; if that is no longer so, nothing happens ([`CommitError::Stale`]).
//! - Locks are held for map operations and one journal write, never across `.await`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use bytes::Bytes;
use serde::ser::SerializeMap as _;
use serde_json::Value;
use tokio::sync::watch;

use super::persist::{Disk, Loaded, StoreError};

/// How many changes of one kind are remembered for watches and paged lists.
const HISTORY: usize = 8_192;

/// Where an object is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ObjectKey {
    pub(super) group: String,
    pub(super) plural: String,
    /// Empty for cluster-scoped kinds.
    pub(super) namespace: String,
    pub(super) name: String,
}

impl ObjectKey {
    fn disk_key(&self) -> String {
        format!("{}\0{}\0{}\0{}", self.group, self.plural, self.namespace, self.name)
    }

    fn table(&self) -> (String, String) {
        (self.group.clone(), self.plural.clone())
    }

    fn row(&self) -> Row {
        (self.namespace.clone(), self.name.clone())
    }
}

/// Namespace and name.
pub(super) type Row = (String, String);

/// One state of one object.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) value: Value,
    pub(super) resource_version: u64,
    /// The object as JSON without apiVersion and kind: `{…}`.
    tail: Bytes,
}

impl Stored {
    /// The same object under another resourceVersion.
    pub(super) fn at(&self, resource_version: u64) -> Self {
        let mut value = self.value.clone();
        stamp(&mut value, resource_version);
        Self::new(value, resource_version)
    }

    fn new(value: Value, resource_version: u64) -> Self {
        let tail = Bytes::from(serde_json::to_vec(&Tail(&value)).unwrap_or_default());
        Self {
            value,
            resource_version,
            tail,
        }
    }

    /// The object as JSON without apiVersion and kind, as items of a built-in list are.
    pub(super) fn tail(&self) -> &Bytes {
        &self.tail
    }

    /// Appends the object as JSON under this apiVersion and kind.
    pub(super) fn write(&self, api_version: &str, kind: &str, into: &mut Vec<u8>) {
        into.extend_from_slice(b"{\"apiVersion\":\"");
        into.extend_from_slice(api_version.as_bytes());
        into.extend_from_slice(b"\",\"kind\":\"");
        into.extend_from_slice(kind.as_bytes());
        into.push(b'"');
        if self.tail.len() > 2 {
            into.push(b',');
        }
        into.extend_from_slice(&self.tail[1..]);
    }

    pub(super) fn uid(&self) -> &str {
        self.value["metadata"]["uid"].as_str().unwrap_or_default()
    }

    pub(super) fn is_terminating(&self) -> bool {
        !self.value["metadata"]["deletionTimestamp"].is_null()
    }
}

/// An object without its apiVersion and kind.
struct Tail<'a>(&'a Value);

impl serde::Serialize for Tail<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Value::Object(object) = self.0 else {
            return self.0.serialize(serializer);
        };
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in object {
            if key != "apiVersion" && key != "kind" {
                map.serialize_entry(key, value)?;
            }
        }
        map.end()
    }
}

/// One change of one object.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) resource_version: u64,
    pub(super) row: Row,
    pub(super) before: Option<Arc<Stored>>,
    /// The state after, or for a removal the last state with the resourceVersion of the removal.
    pub(super) after: Arc<Stored>,
    pub(super) is_removal: bool,
}

#[derive(Debug)]
struct Table {
    objects: BTreeMap<Row, Arc<Stored>>,
    history: VecDeque<Arc<Change>>,
    /// Changes up to here are no longer remembered.
    forgotten: u64,
    notify: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    resource_version: u64,
    started_at: u64,
    tables: BTreeMap<(String, String), Table>,
    uids: BTreeMap<String, ObjectKey>,
    /// uid of an owner to what it owns.
    owned: BTreeMap<String, BTreeSet<ObjectKey>>,
    disk: Disk,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommitError {
    /// The object is not in the state that the change was made from.
    #[error("the object has changed since it was read")]
    Stale,
    /// The disk failed.
    #[error(transparent)]
    Disk(StoreError),
}

/// What a kind holds at one resourceVersion.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) objects: Vec<Arc<Stored>>,
    pub(super) resource_version: u64,
    /// Objects after the last one listed, if a limit was reached.
    pub(super) n_remaining: usize,
}

/// Why a past state cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HistoryError {
    /// It is forgotten.
    TooOld {
        /// The oldest resourceVersion that could be shown.
        oldest: u64,
    },
    /// It is still to come.
    TooNew {
        /// The newest resourceVersion.
        current: u64,
    },
}

/// All objects.
#[derive(Debug)]
pub(super) struct Store {
    inner: RwLock<Inner>,
}

/// Where a new store begins, so that there is a past that is forgotten, as on any server.
const FIRST_VERSION: u64 = 100;

impl Store {
    pub(super) fn new(disk: Disk, loaded: Loaded) -> Self {
        let mut resource_version = loaded.resource_version.max(FIRST_VERSION);
        let mut inner = Inner {
            resource_version,
            started_at: resource_version,
            tables: BTreeMap::new(),
            uids: BTreeMap::new(),
            owned: BTreeMap::new(),
            disk,
        };
        for (group, plural, value) in loaded.objects {
            let version = value["metadata"]["resourceVersion"]
                .as_str()
                .and_then(|text| text.parse().ok())
                .unwrap_or(1);
            resource_version = resource_version.max(version);
            let key = key_of(&group, &plural, &value);
            let stored = Arc::new(Stored::new(value, version));
            inner.index(&key, None, Some(&stored));
            inner.table(&key.table()).objects.insert(key.row(), stored);
        }
        inner.resource_version = resource_version;
        inner.started_at = resource_version;
        for table in inner.tables.values_mut() {
            table.forgotten = resource_version;
        }
        Self {
            inner: RwLock::new(inner),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn resource_version(&self) -> u64 {
        self.read().resource_version
    }

    pub(super) fn get(&self, key: &ObjectKey) -> Option<Arc<Stored>> {
        self.read().tables.get(&key.table())?.objects.get(&key.row()).cloned()
    }

    /// Where the object of that uid is.
    pub(super) fn key_of_uid(&self, uid: &str) -> Option<ObjectKey> {
        self.read().uids.get(uid).cloned()
    }

    /// What names that uid as an owner.
    pub(super) fn owned_by(&self, uid: &str) -> Vec<ObjectKey> {
        self.read().owned.get(uid).into_iter().flatten().cloned().collect()
    }

    /// Every object of every kind, by group, plural, namespace and name.
    pub(super) fn everything(&self) -> Vec<Arc<Stored>> {
        self.read()
            .tables
            .values()
            .flat_map(|table| table.objects.values().cloned())
            .collect()
    }

    /// Where every object in a namespace is.
    pub(super) fn in_namespace(&self, namespace: &str) -> Vec<ObjectKey> {
        let inner = self.read();
        let mut found = Vec::new();
        for ((group, plural), table) in &inner.tables {
            let from = (namespace.to_owned(), String::new());
            for (row, _) in table.objects.range(from..).take_while(|(row, _)| row.0 == namespace) {
                found.push(ObjectKey {
                    group: group.clone(),
                    plural: plural.clone(),
                    namespace: row.0.clone(),
                    name: row.1.clone(),
                });
            }
        }
        found
    }

    /// Lists a kind, now or `at` an earlier resourceVersion, from after `after` on, as far as `keep` says.
    pub(super) fn list(
        &self,
        table: &(String, String),
        namespace: Option<&str>,
        after: Option<&Row>,
        at: Option<u64>,
        limit: usize,
        mut keep: impl FnMut(&Stored) -> bool,
    ) -> Result<Listing, HistoryError> {
        let inner = self.read();
        let now = inner.resource_version;
        let resource_version = at.unwrap_or(now);
        if resource_version > now {
            return Err(HistoryError::TooNew { current: now });
        }
        let mut listing = Listing {
            objects: Vec::new(),
            resource_version,
            n_remaining: 0,
        };
        let Some(table) = inner.tables.get(table) else {
            return Ok(listing);
        };
        let mut past: BTreeMap<&Row, Option<&Arc<Stored>>> = BTreeMap::new();
        if resource_version < now {
            if resource_version < table.forgotten {
                return Err(HistoryError::TooOld {
                    oldest: table.forgotten,
                });
            }
            for change in table
                .history
                .iter()
                .rev()
                .take_while(|change| change.resource_version > resource_version)
            {
                past.insert(&change.row, change.before.as_ref());
            }
        }
        let first: Row;
        let start = match (after, namespace) {
            (Some(row), _) => Bound::Excluded(row),
            (None, Some(namespace)) => {
                first = (namespace.to_owned(), String::new());
                Bound::Included(&first)
            }
            (None, None) => Bound::Unbounded,
        };
        let current = table.objects.range::<Row, _>((start, Bound::Unbounded));
        let mut add = |row: &Row, stored: &Arc<Stored>| {
            if namespace.is_some_and(|namespace| row.0 != namespace) || !keep(stored) {
                return;
            }
            if listing.objects.len() < limit {
                listing.objects.push(Arc::clone(stored))
            } else {
                listing.n_remaining += 1
            }
        };
        if past.is_empty() {
            for (row, stored) in current {
                if namespace.is_some_and(|namespace| row.0 != namespace) {
                    break;
                }
                add(row, stored);
            }
            return Ok(listing);
        }
        let mut then: BTreeMap<&Row, &Arc<Stored>> = current.collect();
        for (row, before) in past {
            let is_in_range = after.is_none_or(|after| row > after);
            match before {
                Some(stored) if is_in_range => {
                    then.insert(row, stored);
                }
                _ => {
                    then.remove(row);
                }
            }
        }
        for (row, stored) in then {
            add(row, stored);
        }
        Ok(listing)
    }

    /// Changes of a kind after a resourceVersion, and the newest resourceVersion.
    pub(super) fn changes_after(
        &self,
        table: &(String, String),
        after: u64,
    ) -> Result<(Vec<Arc<Change>>, u64), HistoryError> {
        let inner = self.read();
        let Some(table) = inner.tables.get(table) else {
            if after < inner.started_at {
                return Err(HistoryError::TooOld {
                    oldest: inner.started_at,
                });
            }
            return Ok((Vec::new(), inner.resource_version));
        };
        if after < table.forgotten {
            return Err(HistoryError::TooOld {
                oldest: table.forgotten,
            });
        }
        let start = table.history.partition_point(|change| change.resource_version <= after);
        Ok((table.history.range(start..).cloned().collect(), inner.resource_version))
    }

    /// Tells of every change of a kind.
    pub(super) fn subscribe(&self, table: &(String, String)) -> watch::Receiver<u64> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        inner.table(table).notify.subscribe()
    }

    /// Stores `value` in place of the state with that resourceVersion; `None`: in place of nothing.
    pub(super) fn put(
        &self,
        key: &ObjectKey,
        expected: Option<u64>,
        mut value: Value,
    ) -> Result<Arc<Stored>, CommitError> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let before = inner.table(&key.table()).objects.get(&key.row()).cloned();
        if before.as_ref().map(|stored| stored.resource_version) != expected {
            return Err(CommitError::Stale);
        }
        let resource_version = inner.resource_version + 1;
        stamp(&mut value, resource_version);
        let stored = Arc::new(Stored::new(value, resource_version));
        let mut bytes = Vec::with_capacity(stored.tail.len() + 64);
        let text = |field: &str| stored.value[field].as_str().unwrap_or_default().to_owned();
        stored.write(&text("apiVersion"), &text("kind"), &mut bytes);
        inner
            .disk
            .put(&key.disk_key(), &bytes, resource_version)
            .map_err(CommitError::Disk)?;
        inner.resource_version = resource_version;
        inner.index(key, before.as_deref(), Some(&stored));
        let table = inner.table(&key.table());
        table.objects.insert(key.row(), Arc::clone(&stored));
        table.remember(Change {
            resource_version,
            row: key.row(),
            before,
            after: Arc::clone(&stored),
            is_removal: false,
        });
        Ok(stored)
    }

    /// Removes the state with that resourceVersion; returns it with the resourceVersion of its end.
    pub(super) fn remove(&self, key: &ObjectKey, expected: u64) -> Result<Arc<Stored>, CommitError> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let before = inner.table(&key.table()).objects.get(&key.row()).cloned();
        let Some(before) = before.filter(|stored| stored.resource_version == expected) else {
            return Err(CommitError::Stale);
        };
        let resource_version = inner.resource_version + 1;
        inner
            .disk
            .remove(&key.disk_key(), resource_version)
            .map_err(CommitError::Disk)?;
        inner.resource_version = resource_version;
        let mut value = before.value.clone();
        stamp(&mut value, resource_version);
        let after = Arc::new(Stored::new(value, resource_version));
        inner.index(key, Some(&before), None);
        let table = inner.table(&key.table());
        table.objects.remove(&key.row());
        let change = Change {
            resource_version,
            row: key.row(),
            before: Some(before),
            after: Arc::clone(&after),
            is_removal: true,
        };
        table.remember(change);
        Ok(after)
    }
}

impl Inner {
    fn table(&mut self, key: &(String, String)) -> &mut Table {
        let forgotten = self.started_at;
        if !self.tables.contains_key(key) {
            let table = Table {
                objects: BTreeMap::new(),
                history: VecDeque::new(),
                forgotten,
                notify: watch::Sender::new(self.resource_version),
            };
            self.tables.insert(key.clone(), table);
        }
        self.tables.get_mut(key).expect("the table was just put there")
    }

    fn index(&mut self, key: &ObjectKey, before: Option<&Stored>, after: Option<&Arc<Stored>>) {
        let uid_before = before.map(Stored::uid);
        let uid_after = after.map(|stored| stored.uid());
        if uid_before != uid_after {
            if let Some(uid) = uid_before {
                self.uids.remove(uid);
            }
            if let Some(uid) = uid_after {
                self.uids.insert(uid.to_owned(), key.clone());
            }
        }
        let owners_before = before.map(|stored| owner_uids(&stored.value)).unwrap_or_default();
        let owners_after = after.map(|stored| owner_uids(&stored.value)).unwrap_or_default();
        for uid in owners_before.difference(&owners_after) {
            if let Some(owned) = self.owned.get_mut(*uid) {
                owned.remove(key);
                if owned.is_empty() {
                    self.owned.remove(*uid);
                }
            }
        }
        for uid in owners_after.difference(&owners_before) {
            self.owned.entry((*uid).to_owned()).or_default().insert(key.clone());
        }
    }
}

impl Table {
    fn remember(&mut self, change: Change) {
        let resource_version = change.resource_version;
        self.history.push_back(Arc::new(change));
        if self.history.len() > HISTORY
            && let Some(oldest) = self.history.pop_front()
        {
            self.forgotten = oldest.resource_version;
        }
        self.notify.send_replace(resource_version);
    }
}

/// The uids of the owners that an object names.
pub(super) fn owner_uids(value: &Value) -> BTreeSet<&str> {
    value["metadata"]["ownerReferences"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|owner| owner["uid"].as_str())
        .collect()
}

fn stamp(value: &mut Value, resource_version: u64) {
    value["metadata"]["resourceVersion"] = Value::String(resource_version.to_string());
}

fn key_of(group: &str, plural: &str, value: &Value) -> ObjectKey {
    let text = |field: &str| value["metadata"][field].as_str().unwrap_or_default().to_owned();
    ObjectKey {
        group: group.to_owned(),
        plural: plural.to_owned(),
        namespace: text("namespace"),
        name: text("name"),
    }
}
