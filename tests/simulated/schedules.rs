//! Random schedules: whatever the parallelism and however fast operators are, nothing starts early and nothing stalls.
//!
//! What "early" means is written by hand from `reference/platform.md` §3 and judged from the audit log, operators' writes
//! included: the engine is not asked.

use crate::{audit::Entry, sandbox::Sandbox};

/// How many schedules CI tries; `STACKCTL_SCHEDULES=100` tries as many as the figure in docs/performance.md.
const SCHEDULES: u64 = 4;

/// What is written by us, and what has to have been made before, by us or by an operator. An empty name is any.
const AFTER: &[([&str; 2], [&str; 2])] = &[
    (
        ["NodeFeatureDiscovery", "nfd-instance"],
        ["CustomResourceDefinition", "nodefeaturediscoveries.nfd.openshift.io"],
    ),
    (
        ["ClusterPolicy", "gpu-cluster-policy"],
        ["CustomResourceDefinition", "clusterpolicies.nvidia.com"],
    ),
    (
        ["ClusterPolicy", "gpu-cluster-policy"],
        ["NodeFeatureDiscovery", "nfd-instance"],
    ),
    (["ClusterIssuer", "letsencrypt"], ["Deployment", "cert-manager-webhook"]),
    (["ClusterIssuer", "letsencrypt"], ["Secret", "aws-creds"]),
    (["Certificate", "ocp-ingress"], ["ClusterIssuer", "letsencrypt"]),
    (["IngressController", "default"], ["Secret", "ingress-certs"]),
    (["APIServer", "cluster"], ["Secret", "api-certs"]),
    (
        ["Kuadrant", "kuadrant"],
        ["CustomResourceDefinition", "authpolicies.kuadrant.io"],
    ),
    (
        ["LeaderWorkerSetOperator", "cluster"],
        [
            "CustomResourceDefinition",
            "leaderworkersetoperators.operator.openshift.io",
        ],
    ),
    (
        ["LeaderWorkerSetOperator", "cluster"],
        ["Deployment", "cert-manager-webhook"],
    ),
    (
        ["Subscription", "rhods-operator"],
        ["CustomResourceDefinition", "authpolicies.kuadrant.io"],
    ),
    (
        ["Subscription", "rhods-operator"],
        ["CustomResourceDefinition", "leaderworkersets.leaderworkerset.x-k8s.io"],
    ),
    (
        ["Subscription", "rhods-operator"],
        ["CustomResourceDefinition", "instrumentations.opentelemetry.io"],
    ),
    (["Subscription", "rhods-operator"], ["Deployment", "authorino"]),
    (
        ["DataScienceCluster", "default-dsc"],
        ["DSCInitialization", "default-dsci"],
    ),
    (
        ["DSCInitialization", "default-dsci"],
        ["CustomResourceDefinition", "uiplugins.observability.openshift.io"],
    ),
    (
        ["MLflow", "mlflow"],
        ["CustomResourceDefinition", "mlflows.mlflow.opendatahub.io"],
    ),
    (
        ["OdhDashboardConfig", "odh-dashboard-config"],
        ["CustomResourceDefinition", "odhdashboardconfigs.opendatahub.io"],
    ),
    (
        ["LLMInferenceService", "qwen3-8b"],
        ["Deployment", "odh-model-controller"],
    ),
    (
        ["LLMInferenceService", "qwen3-8b"],
        ["Gateway", "openshift-ai-inference"],
    ),
    (
        ["PersesDashboard", "llm-d-intelligent-inference"],
        ["UIPlugin", "dashboards"],
    ),
];

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of these tests that reads the environment"
)]
fn asked_for() -> Option<u64> {
    std::env::var("STACKCTL_SCHEDULES").ok()?.parse().ok()
}

#[test]
fn nothing_stalls_and_nothing_starts_early() {
    let schedules = asked_for().unwrap_or(SCHEDULES);
    let seed = 0x5c4e_d01e_u64;
    println!("seed {seed}");
    let mut state = seed;
    let mut draw = |below: u64| {
        // A linear congruential step (Knuth, MMIX), as in the test of kills.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for schedule in 0..schedules {
        let parallelism = (draw(64) + 1).to_string();
        let speed = (300 + draw(3000)).to_string();
        let shown = format!("schedule {schedule}: parallelism {parallelism}, speed {speed}");
        println!("{shown}");
        let sandbox = Sandbox::of("aws-production");
        let ran = sandbox.run(&[
            "apply",
            "stack.toml",
            "--yes",
            "--simulate",
            "--simulate-speed",
            &speed,
            "--parallelism",
            &parallelism,
        ]);
        assert_eq!(ran.code, 0, "{shown}: {}", ran.shown());
        let audit = sandbox.audit();
        for (later, earlier) in AFTER {
            let written = |entry: &&Entry| entry.is_our_write() && entry.is(later[0], later[1]);
            let there = |entry: &&Entry| entry.changes() && entry.is(earlier[0], earlier[1]);
            let first = audit.iter().position(|entry| written(&entry));
            let made = audit.iter().position(|entry| there(&entry));
            let (Some(first), Some(made)) = (first, made) else {
                panic!("{shown}: {later:?} at {first:?}, {earlier:?} at {made:?}");
            };
            assert!(
                made < first,
                "{shown}: {later:?} was written before {earlier:?} was there"
            );
        }
    }
}
