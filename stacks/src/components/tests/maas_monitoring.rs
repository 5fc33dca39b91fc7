//! What watches MaaS: alerts, dashboards in Grafana, and the console's dashboard of external models.

use super::{compiled, stack_of};
use serde_json::{Value, json};
use stackctl_engine::{Address, Resource, graph::Graph, readiness::Target, resource::Node};

/// Two published models in two projects, one of them not scraped, and a third that is not published.
const STACK: &str = r#"
[stack]
name = "watched"
[cluster]
platform = "none"
[tls]
issuer = "existing"
[[gpu]]
name = "there"
provision = "existing"
[[models]]
name = "qwen3-8b"
namespace = "team-a"
source = "hf://Qwen/Qwen3-8B"
maas = true
[[models]]
name = "opt-125m"
namespace = "team-b"
source = "hf://facebook/opt-125m"
monitoring = false
maas = true
[[models]]
name = "granite"
namespace = "team-c"
source = "hf://ibm-granite/granite-3.3-2b-instruct"
[maas]
enabled = true
"#;

/// In each generation: its keys, and the two tiers of the stack.
const SUBSCRIPTIONS: &str = r#"
[[maas.tiers]]
name = "premium"
priority = 2
groups = ["premium-users"]
limits = [{ model = "qwen3-8b", tokens = 9000, window = "5m" }, { model = "opt-125m", tokens = 9000, window = "5m" }]
[[maas.tiers]]
name = "free"
priority = 1
groups = ["everybody"]
limits = [{ model = "qwen3-8b", tokens = 300, window = "5m" }]
"#;
const GATEWAY_POLICIES: &str = r#"
[[maas.tiers]]
name = "premium"
priority = 2
groups = ["premium-users"]
requests = { limit = 20, window = "2m" }
tokens = { limit = 50_000, window = "1m" }
[[maas.tiers]]
name = "free"
priority = 1
groups = ["everybody"]
requests = { limit = 5, window = "2m" }
tokens = { limit = 100, window = "1m" }
"#;

const EXTERNAL: &str = r#"
[[maas.external_models]]
name = "gpt"
endpoint = "llm.example.com"
api_key = { env = "KEY" }
[[maas.external_models]]
name = "claude"
namespace = "elsewhere"
provider = "anthropic"
endpoint = "api.example.com"
api_key = { env = "KEY" }
"#;

/// The stack in the generation of subscriptions, with more tables behind it.
fn with(more: &str) -> String {
    format!("{STACK}{SUBSCRIPTIONS}{more}")
}

fn at(text: &str) -> Address {
    text.parse().expect("an address")
}

/// The nodes that watch MaaS, by what stands behind `maas.monitoring.` in their addresses.
fn watching(text: &str) -> Vec<(String, Resource)> {
    let role = |resource: Resource| {
        let address = resource.address.to_string();
        Some((address.strip_prefix("maas.monitoring.")?.to_owned(), resource))
    };
    compiled(&stack_of(text)).into_iter().filter_map(role).collect()
}

fn roles(text: &str) -> Vec<String> {
    watching(text).into_iter().map(|(role, _)| role).collect()
}

#[track_caller]
fn node(text: &str, role: &str) -> Resource {
    let found = watching(text).into_iter().find(|(name, _)| name == role);
    found.unwrap_or_else(|| panic!("no {role}")).1
}

#[track_caller]
fn manifest(text: &str, role: &str) -> Value {
    match node(text, role).node {
        Node::Object(object) => object.manifest.value().clone(),
        Node::Overlay(_) | Node::Gate(_) | Node::Action(_) | Node::Check(_) => panic!("{role} is no object"),
    }
}

/// What a dashboard of Grafana holds.
fn grafana(text: &str, role: &str) -> Value {
    let manifest = manifest(text, role);
    serde_json::from_str(manifest["spec"]["json"].as_str().expect("a text")).expect("JSON")
}

/// Each panel on a line: its place, its title, and its queries below.
fn panels(dashboard: &Value) -> String {
    let mut text = String::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        let place = &panel["gridPos"];
        text.extend([format!(
            "{} {},{} {}x{} {}\n",
            panel["id"], place["x"], place["y"], place["w"], place["h"], panel["title"]
        )]);
        for target in panel["targets"].as_array().expect("targets") {
            text.extend([format!(
                "    {} {}: {}\n",
                target["refId"].as_str().expect("a letter"),
                target["legendFormat"].as_str().expect("a legend"),
                target["expr"].as_str().expect("an expression"),
            )]);
        }
    }
    text
}

#[test]
fn nothing_watches_what_nobody_asks_to_watch() {
    assert_eq!(roles(&with("")), [""; 0]);
    assert_eq!(
        roles(&with("[maas.monitoring]\nexternal_models = true")),
        [""; 0],
        "no model runs elsewhere"
    );
}

#[test]
fn alerts_on_models_stand_where_published_models_are_scraped() {
    let text = with("[maas.monitoring]\nalerts = true");
    assert_eq!(
        roles(&text),
        ["gateway-alerts", "limitador-alerts", "model-alerts[team-a]"]
    );
    let places: Vec<_> = roles(&text)
        .iter()
        .map(|role| {
            let metadata = &manifest(&text, role)["metadata"];
            (metadata["namespace"].clone(), metadata["name"].clone())
        })
        .collect();
    assert_eq!(
        json!(places),
        json!([
            ["openshift-ingress", "maas-gateway-alerts"],
            ["kuadrant-system", "maas-limitador-alerts"],
            ["team-a", "maas-vllm-slo"],
        ])
    );
}

#[test]
fn alerts_say_what_they_look_at_and_the_threshold_is_the_stacks() {
    let text = with("[maas.monitoring]\nalerts = true\nrejection_percent = 7");
    let mut told = String::new();
    for role in roles(&text) {
        for rule in manifest(&text, &role)["spec"]["groups"][0]["rules"]
            .as_array()
            .expect("rules")
        {
            let expression: Vec<_> = rule["expr"]
                .as_str()
                .expect("an expression")
                .split_whitespace()
                .collect();
            told.extend([format!(
                "{role} {} ({}, {}): {}\n    {}\n",
                rule["alert"],
                rule["labels"]["severity"],
                rule["for"],
                rule["annotations"]["description"],
                expression.join(" ")
            )]);
        }
    }
    insta::assert_snapshot!(told);
}

#[test]
fn rules_of_projects_wait_for_what_evaluates_them() {
    let resources = compiled(&stack_of(&with("[maas.monitoring]\nalerts = true")));
    let graph = Graph::new(&resources).expect("a graph");
    let after = graph.descendants(&at("monitoring.ready"));
    assert!(after.contains(&at("maas.monitoring.limitador-alerts")));
    assert!(after.contains(&at("maas.monitoring.model-alerts[team-a]")));
    let running = graph.descendants(&at("kuadrant.operands"));
    assert!(
        running.contains(&at("maas.monitoring.limitador-alerts")),
        "a Limitador that is not there yet is none that is down"
    );
    assert!(
        !after.contains(&at("maas.monitoring.gateway-alerts")),
        "the cluster's own monitoring evaluates it"
    );
}

#[test]
fn alerts_look_at_the_workload_that_the_route_leads_to() {
    let text = with("[maas.monitoring]\nalerts = true");
    let resources = compiled(&stack_of(&text));
    let service = resources.iter().find_map(|resource| {
        let Node::Object(object) = &resource.node else {
            return None;
        };
        let manifest = object.manifest.value();
        let is_route = manifest["kind"] == "Route" && manifest["metadata"]["name"] == "maas-default-gateway";
        is_route.then(|| manifest["spec"]["to"]["name"].as_str().expect("a name").to_owned())
    });
    let selector = format!("source_workload=\"{}\"", service.expect("a route"));
    let rule = manifest(&text, "gateway-alerts")["spec"]["groups"][0]["rules"][1]["expr"].clone();
    assert!(rule.as_str().expect("an expression").contains(&selector), "{rule}");
}

#[test]
fn grafana_tells_tiers_apart_by_their_subscriptions() {
    let text = with("[maas.monitoring]\ngrafana_namespace = \"dashboards\"");
    assert_eq!(
        roles(&text),
        ["grafana", "model-metrics", "platform-overview", "tier-usage"]
    );
    let dashboard = grafana(&text, "tier-usage");
    assert_eq!(
        dashboard["description"],
        "Per-tier breakdown of requests and tokens across free and premium tiers"
    );
    insta::assert_snapshot!(panels(&dashboard));
}

#[test]
fn grafana_tells_tiers_of_the_older_generation_apart_by_their_names() {
    let settings = "mode = \"gateway-policies\"\n[maas.monitoring]\ngrafana_namespace = \"dashboards\"\n";
    let dashboard = grafana(&format!("{STACK}{settings}{GATEWAY_POLICIES}"), "tier-usage");
    let first = &dashboard["panels"][0]["targets"][0];
    assert_eq!(first["expr"], r#"sum(rate(authorized_calls{tier="free"}[5m]))"#);
}

#[test]
fn panels_of_any_number_of_tiers_lie_beside_each_other() {
    for n_tiers in 0..=6 {
        let mut text = STACK.to_owned() + "[maas.monitoring]\ngrafana_namespace = \"dashboards\"\n";
        for tier in 1..=n_tiers {
            text.extend([format!(
                "[[maas.tiers]]\nname = \"t{tier}\"\npriority = {tier}\ngroups = [\"g{tier}\"]\n\
                 limits = [{{ model = \"qwen3-8b\", tokens = 300, window = \"5m\" }}]\n"
            )]);
        }
        let dashboard = grafana(&text, "tier-usage");
        let all = dashboard["panels"].as_array().expect("panels");
        assert_eq!(all.len(), 2 * n_tiers + 4);
        let (mut taken, mut ids) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
        for panel in all {
            assert!(ids.insert(panel["id"].as_u64()), "{n_tiers}: an id twice");
            let of = |key: &str| panel["gridPos"][key].as_u64().expect("a number");
            for x in of("x")..of("x") + of("w") {
                for y in of("y")..of("y") + of("h") {
                    assert!(x < 24 && taken.insert((x, y)), "{n_tiers}: {panel}");
                }
            }
        }
    }
}

#[test]
fn grafanas_other_dashboards_ask_for_what_they_show() {
    let text = with("[maas.monitoring]\ngrafana_namespace = \"dashboards\"");
    let told = ["platform-overview", "model-metrics"].map(|role| panels(&grafana(&text, role)));
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn dashboards_wait_for_the_kind_that_the_stack_brings_or_that_is_there() {
    let settings = "[maas.monitoring]\ngrafana_namespace = \"dashboards\"";
    let brought = with(&format!("{settings}\n[operators]\ngrafana = true"));
    let resources = compiled(&stack_of(&brought));
    let graph = Graph::new(&resources).expect("a graph");
    let after = graph.descendants(&at("grafana.kinds"));
    assert!(after.contains(&at("maas.monitoring.tier-usage")));
    let looks_at = |text: &str| -> Vec<String> {
        let Node::Gate(gate) = node(text, "grafana").node else {
            panic!("no gate");
        };
        let of = |target: &Target| match target {
            Target::Named(object) => object.to_string(),
            other => panic!("{other:?}"),
        };
        gate.observations.iter().map(|seen| of(&seen.target)).collect()
    };
    assert_eq!(looks_at(&brought), ["Namespace dashboards"]);
    let there = with(settings);
    assert_eq!(
        looks_at(&there),
        [
            "Namespace dashboards",
            "CustomResourceDefinition grafanadashboards.grafana.integreatly.org",
        ]
    );
    assert_eq!(node(&there, "grafana").provides.len(), 1);
    assert!(node(&brought, "grafana").provides.is_empty());
}

#[test]
fn without_dashboards_the_operator_of_grafana_is_waited_for_no_longer_than_before() {
    let resources = compiled(&stack_of(&with("[operators]\ngrafana = true")));
    assert!(resources.iter().all(|resource| resource.address != at("grafana.kinds")));
}

#[test]
fn the_dashboard_of_external_models_asks_for_their_own_routes() {
    let text = with(&format!("[maas.monitoring]\nexternal_models = true\n{EXTERNAL}"));
    let dashboard = manifest(&text, "external-models");
    let config = &dashboard["spec"]["config"];
    let queries: String = config["layouts"]
        .as_array()
        .expect("grids")
        .iter()
        .flat_map(|grid| grid["spec"]["items"].as_array().expect("items"))
        .map(|item| {
            let key = item["content"]["$ref"].as_str().expect("a reference");
            let key = key.strip_prefix("#/spec/panels/").expect("a panel");
            let query = &config["panels"][key]["spec"]["queries"][0]["spec"]["plugin"]["spec"]["query"];
            format!("{key}: {}", query.as_str().expect("a query"))
        })
        .collect();
    insta::assert_snapshot!(queries);
}

#[test]
fn the_dashboard_of_external_models_meets_all_conditions_of_the_console() {
    let text = with(&format!("[maas.monitoring]\nexternal_models = true\n{EXTERNAL}"));
    let dashboard = manifest(&text, "external-models");
    assert_eq!(
        dashboard["metadata"]["namespace"],
        "openshift-cluster-observability-operator"
    );
    assert_eq!(
        dashboard["metadata"]["labels"]["app.kubernetes.io/part-of"],
        "monitoring"
    );
    let graph = Graph::new(&compiled(&stack_of(&text))).expect("a graph");
    for plugin in ["dashboards", "monitoring"] {
        let after = graph.descendants(&at(&format!("monitoring.console-plugin[{plugin}]")));
        assert!(after.contains(&at("maas.monitoring.external-models")), "{plugin}");
    }
}

#[test]
fn dashboards_that_cannot_tell_users_and_tiers_apart_say_so() {
    let settings = "[maas.monitoring]\ngrafana_namespace = \"dashboards\"\nexternal_models = true\n";
    let told = |telemetry: bool| -> Vec<String> {
        let text = format!("{STACK}telemetry = {telemetry}\n{settings}{SUBSCRIPTIONS}{EXTERNAL}");
        let nodes = watching(&text).into_iter();
        let is_about_it = |resource: &Resource| resource.consequences.iter().any(|one| one.text.contains("telemetry"));
        nodes
            .filter(|(_, resource)| is_about_it(resource))
            .map(|(role, _)| role)
            .collect()
    };
    assert_eq!(told(false), ["external-models", "platform-overview", "tier-usage"]);
    assert_eq!(told(true), [""; 0]);
}

#[test]
fn limitador_is_scraped_once() {
    let text = with(&format!(
        "[maas.monitoring]\nalerts = true\nexternal_models = true\n{EXTERNAL}"
    ));
    let resources = compiled(&stack_of(&text));
    for resource in &resources {
        let Node::Object(object) = &resource.node else {
            continue;
        };
        let manifest = object.manifest.value();
        let is_monitor = ["ServiceMonitor", "PodMonitor"].contains(&manifest["kind"].as_str().unwrap_or_default());
        assert!(
            !is_monitor || manifest["metadata"]["namespace"] != "kuadrant-system",
            "{}",
            resource.address
        );
    }
    // Whose monitor it is that scrapes it (`reference/serving.md` §1.5).
    let kuadrant = resources
        .iter()
        .find(|resource| resource.address == at("kuadrant.instance"));
    let Some(Node::Object(kuadrant)) = kuadrant.map(|resource| &resource.node) else {
        panic!("no Kuadrant");
    };
    assert_eq!(kuadrant.manifest.value()["spec"]["observability"]["enable"], true);
}
