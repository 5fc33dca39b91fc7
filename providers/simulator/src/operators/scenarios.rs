//! What the operators do together, on the workbench: the races and state machines of the reference, as tests.

use serde_json::json;

use super::bench::Bench;
use super::kinds::*;
use super::object::{Read, object};

const PIN: &str = "rhcl-operator.v1.3.4";

pub(super) fn link(bench: &mut Bench) {
    bench.subscribe("openshift-operators", "rhcl-operator", PIN);
    bench.settle();
    bench.approve("openshift-operators", PIN);
}

pub(super) fn class(bench: &mut Bench) {
    let spec = json!({"spec": {"controllerName": "openshift.io/gateway-controller/v1"}});
    bench.put(GATEWAY_CLASS, object(GATEWAY_CLASS, "", "openshift-default", spec));
    bench.settle();
}

pub(super) fn kuadrant(bench: &mut Bench) {
    bench.put(
        KUADRANT,
        object(
            KUADRANT,
            "kuadrant-system",
            "kuadrant",
            json!({"spec": {"observability": {"enable": true}}}),
        ),
    );
    bench.settle();
}

pub(super) fn reason(object: &serde_json::Value, kind: &str) -> String {
    let found = object
        .list("/status/conditions")
        .iter()
        .find(|entry| entry.text("/type") == kind);
    found.map_or(String::new(), |entry| entry.text("/reason").to_owned())
}

#[test]
fn a_manual_namespace_waits_for_approval_and_leaves_the_upgrade_pending() {
    let mut bench = Bench::new(&[]);
    bench.subscribe("openshift-operators", "rhcl-operator", PIN);
    bench.settle();
    let subscription = bench.get(SUBSCRIPTION, "openshift-operators", "rhcl-operator");
    let plan = bench.get(
        INSTALL_PLAN,
        "openshift-operators",
        subscription.text("/status/installPlanRef/name"),
    );
    assert_eq!(plan.text("/status/phase"), "RequiresApproval");
    assert_eq!(plan["spec"]["approved"], json!(false));
    assert!(plan.list("/spec/clusterServiceVersionNames").contains(&json!(PIN)));
    assert!(
        plan.list("/spec/clusterServiceVersionNames")
            .contains(&json!("authorino-operator.v1.3.0"))
    );
    assert!(
        !bench.world.is_established("authpolicies.kuadrant.io"),
        "CRDs come with the CSV"
    );

    bench.approve("openshift-operators", PIN);
    assert_eq!(
        bench.get(CSV, "openshift-operators", PIN).text("/status/phase"),
        "Succeeded"
    );
    assert!(bench.world.is_established("authpolicies.kuadrant.io"));
    let subscription = bench.get(SUBSCRIPTION, "openshift-operators", "rhcl-operator");
    assert_eq!(subscription.text("/status/installedCSV"), PIN);
    assert_eq!(subscription.text("/status/currentCSV"), "rhcl-operator.v1.4.0");
    assert_eq!(subscription.text("/status/state"), "UpgradePending");
    let upgrade = bench.get(
        INSTALL_PLAN,
        "openshift-operators",
        subscription.text("/status/installPlanRef/name"),
    );
    assert_eq!(
        (upgrade.text("/status/phase"), upgrade.is_true("/spec/approved")),
        ("RequiresApproval", false)
    );

    bench.approve("openshift-operators", "rhcl-operator.v1.4.0");
    assert!(
        bench.world.get(CSV, "openshift-operators", PIN).is_none(),
        "the replaced CSV goes"
    );
    let subscription = bench.get(SUBSCRIPTION, "openshift-operators", "rhcl-operator");
    assert_eq!(subscription.text("/status/state"), "AtLatestKnown");
}

#[test]
fn an_unknown_pin_fails_to_resolve() {
    let mut bench = Bench::new(&[]);
    bench.subscribe("openshift-operators", "rhcl-operator", "rhcl-operator.v9.9.9");
    bench.settle();
    let subscription = bench.get(SUBSCRIPTION, "openshift-operators", "rhcl-operator");
    assert!(subscription.is("ResolutionFailed"));
    assert_eq!(bench.world.list(INSTALL_PLAN).count(), 0);
}

#[test]
fn csvs_are_copied_deleted_and_fail_on_demand() {
    let mut bench = Bench::new(&["failing-install@nfd"]);
    bench.subscribe("openshift-nfd", "nfd", "");
    bench.subscribe("openshift-tempo-operator", "tempo-product", "");
    bench.settle();
    assert_eq!(
        bench.get(CSV, "openshift-nfd", "nfd.4.21.0").text("/status/phase"),
        "Failed"
    );
    let copy = bench.get(CSV, "openshift-nfd", "tempo-operator.v0.20.0-1");
    assert_eq!(copy.label("olm.copiedFrom"), Some("openshift-tempo-operator"));

    bench.delete(SUBSCRIPTION, "openshift-tempo-operator", "tempo-product");
    assert!(
        bench
            .world
            .has(CSV, "openshift-tempo-operator", "tempo-operator.v0.20.0-1"),
        "a Subscription leaves its CSV"
    );
    bench.delete(CSV, "openshift-tempo-operator", "tempo-operator.v0.20.0-1");
    assert_eq!(
        bench
            .world
            .list(CSV)
            .filter(|csv| csv.name().starts_with("tempo"))
            .count(),
        0
    );
    assert!(
        !bench
            .world
            .has(DEPLOYMENT, "openshift-tempo-operator", "tempo-operator-controller")
    );
    assert!(
        bench
            .world
            .list(CRD)
            .any(|crd| crd.text("/spec/group") == "tempo.grafana.com"),
        "CRDs stay"
    );
}

#[test]
fn kuadrant_misses_a_provider_that_comes_late_until_its_pod_is_deleted() {
    let mut bench = Bench::new(&[]);
    link(&mut bench);
    kuadrant(&mut bench);
    let ready = |bench: &Bench| bench.get(KUADRANT, "kuadrant-system", "kuadrant").clone();
    assert_eq!(reason(&ready(&bench), "Ready"), "MissingDependency");
    assert!(
        bench.world.is_available("kuadrant-system", "authorino"),
        "operands come all the same"
    );
    class(&mut bench);
    assert!(bench.get(GATEWAY_CLASS, "", "openshift-default").is("Accepted"));
    assert!(
        bench
            .world
            .has(SUBSCRIPTION, "openshift-operators", "servicemeshoperator3")
    );
    assert_eq!(
        reason(&ready(&bench), "Ready"),
        "MissingDependency",
        "it does not look again by itself"
    );
    let pods = bench
        .world
        .list_in(POD, "openshift-operators")
        .filter(|pod| pod.label("app.kubernetes.io/name") == Some("kuadrant-operator"));
    let pod = pods.into_iter().next().expect("the operator's pod").name().to_owned();
    bench.delete(POD, "openshift-operators", &pod);
    assert!(ready(&bench).is("Ready"));

    bench.delete(KUADRANT, "kuadrant-system", "kuadrant");
    assert!(bench.world.get(KUADRANT, "kuadrant-system", "kuadrant").is_none());
    assert_eq!(bench.world.list_in(DEPLOYMENT, "kuadrant-system").count(), 0);
}

#[test]
fn an_uninstalled_operator_clears_no_finalizer() {
    let mut bench = Bench::new(&[]);
    link(&mut bench);
    kuadrant(&mut bench);
    bench.delete(CSV, "openshift-operators", PIN);
    bench.delete(KUADRANT, "kuadrant-system", "kuadrant");
    assert!(bench.get(KUADRANT, "kuadrant-system", "kuadrant").is_deleting());
}

/// Everything up to a Managed MaaS: what the quickstart applies, in its order.
pub(super) fn platform(bench: &mut Bench) {
    bench.subscribe("cert-manager-operator", "openshift-cert-manager-operator", "");
    for (namespace, package) in [
        ("openshift-nfd", "nfd"),
        ("nvidia-gpu-operator", "gpu-operator-certified"),
        ("openshift-lws-operator", "leader-worker-set"),
        ("openshift-tempo-operator", "tempo-product"),
        ("openshift-opentelemetry-operator", "opentelemetry-product"),
    ] {
        bench.subscribe(namespace, package, "");
    }
    bench.subscribe(
        "openshift-coo",
        "cluster-observability-operator",
        "cluster-observability-operator.v1.4.0",
    );
    class(bench);
    link(bench);
    bench.approve("openshift-coo", "cluster-observability-operator.v1.4.0");
    kuadrant(bench);
    bench.put(
        CERT_MANAGER,
        object(
            CERT_MANAGER,
            "",
            "cluster",
            json!({"spec": {"managementState": "Managed"}}),
        ),
    );
    bench.put(
        LWS_OPERATOR,
        object(
            LWS_OPERATOR,
            "",
            "cluster",
            json!({"spec": {"managementState": "Managed"}}),
        ),
    );
    bench.put(
        NODE_FEATURE_DISCOVERY,
        object(
            NODE_FEATURE_DISCOVERY,
            "openshift-nfd",
            "nfd-instance",
            json!({"spec": {
                "workerConfig": {"configData": "sources:\n  pci:\n    deviceLabelFields: [vendor]\n"},
            }}),
        ),
    );
    bench.put(
        CLUSTER_POLICY,
        object(
            CLUSTER_POLICY,
            "",
            "gpu-cluster-policy",
            json!({"spec": {
                "dcgmExporter": {"enabled": true, "serviceMonitor": {"enabled": true, "interval": "15s"}},
            }}),
        ),
    );
    bench.put(MACHINE_SET, object(MACHINE_SET, "openshift-machine-api", "gpu-worker-a", json!({"spec": {
        "replicas": 1, "template": {"metadata": {"labels": {"machine.openshift.io/cluster-api-machineset": "gpu-worker-a"}}, "spec": {
            "taints": [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}],
            "providerSpec": {"value": {"instanceType": "g6e.2xlarge", "placement": {"region": "eu-west-1", "availabilityZone": "eu-west-1a"}}},
        }},
    }})));
    bench.put(
        CONFIG_MAP,
        object(
            CONFIG_MAP,
            "openshift-monitoring",
            "cluster-monitoring-config",
            json!({"data": {"config.yaml": "enableUserWorkload: true\n"}}),
        ),
    );
    bench.settle();
    bench.subscribe("redhat-ods-operator", "rhods-operator", "");
    bench.settle();
    bench.set(
        DSCI,
        "",
        "default-dsci",
        json!({"spec": {"monitoring": {"metrics": {"replicas": 1}, "traces": {"sampleRatio": "0.1"}}}}),
    );
    let managed = || json!({"managementState": "Managed"});
    bench.put(DSC, object(DSC, "", "default-dsc", json!({"spec": {"components": {
        "dashboard": managed(), "workbenches": managed(), "modelregistry": managed(), "mlflowoperator": managed(),
        "kserve": {"managementState": "Managed", "modelsAsService": {"managementState": "Removed"}},
    }}})));
    bench.settle();
}

pub(super) fn gateway(bench: &mut Bench) {
    let secret = json!({"data": {"tls.crt": "eA==", "tls.key": "eA=="}});
    bench.put(
        SECRET,
        object(SECRET, "openshift-ingress", "router-certs-default", secret),
    );
    bench.put(GATEWAY, object(GATEWAY, "openshift-ingress", "maas-default-gateway", json!({
        "metadata": {"annotations": {"opendatahub.io/managed": "false", "networking.istio.io/service-type": "ClusterIP"}},
        "spec": {"gatewayClassName": "openshift-default", "listeners": [{
            "name": "https", "hostname": "maas.apps.example.com", "port": 443, "protocol": "HTTPS",
            "tls": {"certificateRefs": [{"kind": "Secret", "name": "router-certs-default"}]},
            "allowedRoutes": {"namespaces": {"from": "Selector", "selector": {"matchExpressions": [{
                "key": "kubernetes.io/metadata.name", "operator": "In",
                "values": ["openshift-ingress", "redhat-ods-applications", "models-as-a-service", "llm-d-demo"],
            }]}}},
        }]},
    })));
    bench.settle();
}

pub(super) fn maas(bench: &mut Bench) {
    let flip = json!({"spec": {"components": {"kserve": {"modelsAsService": {"managementState": "Managed"}}}}});
    bench.put(
        SECRET,
        object(
            SECRET,
            "redhat-ods-applications",
            "maas-db-config",
            json!({"data": {"DB_CONNECTION_URL": "eA=="}}),
        ),
    );
    bench.set(DSC, "", "default-dsc", flip);
    bench.settle();
}

#[test]
fn the_platform_comes_up() {
    let mut bench = Bench::new(&[]);
    platform(&mut bench);
    assert!(bench.world.is_established("leaderworkersets.leaderworkerset.x-k8s.io"));
    assert!(
        bench
            .world
            .list_in(POD, "openshift-user-workload-monitoring")
            .any(|pod| pod.name() == "prometheus-user-workload-1" && pod.is("Ready"))
    );
    assert_eq!(
        bench
            .world
            .list_in(POD, "cert-manager")
            .filter(|pod| pod.is("Ready") && pod.label("app.kubernetes.io/instance") == Some("cert-manager"))
            .count(),
        3
    );
    let node = bench
        .world
        .list(NODE)
        .find(|node| node.name() != "worker-0")
        .expect("a GPU node");
    assert_eq!(node.pointer("/status/capacity/nvidia.com~1gpu"), Some(&json!("1")));
    assert_eq!(node.label("nvidia.com/gpu.product"), Some("NVIDIA-L40S"));
    let policy = bench.get(CLUSTER_POLICY, "", "gpu-cluster-policy");
    assert_eq!(
        (policy.text("/status/state"), reason(policy, "Ready").as_str()),
        ("ready", "Reconciled")
    );
    assert_eq!(bench.get(DSCI, "", "default-dsci").text("/status/phase"), "Ready");
    let dsc = bench.get(DSC, "", "default-dsc");
    assert!(dsc.is("Ready"), "{}", dsc["status"]);
    assert!(
        bench
            .world
            .has(ODH_DASHBOARD_CONFIG, "redhat-ods-applications", "odh-dashboard-config")
    );
    assert!(
        bench
            .world
            .has(HARDWARE_PROFILE, "redhat-ods-applications", "default-profile")
    );
    assert!(bench.world.is_established("llminferenceservices.serving.kserve.io"));
}

#[test]
fn monitoring_needs_its_operators_first() {
    let mut bench = Bench::new(&[]);
    class(&mut bench);
    link(&mut bench);
    bench.subscribe("redhat-ods-operator", "rhods-operator", "");
    bench.settle();
    assert_eq!(
        bench.get(DSCI, "", "default-dsci").text("/status/phase"),
        "Ready",
        "its own asks for nothing"
    );
    bench.set(
        DSCI,
        "",
        "default-dsci",
        json!({"spec": {"monitoring": {"metrics": {"replicas": 1}}}}),
    );
    bench.settle();
    assert_eq!(bench.get(DSCI, "", "default-dsci").text("/status/phase"), "Error");
}

#[test]
fn the_filter_race_is_lost_once_and_mended_by_a_changed_write_or_a_restart() {
    let mut bench = Bench::new(&[]);
    platform(&mut bench);
    gateway(&mut bench);
    let annotation =
        |value: &str| json!({"metadata": {"annotations": {"security.opendatahub.io/authorino-tls-bootstrap": value}}});
    let filter = |bench: &Bench| {
        bench
            .world
            .has(ENVOY_FILTER, "openshift-ingress", "maas-default-gateway-authn-ssl")
    };
    bench.set(GATEWAY, "openshift-ingress", "maas-default-gateway", annotation("true"));
    bench.settle();
    assert!(!filter(&bench), "TLS is off");
    bench.set(
        SERVICE,
        "kuadrant-system",
        "authorino-authorino-authorization",
        json!({"metadata": {"annotations": {
            "service.beta.openshift.io/serving-cert-secret-name": "authorino-server-cert",
        }}}),
    );
    bench.settle();
    assert_eq!(
        bench
            .get(SECRET, "kuadrant-system", "authorino-server-cert")
            .text("/type"),
        "kubernetes.io/tls"
    );
    let tls =
        json!({"spec": {"listener": {"tls": {"enabled": true, "certSecretRef": {"name": "authorino-server-cert"}}}}});
    bench.set(AUTHORINO, "kuadrant-system", "authorino", tls);
    bench.settle();
    assert!(bench.world.is_available("kuadrant-system", "authorino"));
    assert!(!filter(&bench), "Authorino is not watched");
    bench.set(GATEWAY, "openshift-ingress", "maas-default-gateway", annotation("true"));
    bench.settle();
    assert!(!filter(&bench), "the same value again is no change");

    let restart =
        json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}});
    bench.set(DEPLOYMENT, "redhat-ods-applications", "odh-model-controller", restart);
    bench.settle();
    assert!(filter(&bench), "a new pod looks at every gateway");
    bench.delete(ENVOY_FILTER, "openshift-ingress", "maas-default-gateway-authn-ssl");
    assert!(!filter(&bench));
    bench.set(
        GATEWAY,
        "openshift-ingress",
        "maas-default-gateway",
        json!({"metadata": {"annotations": {"touched": "1"}}}),
    );
    bench.settle();
    assert!(filter(&bench), "any changed write is looked at");
}

#[test]
fn the_tenant_waits_for_gateway_and_database_in_that_order() {
    let mut bench = Bench::new(&[]);
    platform(&mut bench);
    let flip = json!({"spec": {"components": {"kserve": {"modelsAsService": {"managementState": "Managed"}}}}});
    bench.set(DSC, "", "default-dsc", flip);
    bench.settle();
    let tenant = |bench: &Bench| reason(bench.get(TENANT, "models-as-a-service", "default-tenant"), "Ready");
    assert_eq!(tenant(&bench), "GatewayNotReady");
    assert!(!bench.get(DSC, "", "default-dsc").is("Ready"));
    gateway(&mut bench);
    assert_eq!(tenant(&bench), "PrerequisitesNotMet");
    maas(&mut bench);
    assert_eq!(tenant(&bench), "Reconciled");
    assert_eq!(
        bench
            .get(TENANT, "models-as-a-service", "default-tenant")
            .text("/status/phase"),
        "Degraded",
        "no TLS yet"
    );
    assert!(bench.get(DSC, "", "default-dsc").is("Ready"));

    bench.delete(TENANT, "models-as-a-service", "default-tenant");
    assert_eq!(tenant(&bench), "Reconciled", "it comes back");
    let removed = json!({"spec": {"components": {"kserve": {"modelsAsService": {"managementState": "Removed"}}}}});
    bench.set(DSC, "", "default-dsc", removed);
    bench.settle();
    assert_eq!(bench.world.list(TENANT).count(), 0);
    assert!(!bench.world.has(DEPLOYMENT, "redhat-ods-applications", "maas-api"));
    assert!(
        !bench
            .world
            .has(DEPLOYMENT, "redhat-ods-applications", "maas-controller")
    );
}

pub(super) fn tier(bench: &mut Bench, name: &str, priority: i64, limit: i64) {
    let reference = json!({"name": "qwen3-8b", "namespace": "llm-d-demo"});
    bench.put(MAAS_SUBSCRIPTION, object(MAAS_SUBSCRIPTION, "models-as-a-service", &format!("{name}-subscription"), json!({"spec": {
        "priority": priority, "owner": {"groups": [{"name": format!("{name}-users")}]},
        "modelRefs": [{"name": "qwen3-8b", "namespace": "llm-d-demo", "tokenRateLimits": [{"limit": limit, "window": "5m"}]}],
    }})));
    bench.put(
        MAAS_AUTH_POLICY,
        object(
            MAAS_AUTH_POLICY,
            "models-as-a-service",
            &format!("{name}-auth-policy"),
            json!({"spec": {
                "subjects": {"groups": [{"name": format!("{name}-users")}]}, "modelRefs": [reference],
            }}),
        ),
    );
    bench.settle();
}

pub(super) fn model(bench: &mut Bench) {
    bench.put(NAMESPACE, object(NAMESPACE, "", "llm-d-demo", json!({})));
    bench.put(LLM_INFERENCE_SERVICE, object(LLM_INFERENCE_SERVICE, "llm-d-demo", "qwen3-8b", json!({
        "metadata": {"annotations": {"security.opendatahub.io/enable-auth": "true"}},
        "spec": {
            "replicas": 1, "model": {"uri": "oci://registry/qwen", "name": "alibaba/qwen3-8b"},
            "router": {"gateway": {"refs": [{"name": "maas-default-gateway", "namespace": "openshift-ingress"}]}, "route": {}, "scheduler": {}},
            "template": {
                "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
                "containers": [{"name": "main", "resources": {"limits": {"nvidia.com/gpu": "1"}}}],
            },
        },
    })));
    bench.put(
        MAAS_MODEL_REF,
        object(
            MAAS_MODEL_REF,
            "llm-d-demo",
            "qwen3-8b",
            json!({"spec": {"modelRef": {"kind": "LLMInferenceService", "name": "qwen3-8b"}}}),
        ),
    );
    bench.settle();
}

#[test]
fn a_model_is_served_and_its_policies_are_merged() {
    let mut bench = Bench::new(&[]);
    platform(&mut bench);
    gateway(&mut bench);
    maas(&mut bench);
    model(&mut bench);
    let service = bench.get(LLM_INFERENCE_SERVICE, "llm-d-demo", "qwen3-8b");
    assert!(service.is("Ready"), "{}", service["status"]);
    assert_eq!(
        service.text("/status/url"),
        "https://maas.apps.example.com/llm-d-demo/qwen3-8b"
    );
    assert_eq!(
        bench
            .get(MAAS_MODEL_REF, "llm-d-demo", "qwen3-8b")
            .text("/status/phase"),
        "Ready"
    );
    tier(&mut bench, "pro", 2, 3000);
    tier(&mut bench, "premium", 3, 30_000);
    let policy = bench.get(TOKEN_RATE_LIMIT_POLICY, "llm-d-demo", "maas-trlp-qwen3-8b");
    let limit = &policy["spec"]["limits"]["models-as-a-service-pro-subscription-qwen3-8b-tokens"];
    assert_eq!(limit["rates"], json!([{"limit": 3000, "window": "5m"}]));
    assert_eq!(policy["spec"]["limits"].as_object().map(serde_json::Map::len), Some(2));
    for (kind, name) in [
        (TOKEN_RATE_LIMIT_POLICY, "maas-trlp-qwen3-8b"),
        (AUTH_POLICY, "maas-auth-qwen3-8b"),
    ] {
        let policy = bench.get(kind, "llm-d-demo", name);
        assert!(policy.is("Accepted") && policy.is("Enforced"), "{}", policy["status"]);
    }
    assert_eq!(
        bench
            .get(MAAS_SUBSCRIPTION, "models-as-a-service", "pro-subscription")
            .text("/status/phase"),
        "Active"
    );
    assert_eq!(
        bench
            .get(MAAS_AUTH_POLICY, "models-as-a-service", "pro-auth-policy")
            .text("/status/phase"),
        "Active"
    );

    let before = bench
        .get(TOKEN_RATE_LIMIT_POLICY, "llm-d-demo", "maas-trlp-qwen3-8b")
        .uid()
        .to_owned();
    bench.delete(MAAS_SUBSCRIPTION, "models-as-a-service", "premium-subscription");
    let rebuilt = bench.get(TOKEN_RATE_LIMIT_POLICY, "llm-d-demo", "maas-trlp-qwen3-8b");
    assert_ne!(rebuilt.uid(), before, "deleted and built anew");
    assert_eq!(rebuilt["spec"]["limits"].as_object().map(serde_json::Map::len), Some(1));
    bench.delete(MAAS_SUBSCRIPTION, "models-as-a-service", "pro-subscription");
    assert!(
        !bench
            .world
            .has(TOKEN_RATE_LIMIT_POLICY, "llm-d-demo", "maas-trlp-qwen3-8b")
    );
    bench.delete(MAAS_MODEL_REF, "llm-d-demo", "qwen3-8b");
    assert!(!bench.world.has(AUTH_POLICY, "llm-d-demo", "maas-auth-qwen3-8b"));
    bench.delete(LLM_INFERENCE_SERVICE, "llm-d-demo", "qwen3-8b");
    for kind in [DEPLOYMENT, POD, HTTP_ROUTE, INFERENCE_POOL, SERVICE] {
        assert_eq!(bench.world.list_in(kind, "llm-d-demo").count(), 0, "{}", kind.kind);
    }
}

#[test]
fn a_restart_of_a_cluster_at_rest_writes_nothing() {
    let mut bench = Bench::new(&[]);
    platform(&mut bench);
    gateway(&mut bench);
    maas(&mut bench);
    model(&mut bench);
    tier(&mut bench, "pro", 2, 3000);
    assert_eq!(bench.wanted_after_restart(), Vec::<String>::new());
}

#[test]
fn a_second_model_waits_for_a_gpu() {
    let mut bench = Bench::new(&[]);
    platform(&mut bench);
    gateway(&mut bench);
    model(&mut bench);
    bench.set(
        LLM_INFERENCE_SERVICE,
        "llm-d-demo",
        "qwen3-8b",
        json!({"spec": {"replicas": 2}}),
    );
    bench.settle();
    assert!(!bench.get(LLM_INFERENCE_SERVICE, "llm-d-demo", "qwen3-8b").is("Ready"));
    let pending = bench
        .world
        .list_in(POD, "llm-d-demo")
        .filter(|pod| reason(pod, "PodScheduled") == "Unschedulable")
        .count();
    assert_eq!(pending, 1);
    bench.set(
        MACHINE_SET,
        "openshift-machine-api",
        "gpu-worker-a",
        json!({"spec": {"replicas": 2}}),
    );
    bench.settle();
    assert!(bench.get(LLM_INFERENCE_SERVICE, "llm-d-demo", "qwen3-8b").is("Ready"));
    bench.delete(MACHINE_SET, "openshift-machine-api", "gpu-worker-a");
    assert_eq!(bench.world.list(NODE).count(), 1, "machines take their nodes along");
}

#[test]
fn the_dsc_takes_its_components_along() {
    let mut bench = Bench::new(&[]);
    platform(&mut bench);
    gateway(&mut bench);
    maas(&mut bench);
    bench.delete(DSC, "", "default-dsc");
    assert!(bench.world.get(DSC, "", "default-dsc").is_none());
    assert_eq!(bench.world.list(TENANT).count(), 0);
    bench.delete(DSCI, "", "default-dsci");
    assert_eq!(bench.world.list_in(DEPLOYMENT, "redhat-ods-applications").count(), 0);
    assert!(
        bench.world.has(NAMESPACE, "", "rhods-notebooks"),
        "namespaces of operators stay"
    );
}

#[test]
fn a_stopped_operator_writes_nothing() {
    for operator in super::names() {
        let mut bench = Bench::new(&[&format!("stopped@{operator}")]);
        bench.subscribe("openshift-nfd", "nfd", "");
        class(&mut bench);
        assert!(bench.audit.iter().all(|(_, by, _, _)| *by != operator));
    }
}
