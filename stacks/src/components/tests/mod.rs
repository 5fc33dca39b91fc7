//! The whole catalogue, compiled for stacks that people write.

mod edges;
mod evidence;
mod gotchas;
mod look;
mod maas_monitoring;
mod serving_gateways;
mod serving_maas;
mod serving_models;
mod serving_tiers;

use super::*;
use crate::{
    cluster_facts::{key, wanted},
    language::{Source, parse},
};
use serde_json::{Value, json};
use stackctl_engine::{
    facts::{Fact, Holding},
    graph::Graph,
    resource::{Adopt, Consequence, Node},
};
use std::collections::BTreeSet;

pub(crate) const QUICKSTART: &str = include_str!("../../../../examples/quickstart/stack.toml");
const PRODUCTION: &str = include_str!("../../../../examples/aws-production/stack.toml");
const BARE_METAL: &str = include_str!("../../../../examples/bare-metal/stack.toml");
/// Everything that models and MaaS may be, with subscriptions.
const SERVING: &str = include_str!("serving.toml");
/// MaaS as it was before.
pub(crate) const GATEWAY_POLICIES: &str = include_str!("../../../../examples/gateway-policies/stack.toml");
pub(crate) const EXTERNAL_MODELS: &str = include_str!("../../../../examples/external-models/stack.toml");
const CANARY: &str = include_str!("../../../../examples/canary/stack.toml");
const PREFILL_DECODE: &str = include_str!("../../../../examples/prefill-decode/stack.toml");
const TWO_TENANTS: &str = include_str!("../../../../examples/two-tenants/stack.toml");
/// Everything that people may add, on AWS.
const ADDITIONS: &str = include_str!("additions.toml");

pub(crate) fn stack_of(text: &str) -> Stack {
    let source = Source {
        name: "stack.toml".to_owned(),
        text: text.to_owned(),
    };
    match parse(&[source], &[]) {
        Ok((stack, _)) => stack,
        Err(diagnostics) => panic!("{diagnostics:?}"),
    }
}

fn quickstart() -> Stack {
    stack_of(QUICKSTART)
}

/// The cluster that the golden objects were made for.
pub(crate) fn facts() -> Facts {
    let channel = |name: &str, csv: &str| json!([{"name": name, "currentCSV": csv, "entries": [{"name": csv}]}]);
    let mut facts = Facts::default();
    for (key, value) in [
        (key::APPS_DOMAIN.to_owned(), json!("apps.ocp.example.com")),
        (key::BASE_DOMAIN.to_owned(), json!("ocp.example.com")),
        (key::OPENSHIFT.to_owned(), json!("4.21.3")),
        (key::PLATFORM.to_owned(), json!("AWS")),
        (key::REGION.to_owned(), json!("eu-west-1")),
        (key::INFRASTRUCTURE.to_owned(), json!("ocp-7x2kq")),
        (key::AMI.to_owned(), json!("ami-0a1b2c3d4e5f67890")),
        (key::ROUTER_CERTIFICATE.to_owned(), Value::Null),
        (key::default_channel("nfd"), json!("stable")),
        (key::channels("nfd"), channel("stable", "nfd.4.21.0-202606010000")),
        (key::default_channel("gpu-operator-certified"), json!("v26.3")),
        (
            key::channels("gpu-operator-certified"),
            channel("v26.3", "gpu-operator-certified.v26.3.0"),
        ),
        (
            key::channels("rhods-operator"),
            channel("stable-3.x", "rhods-operator.3.4.0"),
        ),
        (
            key::IDENTITY_PROVIDERS.to_owned(),
            json!([{"name": "local", "type": "HTPasswd", "htpasswd": {"fileData": {"name": "htpass-secret"}}}]),
        ),
        (
            key::channels("openshift-pipelines-operator-rh"),
            channel("latest", "openshift-pipelines-operator-rh.v1.21.0"),
        ),
        (
            key::channels("servicemeshoperator3"),
            channel("stable", "servicemeshoperator3.v3.2.0"),
        ),
    ] {
        let fact = Fact {
            value,
            source: format!("test {key}"),
            holding: Holding::Live,
        };
        facts.insert(&key, fact);
    }
    facts
}

pub(crate) fn compiled(stack: &Stack) -> Vec<Resource> {
    compile(stack, &facts()).expect("the facts fit")
}

fn manifests(resources: &[Resource]) -> Vec<(String, Value)> {
    let of = |resource: &Resource| match &resource.node {
        Node::Object(object) => Some((resource.address.to_string(), object.manifest.value().clone())),
        Node::Overlay(_) | Node::Gate(_) | Node::Action(_) | Node::Check(_) => None,
    };
    resources.iter().filter_map(of).collect()
}

/// Without GPUs, MaaS, monitoring or a platform of its own: the smallest that serves a model.
const SMALL: &str = r#"
[stack]
name = "small"
[cluster]
platform = "none"
[tls]
issuer = "existing"
[[models]]
name = "opt-125m"
namespace = "demo"
source = "hf://facebook/opt-125m"
gpus = 0
hardware_profile = "default-profile"
cpu = 4
memory = "8Gi"
"#;

/// Every stack that people are shown, and those of these tests.
const EVERY: [&str; 11] = [
    QUICKSTART,
    PRODUCTION,
    BARE_METAL,
    ADDITIONS,
    SMALL,
    SERVING,
    EXTERNAL_MODELS,
    GATEWAY_POLICIES,
    CANARY,
    PREFILL_DECODE,
    TWO_TENANTS,
];

#[test]
fn every_stack_is_a_graph() {
    for text in EVERY {
        let resources = compiled(&stack_of(text));
        if let Err(errors) = Graph::new(&resources) {
            panic!(
                "{}",
                errors.iter().map(|error| format!("{error}\n")).collect::<String>()
            );
        }
    }
}

#[test]
fn equal_stacks_give_equal_resources_in_order() {
    let resources = compiled(&quickstart());
    assert_eq!(resources, compiled(&quickstart()));
    assert!(resources.is_sorted_by(|a, b| a.address < b.address));
}

#[test]
fn every_object_is_declared_once_and_its_kind_is_served_or_provided() {
    // Served by every OpenShift before anything is installed (reference/platform.md §2.21).
    const SERVED: &[&str] = &[
        "",
        "apps",
        "rbac.authorization.k8s.io",
        "operators.coreos.com",
        "cloudcredential.openshift.io",
        "machine.openshift.io",
        "monitoring.coreos.com",
        "gateway.networking.k8s.io",
        "route.openshift.io",
        "user.openshift.io",
    ];
    let resources = compiled(&quickstart());
    let provided: BTreeSet<_> = resources
        .iter()
        .flat_map(|resource| resource.provides.iter().map(|provides| provides.kind.clone()))
        .collect();
    for resource in &resources {
        let Some(object) = resource.object() else { continue };
        let kind = object.object_type.group_kind();
        assert!(
            SERVED.contains(&kind.group.as_str()) || provided.contains(&kind),
            "{} is a {kind}, which nobody brings",
            resource.address
        );
    }
}

#[test]
fn no_secret_stands_in_a_manifest() {
    let all = [QUICKSTART, SERVING].map(stack_of);
    for (address, manifest) in all.iter().flat_map(|stack| manifests(&compiled(stack))) {
        if manifest["kind"] == "Secret" {
            let names: Vec<_> = manifest["data"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name)
                .collect();
            // Where an image or a bucket is is no secret; everything else is left open.
            let is_address =
                |name: &str| ["URI", "AWS_S3_ENDPOINT", "AWS_S3_BUCKET", "AWS_DEFAULT_REGION"].contains(&name);
            assert!(names.iter().all(|name| is_address(name)), "{address} holds {names:?}");
        }
    }
}

#[test]
fn a_tiers_limit_is_in_one_manifest_and_in_its_gate() {
    let before = compiled(&quickstart());
    let changed = QUICKSTART.replace("tokens = 3_000", "tokens = 6_000");
    assert_ne!(changed, QUICKSTART);
    let after = compiled(&stack_of(&changed));
    let differing: Vec<_> = manifests(&before)
        .into_iter()
        .zip(manifests(&after))
        .filter(|(before, after)| before != after)
        .map(|(before, _)| before.0)
        .collect();
    assert_eq!(differing, ["maas.tier[pro].subscription"]);
    let nodes: Vec<_> = before
        .iter()
        .zip(&after)
        .filter(|(before, after)| before.node != after.node)
        .map(|(before, _)| before.address.to_string())
        .collect();
    assert_eq!(nodes, ["maas.tier[pro].enforced", "maas.tier[pro].subscription"]);
}

#[test]
fn a_switch_of_the_cluster_of_components_leaves_the_switch_of_maas_alone() {
    let before = compiled(&quickstart());
    let changed = QUICKSTART.replace("[rhoai]", "[rhoai]\ncomponents = { trustyai = true }");
    let after = compiled(&stack_of(&changed));
    let nodes: Vec<_> = before
        .iter()
        .zip(&after)
        .filter(|(before, after)| before.node != after.node)
        .map(|(before, _)| before.address.to_string())
        .collect();
    assert_eq!(nodes, ["rhoai.cluster"]);
}

#[test]
fn rows_of_one_model_are_one_entry_with_several_rates() {
    let rows = r#"limits   = [{ model = "qwen3-8b", tokens = 300, window = "5m" }, { model = "qwen3-8b", tokens = 9000, window = "24h" }]"#;
    let text = QUICKSTART.replace(
        r#"limits   = [{ model = "qwen3-8b", tokens = 300, window = "5m" }]"#,
        rows,
    );
    assert_ne!(text, QUICKSTART);
    let all = manifests(&compiled(&stack_of(&text)));
    let (_, freemium) = all
        .iter()
        .find(|(address, _)| address == "maas.tier[freemium].subscription")
        .expect("there");
    assert_eq!(
        freemium["spec"]["modelRefs"],
        json!([{"name": "qwen3-8b", "namespace": "llm-d-demo", "tokenRateLimits": [
            {"limit": 300, "window": "5m"}, {"limit": 9000, "window": "24h"},
        ]}])
    );
}

#[test]
fn what_a_person_has_to_know_is_said_before() {
    let resources = compiled(&quickstart());
    let mut all: Vec<&Consequence> = resources.iter().flat_map(|resource| &resource.consequences).collect();
    all.sort();
    all.dedup();
    let told: String = all.iter().map(|one| format!("{}\n", one.text)).collect();
    insta::assert_snapshot!(told);
}

#[test]
fn what_the_platform_offers() {
    let offered = outputs(&quickstart(), &facts()).expect("the facts fit");
    let text: String = offered
        .iter()
        .map(|output| format!("{} = {}  ({})\n", output.name, output.value, output.description))
        .collect();
    insta::assert_snapshot!(text);
}

#[test]
fn what_is_asked_of_the_cluster() {
    let text: String = wanted(&quickstart())
        .iter()
        .map(|request| format!("{}  {:?}  {}\n", request.key, request.holding, request.source))
        .collect();
    insta::assert_snapshot!(text);
}

#[test]
fn what_stays_after_destroy_is_said_with_its_reason() {
    let resources = compiled(&quickstart());
    let mut all: Vec<_> = resources
        .iter()
        .flat_map(|resource| &resource.lifecycle.remains)
        .collect();
    all.sort();
    all.dedup();
    let text: String = all
        .iter()
        .map(|remains| format!("{}: {}\n", remains.object, remains.why))
        .collect();
    insta::assert_snapshot!(text);
}

#[test]
fn facts_that_are_missing_or_do_not_fit_are_all_told() {
    let mut facts = facts();
    let put = |facts: &mut Facts, key: &str, value: Value| {
        let fact = Fact {
            value,
            source: format!("test {key}"),
            holding: Holding::Live,
        };
        facts.insert(key, fact);
    };
    put(&mut facts, key::OPENSHIFT, json!("4.19.9"));
    put(&mut facts, key::AMI, Value::Null);
    let old = json!([{"name": "stable-3.x", "currentCSV": "rhods-operator.3.3.2", "entries": [{"name": "rhods-operator.3.3.2"}]}]);
    put(&mut facts, &key::channels("rhods-operator"), old);
    let errors = compile(&quickstart(), &facts).expect_err("the facts do not fit");
    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "the cluster runs OpenShift 4.19.9, and the stack accepts >=4.20",
            "fact `cluster.worker-ami` is not known, and the stack needs it",
            "`rhods-operator.3.4.0` is not in channel `stable-3.x` of package `rhods-operator`",
        ]
    );
}

#[test]
fn every_edge_and_every_gate_says_why() {
    let all = [QUICKSTART, SERVING, GATEWAY_POLICIES].map(stack_of);
    for resource in all.iter().flat_map(compiled) {
        for edge in &resource.depends_on {
            let reason = &edge.reason;
            assert!(
                !reason.is_empty() && !reason.ends_with('.'),
                "{} -> {}",
                resource.address,
                edge.address
            );
        }
        if let Node::Gate(_) | Node::Action(_) = resource.node {
            assert!(!resource.note.is_empty(), "{} says nothing", resource.address);
        }
    }
}

#[test]
fn no_gate_quotes_a_secret() {
    use stackctl_engine::readiness::{Rule, Target};
    // A verdict quotes the field it looks at; of a Secret only its being there and its type may be quoted.
    for resource in [QUICKSTART, SERVING].map(stack_of).iter().flat_map(compiled) {
        let Node::Gate(gate) = &resource.node else { continue };
        for observation in &gate.observations {
            let Target::Named(object) = &observation.target else {
                continue;
            };
            if object.object_type.kind == "Secret" {
                let is_quiet = match &observation.ready {
                    Rule::Exists => true,
                    Rule::Field { path, .. } => [".type", ".data"].contains(&path.to_string().as_str()),
                    _ => false,
                };
                assert!(is_quiet, "{} quotes {object}", resource.address);
            }
        }
    }
}

/// What models and MaaS write where they are more than in the quickstart.
#[test]
fn every_kind_of_serving_writes_what_it_wrote_before() {
    for (name, text) in [("serving", SERVING), ("gateway-policies", GATEWAY_POLICIES)] {
        let written: String = written(text)
            .into_iter()
            .filter(|(address, _)| {
                ["maas", "model", "llm-d", "tls"]
                    .iter()
                    .any(|one| address.starts_with(one))
            })
            .map(|(address, body)| format!("# {address}\n{}\n", serde_saphyr::to_string(&body).expect("YAML")))
            .collect();
        insta::assert_snapshot!(name, written);
    }
}

/// What each address of a stack writes.
fn written(text: &str) -> Vec<(String, Value)> {
    let body = |resource: Resource| {
        let body = match &resource.node {
            Node::Object(object) => object.manifest.value().clone(),
            Node::Overlay(overlay) => {
                let documents = overlay.documents.iter();
                let said: Vec<_> = documents
                    .filter_map(stackctl_engine::resource::Document::said)
                    .collect();
                overlay.body(None, &said, &[]).expect("what is said can be written")
            }
            Node::Gate(_) | Node::Action(_) | Node::Check(_) => return None,
        };
        Some((resource.address.to_string(), body))
    };
    compiled(&stack_of(text)).into_iter().filter_map(body).collect()
}

/// What each component writes, once: in the first of these stacks that has it.
#[test]
fn every_component_writes_what_it_wrote_before() {
    let mut seen = BTreeSet::new();
    for text in [QUICKSTART, PRODUCTION, BARE_METAL, ADDITIONS] {
        let mut components: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();
        for (address, body) in written(text) {
            let component = address.split(['.', '[']).next().unwrap_or_default().to_owned();
            let yaml = serde_saphyr::to_string(&body).expect("YAML");
            let manifests = components.entry(component).or_default();
            manifests.extend([format!("# {address}\n{yaml}\n")]);
        }
        for (component, manifests) in components {
            if seen.insert(component.clone()) {
                insta::assert_snapshot!(component, manifests);
            }
        }
    }
}

#[test]
fn a_table_that_adopts_its_objects_adopts_all_that_the_catalogue_does_not_expect_and_no_others() {
    let text = include_str!("../../../../examples/quickstart/stack.toml");
    let of = |text: &str| compiled(&stack_of(text));
    assert!(of(text).iter().all(|resource| resource.lifecycle.adopt != Adopt::Given));
    for (table, component) in [
        ("[[models]]\n", "model["),
        ("[maas]\n", "maas."),
        ("[rhoai]\n", "rhoai."),
    ] {
        let told = text.replacen(table, &format!("{table}adopt = true\n"), 1);
        for resource in of(&told) {
            let is_its =
                resource.address.to_string().starts_with(component) && matches!(resource.node, Node::Object(_));
            let adopt = resource.lifecycle.adopt;
            assert_eq!(
                adopt == Adopt::Given,
                is_its && adopt != Adopt::Expected,
                "{}",
                resource.address
            );
        }
    }
}

#[test]
fn a_table_that_deletes_what_it_adopted_leaves_what_controllers_make_and_its_word_counts_while_it_is_there() {
    let text = include_str!("../../../../examples/quickstart/stack.toml");
    let told = text.replacen("[rhoai]\n", "[rhoai]\ndelete_adopted = true\n", 1);
    let (with, without) = (stack_of(&told), stack_of(text));
    let resources = compiled(&with);
    let goes = |resource: &&Resource| resource.lifecycle.delete_adopted;
    let is_expected = |resource: &&Resource| {
        let address = resource.address.to_string();
        address.starts_with("rhoai.")
            && matches!(resource.node, Node::Object(_))
            && resource.lifecycle.adopt != Adopt::Expected
    };
    let (going, expected): (Vec<_>, Vec<_>) = (
        resources.iter().filter(goes).collect(),
        resources.iter().filter(is_expected).collect(),
    );
    assert_eq!(going, expected);
    let address = &going.first().expect("it has objects").address;
    assert!(without.gives_back(address) && !with.gives_back(address));
    assert!(!without.gives_back(&"manifests[gone].x".parse().expect("an address")));
}

#[test]
fn a_table_that_keeps_its_objects_keeps_all_of_them_and_no_others() {
    let text = include_str!("../../../../examples/quickstart/stack.toml");
    let kept = |text: &str| -> Vec<String> {
        let all = compiled(&stack_of(text)).into_iter();
        all.filter(|resource| resource.lifecycle.prevent_destroy)
            .map(|resource| resource.address.to_string())
            .collect()
    };
    let before = kept(text);
    let told = text.replacen("[[models]]\n", "[[models]]\nprevent_destroy = true\n", 1);
    let model: Vec<_> = kept(&told)
        .into_iter()
        .filter(|address| !before.contains(address))
        .collect();
    assert!(
        !model.is_empty() && model.iter().all(|address| address.starts_with("model[")),
        "{model:?}"
    );
    let told = text.replacen("[maas]\n", "[maas]\nprevent_destroy = true\n", 1);
    assert!(
        kept(&told).contains(&"maas.database.deployment".to_owned()),
        "{:?}",
        kept(&told)
    );
}
