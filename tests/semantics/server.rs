//! One of the two servers, and how a case is played on it.

use crate::{
    case::{Case, Family, Step},
    normal::Names,
    seen::Seen,
};
use futures_util::{AsyncBufReadExt as _, StreamExt as _};
use http::Request;
use kube::{Client, Config, client::Body, config::KubeConfigOptions, config::Kubeconfig};
use serde_json::{Value, json};
use stackctl_simulator::apiserver::{ApiServer, ApiServerOptions, Authorization, Identity, Token};
use std::{collections::BTreeMap, path::Path, time::Duration};
use tokio::time::{Instant, sleep, timeout_at};

/// How long an answer that is waited for may take.
const DEADLINE: Duration = Duration::from_secs(120);

pub(crate) struct Server {
    client: Client,
    /// What keeps the namespaces of two runs apart on a server that stays.
    run: String,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of these tests that reads the environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether the answers are to be recorded.
pub(crate) fn records() -> bool {
    variable("STACKCTL_RECORD_SEMANTICS").is_some()
}

impl Server {
    pub(crate) async fn embedded(directory: &Path) -> (Self, ApiServer) {
        let administrator = Identity::member("admin", ["system:masters".to_owned()]);
        let options = ApiServerOptions {
            tokens: BTreeMap::from([(Token::new("admin"), administrator)]),
            authorization: Authorization::Rbac,
            ..ApiServerOptions::new(directory)
        };
        let server = ApiServer::start(options).await.expect("the server starts");
        let mut config = Config::new(server.url().parse().expect("a URL"));
        config.auth_info.token = Some("admin".to_owned().into());
        config.default_retry = false;
        let client = Client::try_from(config).expect("a client");
        let this = Self {
            client,
            run: "embedded".to_owned(),
        };
        this.define().await;
        (this, server)
    }

    pub(crate) async fn real() -> Option<Self> {
        let kubeconfig = Kubeconfig::read_from(variable("STACKCTL_TEST_KUBECONFIG")?).expect("a kubeconfig");
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .expect("a usable kubeconfig");
        config.default_retry = false;
        let this = Self {
            client: Client::try_from(config).expect("a client"),
            run: format!("r{}", std::process::id()),
        };
        this.define().await;
        Some(this)
    }

    pub(crate) async fn version(&self) -> Value {
        let (_, version, headers) = self.send("GET", "/version", "", &Value::Null).await;
        json!({"version": version["gitVersion"], "recorded": headers.1})
    }

    /// Plays the cases of a family, some at a time, in their order.
    pub(crate) async fn play_all<'a>(&self, family: &'a Family) -> Vec<(&'a Case, Vec<Value>)> {
        let each = family
            .cases
            .iter()
            .map(async |case| (case, self.play(&family.name, case).await));
        futures_util::stream::iter(each).buffered(8).collect().await
    }

    /// Plays one case in a namespace of its own; one answer a step.
    async fn play(&self, family: &str, case: &Case) -> Vec<Value> {
        let slug = case.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let namespace = format!("sem-{family}-{slug}-{}", self.run).to_lowercase();
        assert!(namespace.len() <= 63, "`{}` is too long a name", case.name);
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        let (code, said, _) = self.send("POST", "/api/v1/namespaces", "", &body).await;
        assert_eq!(code, 201, "{said}");
        let mut names = Names::default();
        let mut seen = Seen::new(&namespace);
        let mut answers = Vec::new();
        for step in &case.steps {
            let answer = self.step(step, &mut seen, &mut names).await;
            let text = answer.to_string().replace(&namespace, "<namespace>");
            answers.push(serde_json::from_str(&text).expect("JSON stays JSON"));
        }
        answers
    }

    async fn step(&self, step: &Step, seen: &mut Seen, names: &mut Names) -> Value {
        let uri = seen.filled(&step.uri(seen.namespace()));
        let body = seen.filled(&step.filled().to_string());
        let body: Value = serde_json::from_str(&body).expect("JSON stays JSON");
        if step.verb() == "WATCH" {
            return self.watch(&uri, step.events, names).await;
        }
        let user = seen.filled(&step.user);
        let begun = Instant::now();
        loop {
            let (code, body, headers) = self.send(step.verb(), &uri, &user, &body).await;
            let is_over = step.until.is_none_or(|wanted| wanted == code) || begun.elapsed() > DEADLINE;
            if is_over {
                seen.note(&body);
                if step.quiet {
                    return json!({"code": code});
                }
                let warnings: Vec<_> = headers.0.iter().map(|text| names.in_text(text)).collect();
                return json!({"code": code, "warnings": warnings, "body": names.normal(&body)});
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn watch(&self, uri: &str, events: usize, names: &mut Names) -> Value {
        let request = Request::get(uri).body(Vec::new()).expect("a request");
        let stream = match self.client.request_stream(request).await {
            Ok(stream) => stream,
            Err(error) => return json!({"refused": error.to_string()}),
        };
        let mut lines = stream.lines().take(events);
        let deadline = Instant::now() + DEADLINE;
        let mut seen = Vec::new();
        while let Ok(Some(line)) = timeout_at(deadline, lines.next()).await {
            let event: Value = serde_json::from_str(&line.expect("a line")).expect("an event");
            seen.push(names.normal(&event));
        }
        Value::Array(seen)
    }

    /// Code, body, and the headers that matter: warnings and the date.
    async fn send(&self, verb: &str, uri: &str, user: &str, body: &Value) -> (u16, Value, (Vec<String>, String)) {
        let (method, content_type) = match verb {
            "APPLY" => ("PATCH", "application/apply-patch+yaml"),
            "MERGE" => ("PATCH", "application/merge-patch+json"),
            "JSON" => ("PATCH", "application/json-patch+json"),
            "STRATEGIC" => ("PATCH", "application/strategic-merge-patch+json"),
            plain => (plain, "application/json"),
        };
        let bytes = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let mut acting = user.split(',').filter(|name| !name.is_empty());
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(user) = acting.next() {
            request = request.header("impersonate-user", user);
        }
        for group in acting {
            request = request.header("impersonate-group", group);
        }
        let request = request
            .header("content-type", content_type)
            .header("accept", "application/json")
            .header("user-agent", "semantics/1")
            .body(Body::from(bytes))
            .expect("a request");
        let response = self.client.send(request).await.expect("the server answers");
        let code = response.status().as_u16();
        let text = |name: &str| {
            let values = response.headers().get_all(name).iter();
            values
                .filter_map(|value| value.to_str().ok())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let headers = (text("warning"), text("date").pop().unwrap_or_default());
        let bytes = response.into_body().collect_bytes().await.expect("the body arrives");
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
        (code, body, headers)
    }

    /// Defines the kinds that the cases use, and waits until they are served.
    async fn define(&self) {
        let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        for plural in ["things", "ruleds"] {
            let file = crate::case::folder().join(format!("{plural}.yaml"));
            let text = std::fs::read_to_string(&file).expect("the definition is there");
            let crd: Value = crate::case::yaml(&text).expect("YAML");
            let one = format!("{crds}/{plural}.sem.stackctl.dev?fieldManager=definition&force=true");
            let (code, said, _) = self.send("APPLY", &one, "", &crd).await;
            assert!(code == 201 || code == 200, "{said}");
            let list = format!("/apis/sem.stackctl.dev/v1/{plural}");
            let begun = Instant::now();
            while self.send("GET", &list, "", &Value::Null).await.0 != 200 {
                assert!(begun.elapsed() < DEADLINE, "{plural} are not served");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
