//! Every check, on a cluster that is as it should be and on ones that are not.

mod platform;
mod serving;

use super::*;
use crate::{
    cluster_facts::key,
    language::{Source, parse},
    stack::Stack,
};
use serde_json::{Value, json};
use stackctl_engine::facts::{Fact, Holding};
use std::collections::{BTreeMap, BTreeSet};

const QUICKSTART: &str = include_str!("../../../../examples/quickstart/stack.toml");
const BARE_METAL: &str = include_str!("../../../../examples/bare-metal/stack.toml");

/// A platform without models.
const PLATFORM_ONLY: &str = r#"
[stack]
name = "platform"
[cluster]
platform = "none"
openshift = ">=4.18"
[tls]
issuer = "existing"
"#;

fn stack_of(text: &str) -> Stack {
    let source = Source {
        name: "stack.toml".to_owned(),
        text: text.to_owned(),
    };
    match parse(&[source], &[]) {
        Ok((stack, _)) => stack,
        Err(diagnostics) => panic!("{diagnostics:?}"),
    }
}

/// A check, a stack, what was read, and what the check has to come to.
type Row = (&'static str, String, Evidence, Verdict);

/// A stack with one thing said differently.
fn edited(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "`{from}` is not in the stack");
    text.replacen(from, to, 1)
}

/// The quickstart with a certificate of Let's Encrypt.
fn with_certificates() -> String {
    edited(QUICKSTART, r#"issuer = "existing""#, r#"issuer = "letsencrypt""#)
}

/// The quickstart with another database.
fn with_own_database() -> String {
    let own = "[maas.database]\nmode = \"external\"\nurl = { env = \"URL\" }\n[[maas.tiers]]";
    edited(QUICKSTART, "[[maas.tiers]]", own)
}

/// The quickstart with the tiers of the other generation.
fn with_gateway_policies() -> String {
    let (platform, _) = QUICKSTART.split_once("[maas]\n").expect("a table of MaaS");
    format!("{platform}[maas]\nmode = \"gateway-policies\"\n")
}

/// The quickstart without monitoring of workloads.
fn without_monitoring() -> String {
    edited(
        QUICKSTART,
        "[monitoring]\nenabled = true",
        "[monitoring]\nenabled = false",
    )
}

/// The time at which the tests look: 2027-01-15.
const NOW: i64 = 1_800_000_000;

fn node(cores: &str, memory: &str, architecture: &str) -> Node {
    Node::of(&json!({
        "metadata": {"labels": {"node-role.kubernetes.io/worker": ""}},
        "status": {"capacity": {"cpu": cores, "memory": memory}, "nodeInfo": {"architecture": architecture}},
    }))
}

fn version(name: &str) -> Option<Version> {
    Version::of(&json!({"metadata": {"name": name, "namespace": "openshift-operators"}}))
}

fn subscription(package: &str, annotations: &Value) -> Subscription {
    Subscription::of(&json!({
        "metadata": {"name": package, "namespace": "openshift-operators", "annotations": annotations},
        "spec": {"name": package},
    }))
}

fn unread<T>() -> Reading<T> {
    Err(Unread {
        source: "there".to_owned(),
        why: "forbidden".to_owned(),
    })
}

/// A cluster on which only what cannot be seen is doubtful, for any stack of these tests.
fn evidence() -> Evidence {
    let channel = |name: &str, csv: &str| json!([{"name": name, "currentCSV": csv, "entries": [{"name": csv}]}]);
    let stacks = [
        QUICKSTART.to_owned(),
        BARE_METAL.to_owned(),
        PLATFORM_ONLY.to_owned(),
        with_gateway_policies(),
        without_monitoring(),
    ];
    let wanted = stacks.iter().flat_map(|text| facts_wanted(&stack_of(text)));
    let absent = wanted.map(|request| (request.key, Value::Null));
    let facts = [
        (key::OPENSHIFT.to_owned(), json!("4.21.3")),
        (key::PLATFORM.to_owned(), json!("AWS")),
        (key::BASE_DOMAIN.to_owned(), json!("ocp.example.com")),
        (key::APPS_DOMAIN.to_owned(), json!("apps.ocp.example.com")),
        (key::STORAGE_CLASS.to_owned(), json!("gp3-csi")),
        (key::REGISTRIES.to_owned(), json!(["quay.io", "registry.redhat.io"])),
        (key::CREDENTIALS_MODE.to_owned(), json!("")),
        (
            key::channels("rhods-operator"),
            channel("stable-3.x", "rhods-operator.3.4.0"),
        ),
        (key::default_channel("nfd"), json!("stable")),
        (key::channels("nfd"), channel("stable", "nfd.4.21.0")),
        (key::default_channel("gpu-operator-certified"), json!("v26.3")),
        (
            key::channels("gpu-operator-certified"),
            channel("v26.3", "gpu-operator-certified.v26.3.0"),
        ),
        (certificate::CERTIFICATE.to_owned(), serving::router_certificate()),
    ];
    let fact = |(key, value): (String, Value)| {
        let source = format!("where {key} stands");
        let holding = Holding::Live;
        (key, Ok(Fact { value, source, holding }))
    };
    Evidence {
        now: NOW,
        facts: absent.chain(facts).map(fact).collect::<BTreeMap<_, _>>(),
        is_admin: Ok(true),
        // What a machine of 32 GiB has.
        nodes: Ok(vec![node("8", "33013556Ki", "amd64"), node("8", "33013556Ki", "amd64")]),
        versions: Ok(version("cert-manager-operator.v1.18.0").into_iter().collect()),
        subscriptions: Ok(Vec::new()),
        services: Ok(Vec::new()),
        platform_pods: Ok(Vec::new()),
        claims: Ok(Vec::new()),
    }
}

fn fact(key: &str, value: Value) -> Evidence {
    let mut evidence = evidence();
    let Some(Ok(fact)) = evidence.facts.get_mut(key) else {
        panic!("{key} is not among the facts");
    };
    fact.value = value;
    evidence
}

fn nodes(nodes: &[Node]) -> Evidence {
    Evidence {
        nodes: Ok(nodes.to_vec()),
        ..evidence()
    }
}

fn installed(name: &str) -> Evidence {
    Evidence {
        versions: Ok(version(name).into_iter().collect()),
        ..evidence()
    }
}

fn mesh(annotations: &Value) -> Evidence {
    Evidence {
        subscriptions: Ok(vec![subscription("servicemeshoperator3", annotations)]),
        ..installed("servicemeshoperator3.v3.2.0")
    }
}

fn findings(text: &str, evidence: &Evidence) -> Vec<Finding> {
    check(&stack_of(text).openshift.expect("a platform"), evidence)
}

#[test]
fn every_check_passes_warns_and_fails() {
    let mut seen = BTreeSet::new();
    for (index, (name, text, evidence, expected)) in platform::rows().iter().chain(&serving::rows()).enumerate() {
        let findings = findings(text, evidence);
        let finding = findings.iter().find(|finding| finding.check == *name).expect("a check");
        assert_eq!(finding.verdict, *expected, "row {index}: {finding:?}");
        assert_eq!(
            finding.remedy.is_none(),
            *expected == Verdict::Pass,
            "row {index}: {finding:?}"
        );
        assert!(
            !finding.found.is_empty() && !finding.source.is_empty(),
            "row {index}: {finding:?}"
        );
        seen.insert((*name, format!("{expected:?}")));
    }
    for (name, _) in CHECKS {
        let always_warns = *name == "object-storage";
        let has = |verdict: &str| seen.contains(&(*name, verdict.to_owned()));
        assert!(has(if always_warns { "Warn" } else { "Pass" }), "{name} never passes");
        let never_fails = DOUBTS.contains(name);
        assert!(!never_fails || has("Warn"), "{name} never warns");
        assert!(
            has("Fail") != never_fails,
            "{name} fails, or does not, against its nature"
        );
    }
}

/// Checks that warn and never fail.
const DOUBTS: &[&str] = &[
    "object-storage",
    "service-mesh-3",
    "load-balancer",
    "gpus",
    "model-registries",
    "model-controller",
    "model-names",
    "kueue-label",
    "user-workload-monitoring",
    "maas-route",
    "maas-database",
    "token-audience",
];

#[test]
fn a_base_domain_without_a_dot_is_doubtful() {
    let mut evidence = fact(key::BASE_DOMAIN, json!("sno"));
    if let Some(Ok(fact)) = evidence.facts.get_mut(key::APPS_DOMAIN) {
        fact.value = json!("apps.sno");
    }
    let findings = findings(QUICKSTART, &evidence);
    let domain = findings.iter().find(|finding| finding.check == "domain");
    assert_eq!(domain.map(|domain| domain.verdict), Some(Verdict::Warn));
}

#[test]
fn what_could_not_be_read_is_never_taken_for_absent() {
    let facts = evidence().facts.into_keys().map(|key| (key, unread())).collect();
    let evidence = Evidence {
        facts,
        now: NOW,
        is_admin: unread(),
        nodes: unread(),
        versions: unread(),
        subscriptions: unread(),
        services: unread(),
        platform_pods: unread(),
        claims: unread(),
    };
    for finding in findings(QUICKSTART, &evidence) {
        let expected = match finding.check {
            "object-storage" => Verdict::Warn,
            // The stack itself says it all: it makes the nodes, switches monitoring on, and is reached by Routes.
            "gpus" | "user-workload-monitoring" | "load-balancer" => Verdict::Pass,
            _ => Verdict::Unread,
        };
        assert_eq!(finding.verdict, expected, "{finding:?}");
    }
}

#[test]
fn a_copied_version_does_not_count() {
    let copied = json!({"metadata": {
        "name": "opendatahub-operator.v2.30.0", "namespace": "demo", "labels": {"olm.copiedFrom": "openshift-operators"},
    }});
    assert_eq!(Version::of(&copied), None);
}

/// What the shell would gather for a stack on that cluster: what is wanted, and nothing else.
fn gathered(text: &str, whole: &Evidence) -> Evidence {
    let stack = stack_of(text);
    let openshift = stack.openshift.as_ref().expect("a platform");
    let facts_of = |wanted: Vec<crate::cluster_facts::FactRequest>| {
        let facts = wanted.into_iter().map(|request| {
            let answer = whole
                .facts
                .get(&request.key)
                .unwrap_or_else(|| panic!("{}", request.key));
            (request.key, answer.clone())
        });
        facts.collect::<BTreeMap<_, _>>()
    };
    let mut facts = facts_of(facts_wanted(&stack));
    facts.extend(facts_of(facts_then(&stack, &facts)));
    let nodes = whole.nodes.as_deref().unwrap_or_default();
    fn only<T: Clone>(is_wanted: bool, listed: &Reading<Vec<T>>) -> Reading<Vec<T>> {
        if is_wanted {
            listed.clone()
        } else {
            Err(Unread::not_asked("a list"))
        }
    }
    let is_wanted = |listing: Listing| listing.is_wanted(openshift, nodes);
    Evidence {
        facts,
        nodes: only(is_wanted(Listing::Nodes), &whole.nodes),
        versions: only(is_wanted(Listing::Versions), &whole.versions),
        subscriptions: only(is_wanted(Listing::Subscriptions), &whole.subscriptions),
        services: only(is_wanted(Listing::Services), &whole.services),
        platform_pods: only(is_wanted(Listing::PlatformPods), &whole.platform_pods),
        claims: only(is_wanted(Listing::Pods), &whole.claims),
        ..whole.clone()
    }
}

#[test]
fn what_a_check_looks_at_is_asked_for() {
    for (name, text, evidence, _) in platform::rows().iter().chain(&serving::rows()) {
        let verdicts = |evidence: &Evidence| {
            let findings = findings(text, evidence);
            findings
                .into_iter()
                .map(|finding| (finding.check, finding.verdict))
                .collect::<Vec<_>>()
        };
        assert_eq!(verdicts(evidence), verdicts(&gathered(text, evidence)), "{name}");
    }
}

#[test]
fn nothing_is_asked_for_twice_or_in_vain() {
    for text in [
        QUICKSTART,
        BARE_METAL,
        PLATFORM_ONLY,
        &with_gateway_policies(),
        &without_monitoring(),
    ] {
        let wanted: Vec<_> = facts_wanted(&stack_of(text))
            .into_iter()
            .map(|request| request.key)
            .collect();
        let unique: BTreeSet<_> = wanted.iter().collect();
        assert_eq!(wanted.len(), unique.len());
        for key in wanted {
            let mut evidence = evidence();
            evidence.facts.insert(key.clone(), unread());
            let unread = findings(text, &evidence)
                .iter()
                .any(|finding| finding.verdict == Verdict::Unread);
            assert!(unread, "no check looks at {key}");
        }
    }
    let manifests = stack_of("[stack]\nname = \"a\"\n[[manifests]]\nname = \"m\"\npath = \"m\"\n");
    assert!(facts_wanted(&manifests).is_empty() && facts_then(&manifests, &BTreeMap::new()).is_empty());
}
