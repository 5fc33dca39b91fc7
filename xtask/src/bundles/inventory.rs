//! Everything that is on a server, by what its discovery says there is.

use crate::{client::Bare, error::TaskError};
use std::collections::BTreeSet;

/// What controllers write by themselves all the time, and who holds a turn.
const OF_NOBODY: [&str; 2] = ["events", "leases"];

/// The names of all objects: `path of the list, name`.
#[derive(Debug)]
pub(super) struct Inventory(BTreeSet<String>);

impl Inventory {
    /// Lists every kind that can be listed.
    ///
    /// # Errors
    /// A server that does not answer.
    pub(super) fn take(bare: &Bare) -> Result<Self, TaskError> {
        let mut versions = vec!["/api/v1".to_owned()];
        let groups = bare.send("GET", "/apis", None)?;
        for group in groups["groups"].as_array().into_iter().flatten() {
            if let Some(version) = group["preferredVersion"]["groupVersion"].as_str() {
                versions.push(format!("/apis/{version}"));
            }
        }
        let mut all = BTreeSet::new();
        for version in versions {
            // A group may go, with its definition, between the two questions.
            let Ok(found) = bare.send("GET", &version, None) else {
                continue;
            };
            for resource in found["resources"].as_array().into_iter().flatten() {
                let name = resource["name"].as_str().unwrap_or_default();
                let verbs = resource["verbs"].as_array();
                let can_list = verbs.is_some_and(|verbs| verbs.iter().any(|verb| verb == "list"));
                if !can_list || OF_NOBODY.contains(&name) {
                    continue;
                }
                let path = format!("{version}/{name}");
                let Ok(list) = bare.send("GET", &path, None) else {
                    continue;
                };
                for item in list["items"].as_array().into_iter().flatten() {
                    let of = |field: &str| item["metadata"][field].as_str().unwrap_or_default().to_owned();
                    all.insert(format!("{path} {}/{}", of("namespace"), of("name")));
                }
            }
        }
        Ok(Self(all))
    }

    /// What is here and was not in another.
    pub(super) fn since(&self, before: &Self) -> Vec<String> {
        self.0.difference(&before.0).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_before_is_not_left() {
        let of = |names: &[&str]| Inventory(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(of(&["b", "c"]).since(&of(&["a", "b"])), ["c"]);
    }
}
