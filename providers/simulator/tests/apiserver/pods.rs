//! What goes to pods and comes from them, by kube-rs. What `kubectl` does is in `tests/kubectl/`.

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{EvictParams, LogParams};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::Cluster;

/// A pod that runs, as far as the server knows.
async fn running() -> (Cluster, Api<Pod>) {
    let cluster = Cluster::start().await;
    let container = json!({"name": "main", "image": "i:1", "ports": [{"containerPort": 80}]});
    let pod = json!({"metadata": {"name": "p"}, "spec": {"nodeName": "node", "containers": [container]}});
    cluster.post("/api/v1/namespaces/n/pods", &pod).await.is_ok();
    let state = json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}});
    let statuses =
        json!([{"name": "main", "ready": true, "restartCount": 0, "image": "i:1", "imageID": "", "state": state}]);
    let status = json!({"status": {"phase": "Running", "containerStatuses": statuses}});
    cluster
        .merge("/api/v1/namespaces/n/pods/p/status", &status, "kubelet")
        .await
        .is_ok();
    let pods = Api::namespaced(cluster.client.clone(), "n");
    (cluster, pods)
}

#[tokio::test]
async fn kube_rs_forwards_a_port_and_hears_of_one_that_refuses() {
    let (_cluster, pods) = running().await;
    let mut forwarder = pods.portforward("p", &[80, 81]).await.expect("it is forwarded");
    let refused = forwarder.take_error(81).expect("asked once").await;
    assert!(refused.is_some_and(|text| text.contains("connection refused")));
    let mut stream = forwarder.take_stream(80).expect("asked once");
    let request = b"GET /x HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.expect("it is taken");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    assert!(answer.ends_with("pod n/p port 80: /x\n"), "{answer}");
}

#[tokio::test]
async fn kube_rs_reads_a_log() {
    let (_cluster, pods) = running().await;
    let asked = LogParams {
        tail_lines: Some(2),
        timestamps: true,
        ..LogParams::default()
    };
    assert_eq!(
        pods.logs("p", &asked).await.expect("a log"),
        "2026-01-01T00:00:00.000000000Z listening on port 80\n2026-01-01T00:00:00.000000000Z ready\n"
    );
}

#[tokio::test]
async fn an_eviction_deletes_a_pod_and_is_in_the_audit_log() {
    let (cluster, pods) = running().await;
    pods.evict("p", &EvictParams::default()).await.expect("it goes");
    let audit = std::fs::read_to_string(cluster.dir.path().join("audit.ndjson")).expect("an audit log");
    let last = audit.lines().last().expect("a line");
    assert!(
        last.contains(r#""verb":"delete""#) && last.contains(r#""name":"p""#),
        "{last}"
    );
}
