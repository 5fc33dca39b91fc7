//! What the network of a cluster does, on the workbench: routes, listeners, policies of two generations, load balancers and
//! endpoints.

use serde_json::{Value, json};

use super::bench::Bench;
use super::kinds::*;
use super::object::{Read, object};
use super::scenarios::{class, kuadrant, link, reason};
use crate::schemas;

const INGRESS: &str = "openshift-ingress";
const HOST: &str = "inference.apps.example.com";

/// A Gateway with one listener without TLS; an empty host is every host.
fn http_gateway(bench: &mut Bench, name: &str, host: &str) {
    let mut listener =
        json!({"name": "http", "port": 80, "protocol": "HTTP", "allowedRoutes": {"namespaces": {"from": "All"}}});
    if !host.is_empty() {
        listener["hostname"] = json!(host);
    }
    let spec = json!({"spec": {"gatewayClassName": "openshift-default", "listeners": [listener]}});
    bench.put(GATEWAY, object(GATEWAY, INGRESS, name, spec));
    bench.settle();
}

/// A route to these backends (kind, name) by the Gateway of this name.
fn route(bench: &mut Bench, name: &str, gateway: &str, hosts: &[&str], backends: &[(Kind, &str)]) {
    let backends: Vec<Value> = backends
        .iter()
        .map(|(kind, name)| json!({"group": kind.group, "kind": kind.kind, "name": name, "port": 8000}))
        .collect();
    let mut spec = json!({
        "parentRefs": [{"group": GATEWAY.group, "kind": GATEWAY.kind, "name": gateway, "namespace": INGRESS}],
        "rules": [{"backendRefs": backends}],
    });
    if !hosts.is_empty() {
        spec["hostnames"] = json!(hosts);
    }
    bench.put(
        HTTP_ROUTE,
        object(HTTP_ROUTE, "llm-d-demo", name, json!({"spec": spec})),
    );
    bench.settle();
}

/// Status and reason of a condition that a route's first parent says.
fn told(bench: &Bench, route: &str, kind: &str) -> [String; 2] {
    let route = bench.get(HTTP_ROUTE, "llm-d-demo", route);
    let mut conditions = route.list("/status/parents/0/conditions").iter();
    let found = conditions
        .find(|entry| entry.text("/type") == kind)
        .expect("a condition");
    ["/status", "/reason"].map(|field| found.text(field).to_owned())
}

fn words(status: &str, reason: &str) -> [String; 2] {
    [status.to_owned(), reason.to_owned()]
}

#[test]
fn a_canary_route_resolves_while_both_pools_are_there() {
    let mut bench = Bench::new(&[]);
    class(&mut bench);
    for crd in schemas::crds_of_component("kserve") {
        bench.put(CRD, crd);
    }
    http_gateway(&mut bench, "openshift-ai-inference", HOST);
    for name in ["stable-inference-pool", "canary-inference-pool"] {
        bench.put(
            INFERENCE_POOL,
            object(INFERENCE_POOL, "llm-d-demo", name, json!({"spec": {}})),
        );
    }
    let pools = [
        (INFERENCE_POOL, "stable-inference-pool"),
        (INFERENCE_POOL, "canary-inference-pool"),
    ];
    route(
        &mut bench,
        "stable-canary-rollout",
        "openshift-ai-inference",
        &[HOST],
        &pools,
    );
    assert_eq!(
        told(&bench, "stable-canary-rollout", "Accepted"),
        words("True", "Accepted")
    );
    assert_eq!(
        told(&bench, "stable-canary-rollout", "ResolvedRefs"),
        words("True", "ResolvedRefs")
    );
    let pool = bench.get(INFERENCE_POOL, "llm-d-demo", "canary-inference-pool");
    assert_eq!(pool.text("/status/parents/0/parentRef/name"), "openshift-ai-inference");
    let gateway = bench.get(GATEWAY, INGRESS, "openshift-ai-inference");
    assert_eq!(gateway.number("/status/listeners/0/attachedRoutes"), Some(1));

    bench.delete(INFERENCE_POOL, "llm-d-demo", "stable-inference-pool");
    assert_eq!(
        told(&bench, "stable-canary-rollout", "Accepted"),
        words("True", "Accepted")
    );
    assert_eq!(
        told(&bench, "stable-canary-rollout", "ResolvedRefs"),
        words("False", "BackendNotFound")
    );
    assert_eq!(bench.wanted_after_restart(), Vec::<String>::new());
}

#[test]
fn a_route_is_taken_by_a_listener_that_has_one_of_its_hosts() {
    let mut bench = Bench::new(&[]);
    class(&mut bench);
    http_gateway(&mut bench, "one", HOST);
    http_gateway(&mut bench, "wild", "*.apps.example.com");
    http_gateway(&mut bench, "any", "");
    bench.put(
        SERVICE,
        object(SERVICE, "llm-d-demo", "model", json!({"spec": {"ports": []}})),
    );
    let backend = [(SERVICE, "model")];
    let refused = words("False", "NoMatchingListenerHostname");
    for (gateway, hosts, wanted) in [
        ("one", &[][..], words("True", "Accepted")),
        ("one", &[HOST], words("True", "Accepted")),
        ("one", &["maas.apps.example.com", HOST], words("True", "Accepted")),
        ("one", &["*.apps.example.com"], words("True", "Accepted")),
        ("one", &["maas.apps.example.com"], refused.clone()),
        ("wild", &[HOST], words("True", "Accepted")),
        ("wild", &["apps.example.com"], refused),
        ("any", &["anything.example.org"], words("True", "Accepted")),
    ] {
        route(&mut bench, "probe", gateway, hosts, &backend);
        assert_eq!(told(&bench, "probe", "Accepted"), wanted, "{gateway} {hosts:?}");
        bench.delete(HTTP_ROUTE, "llm-d-demo", "probe");
    }
    route(&mut bench, "probe", "one", &[], &backend);
    let named = json!({"spec": {"parentRefs": [{"name": "one", "namespace": INGRESS, "sectionName": "https"}]}});
    bench.set(HTTP_ROUTE, "llm-d-demo", "probe", named);
    bench.settle();
    assert_eq!(told(&bench, "probe", "Accepted"), words("False", "NoMatchingParent"));
}

/// A policy of MaaS on the Gateway itself.
fn policy(bench: &mut Bench, kind: Kind, name: &str, rest: Value) {
    let mut spec = rest;
    spec["targetRef"] = json!({"group": GATEWAY.group, "kind": GATEWAY.kind, "name": "maas-default-gateway"});
    bench.put(kind, object(kind, INGRESS, name, json!({"spec": spec})));
    bench.settle();
}

#[test]
fn policies_on_a_gateway_are_enforced_on_its_routes_and_the_older_generation_wins() {
    let mut bench = Bench::new(&[]);
    class(&mut bench);
    link(&mut bench);
    kuadrant(&mut bench);
    http_gateway(&mut bench, "maas-default-gateway", "");
    let limits = json!({"limits": {"free": {
        "rates": [{"limit": 5, "window": "2m"}], "counters": [{"expression": "auth.identity.userid"}],
        "when": [{"predicate": "auth.identity.tier == \"free\""}],
    }}});
    let tiers = [
        (
            AUTH_POLICY,
            "gateway-auth-policy",
            json!({"rules": {"authentication": {}}}),
        ),
        (RATE_LIMIT_POLICY, "gateway-rate-limits", limits.clone()),
        (TOKEN_RATE_LIMIT_POLICY, "gateway-token-rate-limits", limits.clone()),
    ];
    for (kind, name, rest) in &tiers {
        policy(&mut bench, *kind, name, rest.clone());
        let live = bench.get(*kind, INGRESS, name);
        assert!(
            live.is("Accepted") && !live.is("Enforced"),
            "{name}: no route is there to be protected"
        );
    }

    // The service that tells tiers is anybody's manifest.
    let labels = json!({"app": "maas-api"});
    bench.put(
        DEPLOYMENT,
        super::operands::deployment("llm-d-demo", "maas-api", &labels, &["api"]),
    );
    let ports = json!([{"name": "http", "port": 8080, "targetPort": 8080}]);
    let service = json!({"spec": {"selector": labels, "ports": ports}});
    bench.put(SERVICE, object(SERVICE, "llm-d-demo", "maas-api", service));
    route(
        &mut bench,
        "maas-api",
        "maas-default-gateway",
        &[],
        &[(SERVICE, "maas-api")],
    );
    let slices: Vec<&Value> = bench
        .world
        .list_in(ENDPOINT_SLICE, "llm-d-demo")
        .map(AsRef::as_ref)
        .collect();
    assert_eq!(slices.len(), 1);
    assert_eq!(slices[0].label("kubernetes.io/service-name"), Some("maas-api"));
    assert!(slices[0].is_true("/endpoints/0/conditions/ready"));
    assert_eq!(slices[0].number("/ports/0/port"), Some(8080));
    for (kind, name, _) in &tiers {
        assert!(bench.get(*kind, INGRESS, name).is("Enforced"), "{name}");
    }
    let counted = bench
        .get(LIMITADOR, "kuadrant-system", "limitador")
        .list("/spec/limits");
    assert!(counted.iter().any(|limit| limit.number("/seconds") == Some(120)));
    assert_eq!(bench.wanted_after_restart(), Vec::<String>::new());

    // What the next generation brings comes second: reference/serving.md P21.
    policy(
        &mut bench,
        AUTH_POLICY,
        "gateway-default-auth",
        json!({"defaults": {"rules": {}}}),
    );
    policy(
        &mut bench,
        TOKEN_RATE_LIMIT_POLICY,
        "gateway-default-deny",
        json!({"defaults": limits}),
    );
    for (kind, older, younger) in [
        (AUTH_POLICY, "gateway-auth-policy", "gateway-default-auth"),
        (
            TOKEN_RATE_LIMIT_POLICY,
            "gateway-token-rate-limits",
            "gateway-default-deny",
        ),
    ] {
        assert!(bench.get(kind, INGRESS, older).is("Enforced"));
        assert_eq!(reason(bench.get(kind, INGRESS, younger), "Enforced"), "Overridden");
        bench.delete(kind, INGRESS, older);
        assert!(bench.get(kind, INGRESS, younger).is("Enforced"), "{younger}");
    }
}

#[test]
fn limitador_counts_in_redis_only_with_the_secret_of_its_url() {
    let mut bench = Bench::new(&[]);
    class(&mut bench);
    link(&mut bench);
    kuadrant(&mut bench);
    let limitador = |bench: &Bench| bench.get(LIMITADOR, "kuadrant-system", "limitador").clone();
    assert!(limitador(&bench).is("Ready"));
    let storage = json!({"spec": {"storage": {"redis": {"configSecretRef": {"name": "redis"}}}}});
    bench.set(LIMITADOR, "kuadrant-system", "limitador", storage);
    bench.settle();
    assert!(!limitador(&bench).is("Ready"));
    assert_eq!(reason(&limitador(&bench), "Ready"), "ReconcilliationError");
    assert!(!bench.get(KUADRANT, "kuadrant-system", "kuadrant").is("Ready"));
    bench.put(
        SECRET,
        object(SECRET, "kuadrant-system", "redis", json!({"data": {"url": "eA=="}})),
    );
    bench.settle();
    assert!(!limitador(&bench).is("Ready"), "its key is `URL`");
    bench.set(SECRET, "kuadrant-system", "redis", json!({"data": {"URL": "eA=="}}));
    bench.settle();
    assert!(limitador(&bench).is("Ready"));
    let deployment = bench.get(DEPLOYMENT, "kuadrant-system", "limitador-limitador");
    assert_eq!(deployment.text("/spec/template/spec/containers/0/args/0"), "redis");
}

#[test]
fn a_gateway_has_the_address_of_its_load_balancer() {
    let mut bench = Bench::new(&[]);
    class(&mut bench);
    http_gateway(&mut bench, "public", "");
    let gateway = bench.get(GATEWAY, INGRESS, "public");
    assert!(gateway.is("Programmed"));
    assert_eq!(gateway.text("/status/addresses/0/type"), "Hostname");
    assert!(
        gateway
            .text("/status/addresses/0/value")
            .ends_with(".elb.amazonaws.com")
    );
}

#[test]
fn without_a_cloud_only_metallb_gives_a_gateway_its_address() {
    let mut bench = Bench::new(&[]);
    let status = json!({"status": {"platform": "None"}});
    bench.put(INFRASTRUCTURE, object(INFRASTRUCTURE, "", "cluster", status));
    class(&mut bench);
    http_gateway(&mut bench, "public", "");
    assert!(
        !bench.get(GATEWAY, INGRESS, "public").is("Programmed"),
        "nobody gives it one"
    );

    bench.subscribe("metallb-system", "metallb-operator", "");
    bench.settle();
    bench.put(
        METAL_LB,
        object(METAL_LB, "metallb-system", "metallb", json!({"spec": {}})),
    );
    let addresses = json!({"spec": {"addresses": ["192.0.2.200-192.0.2.201"]}});
    bench.put(
        IP_ADDRESS_POOL,
        object(IP_ADDRESS_POOL, "metallb-system", "pool", addresses),
    );
    bench.settle();
    let gateway = bench.get(GATEWAY, INGRESS, "public");
    assert!(gateway.is("Programmed"));
    assert_eq!(
        gateway["status"]["addresses"],
        json!([{"type": "IPAddress", "value": "192.0.2.200"}])
    );
    let pool = |bench: &Bench| bench.get(IP_ADDRESS_POOL, "metallb-system", "pool").clone();
    assert_eq!(pool(&bench).number("/status/availableIPv4"), Some(1));
    for name in ["second", "third"] {
        http_gateway(&mut bench, name, "");
    }
    assert_eq!(
        bench.get(GATEWAY, INGRESS, "second").text("/status/addresses/0/value"),
        "192.0.2.201"
    );
    assert!(
        !bench.get(GATEWAY, INGRESS, "third").is("Programmed"),
        "the pool is empty"
    );
    assert_eq!(bench.wanted_after_restart(), Vec::<String>::new());
}
