//! What callers meet at gateways other than in the demo of tiers: open ones, canaries, the older generation of MaaS, models
//! elsewhere.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::bench::Bench;
use super::data_plane_scenarios::{chat, demo, key, route, stage};
use super::kinds::*;
use super::object::object;
use super::scenarios::{gateway, model, platform};
use crate::data_plane::testing::Stage;

const MODELS: &str = "llm-d-demo";
const INGRESS: &str = "openshift-ingress";
const HOST: &str = "https://maas.apps.example.com";

/// A gateway with a model behind it, and no policies.
static OPEN: LazyLock<Bench> = LazyLock::new(|| {
    let mut bench = Bench::new(&[]);
    platform(&mut bench);
    gateway(&mut bench);
    route(&mut bench);
    model(&mut bench);
    bench
});

fn question(model: &str) -> Value {
    json!({"model": model, "max_tokens": 60, "messages": [{"role": "user", "content": "Say hello"}]})
}

#[tokio::test(start_paused = true)]
async fn a_canary_gets_its_share_and_is_told_apart_by_what_it_says() {
    let mut bench = OPEN.clone();
    let open = Stage::new(&bench.world, 1.0, None);
    assert_eq!(chat(&open, "").await.status, 200, "nothing protects it");
    let arguments = json!([{"name": "VLLM_ADDITIONAL_ARGS", "value": "--served-model-name nemotron alibaba/qwen3-8b"}]);
    let spec = json!({"spec": {
        "replicas": 1, "model": {"uri": "hf://org/model", "name": "nemotron"}, "router": {"route": {}},
        "template": {"containers": [{"name": "main", "env": arguments}]},
    }});
    bench.put(
        LLM_INFERENCE_SERVICE,
        object(LLM_INFERENCE_SERVICE, MODELS, "nemotron", spec),
    );
    let prefix = format!("/{MODELS}/alibaba/qwen3-8b/v1");
    let pool = |name: &str, weight: i64| json!({"group": INFERENCE_POOL.group, "kind": INFERENCE_POOL.kind, "name": format!("{name}-inference-pool"), "port": 8000, "weight": weight});
    let rewrite = |to: &str| json!([{"type": "URLRewrite", "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": to}}}]);
    let rollout = |stable: i64| {
        json!({"spec": {
            "parentRefs": [{"group": GATEWAY.group, "kind": GATEWAY.kind, "namespace": INGRESS, "name": "maas-default-gateway"}],
            "hostnames": ["maas.apps.example.com"],
            "rules": [{
                "matches": [{"path": {"type": "PathPrefix", "value": format!("{prefix}/chat/completions")}}],
                "filters": rewrite("/v1/chat/completions"), "backendRefs": [pool("qwen3-8b", stable), pool("nemotron", 100 - stable)],
            }],
        }})
    };
    for (stable, wanted) in [(100, 0..=0), (90, 1..=3), (50, 9..=11), (0, 20..=20)] {
        bench.put(
            HTTP_ROUTE,
            object(HTTP_ROUTE, MODELS, "qwen3-8b-canary-rollout", rollout(stable)),
        );
        bench.settle();
        let stage = Stage::new(&bench.world, 1.0, None);
        let mut canary = 0;
        for _ in 0..20 {
            let answer = stage
                .call(
                    "POST",
                    &format!("{HOST}{prefix}/chat/completions"),
                    "",
                    &question("alibaba/qwen3-8b"),
                )
                .await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(
                answer.body["model"],
                json!("alibaba/qwen3-8b"),
                "the field tells nothing"
            );
            canary += i32::from(answer.text.contains("This is nemotron"));
        }
        assert!(wanted.contains(&canary), "{stable}: {canary} of 20");
    }
    let stage = Stage::new(&bench.world, 1.0, None);
    let models = format!("{HOST}/{MODELS}/qwen3-8b/v1/models");
    assert_eq!(
        stage.call("GET", &models, "", &Value::Null).await.body["data"][0]["id"],
        json!("alibaba/qwen3-8b")
    );
}

/// The policies and the lookup of the older generation (reference/serving.md §1.11).
fn older_generation(bench: &mut Bench) {
    let target = json!({"group": GATEWAY.group, "kind": GATEWAY.kind, "name": "maas-default-gateway"});
    let path = |segment: u8| json!({"expression": format!("request.path.split(\"/\")[{segment}]")});
    let rules = json!({
        "authentication": {"service-accounts": {
            "kubernetesTokenReview": {"audiences": ["maas-default-gateway-sa"]},
            "defaults": {"userid": {"expression": "auth.identity.user.username.split(\":\")[3]"}},
        }},
        "metadata": {"matchedTier": {
            "http": {"url": "http://maas-api.maas-api.svc.cluster.local:8080/v1/tiers/lookup", "method": "POST", "body": {"expression": "{\"groups\": auth.identity.user.groups}"}},
            "cache": {"key": {"expression": "auth.identity.user.username"}, "ttl": 300},
        }},
        "authorization": {"tier-access": {"kubernetesSubjectAccessReview": {
            "user": {"expression": "auth.identity.user.username"},
            "authorizationGroups": {"expression": "auth.identity.user.groups"},
            "resourceAttributes": {
                "group": {"value": "serving.kserve.io"}, "resource": {"value": "llminferenceservices"}, "verb": {"value": "post"},
                "namespace": path(1), "name": path(2),
            },
        }}},
        "response": {"success": {"filters": {"identity": {"json": {"properties": {
            "userid": {"expression": "auth.identity.userid"}, "tier": {"expression": "auth.metadata.matchedTier.tier"},
        }}}}}},
    });
    let limits = |name: &str, limit: i64, window: &str| {
        json!({"spec": {"targetRef": target, "limits": {name: {
            "rates": [{"limit": limit, "window": window}], "counters": [{"expression": "auth.identity.userid"}],
            "when": [{"predicate": "auth.identity.tier == \"free\""}],
        }}}})
    };
    let access = json!({"spec": {"targetRef": target, "rules": rules}});
    bench.put(AUTH_POLICY, object(AUTH_POLICY, INGRESS, "gateway-auth-policy", access));
    for (kind, name, spec) in [
        (RATE_LIMIT_POLICY, "gateway-rate-limits", limits("free", 5, "2m")),
        (
            TOKEN_RATE_LIMIT_POLICY,
            "gateway-token-rate-limits",
            limits("free-user-tokens", 100, "1m"),
        ),
    ] {
        bench.put(kind, object(kind, INGRESS, name, spec));
    }
    let labels = json!({"app": "maas-api"});
    bench.put(NAMESPACE, object(NAMESPACE, "", "maas-api", json!({})));
    bench.put(
        DEPLOYMENT,
        super::operands::deployment("maas-api", "maas-api", &labels, &["api"]),
    );
    let service = json!({"spec": {"selector": labels, "ports": [{"name": "http", "port": 8080}]}});
    bench.put(SERVICE, object(SERVICE, "maas-api", "maas-api", service));
    let tiers = "- name: free\n  level: 0\n  groups: [\"system:authenticated\"]\n- name: premium\n  level: 1\n  groups: [premium-group]\n";
    bench.put(
        CONFIG_MAP,
        object(
            CONFIG_MAP,
            "maas-api",
            "tier-to-group-mapping",
            json!({"data": {"tiers": tiers}}),
        ),
    );
    bench.settle();
}

#[tokio::test(start_paused = true)]
async fn the_older_generation_counts_requests_and_tokens_by_the_tier_of_an_account() {
    let mut bench = OPEN.clone();
    older_generation(&mut bench);
    let stage = Stage::new(&bench.world, 1.0, None);
    let account = |name: &str, groups: &[&str], audience: &str| {
        let user = format!("system:serviceaccount:maas-default-gateway-tier-free:{name}");
        stage.knows(name, &user, groups, audience);
    };
    account(
        "anna",
        &["system:authenticated", "may-call-models"],
        "maas-default-gateway-sa",
    );
    account(
        "bert",
        &["system:authenticated", "may-call-models"],
        "maas-default-gateway-sa",
    );
    account("carl", &["system:authenticated"], "maas-default-gateway-sa");
    account("dora", &["premium-group", "may-call-models"], "maas-default-gateway-sa");
    account(
        "else",
        &["system:authenticated", "may-call-models"],
        "https://kubernetes.default.svc",
    );
    assert_eq!(chat(&stage, "").await.status, 401);
    assert_eq!(chat(&stage, "else").await.status, 401, "another audience");
    assert_eq!(chat(&stage, "carl").await.status, 403, "no right to post");
    let asked = stage.asked();
    assert_eq!(asked["resourceAttributes"]["name"], json!("qwen3-8b"));
    assert_eq!(asked["resourceAttributes"]["verb"], json!("post"));

    let models = format!("{HOST}/{MODELS}/qwen3-8b/v1/models");
    for _ in 0..5 {
        assert_eq!(stage.call("GET", &models, "anna", &Value::Null).await.status, 200);
    }
    assert_eq!(
        stage.call("GET", &models, "anna", &Value::Null).await.status,
        429,
        "five requests"
    );
    let codes = [
        chat(&stage, "bert").await.status,
        chat(&stage, "bert").await.status,
        chat(&stage, "bert").await.status,
    ];
    assert_eq!(codes, [200, 200, 429], "a hundred tokens");
    for _ in 0..6 {
        assert_eq!(chat(&stage, "dora").await.status, 200, "no limit is for her tier");
    }
}

/// A model elsewhere, for those who are premium.
fn external(bench: &mut Bench, label: &str) {
    let secret = json!({"metadata": {"labels": {"inference.networking.k8s.io/bbr-managed": label}}, "data": {"api-key": STANDARD.encode("secret")}});
    bench.put(SECRET, object(SECRET, MODELS, "litellm-credentials", secret));
    let spec = json!({"spec": {
        "provider": "openai", "endpoint": "litellm.example.com", "targetModel": "qwen3-14b", "credentialRef": {"name": "litellm-credentials"},
    }});
    bench.put(EXTERNAL_MODEL, object(EXTERNAL_MODEL, MODELS, "qwen3-14b", spec));
    let spec = json!({"spec": {"modelRef": {"kind": "ExternalModel", "name": "qwen3-14b"}}});
    bench.put(MAAS_MODEL_REF, object(MAAS_MODEL_REF, MODELS, "qwen3-14b", spec));
    let groups = json!({"groups": [{"name": "premium-users"}]});
    let limited =
        json!({"name": "qwen3-14b", "namespace": MODELS, "tokenRateLimits": [{"limit": 1000, "window": "1h"}]});
    let spec = json!({"spec": {"priority": 0, "owner": groups, "modelRefs": [limited]}});
    bench.put(
        MAAS_SUBSCRIPTION,
        object(
            MAAS_SUBSCRIPTION,
            "models-as-a-service",
            "external-premium-subscription",
            spec,
        ),
    );
    let spec = json!({"spec": {"subjects": groups, "modelRefs": [{"name": "qwen3-14b", "namespace": MODELS}]}});
    bench.put(
        MAAS_AUTH_POLICY,
        object(
            MAAS_AUTH_POLICY,
            "models-as-a-service",
            "external-premium-auth-policy",
            spec,
        ),
    );
    bench.settle();
}

#[tokio::test(start_paused = true)]
async fn a_model_elsewhere_wants_its_own_subscription_and_a_credential_that_is_seen() {
    let mut bench = demo();
    external(&mut bench, "true");
    let stage = stage(&bench).await;
    let url = format!("{HOST}/{MODELS}/qwen3-14b/v1/chat/completions");
    let (plain, _) = key(&stage, "alice", &json!({"name": "plain"})).await;
    let refused = stage.call("POST", &url, &plain, &question("qwen3-14b")).await;
    assert_eq!(
        (refused.status, refused.reason.as_str()),
        (403, "model_not_in_subscription")
    );
    let (bound, _) = key(
        &stage,
        "alice",
        &json!({"name": "bound", "subscription": "external-premium-subscription"}),
    )
    .await;
    let answer = stage.call("POST", &url, &bound, &question("qwen3-14b")).await;
    assert_eq!(
        (answer.status, answer.body["choices"][0]["finish_reason"].clone()),
        (200, json!("stop")),
        "{answer:?}"
    );
    assert!(answer.text.contains("qwen3-14b at litellm.example.com"), "{answer:?}");
    let mut calls = 1;
    while stage.call("POST", &url, &bound, &question("qwen3-14b")).await.status == 200 {
        calls += 1;
    }
    assert!(calls <= 20, "{calls}");
    assert_eq!(chat(&stage, &bound).await.status, 403, "the key is bound");

    external(&mut bench, "false");
    let stage = self::stage(&bench).await;
    let (bound, _) = key(
        &stage,
        "alice",
        &json!({"name": "bound", "subscription": "external-premium-subscription"}),
    )
    .await;
    let unseen = stage.call("POST", &url, &bound, &question("qwen3-14b")).await;
    assert_eq!(
        (unseen.status, unseen.text.as_str()),
        (500, "provider 'openai' credentials not found"),
        "E1"
    );
}

const LLM_D: &str = "https://inference.apps.example.com";

/// The llm-d gateway, with a model that asks who calls and one that does not.
fn llm_d() -> Bench {
    let mut bench = Bench::new(&[]);
    platform(&mut bench);
    let secret = json!({"data": {"tls.crt": "eA==", "tls.key": "eA=="}});
    bench.put(SECRET, object(SECRET, INGRESS, "router-certs-default", secret));
    let spec = json!({"spec": {"gatewayClassName": "openshift-default", "listeners": [{
        "name": "https", "hostname": "inference.apps.example.com", "port": 443, "protocol": "HTTPS",
        "tls": {"certificateRefs": [{"kind": "Secret", "name": "router-certs-default"}]},
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }]}});
    bench.put(GATEWAY, object(GATEWAY, INGRESS, "openshift-ai-inference", spec));
    let spec = json!({"spec": {
        "host": "inference.apps.example.com", "to": {"kind": "Service", "name": "openshift-ai-inference-openshift-default"},
        "port": {"targetPort": "https"}, "tls": {"termination": "passthrough"},
    }});
    bench.put(ROUTE, object(ROUTE, INGRESS, "openshift-ai-inference", spec));
    bench.put(NAMESPACE, object(NAMESPACE, "", MODELS, json!({})));
    for (name, asks) in [("asking", "true"), ("open", "false")] {
        let annotations = json!({"security.opendatahub.io/enable-auth": asks});
        let spec = json!({
            "replicas": 1, "model": {"uri": "hf://org/model", "name": name}, "router": {"route": {}, "scheduler": {}},
            "template": {"containers": [{"name": "main"}]},
        });
        let parts = json!({"metadata": {"annotations": annotations}, "spec": spec});
        bench.put(
            LLM_INFERENCE_SERVICE,
            object(LLM_INFERENCE_SERVICE, MODELS, name, parts),
        );
    }
    bench.settle();
    bench
}

async fn asked(stage: &Stage, model: &str, token: &str) -> u16 {
    let url = format!("{LLM_D}/{MODELS}/{model}/v1/chat/completions");
    stage.call("POST", &url, token, &question(model)).await.status
}

#[tokio::test(start_paused = true)]
async fn a_model_of_the_llm_d_gateway_asks_for_a_token_whose_owner_may_read_it_unless_it_says_otherwise() {
    let mut bench = llm_d();
    let stage = Stage::new(&bench.world, 1.0, None);
    stage.knows("may", "anna", &["may-call-models"], "");
    stage.knows("may-not", "otto", &["others"], "");
    assert_eq!(asked(&stage, "asking", "").await, 401);
    assert_eq!(asked(&stage, "asking", "nobody's").await, 401);
    assert_eq!(asked(&stage, "asking", "may-not").await, 403);
    assert_eq!(asked(&stage, "asking", "may").await, 200);
    let question = stage.asked();
    assert_eq!(question["user"], json!("anna"));
    let attributes = json!({
        "group": "serving.kserve.io", "resource": "llminferenceservices", "verb": "get", "namespace": MODELS, "name": "asking",
    });
    assert_eq!(question["resourceAttributes"], attributes);
    assert_eq!(asked(&stage, "open", "").await, 200);

    // Saying otherwise counts, in both directions, and nothing is left of what was said before.
    for (model, asks) in [("asking", "false"), ("open", "true")] {
        let annotations = json!({"metadata": {"annotations": {"security.opendatahub.io/enable-auth": asks}}});
        bench.set(LLM_INFERENCE_SERVICE, MODELS, model, annotations);
    }
    bench.settle();
    stage.see(&bench.world);
    assert_eq!(asked(&stage, "asking", "").await, 200);
    assert_eq!(asked(&stage, "open", "").await, 401);
    assert!(!bench.world.has(AUTH_POLICY, MODELS, "open-kserve-route-authn"));

    // A Gateway that no model uses any more has no policy.
    for model in ["asking", "open"] {
        bench.delete(LLM_INFERENCE_SERVICE, MODELS, model);
    }
    assert_eq!(bench.world.list(AUTH_POLICY).count(), 0);
}

#[tokio::test(start_paused = true)]
async fn authorino_with_tls_is_asked_by_the_llm_d_gateway_once_that_speaks_tls_too() {
    let mut bench = llm_d();
    let filter = "openshift-ai-inference-authn-ssl";
    assert!(!bench.world.has(ENVOY_FILTER, INGRESS, filter), "Authorino has no TLS");
    let tls =
        json!({"spec": {"listener": {"tls": {"enabled": true, "certSecretRef": {"name": "authorino-server-cert"}}}}});
    bench.set(AUTHORINO, "kuadrant-system", "authorino", tls);
    bench.settle();
    let stage = Stage::new(&bench.world, 1.0, None);
    assert_eq!(
        asked(&stage, "asking", "").await,
        500,
        "nobody looks at the gateway again"
    );
    let bootstrap = json!({"metadata": {"annotations": {"security.opendatahub.io/authorino-tls-bootstrap": "true"}}});
    bench.set(GATEWAY, INGRESS, "openshift-ai-inference", bootstrap);
    bench.settle();
    stage.see(&bench.world);
    assert!(bench.world.has(ENVOY_FILTER, INGRESS, filter));
    assert_eq!(asked(&stage, "asking", "").await, 401);
    assert_eq!(asked(&stage, "open", "").await, 200);
}
