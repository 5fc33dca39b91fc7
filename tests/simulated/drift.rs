//! What changes under us has a name, and an apply mends it.

use crate::{
    cluster::{Served, kubectl},
    sandbox::Sandbox,
};

#[test]
fn drift_names_field_and_manager_and_apply_mends_it() {
    let sandbox = Sandbox::new();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox.simulate(&["drift", "stack.toml"]).expect(0);
    let served = Served::start(&sandbox);
    let subscription = [
        "patch",
        "maassubscription",
        "pro-subscription",
        "-n",
        "models-as-a-service",
        "--type=merge",
    ];
    let patch = |what: &str| {
        let mut arguments = subscription.to_vec();
        arguments.extend(["--field-manager=night-shift", "-p", what]);
        kubectl(&sandbox, &served, &arguments)
    };
    let Some((ok, text)) = patch(r#"{"metadata":{"annotations":{"note":"theirs"}}}"#) else {
        return;
    };
    assert!(ok, "{text}");
    sandbox.simulate(&["drift", "stack.toml"]).expect(0);
    let (ok, text) = patch(r#"{"spec":{"priority":7}}"#).expect("kubectl was there a moment ago");
    assert!(ok, "{text}");
    let drift = sandbox.simulate(&["drift", "stack.toml"]).expect(2);
    for word in ["maas.tier[pro].subscription", "spec.priority", "night-shift"] {
        assert!(drift.stdout.contains(word), "`{word}`: {}", drift.shown());
    }
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let path = "/apis/maas.opendatahub.io/v1alpha1/namespaces/models-as-a-service/maassubscriptions/pro-subscription";
    let live = served.get(path);
    assert_eq!(live["spec"]["priority"], 2);
    assert_eq!(live["metadata"]["annotations"]["note"], "theirs");
    sandbox.simulate(&["drift", "stack.toml"]).expect(0);
}
