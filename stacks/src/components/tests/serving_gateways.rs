//! Gateways and what enforces policies on them: rows G, K and some of M of `reference/serving.md` §5. `docs/gotchas.md`
//! lists them all.

use super::{
    EXTERNAL_MODELS, GATEWAY_POLICIES, QUICKSTART, TWO_TENANTS, compiled,
    look::{all, asks_for, edited, gate, holds_back, manifest, node, ready, refused, said, seen},
    manifests, stack_of,
};
use crate::cluster_facts::key;
use serde_json::{Value, json};
use stackctl_engine::{
    readiness::{Rule, Target},
    resource::{Effect, Node},
};
use std::{collections::BTreeMap, time::Duration};

/// One model on each gateway.
const BOTH: &str = r#"
[stack]
name = "gateways"
[cluster]
platform = "none"
[tls]
issuer = "existing"
[[models]]
name = "open"
namespace = "models"
source = "hf://facebook/opt-125m"
gpus = 0
hardware_profile = "default-profile"
[[models]]
name = "published"
namespace = "published"
source = "hf://facebook/opt-125m"
gpus = 0
hardware_profile = "default-profile"
maas = true
[maas]
[maas.gateway]
exposure = "EXPOSURE"
tls = TLS
[gateway]
exposure = "EXPOSURE"
tls = TLS
"#;

fn both(exposure: &str, tls: &str) -> String {
    BOTH.replace("EXPOSURE", exposure).replace("TLS", tls)
}

/// What a listener may present.
const TLS: [&str; 5] = [
    r#"{ mode = "platform" }"#,
    r#"{ mode = "secret", secret = "mine" }"#,
    r#"{ mode = "generate", issuer = "corporate" }"#,
    r#"{ mode = "generate", issuer = "selfsigned" }"#,
    r#"{ mode = "plain" }"#,
];

/// Every way of making both gateways.
fn every_way() -> Vec<String> {
    let ways = ["route", "loadbalancer"].map(|exposure| TLS.map(|tls| both(exposure, tls)));
    ways.into_iter().flatten().collect()
}

/// Both gateways of a stack, by name.
fn gateways(text: &str) -> BTreeMap<String, Value> {
    let name = |gateway: &Value| gateway["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    all(text, "Gateway")
        .into_iter()
        .map(|(_, gateway)| (name(&gateway), gateway))
        .collect()
}

fn listener(gateway: &Value) -> &Value {
    &gateway["spec"]["listeners"][0]
}

#[test]
fn s_g1_gateways_wait_for_connectivity_link_and_free_nothing_before_they_are_programmed() {
    for text in every_way() {
        let gateways = ["llm-d.class", "maas.class", "llm-d.gateway", "maas.gateway"];
        holds_back(&text, "connectivity-link.installed", &gateways);
        for gateway in ["llm-d.gateway", "maas.gateway"] {
            assert!(asks_for(&ready(&text, gateway), "Programmed"), "{gateway}");
        }
    }
    assert!(asks_for(&ready(QUICKSTART, "llm-d.class"), "Accepted"));
    holds_back(QUICKSTART, "llm-d.class", &["llm-d.gateway"]);
    holds_back(QUICKSTART, "maas.class", &["maas.gateway"]);
}

#[test]
fn s_g4_a_gateway_waits_for_the_secret_that_its_listener_presents() {
    let platform = both("route", TLS[0]);
    holds_back(&platform, "tls.certificate", &["llm-d.gateway", "maas.gateway"]);
    let own = both("route", TLS[1]);
    for component in ["llm-d", "maas"] {
        let address = format!("{component}.certificate");
        holds_back(&own, &address, &[&format!("{component}.gateway")]);
        let gate = gate(&own, &address);
        assert_eq!(seen(&gate), ["Secret openshift-ingress/mine"]);
        // The API server admits that type only with a certificate and its key in it.
        assert_eq!(
            gate.observations[0].ready,
            Rule::equals("type", "kubernetes.io/tls"),
            "{component}"
        );
    }
}

#[test]
fn s_g5_no_gateway_asks_the_service_ca_for_its_listeners_secret() {
    for text in every_way() {
        let presented: Vec<_> = gateways(&text)
            .values()
            .map(|gateway| listener(gateway)["tls"]["certificateRefs"][0]["name"].clone())
            .collect();
        for (address, manifest) in manifests(&compiled(&stack_of(&text))) {
            let asked = &manifest["metadata"]["annotations"]["service.beta.openshift.io/serving-cert-secret-name"];
            assert!(
                asked.is_null() || !presented.contains(asked),
                "{address} asks for {asked}"
            );
            assert!(!manifest["data"].to_string().contains("serving-cert"), "{address}");
        }
    }
    let generated = r#"{ mode = "generate", secret = "router-certs-default" }"#;
    let told = said(&both("route", generated));
    assert!(
        told.iter()
            .any(|line| line.starts_with("STK032") && line.contains("router-certs-default")),
        "{told:?}"
    );
}

#[test]
fn s_g6_a_route_leads_to_the_port_and_the_service_of_its_gateway() {
    for tls in TLS {
        let text = both("route", tls);
        let gateways = gateways(&text);
        let routes = all(&text, "Route");
        assert_eq!(routes.len(), 2);
        for (address, route) in routes {
            let name = route["metadata"]["name"].as_str().expect("a name");
            let gateway = &gateways[name];
            let class = gateway["spec"]["gatewayClassName"].as_str().expect("a class");
            assert_eq!(
                route["spec"]["port"]["targetPort"],
                listener(gateway)["name"],
                "{address}"
            );
            assert_eq!(route["spec"]["to"]["name"], format!("{name}-{class}"), "{address}");
            assert_eq!(route["spec"]["host"], listener(gateway)["hostname"], "{address}");
        }
        holds_back(&text, "llm-d.gateway", &["llm-d.route"]);
        holds_back(&text, "maas.gateway", &["maas.route"]);
    }
}

#[test]
fn s_g7_the_router_ends_tls_only_where_the_gateway_has_none() {
    for tls in TLS {
        let text = both("route", tls);
        let gateways = gateways(&text);
        for (address, route) in all(&text, "Route") {
            let gateway = &gateways[route["metadata"]["name"].as_str().expect("a name")];
            let is_plain = listener(gateway)["protocol"] == "HTTP";
            assert_eq!(route["spec"]["tls"]["termination"] == "edge", is_plain, "{address}");
        }
    }
    let edge = edited(QUICKSTART, "[maas]\n", "[maas]\ngateway = { termination = \"edge\" }\n");
    assert_eq!(
        said(&edge),
        ["STK034: `termination = \"edge\"` needs `[maas.gateway.tls] mode = \"plain\"`"]
    );
}

#[test]
fn s_g8_behind_a_route_no_gateway_buys_a_load_balancer() {
    for tls in TLS {
        let (by_route, balanced) = (both("route", tls), both("loadbalancer", tls));
        for component in ["llm-d", "maas"] {
            let config = format!("{component}.gateway-config");
            let gateway = format!("{component}.gateway");
            assert_eq!(
                manifest(&by_route, &config)["data"]["service"],
                "spec:\n  type: ClusterIP\n"
            );
            let named = &manifest(&by_route, &gateway)["spec"]["infrastructure"]["parametersRef"]["name"];
            assert_eq!(*named, manifest(&by_route, &config)["metadata"]["name"]);
            // Read only when the gateway is set up.
            holds_back(&by_route, &config, &[&gateway]);
            assert!(manifest(&balanced, &gateway)["spec"]["infrastructure"].is_null());
        }
    }
}

#[test]
fn s_g9_a_certificate_waits_for_an_issuer_that_is_ready() {
    for tls in [TLS[2], TLS[3]] {
        let text = both("route", tls);
        for component in ["llm-d", "maas"] {
            let [issuer, certificate] = ["issuer", "certificate"].map(|role| format!("{component}.{role}"));
            holds_back(&text, &issuer, &[&certificate]);
            holds_back(&text, &certificate, &[&format!("{component}.gateway")]);
            assert!(asks_for(&ready(&text, &certificate), "Ready"), "{certificate}");
            let is_judged = match node(&text, &issuer).node {
                Node::Object(object) => asks_for(&object.ready, "Ready"),
                Node::Gate(gate) => asks_for(&gate.observations[0].ready, "Ready"),
                _ => false,
            };
            assert!(is_judged, "{issuer}");
        }
    }
    // The stack's own authority is one issuer of all.
    let own = both("route", r#"{ mode = "generate" }"#).replace("\"existing\"", "\"local-ca\"");
    holds_back(&own, "tls.issuer", &["llm-d.certificate", "maas.certificate"]);
}

#[test]
fn s_m23_a_model_waits_for_its_gateway() {
    let text = both("route", TLS[0]);
    holds_back(&text, "llm-d.gateway", &["model[open].service"]);
    holds_back(&text, "maas.gateway", &["model[published].service"]);
}

#[test]
fn s_p11_s_p18_host_and_certificate_are_for_the_name_that_the_dashboard_asks() {
    for text in every_way() {
        let gateways = gateways(&text);
        assert_eq!(
            listener(&gateways["maas-default-gateway"])["hostname"],
            "maas.apps.ocp.example.com"
        );
        for (address, certificate) in all(&text, "Certificate") {
            let gateway = address
                .split('.')
                .next()
                .map(|component| format!("{component}.gateway"));
            let gateway = manifest(&text, &gateway.expect("a component"));
            let host = &listener(&gateway)["hostname"];
            let names = certificate["spec"]["dnsNames"].as_array().expect("names");
            assert!(names.contains(host), "{address}: {names:?}");
        }
    }
    let elsewhere = edited(QUICKSTART, "[maas]\n", "[maas]\ngateway = { subdomain = \"models\" }\n");
    assert_eq!(
        said(&elsewhere),
        ["STK003: unknown key `subdomain` in `[maas.gateway]`"]
    );
}

#[test]
fn s_p12_the_gateways_present_what_the_router_presents_unless_the_stack_says_otherwise() {
    let presented = |facts: &Value| {
        let facts = super::look::with_fact(key::ROUTER_CERTIFICATE, facts.clone());
        let resources = crate::components::compile(&stack_of(QUICKSTART), &facts).expect("the facts fit");
        let gateways = manifests(&resources)
            .into_iter()
            .filter(|(_, one)| one["kind"] == "Gateway");
        let of = |gateway: Value| listener(&gateway)["tls"]["certificateRefs"][0]["name"].clone();
        gateways.map(|(_, gateway)| of(gateway)).collect::<Vec<_>>()
    };
    assert_eq!(
        presented(&Value::Null),
        [json!("router-certs-default"), json!("router-certs-default")]
    );
    assert_eq!(presented(&json!("wildcard")), [json!("wildcard"), json!("wildcard")]);
}

#[test]
fn s_k1_kuadrant_waits_for_a_class_and_its_operator_is_restarted_when_it_missed_it() {
    for class in ["llm-d.class", "maas.class"] {
        holds_back(QUICKSTART, class, &["kuadrant.ready"]);
    }
    let remedy = gate(QUICKSTART, "kuadrant.ready").remedy.expect("a remedy");
    let missed = json!({"kind": "Kuadrant", "metadata": {"name": "kuadrant"}, "status": {"conditions": [
        {"type": "Ready", "status": "False", "reason": "MissingDependency"}]}});
    assert!(remedy.symptom[0].ready.evaluate(&missed).is_ready());
    assert_eq!(remedy.after, Duration::from_secs(60));
    let [
        Effect::Delete {
            target: Target::Every { namespace, labels, .. },
        },
    ] = &remedy.effects[..]
    else {
        panic!("{:?}", remedy.effects);
    };
    assert_eq!(namespace.as_deref(), Some("openshift-operators"));
    assert_eq!(labels["app.kubernetes.io/name"], "kuadrant-operator");
    let patience = node(QUICKSTART, "kuadrant.ready").ready_timeout;
    assert!(patience >= remedy.after + Duration::from_secs(300), "{patience:?}");
}

#[test]
fn s_k2_policies_are_never_written_without_a_kuadrant() {
    for text in [QUICKSTART, TWO_TENANTS, EXTERNAL_MODELS] {
        assert_eq!(manifest(text, "kuadrant.instance")["kind"], "Kuadrant");
        holds_back(text, "kuadrant.ready", &["maas.switch"]);
    }
    let policies = ["maas.access", "maas.request-limits", "maas.token-limits"];
    holds_back(GATEWAY_POLICIES, "kuadrant.ready", &policies);
}

#[test]
fn s_k3_no_tier_is_done_before_its_policies_are_accepted_and_enforced() {
    let gate = gate(QUICKSTART, "maas.tier[pro].enforced");
    assert_eq!(
        seen(&gate),
        [
            "AuthPolicy llm-d-demo/maas-auth-qwen3-8b",
            "TokenRateLimitPolicy llm-d-demo/maas-trlp-qwen3-8b",
        ]
    );
    for one in &gate.observations {
        assert!(
            asks_for(&one.ready, "Accepted") && asks_for(&one.ready, "Enforced"),
            "{one:?}"
        );
    }
    for policy in ["maas.access", "maas.request-limits", "maas.token-limits"] {
        assert!(asks_for(&ready(GATEWAY_POLICIES, policy), "Accepted"), "{policy}");
        holds_back(GATEWAY_POLICIES, policy, &["maas.enforced"]);
    }
    let of_tiers = super::look::gate(GATEWAY_POLICIES, "maas.enforced").observations;
    assert_eq!(of_tiers.len(), 3);
    assert!(
        of_tiers.iter().all(|one| asks_for(&one.ready, "Enforced")),
        "{of_tiers:?}"
    );
}

#[test]
fn s_k4_the_version_of_connectivity_link_that_breaks_gateways_is_refused() {
    let pin = "[operators.pins]\nconnectivity_link = \"rhcl-operator.v1.4.0\"\n";
    let told = said(&format!("{QUICKSTART}\n{pin}"));
    assert!(
        told.len() == 1 && told[0].starts_with("STK038") && told[0].contains("rhcl-operator.v1.4.0"),
        "{told:?}"
    );
    assert_eq!(
        manifest(QUICKSTART, "connectivity-link.subscription")["spec"]["startingCSV"],
        "rhcl-operator.v1.3.4"
    );
}

#[test]
fn s_k5_the_patience_of_gateways_is_the_stacks_to_say() {
    let of = |text: &str| manifest(text, "connectivity-link.subscription")["spec"]["config"].clone();
    assert!(of(QUICKSTART).is_null());
    let patient = edited(QUICKSTART, "[maas]\n", "[maas]\nauth_timeout = \"2s\"\n");
    assert_eq!(
        of(&patient),
        json!({"env": [{"name": "AUTH_SERVICE_TIMEOUT", "value": "2s"}]})
    );
}

#[test]
fn s_k6_authorino_runs_where_maas_api_lets_it_in_from() {
    assert_eq!(
        manifest(QUICKSTART, "kuadrant.instance")["metadata"]["namespace"],
        "kuadrant-system"
    );
    assert!(seen(&gate(QUICKSTART, "kuadrant.operands")).contains(&"Deployment kuadrant-system/authorino".to_owned()));
    let elsewhere = edited(QUICKSTART, "[maas]\n", "[maas]\nauthorino = { namespace = \"auth\" }\n");
    assert_eq!(said(&elsewhere), ["STK003: unknown key `authorino` in `[maas]`"]);
}

#[test]
fn s_k7_the_controller_of_models_starts_after_the_kinds_of_policies_are_there() {
    holds_back(
        QUICKSTART,
        "connectivity-link.kinds",
        &["rhoai.subscription", "rhoai.controllers"],
    );
}

#[test]
fn s_p21_a_cluster_with_subscriptions_gets_no_policies_of_tiers() {
    let told = refused(&stack_of(GATEWAY_POLICIES), key::MODELS_AS_A_SERVICE, json!("Managed"));
    assert_eq!(
        told,
        "MaaS with subscriptions is switched on in the cluster, and the stack has policies on its gateway\n"
    );
    let mixed = edited(QUICKSTART, "[maas]\n", "[maas]\nmode = \"gateway-policies\"\n");
    let told = said(&mixed);
    assert!(
        !told.is_empty() && told.iter().all(|line| line.starts_with("STK040")),
        "{told:?}"
    );
    let kinds: Vec<_> = manifests(&compiled(&stack_of(QUICKSTART)))
        .into_iter()
        .filter(|(_, one)| one["spec"]["targetRef"]["name"] == "maas-default-gateway")
        .map(|(_, one)| one["kind"].clone())
        .collect();
    assert!(kinds.is_empty(), "{kinds:?}");
}
