//! The graph of the quickstart, line by line, and the edges that the reference insists on.

use super::{
    ADDITIONS, BARE_METAL, CANARY, EXTERNAL_MODELS, GATEWAY_POLICIES, PREFILL_DECODE, PRODUCTION, QUICKSTART, SERVING,
    TWO_TENANTS, compiled, quickstart, stack_of,
};
use stackctl_engine::{
    Address,
    graph::{Graph, Until},
    readiness::Rule,
    resource::Node,
};
use std::{collections::BTreeSet, fs, path::Path};

fn graph() -> Graph {
    match Graph::new(&compiled(&quickstart())) {
        Ok(graph) => graph,
        Err(errors) => panic!("{errors:?}"),
    }
}

fn at(text: &str) -> Address {
    text.parse().expect("an address")
}

#[test]
fn every_address_and_what_it_waits_for() {
    let graph = graph();
    let mut text = String::new();
    for address in graph.order() {
        let edges: Vec<_> = graph
            .dependencies(address)
            .into_iter()
            .map(|edge| {
                format!(
                    "{}{}",
                    edge.to,
                    if edge.until.to_string() == "ready" { "" } else { "~" }
                )
            })
            .collect();
        text.push_str(
            format!("{address}  <-  {}", edges.join(" "))
                .trim_end_matches(" <- ")
                .trim_end(),
        );
        text.push('\n');
    }
    insta::assert_snapshot!(text);
}

/// What may not be written while a gate is not ready: `reference/platform.md` §3, `reference/serving.md` §2.2.
#[test]
fn gates_hold_back_what_the_reference_says() {
    let graph = graph();
    let holds_back = |gate: &str, later: &[&str]| {
        let after = graph.descendants(&at(gate));
        for address in later {
            assert!(after.contains(&at(address)), "{gate} does not hold back {address}");
        }
    };
    let frees = |gate: &str, others: &[&str]| {
        let after = graph.descendants(&at(gate));
        for address in others {
            assert!(!after.contains(&at(address)), "{gate} holds back {address}");
        }
    };
    holds_back(
        "cert-manager.installed",
        &["cert-manager.config", "leader-worker-set.config", "rhoai.subscription"],
    );
    holds_back(
        "connectivity-link.installed",
        &["kuadrant.instance", "rhoai.subscription", "maas.switch"],
    );
    holds_back(
        "kuadrant.operands",
        &["rhoai.subscription", "maas.authorino.certificate"],
    );
    holds_back("kuadrant.ready", &["maas.switch"]);
    frees(
        "kuadrant.ready",
        &["rhoai.subscription", "maas.authorino.certificate", "maas.gateway"],
    );
    holds_back(
        "leader-worker-set.workload-kinds",
        &["rhoai.subscription", "model[qwen3-8b].service"],
    );
    holds_back("tempo.installed", &["rhoai.subscription"]);
    holds_back("opentelemetry.installed", &["rhoai.subscription"]);
    holds_back("cluster-observability.installed", &["rhoai.initialization"]);
    frees("cluster-observability.installed", &["rhoai.subscription"]);
    holds_back(
        "nfd.installed",
        &["nfd.instance", "nvidia.policy", "model[qwen3-8b].service"],
    );
    frees("nfd.labels", &["nvidia.policy"]);
    holds_back("gpu[l40s].capacity", &["model[qwen3-8b].service"]);
    frees(
        "gpu[l40s].capacity",
        &["maas.switch", "rhoai.subscription", "maas.gateway"],
    );
    holds_back(
        "rhoai.controllers",
        &["model[qwen3-8b].service", "maas.switch", "maas.authorino.bootstrap"],
    );
    frees("rhoai.ready", &["model[qwen3-8b].service", "maas.switch"]);
    holds_back("maas.database.deployment", &["maas.switch", "maas.tenant"]);
    holds_back(
        "maas.gateway",
        &["maas.switch", "maas.authorino.bootstrap", "model[qwen3-8b].service"],
    );
    holds_back("maas.authorino.issued", &["maas.authorino.listener"]);
    holds_back("maas.authorino.listener", &["maas.authorino.trust"]);
    holds_back("maas.authorino.trust", &["maas.authorino.bootstrap"]);
    holds_back(
        "maas.authorino.filter",
        &["model[qwen3-8b].service", "maas.tier[pro].enforced"],
    );
    // A model that fails is told once, and nothing that only mirrors it waits.
    holds_back("model[qwen3-8b].service", &["maas.model[qwen3-8b].ref"]);
    holds_back(
        "maas.model[qwen3-8b].ref",
        &["maas.tier[pro].subscription", "maas.tier[pro].access"],
    );
    holds_back(
        "monitoring.ready",
        &["model[qwen3-8b].metrics", "model[qwen3-8b].service"],
    );
}

fn graph_of(text: &str) -> Graph {
    match Graph::new(&compiled(&stack_of(text))) {
        Ok(graph) => graph,
        Err(errors) => panic!("{errors:?}"),
    }
}

/// Else OpenShift AI makes a queue of that name first, and what it leads to is immutable (`reference/platform.md` §2.14).
#[test]
fn a_project_is_given_to_kueue_once_its_queues_are_there() {
    let after = graph_of(ADDITIONS).descendants(&at("kueue.queue[\"team-a/default\"]"));
    assert!(after.contains(&at("project[team-a].queued")), "{after:?}");
}

/// One Authorino serves both gateways: once it speaks TLS, both have to (`reference/serving.md` §1.9).
#[test]
fn the_llm_d_gateway_is_told_of_tls_once_authorino_has_it_and_only_where_models_are_behind_it() {
    let told = at("llm-d.authorino-bootstrap");
    let tls = at("maas.authorino.trust");
    assert!(!graph().descendants(&tls).contains(&told), "no model is behind it");
    let model = "[[models]]\nname = \"open\"\nnamespace = \"llm-d-demo\"\nsource = \"hf://org/model\"\n";
    let both = graph_of(&format!("{QUICKSTART}\n{model}"));
    let after = both.descendants(&tls);
    assert!(
        after.contains(&told) && after.contains(&at("llm-d.authorino-filter")),
        "{after:?}"
    );
}

/// Kinds whose objects free what waits for them as soon as they are there, though they have a status, and why.
const READY_WHEN_THERE: &[(&str, &str)] = &[(
    "HardwareProfile.infrastructure.opendatahub.io",
    "the probes of the guide look at its spec and an annotation, and at no status (reference/platform.md §2.24)",
)];

/// The kinds that have a status of their own: of the condensed definitions, and of those that every cluster has.
fn with_status() -> BTreeSet<String> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../providers/simulator/src/schemas/data");
    let mut kinds =
        BTreeSet::from(["Deployment.apps", "StatefulSet.apps", "DaemonSet.apps", "Job.batch"].map(str::to_owned));
    for file in fs::read_dir(data).expect("the condensed definitions are there") {
        let text = fs::read_to_string(file.expect("a file").path()).expect("a text");
        let file: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for definition in file["crds"].as_object().expect("definitions").values() {
            let mut versions = definition["versions"].as_array().expect("versions").iter();
            if versions.any(|version| !version["subresources"]["status"].is_null()) {
                let text = |key: &str| definition[key].as_str().expect("a text").to_owned();
                kinds.insert(format!("{}.{}", text("kind"), text("group")));
            }
        }
    }
    kinds
}

/// Nothing is taken for ready that only exists: what others wait for has a rule of its own, or says here why not.
#[test]
fn what_others_wait_for_until_it_is_ready_has_a_rule_where_it_has_a_status() {
    let with_status = with_status();
    assert!(with_status.len() > 50, "{with_status:?}");
    let mut lean = BTreeSet::new();
    for text in [
        QUICKSTART,
        PRODUCTION,
        BARE_METAL,
        SERVING,
        GATEWAY_POLICIES,
        EXTERNAL_MODELS,
        CANARY,
        PREFILL_DECODE,
        TWO_TENANTS,
        ADDITIONS,
    ] {
        let resources = compiled(&stack_of(text));
        let graph = Graph::new(&resources).expect("a graph");
        let waited_for: BTreeSet<&Address> = graph
            .order()
            .iter()
            .flat_map(|address| graph.dependencies(address))
            .filter(|edge| edge.until == Until::Ready)
            .map(|edge| &edge.to)
            .collect();
        for resource in resources.iter().filter(|one| waited_for.contains(&one.address)) {
            if let Node::Object(object) = &resource.node
                && object.ready == Rule::Exists
                && object.parts.is_empty()
            {
                let of = &object.manifest.object().object_type;
                let kind = format!("{}.{}", of.kind, of.group());
                if with_status.contains(&kind) {
                    lean.insert(kind);
                }
            }
        }
    }
    let told: BTreeSet<String> = READY_WHEN_THERE.iter().map(|(kind, _)| (*kind).to_owned()).collect();
    assert_eq!(lean, told);
}
