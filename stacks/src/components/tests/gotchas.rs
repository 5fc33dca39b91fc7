//! The gotchas of `reference/platform.md` §4, one test each where the catalogue is what prevents them. `docs/gotchas.md`
//! lists them all.

use super::{
    ADDITIONS, BARE_METAL, PRODUCTION, QUICKSTART, compiled,
    look::{at, holds_back, leaves_free, manifest, node, refused},
    manifests, stack_of,
};
use crate::cluster_facts::key;
use serde_json::json;
use stackctl_engine::{
    readiness::{Rule, Target},
    resource::{DocumentCodec, Node},
};
use std::collections::BTreeSet;

#[test]
fn g01_settings_of_cert_manager_wait_for_their_kind() {
    holds_back(PRODUCTION, "cert-manager.kinds", &["cert-manager.config"]);
}

#[test]
fn g02_settings_of_leader_worker_set_wait_for_their_kind() {
    holds_back(PRODUCTION, "leader-worker-set.kinds", &["leader-worker-set.config"]);
}

#[test]
fn g03_kinds_of_components_come_after_the_cluster_of_components() {
    holds_back(QUICKSTART, "rhoai.dashboard-kinds", &["rhoai.dashboard"]);
    holds_back(QUICKSTART, "rhoai.mlflow-kinds", &["rhoai.mlflow"]);
    holds_back(
        ADDITIONS,
        "model-registry.kinds",
        &["model-registry[registry].instance"],
    );
}

#[test]
fn g04_issuers_wait_for_the_webhook_of_cert_manager() {
    holds_back(PRODUCTION, "cert-manager.ready", &["tls.issuer", "tls.staging-issuer"]);
    holds_back(BARE_METAL, "cert-manager.ready", &["tls.root-issuer", "tls.issuer"]);
}

#[test]
fn g05_a_domain_that_is_not_the_clusters_gets_no_certificate() {
    let told = refused(&stack_of(PRODUCTION), key::BASE_DOMAIN, json!("example.com"));
    assert_eq!(
        told,
        "the apps domain `apps.ocp.example.com` is not below `example.com`, the domain of the cluster\n"
    );
}

#[test]
fn g06_certificates_are_judged_by_the_condition_ready() {
    for address in ["tls.api-certificate", "tls.ingress-certificate"] {
        let Node::Object(object) = node(PRODUCTION, address).node else {
            panic!("{address} is no object");
        };
        assert_eq!(object.ready, Rule::condition("Ready"), "{address}");
    }
}

#[test]
fn g07_the_issuer_waits_for_its_credentials() {
    holds_back(PRODUCTION, "cert-manager.credentials-made", &["tls.issuer"]);
    let none = compiled(&stack_of(BARE_METAL));
    assert!(!none.iter().any(|one| one.address == at("cert-manager.credentials")));
}

#[test]
fn g08_another_platform_than_the_stack_names_is_refused() {
    let told = refused(&stack_of(QUICKSTART), key::PLATFORM, json!("BareMetal"));
    assert_eq!(told, "the stack is for AWS, and the cluster runs on BareMetal\n");
}

#[test]
fn g09_an_authority_of_ones_own_is_trusted_before_the_dashboard_is_restarted() {
    holds_back(BARE_METAL, "tls.root", &["tls.bundle"]);
    holds_back(BARE_METAL, "tls.bundle", &["tls.proxy"]);
    holds_back(BARE_METAL, "tls.proxy", &["tls.trusted"]);
    holds_back(BARE_METAL, "tls.trusted", &["rhoai.dashboard-restart"]);
    let Node::Gate(gate) = node(BARE_METAL, "tls.trusted").node else {
        panic!("no gate");
    };
    assert!(matches!(gate.observations[0].target, Target::Copied { .. }), "{gate:?}");
}

#[test]
fn g10_no_secret_of_a_certificate_has_a_second_writer() {
    for text in [QUICKSTART, PRODUCTION, BARE_METAL] {
        let all = manifests(&compiled(&stack_of(text)));
        let secrets: BTreeSet<_> = all
            .iter()
            .filter(|(_, manifest)| manifest["kind"] == "Certificate")
            .map(|(_, manifest)| manifest["spec"]["secretName"].to_string())
            .collect();
        for (address, manifest) in &all {
            let asked = &manifest["metadata"]["annotations"]["service.beta.openshift.io/serving-cert-secret-name"];
            assert!(!secrets.contains(&asked.to_string()), "{address} asks for {asked}");
            assert!(!manifest["data"].to_string().contains("serving-cert"), "{address}");
        }
    }
}

#[test]
fn g11_g12_the_gpu_operator_comes_after_what_labels_its_nodes() {
    holds_back(PRODUCTION, "nfd.kinds", &["nfd.instance", "nvidia.policy"]);
    holds_back(PRODUCTION, "nfd.labels", &["nvidia.ready"]);
    let worker = manifest(PRODUCTION, "nfd.instance")["spec"]["workerConfig"]["configData"].to_string();
    assert!(
        worker.contains("deviceLabelFields:") && worker.contains("- vendor"),
        "{worker}"
    );
}

#[test]
fn g13_the_capacity_of_a_node_is_the_proof_and_ready_alone_is_none() {
    holds_back(PRODUCTION, "gpu[l40s].capacity", &["model[qwen3-8b].service"]);
    let Node::Gate(gate) = node(PRODUCTION, "nvidia.ready").node else {
        panic!("no gate");
    };
    let nothing_to_do = json!({"kind": "ClusterPolicy", "metadata": {"name": "gpu-cluster-policy"}, "status": {
        "state": "ready", "conditions": [{"type": "Ready", "status": "True", "reason": "NoGPUNodes"}]}});
    assert!(!gate.observations[0].ready.evaluate(&nothing_to_do).is_ready());
}

#[test]
fn g14_the_gpu_operator_makes_its_own_service_monitor() {
    let policy = manifest(PRODUCTION, "nvidia.policy");
    assert_eq!(policy["spec"]["dcgmExporter"]["serviceMonitor"]["enabled"], true);
    let all = manifests(&compiled(&stack_of(PRODUCTION)));
    assert!(
        !all.iter()
            .any(|(_, one)| one["metadata"]["name"] == "nvidia-dcgm-exporter")
    );
}

#[test]
fn g15_two_pools_in_one_zone_are_two_machine_sets() {
    let name = |address| manifest(ADDITIONS, address)["metadata"]["name"].clone();
    assert_ne!(name("gpu[shared].machineset[a]"), name("gpu[whole].machineset[a]"));
}

#[test]
fn g16_a_machine_that_failed_is_not_waited_for() {
    let Node::Gate(gate) = node(PRODUCTION, "gpu[l40s].capacity").node else {
        panic!("no gate");
    };
    let failed = gate
        .observations
        .iter()
        .find_map(|one| one.failed.clone())
        .expect("a rule");
    let machine = json!({"kind": "Machine", "metadata": {"name": "m"}, "status": {"phase": "Failed"}});
    assert!(failed.evaluate(&machine).is_ready());
}

#[test]
fn g17_nodes_are_labelled_for_time_slicing_only_if_the_stack_says_so() {
    let labels = |text, address| manifest(text, address)["spec"]["template"]["spec"]["metadata"]["labels"].clone();
    let label = "nvidia.com/device-plugin.config";
    assert!(labels(PRODUCTION, "gpu[l40s].machineset[a]").get(label).is_none());
    assert_eq!(labels(ADDITIONS, "gpu[shared].machineset[a]")[label], "A10G-shared");
}

#[test]
fn g18_g19_install_plans_are_approved_until_the_pin_is_installed() {
    for (text, address) in [
        (PRODUCTION, "connectivity-link.approve"),
        (PRODUCTION, "cluster-observability.approve"),
        (PRODUCTION, "rhoai.approve"),
        (ADDITIONS, "pipelines.approve"),
        (ADDITIONS, "service-mesh.approve"),
    ] {
        let Node::Action(action) = node(text, address).node else {
            panic!("{address} is no action");
        };
        assert!(action.satisfied_by_goal && !action.goal.is_empty(), "{address}");
    }
    // What OLM approves by itself is installed before a manual Subscription makes every plan of the namespace wait.
    holds_back(
        ADDITIONS,
        "pipelines.installed",
        &["service-mesh.subscription", "connectivity-link.subscription"],
    );
    holds_back(ADDITIONS, "service-mesh.installed", &["connectivity-link.subscription"]);
}

#[test]
fn g21_g22_versions_are_found_by_name_in_their_own_namespace() {
    for text in [PRODUCTION, ADDITIONS] {
        for resource in compiled(&stack_of(text)) {
            let Node::Gate(gate) = &resource.node else { continue };
            let targets = gate.observations.iter().map(|one| &one.target);
            for target in targets.chain(resource.lifecycle.claims.iter().map(|claim| &claim.target)) {
                match target {
                    Target::Every { of, .. } | Target::Some { of, .. } => {
                        assert_ne!(of.kind, "ClusterServiceVersion", "{}", resource.address);
                    }
                    Target::Prefixed {
                        of, unless_labelled, ..
                    } if of.kind == "ClusterServiceVersion" => {
                        assert_eq!(
                            unless_labelled.as_deref(),
                            Some("olm.copiedFrom"),
                            "{}",
                            resource.address
                        );
                    }
                    _ => {}
                }
            }
        }
    }
}

#[test]
fn g23_a_kuadrant_that_is_not_ready_yet_does_not_block_openshift_ai() {
    leaves_free(
        QUICKSTART,
        "kuadrant.ready",
        &[
            "rhoai.subscription",
            "rhoai.initialization",
            "rhoai.cluster",
            "rhoai.controllers",
        ],
    );
    let Node::Gate(gate) = node(QUICKSTART, "kuadrant.ready").node else {
        panic!("no gate");
    };
    assert!(gate.remedy.is_some());
}

#[test]
fn g24_connectivity_link_is_never_without_its_kuadrant() {
    for text in [QUICKSTART, PRODUCTION, BARE_METAL] {
        assert_eq!(manifest(text, "kuadrant.instance")["kind"], "Kuadrant");
    }
}

#[test]
fn g25_operators_of_the_monitoring_stack_come_before_the_initialisation() {
    for first in [
        "tempo.installed",
        "opentelemetry.kinds",
        "cluster-observability.installed",
    ] {
        holds_back(PRODUCTION, first, &["rhoai.initialization"]);
    }
}

#[test]
fn g26_maas_is_switched_on_after_its_gateway_and_database() {
    holds_back(QUICKSTART, "maas.gateway", &["maas.switch"]);
    holds_back(QUICKSTART, "maas.database.deployment", &["maas.switch"]);
    let kserve = &manifest(PRODUCTION, "rhoai.cluster")["spec"]["components"]["kserve"];
    assert!(kserve.get("modelsAsService").is_none(), "unsaid it is off");
}

#[test]
fn g27_no_flag_that_this_release_refuses() {
    for text in [QUICKSTART, ADDITIONS] {
        let flags = manifest(text, "rhoai.dashboard");
        assert!(flags["spec"]["dashboardConfig"].get("mlflow").is_none());
    }
}

#[test]
fn g28_g29_queues_are_shown_only_with_kueue_and_their_price_is_told() {
    let shown = |text| manifest(text, "rhoai.dashboard")["spec"]["dashboardConfig"]["disableKueue"].clone();
    assert_eq!((shown(QUICKSTART), shown(ADDITIONS)), (json!(true), json!(false)));
    let told = node(ADDITIONS, "kueue.subscription").consequences;
    assert!(
        told.iter().any(|one| one.text.contains("labels every new project")),
        "{told:?}"
    );
}

#[test]
fn g30_kueue_is_unmanaged_and_its_queues_come_after_the_cluster_of_components() {
    let kueue = &manifest(ADDITIONS, "rhoai.cluster")["spec"]["components"]["kueue"];
    assert_eq!(kueue["managementState"], "Unmanaged");
    holds_back(ADDITIONS, "kueue.installed", &["rhoai.cluster"]);
    holds_back(
        ADDITIONS,
        "rhoai.cluster",
        &["kueue.queue-kinds", "kueue.cluster-queue"],
    );
    holds_back(
        ADDITIONS,
        "kueue.queue-kinds",
        &["kueue.flavor", "kueue.queue[\"team-a/default\"]"],
    );
}

#[test]
fn g31_upgrades_of_openshift_ai_can_be_held() {
    let subscription = manifest(PRODUCTION, "rhoai.subscription");
    assert_eq!(subscription["spec"]["installPlanApproval"], "Manual");
    assert_eq!(subscription["spec"]["startingCSV"], "rhods-operator.3.4.0");
}

#[test]
fn g32_a_pin_that_its_channel_does_not_have_is_refused() {
    let old = json!([{"name": "stable-3.x", "currentCSV": "x", "entries": [{"name": "rhods-operator.3.3.2"}]}]);
    let told = refused(&stack_of(PRODUCTION), &key::channels("rhods-operator"), old);
    assert!(
        told.contains("`rhods-operator.3.4.0` is not in channel `stable-3.x`"),
        "{told}"
    );
}

#[test]
fn g33_another_channel_replaces_the_subscription() {
    let fields = node(PRODUCTION, "rhoai.subscription").lifecycle.replace_on;
    assert_eq!(fields, [stackctl_engine::FieldPath::of("spec.channel")]);
}

#[test]
fn g35_a_dashboard_meets_all_conditions_of_the_console() {
    let dashboard = manifest(PRODUCTION, "monitoring.inference-dashboard");
    assert_eq!(
        dashboard["metadata"]["namespace"],
        "openshift-cluster-observability-operator"
    );
    assert_eq!(
        dashboard["metadata"]["labels"]["app.kubernetes.io/part-of"],
        "monitoring"
    );
    for plugin in [
        "monitoring.console-plugin[dashboards]",
        "monitoring.console-plugin[monitoring]",
    ] {
        holds_back(PRODUCTION, plugin, &["monitoring.inference-dashboard"]);
    }
}

#[test]
fn g36_models_with_metrics_wait_for_who_scrapes_them() {
    holds_back(QUICKSTART, "monitoring.ready", &["model[qwen3-8b].metrics"]);
}

#[test]
fn g37_g38_shared_texts_are_edited_and_not_replaced() {
    for (text, address) in [(QUICKSTART, "monitoring.user-workload"), (BARE_METAL, "tls.bundle")] {
        let Node::Overlay(overlay) = node(text, address).node else {
            panic!("{address} is no overlay");
        };
        assert!(overlay.fields.is_null() && overlay.documents.len() == 1, "{address}");
        match (&overlay.documents[0].codec, address) {
            (DocumentCodec::YamlKey { key, .. }, "monitoring.user-workload") => assert_eq!(key, "enableUserWorkload"),
            (DocumentCodec::Pem { .. }, "tls.bundle") => {}
            (codec, _) => panic!("{address}: {codec:?}"),
        }
    }
}

#[test]
fn g39_of_the_router_only_the_certificate_is_taken() {
    let router = manifest(PRODUCTION, "tls.router");
    assert_eq!(
        router,
        json!({"spec": {"defaultCertificate": {"name": "ingress-certs"}}})
    );
}

#[test]
fn g40_what_needs_certificates_waits_for_cert_manager() {
    holds_back(PRODUCTION, "cert-manager.ready", &["leader-worker-set.config"]);
    holds_back(ADDITIONS, "cert-manager.ready", &["kueue.subscription"]);
}

#[test]
fn g43_applications_wait_for_the_webhook_and_for_their_rights() {
    for first in [
        "cert-manager.ready",
        "gitops.binding",
        "gitops.platform-binding",
        "gitops.controller",
    ] {
        holds_back(ADDITIONS, first, &["gitops.application[cert-manager-route53]"]);
    }
}

#[test]
fn g44_models_need_the_version_with_the_gateway_controller() {
    let told = refused(&stack_of(PRODUCTION), key::OPENSHIFT, json!("4.19.9"));
    assert!(told.contains("4.19.9"), "{told}");
}

#[test]
fn g47_endpoints_are_given_back_before_their_certificates_go() {
    // Destroy is the graph reversed: what comes after the certificate goes before it.
    holds_back(PRODUCTION, "tls.api-certificate", &["tls.api"]);
    holds_back(
        PRODUCTION,
        "tls.ingress-certificate",
        &["tls.router", "tls.certificate"],
    );
}

#[test]
fn g50_g51_models_wait_for_the_controllers_and_the_gateway() {
    holds_back(PRODUCTION, "rhoai.controllers", &["model[qwen3-8b].service"]);
    holds_back(
        PRODUCTION,
        "connectivity-link.kinds",
        &["rhoai.subscription", "kuadrant.instance"],
    );
    holds_back(PRODUCTION, "kuadrant.operands", &["rhoai.subscription"]);
}
