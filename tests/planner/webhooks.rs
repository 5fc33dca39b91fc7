//! What admission does to the objects of the table: in the process of the embedded server, and as a webhook over TLS that
//! a real one calls.

use crate::world::World;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose};
use serde_json::{Value, json};
use stackctl_engine::ObjectRef;
use stackctl_simulator::apiserver::{Admission, AdmissionRequest, Operation, Rejection};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Duration, Instant, sleep},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// Writes another text each time.
static STAMPS: AtomicU64 = AtomicU64::new(0);

/// What admission makes of the data of a ConfigMap, by its label.
fn admitted(object: &Value) -> Vec<(&'static str, String)> {
    match object["metadata"]["labels"]["admission"].as_str() {
        Some("defaulted") => vec![("added", "by admission".to_owned())],
        Some("changed") => vec![("k", "theirs".to_owned())],
        Some("stamped") => vec![("stamp", STAMPS.fetch_add(1, Ordering::Relaxed).to_string())],
        _ => Vec::new(),
    }
}

/// The same within the embedded server.
#[derive(Debug, Default)]
pub(crate) struct InProcess;

impl Admission for InProcess {
    fn name(&self) -> &str {
        "planner.example"
    }

    fn handles(&self, request: &AdmissionRequest<'_>) -> bool {
        request.kind == "ConfigMap" && matches!(request.operation, Operation::Create | Operation::Update)
    }

    fn mutate(&self, request: &AdmissionRequest<'_>, object: &mut Value) -> Result<(), Rejection> {
        if request.dry_run && request.name == "audited" {
            return Err(Rejection::TakesNoDryRun);
        }
        for (key, value) in admitted(object) {
            object["data"][key] = json!(value);
        }
        Ok(())
    }
}

/// A webhook on loopback that a real server calls.
pub(crate) struct Served {
    task: JoinHandle<()>,
    configuration: ObjectRef,
}

impl Served {
    /// Serves it, and has the server call it for every ConfigMap of the world.
    pub(crate) async fn start(world: &mut World) -> Self {
        let (acceptor, authority) = identity();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!(
            "https://127.0.0.1:{}/admit",
            listener.local_addr().expect("an address").port()
        );
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                tokio::spawn(answer_all(acceptor.clone(), stream));
            }
        });
        let name = world.namespace.clone();
        let configuration =
            ObjectRef::cluster("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", &name);
        let webhook = json!({
            "name": "planner.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Fail",
            "clientConfig": {"url": url, "caBundle": STANDARD.encode(authority)},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE", "UPDATE"]}],
            "objectSelector": {"matchExpressions": [{"key": "admission", "operator": "Exists"}]},
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
        });
        let body = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": name}, "webhooks": [webhook]});
        world.make(configuration.clone(), body).await;
        called(world).await;
        Self { task, configuration }
    }

    pub(crate) async fn stop(self, world: &World) {
        world.take(self.configuration).await;
        self.task.abort();
    }
}

/// Waits until the server calls the webhook: it learns of a configuration by a watch of its own.
async fn called(world: &mut World) {
    world.apply(&[world.namespace()]).await;
    let probe = ObjectRef::namespaced("v1", "ConfigMap", &world.namespace, "probe");
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "probe", "namespace": world.namespace, "labels": {"admission": "defaulted"}}, "data": {"k": "ours"}});
    let deadline = Instant::now() + Duration::from_secs(30);
    while world.asked(probe.clone(), body.clone()).await["data"]["added"].is_null() {
        assert!(Instant::now() < deadline, "the server does not call the webhook");
        sleep(Duration::from_millis(50)).await;
    }
}

/// A certificate for loopback, and the authority that signed it, as PEM.
fn identity() -> (TlsAcceptor, String) {
    let mut ca = CertificateParams::new(Vec::new()).expect("no names");
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let names = vec!["127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)
        .expect("an address")
        .signed_by(&key, &ca)
        .expect("a certificate");
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("they belong together");
    (TlsAcceptor::from(Arc::new(config)), ca.pem())
}

/// Answers every review of one connection.
async fn answer_all(acceptor: TlsAcceptor, stream: TcpStream) {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    let mut read = Vec::new();
    loop {
        let Some((head, length)) = head(&read) else {
            if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return;
            }
            continue;
        };
        while read.len() < head + length {
            if stream.read_buf(&mut read).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let review: Value = serde_json::from_slice(&read[head..head + length]).expect("a review");
        read.drain(..head + length);
        let body = reviewed(&review).to_string();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Where the body of a request begins and how long it is, once its head was read.
fn head(read: &[u8]) -> Option<(usize, usize)> {
    let end = read.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&read[..end]).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"))?;
    Some((end, length.trim().parse().ok()?))
}

fn reviewed(review: &Value) -> Value {
    let request = &review["request"];
    let patch: Vec<Value> = admitted(&request["object"])
        .into_iter()
        .map(|(key, value)| json!({"op": "add", "path": format!("/data/{key}"), "value": value}))
        .collect();
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {
        "uid": request["uid"], "allowed": true, "patchType": "JSONPatch", "patch": STANDARD.encode(json!(patch).to_string()),
    }})
}
