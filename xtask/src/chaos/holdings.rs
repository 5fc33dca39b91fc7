//! All that a cluster holds, to see what is as it was before the stack came.
//!
//! Invariants:
//! - It is read by a client of its own, through discovery, and knows nothing of the stack.
//! - What any write moves, and what its own controllers say of an object, is no difference; a uid is one.

use crate::{client::Bare, error::TaskError};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::Duration,
};

/// How often a question is asked again: one in ten is not answered on purpose.
const TRIES: usize = 10;
/// The letters that Kubernetes draws names from
/// (<https://github.com/kubernetes/apimachinery/blob/v0.34.0/pkg/util/rand/rand.go>).
const LETTERS: &str = "bcdfghjklmnpqrstvwxz2456789";
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// Every object of a cluster, as `Kind namespace/name`.
#[derive(Debug)]
pub(super) struct Holdings(BTreeMap<String, Value>);

impl Holdings {
    /// Reads them all.
    ///
    /// # Errors
    /// A question that is not answered however often it is asked.
    pub(super) fn of(client: &Bare) -> Result<Self, TaskError> {
        let mut groups = vec!["/api/v1".to_owned()];
        for group in list(&ask(client, "/apis")?, "groups") {
            // A kind may be missing in its group's preferred version, as ClusterServiceVersions are.
            let versions = list(group, "versions");
            groups.extend(versions.map(|version| format!("/apis/{}", text(&version["groupVersion"]))));
        }
        let mut objects = BTreeMap::new();
        for group in groups {
            for resource in list(&ask(client, &group)?, "resources") {
                let (kind, plural) = (text(&resource["kind"]), text(&resource["name"]));
                let is_listed = list(resource, "verbs").any(|verb| verb == "list");
                // What is told of objects is nobody's, and goes by itself.
                if plural.contains('/') || !is_listed || kind == "Event" {
                    continue;
                }
                for item in list(&ask(client, &format!("{group}/{plural}"))?, "items") {
                    let metadata = &item["metadata"];
                    let key = format!("{kind} {}/{}", text(&metadata["namespace"]), text(&metadata["name"]));
                    objects.entry(key).or_insert_with(|| bare(item));
                }
            }
        }
        Ok(Self(objects))
    }

    /// What is otherwise than it was: objects that are gone, that are new, and that say something else.
    pub(super) fn since(&self, before: &Self) -> Differences {
        let mut differences = Differences::default();
        for (key, object) in &before.0 {
            match self.0.get(key) {
                None => drop(differences.lost.insert(format!("{key} is gone"))),
                Some(now) if now != object => {
                    let fields = differing(object, now).join(", ");
                    differences.lost.insert(format!("{key} is not as it was: {fields}"));
                }
                Some(_) => {}
            }
        }
        let new = self.0.iter().filter(|(key, _)| !before.0.contains_key(*key));
        differences.left.extend(new.map(|(key, object)| lasting(key, object)));
        differences
    }
}

/// How two states of a cluster differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Differences {
    /// What was there, and is gone or says something else.
    pub(super) lost: BTreeSet<String>,
    /// What was not there, and is.
    pub(super) left: BTreeSet<String>,
}

/// A key without the letters that are drawn behind the name of what an owner or a controller made.
fn lasting(key: &str, object: &Value) -> String {
    let metadata = &object["metadata"];
    let is_drawn = metadata["ownerReferences"].is_array() || metadata["generateName"].is_string();
    match key.rsplit_once('-') {
        Some((lasting, drawn))
            if is_drawn && drawn.len() == 5 && drawn.chars().all(|letter| LETTERS.contains(letter)) =>
        {
            format!("{lasting}-<drawn>")
        }
        _ => key.to_owned(),
    }
}

/// Asks until there is an answer.
fn ask(client: &Bare, path: &str) -> Result<Value, TaskError> {
    let mut tries = 1;
    loop {
        match client.send("GET", path, None) {
            Err(_) if tries < TRIES => thread::sleep(ASK_AGAIN_AFTER),
            answer => return answer,
        }
        tries += 1;
    }
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// An object without what any write moves, and without what its controllers say of it.
fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for name in ["resourceVersion", "generation", "managedFields"] {
            metadata.remove(name);
        }
    }
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
        // What a role is aggregated of is gathered by a controller.
        if object.contains_key("aggregationRule") {
            object.remove("rules");
        }
    }
    object
}

/// Where two objects differ: the first two names of each path, so that no value is told.
fn differing(one: &Value, other: &Value) -> Vec<String> {
    let names = |value: &Value| -> BTreeSet<String> {
        value
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect()
    };
    let both = |one: &Value, other: &Value| -> BTreeSet<String> { names(one).union(&names(other)).cloned().collect() };
    let mut paths = Vec::new();
    for name in both(one, other).iter().filter(|name| one[name] != other[name]) {
        let (one, other) = (&one[name], &other[name]);
        let deeper = both(one, other);
        let deeper = deeper.iter().filter(|name| one[name] != other[name]);
        let before = paths.len();
        paths.extend(deeper.map(|deeper| format!("{name}.{deeper}")));
        if paths.len() == before {
            paths.push(name.clone());
        }
    }
    paths
}
