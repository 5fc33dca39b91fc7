//! Stock `kubectl` against the server. Where there is none on the PATH, each test says that it proves nothing.

use std::path::Path;
use std::process::Stdio;

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::harness::Cluster;

struct Kubectl {
    server: String,
    home: tempfile::TempDir,
}

impl Kubectl {
    async fn of(cluster: &Cluster) -> Option<Self> {
        let found = Command::new("kubectl")
            .arg("version")
            .arg("--client")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await;
        if !found.is_ok_and(|status| status.success()) {
            tracing::warn!("kubectl is not on the PATH: this test proves nothing");
            return None;
        }
        Some(Self {
            server: cluster.server.url(),
            home: tempfile::tempdir().expect("a temporary directory"),
        })
    }

    /// Runs one command; returns whether it succeeded, and what it printed on both streams.
    async fn run(&self, arguments: &str, input: &str) -> (bool, String) {
        let mut child = Command::new("kubectl")
            .args([
                "--server",
                &self.server,
                "--cache-dir",
                &self.home.path().display().to_string(),
            ])
            .args(arguments.split(' '))
            .env("HOME", self.home.path())
            .env("KUBECONFIG", Path::new("/dev/null"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl runs");
        let mut stdin = child.stdin.take().expect("stdin is piped");
        stdin.write_all(input.as_bytes()).await.expect("kubectl reads");
        drop(stdin);
        let output = child.wait_with_output().await.expect("kubectl ends");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    async fn ok(&self, arguments: &str, input: &str) -> String {
        let (is_ok, text) = self.run(arguments, input).await;
        assert!(is_ok, "kubectl {arguments}: {text}");
        text
    }
}

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: d, namespace: 'n'}
spec:
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec:
      containers: [{name: main, image: 'i:1', env: [{name: A, value: '1'}]}]
";

#[tokio::test]
async fn kubectl_applies_reads_edits_and_deletes() {
    let cluster = Cluster::start().await;
    let Some(kubectl) = Kubectl::of(&cluster).await else {
        return;
    };
    assert_eq!(
        kubectl.ok("apply --server-side -f -", DEPLOYMENT).await,
        "deployment.apps/d serverside-applied\n"
    );
    let adopted = kubectl.ok("apply -f - --field-manager=csa", DEPLOYMENT).await;
    assert!(adopted.starts_with("deployment.apps/d configured\n"), "{adopted}");
    assert_eq!(
        kubectl.ok("apply -f - --field-manager=csa", DEPLOYMENT).await,
        "deployment.apps/d unchanged\n"
    );
    kubectl.ok("-n n scale deployment d --replicas=3", "").await;
    kubectl.ok("-n n label deployment d a=b", "").await;
    kubectl.ok("-n n annotate deployment d note=x", "").await;
    kubectl.ok("-n n set env deployment/d B=2", "").await;
    let text = kubectl.ok("-n n get deployment d -o jsonpath={.spec.replicas}/{.metadata.labels.a}/{.spec.template.spec.containers[0].env[*].name}", "").await;
    assert_eq!(text, "3/b/A B");
    let table = kubectl.ok("-n n get deployments", "").await;
    assert!(
        table.starts_with("NAME   READY   UP-TO-DATE   AVAILABLE   AGE\nd      0/3"),
        "{table}"
    );
    let described = kubectl.ok("-n n describe deployment d", "").await;
    assert!(
        described.contains("Replicas:") && described.contains("StrategyType:"),
        "{described}"
    );
    let (is_ok, conflict) = kubectl
        .run(
            "apply --server-side --field-manager=m -f -",
            &DEPLOYMENT.replace("i:1", "i:2"),
        )
        .await;
    assert!(
        !is_ok && conflict.contains("containers[name=\"main\"].image"),
        "{conflict}"
    );
    let diff = kubectl
        .run(
            "diff --server-side --force-conflicts -f -",
            &DEPLOYMENT.replace("i:1", "i:2"),
        )
        .await;
    assert!(
        diff.1.contains("+      - env:") || diff.1.contains("image: i:2"),
        "{}",
        diff.1
    );
    kubectl.ok("-n n delete deployment d --wait", "").await;
    assert_eq!(
        kubectl.ok("-n n get deployments", "").await,
        "No resources found in n namespace.\n"
    );
}

#[tokio::test]
async fn kubectl_waits_for_a_definition_and_explains_it() {
    let cluster = Cluster::start().await;
    let Some(kubectl) = Kubectl::of(&cluster).await else {
        return;
    };
    kubectl
        .ok(
            "apply --server-side -f -",
            &crate::definitions::thing_definition().to_string(),
        )
        .await;
    kubectl
        .ok("wait --for=condition=Established crd/things.exp-x.io --timeout=10s", "")
        .await;
    kubectl
        .ok(
            "apply --server-side -f -",
            r#"{"apiVersion":"exp-x.io/v1beta1","kind":"Thing","metadata":{"name":"t","namespace":"n"},"spec":{"x":"1"}}"#,
        )
        .await;
    let table = kubectl.ok("-n n get th", "").await;
    assert!(table.starts_with("NAME   PHASE   AGE\nt"), "{table}");
    let explained = kubectl.ok("explain thing.spec.keyed", "").await;
    assert!(explained.contains("protocol\t<string>"), "{explained}");
    kubectl
        .ok(
            "-n n patch thing t --type=merge -p {\"metadata\":{\"finalizers\":[\"x.io/f\"]}}",
            "",
        )
        .await;
    kubectl.ok("-n n delete thing t --wait=false", "").await;
    kubectl
        .ok(
            "-n n patch thing t --type=json -p [{\"op\":\"remove\",\"path\":\"/metadata/finalizers\"}]",
            "",
        )
        .await;
    kubectl.ok("-n n wait --for=delete thing/t --timeout=10s", "").await;
    kubectl.ok("delete namespace n --timeout=20s", "").await;
    let names = kubectl.ok("api-resources --api-group=exp-x.io -o name", "").await;
    assert_eq!(names, "things.exp-x.io\n");
    // Asked in protobuf.
    assert_eq!(kubectl.ok("auth can-i create deployments", "").await, "yes\n");
}
