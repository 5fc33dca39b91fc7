//! How a cluster looks under the faults of serving, on the workbench: who says what, and what heals it.

use serde_json::{Value, json};

use super::bench::Bench;
use super::kinds::*;
use super::object::{Read, object};
use super::scenarios::{gateway, maas, platform, reason};

const MODELS: &str = "llm-d-demo";
const APPLICATIONS: &str = "redhat-ods-applications";
const INGRESS: &str = "openshift-ingress";
const GATEWAY_NAME: &str = "maas-default-gateway";

/// A condition of an object: reason and message.
fn told(object: &Value, kind: &str) -> (String, String) {
    let mut conditions = object.list("/status/conditions").iter();
    let found = conditions.find(|entry| entry.text("/type") == kind);
    let text = |key: &str| found.map_or("", |found| found.text(key)).to_owned();
    (text("/reason"), text("/message"))
}

/// A model on the gateway of MaaS, from this source.
fn model(bench: &mut Bench, name: &str, uri: &str) {
    bench.put(NAMESPACE, object(NAMESPACE, "", MODELS, json!({})));
    let spec = json!({"spec": {
        "replicas": 1, "model": {"uri": uri, "name": format!("org/{name}")},
        "router": {
            "gateway": {"refs": [{"name": GATEWAY_NAME, "namespace": INGRESS}]}, "route": {}, "scheduler": {},
        },
        "template": {"containers": [{"name": "main"}]},
    }});
    bench.put(LLM_INFERENCE_SERVICE, object(LLM_INFERENCE_SERVICE, MODELS, name, spec));
    bench.settle();
}

/// What keeps the pods of a Deployment: container, reason, and the last words.
fn stuck(bench: &Bench, namespace: &str, deployment: &str) -> (String, String, String) {
    let owner = bench.get(DEPLOYMENT, namespace, deployment).uid().to_owned();
    let pod = bench.world.list_in(POD, namespace).find(|pod| pod.is_owned_by(&owner));
    let pod = pod.expect("a pod");
    let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let mut statuses = statuses.into_iter().flat_map(|list| pod.list(list));
    let found = statuses.find(|status| !status.text("/state/waiting/reason").is_empty());
    let found = found.expect("a container that waits");
    let last = match found.text("/lastState/terminated/message") {
        "" => found.text("/state/waiting/message"),
        words => words,
    };
    (
        found.text("/name").to_owned(),
        found.text("/state/waiting/reason").to_owned(),
        last.to_owned(),
    )
}

#[test]
fn a_foreign_mesh_keeps_the_class_from_being_accepted_until_it_is_gone() {
    let mut bench = Bench::new(&["foreign-mesh"]);
    let spec = json!({"spec": {"controllerName": "openshift.io/gateway-controller/v1"}});
    bench.put(GATEWAY_CLASS, object(GATEWAY_CLASS, "", "openshift-default", spec));
    bench.settle();
    let class = bench.get(GATEWAY_CLASS, "", "openshift-default");
    assert_eq!(class.condition("Accepted"), "Unknown");
    assert_eq!(told(class, "Accepted").1, "Waiting for controller");
    bench.heal();
    bench.delete(SUBSCRIPTION, "openshift-operators", "our-mesh");
    assert!(bench.get(GATEWAY_CLASS, "", "openshift-default").is("Accepted"));
}

#[test]
fn a_gateway_says_what_keeps_it_from_being_programmed() {
    for (faults, reason) in [
        (&["gateway-not-programmed@maas-default-gateway"][..], "Pending"),
        (&["listener-secret-gone@maas-default-gateway"], "Invalid"),
    ] {
        let mut bench = Bench::new(faults);
        platform(&mut bench);
        gateway(&mut bench);
        let found = bench.get(GATEWAY, INGRESS, GATEWAY_NAME);
        assert_eq!(told(found, "Programmed").0, reason, "{faults:?}");
        let resolved = found.text("/status/listeners/0/conditions/3/reason");
        let expected = if reason == "Invalid" {
            "InvalidCertificateRef"
        } else {
            "ResolvedRefs"
        };
        assert_eq!(resolved, expected);
    }
}

#[test]
fn a_narrowed_listener_takes_no_route_of_a_model_and_is_narrowed_once() {
    let mut bench = Bench::new(&["listener-narrowed@maas-default-gateway"]);
    platform(&mut bench);
    gateway(&mut bench);
    maas(&mut bench);
    model(&mut bench, "m", "oci://registry.example.com/m:1");
    let service = bench.get(LLM_INFERENCE_SERVICE, MODELS, "m").clone();
    assert_eq!(
        told(&service, "Ready"),
        (
            "HTTPRoutesNotReady".to_owned(),
            "HTTPRoute llm-d-demo/m-kserve-route is not ready: NotAllowedByListeners".to_owned()
        )
    );
    let mut listeners = bench.get(GATEWAY, INGRESS, GATEWAY_NAME)["spec"]["listeners"].clone();
    listeners[0]["allowedRoutes"] = json!({"namespaces": {"from": "All", "selector": null}});
    bench.set(
        GATEWAY,
        INGRESS,
        GATEWAY_NAME,
        json!({"spec": {"listeners": listeners}}),
    );
    bench.settle();
    assert!(bench.get(LLM_INFERENCE_SERVICE, MODELS, "m").is("Ready"));
}

#[test]
fn containers_that_do_not_run_say_why_and_run_once_that_is_gone() {
    for (fault, uri, expected) in [
        (
            "unpullable@registry.example.com/m",
            "oci://registry.example.com/m:1",
            (
                "modelcar",
                "ImagePullBackOff",
                "Back-off pulling image \"registry.example.com/m:1\": ErrImagePull: unauthorized: access to the requested \
                 resource is not authorized",
            ),
        ),
        (
            "gated-repository@m",
            "hf://org/m",
            (
                "storage-initializer",
                "CrashLoopBackOff",
                "huggingface_hub.errors.GatedRepoError: 401 Client Error. Cannot access gated repo for url \
                 https://huggingface.co/api/models/org/m. Access to model org/m is restricted.",
            ),
        ),
        (
            "crashing@m-kserve",
            "hf://org/m",
            (
                "main",
                "CrashLoopBackOff",
                "RuntimeError: Engine core initialization failed. See root cause above.",
            ),
        ),
        (
            "out-of-memory@m-kserve",
            "hf://org/m",
            (
                "main",
                "CrashLoopBackOff",
                "INFO 01-01 00:00:00 [gpu_model_runner.py] Starting to load model",
            ),
        ),
    ] {
        let mut bench = Bench::new(&[fault]);
        platform(&mut bench);
        gateway(&mut bench);
        model(&mut bench, "m", uri);
        let found = stuck(&bench, MODELS, "m-kserve");
        assert_eq!((&*found.0, &*found.1, &*found.2), expected, "{fault}");
        let service = bench.get(LLM_INFERENCE_SERVICE, MODELS, "m");
        assert_eq!(reason(service, "Ready"), "MinimumReplicasUnavailable", "{fault}");
        bench.heal();
        bench.settle();
        assert!(bench.get(LLM_INFERENCE_SERVICE, MODELS, "m").is("Ready"), "{fault}");
    }
}

#[test]
fn a_model_waits_for_a_gpu_that_others_hold_and_for_a_gateway_that_takes_its_pool() {
    let mut bench = Bench::new(&["gpus-taken", "pool-ignored@m"]);
    platform(&mut bench);
    gateway(&mut bench);
    model(&mut bench, "m", "hf://org/m");
    let service = bench.get(LLM_INFERENCE_SERVICE, MODELS, "m");
    assert_eq!(reason(service, "InferencePoolReady"), "WaitingForGateway");
    assert_eq!(reason(service, "Ready"), "WaitingForGateway");
    let limits = json!({"limits": {"nvidia.com/gpu": 1}});
    let template = json!({"spec": {"template": {"containers": [{"name": "main", "resources": limits}]}}});
    bench.set(LLM_INFERENCE_SERVICE, MODELS, "m", template);
    bench.settle();
    let told_of = |pod: &Value| told(pod, "PodScheduled");
    let mut pods = bench.world.list_in(POD, MODELS).map(|pod| told_of(pod));
    let (why, words) = pods
        .find(|(why, _)| why == "Unschedulable")
        .expect("a pod without a node");
    assert_eq!(why, "Unschedulable");
    assert!(words.ends_with("Insufficient nvidia.com/gpu."), "{words}");
}

#[test]
fn one_model_without_a_name_takes_a_container_of_the_dashboard_down_until_it_has_one() {
    let mut bench = Bench::new(&["nameless-model"]);
    platform(&mut bench);
    assert!(!bench.world.is_available(APPLICATIONS, "rhods-dashboard"));
    let (container, why, words) = stuck(&bench, APPLICATIONS, "rhods-dashboard");
    assert_eq!((&*container, &*why), ("gen-ai-ui", "CrashLoopBackOff"));
    assert!(words.contains("nil pointer dereference"));
    let named = json!({"spec": {"model": {"name": "org/tiny"}}});
    bench.set(LLM_INFERENCE_SERVICE, "data-science-project", "tiny", named);
    bench.settle();
    assert!(bench.world.is_available(APPLICATIONS, "rhods-dashboard"));
}

#[test]
fn kuadrant_accepts_and_enforces_no_policy_under_its_faults_and_a_new_pod_accepts_them() {
    let policy = |bench: &Bench| bench.get(AUTH_POLICY, APPLICATIONS, "maas-api-auth-policy").clone();
    let mut bench = Bench::new(&["policies-not-accepted"]);
    platform(&mut bench);
    gateway(&mut bench);
    maas(&mut bench);
    assert_eq!(policy(&bench).condition("Accepted"), "False");
    assert_eq!(reason(&policy(&bench), "Accepted"), "MissingDependency");
    let mut pods = bench.world.list_in(POD, "openshift-operators");
    let pod = pods.find(|pod| pod.label("app.kubernetes.io/name") == Some("kuadrant-operator"));
    let pod = pod.expect("the operator's pod").name().to_owned();
    drop(pods);
    bench.delete(POD, "openshift-operators", &pod);
    assert!(policy(&bench).is("Accepted"), "the new pod reconciles");

    let mut bench = Bench::new(&["policies-not-enforced"]);
    platform(&mut bench);
    gateway(&mut bench);
    maas(&mut bench);
    assert!(policy(&bench).is("Accepted") && !policy(&bench).is("Enforced"));

    let mut bench = Bench::new(&["gateway-provider-unseen"]);
    platform(&mut bench);
    assert_eq!(
        reason(bench.get(KUADRANT, "kuadrant-system", "kuadrant"), "Ready"),
        "MissingDependency"
    );
}

#[test]
fn a_controller_that_started_before_the_kinds_of_policies_makes_a_filter_only_once_it_is_restarted() {
    let mut bench = Bench::new(&["policy-kinds-missed"]);
    platform(&mut bench);
    gateway(&mut bench);
    let tls = json!({"spec": {"listener": {"tls": {"enabled": true}}}});
    bench.set(AUTHORINO, "kuadrant-system", "authorino", tls);
    bench.settle();
    for annotation in [
        "security.opendatahub.io/authorino-tls-bootstrap",
        "stackctl.dev/touched",
    ] {
        let patch = json!({"metadata": {"annotations": {annotation: "true"}}});
        bench.set(GATEWAY, INGRESS, GATEWAY_NAME, patch);
        bench.settle();
    }
    let filtered = |bench: &Bench| bench.world.has(ENVOY_FILTER, INGRESS, "maas-default-gateway-authn-ssl");
    assert!(!filtered(&bench), "a touch does not help it");
    let restart =
        json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}});
    bench.set(DEPLOYMENT, APPLICATIONS, "odh-model-controller", restart);
    bench.settle();
    assert!(filtered(&bench));
}

#[test]
fn a_tenant_says_what_it_lacks_and_comes_back_when_it_is_deleted() {
    let tenant = |bench: &Bench| bench.get(TENANT, "models-as-a-service", "default-tenant").clone();
    let mut bench = Bench::new(&["database-secret-gone"]);
    platform(&mut bench);
    gateway(&mut bench);
    maas(&mut bench);
    assert_eq!(
        told(&tenant(&bench), "Ready"),
        (
            "PrerequisitesNotMet".to_owned(),
            "secret redhat-ods-applications/maas-db-config with key DB_CONNECTION_URL is required".to_owned()
        )
    );

    let mut bench = Bench::new(&["database-refuses"]);
    platform(&mut bench);
    gateway(&mut bench);
    maas(&mut bench);
    assert_eq!(reason(&tenant(&bench), "Ready"), "DeploymentsNotReady");
    assert_eq!(
        stuck(&bench, APPLICATIONS, "maas-api").2,
        "FATAL: password authentication failed for user \"maas\" (SQLSTATE 28P01)"
    );

    let mut bench = Bench::new(&["tenant-degraded", "tenant-deleted"]);
    platform(&mut bench);
    gateway(&mut bench);
    maas(&mut bench);
    assert!(tenant(&bench).is("Ready"), "it came back");
    assert_eq!(tenant(&bench).text("/status/phase"), "Degraded");
    let deleted = bench.audit.iter().any(|(object, who, verb, kind)| {
        (object.as_str(), *who, *verb, *kind) == ("models-as-a-service/default-tenant", "somebody", "delete", "Tenant")
    });
    assert!(deleted, "somebody deleted it");
}

#[test]
fn a_selector_of_early_access_is_told_until_its_deployment_is_deleted() {
    let mut bench = Bench::new(&["old-selector@maas-controller"]);
    platform(&mut bench);
    gateway(&mut bench);
    let dsc = |bench: &Bench| bench.get(DSC, "", "default-dsc").clone();
    let managed = json!({"spec": {"components": {"kserve": {"modelsAsService": {"managementState": "Managed"}}}}});
    bench.set(DSC, "", "default-dsc", managed);
    bench.settle();
    assert_eq!(
        told(&dsc(&bench), "ModelsAsServiceReady").1,
        "Deployment.apps \"maas-controller\" is invalid: spec.selector: Invalid value: field is immutable"
    );
    bench.delete(DEPLOYMENT, APPLICATIONS, "maas-controller");
    assert!(bench.world.is_available(APPLICATIONS, "maas-controller"));
}

#[test]
fn a_provider_loses_its_label_once() {
    let mut bench = Bench::new(&["provider-unlabelled@litellm-credentials"]);
    let labelled = json!({"metadata": {"labels": {"inference.networking.k8s.io/bbr-managed": "true"}}});
    let put = |bench: &mut Bench| {
        bench.put(SECRET, object(SECRET, MODELS, "litellm-credentials", labelled.clone()));
        bench.settle();
        let secret = bench.get(SECRET, MODELS, "litellm-credentials");
        secret.label("inference.networking.k8s.io/bbr-managed").is_some()
    };
    assert!(!put(&mut bench));
    assert!(put(&mut bench), "whoever writes it again keeps it");
}
