//! Operators that never come to rest, on the real embedded server: they can be stopped all the same.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use serde_json::json;

use super::kinds::{CSV, DEPLOYMENT};
use super::live::Live;
use super::object::Read;
use super::olm_install::PACKAGE;

const NAMESPACE: &str = "openshift-operators";

/// A version that has succeeded; nothing ties it to another one of the same package.
async fn version(live: &Live, name: &str) {
    let labels = json!({"name": "restless"});
    let container = json!({"name": "manager", "image": format!("registry.example.com/{name}")});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
    let deployment = json!({"replicas": 1, "selector": {"matchLabels": labels}, "template": template});
    let deployments = json!([{"name": "restless", "spec": deployment}]);
    let parts = json!({
        "metadata": {"annotations": {PACKAGE: "restless"}},
        "spec": {
            "displayName": name,
            "install": {"strategy": "deployment", "spec": {"deployments": deployments}},
            "installModes": [{"type": "AllNamespaces", "supported": true}],
        },
    });
    live.apply(CSV, NAMESPACE, name, parts).await;
    let status = Patch::Merge(json!({"status": {"phase": "Succeeded"}}));
    let patched = live
        .api(CSV, NAMESPACE)
        .patch_status(name, &PatchParams::default(), &status);
    patched.await.expect("its phase is told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_that_undo_each_others_work_hear_that_they_are_to_stop() {
    let dir = tempfile::tempdir().expect("a directory");
    let live = Live::start(dir.path()).await;
    version(&live, "restless.v1").await;
    version(&live, "restless.v2").await;
    let often = |deployment: &serde_json::Value| deployment.number("/metadata/generation") > Some(20);
    live.until(
        "a Deployment that is never left alone",
        DEPLOYMENT,
        NAMESPACE,
        "restless",
        often,
    )
    .await;
    let stopped = tokio::time::timeout(Duration::from_secs(60), live.simulator.stop()).await;
    assert!(stopped.is_ok(), "nobody hears that it is to stop");
}
