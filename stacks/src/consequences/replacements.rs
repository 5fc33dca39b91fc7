//! What is deleted and made again: told for each kind, as grave as it is.

use super::{
    consequences,
    testing::{
        Case, again, auth_policy, gateway, gone, group, instance, kept, keys, made, model, namespace, reference,
        subscription, table, table_with, with,
    },
};
use serde_json::{Value, json};
use stackctl_engine::plan::{Risk, Transition, risk};

const MAAS: Option<&str> = Some("maas-default-gateway");
const LIMIT: &[(u64, &str)] = &[(300, "5m")];

fn same(object: Value) -> Transition {
    again(object.clone(), object)
}

fn object(api_version: &str, kind: &str, name: &str, namespace: &str, spec: Value) -> Value {
    let mut object =
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}});
    object["spec"] = spec;
    object
}

fn hosts() -> Transition {
    kept(gateway("maas-default-gateway", "maas.example.com"))
}

fn workload(kind: &str, name: &str, namespace: &str) -> Value {
    let template = json!({"spec": {"containers": [{"name": "main", "image": "a"}]}});
    object(
        "apps/v1",
        kind,
        name,
        namespace,
        json!({"replicas": 2, "template": template}),
    )
}

fn external() -> Value {
    let spec = json!({"endpoint": "api.example.com", "provider": "openai", "targetModel": "gpt"});
    object("maas.opendatahub.io/v1alpha1", "ExternalModel", "gpt", "demo", spec)
}

fn canary() -> Value {
    let backend = |name: &str, weight: u64| json!({"name": format!("{name}-inference-pool"), "weight": weight});
    let rule = json!({
        "matches": [{"path": {"value": "/demo/a/b/v1/completions"}}],
        "backendRefs": [backend("qwen", 90), backend("opt", 10)],
    });
    let spec = json!({"hostnames": ["inference.example.com"], "rules": [rule]});
    object(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        "qwen-canary-rollout",
        "demo",
        spec,
    )
}

fn limits() -> Value {
    let spec = json!({"targetRef": {"name": "maas-default-gateway"}, "limits": {"free": {"rates": [{"limit": 5, "window": "1m"}]}}});
    object(
        "kuadrant.io/v1alpha1",
        "TokenRateLimitPolicy",
        "limits",
        "openshift-ingress",
        spec,
    )
}

fn operator() -> Value {
    let spec = json!({"name": "rhods-operator", "channel": "stable-3.x", "source": "redhat-operators"});
    object(
        "operators.coreos.com/v1alpha1",
        "Subscription",
        "rhods-operator",
        "redhat-ods-operator",
        spec,
    )
}

fn certificate() -> Value {
    let spec = json!({"secretName": "ingress-certs", "dnsNames": ["maas.example.com"], "issuerRef": {"name": "acme"}});
    object(
        "cert-manager.io/v1",
        "Certificate",
        "ingress",
        "openshift-ingress",
        spec,
    )
}

fn machines() -> Value {
    let value =
        json!({"instanceType": "g6e.2xlarge", "placement": {"availabilityZone": "eu-west-1a", "region": "eu-west-1"}});
    let spec = json!({"replicas": 2, "template": {"spec": {"providerSpec": {"value": value}}}});
    object(
        "machine.openshift.io/v1beta1",
        "MachineSet",
        "gpu-a",
        "openshift-machine-api",
        spec,
    )
}

fn claim() -> Value {
    let spec = json!({"resources": {"requests": {"storage": "10Gi"}}});
    object("v1", "PersistentVolumeClaim", "data", "demo", spec)
}

fn lookup() -> Value {
    let url = "http://tiers.demo.svc.cluster.local:8080/lookup";
    let rules = json!({"rules": {"metadata": {"tier": {"http": {"url": url}}}}});
    object(
        "kuadrant.io/v1",
        "AuthPolicy",
        "gateway-auth",
        "openshift-ingress",
        rules,
    )
}

fn cases() -> Vec<Case<'static>> {
    let pro = || subscription("pro", &["pro-users"], 2, &[("qwen", LIMIT)]);
    let free = || kept(subscription("free", &["free-users"], 1, &[("qwen", LIMIT)]));
    let balanced = with(gateway("own", "own.example.com"), "spec.infrastructure", json!({}));
    let qwen = || model("qwen", MAAS, true);
    let opened = again(qwen(), model("qwen", None, false));
    vec![
        ("a model", vec![same(qwen()), hosts()]),
        ("a model, with another image and more replicas", {
            let other = with(qwen(), "spec.template.containers[name=main].image", json!("vllm:2"));
            vec![again(qwen(), with(other, "spec.replicas", json!(3))), hosts()]
        }),
        ("a model that leaves MaaS", vec![opened, hosts()]),
        (
            "what MaaS knows of a model",
            vec![same(reference("qwen", "LLMInferenceService"))],
        ),
        ("an external model", vec![same(external()), hosts()]),
        ("a tier, beside another", vec![same(pro()), free()]),
        (
            "who may call",
            vec![same(auth_policy("pro", &["pro-users"], &["qwen"])), free()],
        ),
        ("a group", vec![same(group("team", &["bob", "eve"]))]),
        ("a namespace", vec![same(namespace("demo"))]),
        (
            "a namespace and what is in it",
            vec![
                same(namespace("demo")),
                same(qwen()),
                same(claim()),
                same(workload("Deployment", "web", "demo")),
                same(object("v1", "ConfigMap", "settings", "demo", json!({}))),
                hosts(),
            ],
        ),
        (
            "one namespace goes, and another is made again",
            vec![same(namespace("demo")), gone(namespace("old"))],
        ),
        (
            "a Service that limits hang on",
            vec![
                same(object("v1", "Service", "tiers", "demo", json!({}))),
                kept(lookup()),
            ],
        ),
        (
            "the database of MaaS",
            vec![same(workload("Deployment", "maas-db", "redhat-ods-applications"))],
        ),
        ("OpenShift AI, with MaaS", vec![same(instance("Managed"))]),
        ("OpenShift AI, without", vec![same(instance("Removed"))]),
        (
            "a gateway behind a Route",
            vec![same(gateway("own", "own.example.com"))],
        ),
        ("a gateway with a load balancer", vec![same(balanced)]),
        ("machines", vec![same(machines())]),
        ("a canary route", vec![same(canary())]),
        ("limits of a gateway", vec![same(limits())]),
        ("an operator", vec![same(operator())]),
        ("a certificate", vec![same(certificate())]),
        ("a Deployment", vec![same(workload("Deployment", "web", "demo"))]),
        ("a DaemonSet", vec![same(workload("DaemonSet", "web", "demo"))]),
        ("a volume", vec![same(claim())]),
        (
            "what no rule is about",
            vec![same(object("v1", "ConfigMap", "settings", "demo", json!({})))],
        ),
        (
            "what no rule is about, of the cluster",
            vec![same(json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "reader"},
            }))],
        ),
    ]
}

#[test]
fn whatever_is_deleted_and_made_again_is_told_of_and_is_never_safe() {
    for (name, steps) in cases() {
        let told = consequences(&steps, None);
        for step in steps.iter().filter(|step| step.is_made_again()) {
            let of_it = told.get(&step.address).map_or(&[][..], Vec::as_slice);
            let gravest = of_it.iter().map(|told| risk(step.action, told.class)).max();
            let goes_along = step.object.namespace.as_deref() == Some("demo")
                && steps.iter().any(|step| step.object.object_type.kind == "Namespace");
            assert!(gravest > Some(Risk::Safe) || goes_along, "{name}: {of_it:?}");
        }
    }
    insta::assert_snapshot!(table(&cases()));
}

#[test]
fn keys_of_a_tier_that_is_made_again_are_counted_where_they_are_known() {
    let pro = || subscription("pro", &["pro-users"], 2, &[("qwen", LIMIT)]);
    let cases = [("a tier", vec![same(pro())])];
    let told = |active: &[(&str, &str)]| table_with(&cases, Some(&keys(active)));
    insta::assert_snapshot!(told(&[("pro-subscription", "bob")]), @r#"
    # a tier
    disruption: deletes tier pro and makes it again: 1 active key of pro-subscription gets 403 in between
    disruption: turns everyone on model qwen away for a moment (401, 403 or 429), while its policies are made again
    "#);
    insta::assert_snapshot!(told(&[]), @r#"
    # a tier
    disruption: deletes tier pro and makes it again: nobody can mint a key of it in between
    disruption: turns everyone on model qwen away for a moment (401, 403 or 429), while its policies are made again
    "#);
}

#[test]
fn what_goes_under_one_name_and_comes_under_another_is_no_replacement() {
    let steps = [gone(model("qwen", MAAS, true)), made(model("opt", MAAS, true)), hosts()];
    insta::assert_snapshot!(table(&[("renamed", Vec::from(steps))]), @r#"
    # renamed
    disruption: removes model qwen and frees 2 GPUs: https://maas.example.com/demo/qwen ends
    "#);
}
