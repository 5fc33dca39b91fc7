//! What was read to decide a step, digested path by path, so that a saved plan can say what moved since.
//!
//! In: a plan and what it was made from. Only who saves a plan, or compares one, asks for it: a plan that is shown is not
//! digested.
//!
//! Invariant: only paths that the decision read are in it: unrelated churn does not void a plan. A sensitive leaf is
//! in it only as being there or not.

use super::{DriftedBy, Plan, fields::sensitive, parts};
use crate::{
    FieldPath,
    address::Address,
    diff::leaves,
    digest::Digest,
    ignored::is_ignored,
    ownership::{holder, managed_entries, won},
    recorded::Recorded,
    resource::{Node, Resource, written_value},
    survey::{Found, Survey},
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

/// What was read for each step of a plan, of the plan's own inputs; resources are empty for a destroy.
pub fn projections(
    plan: &Plan,
    resources: &[Resource],
    recorded: &BTreeMap<Address, Recorded>,
    survey: &Survey,
) -> BTreeMap<Address, Projection> {
    let by_address: BTreeMap<_, _> = resources.iter().map(|r| (&r.address, r)).collect();
    let nothing = Found::default();
    let read = |address: &Address| match by_address.get(address) {
        Some(resource) => {
            let found = survey.found(address).unwrap_or(&nothing);
            of_desired(resource, recorded.get(address), found)
        }
        None => Projection::of(survey.live(address), &BTreeSet::new(), &BTreeSet::new()),
    };
    let steps = plan.steps.iter();
    steps.map(|step| (step.address.clone(), read(&step.address))).collect()
}

/// What was read of a desired resource: what the stack writes and what was recorded, but for what others may move or have won.
fn of_desired(resource: &Resource, known: Option<&Recorded>, found: &Found) -> Projection {
    match &resource.node {
        Node::Object(_) | Node::Overlay(_) => {}
        Node::Gate(_) | Node::Action(_) | Node::Check(_) => return Projection::default(),
    }
    let mut paths = leaves(&written_value(resource));
    let last = known.and_then(Recorded::object);
    paths.extend(last.into_iter().flat_map(|last| last.fields.iter().cloned()));
    let won = match found.live() {
        Some(live) => won(live, resource.lifecycle.yields_to),
        None => Vec::new(),
    };
    paths.retain(|path| !is_ignored(resource, path) && !won.iter().any(|(won, _)| won == path));
    let mut projection = Projection::of(found.live(), &paths, &sensitive(resource));
    parts::project(&mut projection, found, parts::last_documents(known, found));
    projection
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn live(uid: &str, k: &str, other: &str) -> Value {
        json!({"metadata": {"uid": uid, "managedFields": [
            {"manager": "us", "operation": "Apply", "fieldsV1": {"f:data": {"f:k": {}}}},
            {"manager": "them", "operation": "Update", "time": "2026-11-28T10:00:00Z", "fieldsV1": {"f:data": {"f:k": {}}}},
            {"manager": "others", "operation": "Update", "fieldsV1": {"f:data": {"f:other": {}}}},
        ]}, "data": {"k": k, "other": other}})
    }

    fn projected(live: Option<&Value>) -> Projection {
        let paths = ["data.k", "data.gone", "data.secret"].map(FieldPath::of);
        Projection::of(
            live,
            &BTreeSet::from(paths),
            &BTreeSet::from([FieldPath::of("data.secret")]),
        )
    }

    #[test]
    fn what_was_read_is_there_by_path_and_a_secret_only_as_being_there() {
        let mut object = live("u", "1", "1");
        let without = projected(Some(&object));
        assert_eq!(without.uid.as_deref(), Some("u"));
        assert_eq!(without.paths[".data.k"], Some(Digest::of(&json!("1"))));
        assert_eq!(without.paths[".data.gone"], None);
        assert_eq!(without.paths[".data.secret"], None);
        object["data"]["secret"] = json!("one");
        let one = projected(Some(&object));
        object["data"]["secret"] = json!("two");
        assert!(one.paths[".data.secret"].is_some());
        assert_eq!(projected(Some(&object)), one);
        assert_eq!(projected(None).uid, None);
    }

    #[test]
    fn what_moved_is_named_with_who_wrote_it_and_what_was_not_read_moves_nothing() {
        let then = projected(Some(&live("u", "1", "1")));
        let moved = |now: &Value| then.moved(&projected(Some(now)), Some(now), "us");
        assert_eq!(moved(&live("u", "1", "2")), []);
        let by = |manager: Option<&str>, time: Option<&str>| DriftedBy {
            manager: manager.map(str::to_owned),
            time: time.map(str::to_owned),
        };
        assert_eq!(
            moved(&live("u", "2", "1")),
            [Moved {
                path: Some(".data.k".to_owned()),
                by: by(Some("them"), Some("2026-11-28T10:00:00Z")),
            }]
        );
        let another = [Moved {
            path: None,
            by: by(None, None),
        }];
        assert_eq!(moved(&live("another", "2", "1")), another);
        assert_eq!(then.moved(&projected(None), None, "us"), another);
    }
}
