//! Every check, on a cluster that is as it should be and on ones that are not.

use super::*;
use crate::{
    cluster_facts::key,
    language::{Source, parse},
    stack::Stack,
};
use serde_json::{Value, json};
use stackctl_engine::facts::{Fact, Holding};
use std::collections::{BTreeMap, BTreeSet};

const QUICKSTART: &str = include_str!("../../../examples/quickstart/stack.toml");
const BARE_METAL: &str = include_str!("../../../examples/bare-metal/stack.toml");

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

/// The quickstart with a certificate of Let's Encrypt.
fn with_certificates() -> String {
    let text = QUICKSTART.replace(r#"issuer = "existing""#, r#"issuer = "letsencrypt""#);
    assert_ne!(text, QUICKSTART);
    text
}

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
    ];
    let fact = |(key, value): (String, Value)| {
        let source = format!("where {key} stands");
        let holding = Holding::Live;
        (key, Ok(Fact { value, source, holding }))
    };
    Evidence {
        facts: facts.into_iter().map(fact).collect::<BTreeMap<_, _>>(),
        is_admin: Ok(true),
        // What a machine of 32 GiB has.
        nodes: Ok(vec![node("8", "33013556Ki", "amd64"), node("8", "33013556Ki", "amd64")]),
        versions: Ok(version("cert-manager-operator.v1.18.0").into_iter().collect()),
        subscriptions: Ok(Vec::new()),
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
    use Verdict::{Fail, Pass, Warn};
    let certificates = with_certificates();
    let other_domain = || fact(key::APPS_DOMAIN, json!("apps.elsewhere.example.com"));
    let manual = || fact(key::CREDENTIALS_MODE, json!("Manual"));
    let (small, large) = (node("4", "16Gi", "amd64"), node("32", "126Gi", "amd64"));
    let (arm, mips) = (node("8", "32Gi", "arm64"), node("8", "32Gi", "mips"));
    let amd = node("8", "32Gi", "amd64");
    let by_ingress = || mesh(&json!({"ingress.operator.openshift.io/owned": ""}));
    let q = QUICKSTART;
    let table: Vec<(&str, &str, Evidence, Verdict)> = vec![
        ("openshift-version", q, evidence(), Pass),
        ("openshift-version", q, fact(key::OPENSHIFT, json!("4.22.0-rc.1")), Warn),
        ("openshift-version", q, fact(key::OPENSHIFT, json!("4.20.8")), Warn),
        ("openshift-version", q, fact(key::OPENSHIFT, json!("4.19.8")), Fail),
        (
            "openshift-version",
            PLATFORM_ONLY,
            fact(key::OPENSHIFT, json!("4.19.8")),
            Warn,
        ),
        (
            "openshift-version",
            PLATFORM_ONLY,
            fact(key::OPENSHIFT, json!("4.18.1")),
            Fail,
        ),
        ("openshift-version", q, fact(key::OPENSHIFT, Value::Null), Fail),
        ("cluster-admin", q, evidence(), Pass),
        (
            "cluster-admin",
            q,
            Evidence {
                is_admin: Ok(false),
                ..evidence()
            },
            Fail,
        ),
        ("platform", q, evidence(), Pass),
        ("platform", PLATFORM_ONLY, evidence(), Warn),
        ("platform", PLATFORM_ONLY, fact(key::PLATFORM, json!("None")), Pass),
        ("platform", q, fact(key::PLATFORM, json!("BareMetal")), Fail),
        ("credentials", &certificates, evidence(), Pass),
        ("credentials", q, manual(), Warn),
        ("credentials", PLATFORM_ONLY, manual(), Warn),
        ("credentials", &certificates, manual(), Fail),
        (
            "credentials",
            &certificates,
            fact(key::CREDENTIALS_MODE, json!("Mint")),
            Pass,
        ),
        ("domain", &certificates, evidence(), Pass),
        ("domain", q, other_domain(), Warn),
        ("domain", &certificates, other_domain(), Fail),
        ("domain", q, fact(key::BASE_DOMAIN, Value::Null), Fail),
        ("sizes", q, evidence(), Pass),
        ("sizes", q, nodes(&[small.clone(), large]), Pass),
        ("sizes", q, nodes(&[small.clone(), amd.clone()]), Fail),
        ("sizes", q, nodes(&[small.clone(), small]), Fail),
        ("sizes", q, nodes(&[]), Fail),
        ("architecture", q, evidence(), Pass),
        ("architecture", q, nodes(&[amd, arm.clone()]), Warn),
        ("architecture", PLATFORM_ONLY, nodes(&[arm.clone(), arm.clone()]), Warn),
        ("architecture", q, nodes(&[arm.clone(), arm]), Fail),
        ("architecture", PLATFORM_ONLY, nodes(&[mips]), Fail),
        ("storage-class", q, evidence(), Pass),
        ("storage-class", q, fact(key::STORAGE_CLASS, Value::Null), Fail),
        ("pull-secret", q, evidence(), Pass),
        (
            "pull-secret",
            q,
            fact(
                key::REGISTRIES,
                json!(["https://quay.io/", "https://registry.redhat.io"]),
            ),
            Pass,
        ),
        (
            "pull-secret",
            q,
            fact(key::REGISTRIES, json!(["registry.redhat.io"])),
            Warn,
        ),
        ("pull-secret", q, fact(key::REGISTRIES, json!(["quay.io"])), Fail),
        ("pull-secret", q, fact(key::REGISTRIES, Value::Null), Fail),
        ("packages", q, evidence(), Pass),
        (
            "packages",
            q,
            fact(&key::channels("rhods-operator"), json!([{"name": "fast"}])),
            Fail,
        ),
        ("packages", q, fact(&key::channels("nfd"), Value::Null), Fail),
        (
            "packages",
            PLATFORM_ONLY,
            fact(&key::channels("rhods-operator"), Value::Null),
            Fail,
        ),
        ("object-storage", q, evidence(), Warn),
        ("open-data-hub", q, evidence(), Pass),
        ("open-data-hub", q, installed("opendatahub-operator.v2.30.0"), Fail),
        ("rhoai-2", q, installed("rhods-operator.3.4.0"), Pass),
        ("rhoai-2", q, installed("rhods-operator.2.25.1"), Fail),
        ("service-mesh-2", q, installed("servicemeshoperator3.v3.2.0"), Pass),
        ("service-mesh-2", q, installed("servicemeshoperator.v2.6.11"), Fail),
        ("service-mesh-3", q, evidence(), Pass),
        ("service-mesh-3", q, by_ingress(), Pass),
        ("service-mesh-3", PLATFORM_ONLY, mesh(&json!({})), Pass),
        ("service-mesh-3", q, mesh(&json!({})), Warn),
        ("service-mesh-3", q, installed("servicemeshoperator3.v3.2.0"), Warn),
        ("broken-versions", q, installed("rhcl-operator.v1.3.4"), Pass),
        ("broken-versions", q, installed("rhcl-operator.v1.4.0"), Fail),
        (
            "broken-versions",
            q,
            installed("cluster-observability-operator.v1.5.0"),
            Fail,
        ),
    ];
    let mut seen = BTreeSet::new();
    for (index, (name, text, evidence, expected)) in table.iter().enumerate() {
        let findings = findings(text, evidence);
        let finding = findings.iter().find(|finding| finding.check == *name).expect("a check");
        assert_eq!(finding.verdict, *expected, "row {index}: {finding:?}");
        assert_eq!(finding.remedy.is_none(), *expected == Pass, "row {index}: {finding:?}");
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
        let never_fails = ["object-storage", "service-mesh-3"].contains(name);
        assert!(
            has("Fail") != never_fails,
            "{name} fails, or does not, against its nature"
        );
    }
}

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
        is_admin: unread(),
        nodes: unread(),
        versions: unread(),
        subscriptions: unread(),
    };
    for finding in findings(QUICKSTART, &evidence) {
        let expected = match finding.check {
            "object-storage" => Verdict::Warn,
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

#[test]
fn every_fact_that_a_check_looks_at_is_asked_for_once() {
    let known: BTreeSet<_> = evidence().facts.into_keys().collect();
    for (text, all) in [(QUICKSTART, true), (BARE_METAL, false)] {
        let wanted: Vec<_> = facts_wanted(&stack_of(text))
            .into_iter()
            .map(|request| request.key)
            .collect();
        let unique: BTreeSet<_> = wanted.iter().cloned().collect();
        assert_eq!(wanted.len(), unique.len());
        assert!(!all || known == unique, "{known:?} {unique:?}");
    }
    assert!(
        facts_wanted(&stack_of(
            "[stack]\nname = \"a\"\n[[manifests]]\nname = \"m\"\npath = \"m\"\n"
        ))
        .is_empty()
    );
}
