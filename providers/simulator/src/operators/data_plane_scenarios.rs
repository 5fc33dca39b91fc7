//! What callers meet at the hosts of a cluster that the operators have brought up: keys, access, limits.

use std::sync::LazyLock;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::bench::Bench;
use super::kinds::*;
use super::object::{Read, object};
use super::scenarios::{gateway, maas, model, platform, tier};
use crate::data_plane::testing::{Came, Stage};

const HOST: &str = "https://maas.apps.example.com";
const CHAT: &str = "https://maas.apps.example.com/llm-d-demo/qwen3-8b/v1/chat/completions";
const KEYS: &str = "https://maas.apps.example.com/maas-api/v1/api-keys";
const URL: &str = "postgres://maas:abc@maas-db.redhat-ods-applications.svc:5432/maas?sslmode=disable";
/// A minute is 60 ms: nothing here waits, tokio's clock is moved.
const SPEED: f64 = 1000.0;

/// Everything that the demo of tiers has, brought up once: three tiers of one model, one person in each.
static DEMO: LazyLock<Bench> = LazyLock::new(bring_up);

pub(super) fn demo() -> Bench {
    DEMO.clone()
}

fn bring_up() -> Bench {
    let mut bench = Bench::new(&[]);
    platform(&mut bench);
    gateway(&mut bench);
    route(&mut bench);
    database(&mut bench);
    authorino_tls(&mut bench);
    maas(&mut bench);
    let url = json!({"data": {"DB_CONNECTION_URL": STANDARD.encode(URL)}});
    bench.set(SECRET, "redhat-ods-applications", "maas-db-config", url);
    model(&mut bench);
    for (name, priority, limit) in [("freemium", 1, 300), ("pro", 2, 3_000), ("premium", 3, 30_000)] {
        tier(&mut bench, name, priority, limit);
    }
    bench
}

pub(super) fn route(bench: &mut Bench) {
    let spec = json!({"spec": {
        "host": "maas.apps.example.com", "to": {"kind": "Service", "name": "maas-default-gateway-openshift-default"},
        "port": {"targetPort": "https"}, "tls": {"termination": "passthrough", "insecureEdgeTerminationPolicy": "Redirect"},
    }});
    bench.put(ROUTE, object(ROUTE, "openshift-ingress", "maas-default-gateway", spec));
    bench.settle();
}

fn database(bench: &mut Bench) {
    let labels = json!({"app": "maas-db"});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "postgresql"}]}});
    let spec = json!({"spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}});
    bench.put(
        DEPLOYMENT,
        object(DEPLOYMENT, "redhat-ods-applications", "maas-db", spec),
    );
    let spec = json!({"spec": {"selector": labels, "ports": [{"port": 5432}]}});
    bench.put(SERVICE, object(SERVICE, "redhat-ods-applications", "maas-db", spec));
    bench.settle();
}

/// Steps 4a to 4d.
fn authorino_tls(bench: &mut Bench) {
    let tls =
        json!({"spec": {"listener": {"tls": {"enabled": true, "certSecretRef": {"name": "authorino-server-cert"}}}}});
    let annotation = |key: &str, value: &str| json!({"metadata": {"annotations": {key: value}}});
    let serving = annotation(
        "service.beta.openshift.io/serving-cert-secret-name",
        "authorino-server-cert",
    );
    bench.set(SERVICE, "kuadrant-system", "authorino-authorino-authorization", serving);
    bench.settle();
    bench.set(AUTHORINO, "kuadrant-system", "authorino", tls);
    bench.settle();
    let environment =
        json!([{"name": "SSL_CERT_FILE", "value": "/etc/ssl/certs/openshift-service-ca/service-ca-bundle.crt"}]);
    let mut spec = bench.get(DEPLOYMENT, "kuadrant-system", "authorino")["spec"].clone();
    spec["template"]["spec"]["containers"][0]["env"] = environment;
    bench.set(DEPLOYMENT, "kuadrant-system", "authorino", json!({"spec": spec}));
    bench.settle();
    let asks = annotation("security.opendatahub.io/authorino-tls-bootstrap", "true");
    bench.set(GATEWAY, "openshift-ingress", "maas-default-gateway", asks);
    bench.settle();
}

pub(super) async fn stage(bench: &Bench) -> Stage {
    let stage = Stage::new(&bench.world, SPEED, None);
    people(&stage);
    stage.attend().await;
    stage
}

fn people(stage: &Stage) {
    for (name, group) in [
        ("charlie", "freemium-users"),
        ("bob", "pro-users"),
        ("alice", "premium-users"),
    ] {
        stage.knows(name, name, &["system:authenticated", group], "");
    }
    stage.knows("admin", "kube:admin", &["system:authenticated", "system:masters"], "");
    stage.knows("nobody", "nobody", &["system:authenticated"], "");
}

/// Mints a key as somebody.
pub(super) async fn key(stage: &Stage, who: &str, body: &Value) -> (String, String) {
    let minted = stage.call("POST", KEYS, who, body).await;
    assert_eq!(minted.status, 201, "{minted:?}");
    (minted.body.text("/key").to_owned(), minted.body.text("/id").to_owned())
}

pub(super) async fn chat(stage: &Stage, key: &str) -> Came {
    let question =
        json!({"model": "alibaba/qwen3-8b", "max_tokens": 30, "messages": [{"role": "user", "content": "Say hello"}]});
    stage.call("POST", CHAT, key, &question).await
}

#[tokio::test(start_paused = true)]
async fn charlie_is_refused_after_a_few_calls_and_bob_and_alice_go_on() {
    let bench = demo();
    let stage = stage(&bench).await;
    let (charlie, _) = key(&stage, "charlie", &json!({"name": "demo"})).await;
    let first = chat(&stage, &charlie).await;
    assert_eq!(
        (first.status, first.body["usage"]["total_tokens"].clone()),
        (200, json!(79)),
        "{first:?}"
    );
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(chat(&stage, &charlie).await.status);
    }
    assert_eq!(codes, [200, 200, 200, 429], "300 tokens last for four calls");
    for who in ["bob", "alice"] {
        let (key, _) = key(&stage, who, &json!({"name": "demo"})).await;
        for _ in 0..5 {
            assert_eq!(chat(&stage, &key).await.status, 200, "{who}");
        }
    }
    let (another, _) = key(&stage, "charlie", &json!({"name": "another"})).await;
    assert_eq!(chat(&stage, &another).await.status, 429, "all keys of a person share");
    let models = format!("{HOST}/llm-d-demo/qwen3-8b/v1/models");
    assert_eq!(
        stage.call("GET", &models, &charlie, &Value::Null).await.status,
        200,
        "exempt"
    );
    let stream = json!({"model": "alibaba/qwen3-8b", "stream": true, "messages": [{"role": "user", "content": "x"}]});
    let hangs = stage.call("POST", CHAT, &charlie, &stream).await;
    assert!(hangs.status == 200 && hangs.hangs, "{hangs:?}");

    let counters = stage.limitador("/counters/llm-d-demo%2Fqwen3-8b-kserve-route").await;
    let counters: Value = serde_json::from_str(&counters).expect("JSON");
    let of_charlie = counters
        .as_array()
        .expect("a list")
        .iter()
        .find(|one| one["set_variables"]["auth.identity.userid"] == "charlie");
    let of_charlie = of_charlie.expect("charlie used something");
    assert_eq!(of_charlie["remaining"], json!(u64::MAX - 15), "16 over: {of_charlie}");
    assert_eq!(of_charlie["limit"]["max_value"], json!(300));

    tokio::time::advance(Duration::from_millis(300)).await;
    assert_eq!(
        chat(&stage, &charlie).await.status,
        200,
        "five minutes at a thousand times"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_not_counted() {
    let bench = demo();
    let stage = stage(&bench).await;
    let (charlie, _) = key(&stage, "charlie", &json!({"name": "demo"})).await;
    let stream = json!({"model": "alibaba/qwen3-8b", "stream": true, "messages": [{"role": "user", "content": "x"}]});
    for _ in 0..20 {
        let answer = stage.call("POST", CHAT, &charlie, &stream).await;
        assert!(
            answer.status == 200 && answer.text.ends_with("data: [DONE]\n\n"),
            "{answer:?}"
        );
    }
    assert_eq!(
        stage.limitador("/counters/llm-d-demo%2Fqwen3-8b-kserve-route").await,
        "[]"
    );
}

#[tokio::test(start_paused = true)]
async fn who_may_call_is_told_by_code_and_reason() {
    let mut bench = demo();
    let stage = stage(&bench).await;
    let (bob, _) = key(&stage, "bob", &json!({"name": "demo"})).await;
    assert_eq!(chat(&stage, "").await.status, 401);
    assert_eq!(chat(&stage, "bob").await.status, 401, "a token of OpenShift is no key");
    let bogus = chat(&stage, "sk-oai-bogus_bogus").await;
    assert_eq!((bogus.status, bogus.reason.as_str()), (403, "unauthorized"));
    assert_eq!(
        stage
            .call("GET", &format!("{HOST}/elsewhere"), &bob, &Value::Null)
            .await
            .status,
        404
    );
    let unknown = json!({"model": "qwen3-8b", "messages": [{"role": "user", "content": "x"}]});
    assert_eq!(
        stage.call("POST", CHAT, &bob, &unknown).await.status,
        404,
        "the id of a model is not its service"
    );
    let refused = stage.call("POST", KEYS, "nobody", &json!({"name": "x"})).await;
    assert_eq!(
        (refused.status, refused.body.text("/code")),
        (400, "invalid_subscription")
    );
    assert_eq!(stage.call("POST", KEYS, "", &json!({"name": "x"})).await.status, 401);
    let models = format!("{HOST}/llm-d-demo/qwen3-8b/v1/models");
    assert_eq!(
        stage.call("GET", &models, "bob", &Value::Null).await.status,
        200,
        "here a token will do"
    );
    let listed = stage
        .call("GET", &format!("{HOST}/v1/models"), &bob, &Value::Null)
        .await;
    assert_eq!(listed.body["data"][0]["id"], json!("alibaba/qwen3-8b"), "{listed:?}");
    assert_eq!(
        listed.body["data"][0]["subscriptions"],
        json!([{"name": "pro-subscription"}])
    );
    let none = stage
        .call("GET", &format!("{HOST}/maas-api/v1/models"), "nobody", &Value::Null)
        .await;
    assert_eq!((none.status, none.body["data"].clone()), (200, json!([])));

    // Deleting a subscription makes its keys fail, with the reason of the selection (reference/serving.md §4.8).
    bench.delete(MAAS_SUBSCRIPTION, "models-as-a-service", "pro-subscription");
    stage.see(&bench.world);
    tokio::time::advance(Duration::from_millis(61)).await;
    let gone = chat(&stage, &bob).await;
    assert_eq!((gone.status, gone.reason.as_str()), (403, "not_found"));
    // Without any policy of its own, the model is closed by the gateway's (M10).
    for name in ["freemium", "pro", "premium"] {
        bench.delete(MAAS_AUTH_POLICY, "models-as-a-service", &format!("{name}-auth-policy"));
    }
    stage.see(&bench.world);
    assert_eq!(chat(&stage, &bob).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn a_moved_person_keeps_the_old_limit_by_the_old_key_until_it_is_revoked() {
    let bench = demo();
    let stage = stage(&bench).await;
    let (old, id) = key(&stage, "charlie", &json!({"name": "demo", "expiresIn": "24h"})).await;
    while chat(&stage, &old).await.status == 200 {}
    stage.knows("charlie", "charlie", &["system:authenticated", "pro-users"], "");
    assert_eq!(chat(&stage, &old).await.status, 429, "a key is a snapshot");
    let (new, _) = key(&stage, "charlie", &json!({"name": "demo"})).await;
    for _ in 0..5 {
        assert_eq!(chat(&stage, &new).await.status, 200);
    }
    let one = format!("{KEYS}/{id}");
    assert_eq!(
        stage.call("DELETE", &one, "bob", &Value::Null).await.status,
        404,
        "somebody else's is not there"
    );
    let revoked = stage.call("DELETE", &one, "charlie", &Value::Null).await;
    assert_eq!((revoked.status, revoked.body.text("/status")), (200, "revoked"));
    assert_eq!(
        chat(&stage, &old).await.status,
        429,
        "Authorino keeps what it was told for a minute"
    );
    tokio::time::advance(Duration::from_millis(60)).await;
    assert_eq!(chat(&stage, &old).await.status, 403);

    let search = |body: Value| {
        let stage = &stage;
        async move {
            stage
                .call("POST", &format!("{KEYS}/search"), "charlie", &body)
                .await
                .body
        }
    };
    let active = search(json!({"filters": {"status": ["active"]}})).await;
    assert_eq!(active["data"].as_array().map(Vec::len), Some(1), "{active}");
    assert_eq!(active["data"][0]["subscription"], json!("pro-subscription"));
    assert!(active["data"][0].get("keyPrefix").is_none());
    let ignored = search(json!({"data": {"filters": {"status": ["active"]}}})).await;
    assert_eq!(
        ignored["data"].as_array().map(Vec::len),
        Some(2),
        "what is wrapped is not read: {ignored}"
    );
    let others = stage
        .call(
            "POST",
            &format!("{KEYS}/search"),
            "charlie",
            &json!({"filters": {"username": "bob"}}),
        )
        .await;
    assert_eq!(others.status, 403);
    assert_eq!(
        stage.asked()["resourceAttributes"]["resource"],
        json!("maasauthpolicies")
    );
    let all = stage
        .call(
            "POST",
            &format!("{KEYS}/bulk-revoke"),
            "admin",
            &json!({"username": "charlie"}),
        )
        .await;
    assert_eq!((all.status, all.body["revokedCount"].clone()), (200, json!(1)));
}

#[tokio::test(start_paused = true)]
async fn a_key_lives_as_long_as_it_was_asked_to_and_no_longer_than_the_tenant_allows() {
    let bench = demo();
    let stage = stage(&bench).await;
    let mint = async |body: Value| stage.call("POST", KEYS, "alice", &body).await;
    assert_eq!(mint(json!({"name": "x", "expiresIn": "91d"})).await.status, 400);
    assert_eq!(mint(json!({"name": "x", "expiresIn": "-1h"})).await.status, 400);
    assert_eq!(mint(json!({})).await.status, 400, "a name is wanted");
    assert_eq!(mint(json!({"ephemeral": true, "expiresIn": "2h"})).await.status, 400);
    assert_eq!(mint(json!({"ephemeral": true})).await.status, 201);
    let days = |minted: &Came| {
        let at = |key: &str| {
            minted
                .body
                .text(key)
                .parse::<k8s_openapi::jiff::Timestamp>()
                .expect("a time")
                .as_second()
        };
        (at("/expiresAt") - at("/createdAt")) / 86_400
    };
    // The guide's own field is unknown, so nobody reads it (S16).
    assert_eq!(days(&mint(json!({"name": "x", "expiresInDays": 1})).await), 90);
    let day = mint(json!({"name": "x", "expiresIn": "24h"})).await;
    assert_eq!(days(&day), 1);
    let key = day.body.text("/key").to_owned();
    assert_eq!(chat(&stage, &key).await.status, 200);
    tokio::time::advance(Duration::from_millis(86_400)).await;
    assert_eq!(chat(&stage, &key).await.status, 403, "a day at a thousand times");
}

#[tokio::test(start_paused = true)]
async fn keys_end_with_the_pod_of_the_embedded_database_and_not_with_the_twin() {
    let mut bench = demo();
    let dir = tempfile::tempdir().expect("a directory");
    let stage = Stage::new(&bench.world, SPEED, Some(dir.path()));
    people(&stage);
    let (alice, _) = key(&stage, "alice", &json!({"name": "demo"})).await;
    assert_eq!(chat(&stage, &alice).await.status, 200);

    let stage = Stage::new(&bench.world, SPEED, Some(dir.path()));
    people(&stage);
    assert_eq!(
        chat(&stage, &alice).await.status,
        200,
        "the twin was started again, the pod was not"
    );

    let pod = |bench: &Bench, app: &str, value: &str| {
        let pods = bench.world.list_in(POD, "redhat-ods-applications");
        let found = pods
            .into_iter()
            .find(|pod| pod.label(app) == Some(value))
            .expect("a pod");
        found.name().to_owned()
    };
    let database = pod(&bench, "app", "maas-db");
    bench.delete(POD, "redhat-ods-applications", &database);
    stage.see(&bench.world);
    stage.attend().await;
    tokio::time::advance(Duration::from_millis(60)).await;
    assert_eq!(chat(&stage, &alice).await.status, 403, "P8");
    let minted = stage.call("POST", KEYS, "alice", &json!({"name": "again"})).await;
    assert_eq!(minted.status, 500, "no tables before maas-api starts again");

    let api = pod(&bench, "app.kubernetes.io/name", "maas-api");
    bench.delete(POD, "redhat-ods-applications", &api);
    stage.see(&bench.world);
    stage.attend().await;
    assert_eq!(chat(&stage, &alice).await.status, 403, "the old keys are gone");
    let (again, _) = key(&stage, "alice", &json!({"name": "again"})).await;
    assert_eq!(chat(&stage, &again).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_on_the_way_is_the_failure_that_it_is() {
    let mut bench = demo();
    let stage = stage(&bench).await;
    let (alice, _) = key(&stage, "alice", &json!({"name": "demo"})).await;
    let health = format!("{HOST}/maas-api/health");

    // P5: no filter, so proxy and Authorino do not understand each other.
    bench.delete(ENVOY_FILTER, "openshift-ingress", "maas-default-gateway-authn-ssl");
    stage.see(&bench.world);
    assert_eq!(
        stage.call("POST", KEYS, "alice", &json!({"name": "x"})).await.status,
        500
    );
    let touch = json!({"metadata": {"annotations": {"touched": "1"}}});
    bench.set(GATEWAY, "openshift-ingress", "maas-default-gateway", touch);
    bench.settle();
    stage.see(&bench.world);
    assert_eq!(chat(&stage, &alice).await.status, 200);

    // P20: the payload processing fails closed.
    let none = json!({"spec": {"replicas": 1, "template": {"spec": {"nodeSelector": {"no": "such node"}}}}});
    bench.set(DEPLOYMENT, "openshift-ingress", "payload-processing", none);
    bench.settle();
    let pods: Vec<String> = bench
        .world
        .list_in(POD, "openshift-ingress")
        .map(|pod| pod.name().to_owned())
        .collect();
    for pod in pods.iter().filter(|pod| pod.starts_with("payload-processing")) {
        bench.delete(POD, "openshift-ingress", pod);
    }
    stage.see(&bench.world);
    assert_eq!(chat(&stage, &alice).await.status, 500);
    assert_eq!(stage.call("GET", &health, "", &Value::Null).await.status, 500);

    // No model, no answer; no Route, no host.
    let mut bench = demo();
    let pods: Vec<String> = bench
        .world
        .list_in(POD, "llm-d-demo")
        .map(|pod| pod.name().to_owned())
        .collect();
    stage.see(&bench.world);
    let (alice, _) = key(&stage, "alice", &json!({"name": "demo"})).await;
    bench.look();
    for pod in &pods {
        let not_ready = json!({"status": {"conditions": [{"type": "Ready", "status": "False"}]}});
        bench.set(POD, "llm-d-demo", pod, not_ready);
    }
    stage.see(&bench.world);
    assert_eq!(chat(&stage, &alice).await.status, 503);
    bench.delete(ROUTE, "openshift-ingress", "maas-default-gateway");
    stage.see(&bench.world);
    let page = stage.call("GET", &health, "", &Value::Null).await;
    assert!(
        page.status == 503 && page.text.contains("Application is not available"),
        "{page:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_changes_counts_at_once_and_keeps_what_was_used() {
    let mut bench = demo();
    let stage = stage(&bench).await;
    let (bob, _) = key(&stage, "bob", &json!({"name": "demo"})).await;
    assert_eq!(chat(&stage, &bob).await.status, 200);
    let limits = |limit: i64, window: &str| {
        let rates = json!([{"limit": limit, "window": window}]);
        json!({"spec": {"modelRefs": [{"name": "qwen3-8b", "namespace": "llm-d-demo", "tokenRateLimits": rates}]}})
    };
    let mut change = |limit: i64, window: &str| {
        bench.set(
            MAAS_SUBSCRIPTION,
            "models-as-a-service",
            "pro-subscription",
            limits(limit, window),
        );
        bench.settle();
        stage.see(&bench.world);
    };
    change(50, "5m");
    assert_eq!(chat(&stage, &bob).await.status, 429, "79 were used");
    change(50, "6m");
    assert_eq!(
        chat(&stage, &bob).await.status,
        200,
        "another window is another counter"
    );
    // Longer than a year: left out of the policy, and nothing limits its keys (S9).
    change(1, "8785h");
    for _ in 0..3 {
        assert_eq!(chat(&stage, &bob).await.status, 200);
    }

    let (charlie, _) = key(&stage, "charlie", &json!({"name": "demo"})).await;
    while chat(&stage, &charlie).await.status == 200 {}
    let pods = bench.world.list_in(POD, "kuadrant-system");
    let limitador = pods
        .into_iter()
        .find(|pod| pod.label("app") == Some("limitador"))
        .expect("a pod");
    let name = limitador.name().to_owned();
    bench.delete(POD, "kuadrant-system", &name);
    stage.see(&bench.world);
    assert_eq!(
        chat(&stage, &charlie).await.status,
        200,
        "counters are in the memory of a pod (S19)"
    );
}
