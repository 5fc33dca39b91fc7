//! The checks of the platform: `reference/platform.md`.

use super::*;

pub(super) fn rows() -> Vec<Row> {
    use Verdict::{Fail, Pass, Warn};
    let certificates = with_certificates();
    let other_domain = || fact(key::APPS_DOMAIN, json!("apps.elsewhere.example.com"));
    let manual = || fact(key::CREDENTIALS_MODE, json!("Manual"));
    let (small, large) = (node("4", "16Gi", "amd64"), node("32", "126Gi", "amd64"));
    let (arm, mips) = (node("8", "32Gi", "arm64"), node("8", "32Gi", "mips"));
    let amd = node("8", "32Gi", "amd64");
    let by_ingress = || mesh(&json!({"ingress.operator.openshift.io/owned": ""}));
    let q = QUICKSTART;
    vec![
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
    ]
    .into_iter()
    .map(|(check, text, evidence, verdict): (_, &str, _, _)| (check, text.to_owned(), evidence, verdict))
    .collect()
}
