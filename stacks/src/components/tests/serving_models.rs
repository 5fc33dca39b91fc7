//! Models: rows M of `reference/serving.md` §5. `docs/gotchas.md` lists them all.

use super::{
    ADDITIONS, CANARY, EVERY, EXTERNAL_MODELS, GATEWAY_POLICIES, PREFILL_DECODE, QUICKSTART, SMALL, TWO_TENANTS,
    compiled,
    look::{all, at, edited, gate, holds_back, manifest, node, ready, said, seen},
    stack_of,
};
use serde_json::{Value, json};
use stackctl_engine::{
    graph::Graph,
    readiness::{Rule, Target},
    resource::Node,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is served by every OpenShift before anything is installed, besides the groups of the API server itself
/// (`reference/platform.md` §2.21).
const SERVED: &[&str] = &[
    "",
    "apps",
    "rbac.authorization.k8s.io",
    "config.openshift.io",
    "operator.openshift.io",
    "operators.coreos.com",
    "cloudcredential.openshift.io",
    "machine.openshift.io",
    "monitoring.coreos.com",
    "gateway.networking.k8s.io",
    "route.openshift.io",
    "user.openshift.io",
];

fn services(text: &str) -> Vec<Value> {
    all(text, "LLMInferenceService")
        .into_iter()
        .map(|(_, one)| one)
        .collect()
}

fn gateways(service: &Value) -> Vec<&str> {
    let refs = service["spec"]["router"]["gateway"]["refs"].as_array();
    refs.into_iter()
        .flatten()
        .filter_map(|one| one["name"].as_str())
        .collect()
}

fn is_published(service: &Value) -> bool {
    gateways(service) == ["maas-default-gateway"]
}

/// The variables of the container that serves, by name.
fn variables(service: &Value) -> BTreeMap<&str, &Value> {
    let variables = service["spec"]["template"]["containers"][0]["env"].as_array();
    variables
        .into_iter()
        .flatten()
        .filter_map(|variable| {
            Some((
                variable["name"].as_str()?,
                variable.get("value").unwrap_or(&Value::Null),
            ))
        })
        .collect()
}

/// A stack with another table or key in the table of its only model.
fn small(keys: &str) -> String {
    format!("{SMALL}{keys}\n")
}

/// One published model whose prompts are read elsewhere.
fn published_and_split() -> String {
    let published = edited(PREFILL_DECODE, "replicas   = 1 ", "maas = true\nreplicas   = 1 ");
    format!("{published}\n[maas]\n")
}

#[test]
fn s_m1_models_wait_for_both_controllers() {
    holds_back(QUICKSTART, "rhoai.controllers", &["model[qwen3-8b].service"]);
    let labels: Vec<_> = gate(QUICKSTART, "rhoai.controllers")
        .observations
        .into_iter()
        .filter_map(|one| match one.target {
            Target::Every { labels, .. } => labels.get("control-plane").cloned(),
            _ => None,
        })
        .collect();
    assert_eq!(labels, ["odh-model-controller", "kserve-controller-manager"]);
}

#[test]
fn s_m2_s_s6_the_gateway_admits_the_namespace_of_everything_that_attaches_to_it() {
    for text in [QUICKSTART, TWO_TENANTS, EXTERNAL_MODELS, GATEWAY_POLICIES] {
        let gateway = manifest(text, "maas.gateway");
        let admitted =
            &gateway["spec"]["listeners"][0]["allowedRoutes"]["namespaces"]["selector"]["matchExpressions"][0];
        let admitted = admitted["values"].as_array().expect("a list");
        let external = all(text, "ExternalModel").into_iter().map(|(_, model)| model);
        let attached: Vec<_> = services(text)
            .into_iter()
            .filter(is_published)
            .chain(external)
            .collect();
        assert!(!attached.is_empty());
        for model in attached {
            assert!(
                admitted.contains(&model["metadata"]["namespace"]),
                "{}",
                model["metadata"]
            );
        }
    }
    holds_back(EXTERNAL_MODELS, "maas.gateway", &["maas.external[qwen3-14b].route"]);
}

#[test]
fn s_m3_a_model_that_asks_who_calls_waits_for_kuadrant() {
    holds_back(&small("auth = true"), "kuadrant.ready", &["model[opt-125m].service"]);
    holds_back(QUICKSTART, "kuadrant.ready", &["model[qwen3-8b].service"]);
}

#[test]
fn s_m4_no_object_is_written_before_its_kind_is_established() {
    for text in EVERY {
        let resources = compiled(&stack_of(text));
        let graph = Graph::new(&resources).expect("a graph");
        let mut later = BTreeMap::new();
        for resource in &resources {
            for provides in &resource.provides {
                let Node::Gate(gate) = &resource.node else {
                    panic!("{} provides a kind and is no gate", resource.address);
                };
                let definition = format!("{}.{}", provides.plural, provides.kind.group);
                let is_seen = gate.observations.iter().any(|one| {
                    matches!(&one.target, Target::Named(object) if object.name == definition)
                        && one.ready == Rule::established()
                });
                assert!(is_seen, "{} does not look at {definition}", resource.address);
                later.insert(&provides.kind, graph.descendants(&resource.address));
            }
        }
        for resource in &resources {
            let Some(object) = resource.object() else { continue };
            let kind = object.object_type.group_kind();
            match later.get(&kind) {
                Some(after) => assert!(after.contains(&resource.address), "{}", resource.address),
                None => assert!(
                    SERVED.contains(&kind.group.as_str()),
                    "{} is a {kind}",
                    resource.address
                ),
            }
        }
    }
}

#[test]
fn s_m5_a_hardware_profile_is_named_and_there_before_the_model() {
    let unsaid = edited(SMALL, "hardware_profile = \"default-profile\"\n", "");
    assert_eq!(said(&unsaid), ["STK005: `[[models]]` has no `hardware_profile`"]);
    let profile = "rhoai.hardware-profile[gpu-profile]";
    holds_back(QUICKSTART, profile, &["model[qwen3-8b].service"]);
    let named = &manifest(QUICKSTART, "model[qwen3-8b].service")["metadata"]["annotations"];
    assert_eq!(
        named["opendatahub.io/hardware-profile-name"],
        manifest(QUICKSTART, profile)["metadata"]["name"]
    );
}

#[test]
fn s_m6_a_connection_is_there_and_typed_before_the_model() {
    let connection = manifest(QUICKSTART, "model[qwen3-8b].connection");
    assert_eq!(
        connection["metadata"]["annotations"]["opendatahub.io/connection-type-protocol"],
        "uri"
    );
    holds_back(QUICKSTART, "model[qwen3-8b].connection", &["model[qwen3-8b].service"]);
    let bucket = edited(
        SMALL,
        "source = \"hf://facebook/opt-125m\"",
        "source = \"s3://weights/opt\"\ns3 = { connection = \"theirs\" }",
    );
    holds_back(&bucket, "model[opt-125m].connection", &["model[opt-125m].service"]);
    assert_eq!(
        seen(&gate(&bucket, "model[opt-125m].connection")),
        ["Secret demo/theirs"]
    );
}

#[test]
fn s_m7_variables_of_the_platform_are_not_a_models_to_set() {
    let set = |text: &str, name: &str| said(&format!("{text}\n[models.env]\n{name} = \"1\"\n"));
    for name in ["VLLM_ADDITIONAL_ARGS", "VLLM_CPU_KVCACHE_SPACE", "VLLM_SKIP_WARMUP"] {
        let told = set(SMALL, name);
        assert!(told.len() == 1 && told[0].starts_with("STK032"), "{name}: {told:?}");
    }
    for name in ["VLLM_NIXL_SIDE_CHANNEL_HOST", "VLLM_LOGGING_LEVEL"] {
        let told = set(PREFILL_DECODE, name);
        assert!(told.len() == 1 && told[0].starts_with("STK032"), "{name}: {told:?}");
    }
    assert_eq!(set(SMALL, "VLLM_LOGGING_LEVEL"), [""; 0]);
}

#[test]
fn s_m8_the_whole_list_of_variables_is_written_whatever_changes() {
    let env = "[models.env]\nMINE = \"1\"\n\n[models.vllm]";
    let before = edited(QUICKSTART, "[models.vllm]", env);
    let after = edited(&before, "\"--enable-auto-tool-choice\", ", "");
    let names = |text: &str| {
        let service = manifest(text, "model[qwen3-8b].service");
        variables(&service)
            .keys()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    assert!(matches!(node(&after, "model[qwen3-8b].service").node, Node::Object(_)));
    assert_eq!(names(&before), ["MINE", "VLLM_ADDITIONAL_ARGS"]);
    assert_eq!(names(&after), names(&before));
}

#[test]
fn s_m10_s_m20_s_m24_keys_and_words_that_nothing_reads_are_refused() {
    for (keys, told) in [
        (
            "updateStrategy = \"Recreate\"",
            "STK003: unknown key `updateStrategy` in `[[models]]`",
        ),
        (
            "vllmAdditionalArgs = \"--x\"",
            "STK003: unknown key `vllmAdditionalArgs` in `[[models]]`",
        ),
        (
            "deployment = \"multi-node\"",
            "STK006: `multi-node` is not a value of `deployment`",
        ),
    ] {
        assert_eq!(said(&small(keys)), [told]);
    }
}

#[test]
fn s_m13_a_gated_repository_is_doubted_without_a_token_and_waits_for_one() {
    let gated = edited(SMALL, "hf://facebook/opt-125m", "hf://meta-llama/Llama-3.1-8B-Instruct");
    let told = said(&gated);
    assert!(told.len() == 1 && told[0].starts_with("STK054"), "{told:?}");
    let known = format!("{gated}hf_token = {{ env = \"HF_TOKEN\" }}\n");
    assert_eq!(said(&known), [""; 0]);
    holds_back(&known, "model[opt-125m].token", &["model[opt-125m].service"]);
    let env = &manifest(&known, "model[opt-125m].service")["spec"]["template"]["containers"][0]["env"];
    let token = env
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["name"] == "HF_TOKEN");
    assert_eq!(
        token.expect("a variable")["valueFrom"],
        json!({"secretKeyRef": {"name": "opt-125m-hf-token", "key": "token"}})
    );
}

#[test]
fn a_token_that_somebody_else_keeps_is_looked_for_under_its_key() {
    for namespace in ["demo", "elsewhere"] {
        let text = format!("{SMALL}hf_token = {{ secret = \"{namespace}/hf\", key = \"my.key\" }}\n");
        let address = match namespace {
            "demo" => "model[opt-125m].token",
            _ => "model[opt-125m].token-source",
        };
        let gate = gate(&text, address);
        let rule = &gate.observations[0].ready;
        let judged = |key: &str| rule.evaluate(&json!({"kind": "Secret", "data": {key: "c2Vrcml0"}}));
        assert!(judged("my.key").is_ready());
        assert!(!judged("mykey").is_ready());
        assert!(!judged("my.key").why().contains("c2Vrcml0"));
        let asks = gate.asks.unwrap_or_default();
        assert!(
            asks.contains(&format!("Secret {namespace}/hf")) && asks.contains("`my.key`"),
            "{asks}"
        );
    }
}

#[test]
fn a_model_is_ready_by_its_own_word_and_by_its_pods() {
    let Node::Object(object) = node(PREFILL_DECODE, "model[qwen3-8b].service").node else {
        panic!("a model is an object");
    };
    let deployment = |replicas: i64, seen: i64, there: i64| {
        json!({"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": replicas}, "status":
            {"observedGeneration": seen, "replicas": there, "updatedReplicas": there, "availableReplicas": there}})
    };
    let rules: Vec<_> = object.observations().into_iter().map(|one| one.ready).collect();
    assert_eq!(rules.len(), 3, "its own, those who answer, those who read");
    assert!(rules[2].evaluate(&deployment(2, 2, 2)).is_ready());
    assert!(!rules[2].evaluate(&deployment(2, 2, 1)).is_ready(), "one has no GPU");
    assert!(!rules[2].evaluate(&deployment(2, 1, 2)).is_ready(), "judged before");
    assert!(!rules[2].evaluate(&deployment(1, 2, 1)).is_ready(), "not reached yet");
}

#[test]
fn s_m14_every_model_has_a_name_for_clients() {
    for service in EVERY.into_iter().flat_map(services) {
        let name = service["spec"]["model"]["name"].as_str();
        assert!(name.is_some_and(|name| !name.is_empty()), "{}", service["metadata"]);
    }
    assert_eq!(
        said(&small("model_name = \"\"")),
        ["STK035: `model_name` must not be empty"]
    );
}

#[test]
fn s_m15_prefixes_are_cached_unless_the_stack_says_otherwise() {
    let arguments = |text: &str| {
        let service = services(text).remove(0);
        variables(&service)["VLLM_ADDITIONAL_ARGS"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert!(arguments(SMALL).contains("--enable-prefix-caching"));
    assert!(arguments(QUICKSTART).contains("--enable-prefix-caching"));
    assert!(!arguments(PREFILL_DECODE).contains("--enable-prefix-caching"));
    let told = said(&small("vllm = { prefix_caching = \"true\" }"));
    assert!(told.len() == 1 && told[0].starts_with("STK004"), "{told:?}");
}

#[test]
fn s_m16_monitors_are_beside_their_model_and_wait_for_who_scrapes_them() {
    for text in [QUICKSTART, CANARY, TWO_TENANTS, PREFILL_DECODE] {
        let monitors = all(text, "ServiceMonitor");
        let of_models: Vec<_> = monitors
            .iter()
            .filter(|(address, _)| address.starts_with("model["))
            .collect();
        assert!(!of_models.is_empty());
        for (address, monitor) in of_models {
            let name = &monitor["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"];
            let service = services(text).into_iter().find(|one| one["metadata"]["name"] == *name);
            let namespace = service.expect("a model")["metadata"]["namespace"].clone();
            assert_eq!(monitor["metadata"]["namespace"], namespace, "{address}");
            assert_eq!(
                monitor["spec"]["namespaceSelector"]["matchNames"],
                json!([namespace]),
                "{address}"
            );
            holds_back(text, "monitoring.ready", &[address]);
        }
    }
}

#[test]
fn s_m18_no_project_with_models_is_given_to_kueue() {
    let queued = format!(
        "{ADDITIONS}{}",
        "[[models]]\nname = \"m\"\nnamespace = \"team-a\"\nsource = \"pvc://w/m\"\n"
    );
    for text in EVERY.into_iter().chain([queued.as_str()]) {
        let with_models: BTreeSet<_> = services(text)
            .iter()
            .map(|service| service["metadata"]["namespace"].to_string())
            .collect();
        for (address, namespace) in all(text, "Namespace") {
            if with_models.contains(&namespace["metadata"]["name"].to_string()) {
                let label = &namespace["metadata"]["labels"]["kueue.openshift.io/managed"];
                assert!(label.is_null(), "{address}");
            }
        }
    }
}

#[test]
fn s_m19_a_canary_answers_to_two_names_and_not_to_one_with_a_comma() {
    let canary = manifest(CANARY, "model[nemotron-nano-9b].service");
    let arguments = variables(&canary)["VLLM_ADDITIONAL_ARGS"]
        .as_str()
        .expect("arguments")
        .to_owned();
    let names = arguments.split("--served-model-name ").nth(1).expect("names");
    assert_eq!(
        names.split_whitespace().take(2).collect::<Vec<_>>(),
        ["nvidia/Nemotron-Nano-9B-v2", "alibaba/qwen3-8b"]
    );
    assert_eq!(
        said(&small("vllm = { args = [\"--served-model-name=a,b\"] }")),
        ["STK033: vLLM argument `--served-model-name=a,b` cannot be used here"]
    );
    for name in ["a,b", "a b"] {
        let told = said(&small(&format!("model_name = \"{name}\"")));
        assert_eq!(told, [format!("STK007: `{name}` is not what clients call a model")]);
    }
}

#[test]
fn s_m20_a_canary_answers_to_the_name_that_its_route_rewrites() {
    let stable = manifest(CANARY, "model[qwen3-8b].service")["spec"]["model"]["name"].clone();
    let stable = stable.as_str().expect("a name");
    let canary = manifest(CANARY, "model[nemotron-nano-9b].service");
    let arguments = variables(&canary)["VLLM_ADDITIONAL_ARGS"]
        .as_str()
        .expect("arguments")
        .to_owned();
    assert!(arguments.split_whitespace().any(|word| word == stable), "{arguments}");
    let rules = manifest(CANARY, "model[nemotron-nano-9b].canary")["spec"]["rules"].clone();
    for rule in rules.as_array().expect("rules") {
        let path = rule["matches"][0]["path"]["value"].as_str().expect("a path");
        assert!(path.starts_with(&format!("/llm-d-demo/{stable}/v1/")), "{path}");
    }
}

#[test]
fn s_m21_s_m25_a_published_model_asks_who_calls_in_either_way_of_serving() {
    let split = published_and_split();
    let texts = [QUICKSTART, TWO_TENANTS, GATEWAY_POLICIES, split.as_str()];
    for service in texts.into_iter().flat_map(services) {
        assert!(is_published(&service));
        let asks = &service["metadata"]["annotations"]["security.opendatahub.io/enable-auth"];
        assert_eq!(asks, "true", "{}", service["metadata"]["name"]);
    }
    let open = &manifest(SMALL, "model[opt-125m].service")["metadata"]["annotations"];
    assert_eq!(open["security.opendatahub.io/enable-auth"], "false");
    // `auth = false` beside `maas = true` changes nothing, and that is said.
    let text = edited(QUICKSTART, "maas       = true ", "auth = false\nmaas       = true ");
    let told = said(&text);
    assert!(told.len() == 1 && told[0].starts_with("STK050"), "{told:?}");
    assert_eq!(services(&text), services(QUICKSTART));
}

#[test]
fn s_m22_models_are_written_in_the_version_that_the_dashboards_form_knows() {
    for service in EVERY.into_iter().flat_map(services) {
        assert_eq!(
            service["apiVersion"], "serving.kserve.io/v1alpha2",
            "{}",
            service["metadata"]
        );
    }
}

#[test]
fn s_s4_s_s5_references_are_to_published_models_and_to_every_one() {
    for text in [QUICKSTART, TWO_TENANTS, EXTERNAL_MODELS] {
        let key = |kind: &str, name: &Value, namespace: &Value| format!("{kind} {namespace}/{name}");
        let external = all(text, "ExternalModel").into_iter().map(|(_, model)| model);
        let offered: BTreeSet<_> = services(text)
            .into_iter()
            .filter(is_published)
            .chain(external)
            .map(|model| {
                let kind = model["kind"].as_str().expect("a kind").to_owned();
                key(&kind, &model["metadata"]["name"], &model["metadata"]["namespace"])
            })
            .collect();
        let referred: BTreeSet<_> = all(text, "MaaSModelRef")
            .into_iter()
            .map(|(_, reference)| {
                let model = &reference["spec"]["modelRef"];
                let kind = model["kind"].as_str().expect("a kind").to_owned();
                key(&kind, &model["name"], &reference["metadata"]["namespace"])
            })
            .collect();
        assert_eq!(offered, referred);
    }
    // A model that is not published has none.
    assert!(all(CANARY, "MaaSModelRef").is_empty());
    assert_eq!(
        ready(QUICKSTART, "maas.model[qwen3-8b].ref"),
        Rule::equals("status.phase", "Ready")
    );
    let graph = Graph::new(&compiled(&stack_of(QUICKSTART))).expect("a graph");
    assert!(
        graph
            .descendants(&at("model[qwen3-8b].service"))
            .contains(&at("maas.model[qwen3-8b].ref"))
    );
}
