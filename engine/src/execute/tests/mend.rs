//! An entry of managedFields in a version that is no longer served.

use super::*;
use crate::plan::Reason;

const GONE: &str = "example.com/v1alpha1";

impl World {
    /// Everybody's entries in an object: manager and version.
    fn versions(&self, name: &str) -> Vec<(String, Value)> {
        let live = self.cluster.object(&config(name)).expect("there");
        let entries = live["metadata"]["managedFields"].as_array().expect("a list");
        let one = |entry: &Value| {
            (
                entry["manager"].as_str().unwrap_or_default().to_owned(),
                entry["apiVersion"].clone(),
            )
        };
        entries.iter().map(one).collect()
    }
}

fn overlay(value: &str) -> Resource {
    let fields = json!({"data": {"ours": value}});
    Resource::new(
        address("b.taken"),
        Node::Overlay(Overlay::new(config("theirs"), fields)),
    )
}

#[tokio::test(start_paused = true)]
async fn an_entry_in_a_version_that_is_gone_is_mended_and_the_apply_goes_on() {
    let mut world = World::new();
    world.cluster.put(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": "n"},
        "data": {"ours": "0"}}),
    );
    let stack = |value: &str| [object("a.one", "one", &json!({"k": value}), &[]), overlay(value)];
    assert!(world.apply(&stack("1")).await.succeeded());
    for name in ["one", "theirs"] {
        world
            .cluster
            .edit(&config(name), "data.theirs", json!("x"), "kubectl-edit");
        world.cluster.retire(&config(name), "kubectl-edit", GONE);
    }
    // As long as nothing is to be written, nothing is said.
    assert_eq!(world.planned(&stack("1")).await, Vec::<String>::new());
    let other = stack("2");
    assert_eq!(
        world.planned(&other).await,
        [
            "update a.one (changed-in-stack) .data.k",
            "update b.taken (changed-in-stack) .data.ours"
        ]
    );
    let plan = world.plan(&other).await;
    assert!(
        plan.steps
            .iter()
            .all(|step| step.reasons.contains(&Reason::VersionGone))
    );

    let report = world.apply(&other).await;
    assert!(report.succeeded() && report.updated == 2, "{report:?}");
    for (name, key) in [("one", "k"), ("theirs", "ours")] {
        let live = world.cluster.object(&config(name)).expect("there");
        assert_eq!(live["data"][key], "2");
        assert_eq!(live["data"]["theirs"], "x");
        let versions = world.versions(name);
        assert!(
            versions.iter().any(|(manager, _)| manager == "kubectl-edit"),
            "theirs as before: {versions:?}"
        );
        assert!(versions.iter().all(|(_, version)| version != GONE), "{versions:?}");
    }
    assert_eq!(world.planned(&other).await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_changes_between_the_look_and_the_mending_is_looked_at_again() {
    let mut world = World::new();
    let stack = |value: &str| [object("a.one", "one", &json!({"k": value}), &[])];
    world.apply(&stack("1")).await;
    world
        .cluster
        .edit(&config("one"), "data.theirs", json!("x"), "kubectl-edit");
    world.cluster.retire(&config("one"), "kubectl-edit", GONE);
    // The apply that is refused is the next write; somebody puts another entry before theirs meanwhile.
    world
        .cluster
        .meanwhile(|cluster| cluster.edit(&config("one"), "data.more", json!("y"), "another"));
    let report = world.apply(&stack("2")).await;
    assert!(report.succeeded(), "{report:?}");
    let live = world.cluster.object(&config("one")).expect("there");
    assert_eq!(live["data"], json!({"k": "2", "theirs": "x", "more": "y"}));
}
