//! A saved plan is carried out as it was, or refused.

use crate::{
    cluster::{Served, kubectl},
    sandbox::Sandbox,
};

#[test]
fn a_saved_plan_is_refused_after_a_conflicting_edit_and_accepted_after_an_unrelated_one() {
    let sandbox = Sandbox::new();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox.edit("tokens = 3_000,", "tokens = 6_000,");
    sandbox.simulate(&["plan", "stack.toml", "-o", "change.plan"]).expect(0);
    let served = Served::start(&sandbox);
    let patch = |what: &str| {
        let arguments = [
            "patch",
            "maassubscription",
            "pro-subscription",
            "-n",
            "models-as-a-service",
            "--type=merge",
        ];
        let mut arguments = arguments.to_vec();
        arguments.extend(["--field-manager=night-shift", "-p", what]);
        kubectl(&sandbox, &served, &arguments)
    };
    let Some((ok, text)) = patch(r#"{"spec":{"priority":7}}"#) else {
        return;
    };
    assert!(ok, "{text}");
    let refused = sandbox.simulate(&["apply", "change.plan", "--yes"]).expect(1);
    for word in ["MaaSSubscription", "pro-subscription", "priority", "night-shift"] {
        assert!(refused.stderr.contains(word), "`{word}`: {}", refused.shown());
    }
    patch(r#"{"spec":{"priority":2}}"#).expect("kubectl was there a moment ago");
    sandbox.simulate(&["plan", "stack.toml", "-o", "change.plan"]).expect(0);
    patch(r#"{"metadata":{"annotations":{"note":"unrelated"}}}"#).expect("kubectl was there a moment ago");
    sandbox.simulate(&["apply", "change.plan", "--yes"]).expect(0);
}
