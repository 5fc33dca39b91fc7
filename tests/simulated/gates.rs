//! An operator that is stopped stops what is below it, and nothing is written there.
//!
//! The sets are written by hand from the dependency edges of the reference (platform §3, serving §2), as kinds and names
//! of objects; the audit log is the judge.

use crate::sandbox::Sandbox;

/// One operator, the words that the failure has to hold, and objects that are below it.
struct Stopped {
    operator: &'static str,
    says: &'static [&'static str],
    below: &'static [(&'static str, &'static str)],
}

/// What every model needs, and what is below a model.
const MODEL: (&str, &str) = ("LLMInferenceService", "qwen3-8b");
const BELOW_MODEL: [(&str, &str); 2] = [("MaaSSubscription", "*"), ("MaaSAuthPolicy", "*")];

const TABLE: &[Stopped] = &[
    // platform §3: every CSV frees its CR; nothing of an operator's kind is written without one.
    Stopped {
        operator: "olm",
        says: &["installed"],
        below: &[
            ("CertManager", "cluster"),
            ("NodeFeatureDiscovery", "*"),
            ("ClusterPolicy", "*"),
            ("Kuadrant", "*"),
            ("LeaderWorkerSetOperator", "*"),
            ("DSCInitialization", "*"),
            ("DataScienceCluster", "*"),
            MODEL,
            BELOW_MODEL[0],
            BELOW_MODEL[1],
        ],
    },
    // platform §3: certmgr.pods -> lws.cr; lws.workload-crd -> rhoai.subscription.
    Stopped {
        operator: "cert-manager",
        says: &["cert-manager"],
        below: &[
            ("LeaderWorkerSetOperator", "*"),
            ("Subscription", "rhods-operator"),
            ("DataScienceCluster", "*"),
            MODEL,
        ],
    },
    // platform §3: gpu.node, nvidia.ready -> gpu.capacity; serving §2.1: ext:gpu-node -> llmisvc(gpu).
    Stopped {
        operator: "machine-api",
        says: &["gpu"],
        below: &[MODEL, BELOW_MODEL[0], BELOW_MODEL[1]],
    },
    Stopped {
        operator: "nfd",
        says: &["n"],
        below: &[MODEL, BELOW_MODEL[0], BELOW_MODEL[1]],
    },
    Stopped {
        operator: "gpu",
        says: &["gpu"],
        below: &[MODEL, BELOW_MODEL[0], BELOW_MODEL[1]],
    },
    // platform §3: lws.workload-crd -> rhoai.subscription.
    Stopped {
        operator: "leader-worker-set",
        says: &["leader-worker-set"],
        below: &[
            ("Subscription", "rhods-operator"),
            ("DSCInitialization", "*"),
            ("DataScienceCluster", "*"),
            MODEL,
        ],
    },
    // platform §3: kuadrant.pods -> rhoai.subscription.
    Stopped {
        operator: "kuadrant",
        says: &["kuadrant"],
        below: &[("Subscription", "rhods-operator"), ("DataScienceCluster", "*"), MODEL],
    },
    // platform §3: rhoai.dsci -> rhoai.dsc.
    Stopped {
        operator: "rhoai",
        says: &["rhoai"],
        below: &[MODEL, BELOW_MODEL[0], BELOW_MODEL[1]],
    },
    // serving §2.2: GatewayClass accepted -> Kuadrant Ready -> maas.dsc-flip; gateway -> llmisvc.
    Stopped {
        operator: "gateway",
        says: &["gateway"],
        below: &[MODEL, BELOW_MODEL[0], BELOW_MODEL[1], ("Tenant", "*")],
    },
    // serving §2.2: tls.4a -> tls.4b -> tls.4c -> tls.4d -> llmisvc(maas on).
    Stopped {
        operator: "service-ca",
        says: &["authorino"],
        below: &[("Authorino", "*"), MODEL],
    },
    // serving §2.2: tls.4d -> tls.done -> llmisvc(maas on).
    Stopped {
        operator: "odh-model-controller",
        says: &["authorino"],
        below: &[MODEL, BELOW_MODEL[0]],
    },
    // serving §2.2: llmisvc -> modelref phase Ready -> subscription, authpolicy.
    Stopped {
        operator: "kserve",
        says: &["qwen3-8b"],
        below: &[BELOW_MODEL[0], BELOW_MODEL[1]],
    },
    // serving §2.2: maas.dsc-flip -> tenant; modelref -> subscription, authpolicy.
    Stopped {
        operator: "maas",
        says: &["maas"],
        below: &[BELOW_MODEL[0], BELOW_MODEL[1]],
    },
    // platform §3: uwm.pods -> models (mandatory).
    Stopped {
        operator: "observability",
        says: &["monitoring"],
        below: &[MODEL],
    },
];

#[test]
fn a_stopped_operator_is_named_and_nothing_below_it_is_written() {
    for stopped in TABLE {
        let sandbox = Sandbox::new();
        let fault = format!("stopped@{}", stopped.operator);
        let ran = sandbox
            .simulate(&[
                "apply",
                "stack.toml",
                "--yes",
                "--fault",
                &fault,
                "--ready-timeout",
                "8s",
            ])
            .expect(1);
        for word in stopped.says {
            assert!(
                ran.stderr.contains(word),
                "{}: `{word}`: {}",
                stopped.operator,
                ran.shown()
            );
        }
        let audit = sandbox.audit();
        for (kind, name) in stopped.below {
            let written: Vec<_> = audit
                .iter()
                .filter(|e| e.is_our_write() && e.is(kind, name))
                .map(|e| e.key())
                .collect();
            assert!(
                written.is_empty(),
                "{}: {written:?} was written below it",
                stopped.operator
            );
        }
    }
}

/// Reference durations (platform §2.5: nodes take 5 to 15 minutes; §4: the low ends), divided by the speed.
#[test]
fn an_unfaulted_run_takes_at_least_the_references_time() {
    let sandbox = Sandbox::new();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let audit = sandbox.audit();
    let machine_set = audit
        .iter()
        .find(|e| e.is_our_write() && e.kind == "MachineSet")
        .expect("a MachineSet was made");
    let node = audit
        .iter()
        .find(|e| e.kind == "Node" && e.user.contains("machine-api") && e.subresource.is_empty());
    let node = node.expect("a node joined");
    let least = 300.0 / 1000.0;
    assert!(
        node.seconds_after(machine_set) >= least,
        "{} to {}",
        machine_set.time,
        node.time
    );
    assert!(!node.uid.is_empty());
}
