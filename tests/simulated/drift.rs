//! What changes under us has a name, and an apply mends it.

use crate::{cluster::Served, sandbox::Sandbox};
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
