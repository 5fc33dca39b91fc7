//! A saved plan is carried out as it was, or refused.

use crate::{cluster::Served, sandbox::Sandbox};
use serde_json::json;

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
