//! Tiers and models that run elsewhere: rows S and E of `reference/serving.md` §5. `docs/gotchas.md` lists them all.

use super::{
    EXTERNAL_MODELS, GATEWAY_POLICIES, PRODUCTION, QUICKSTART, compiled,
    look::{all, edited, holds_back, manifest, node, ready, said},
    serving_maas::{SUBSCRIPTIONS, maas},
    stack_of,
};
use serde_json::{Value, json};
use stackctl_engine::{readiness::Rule, resource::Node};
use std::collections::BTreeSet;

#[test]
fn s_s2_s_s3_who_has_a_limit_on_a_model_may_call_it_and_nobody_else_may() {
    for text in SUBSCRIPTIONS {
        let subscriptions = all(text, "MaaSSubscription");
        let policies = all(text, "MaaSAuthPolicy");
        assert_eq!(subscriptions.len(), policies.len());
        for ((address, subscription), (_, policy)) in subscriptions.iter().zip(&policies) {
            assert_eq!(subscription["spec"]["owner"], policy["spec"]["subjects"], "{address}");
            let models = |one: &Value| -> BTreeSet<(String, String)> {
                let refs = one["spec"]["modelRefs"].as_array().into_iter().flatten();
                refs.map(|one| (one["namespace"].to_string(), one["name"].to_string()))
                    .collect()
            };
            assert_eq!(models(subscription), models(policy), "{address}");
        }
    }
    // A published model that no tier names is doubted: nobody could call it.
    let alone = edited(
        QUICKSTART,
        "[models.vllm]",
        "[[models]]\nname = \"alone\"\nnamespace = \"demo\"\nsource = \"pvc://w/alone\"\nreplicas = 0\nmaas = true\n\n[models.vllm]",
    );
    assert_eq!(said(&alone), ["STK052: no tier gives access to model `alone`"]);
}

#[test]
fn s_s7_tiers_wait_for_the_models_that_they_name() {
    let tier = ["maas.tier[pro].subscription", "maas.tier[pro].access"];
    holds_back(QUICKSTART, "maas.model[qwen3-8b].ref", &tier);
    let premium = ["maas.tier[premium].subscription", "maas.tier[premium].access"];
    holds_back(EXTERNAL_MODELS, "maas.model[granite-large].ref", &premium);
    assert_eq!(ready(QUICKSTART, tier[0]), Rule::equals("status.phase", "Active"));
}

#[test]
fn s_s8_a_model_has_one_reference() {
    for text in SUBSCRIPTIONS {
        let mut targets: Vec<_> = all(text, "MaaSModelRef")
            .into_iter()
            .map(|(_, one)| format!("{} {}", one["metadata"]["namespace"], one["spec"]["modelRef"]))
            .collect();
        let n_references = targets.len();
        targets.sort();
        targets.dedup();
        assert_eq!(targets.len(), n_references);
    }
    let twice = format!(
        "{EXTERNAL_MODELS}\n[[maas.external_models]]\nname = \"qwen3-14b\"\nendpoint = \"e.com\"\napi_key = {{ env = \"K\" }}\n"
    );
    let told = said(&twice);
    assert!(told.iter().any(|line| line.starts_with("STK008")), "{told:?}");
}

#[test]
fn s_s9_s_s10_windows_are_those_of_the_api_and_days_are_offered_in_hours() {
    let with = |limits: &str| {
        let now = "limits   = [{ model = \"qwen3-8b\", tokens = 300, window = \"5m\" }]";
        said(&edited(QUICKSTART, now, limits))
    };
    for window in ["8785h", "9999h", "1d", "0m"] {
        let told = with(&format!(
            "limits = [{{ model = \"qwen3-8b\", tokens = 300, window = \"{window}\" }}]"
        ));
        assert_eq!(told, [format!("STK014: window `{window}` is not a rate-limit window")]);
    }
    let hour = with("limits = [{ model = \"qwen3-8b\", tokens = 300, window = \"8784h\" }]");
    assert_eq!(hour, [""; 0]);
    assert!(!with("limits = [{ model = \"qwen3-8b\", daily = 300 }]").is_empty());
}

#[test]
fn s_s11_a_group_has_a_name_and_nothing_else() {
    for (address, subscription) in SUBSCRIPTIONS.into_iter().flat_map(|text| all(text, "MaaSSubscription")) {
        for group in subscription["spec"]["owner"]["groups"].as_array().expect("groups") {
            let fields: Vec<_> = group.as_object().expect("a map").keys().collect();
            assert_eq!(fields, ["name"], "{address}");
        }
    }
}

#[test]
fn s_s12_priorities_differ_and_are_always_said() {
    let equal = edited(QUICKSTART, "priority = 2", "priority = 1");
    assert_eq!(
        said(&equal),
        ["STK019: tiers `freemium` and `pro` have the same priority 1"]
    );
    let unsaid = edited(QUICKSTART, "priority = 2\n", "");
    assert_eq!(said(&unsaid), ["STK005: `[[maas.tiers]]` has no `priority`"]);
}

#[test]
fn s_s13_a_group_in_two_tiers_and_everybody_in_one_are_doubted() {
    let twice = edited(
        QUICKSTART,
        "groups   = [\"pro-users\"]",
        "groups = [\"freemium-users\"]",
    );
    assert_eq!(
        said(&twice),
        ["STK055: group `freemium-users` is in tiers `freemium` and `pro`"]
    );
    let everybody = edited(
        QUICKSTART,
        "groups   = [\"pro-users\"]",
        "groups = [\"system:authenticated\"]",
    );
    assert_eq!(said(&everybody), ["STK056: everybody is in tier `pro`"]);
}

#[test]
fn s_s18_that_streams_are_not_counted_is_told_in_both_generations() {
    for text in [QUICKSTART, EXTERNAL_MODELS, GATEWAY_POLICIES] {
        let told = compiled(&stack_of(text)).into_iter().flat_map(|one| one.consequences);
        let of_streams: Vec<_> = told.filter(|one| one.text.contains("streams hang")).collect();
        assert_eq!(of_streams.len(), 1, "{of_streams:?}");
    }
}

#[test]
fn s_s19_counters_survive_limitador_where_the_stack_names_a_redis() {
    let kept = maas("limitador_redis_url = { env = \"REDIS_URL\" }");
    assert_eq!(
        manifest(&kept, "maas.limitador-storage")["spec"]["storage"],
        json!({"redis": {"configSecretRef": {"name": "limitador-redis"}}})
    );
    holds_back(&kept, "maas.limitador-redis", &["maas.limitador-storage"]);
    let told = node(&kept, "maas.limitador-storage").consequences;
    assert!(told.iter().any(|one| one.text.contains("begins anew")), "{told:?}");
}

#[test]
fn s_e1_the_credential_of_a_provider_is_labelled_and_under_its_key_before_its_model() {
    let credential = node(EXTERNAL_MODELS, "maas.external[qwen3-14b].credential");
    let secret = credential.node;
    let Node::Object(secret) = secret else {
        panic!("no object")
    };
    let labels = &secret.manifest.value()["metadata"]["labels"];
    assert_eq!(labels["inference.networking.k8s.io/bbr-managed"], "true");
    let keys: Vec<_> = secret
        .manifest
        .late()
        .iter()
        .map(|late| late.path.to_string())
        .collect();
    assert_eq!(keys, [".data.api-key"]);
    let models = [
        "maas.external[qwen3-14b].service",
        "maas.external[granite-large].service",
    ];
    holds_back(EXTERNAL_MODELS, "maas.external[qwen3-14b].credential", &models);
    for address in models {
        let named = &manifest(EXTERNAL_MODELS, address)["spec"]["credentialRef"]["name"];
        assert_eq!(*named, secret.manifest.value()["metadata"]["name"], "{address}");
    }
}

#[test]
fn s_e2_s_e4_an_external_model_and_its_reference_have_one_name_in_one_group_of_kinds() {
    for name in ["qwen3-14b", "granite-large"] {
        let model = manifest(EXTERNAL_MODELS, &format!("maas.external[{name}].service"));
        let reference = manifest(EXTERNAL_MODELS, &format!("maas.model[{name}].ref"));
        assert_eq!(model["metadata"]["name"], reference["metadata"]["name"]);
        assert_eq!(model["metadata"]["namespace"], reference["metadata"]["namespace"]);
        assert_eq!(
            reference["spec"]["modelRef"],
            json!({"kind": "ExternalModel", "name": name})
        );
        for object in [model, reference] {
            assert_eq!(object["apiVersion"], "maas.opendatahub.io/v1alpha1");
        }
    }
}

#[test]
fn s_e3_an_endpoint_is_a_host_and_nothing_else() {
    for endpoint in ["https://llm.example.com", "llm.example.com:8443", "llm.example.com/v1"] {
        let text = EXTERNAL_MODELS.replacen("\"litellm.example.com\"", &format!("\"{endpoint}\""), 1);
        assert_eq!(said(&text), [format!("STK007: `{endpoint}` is not a host")]);
    }
}

#[test]
fn s_e5_every_dashboard_is_where_the_console_lists_it_and_asks_about_no_fixed_project() {
    let texts = [PRODUCTION, EXTERNAL_MODELS];
    let dashboards: Vec<_> = texts
        .into_iter()
        .flat_map(|text| all(text, "PersesDashboard"))
        .collect();
    assert!(!dashboards.is_empty());
    for (address, dashboard) in dashboards {
        let metadata = &dashboard["metadata"];
        assert_eq!(
            metadata["namespace"], "openshift-cluster-observability-operator",
            "{address}"
        );
        assert_eq!(
            metadata["labels"]["app.kubernetes.io/part-of"], "monitoring",
            "{address}"
        );
        assert!(!dashboard.to_string().contains("maas-demo"), "{address}");
    }
}

#[test]
fn s_e6_limitador_is_scraped_by_kuadrants_own_monitor_and_by_no_other() {
    let watched = maas("monitoring = { alerts = true }");
    for text in [QUICKSTART, EXTERNAL_MODELS, &watched] {
        assert_eq!(
            manifest(text, "kuadrant.instance")["spec"]["observability"]["enable"],
            true
        );
        for (address, monitor) in ["ServiceMonitor", "PodMonitor"]
            .into_iter()
            .flat_map(|kind| all(text, kind))
        {
            let selector = monitor["spec"]["selector"].to_string();
            assert!(!selector.contains("limitador"), "{address}");
        }
    }
}

#[test]
fn s_e7_a_provider_with_a_certificate_of_its_own_can_be_called_without_checking_it() {
    let of = |text: &str| manifest(text, "maas.external[qwen3-14b].service")["metadata"]["annotations"].clone();
    assert!(of(EXTERNAL_MODELS).is_null());
    let plain = edited(
        EXTERNAL_MODELS,
        "provider = \"openai\"",
        "tls = false\nport = 8080\nprovider = \"openai\"",
    );
    assert_eq!(
        of(&plain),
        json!({"maas.opendatahub.io/tls": "false", "maas.opendatahub.io/port": "8080"})
    );
}
