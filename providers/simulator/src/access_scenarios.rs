//! What the served cluster lets in: by stock `curl`, over TLS. Where there is none on the PATH, each test says that it
//! proves nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tokio::process::Command;

use crate::{OperatorsMode, Simulator, SimulatorOptions};

async fn served(dir: &Path) -> Simulator {
    let mut options = SimulatorOptions::new(dir);
    options.operators = OperatorsMode::Paused;
    Simulator::start(options).await.expect("the simulator starts")
}

/// Runs curl; returns what it printed on both streams.
async fn curl(arguments: &[&str]) -> Option<String> {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--noproxy", "*"])
        .args(arguments)
        .output()
        .await;
    let Ok(output) = output else {
        tracing::warn!("curl is not on the PATH: this test proves nothing");
        return None;
    };
    let text = [output.stdout, output.stderr].concat();
    Some(String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test]
async fn it_is_served_over_tls_and_trusted_by_its_own_authority_alone() {
    let dir = tempfile::tempdir().expect("a directory");
    let simulator = served(dir.path()).await;
    let authority = dir.path().join("ca.crt").display().to_string();
    let url = format!("{}/readyz", simulator.url());
    let by_name = url.replace("127.0.0.1", "localhost");
    let shown = ["--write-out", " %{http_version}"];
    for (version, url) in [("--http2", &url), ("--http1.1", &url), ("--http1.1", &by_name)] {
        let arguments = [&shown[..], &["--cacert", &authority, version, url]].concat();
        let Some(text) = curl(&arguments).await else { return };
        let spoken = if version == "--http2" { "2" } else { "1.1" };
        assert_eq!(text, format!("ok {spoken}"));
    }
    let text = curl(&[&url]).await.unwrap_or_default();
    assert!(text.contains("certificate"), "{text}");
    let plain = curl(&[&url.replace("https", "http")]).await.unwrap_or_default();
    assert!(!plain.contains("ok"), "{plain}");
    simulator.stop().await;
}

#[tokio::test]
async fn what_opens_it_is_its_owners_and_stays_good_after_a_restart() {
    let dir = tempfile::tempdir().expect("a directory");
    let first = served(dir.path()).await;
    let (authority, token) = (first.certificate_authority().to_owned(), first.token().clone());
    for name in ["endpoint.json", "kubeconfig", "ca.key", "admin.token"] {
        let mode = dir
            .path()
            .join(name)
            .metadata()
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    first.stop().await;
    let again = served(dir.path()).await;
    assert_eq!(again.certificate_authority(), authority);
    assert_eq!(again.token(), &token);
    let endpoint = crate::live_endpoint(dir.path()).expect("it is served");
    assert!(!format!("{endpoint:?} {again:?}").contains(token.reveal()));
    again.stop().await;
}
