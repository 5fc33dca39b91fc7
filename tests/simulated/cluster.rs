//! A served embedded cluster, asked over HTTPS without any client library.

use crate::{
    not_run::not_run,
    sandbox::{FAST, Sandbox},
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Child, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

/// `stackctl simulate`, running; ended when dropped.
pub(crate) struct Served {
    child: Child,
    way: Way,
}

/// How the server is reached.
struct Way {
    address: String,
    token: String,
    trust: Arc<ClientConfig>,
}

impl Served {
    pub(crate) fn start(sandbox: &Sandbox) -> Self {
        Self::start_with(sandbox, &["simulate", "--simulate-speed", FAST])
    }

    /// Serves with the operators paused, so that a snapshot stands still.
    pub(crate) fn start_with(sandbox: &Sandbox, arguments: &[&str]) -> Self {
        let mut child = sandbox
            .command(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let started = Instant::now();
        loop {
            if let Some(endpoint) = sandbox.endpoint() {
                let way = Way::of(&endpoint);
                if way.ask("/readyz").is_some() {
                    return Self { child, way };
                }
            }
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "the embedded cluster does not come up"
            );
            assert!(
                child.try_wait().expect("a child").is_none(),
                "the embedded cluster ended"
            );
            std::thread::yield_now();
        }
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        let text = self.way.ask(path).unwrap_or_else(|| panic!("no answer to {path}"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The process that serves.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The answer to any request, if there is one with a 2xx code.
    pub(crate) fn send(&self, asked: (&str, &str), content_type: &str, body: &str) -> Option<String> {
        self.way.exchange(asked, content_type, body)
    }

    /// What is there, if it is.
    pub(crate) fn find(&self, path: &str) -> Option<Value> {
        serde_json::from_str(&self.way.ask(path)?).ok()
    }

    /// Changes an object as somebody else would, by a merge patch.
    #[track_caller]
    pub(crate) fn patch(&self, path: &str, patch: &Value) {
        let path = format!("{path}?fieldManager=somebody-else");
        let content_type = "application/merge-patch+json";
        let answer = self.way.exchange(("PATCH", &path), content_type, &patch.to_string());
        assert!(answer.is_some(), "{path} was not patched with {patch}");
    }

    /// Makes an object as somebody else would.
    #[track_caller]
    pub(crate) fn make(&self, path: &str, object: &Value) {
        let path = format!("{path}?fieldManager=somebody-else");
        let answer = self
            .way
            .exchange(("POST", &path), "application/json", &object.to_string());
        assert!(answer.is_some(), "{path} did not take {object}");
    }

    /// Deletes an object.
    #[track_caller]
    pub(crate) fn remove(&self, path: &str) {
        let answer = self.way.exchange(("DELETE", path), "application/json", "{}");
        assert!(answer.is_some(), "{path} was not deleted");
    }

    /// The URL of its API server.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.way.address)
    }

    /// A token of a service account.
    #[track_caller]
    pub(crate) fn token_of_account(&self, namespace: &str, name: &str) -> String {
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token");
        let answer = self.way.exchange(("POST", &path), "application/json", "{}");
        let answer: Value = serde_json::from_str(&answer.expect("a token")).expect("JSON");
        answer["status"]["token"].as_str().expect("a token").to_owned()
    }

    /// Every object of the cluster by `Kind namespace/name`, found through discovery.
    pub(crate) fn snapshot(&self) -> BTreeMap<String, Value> {
        let mut groups = vec!["/api/v1".to_owned()];
        for group in self.get("/apis")["groups"].as_array().into_iter().flatten() {
            // A kind may be missing in its group's preferred version, as ClusterServiceVersions are.
            for version in group["versions"].as_array().into_iter().flatten() {
                groups.push(format!(
                    "/apis/{}",
                    version["groupVersion"].as_str().unwrap_or_default()
                ));
            }
        }
        let mut objects = BTreeMap::new();
        for group in groups {
            for resource in self.get(&group)["resources"].as_array().into_iter().flatten() {
                let plural = resource["name"].as_str().unwrap_or_default();
                let lists = resource["verbs"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|verb| verb == "list");
                if plural.contains('/') || !lists {
                    continue;
                }
                let kind = resource["kind"].as_str().unwrap_or_default();
                // What is told of objects is nobody's state, and goes by itself.
                if kind == "Event" {
                    continue;
                }
                for item in self.get(&format!("{group}/{plural}"))["items"]
                    .as_array()
                    .into_iter()
                    .flatten()
                {
                    let metadata = &item["metadata"];
                    let namespace = metadata["namespace"].as_str().unwrap_or_default();
                    let name = metadata["name"].as_str().unwrap_or_default();
                    objects
                        .entry(format!("{kind} {namespace}/{name}"))
                        .or_insert_with(|| item.clone());
                }
            }
        }
        objects
    }

    /// Every object once garbage collection and OLM, which no client waits for, have caught up: none whose owners are all
    /// gone, and no copy of a CSV that is gone.
    pub(crate) fn settled(&self) -> BTreeMap<String, Value> {
        let started = Instant::now();
        loop {
            let objects = self.snapshot();
            let uids: BTreeSet<&str> = objects.values().filter_map(|o| o["metadata"]["uid"].as_str()).collect();
            let is_garbage = |object: &Value| {
                if let Some(from) = object["metadata"]["labels"]["olm.copiedFrom"].as_str() {
                    let name = object["metadata"]["name"].as_str().unwrap_or_default();
                    return !objects.contains_key(&format!("ClusterServiceVersion {from}/{name}"));
                }
                let owners = object["metadata"]["ownerReferences"].as_array();
                owners.is_some_and(|owners| {
                    let mut uids_of = owners.iter().filter_map(|owner| owner["uid"].as_str());
                    !owners.is_empty() && uids_of.all(|uid| !uids.contains(uid))
                })
            };
            let garbage = objects
                .iter()
                .find(|(_, object)| is_garbage(object))
                .map(|(key, _)| key);
            let Some(garbage) = garbage else { return objects };
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "{garbage} is not collected"
            );
        }
    }
}

impl Way {
    fn of(endpoint: &Value) -> Self {
        let text = |key: &str| endpoint[key].as_str().unwrap_or_default();
        let mut roots = RootCertStore::empty();
        let authority =
            CertificateDer::from_pem_slice(text("certificate_authority").as_bytes()).expect("a certificate");
        roots.add(authority).expect("an authority");
        let trust = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let url = text("url");
        let address = url
            .strip_prefix("https://")
            .unwrap_or_else(|| panic!("{url} is not safe"));
        Self {
            address: address.trim_end_matches('/').to_owned(),
            token: text("token").to_owned(),
            trust: Arc::new(trust),
        }
    }

    /// The answer to a GET, if there is one with a 2xx code.
    fn ask(&self, path: &str) -> Option<String> {
        self.exchange(("GET", path), "", "")
    }

    /// The answer to a request, if there is one with a 2xx code.
    fn exchange(&self, (method, path): (&str, &str), content_type: &str, body: &str) -> Option<String> {
        let Self { address, token, trust } = self;
        let tcp = TcpStream::connect(address).ok()?;
        let host = address.split(':').next().unwrap_or_default().to_owned();
        let name = ServerName::try_from(host).ok()?;
        let mut stream = StreamOwned::new(ClientConnection::new(Arc::clone(trust), name).ok()?, tcp);
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nAccept: application/json\r\n\
             Content-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        // A server that is killed leaves an answer without its end; what came of it counts.
        if stream.read_to_end(&mut answer).is_err() && answer.is_empty() {
            return None;
        }
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n")?;
        if !head.lines().next()?.contains(" 2") {
            return None;
        }
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        Some(if chunked { unchunked(body) } else { body.to_owned() })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // SIGKILL: nothing that was acknowledged may depend on a clean end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn unchunked(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some((size, after)) = rest.split_once("\r\n") {
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else {
            break;
        };
        if size == 0 || after.len() < size {
            break;
        }
        out.push_str(&after[..size]);
        rest = after[size..].trim_start_matches("\r\n");
    }
    out
}

/// Runs stock kubectl, where it is on the machine; says so loudly where it is not.
pub(crate) fn kubectl(sandbox: &Sandbox, served: &Served, arguments: &[&str]) -> Option<(bool, String)> {
    kubectl_edits(sandbox, served, "", arguments)
}

/// The same with an editor: an expression of sed over the file that kubectl hands out.
pub(crate) fn kubectl_edits(
    sandbox: &Sandbox,
    _: &Served,
    expression: &str,
    arguments: &[&str],
) -> Option<(bool, String)> {
    let config = sandbox.path().join(".stackctl/simulator/kubeconfig");
    let output = std::process::Command::new("kubectl")
        .arg("--kubeconfig")
        .arg(config)
        .args(arguments)
        .env("HOME", sandbox.path())
        .env("KUBE_EDITOR", format!("sed -i {expression}"))
        .output();
    let Ok(output) = output else {
        not_run(&format!("kubectl is not on this machine; {arguments:?} was not tried"));
        return None;
    };
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Some((output.status.success(), text))
}
