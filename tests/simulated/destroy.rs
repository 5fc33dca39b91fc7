//! Destroy leaves what it announced, and nothing else of ours.

use crate::{cluster::Served, sandbox::Sandbox};
use serde_json::Value;
use std::collections::BTreeMap;

#[test]
fn what_remains_is_what_was_announced_and_the_rest_is_as_before() {
    let sandbox = Sandbox::new();
    let before = {
        let served = Served::start(&sandbox);
        served.snapshot()
    };
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let planned = sandbox
        .simulate(&["plan", "--destroy", "stack.toml", "--json"])
        .expect(0)
        .json();
    sandbox.simulate(&["destroy", "stack.toml", "--yes"]).expect(0);
    let served = Served::start(&sandbox);
    left_as_announced(&before, &served.settled(), &planned);
}

/// Judges by two snapshots and by what the plan of the destroy said.
#[track_caller]
pub(crate) fn left_as_announced(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>, planned: &Value) {
    let announced: Vec<(String, String)> = planned["remains"]
        .as_array()
        .expect("what remains is announced")
        .iter()
        .map(|remains| {
            assert!(remains["why"].as_str().is_some_and(|why| !why.is_empty()), "{remains}");
            (
                remains["kind"].as_str().unwrap_or_default().to_owned(),
                remains["name"].as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    let is_announced = |object: &Value, key: &str| {
        let kind = key.split(' ').next().unwrap_or_default();
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        announced.iter().any(|(k, n)| {
            k == kind && (n == name || n == "*" || n.strip_suffix('*').is_some_and(|start| name.starts_with(start)))
        })
    };
    let surprising: Vec<_> = after
        .iter()
        .filter(|(key, object)| !before.contains_key(*key) && !is_announced(object, key) && !follows(object, after))
        .map(|(key, _)| key.clone())
        .collect();
    assert!(surprising.is_empty(), "left and not announced: {surprising:#?}");

    let lost: Vec<_> = before
        .keys()
        .filter(|key| !after.contains_key(*key) && !key.starts_with("Event "))
        .collect();
    assert!(lost.is_empty(), "gone and not ours: {lost:#?}");
    // What is announced to stay different is not compared: encryption of etcd has no way back.
    for (key, object) in before.iter().filter(|(key, object)| !is_announced(object, key)) {
        assert_eq!(bare(object), bare(&after[key]), "{key} is not as before");
    }
}

/// What the platform puts into every namespace, and what an announced owner still owns.
fn follows(object: &Value, after: &BTreeMap<String, Value>) -> bool {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let default = ["kube-root-ca.crt", "openshift-service-ca.crt", "default"].contains(&name);
    let owned = object["metadata"]["ownerReferences"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|owner| {
            after
                .values()
                .any(|candidate| candidate["metadata"]["uid"] == owner["uid"])
        });
    default || owned || object["kind"] == "Event"
}

/// An object without what any write moves.
fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for name in ["resourceVersion", "generation", "managedFields"] {
            metadata.remove(name);
        }
    }
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
        // What a role is aggregated of is gathered by a controller, which may not have come to it yet.
        if object.contains_key("aggregationRule") {
            object.remove("rules");
        }
    }
    object
}
