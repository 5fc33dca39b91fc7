//! A saved plan is carried out as it was, or refused.

use crate::{
    cluster::Served,
    sandbox::{Ran, Sandbox},
};
use serde_json::{Value, json};

const SUBSCRIPTION: &str =
    "/apis/maas.opendatahub.io/v1alpha1/namespaces/models-as-a-service/maassubscriptions/pro-subscription";

#[test]
fn a_saved_plan_is_refused_after_a_conflicting_edit_and_accepted_after_an_unrelated_one() {
    let sandbox = Sandbox::new();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox.edit("tokens = 3_000,", "tokens = 6_000,");
    sandbox.simulate(&["plan", "stack.toml", "-o", "change.plan"]).expect(0);
    let served = Served::start(&sandbox);
    served.patch(SUBSCRIPTION, &json!({"spec": {"priority": 7}}));
    let refused = sandbox.simulate(&["apply", "change.plan", "--yes"]).expect(1);
    for word in ["MaaSSubscription", "pro-subscription", "priority", "somebody-else"] {
        assert!(refused.stderr.contains(word), "`{word}`: {}", refused.shown());
    }
    served.patch(SUBSCRIPTION, &json!({"spec": {"priority": 2}}));
    sandbox.simulate(&["plan", "stack.toml", "-o", "change.plan"]).expect(0);
    served.patch(
        SUBSCRIPTION,
        &json!({"metadata": {"annotations": {"note": "unrelated"}}}),
    );
    sandbox.simulate(&["apply", "change.plan", "--yes"]).expect(0);
}

/// Namespaces of two tables, the second of which leaves the stack.
const NAMESPACES: &str = "[stack]\nname = \"quickstart\"\n[[manifests]]\nname = \"base\"\npath = \"base.yaml\"\n";
const TEAM: &str = "[[manifests]]\nname = \"team\"\npath = \"team.yaml\"\n";
const CLAIMS: &str = "/api/v1/namespaces/team/persistentvolumeclaims";

/// A colleague makes a claim in the namespace.
fn claim(served: &Served, name: &str) {
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    served.make(
        CLAIMS,
        &json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name, "namespace": "team"},
            "spec": spec}),
    );
}

fn uid(served: &Served, path: &str) -> Option<Value> {
    Some(served.find(path)?["metadata"]["uid"].clone())
}

/// A saved plan that deletes the namespace `team` with a claim `old-data` of somebody, and its digest.
fn approved(sandbox: &Sandbox) -> (Served, String) {
    for name in ["base", "team"] {
        let namespace = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n");
        std::fs::write(sandbox.path().join(format!("{name}.yaml")), namespace).expect("writable");
    }
    sandbox.write(&format!("{NAMESPACES}{TEAM}"));
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let served = Served::start(sandbox);
    claim(&served, "old-data");
    sandbox.write(NAMESPACES);
    let planned = ["plan", "stack.toml", "-o", "p1.plan", "--yes-delete", "--json"];
    let told = sandbox.simulate(&planned).expect(0);
    assert!(told.stdout.contains("team/old-data"), "{}", told.shown());
    let digest = told.json()["saved"]["digest"].as_str().expect("a digest").to_owned();
    (served, digest)
}

#[track_caller]
fn says(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.stderr.contains(word), "`{word}`: {}", ran.shown());
    }
}

#[test]
fn what_others_made_after_the_plan_is_not_covered_by_its_yes_delete() {
    let sandbox = Sandbox::new();
    let (served, digest) = approved(&sandbox);
    claim(&served, "new-data");
    let before = ["old-data", "new-data"].map(|name| uid(&served, &format!("{CLAIMS}/{name}")));
    for arguments in [
        &["apply", "p1.plan", "--yes"][..],
        &["apply", "p1.plan", "--yes", "--expect", &digest],
    ] {
        let refused = sandbox.simulate(arguments).expect(1);
        says(
            &refused,
            &[
                "the plan `p1.plan` is no longer true",
                "PersistentVolumeClaim team/new-data goes with Namespace team: it is not of this stack",
                "say `--yes-delete` with this apply",
            ],
        );
        assert!(!refused.stderr.contains("old-data"), "{}", refused.shown());
    }
    let deletes = |sandbox: &Sandbox| {
        let audit = sandbox.audit();
        let ours = audit.iter().filter(|entry| entry.is_our_write());
        ours.filter(|entry| entry.verb == "delete").count()
    };
    assert_eq!(deletes(&sandbox), 0);
    assert_eq!(
        ["old-data", "new-data"].map(|name| uid(&served, &format!("{CLAIMS}/{name}"))),
        before
    );

    // As the plan was made, it is applied.
    served.remove(&format!("{CLAIMS}/new-data"));
    let applied = sandbox
        .simulate(&["apply", "p1.plan", "--yes", "--expect", &digest])
        .expect(0);
    assert!(applied.stdout.contains("team/old-data"), "{}", applied.shown());
    assert_eq!(uid(&served, "/api/v1/namespaces/team"), None);
}

#[test]
fn another_claim_of_the_same_name_is_new_and_a_word_at_the_apply_covers_what_is_there() {
    let sandbox = Sandbox::new();
    let (served, digest) = approved(&sandbox);
    let old = format!("{CLAIMS}/old-data");
    served.remove(&old);
    claim(&served, "old-data");
    let refused = sandbox.simulate(&["apply", "p1.plan", "--yes"]).expect(1);
    says(
        &refused,
        &["team/old-data", "it is another one than the plan was about"],
    );
    assert!(uid(&served, &old).is_some());
    served.remove(&old);
    sandbox
        .simulate(&["plan", "stack.toml", "-o", "none.plan", "--yes-delete"])
        .expect(0);
    claim(&served, "new-data");
    let refused = sandbox.simulate(&["apply", "none.plan", "--yes"]).expect(1);
    says(&refused, &["team/new-data"]);
    sandbox
        .simulate(&["apply", "p1.plan", "--yes", "--yes-delete", "--expect", &digest])
        .expect(0);
    assert_eq!(uid(&served, "/api/v1/namespaces/team"), None);
}

#[test]
fn a_plan_whose_losses_went_is_applied() {
    let sandbox = Sandbox::new();
    let (served, digest) = approved(&sandbox);
    served.remove(&format!("{CLAIMS}/old-data"));
    sandbox
        .simulate(&["apply", "p1.plan", "--yes", "--expect", &digest])
        .expect(0);
    assert_eq!(uid(&served, "/api/v1/namespaces/team"), None);
}
