//! The main job: a plan, an apply that ends well, and nothing left to do.

use crate::{
    cluster::{Served, kubectl},
    sandbox::Sandbox,
};

#[test]
fn validate_points_at_a_window_in_days() {
    let sandbox = Sandbox::new();
    sandbox.run(&["validate", "stack.toml"]).expect(0);
    sandbox.edit("window = \"5m\"", "window = \"1d\"");
    let ran = sandbox.run(&["validate", "stack.toml"]).expect(1);
    assert!(
        ran.stderr.contains("stack.toml:") && ran.stderr.contains("1d") && ran.stderr.contains("24h"),
        "{}",
        ran.shown()
    );
}

#[test]
fn a_plan_of_a_fresh_cluster_counts_what_it_shows() {
    let sandbox = Sandbox::new();
    let shown = sandbox.simulate(&["plan", "stack.toml"]).expect(0);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(2);
    let json = sandbox.simulate(&["plan", "stack.toml", "--json"]).expect(0).json();
    let steps = json["resource_changes"].as_array().expect("steps").clone();
    let count = |action: &str| steps.iter().filter(|step| step["action"] == action).count();
    assert_eq!(json["summary"]["create"], count("create"));
    assert_eq!(json["summary"]["wait"], count("wait"));
    assert_eq!(json["summary"]["run"], count("run"));
    assert!(
        count("create") > 50 && count("wait") > 10 && count("run") >= 2,
        "{}",
        shown.shown()
    );
    assert!(
        shown.stdout.contains(&format!("{} create", count("create"))),
        "{}",
        shown.shown()
    );
    let writes = sandbox.audit().iter().filter(|entry| entry.is_our_write()).count();
    assert_eq!(writes, 0, "a plan writes nothing");
}

#[test]
fn an_apply_converges_and_the_next_plan_is_empty() {
    let sandbox = Sandbox::new();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    sandbox
        .simulate(&["plan", "stack.toml", "--detailed-exitcode"])
        .expect(0);
    let output = sandbox.simulate(&["output", "stack.toml"]).expect(0);
    assert!(output.stdout.contains("/llm-d-demo/qwen3-8b/v1"), "{}", output.shown());
    let mistakes: Vec<_> = sandbox
        .audit()
        .iter()
        .filter(|entry| entry.is_operator_mistake())
        .map(|entry| format!("{} {} {}", entry.user, entry.key(), entry.code))
        .collect();
    assert!(mistakes.is_empty(), "{mistakes:?}");

    let served = Served::start(&sandbox);
    if let Some((ok, text)) = kubectl(
        &sandbox,
        &served,
        &[
            "get",
            "llminferenceservices,maassubscriptions,tokenratelimitpolicies",
            "-A",
        ],
    ) {
        assert!(
            ok && text.contains("qwen3-8b") && text.contains("pro-subscription") && text.contains("maas-trlp-qwen3-8b"),
            "{text}"
        );
    }
    drop(served);

    sandbox.edit("tokens = 3_000,", "tokens = 6_000,");
    let json = sandbox.simulate(&["plan", "stack.toml", "--json"]).expect(0).json();
    let changed: Vec<_> = json["resource_changes"]
        .as_array()
        .expect("steps")
        .iter()
        .filter(|s| s["action"] == "update")
        .collect();
    assert_eq!(
        (changed.len(), json["summary"]["create"].as_u64()),
        (1, Some(0)),
        "{changed:?}"
    );
    assert_eq!(changed[0]["address"], "maas.tier[pro].subscription");
}

/// Three GPUs: one copy that answers, and two that read. A third reader has nowhere to go, and the old ones go on.
#[test]
fn a_model_that_grows_beyond_its_gpus_is_not_called_ready() {
    let sandbox = Sandbox::of("prefill-decode");
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let more = ["--set", "models[qwen3-8b].prefill.replicas=3"];
    let apply = [&["apply", "stack.toml", "--yes", "--ready-timeout", "10s"][..], &more].concat();
    let ran = sandbox.simulate(&apply);
    assert_ne!(ran.code, 0, "{}", ran.shown());
    assert!(ran.shown().contains("did not become ready"), "{}", ran.shown());
    assert!(!ran.shown().contains("Ready=True"), "{}", ran.shown());
}
