//! Whom the served cluster lets in, and to what: by stock `curl` and `kubectl`, over TLS. Where there are none on the PATH,
//! each test says that it proves nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::seed::{ADMIN_PASSWORD, ADMIN_USER};
use crate::{OperatorsMode, Simulator, SimulatorOptions};

async fn served(dir: &Path) -> Simulator {
    let mut options = SimulatorOptions::new(dir);
    options.operators = OperatorsMode::Paused;
    Simulator::start(options).await.expect("the simulator starts")
}

/// Runs curl; returns what it printed on both streams.
async fn curl(arguments: &[&str]) -> Option<String> {
    let all = [&["--silent", "--show-error", "--noproxy", "*"], arguments].concat();
    said("curl", &all).await
}

async fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().await;
    let Ok(output) = output else {
        tracing::warn!(program, "it is not on the PATH: this test proves nothing");
        return None;
    };
    let text = [output.stdout, output.stderr].concat();
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// A served cluster, and how stock clients are told of it.
struct Stage {
    simulator: Simulator,
    authority: String,
    kubeconfig: String,
}

impl Stage {
    async fn of(dir: &Path) -> Self {
        let simulator = served(dir).await;
        Self {
            authority: dir.join("ca.crt").display().to_string(),
            kubeconfig: simulator.kubeconfig().display().to_string(),
            simulator,
        }
    }

    /// What the server answers to `curl` with these arguments, head and all.
    async fn curl(&self, path: &str, arguments: &[&str]) -> Option<String> {
        let url = format!("{}{path}", self.simulator.url());
        curl(
            &[
                &["--cacert", &self.authority, "--include", "--http1.1", &url],
                arguments,
            ]
            .concat(),
        )
        .await
    }

    /// Logs in as `oc login` does: the head of the answer.
    async fn log_in(&self, user: &str, password: &str) -> Option<String> {
        let path = "/oauth/authorize?response_type=token&client_id=openshift-challenging-client";
        let who = format!("{user}:{password}");
        self.curl(path, &["--user", &who, "--header", "X-CSRF-Token: 1"]).await
    }

    /// Runs `kubectl`, as the administrator or as the bearer of a token.
    async fn kubectl(&self, token: Option<&str>, arguments: &[&str]) -> Option<String> {
        let server = [
            "--server",
            self.simulator.url(),
            "--certificate-authority",
            &self.authority,
        ];
        let known = match token {
            Some(token) => [&server[..], &["--token", token]].concat(),
            None => vec!["--kubeconfig", &self.kubeconfig],
        };
        said("kubectl", &[&known[..], arguments].concat()).await
    }
}

/// The token in the answer to whoever logged in.
fn token_in(answer: &str) -> String {
    let behind = answer
        .split("access_token=")
        .nth(1)
        .unwrap_or_else(|| panic!("{answer}"));
    behind.split('&').next().unwrap_or_default().to_owned()
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

#[tokio::test]
async fn a_user_logs_in_with_the_password_of_the_htpasswd_document_and_has_his_groups() {
    let dir = tempfile::tempdir().expect("a directory");
    let stage = Stage::of(dir.path()).await;
    let Some(metadata) = stage.curl("/.well-known/oauth-authorization-server", &[]).await else {
        return;
    };
    let authorize = format!(
        "\"authorization_endpoint\":\"{}/oauth/authorize\"",
        stage.simulator.url()
    );
    assert!(metadata.contains(&authorize), "{metadata}");
    let path = "/oauth/authorize?response_type=token&client_id=openshift-challenging-client";
    let unguarded = stage.curl(path, &["--user", "admin:x"]).await.unwrap_or_default();
    assert!(
        unguarded.contains(" 401 ") && unguarded.contains("X-CSRF-Token"),
        "{unguarded}"
    );
    assert!(!unguarded.to_lowercase().contains("www-authenticate"), "{unguarded}");
    for challenged in [
        stage.curl(path, &["--header", "X-CSRF-Token: 1"]).await,
        stage.log_in(ADMIN_USER, "wrong").await,
        stage.log_in("nobody", ADMIN_PASSWORD).await,
    ] {
        let challenged = challenged.unwrap_or_default();
        assert!(challenged.contains("401 Unauthorized"), "{challenged}");
        assert!(
            challenged.contains("www-authenticate: Basic realm=\"openshift\""),
            "{challenged}"
        );
    }
    let users = "/apis/user.openshift.io/v1/users/admin";
    let admin = stage.simulator.token().reveal().to_owned();
    let as_admin = ["--header", &format!("Authorization: Bearer {admin}")];
    let before = stage.curl(users, &as_admin).await.unwrap_or_default();
    assert!(before.contains(" 404 "), "who never logged in is no User: {before}");
    let answer = stage.log_in(ADMIN_USER, ADMIN_PASSWORD).await.unwrap_or_default();
    assert!(
        answer.contains(" 302 ") && answer.contains("#access_token=sha256~"),
        "{answer}"
    );
    let token = token_in(&answer);
    let bearer = ["--header", &format!("Authorization: Bearer {token}")];
    let oneself = stage
        .curl("/apis/user.openshift.io/v1/users/~", &bearer)
        .await
        .unwrap_or_default();
    let (_, body) = oneself.split_once("\r\n\r\n").expect("a body");
    let oneself: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(oneself["metadata"]["name"], ADMIN_USER);
    assert_eq!(oneself["identities"], json!(["htpasswd:admin"]));
    assert_eq!(
        oneself["groups"],
        json!([
            "cluster-admins",
            "rhods-admins",
            "system:authenticated:oauth",
            "system:authenticated"
        ])
    );
    // A second login is the same user; the identity names him.
    let again = token_in(&stage.log_in(ADMIN_USER, ADMIN_PASSWORD).await.unwrap_or_default());
    assert_ne!(token, again);
    let identity = stage
        .curl("/apis/user.openshift.io/v1/identities/htpasswd:admin", &bearer)
        .await
        .unwrap_or_default();
    let uid = oneself["metadata"]["uid"].as_str().expect("a uid");
    assert!(
        identity.contains(uid) && identity.contains("\"providerName\":\"htpasswd\""),
        "{identity}"
    );
    stage.simulator.stop().await;
    // The token outlives the server, and nothing that it kept shows a token or the password.
    let stage = Stage::of(dir.path()).await;
    let oneself = stage
        .curl("/apis/user.openshift.io/v1/users/~", &bearer)
        .await
        .unwrap_or_default();
    assert!(oneself.contains(uid), "{oneself}");
    let audit = std::fs::read_to_string(dir.path().join("audit.ndjson")).expect("a log");
    assert!(!audit.contains(&token) && !audit.contains(&admin) && !audit.contains(ADMIN_PASSWORD));
    assert!(audit.contains("system:serviceaccount:openshift-authentication:oauth-openshift"));
    stage.simulator.stop().await;
}

#[tokio::test]
async fn the_groups_of_a_user_are_those_of_the_moment() {
    let dir = tempfile::tempdir().expect("a directory");
    let stage = Stage::of(dir.path()).await;
    let Some(answer) = stage.log_in(ADMIN_USER, ADMIN_PASSWORD).await else {
        return;
    };
    let token = token_in(&answer);
    let bearer = ["--header", &format!("Authorization: Bearer {token}")];
    let nodes = stage.curl("/api/v1/nodes", &bearer).await.unwrap_or_default();
    assert!(nodes.contains(" 200 OK"), "{nodes}");
    let patch = r#"{"users":[]}"#;
    let arguments = ["patch", "group", "cluster-admins", "--type=merge", "--patch", patch];
    let Some(patched) = stage.kubectl(None, &arguments).await else {
        return;
    };
    assert!(patched.contains("patched"), "{patched}");
    let nodes = stage.curl("/api/v1/nodes", &bearer).await.unwrap_or_default();
    assert!(nodes.contains(" 403 Forbidden"), "{nodes}");
    let refused = stage
        .kubectl(Some(&token), &["get", "secrets", "-n", "default"])
        .await
        .unwrap_or_default();
    assert_eq!(
        refused,
        "Error from server (Forbidden): secrets is forbidden: User \"admin\" cannot list resource \"secrets\" in API \
         group \"\" in the namespace \"default\"\n"
    );
    stage.simulator.stop().await;
}

#[tokio::test]
async fn kubectl_asks_what_it_may_acts_as_others_and_makes_tokens() {
    let dir = tempfile::tempdir().expect("a directory");
    let stage = Stage::of(dir.path()).await;
    let Some(nodes) = stage.kubectl(None, &["get", "nodes", "-o", "name"]).await else {
        return;
    };
    assert!(nodes.contains("node/"), "{nodes}");
    let run = async |line: &str| {
        let arguments: Vec<&str> = line.split(' ').collect();
        stage.kubectl(None, &arguments).await.unwrap_or_default()
    };
    if run("auth can-i get pods").await.contains("unknown format") {
        tracing::warn!("bodies in protobuf are not read: the rest of this test proves nothing");
        return;
    }
    run("create rolebinding viewers --clusterrole=view --user=carol --group=readers -n default").await;
    for (line, answer) in [
        ("auth can-i list pods -n default --as carol", "yes\n"),
        ("auth can-i list pods -n kube-system --as carol", "no\n"),
        ("auth can-i list pods -n default --as dave --as-group readers", "yes\n"),
        ("auth can-i get pods --subresource=log -n default --as carol", "yes\n"),
        ("auth can-i get secrets -n default --as carol", "no\n"),
        ("auth can-i create deployments.apps -n default --as carol", "no\n"),
        ("auth can-i get /version --as carol", "yes\n"),
        ("auth can-i get /metrics --as carol", "no\n"),
    ] {
        let said = run(line).await;
        assert!(said.ends_with(answer), "{line}: {said}");
    }
    let listed = run("auth can-i --list -n default --as carol").await;
    assert!(
        listed.contains("configmaps") && listed.contains("[/healthz]"),
        "{listed}"
    );
    let who = run("auth whoami --as carol --as-group readers").await;
    assert!(
        who.contains("carol") && who.contains("[readers system:authenticated]"),
        "{who}"
    );
    let token = run("create token default -n default --duration=10m").await;
    let account = stage
        .kubectl(Some(token.trim()), &["auth", "whoami"])
        .await
        .unwrap_or_default();
    assert!(account.contains("system:serviceaccount:default:default"), "{account}");
    let refused = stage
        .kubectl(Some(token.trim()), &["get", "pods"])
        .await
        .unwrap_or_default();
    assert!(
        refused.contains("User \"system:serviceaccount:default:default\" cannot list resource \"pods\""),
        "{refused}"
    );
    let nobody = stage
        .kubectl(Some("nobody"), &["get", "pods"])
        .await
        .unwrap_or_default();
    assert!(
        nobody.contains("(Unauthorized)") || nobody.contains("must be logged in"),
        "{nobody}"
    );
    stage.simulator.stop().await;
}
