//! A server for one test, and requests in one line.

use http::{Method, Request};
use kube::client::Body;
use kube::{Client, Config};
use serde_json::{Value, json};
use stackctl_simulator::apiserver::{ApiServer, ApiServerOptions};
use tempfile::TempDir;

/// A served directory of its own.
pub(crate) struct Cluster {
    pub(crate) server: ApiServer,
    pub(crate) client: Client,
    pub(crate) dir: TempDir,
}

/// What was answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) body: Value,
    pub(crate) text: String,
    pub(crate) warnings: Vec<String>,
}

impl Answer {
    /// `code`, and for a refusal its reason and message.
    pub(crate) fn summary(&self) -> String {
        match self.body["message"].as_str() {
            Some(message) if self.code >= 400 => {
                format!(
                    "{} {}: {message}",
                    self.code,
                    self.body["reason"].as_str().unwrap_or("-")
                )
            }
            _ => self.code.to_string(),
        }
    }

    /// Fields of the causes, in their order.
    pub(crate) fn cause_fields(&self) -> Vec<String> {
        let causes = self.body["details"]["causes"].as_array().into_iter().flatten();
        causes
            .map(|cause| cause["field"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// Reason, field and message of the causes.
    pub(crate) fn causes(&self) -> Vec<String> {
        let text = |cause: &Value, key: &str| cause[key].as_str().unwrap_or_default().to_owned();
        let causes = self.body["details"]["causes"].as_array().into_iter().flatten();
        causes
            .map(|cause| {
                format!(
                    "{} {} {}",
                    text(cause, "reason"),
                    text(cause, "field"),
                    text(cause, "message")
                )
            })
            .collect()
    }

    /// managedFields as `manager/Operation[paths]`, the notation of the reference.
    pub(crate) fn managers(&self) -> Vec<String> {
        managers_of(&self.body)
    }

    pub(crate) fn is_ok(&self) -> &Self {
        assert!(self.code < 300, "{}", self.text);
        self
    }
}

fn managers_of(object: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in object["metadata"]["managedFields"].as_array().into_iter().flatten() {
        let text = |key: &str| entry[key].as_str().unwrap_or_default();
        let mut paths = Vec::new();
        walk(&entry["fieldsV1"], &mut String::new(), &mut paths);
        let subresource = if text("subresource").is_empty() {
            String::new()
        } else {
            format!("/{}", text("subresource"))
        };
        lines.push(format!(
            "{}/{}{subresource}[{}]",
            text("manager"),
            text("operation"),
            paths.join(" ")
        ));
    }
    lines
}

fn walk(fields: &Value, path: &mut String, paths: &mut Vec<String>) {
    for (key, below) in fields.as_object().into_iter().flatten() {
        let length = path.len();
        match key.split_at_checked(2) {
            _ if key == "." => {
                paths.push(format!("{path}."));
                continue;
            }
            Some(("f:", name)) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
            Some((_, rest)) => {
                path.push('[');
                path.push_str(rest);
                path.push(']');
            }
            None => path.push_str(key),
        }
        if below.as_object().is_some_and(serde_json::Map::is_empty) {
            paths.push(path.clone());
        } else {
            walk(below, path, paths);
        }
        path.truncate(length);
    }
}

impl Cluster {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let server = ApiServer::start(ApiServerOptions::new(dir.path()))
            .await
            .expect("the server starts");
        let client = client_of(&server);
        let cluster = Self { server, client, dir };
        cluster
            .post("/api/v1/namespaces", &json!({"metadata": {"name": "n"}}))
            .await
            .is_ok();
        cluster
    }

    pub(crate) async fn send(&self, method: Method, path: &str, content_type: &str, body: &[u8]) -> Answer {
        send(&self.client, method, path, &[("content-type", content_type)], body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "", b"").await
    }

    /// GET with an `Accept` header.
    pub(crate) async fn get_as(&self, path: &str, accept: &str) -> Answer {
        send(&self.client, Method::GET, path, &[("accept", accept)], b"").await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, "application/json", body.to_string().as_bytes())
            .await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, "application/json", body.to_string().as_bytes())
            .await
    }

    pub(crate) async fn delete(&self, path: &str, body: Option<&Value>) -> Answer {
        let body = body.map(ToString::to_string).unwrap_or_default();
        self.send(Method::DELETE, path, "application/json", body.as_bytes())
            .await
    }

    /// `APPLY path {body} manager`; `manager` may go on with `&force=true` and the like.
    pub(crate) async fn apply(&self, path: &str, body: &Value, manager: &str) -> Answer {
        let path = format!("{path}?fieldManager={manager}");
        self.send(
            Method::PATCH,
            &path,
            "application/apply-patch+yaml",
            body.to_string().as_bytes(),
        )
        .await
    }

    pub(crate) async fn merge(&self, path: &str, body: &Value, manager: &str) -> Answer {
        let path = format!("{path}?fieldManager={manager}");
        self.send(
            Method::PATCH,
            &path,
            "application/merge-patch+json",
            body.to_string().as_bytes(),
        )
        .await
    }

    pub(crate) async fn json_patch(&self, path: &str, body: &Value, manager: &str) -> Answer {
        let path = format!("{path}?fieldManager={manager}");
        self.send(
            Method::PATCH,
            &path,
            "application/json-patch+json",
            body.to_string().as_bytes(),
        )
        .await
    }

    pub(crate) async fn strategic(&self, path: &str, body: &Value, manager: &str) -> Answer {
        let path = format!("{path}?fieldManager={manager}");
        self.send(
            Method::PATCH,
            &path,
            "application/strategic-merge-patch+json",
            body.to_string().as_bytes(),
        )
        .await
    }

    /// Applies a definition and waits until it is established.
    pub(crate) async fn define(&self, definition: &Value) {
        let name = definition["metadata"]["name"]
            .as_str()
            .expect("a definition has a name");
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        self.apply(&path, definition, "setup").await.is_ok();
        self.until(&path, |answer| {
            let conditions = answer.body["status"]["conditions"].as_array();
            conditions
                .into_iter()
                .flatten()
                .any(|one| one["type"] == "Established" && one["status"] == "True")
        })
        .await;
    }

    /// Reads until the answer is as wanted. What is waited for follows in the background within a moment.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Answer) -> bool) -> Answer {
        let started = tokio::time::Instant::now();
        loop {
            let answer = self.get(path).await;
            if wanted(&answer) {
                return answer;
            }
            assert!(started.elapsed().as_secs() < 10, "{path} stays {}", answer.text);
            tokio::task::yield_now().await;
        }
    }
}

/// A client of a server.
pub(crate) fn client_of(server: &ApiServer) -> Client {
    let mut config = Config::new(server.url().parse().expect("a server has a URL"));
    // A test reads every refusal itself.
    config.default_retry = false;
    Client::try_from(config).expect("a client needs nothing but a URL")
}

/// Sends one request.
pub(crate) async fn send(client: &Client, method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut request = Request::builder().method(method).uri(path.replace('"', "%22"));
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_vec())).expect("a request");
    let response = client.send(request).await.expect("the server answers");
    let code = response.status().as_u16();
    let warnings = response
        .headers()
        .get_all("warning")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .map(ToOwned::to_owned);
    let warnings = warnings.collect();
    let bytes = response.into_body().collect_bytes().await.expect("the body arrives");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer {
        code,
        body,
        text,
        warnings,
    }
}

/// `v1` and the like, and a name.
pub(crate) fn object(api_version: &str, kind: &str, name: &str, rest: &Value) -> Value {
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
    for (key, value) in rest.as_object().into_iter().flatten() {
        if key == "metadata" {
            for (key, value) in value.as_object().into_iter().flatten() {
                object["metadata"][key] = value.clone();
            }
        } else {
            object[key] = value.clone();
        }
    }
    object
}

/// The path of a ConfigMap in the test's namespace.
pub(crate) fn config_map_path(name: &str) -> String {
    format!("/api/v1/namespaces/n/configmaps/{name}")
}

/// A ConfigMap; one without data does not say `data` at all.
pub(crate) fn config_map(name: &str, data: &Value) -> Value {
    if data.as_object().is_none_or(serde_json::Map::is_empty) {
        return object("v1", "ConfigMap", name, &json!({}));
    }
    object("v1", "ConfigMap", name, &json!({ "data": data }))
}
