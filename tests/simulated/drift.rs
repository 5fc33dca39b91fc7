//! What changes under us has a name, and an apply mends it.

use crate::{cluster::Served, sandbox::Sandbox, scope};
use serde_json::json;

const SUBSCRIPTION: &str =
    "/apis/maas.opendatahub.io/v1alpha1/namespaces/models-as-a-service/maassubscriptions/pro-subscription";

#[test]
fn drift_names_field_and_manager_and_apply_mends_it() {
    let sandbox = Sandbox::new();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox.simulate(&["drift", "stack.toml"]).expect(0);
    let served = Served::start(&sandbox);
    served.patch(SUBSCRIPTION, &json!({"metadata": {"annotations": {"note": "theirs"}}}));
    sandbox.simulate(&["drift", "stack.toml"]).expect(0);
    served.patch(SUBSCRIPTION, &json!({"spec": {"priority": 7}}));
    let drift = sandbox.simulate(&["drift", "stack.toml"]).expect(2);
    for word in ["maas.tier[pro].subscription", "spec.priority", "somebody-else"] {
        assert!(drift.stdout.contains(word), "`{word}`: {}", drift.shown());
    }
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let live = served.get(SUBSCRIPTION);
    assert_eq!(live["spec"]["priority"], 2);
    assert_eq!(live["metadata"]["annotations"]["note"], "theirs");
    sandbox.simulate(&["drift", "stack.toml"]).expect(0);
}

/// As `kubectl get -o yaml`, `kubectl delete` and `kubectl create` make one: with our marks, and nothing of it noted as ours.
#[test]
fn an_object_that_somebody_made_in_the_place_of_ours_is_drift() {
    let sandbox = scope::sandbox();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let served = Served::start(&sandbox);
    let all = "/api/v1/namespaces/parts/configmaps";
    let mut restored = served.get(&format!("{all}/left"));
    served.remove(&format!("{all}/left"));
    for name in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
        restored["metadata"].as_object_mut().expect("metadata").remove(name);
    }
    served.make(all, &restored);
    let told = sandbox.simulate(&["drift", "stack.toml"]).expect(2);
    for words in [
        "manifests[left].configmap",
        "another object of that name is there",
        "--adopt",
    ] {
        assert!(told.stdout.contains(words), "`{words}`: {}", told.shown());
    }
    let drift = sandbox.simulate(&["drift", "stack.toml", "--json"]).expect(2).json();
    let drifted = drift["drifted"].as_array().expect("a list");
    assert_eq!(drifted.len(), 1, "{drift}");
    assert_eq!(
        (&drifted[0]["gone"], &drifted[0]["another"]),
        (&true.into(), &true.into())
    );
    let refused = sandbox.simulate(&["plan", "stack.toml"]).expect(1);
    assert!(refused.stderr.contains("not ours"), "{}", refused.shown());
    sandbox.simulate(&["apply", "stack.toml", "--yes", "--adopt"]).expect(0);
    sandbox.simulate(&["drift", "stack.toml"]).expect(0);
}
