//! The rules on what the catalogue writes.

use super::testing::{keys, step};
use super::*;
use crate::{
    cluster_facts::key,
    compile,
    language::{Source, parse},
};
use serde_json::{Value, json};
use stackctl_engine::{
    facts::{Fact, Facts, Holding},
    resource::Node,
};

/// Two models, one of them published, and two tiers.
const BEFORE: &str = r#"
[stack]
name = "small"
[cluster]
platform = "none"
[tls]
issuer = "existing"

[[models]]
name = "qwen"
namespace = "demo"
source = "hf://a/b"
gpus = 1
maas = true

[[models]]
name = "opt"
namespace = "demo"
source = "hf://facebook/opt-125m"
gpus = 1

[[gpu]]
name = "own"
provision = "existing"

[maas]
enabled = true

[[maas.tiers]]
name = "free"
priority = 1
groups = ["free-users"]
limits = [{ model = "qwen", tokens = 300, window = "5m" }]

[[maas.tiers]]
name = "pro"
priority = 2
groups = ["pro-users"]
limits = [{ model = "qwen", tokens = 3000, window = "5m" }]

[[maas.groups]]
name = "free-users"
members = ["kim"]

[[maas.groups]]
name = "pro-users"
members = ["bob", "eve"]
"#;

fn manifests(text: &str) -> BTreeMap<Address, Value> {
    let source = Source {
        name: "stack.toml".to_owned(),
        text: text.to_owned(),
    };
    let (stack, _) = parse(&[source], &[]).expect("a stack");
    let channel = |name: &str, csv: &str| json!([{"name": name, "currentCSV": csv, "entries": [{"name": csv}]}]);
    let mut facts = Facts::default();
    for (key, value) in [
        (key::APPS_DOMAIN.to_owned(), json!("apps.example.com")),
        (key::BASE_DOMAIN.to_owned(), json!("example.com")),
        (key::OPENSHIFT.to_owned(), json!("4.21.3")),
        (key::PLATFORM.to_owned(), json!("None")),
        (key::ROUTER_CERTIFICATE.to_owned(), Value::Null),
        (key::default_channel("nfd"), json!("stable")),
        (key::channels("nfd"), channel("stable", "nfd.4.21.0")),
        (key::default_channel("gpu-operator-certified"), json!("v26.3")),
        (
            key::channels("gpu-operator-certified"),
            channel("v26.3", "gpu-operator-certified.v26.3.0"),
        ),
        (
            key::channels("rhods-operator"),
            channel("stable-3.x", "rhods-operator.3.4.0"),
        ),
    ] {
        let fact = Fact {
            value,
            source: "test".to_owned(),
            holding: Holding::Live,
        };
        facts.insert(&key, fact);
    }
    let resources = compile(&stack, &facts).expect("the facts fit");
    let of = |resource: &stackctl_engine::Resource| match &resource.node {
        Node::Object(object) => Some((resource.address.clone(), object.manifest.value().clone())),
        Node::Overlay(_) | Node::Gate(_) | Node::Action(_) | Node::Check(_) => None,
    };
    resources.iter().filter_map(of).collect()
}

/// From what the catalogue writes for one stack to what it writes for another.
fn between(before: &str, after: &str) -> Vec<Transition> {
    let (mut old, new) = (manifests(before), manifests(after));
    let mut all: Vec<_> = new
        .into_iter()
        .map(|(address, after)| Transition {
            address: address.clone(),
            ..step(old.remove(&address), Some(after))
        })
        .collect();
    all.extend(old.into_iter().map(|(address, before)| Transition {
        address,
        ..step(Some(before), None)
    }));
    all
}

fn told(before: &str, after: &str, keys: Option<&Keys>) -> String {
    let all = consequences(&between(before, after), keys);
    all.iter()
        .flat_map(|(address, told)| told.iter().map(move |one| format!("{address}: {}\n", one.text)))
        .collect()
}

#[test]
fn what_the_catalogue_writes_is_understood() {
    let after = BEFORE
        .replace("tokens = 300,", "tokens = 100,")
        .replace(r#"members = ["kim"]"#, r#"members = ["bob", "kim"]"#)
        .replace(r#"members = ["bob", "eve"]"#, r#"members = ["eve"]"#)
        .replace("opt-125m\"\ngpus = 1", "opt-125m\"\ngpus = 1\nmaas = true");
    let known = keys(&[("pro-subscription", "bob")]);
    insta::assert_snapshot!(told(BEFORE, &after, Some(&known)), @r#"
    maas.group[pro-users]: moves bob from tier pro to tier free: 1 active key of bob for pro-subscription keeps its limits until revoked or expired (at most 90 days)
    maas.group[pro-users]: leaves old keys to be revoked by hand: POST /maas-api/v1/api-keys/search with filters.status active lists them, DELETE /maas-api/v1/api-keys/<id> ends one
    maas.tier[free].subscription: lowers tier free on qwen from 300 to 100 tokens per 5m: applies to all its keys at once
    model[opt].service: moves model opt to MaaS: https://openshift-ai-inference-openshift-ingress.apps.example.com/demo/opt ends, and https://maas.apps.example.com/demo/opt answers only with an API key
    "#);
}

#[test]
fn a_tier_and_a_model_that_are_taken_out_are_understood() {
    let (front, rest) = BEFORE.split_once("[[maas.tiers]]\nname = \"pro\"").expect("there");
    let (_, groups) = rest.split_once("[[maas.groups]]").expect("there");
    let without_pro = format!("{front}[[maas.groups]]{groups}");
    let (front, rest) = without_pro.split_once("[[models]]\nname = \"opt\"").expect("there");
    let (_, gpu) = rest.split_once("[[gpu]]").expect("there");
    insta::assert_snapshot!(told(BEFORE, &format!("{front}[[gpu]]{gpu}"), None), @r#"
    maas.tier[pro].access: turns everyone on model qwen away for a moment (401, 403 or 429), while its policies are made again
    maas.tier[pro].subscription: removes tier pro: keys of pro-subscription get 403 from then on
    maas.tier[pro].subscription: turns everyone on model qwen away for a moment (401, 403 or 429), while its policies are made again
    model[opt].service: removes model opt and frees 1 GPU: https://openshift-ai-inference-openshift-ingress.apps.example.com/demo/opt ends
    "#);
}

#[test]
fn load_balancers_and_plain_listeners_of_both_gateways_are_understood() {
    let gateway = |text: &str| BEFORE.replace("[tls]", &format!("[gateway]\n{text}\n[tls]"));
    let balanced = gateway("exposure = \"loadbalancer\"");
    insta::assert_snapshot!(told(BEFORE, &balanced, None), @r#"
    llm-d.gateway: buys a load balancer for Service openshift-ingress/openshift-ai-inference-openshift-ai-inference-class
    llm-d.gateway: moves gateway openshift-ai-inference from https://openshift-ai-inference-openshift-ingress.apps.example.com to https://inference.apps.example.com: every URL below the old host ends
    llm-d.gateway: needs a DNS record of yours: inference.apps.example.com → the address of Service openshift-ingress/openshift-ai-inference-openshift-ai-inference-class
    "#);
    assert_eq!(told(&balanced, &balanced, None), "");
    let maas = BEFORE.replace(
        "enabled = true",
        "enabled = true\n[maas.gateway]\nexposure = \"loadbalancer\"",
    );
    insta::assert_snapshot!(told(BEFORE, &maas, None), @r#"
    maas.gateway: buys a load balancer for Service openshift-ingress/maas-default-gateway-openshift-default
    maas.gateway: needs a DNS record of yours: maas.apps.example.com → the address of Service openshift-ingress/maas-default-gateway-openshift-default
    "#);
    let plain = BEFORE.replace("[tls]", "[gateway.tls]\nmode = \"plain\"\n[tls]");
    // The router has TLS: clients see no change.
    assert_eq!(told(BEFORE, &plain, None), "");
}

#[test]
fn a_stack_that_stays_tells_nothing_and_one_that_is_new_what_its_tiers_get() {
    assert_eq!(told(BEFORE, BEFORE, None), "");
    let made: Vec<_> = between(BEFORE, BEFORE)
        .into_iter()
        .map(|transition| step(None, transition.after))
        .collect();
    let told = consequences(&made, None);
    let texts: Vec<_> = told.values().flatten().map(|one| one.text.as_str()).collect();
    let tiers = [
        "gives users of tier free 300 tokens per 5m on qwen",
        "gives users of tier pro 3000 tokens per 5m on qwen",
    ];
    assert_eq!(texts, tiers);
}

#[test]
fn equal_plans_are_told_of_alike_whatever_the_order_of_their_steps() {
    let after = BEFORE.replace("tokens = 300,", "tokens = 100,");
    let mut steps = between(BEFORE, &after);
    let told = consequences(&steps, None);
    steps.reverse();
    assert_eq!(consequences(&steps, None), told);
}
