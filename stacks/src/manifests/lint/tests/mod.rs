//! Each mistake beside what the catalogue really makes, with its file and line.

mod capacity;
mod told;

use crate::{
    components::tests::{EXTERNAL_MODELS, GATEWAY_POLICIES, QUICKSTART, compiled, stack_of},
    manifests::{ManifestFile, resources},
    stack::ManifestSet,
};
use miette::Diagnostic;

/// What is said of manifests in `theirs.yaml` beside a stack, a line each, with the code; nothing if they are right.
fn said(stack: Option<&str>, manifests: &str) -> String {
    let catalogue = stack.map_or_else(Vec::new, |text| compiled(&stack_of(text)));
    let set = ManifestSet::bare("theirs", "theirs.yaml");
    let file = ManifestFile {
        name: "theirs.yaml".to_owned(),
        text: manifests.to_owned(),
    };
    let errors = resources(&[(&set, vec![file])], &catalogue).err().unwrap_or_default();
    let line = |error: &crate::manifests::ManifestsError| {
        assert!(error.help().is_some(), "{error} says no way out");
        format!("{} {error}\n", error.code().expect("a code"))
    };
    errors.iter().map(line).collect()
}

/// An external model with its credential and its reference, all right, beside the external models of the example.
const OWN: &str = r#"apiVersion: v1
kind: Secret
metadata:
  name: own-credentials
  namespace: external-models
  labels: {inference.networking.k8s.io/bbr-managed: "true"}
type: Opaque
---
apiVersion: maas.opendatahub.io/v1alpha1
kind: ExternalModel
metadata: {name: own, namespace: external-models}
spec: {provider: openai, endpoint: llm.example.com, targetModel: gpt-own, credentialRef: {name: own-credentials}}
---
apiVersion: maas.opendatahub.io/v1alpha1
kind: MaaSModelRef
metadata: {name: own, namespace: external-models}
spec: {modelRef: {kind: ExternalModel, name: own}}
"#;

/// `OWN` with one thing changed, beside the example.
fn own(from: &str, to: &str) -> String {
    assert!(OWN.contains(from), "`{from}`");
    said(Some(EXTERNAL_MODELS), &OWN.replace(from, to))
}

#[test]
fn an_external_model_that_is_right_is_not_spoken_of() {
    assert_eq!(said(Some(EXTERNAL_MODELS), OWN), "");
    // Without a stack around it nothing is known of gateways, and nothing assumed.
    assert_eq!(said(None, OWN), "");
    assert_eq!(said(None, &OWN.replace("external-models", "anywhere")), "");
}

#[test]
fn the_credential_of_an_external_model_carries_the_label_that_the_gateway_looks_for() {
    let told = "STK304 theirs.yaml:6: Secret external-models/own-credentials is the credential of ExternalModel \
                external-models/own at theirs.yaml:9, and the gateway does not look at it\n";
    assert_eq!(
        own("{inference.networking.k8s.io/bbr-managed: \"true\"}", "{team: a}"),
        told
    );
    assert_eq!(own("bbr-managed: \"true\"", "bbr-managed: \"false\""), told);
    // A Secret that no model reads is nobody's business.
    assert_eq!(
        own(
            "  name: own-credentials\n",
            "  name: something\n  annotations: {a: b}\n"
        ),
        ""
    );
}

#[test]
fn a_credential_with_its_key_in_it_is_refused_as_every_secret_with_values_is() {
    let told = own("type: Opaque", "type: Opaque\nstringData: {api-key: hunter2}");
    assert!(
        told.starts_with("STK301 theirs.yaml:8: a Secret with its values"),
        "{told}"
    );
    assert!(!told.contains("hunter2"));
}

#[test]
fn an_endpoint_is_a_host_without_scheme_port_and_path() {
    for endpoint in [
        "https://llm.example.com",
        "llm.example.com:8443",
        "llm.example.com/v1",
        "llm..example",
        "-a.b",
        "",
    ] {
        let told = own("endpoint: llm.example.com", &format!("endpoint: \"{endpoint}\""));
        assert_eq!(told, format!("STK305 theirs.yaml:12: `{endpoint}` is no host\n"));
    }
    assert_eq!(own("endpoint: llm.example.com", "endpoint: LLM-1.example.com"), "");
}

#[test]
fn an_external_model_and_its_reference_have_one_name() {
    assert_eq!(
        own(
            "kind: MaaSModelRef\nmetadata: {name: own,",
            "kind: MaaSModelRef\nmetadata: {name: other,"
        ),
        "STK306 theirs.yaml:17: MaaSModelRef `other` is to ExternalModel `own`, whose URL ends with the model's name\n"
    );
}

#[test]
fn the_gateway_of_the_stack_admits_the_namespace_of_what_attaches_to_it() {
    let moved = OWN.replace("namespace: external-models", "namespace: elsewhere");
    let told = "STK307 theirs.yaml:11: Gateway openshift-ingress/maas-default-gateway of the stack takes no routes from \
                namespace `elsewhere`\n";
    assert_eq!(said(Some(EXTERNAL_MODELS), &moved), told);
    // A reference to a model that stands nowhere here is judged by itself.
    let alone = "apiVersion: maas.opendatahub.io/v1alpha1
kind: MaaSModelRef
metadata: {name: theirs, namespace: elsewhere}
spec: {modelRef: {kind: LLMInferenceService, name: theirs}}
";
    assert_eq!(said(Some(QUICKSTART), alone), told.replace(":11:", ":3:"));
    assert_eq!(said(Some(QUICKSTART), &alone.replace("elsewhere", "llm-d-demo")), "");
    // A gateway of their own says itself whom it admits.
    let gateway = |namespaces: &str| {
        format!(
            "{alone}---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: maas-default-gateway, namespace: openshift-ingress}}
spec: {{listeners: [{{name: https, allowedRoutes: {{namespaces: {namespaces}}}}}]}}
"
        )
    };
    assert_eq!(said(None, &gateway("{from: All}")), "");
    assert_eq!(
        said(None, &gateway("{from: Selector, selector: {matchLabels: {team: a}}}")),
        ""
    );
    for turned_away in [
        "{from: Same}",
        "{}",
        "{from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: other}}}",
    ] {
        let told = said(None, &gateway(turned_away));
        assert_eq!(
            told,
            "STK307 theirs.yaml:3: Gateway openshift-ingress/maas-default-gateway at theirs.yaml:6 takes no routes from \
             namespace `elsewhere`\n"
        );
    }
}

#[test]
fn one_target_has_one_external_model() {
    assert_eq!(
        own("targetModel: gpt-own", "targetModel: granite-3-large"),
        "STK308 theirs.yaml:12: `granite-3-large` is the target of ExternalModel external-models/granite-large of the stack \
         too\n"
    );
    let two = format!("{OWN}---\n{}", OWN.replace("own", "two").replace("gpt-two", "gpt-own"));
    assert_eq!(
        said(None, &two),
        "STK308 theirs.yaml:30: `gpt-own` is the target of ExternalModel external-models/own at theirs.yaml:9 too\n"
    );
}

/// A policy on the gateway of MaaS.
fn policy(kind: &str, name: &str, spec: &str) -> String {
    let version = if kind == "TokenRateLimitPolicy" {
        "v1alpha1"
    } else {
        "v1"
    };
    format!(
        "apiVersion: kuadrant.io/{version}
kind: {kind}
metadata: {{name: {name}, namespace: openshift-ingress}}
spec:
  targetRef: {{group: gateway.networking.k8s.io, kind: Gateway, name: maas-default-gateway}}
  {spec}
"
    )
}

#[test]
fn the_gateway_of_maas_has_the_policies_of_one_generation() {
    let told = |stack, kind: &str, spec: &str| said(Some(stack), &policy(kind, "theirs", spec));
    let of_tiers =
        "limits: {free: {when: [{predicate: 'auth.identity.tier == \"free\"'}], rates: [{limit: 5, window: 2m}]}}";
    assert_eq!(
        told(QUICKSTART, "AuthPolicy", "rules: {}"),
        "STK309 theirs.yaml:5: AuthPolicy openshift-ingress/theirs is for the gateway of MaaS, beside \
         `gateway-default-auth`, which comes with subscriptions\n"
    );
    assert_eq!(
        told(QUICKSTART, "TokenRateLimitPolicy", of_tiers),
        "STK309 theirs.yaml:5: TokenRateLimitPolicy openshift-ingress/theirs is for the gateway of MaaS, beside \
         `gateway-default-deny`, which comes with subscriptions\n"
    );
    assert_eq!(
        told(QUICKSTART, "RateLimitPolicy", of_tiers),
        "STK309 theirs.yaml:5: RateLimitPolicy openshift-ingress/theirs is for the gateway of MaaS, beside subscriptions, \
         whose callers have no tier\n"
    );
    for (kind, own) in [
        ("AuthPolicy", "gateway-auth-policy"),
        ("RateLimitPolicy", "gateway-rate-limits"),
        ("TokenRateLimitPolicy", "gateway-token-rate-limits"),
    ] {
        assert_eq!(
            told(GATEWAY_POLICIES, kind, "limits: {}"),
            format!(
                "STK309 theirs.yaml:5: {kind} openshift-ingress/theirs is for the gateway of MaaS, beside {kind} \
                 openshift-ingress/{own} of the stack\n"
            )
        );
    }
    // Requests may be counted beside subscriptions, other gateways have other policies, and without MaaS nobody minds.
    let of_requests = "limits: {all: {rates: [{limit: 5, window: 2m}]}}";
    assert_eq!(told(QUICKSTART, "RateLimitPolicy", of_requests), "");
    let elsewhere = policy("AuthPolicy", "theirs", "rules: {}").replace("maas-default-gateway", "other-gateway");
    assert_eq!(said(Some(QUICKSTART), &elsewhere), "");
    assert_eq!(said(None, &policy("AuthPolicy", "theirs", "rules: {}")), "");
}

/// A model on the gateway of MaaS that is right.
const SERVICE: &str = r#"apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceService
metadata:
  name: theirs
  namespace: llm-d-demo
  annotations: {security.opendatahub.io/enable-auth: "true"}
spec:
  model: {uri: "hf://facebook/opt-125m", name: facebook/opt-125m}
  router: {gateway: {refs: [{name: maas-default-gateway, namespace: openshift-ingress}]}}
  template:
    containers:
    - name: main
      env: [{name: VLLM_ADDITIONAL_ARGS, value: "--served-model-name one two --max-logprobs 1,2"}]
"#;

fn service(from: &str, to: &str) -> String {
    assert!(SERVICE.contains(from), "`{from}`");
    said(Some(QUICKSTART), &SERVICE.replace(from, to))
}

#[test]
fn names_of_a_model_are_divided_by_blanks() {
    assert_eq!(said(Some(QUICKSTART), SERVICE), "");
    let told =
        |line| format!("STK310 theirs.yaml:{line}: `--served-model-name one,two` is one name with a comma in it\n");
    for argument in [
        "--served-model-name one,two",
        "--served-model-name=one,two",
        "--served_model_name one,two",
    ] {
        assert_eq!(service("--served-model-name one two", argument), told(13));
    }
    let argument = "args: [--served-model-name, \"one,two\"]";
    assert_eq!(
        service("env: [{name", &format!("{argument}\n      env: [{{name")),
        told(13)
    );
    let prefill =
        "prefill: {template: {containers: [{name: main, command: [vllm, \"--served-model-name=one,two\"]}]}}\n";
    assert_eq!(service("  template:\n", &format!("  {prefill}  template:\n")), told(10));
}

#[test]
fn a_model_on_the_gateway_of_maas_asks_who_calls() {
    let told =
        |line| format!("STK311 theirs.yaml:{line}: the model is on the gateway of MaaS, and does not ask who calls\n");
    assert_eq!(service("enable-auth: \"true\"", "enable-auth: \"false\""), told(6));
    assert_eq!(
        service("\n  annotations: {security.opendatahub.io/enable-auth: \"true\"}", ""),
        told(3)
    );
    let elsewhere = SERVICE
        .replace("maas-default-gateway", "other")
        .replace("\"true\"", "\"false\"");
    assert_eq!(said(Some(QUICKSTART), &elsewhere), "");
    assert_eq!(
        service("namespace: llm-d-demo", "namespace: elsewhere"),
        "STK307 theirs.yaml:5: Gateway openshift-ingress/maas-default-gateway of the stack takes no routes from namespace \
         `elsewhere`\n"
    );
}

#[test]
fn a_model_has_a_name() {
    let told = "STK314 theirs.yaml:8: the model has no `spec.model.name`\n";
    assert_eq!(service(", name: facebook/opt-125m", ""), told);
    assert_eq!(service("name: facebook/opt-125m", "name: \"\""), told);
}

/// A subscription that is right.
const SUBSCRIPTION: &str = "apiVersion: maas.opendatahub.io/v1alpha1
kind: MaaSSubscription
metadata: {name: theirs, namespace: models-as-a-service}
spec:
  owner: {groups: [{name: theirs}]}
  modelRefs: [{name: qwen3-8b, namespace: llm-d-demo, tokenRateLimits: [{limit: 1, window: 1m}]}]
";

#[test]
fn subscriptions_and_their_access_are_where_they_are_looked_at() {
    assert_eq!(said(None, SUBSCRIPTION), "");
    assert_eq!(
        said(
            None,
            &SUBSCRIPTION.replace("namespace: models-as-a-service", "namespace: llm-d-demo")
        ),
        "STK312 theirs.yaml:3: MaaSSubscription llm-d-demo/theirs is not in `models-as-a-service`, where alone it is looked \
         at\n"
    );
    let access = SUBSCRIPTION
        .replace("MaaSSubscription", "MaaSAuthPolicy")
        .replace("owner", "subjects")
        .replace(", namespace: models-as-a-service", "");
    assert_eq!(
        said(None, &access),
        "STK312 theirs.yaml:3: MaaSAuthPolicy theirs is not in `models-as-a-service`, where alone it is looked at\n"
    );
}

#[test]
fn a_group_is_named_and_nothing_else_is_said_of_it() {
    assert_eq!(
        said(
            None,
            &SUBSCRIPTION.replace("{name: theirs}]", "{name: theirs, kind: Group}]")
        ),
        "STK313 theirs.yaml:5: `{\"kind\":\"Group\",\"name\":\"theirs\"}` in `spec.owner.groups` is not a group by its name \
         alone\n"
    );
    let access = SUBSCRIPTION
        .replace("MaaSSubscription", "MaaSAuthPolicy")
        .replace("owner: {groups: [{name: theirs}]}", "subjects: {groups: [theirs]}");
    assert_eq!(
        said(None, &access),
        "STK313 theirs.yaml:5: `\"theirs\"` in `spec.subjects.groups` is not a group by its name alone\n"
    );
}

#[test]
fn a_model_has_one_reference_also_beside_that_of_the_stack() {
    let reference = "apiVersion: maas.opendatahub.io/v1alpha1
kind: MaaSModelRef
metadata: {name: second, namespace: llm-d-demo}
spec: {modelRef: {kind: LLMInferenceService, name: qwen3-8b}}
";
    assert_eq!(
        said(Some(QUICKSTART), reference),
        "STK315 theirs.yaml:4: LLMInferenceService llm-d-demo/qwen3-8b is referred to by MaaSModelRef llm-d-demo/qwen3-8b of \
         the stack too\n"
    );
    let third = reference.replace("second", "third");
    assert_eq!(
        said(None, &format!("{reference}---\n{third}")),
        "STK315 theirs.yaml:9: LLMInferenceService llm-d-demo/qwen3-8b is referred to by MaaSModelRef llm-d-demo/second at \
         theirs.yaml:1 too\n"
    );
}

#[test]
fn kinds_of_maas_are_in_their_group() {
    let reference = "apiVersion: models.opendatahub.io/v1alpha1
kind: MaaSModelRef
metadata: {name: theirs, namespace: llm-d-demo}
";
    assert_eq!(
        said(None, reference),
        "STK316 theirs.yaml:1: there is no MaaSModelRef in `models.opendatahub.io`\n"
    );
}

#[test]
fn nobody_else_writes_the_certificate_that_a_gateway_presents() {
    let service = "apiVersion: v1
kind: Service
metadata:
  name: theirs
  namespace: openshift-ingress
  annotations: {service.beta.openshift.io/serving-cert-secret-name: router-certs-default}
";
    let told = "STK317 theirs.yaml:6: it asks the service CA to write Secret `router-certs-default`, which Gateway \
                openshift-ingress/openshift-ai-inference of the stack presents\n";
    assert_eq!(said(Some(QUICKSTART), service), told);
    let config = "apiVersion: v1
kind: ConfigMap
metadata: {name: theirs, namespace: openshift-ingress}
data:
  service: |
    metadata:
      annotations: {service.beta.openshift.io/serving-cert-secret-name: router-certs-default}
";
    assert_eq!(said(Some(QUICKSTART), config), told.replace(":6:", ":5:"));
    // Another Secret, and the same name in another namespace, are another's.
    assert_eq!(
        said(Some(QUICKSTART), &service.replace("router-certs-default", "own")),
        ""
    );
    assert_eq!(
        said(Some(QUICKSTART), &service.replace("openshift-ingress", "demo")),
        ""
    );
}

/// A Route to the gateway of models of the quickstart.
fn route(port: &str, tls: &str) -> String {
    let manifest = format!(
        "apiVersion: route.openshift.io/v1
kind: Route
metadata: {{name: theirs, namespace: openshift-ingress}}
spec:
  to: {{kind: Service, name: openshift-ai-inference-openshift-ai-inference-class}}
{port}{tls}  wildcardPolicy: None
"
    );
    said(Some(QUICKSTART), &manifest)
}

#[test]
fn a_route_leads_to_a_listener_and_lets_it_end_tls() {
    let gateway = "Gateway openshift-ingress/openshift-ai-inference of the stack";
    let plain = |line| {
        format!("STK346 theirs.yaml:{line}: the router would speak plain HTTP to {gateway}, which speaks TLS there\n")
    };
    let (edge, through) = ("  tls: {termination: edge}\n", "  tls: {termination: passthrough}\n");
    let port = |port: &str| format!("  port: {{targetPort: {port}}}\n");
    assert_eq!(route(&port("https"), through), "");
    assert_eq!(route(&port("https"), edge), plain(7));
    assert_eq!(route(&port("443"), edge), plain(7));
    assert_eq!(route("", edge), plain(6), "a gateway with one listener has one port");
    assert_eq!(route(&port("https"), ""), plain(4), "without TLS it is plain too");
    assert_eq!(route(&port("https"), "  tls: {termination: reencrypt}\n"), "");
    assert_eq!(
        route(&port("http"), through),
        format!("STK347 theirs.yaml:6: the Service of {gateway} has no port `http`\n")
    );
    assert_eq!(route(&port("status-port"), edge), "", "it is the proxy's own");
}

#[test]
fn labels_are_as_long_and_as_plain_as_the_api_server_takes_them() {
    let labels = |labels: &str| {
        let manifest = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: theirs\n  namespace: llm-d-demo\n  labels:\n    {labels}\n"
        );
        said(None, &manifest)
    };
    let (longest, longer) = ("a".repeat(63), "a".repeat(64));
    assert_eq!(labels(&format!("example.com/{longest}: {longest}")), "");
    assert_eq!(labels("team: \"\""), "");
    assert_eq!(
        labels(&format!("example.com/{longer}: x")),
        format!("STK348 theirs.yaml:7: the name `{longer}` of a label: it has 64 characters\n")
    );
    assert_eq!(
        labels(&format!("team: {longer}")),
        format!("STK348 theirs.yaml:7: the value `{longer}` of a label: it has 64 characters\n")
    );
    for wrong in ["a b", "-a", "a_", "ä"] {
        let told = labels(&format!("team: \"{wrong}\""));
        assert!(
            told.starts_with(&format!("STK348 theirs.yaml:7: the value `{wrong}`")),
            "{told}"
        );
    }
    assert!(labels("example.com/: x").contains("it is empty"));
}

#[test]
fn what_the_stack_makes_is_not_made_by_a_file_too() {
    assert_eq!(
        said(
            Some(QUICKSTART),
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: llm-d-demo}\n"
        ),
        "STK302 theirs.yaml:1: Namespace llm-d-demo is made by `project[llm-d-demo].namespace` of the stack\n"
    );
}

#[test]
fn a_certificate_is_written_by_one_of_two() {
    let both = "apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: web, namespace: demo}
spec: {secretName: web-tls, dnsNames: [web.example.com], issuerRef: {name: i}}
---
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: demo
  annotations: {service.beta.openshift.io/serving-cert-secret-name: web-tls}
";
    assert_eq!(
        said(None, both),
        "STK317 theirs.yaml:11: it asks the service CA to write Secret `web-tls`, which Certificate demo/web at theirs.yaml:1 \
         is for\n"
    );
    assert_eq!(said(None, &both.replace("name: web-tls}", "name: other}")), "");
}

#[test]
fn names_are_those_that_the_api_server_takes_and_roles_are_free() {
    let named = |kind: &str, name: &str| {
        let manifest = format!("apiVersion: {kind}\nmetadata:\n  name: \"{name}\"\n  namespace: demo\n");
        said(None, &manifest)
    };
    for name in ["Bad", "bad_name", "-bad", "bad-", "bad..name", "bäd"] {
        let told = named("v1\nkind: ConfigMap", name);
        assert!(
            told.starts_with(&format!("STK348 theirs.yaml:4: the name `{name}`: ")),
            "{told}"
        );
    }
    assert_eq!(named("v1\nkind: ConfigMap", "a.b-1"), "");
    assert_eq!(named("rbac.authorization.k8s.io/v1\nkind: Role", "system:Any"), "");
    assert_eq!(
        named("user.openshift.io/v1\nkind: Group", "Team_A"),
        "",
        "another server's"
    );
}
