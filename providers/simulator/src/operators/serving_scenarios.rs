//! What becomes of models, on the workbench: disaggregated ones, ones elsewhere, ones whose parts are missing, and a look
//! at a Gateway that is missed.

use serde_json::{Value, json};

use super::bench::Bench;
use super::kinds::*;
use super::object::{Read, object};
use super::scenarios::{gateway, maas, platform, reason};

const MODELS: &str = "llm-d-demo";
const TENANT_NAMESPACE: &str = "models-as-a-service";

fn namespace(bench: &mut Bench, name: &str) {
    bench.put(NAMESPACE, object(NAMESPACE, "", name, json!({})));
}

/// An external model, with the Secret of its provider and the reference that publishes it.
fn external(bench: &mut Bench, namespace: &str, name: &str) {
    let labels = json!({"metadata": {"labels": {"inference.networking.k8s.io/bbr-managed": "true"}}, "data": {"api-key": "eA=="}});
    bench.put(SECRET, object(SECRET, namespace, "litellm-credentials", labels));
    let spec = json!({"spec": {
        "provider": "openai", "endpoint": "litellm.example.com", "targetModel": "qwen3-14b",
        "credentialRef": {"name": "litellm-credentials"},
    }});
    bench.put(EXTERNAL_MODEL, object(EXTERNAL_MODEL, namespace, name, spec));
    let spec = json!({"spec": {"modelRef": {"kind": "ExternalModel", "name": name}}});
    bench.put(MAAS_MODEL_REF, object(MAAS_MODEL_REF, namespace, name, spec));
    bench.settle();
}

fn publish(bench: &mut Bench, model: &str) {
    let reference = || json!({"name": model, "namespace": MODELS});
    let mut limited = reference();
    limited["tokenRateLimits"] = json!([{"limit": 1000, "window": "1h"}]);
    let groups = json!({"groups": [{"name": "premium-users"}]});
    let spec = json!({"spec": {"priority": 1, "owner": groups, "modelRefs": [limited]}});
    bench.put(
        MAAS_SUBSCRIPTION,
        object(
            MAAS_SUBSCRIPTION,
            TENANT_NAMESPACE,
            "external-premium-subscription",
            spec,
        ),
    );
    let spec = json!({"spec": {"subjects": groups, "modelRefs": [reference()]}});
    bench.put(
        MAAS_AUTH_POLICY,
        object(MAAS_AUTH_POLICY, TENANT_NAMESPACE, "external-premium-auth-policy", spec),
    );
    bench.settle();
}

#[test]
fn an_external_model_is_ready_by_its_route_and_takes_along_what_was_made_for_it() {
    let mut bench = Bench::new(&[]);
    platform(&mut bench);
    gateway(&mut bench);
    maas(&mut bench);
    namespace(&mut bench, MODELS);
    external(&mut bench, MODELS, "qwen3-14b");
    let model = bench.get(EXTERNAL_MODEL, MODELS, "qwen3-14b").clone();
    assert!(model.list("/metadata/finalizers").is_empty());
    assert!(model.pointer("/status/phase").is_none(), "nobody keeps it");
    let parts = [SERVICE, SERVICE_ENTRY, DESTINATION_RULE, HTTP_ROUTE];
    for kind in parts {
        assert!(
            bench.get(kind, MODELS, "qwen3-14b").is_owned_by(model.uid()),
            "{}",
            kind.kind
        );
    }
    let service = bench.get(SERVICE, MODELS, "qwen3-14b");
    assert_eq!(service.text("/spec/type"), "ExternalName");
    assert_eq!(service.text("/spec/externalName"), "litellm.example.com");
    let route = bench.get(HTTP_ROUTE, MODELS, "qwen3-14b");
    assert_eq!(
        route.text("/spec/rules/0/matches/0/path/value"),
        "/llm-d-demo/qwen3-14b"
    );
    assert_eq!(route.text("/spec/rules/1/matches/0/headers/0/value"), "qwen3-14b");
    assert_eq!(route.text("/status/parents/0/conditions/0/reason"), "Accepted");
    let reference = bench.get(MAAS_MODEL_REF, MODELS, "qwen3-14b");
    assert_eq!(reference.text("/status/phase"), "Ready");
    assert_eq!(
        reference.text("/status/endpoint"),
        "https://maas.apps.example.com/llm-d-demo/qwen3-14b"
    );

    publish(&mut bench, "qwen3-14b");
    for (kind, name) in [
        (AUTH_POLICY, "maas-auth-qwen3-14b"),
        (TOKEN_RATE_LIMIT_POLICY, "maas-trlp-qwen3-14b"),
    ] {
        assert!(bench.get(kind, MODELS, name).is("Enforced"), "{name}");
    }
    let limits = bench
        .get(LIMITADOR, "kuadrant-system", "limitador")
        .list("/spec/limits");
    assert!(
        limits
            .iter()
            .any(|limit| limit.text("/namespace") == "llm-d-demo/qwen3-14b")
    );
    assert_eq!(bench.wanted_after_restart(), Vec::<String>::new());

    let plain = json!({"maas.opendatahub.io/tls": "false", "maas.opendatahub.io/port": "8080"});
    bench.set(
        EXTERNAL_MODEL,
        MODELS,
        "qwen3-14b",
        json!({"metadata": {"annotations": plain}}),
    );
    bench.settle();
    assert!(
        !bench.world.has(DESTINATION_RULE, MODELS, "qwen3-14b"),
        "nothing to encrypt"
    );
    let entry = bench.get(SERVICE_ENTRY, MODELS, "qwen3-14b");
    assert_eq!(
        entry["spec"]["ports"],
        json!([{"number": 8080, "name": "http", "protocol": "HTTP"}])
    );

    // Dependents before what they depend on: reference/serving.md §2.4.
    bench.delete(MAAS_AUTH_POLICY, TENANT_NAMESPACE, "external-premium-auth-policy");
    assert!(!bench.world.has(AUTH_POLICY, MODELS, "maas-auth-qwen3-14b"));
    bench.delete(MAAS_SUBSCRIPTION, TENANT_NAMESPACE, "external-premium-subscription");
    assert!(!bench.world.has(TOKEN_RATE_LIMIT_POLICY, MODELS, "maas-trlp-qwen3-14b"));
    bench.delete(MAAS_MODEL_REF, MODELS, "qwen3-14b");
    bench.delete(EXTERNAL_MODEL, MODELS, "qwen3-14b");
    for kind in [parts.as_slice(), &[EXTERNAL_MODEL, MAAS_MODEL_REF]].concat() {
        assert!(bench.world.get(kind, MODELS, "qwen3-14b").is_none(), "{}", kind.kind);
    }
    bench.get(SECRET, MODELS, "litellm-credentials");
}

#[test]
fn an_external_model_in_a_namespace_that_is_not_admitted_stays_pending() {
    let mut bench = Bench::new(&[]);
    platform(&mut bench);
    gateway(&mut bench);
    maas(&mut bench);
    namespace(&mut bench, "elsewhere");
    external(&mut bench, "elsewhere", "gpt");
    let route = bench.get(HTTP_ROUTE, "elsewhere", "gpt");
    assert_eq!(
        route.text("/status/parents/0/conditions/0/reason"),
        "NotAllowedByListeners"
    );
    let reference = bench.get(MAAS_MODEL_REF, "elsewhere", "gpt");
    assert_eq!(reference.text("/status/phase"), "Pending");
    assert_eq!(reason(reference, "Ready"), "BackendNotReady");

    let admits = json!({"spec": {"listeners": [{
        "name": "https", "hostname": "maas.apps.example.com", "port": 443, "protocol": "HTTPS",
        "tls": {"certificateRefs": [{"kind": "Secret", "name": "router-certs-default"}]},
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }]}});
    bench.set(GATEWAY, "openshift-ingress", "maas-default-gateway", admits);
    bench.settle();
    assert_eq!(
        bench.get(MAAS_MODEL_REF, "elsewhere", "gpt").text("/status/phase"),
        "Ready",
        "by itself"
    );
}

/// A model that runs on processors, in two pools, and asks for a claim, a token and a certificate.
fn disaggregated(bench: &mut Bench) {
    let token = json!([{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hf-token", "key": "token"}}}]);
    let spec = json!({"spec": {
        "replicas": 1, "model": {"uri": "hf://org/model", "name": "org/model"},
        "router": {
            "gateway": {"refs": [{"name": "maas-default-gateway", "namespace": "openshift-ingress"}]}, "route": {},
            "scheduler": {"template": {
                "containers": [{"name": "main", "args": ["--cert-path", "/etc/epp/tls"]}],
                "volumes": [{"name": "epp-tls", "secret": {"secretName": "epp-tls"}}],
            }},
        },
        "template": {
            "containers": [{"name": "main", "env": token}],
            "volumes": [{"name": "kserve-provision-location", "persistentVolumeClaim": {"claimName": "weights"}}],
        },
        "prefill": {"replicas": 2, "template": {"containers": [{"name": "main"}]}},
    }});
    bench.put(LLM_INFERENCE_SERVICE, object(LLM_INFERENCE_SERVICE, MODELS, "pd", spec));
    bench.settle();
}

/// The pods of a Deployment.
fn pods<'a>(bench: &'a Bench, deployment: &str) -> Vec<&'a Value> {
    let owner = bench.get(DEPLOYMENT, MODELS, deployment).uid().to_owned();
    let sets = bench.world.list_in(REPLICA_SET, MODELS);
    let sets: Vec<&Value> = sets.filter(|set| set.is_owned_by(&owner)).map(AsRef::as_ref).collect();
    let pods = bench.world.list_in(POD, MODELS);
    pods.filter(|pod| sets.iter().any(|set| pod.is_owned_by(set.uid())))
        .map(AsRef::as_ref)
        .collect()
}

/// Why the first container of a Deployment's one pod waits.
fn waits(bench: &Bench, deployment: &str) -> (String, String) {
    let pods = pods(bench, deployment);
    let text = |key: &str| {
        pods[0]
            .text(&format!("/status/containerStatuses/0/state/waiting/{key}"))
            .to_owned()
    };
    (text("reason"), text("message"))
}

fn unscheduled(bench: &Bench, deployment: &str) -> String {
    let conditions = pods(bench, deployment)[0].list("/status/conditions");
    let found = conditions.iter().find(|entry| entry.text("/status") == "False");
    found.map_or("", |entry| entry.text("/message")).to_owned()
}

#[test]
fn a_disaggregated_model_waits_for_what_its_templates_name() {
    let mut bench = Bench::new(&[]);
    platform(&mut bench);
    gateway(&mut bench);
    namespace(&mut bench, MODELS);
    let class = json!({"volumeBindingMode": "WaitForFirstConsumer",
        "metadata": {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}});
    bench.put(STORAGE_CLASS, object(STORAGE_CLASS, "", "gp3-csi", class));
    disaggregated(&mut bench);
    assert!(unscheduled(&bench, "pd-kserve").contains("persistentvolumeclaim \"weights\" not found"));
    assert_eq!(pods(&bench, "pd-kserve-prefill").len(), 2);
    assert_eq!(
        pods(&bench, "pd-kserve-prefill")[0].label("llm-d.ai/role"),
        Some("prefill")
    );
    assert_eq!(pods(&bench, "pd-kserve")[0].label("llm-d.ai/role"), Some("decode"));
    let scheduler = "pd-kserve-router-scheduler";
    assert_eq!(
        waits(&bench, scheduler),
        ("ContainerCreating".to_owned(), String::new())
    );
    assert_eq!(
        pods(&bench, scheduler)[0].list("/spec/containers/0/args"),
        ["--cert-path", "/etc/epp/tls"].map(|text| json!(text))
    );

    let claim = json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}}});
    bench.put(PVC, object(PVC, MODELS, "weights", claim));
    bench.look();
    let phase = |bench: &Bench| bench.get(PVC, MODELS, "weights").text("/status/phase").to_owned();
    assert_eq!(phase(&bench), "Pending", "its first consumer has only just got a node");
    assert!(!pods(&bench, "pd-kserve")[0].text("/spec/nodeName").is_empty());
    bench.settle();
    assert_eq!(phase(&bench), "Bound");
    let (why, what) = waits(&bench, "pd-kserve");
    assert_eq!(
        (why.as_str(), what.as_str()),
        ("CreateContainerConfigError", "secret \"hf-token\" not found")
    );

    bench.put(
        SECRET,
        object(SECRET, MODELS, "hf-token", json!({"data": {"other": "eA=="}})),
    );
    bench.settle();
    assert_eq!(
        waits(&bench, "pd-kserve").1,
        "couldn't find key token in Secret llm-d-demo/hf-token"
    );
    bench.set(SECRET, MODELS, "hf-token", json!({"data": {"token": "eA=="}}));
    bench.settle();
    let service = bench.get(LLM_INFERENCE_SERVICE, MODELS, "pd");
    assert!(service.is("MainWorkloadReady") && service.is("PrefillWorkloadReady"));
    assert!(!service.is("SchedulerWorkloadReady") && !service.is("Ready"));

    let tls = json!({"type": "kubernetes.io/tls", "data": {"tls.crt": "eA==", "tls.key": "eA=="}});
    bench.put(SECRET, object(SECRET, MODELS, "epp-tls", tls));
    bench.settle();
    assert!(bench.get(LLM_INFERENCE_SERVICE, MODELS, "pd").is("Ready"));
    assert_eq!(bench.wanted_after_restart(), Vec::<String>::new());
}

#[test]
fn a_claim_that_nobody_can_bind_leaves_its_pod_without_a_node() {
    let mut bench = Bench::new(&[]);
    let binds = |mode: &str| json!({"volumeBindingMode": mode});
    bench.put(STORAGE_CLASS, object(STORAGE_CLASS, "", "now", binds("Immediate")));
    for (name, class) in [("bound", "now"), ("lost", "absent")] {
        bench.put(
            PVC,
            object(PVC, MODELS, name, json!({"spec": {"storageClassName": class}})),
        );
        let mut deployment = super::operands::deployment(MODELS, name, &json!({"app": name}), &["main"]);
        deployment["spec"]["template"]["spec"]["volumes"] =
            json!([{"name": "data", "persistentVolumeClaim": {"claimName": name}}]);
        bench.put(DEPLOYMENT, deployment);
    }
    bench.look();
    assert!(unscheduled(&bench, "bound").contains("unbound immediate PersistentVolumeClaims"));
    bench.settle();
    assert!(bench.world.is_available(MODELS, "bound"));
    assert!(unscheduled(&bench, "lost").contains("unbound immediate PersistentVolumeClaims"));
}

/// TLS on for Authorino, and only then the annotation that asks for the filter: the order that has no race.
fn asked_in_order(bench: &mut Bench) {
    platform(bench);
    gateway(bench);
    let tls = json!({"spec": {"listener": {"tls": {"enabled": true}}}});
    bench.set(AUTHORINO, "kuadrant-system", "authorino", tls);
    bench.settle();
    annotate(
        bench,
        &json!({"security.opendatahub.io/authorino-tls-bootstrap": "true"}),
    );
}

fn annotate(bench: &mut Bench, annotations: &Value) {
    let patch = json!({"metadata": {"annotations": annotations}});
    bench.set(GATEWAY, "openshift-ingress", "maas-default-gateway", patch);
    bench.settle();
}

fn filtered(bench: &Bench) -> bool {
    bench
        .world
        .has(ENVOY_FILTER, "openshift-ingress", "maas-default-gateway-authn-ssl")
}

#[test]
fn a_missed_look_is_mended_by_one_changed_write() {
    let mut bench = Bench::new(&["authorino-tls-missed@maas-default-gateway"]);
    asked_in_order(&mut bench);
    assert!(!filtered(&bench), "the look was a miss");
    assert_eq!(bench.wanted_after_restart(), Vec::<String>::new());
    annotate(
        &mut bench,
        &json!({"security.opendatahub.io/authorino-tls-bootstrap": "true"}),
    );
    assert!(!filtered(&bench), "the same value again is no change");
    annotate(&mut bench, &json!({"stackctl.dev/touched": "1"}));
    assert!(filtered(&bench));
}

#[test]
fn a_missed_look_is_mended_by_one_restart() {
    let mut bench = Bench::new(&["authorino-tls-missed@maas-default-gateway"]);
    asked_in_order(&mut bench);
    assert!(!filtered(&bench), "the look was a miss");
    let restart =
        json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}});
    bench.set(DEPLOYMENT, "redhat-ods-applications", "odh-model-controller", restart);
    bench.settle();
    assert!(filtered(&bench));
}

#[test]
fn another_gateway_is_looked_at_as_ever() {
    let mut bench = Bench::new(&["authorino-tls-missed@openshift-ai-inference"]);
    asked_in_order(&mut bench);
    assert!(filtered(&bench));
}
