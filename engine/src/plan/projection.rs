//! What was read to decide a step, digested path by path, so that a saved plan can say what moved since.
//!
//! Invariant: only paths that the decision read are in it: unrelated churn does not void a plan. A sensitive leaf is
//! in it only as being there or not.

use crate::{
    FieldPath,
    digest::Digest,
    ownership::{holder, managed_entries},
    plan::DriftedBy,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What was read of one object.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Projection {
    /// The uid; nothing when the object was not there.
    pub uid: Option<String>,
    /// Path, as the server writes it, to the digest of its value; nothing when the path was absent.
    pub paths: BTreeMap<String, Option<Digest>>,
}

/// One thing that is not as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The path; nothing for the object itself.
    pub path: Option<String>,
    /// Who wrote it, and when, if the server says.
    pub by: DriftedBy,
}

impl Projection {
    /// Projects a live object to the given paths.
    pub fn of(live: Option<&Value>, paths: &BTreeSet<FieldPath>, sensitive: &BTreeSet<FieldPath>) -> Self {
        let uid = live
            .and_then(|live| live.pointer("/metadata/uid"))
            .and_then(Value::as_str)
            .map(str::to_owned);
        let digest = |path: &FieldPath| {
            let value = live.and_then(|live| path.get(live))?;
            Some(if sensitive.contains(path) {
                Digest::of_bytes(b"")
            } else {
                Digest::of(value)
            })
        };
        Self {
            uid,
            paths: paths.iter().map(|path| (path.to_string(), digest(path))).collect(),
        }
    }

    /// What moved between then and now. `live` is the object now, `ours` our manager on it.
    pub fn moved(&self, now: &Self, live: Option<&Value>, ours: &str) -> Vec<Moved> {
        if self.uid != now.uid {
            return vec![Moved {
                path: None,
                by: DriftedBy {
                    manager: None,
                    time: None,
                },
            }];
        }
        let entries = live.map(managed_entries).unwrap_or_default();
        self.paths
            .iter()
            .filter(|(path, digest)| now.paths.get(*path).is_some_and(|other| other != *digest))
            .map(|(path, _)| {
                // The text form is the server's; an entry that owns a path of that text is its writer.
                let owner = entries
                    .iter()
                    .flat_map(|entry| entry.fields.iter())
                    .find(|field| field.to_string() == *path)
                    .and_then(|field| holder(&entries, field, ours));
                Moved {
                    path: Some(path.clone()),
                    by: DriftedBy {
                        manager: owner.map(|entry| entry.manager.clone()),
                        time: owner.and_then(|entry| entry.time.clone()),
                    },
                }
            })
            .collect()
    }
}
