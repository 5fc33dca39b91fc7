//! The checks of what serves models: `reference/serving.md` §5.

use super::*;
use Verdict::{Fail, Pass, Warn};
use std::fmt::Write as _;

const DAY: i64 = 86_400;

fn certificate_of(names: &[&str], expires: i64, issuer: &str) -> Value {
    json!({"names": names, "expires": expires, "issuer": issuer})
}

/// One that the world knows, for the domain of the tests' cluster.
pub(super) fn router_certificate() -> Value {
    certificate_of(&["*.apps.ocp.example.com"], NOW + 90 * DAY, "known")
}

fn certificate(value: Value) -> Evidence {
    fact(certificate::CERTIFICATE, value)
}

/// A balancer in front of the gateway of models.
fn balanced(text: &str) -> String {
    format!("{text}\n[gateway]\nexposure = \"loadbalancer\"\n")
}

fn on(platform: &str) -> Evidence {
    fact(key::PLATFORM, json!(platform))
}

fn pods(pods: &[Value]) -> Evidence {
    Evidence {
        platform_pods: Ok(pods.iter().map(PlatformPod::of).collect()),
        ..evidence()
    }
}

fn pod(labels: &Value, started: &str, restarts: u64) -> Value {
    json!({
        "metadata": {"name": "p", "namespace": "redhat-ods-applications", "labels": labels},
        "status": {"containerStatuses": [{"restartCount": restarts, "state": {"running": {"startedAt": started}}}]},
    })
}

fn database(restarts: u64) -> Evidence {
    pods(&[pod(&json!({"app": "maas-db"}), "2027-01-01T00:00:00Z", restarts)])
}

/// The controller runs since then, and policies are known since noon.
fn controller(started: &str) -> Evidence {
    let mut evidence = fact(operators::POLICIES_SINCE, json!("2027-01-01T12:00:00Z"));
    let pod = pod(&json!({"control-plane": "odh-model-controller"}), started, 0);
    evidence.platform_pods = Ok(vec![PlatformPod::of(&pod)]);
    evidence
}

fn served(model_name: &Value) -> Evidence {
    let service = json!({
        "metadata": {"name": "by-hand", "namespace": "demo"}, "spec": {"model": {"uri": "hf://a/b", "name": model_name}},
    });
    Evidence {
        services: Ok(vec![Service::of(&service)]),
        ..evidence()
    }
}

/// Nodes with that many GPUs in all, and pods that ask for some of them.
fn with_gpus(gpus: u64, claims: &[Value]) -> Evidence {
    let node = json!({
        "metadata": {"labels": {"node-role.kubernetes.io/worker": ""}},
        "status": {"allocatable": {"nvidia.com/gpu": gpus.to_string()}},
    });
    Evidence {
        nodes: Ok(vec![Node::of(&node)]),
        claims: Ok(claims.iter().filter_map(Claim::of).collect()),
        ..evidence()
    }
}

fn claim(namespace: &str, labels: &Value, gpus: &str) -> Value {
    json!({
        "metadata": {"name": "p", "namespace": namespace, "labels": labels},
        "spec": {"containers": [{"name": "main", "resources": {"limits": {"nvidia.com/gpu": gpus}}}]},
        "status": {"phase": "Running"},
    })
}

fn other(gpus: &str) -> Value {
    claim("notebooks", &json!({"app": "notebook"}), gpus)
}

/// A copy of the model of the bare-metal stack.
fn own() -> Value {
    let labels = json!({"kserve.io/component": "workload", "app.kubernetes.io/name": "qwen3-8b"});
    claim("llm-d-lab", &labels, "1")
}

pub(super) fn rows() -> Vec<Row> {
    let certificates = with_certificates();
    let q = QUICKSTART;
    // A model on one GPU that is there, without MaaS; and the same without a pool.
    let b = BARE_METAL;
    let no_pool = edited(
        &edited(
            b,
            "[[gpu]]\nname      = \"a100\"\ntier      = \"a100-80gb\"\nprovision = \"existing\"\n",
            "",
        ),
        "\"nvidia-a100-80gb-profile\"",
        "\"mine\"",
    );
    let (balanced_q, balanced_b) = (balanced(q), balanced(b));
    let (tiers, unscraped, own_database) = (with_gateway_policies(), without_monitoring(), with_own_database());
    let local_ca = edited(q, "\"existing\"", "\"local-ca\"");
    let service_ca = [
        "maas-default-gateway.openshift-ingress.svc",
        "maas-default-gateway.openshift-ingress.svc.cluster.local",
    ];
    let local = certificate_of(&["*.apps.ocp.example.com"], NOW + 90 * DAY, "along");
    let expiring = |days: i64| certificate(certificate_of(&["*.apps.ocp.example.com"], NOW + days * DAY, "known"));
    let mesh_2 = || Evidence {
        subscriptions: Ok(vec![subscription("servicemeshoperator", &json!({}))]),
        ..evidence()
    };
    let policy = |name: &str, gateway: &str| fact(&format!("policy[{name}].gateway"), json!(gateway));
    let kueue = edited(q, "[rhoai]\n", "[rhoai.components]\nkueue = true\n[rhoai]\n");
    let labelled = || fact("namespace[llm-d-demo].kueue-managed", json!("true"));
    let route = |host: &str| fact("route[maas-default-gateway].host", json!(host));
    let elsewhere = edited(
        q,
        "oci://registry.redhat.io/rhelai1",
        "oci://mirror.example.com:5000/models",
    );
    let rows: Vec<(&str, &str, Evidence, Verdict)> = vec![
        ("load-balancer", q, on("BareMetal"), Pass),
        ("load-balancer", &balanced_q, evidence(), Pass),
        ("load-balancer", &balanced_b, on("None"), Pass),
        (
            "load-balancer",
            &balanced_q,
            Evidence {
                facts: on("None").facts,
                ..installed("metallb-operator.v4.21.0")
            },
            Pass,
        ),
        ("load-balancer", &balanced_q, on("BareMetal"), Warn),
        ("gateway-certificate", q, evidence(), Pass),
        ("gateway-certificate", PLATFORM_ONLY, certificate(Value::Null), Pass),
        ("gateway-certificate", &certificates, certificate(Value::Null), Pass),
        ("gateway-certificate", q, certificate(Value::Null), Fail),
        ("gateway-certificate", q, certificate(json!({})), Fail),
        ("gateway-certificate", &certificates, certificate(json!({})), Warn),
        (
            "gateway-certificate",
            q,
            certificate(certificate_of(&service_ca, NOW + DAY, "known")),
            Fail,
        ),
        (
            "gateway-certificate",
            q,
            certificate(certificate_of(&["*.ocp.example.com"], NOW + 90 * DAY, "known")),
            Fail,
        ),
        (
            "gateway-certificate",
            q,
            certificate(certificate_of(&[], NOW + 90 * DAY, "known")),
            Fail,
        ),
        (
            "gateway-certificate",
            q,
            certificate(certificate_of(&["maas.apps.ocp.example.com"], NOW + 90 * DAY, "known")),
            Fail,
        ),
        ("gateway-certificate", q, expiring(8), Pass),
        ("gateway-certificate", q, expiring(7), Warn),
        ("gateway-certificate", q, expiring(0), Fail),
        ("gateway-certificate", q, expiring(-3), Fail),
        ("gateway-certificate", &certificates, expiring(-3), Warn),
        ("gateway-certificate", q, certificate(local.clone()), Warn),
        (
            "gateway-certificate",
            q,
            certificate(certificate_of(&["*.apps.ocp.example.com"], NOW + DAY, "itself")),
            Warn,
        ),
        // Without MaaS nobody inside calls the gateway; an authority of the stack is made known by the stack.
        ("gateway-certificate", b, certificate(local.clone()), Pass),
        ("gateway-certificate", &local_ca, certificate(local), Pass),
        ("gpus", q, evidence(), Pass),
        ("gpus", PLATFORM_ONLY, evidence(), Pass),
        ("gpus", b, evidence(), Pass),
        ("gpus", &no_pool, evidence(), Warn),
        ("gpus", b, with_gpus(4, &[other("2"), own()]), Pass),
        ("gpus", b, with_gpus(4, &[other("3"), own()]), Warn),
        ("gpus", b, with_gpus(4, &[other("2"), other("2")]), Warn),
        ("model-registries", PLATFORM_ONLY, evidence(), Pass),
        ("model-registries", q, evidence(), Pass),
        ("model-registries", &elsewhere, evidence(), Warn),
        (
            "model-registries",
            &elsewhere,
            fact(key::REGISTRIES, json!(["mirror.example.com:5000/models"])),
            Pass,
        ),
        ("service-mesh-2", q, mesh_2(), Fail),
        ("model-controller", b, controller("2027-01-01T11:59:59Z"), Pass),
        ("model-controller", q, evidence(), Pass),
        ("model-controller", q, controller("2027-01-01T12:00:01Z"), Pass),
        ("model-controller", q, controller("2027-01-01T11:59:59Z"), Warn),
        ("model-names", q, evidence(), Pass),
        ("model-names", q, served(&json!("a/b")), Pass),
        ("model-names", q, served(&json!("")), Warn),
        ("model-names", q, served(&Value::Null), Warn),
        ("kueue-label", q, evidence(), Pass),
        ("kueue-label", q, labelled(), Warn),
        ("kueue-label", &kueue, labelled(), Pass),
        ("user-workload-monitoring", q, evidence(), Pass),
        (
            "user-workload-monitoring",
            &unscraped,
            fact(models::USER_WORKLOAD, json!(true)),
            Pass,
        ),
        ("user-workload-monitoring", &unscraped, evidence(), Warn),
        ("gateway-policies", PLATFORM_ONLY, evidence(), Pass),
        ("gateway-policies", q, evidence(), Pass),
        (
            "gateway-policies",
            q,
            policy("gateway-auth-policy", "another-gateway"),
            Pass,
        ),
        (
            "gateway-policies",
            q,
            policy("gateway-default-auth", "maas-default-gateway"),
            Pass,
        ),
        (
            "gateway-policies",
            q,
            policy("gateway-auth-policy", "maas-default-gateway"),
            Fail,
        ),
        (
            "gateway-policies",
            q,
            policy("gateway-token-rate-limits", "maas-default-gateway"),
            Fail,
        ),
        (
            "gateway-policies",
            &tiers,
            policy("gateway-auth-policy", "maas-default-gateway"),
            Pass,
        ),
        (
            "gateway-policies",
            &tiers,
            policy("gateway-default-deny", "maas-default-gateway"),
            Fail,
        ),
        ("gateway-policies", &tiers, fact(maas::SWITCH, json!("Removed")), Pass),
        ("gateway-policies", &tiers, fact(maas::SWITCH, json!("Managed")), Fail),
        ("maas-route", PLATFORM_ONLY, evidence(), Pass),
        ("maas-route", q, evidence(), Pass),
        ("maas-route", q, route("maas.apps.ocp.example.com"), Pass),
        (
            "maas-route",
            q,
            route("maas-default-gateway-openshift-ingress.apps.ocp.example.com"),
            Warn,
        ),
        ("maas-database", PLATFORM_ONLY, evidence(), Pass),
        ("maas-database", q, evidence(), Pass),
        ("maas-database", q, database(0), Pass),
        ("maas-database", &own_database, database(2), Pass),
        ("maas-database", q, database(2), Warn),
        ("token-audience", PLATFORM_ONLY, evidence(), Pass),
        ("token-audience", q, evidence(), Pass),
        (
            "token-audience",
            q,
            fact(maas::TOKEN_ISSUER, json!("https://oidc.example.com/abc")),
            Warn,
        ),
    ];
    let row = |(check, text, evidence, verdict): (_, &str, _, _)| (check, text.to_owned(), evidence, verdict);
    rows.into_iter().map(row).collect()
}

#[test]
fn every_doubt_says_what_is_there_and_what_to_do() {
    let mut text = String::new();
    for (name, stack, evidence, verdict) in rows().iter().filter(|(.., verdict)| *verdict != Pass) {
        let findings = findings(stack, evidence);
        let finding = findings.iter().find(|finding| finding.check == *name).expect("a check");
        let remedy = finding.remedy.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{name} {verdict:?}: {}\n    remedy: {remedy}", finding.found);
    }
    insta::assert_snapshot!(text);
}

#[test]
fn of_gpus_only_what_others_ask_for_and_still_hold_is_taken() {
    let ended = {
        let mut pod = other("1");
        pod["status"]["phase"] = json!("Succeeded");
        pod
    };
    assert_eq!(Claim::of(&ended), None);
    assert_eq!(Claim::of(&claim("a", &json!({}), "0")), None);
    let container = |gpus: &str| json!({"resources": {"requests": {"nvidia.com/gpu": gpus}}});
    let several = |first: &str| json!({"spec": {"containers": [container("1"), container("2")], "initContainers": [container(first)]}});
    let asked = |pod: &Value| Claim::of(pod).map(|claim| claim.gpus);
    assert_eq!(asked(&several("1")), Some(3));
    assert_eq!(asked(&several("4")), Some(4));
    // A namesake in another namespace is not ours.
    let mut namesake = own();
    namesake["metadata"]["namespace"] = json!("elsewhere");
    let found = |claims: &[Value]| {
        let findings = findings(BARE_METAL, &with_gpus(4, claims));
        findings
            .into_iter()
            .find(|finding| finding.check == "gpus")
            .expect("a check")
            .found
    };
    assert_eq!(
        found(&[own()]),
        "4 offered - 0 asked for by others = 4 free; the models ask for 1"
    );
    assert_eq!(
        found(&[namesake]),
        "4 offered - 1 asked for by others = 3 free; the models ask for 1"
    );
}

#[test]
fn the_certificate_that_is_read_is_the_one_that_gateways_present() {
    let read = |text: &str, evidence: &Evidence| {
        let requests = facts_then(&stack_of(text), &evidence.facts);
        requests.into_iter().map(|request| request.source).collect::<Vec<_>>()
    };
    let of = |secret: &str| {
        vec![format!(
            "Secret openshift-ingress/{secret} .data[\"tls.crt\"], names and expiry only"
        )]
    };
    let own_router = fact(key::ROUTER_CERTIFICATE, json!("wildcard"));
    assert_eq!(read(QUICKSTART, &evidence()), of("router-certs-default"));
    assert_eq!(read(QUICKSTART, &own_router), of("wildcard"));
    assert_eq!(read(&with_certificates(), &own_router), of("ingress-certs"));
    let named = edited(
        QUICKSTART,
        "issuer = \"existing\"",
        "issuer = \"existing\"\nsecret = \"mine\"",
    );
    assert_eq!(read(&named, &own_router), of("mine"));
    assert!(read(PLATFORM_ONLY, &evidence()).is_empty());
    let mut unreadable = evidence();
    unreadable.facts.insert(key::ROUTER_CERTIFICATE.to_owned(), unread());
    assert!(read(QUICKSTART, &unreadable).is_empty());
}
