//! Models of other kinds on the real embedded server, in the middle of [`super::live`]: what schemas, admission and two
//! versions of one kind make of them.

use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use super::kinds::*;
use super::live::Live;
use super::object::Read;

const MODELS: &str = "llm-d-demo";

pub(super) async fn models(live: &Live) {
    disaggregated(live).await;
    connected(live).await;
    external(live).await;
}

pub(super) async fn teardown(live: &Live) {
    live.delete(MAAS_MODEL_REF, MODELS, "qwen3-14b").await;
    live.delete(EXTERNAL_MODEL, MODELS, "qwen3-14b").await;
    for kind in [SERVICE, SERVICE_ENTRY, DESTINATION_RULE, HTTP_ROUTE] {
        live.gone(kind, MODELS, "qwen3-14b").await;
    }
    for name in ["pd", "connected"] {
        live.delete(LLM_INFERENCE_SERVICE, MODELS, name).await;
    }
}

/// Written as the older version, read by its controller as the newer one.
async fn disaggregated(live: &Live) {
    let gvk = GroupVersionKind::gvk(LLM_INFERENCE_SERVICE.group, "v1alpha1", LLM_INFERENCE_SERVICE.kind);
    let resource = ApiResource::from_gvk_with_plural(&gvk, LLM_INFERENCE_SERVICE.plural);
    let api: Api<DynamicObject> = Api::namespaced_with(live.client.clone(), MODELS, &resource);
    let container = json!([{"name": "main", "resources": {"limits": {"cpu": "1"}}}]);
    let manifest = json!({
        "apiVersion": "serving.kserve.io/v1alpha1", "kind": "LLMInferenceService",
        "metadata": {"name": "pd", "namespace": MODELS, "labels": {"llm-d.ai/well-lit-path": "pd-disaggregation"}},
        "spec": {
            "replicas": 1, "model": {"uri": "hf://org/model", "name": "org/model"},
            "router": {"gateway": {"refs": [{"name": "maas-default-gateway", "namespace": "openshift-ingress"}]},
                "route": {}, "scheduler": {"template": {"containers": [{"name": "main", "args": ["-v=4"]}]}}},
            "template": {"containers": container},
            "prefill": {"replicas": 1, "template": {"containers": container}},
        },
    });
    let applying = PatchParams::apply("stackctl/test").force();
    api.patch("pd", &applying, &Patch::Apply(&manifest))
        .await
        .expect("the older version is served");
    live.until(
        "a disaggregated model",
        LLM_INFERENCE_SERVICE,
        MODELS,
        "pd",
        |service| service.is("Ready") && service.is("PrefillWorkloadReady"),
    )
    .await;
    live.until("its endpoints", ENDPOINT_SLICE, MODELS, "", |slice| {
        slice.label("kubernetes.io/service-name") == Some("pd-kserve-workload-svc")
            && slice.list("/endpoints").len() == 2
            && slice
                .list("/endpoints")
                .iter()
                .all(|endpoint| endpoint.is_true("/conditions/ready"))
    })
    .await;
}

async fn connected(live: &Live) {
    let connection = |protocol: &str, data: Value| {
        json!({
            "metadata": {"annotations": {"opendatahub.io/connection-type-protocol": protocol}},
            "stringData": data,
        })
    };
    let bucket = json!({"AWS_S3_BUCKET": "weights", "AWS_S3_ENDPOINT": "https://s3.example.com"});
    live.apply(SECRET, MODELS, "bucket", connection("s3", bucket)).await;
    let elsewhere = json!({"https-host": "hf://org/from-the-connection", "URI": "hf://org/not-this-one"});
    live.apply(SECRET, MODELS, "elsewhere", connection("uri", elsewhere))
        .await;
    let model = |annotations: Value| {
        json!({
            "metadata": {"annotations": annotations},
            "spec": {"model": {"uri": "hf://org/model", "name": "org/model"}, "router": {"route": {}}},
        })
    };
    let denied = live
        .applied(
            LLM_INFERENCE_SERVICE,
            MODELS,
            "connected",
            model(json!({"opendatahub.io/connections": "nowhere"})),
        )
        .await
        .expect_err("its connection is not there");
    assert!(denied.to_string().contains("'nowhere' not found"), "{denied}");
    let denied = live
        .applied(
            LLM_INFERENCE_SERVICE,
            MODELS,
            "connected",
            model(json!({"opendatahub.io/connections": "bucket"})),
        )
        .await
        .expect_err("a bucket is no path");
    assert!(
        denied.to_string().contains("opendatahub.io/connection-path"),
        "{denied}"
    );

    let by_bucket = json!({"opendatahub.io/connections": "bucket", "opendatahub.io/connection-path": "org/model"});
    let stored = live
        .applied(LLM_INFERENCE_SERVICE, MODELS, "connected", model(by_bucket.clone()))
        .await
        .expect("a bucket and a path");
    assert_eq!(stored.text("/spec/model/uri"), "s3://weights/org/model");
    assert_eq!(stored.text("/spec/template/serviceAccountName"), "bucket-sa");
    let account = live
        .until("the account", SERVICE_ACCOUNT, MODELS, "bucket-sa", |_| true)
        .await;
    assert_eq!(account["secrets"], json!([{"name": "bucket"}]));

    let by_uri = json!({"opendatahub.io/connections": "elsewhere"});
    let stored = live
        .applied(LLM_INFERENCE_SERVICE, MODELS, "connected", model(by_uri.clone()))
        .await
        .expect("another connection");
    assert_eq!(stored.text("/spec/model/uri"), "hf://org/from-the-connection");
    assert_eq!(
        stored.text("/spec/template/serviceAccountName"),
        "",
        "went with the bucket"
    );
    // What is written while the connection stays is what counts.
    let stored = live
        .applied(LLM_INFERENCE_SERVICE, MODELS, "connected", model(by_uri))
        .await
        .expect("the same connection");
    assert_eq!(stored.text("/spec/model/uri"), "hf://org/model");
    let refused = live
        .applied(LLM_INFERENCE_SERVICE, MODELS, "connected", model(json!({})))
        .await
        .expect_err("the URI goes with the connection, and a model needs one");
    assert!(refused.to_string().contains("spec.model.uri"), "{refused}");
}

async fn external(live: &Live) {
    live.apply(
        SECRET,
        MODELS,
        "litellm-credentials",
        json!({
            "metadata": {"labels": {"inference.networking.k8s.io/bbr-managed": "true"}}, "stringData": {"api-key": "x"},
        }),
    )
    .await;
    let spec = json!({
        "provider": "openai", "endpoint": "litellm.example.com", "targetModel": "qwen3-14b",
        "credentialRef": {"name": "litellm-credentials"},
    });
    live.apply(EXTERNAL_MODEL, MODELS, "qwen3-14b", json!({"spec": spec}))
        .await;
    let reference = json!({"spec": {"modelRef": {"kind": "ExternalModel", "name": "qwen3-14b"}}});
    live.apply(MAAS_MODEL_REF, MODELS, "qwen3-14b", reference).await;
    live.until("an external model", MAAS_MODEL_REF, MODELS, "qwen3-14b", |reference| {
        reference.text("/status/phase") == "Ready"
    })
    .await;
    for kind in [SERVICE, SERVICE_ENTRY, DESTINATION_RULE, HTTP_ROUTE] {
        live.until(kind.kind, kind, MODELS, "qwen3-14b", |_| true).await;
    }
}
