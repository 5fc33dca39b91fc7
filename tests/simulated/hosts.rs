//! The hosts of a served cluster, asked by stock curl, which trusts what the cluster itself says is to be trusted.

use crate::{
    cluster::Served,
    not_run::not_run,
    sandbox::{FAST, Sandbox},
};
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const MAAS: &str = "maas.apps.sandbox.example.com";

/// Asks a URL; the code and the answer with its headers. Nothing where there is no curl, which is said loudly.
fn curl(sandbox: &Sandbox, arguments: &[&str], url: &str) -> Option<(String, String)> {
    let endpoint = sandbox.endpoint().expect("it is served");
    let address = endpoint["data_plane"]
        .as_str()
        .expect("its hosts answer somewhere")
        .to_owned();
    let output = Command::new("curl")
        .args(["--silent", "--include", "--max-time", "20", "--cacert", "ca.pem"])
        .args(["--connect-to", &format!("::{address}"), "--write-out", "\n%{http_code}"])
        .args(arguments)
        .arg(url)
        .current_dir(sandbox.path())
        .output();
    let Ok(output) = output else {
        not_run("curl is not on this machine");
        return None;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (answer, code) = text.rsplit_once('\n').expect("a code");
    Some((code.to_owned(), answer.to_owned()))
}

#[test]
fn the_hosts_of_the_quickstart_answer_stock_curl() {
    let sandbox = Sandbox::new();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let served = Served::start_with(&sandbox, &["simulate", "--simulate-speed", FAST]);
    trust(&sandbox, &served);

    let chat = format!("https://{MAAS}/llm-d-demo/qwen3-8b/v1/chat/completions");
    let bogus = ["-H", "Authorization: Bearer sk-oai-bogus_bogus", "-d", "{}"];
    for (arguments, url, code, contained) in [
        (&[][..], format!("https://{MAAS}/maas-api/health"), "200", "healthy"),
        (&["-d", "{}"], chat.clone(), "401", "x-ext-auth-reason"),
        (&bogus, chat, "403", "x-ext-auth-reason: unauthorized"),
        (&[], format!("https://{MAAS}/nowhere"), "404", ""),
        (
            &[],
            format!("http://{MAAS}/x?y"),
            "302",
            "location: https://maas.apps.sandbox.example.com/x?y",
        ),
        (
            &[],
            "https://nobody.apps.sandbox.example.com/".to_owned(),
            "503",
            "Application is not available",
        ),
        // Its certificate is for the hosts of applications, so curl ends before it asks.
        (&[], "https://elsewhere.example.com/".to_owned(), "000", ""),
    ] {
        let Some((got, answer)) = curl(&sandbox, arguments, &url) else {
            return;
        };
        assert_eq!(got, code, "{url}: {answer}");
        assert!(answer.contains(contained), "{url}: {answer}");
    }
}

/// Trusts the router's certificate from now on.
fn trust(sandbox: &Sandbox, served: &Served) {
    let authority = served.get("/api/v1/namespaces/openshift-config-managed/configmaps/default-ingress-cert");
    let bundle = authority["data"]["ca-bundle.crt"].as_str().expect("a certificate");
    std::fs::write(sandbox.path().join("ca.pem"), bundle).expect("writable");
}

/// A model on processors, on the llm-d gateway.
fn model(name: &str, auth: bool) -> String {
    format!(
        "[[models]]\nname = \"{name}\"\nmodel_name = \"facebook/opt-125m\"\nnamespace = \"llm-d-demo\"\n\
         source = \"hf://facebook/opt-125m\"\ngpus = 0\nhardware_profile = \"default-profile\"\nauth = {auth}\n"
    )
}

#[test]
fn a_model_of_the_llm_d_gateway_answers_a_token_that_may_read_it_and_nobody_else() {
    let sandbox = Sandbox::new();
    let head = "stack.name = \"two-models\"\ncluster.platform = \"none\"\ntls.issuer = \"existing\"\n";
    sandbox.write(&[head, &model("asking", true), &model("open", false)].concat());
    let platform = ["--simulate-platform", "none"];
    let apply = ["apply", "stack.toml", "--yes"];
    sandbox.simulate(&[&apply[..], &platform].concat()).expect(0);
    let serve = ["simulate", "--simulate-speed", FAST];
    let served = Served::start_with(&sandbox, &[&serve[..], &platform].concat());
    trust(&sandbox, &served);
    let gateway =
        served.get("/apis/gateway.networking.k8s.io/v1/namespaces/openshift-ingress/gateways/openshift-ai-inference");
    let host = gateway["spec"]["listeners"][0]["hostname"]
        .as_str()
        .expect("a host")
        .to_owned();

    // One account may read the model, as `oc create role` and `oc create rolebinding` say it.
    const ACCOUNTS: &str = "/api/v1/namespaces/llm-d-demo/serviceaccounts";
    const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/llm-d-demo";
    for name in ["reader", "stranger"] {
        served.make(ACCOUNTS, &json!({"metadata": {"name": name}}));
    }
    let rule = json!({
        "apiGroups": ["serving.kserve.io"], "resources": ["llminferenceservices"], "resourceNames": ["asking"], "verbs": ["get"],
    });
    served.make(
        &format!("{RBAC}/roles"),
        &json!({"metadata": {"name": "reader"}, "rules": [rule]}),
    );
    let binding = json!({
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": "llm-d-demo"}],
    });
    served.make(&format!("{RBAC}/rolebindings"), &binding);
    let bearer = |name: &str| format!("Authorization: Bearer {}", served.token_of_account("llm-d-demo", name));
    let (reader, stranger) = (bearer("reader"), bearer("stranger"));

    let chat = r#"{"model": "facebook/opt-125m", "messages": [{"role": "user", "content": "Say hello"}]}"#;
    for (model, header, code, contained) in [
        ("asking", "X-Nobody: 1", "401", "www-authenticate: Bearer"),
        ("asking", "Authorization: Bearer nobody's", "401", "x-ext-auth-reason"),
        ("asking", &stranger, "403", "x-ext-auth-reason: Unauthorized"),
        ("asking", &reader, "200", "chat.completion"),
        ("open", "X-Nobody: 1", "200", "chat.completion"),
    ] {
        let url = format!("https://{host}/llm-d-demo/{model}/v1/chat/completions");
        let Some((got, answer)) = curl(&sandbox, &["-H", header, "-d", chat], &url) else {
            return;
        };
        assert_eq!(got, code, "{model}: {answer}");
        assert!(answer.contains(contained), "{model}: {answer}");
    }
}

/// What is answered, once it is; asked again at once.
#[track_caller]
fn until_answered<T>(path: &str, ask: impl Fn() -> Option<T>) -> T {
    let asked = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(asked.elapsed() < Duration::from_secs(30), "no answer to {path}");
        std::thread::yield_now();
    }
}

#[test]
fn limitador_maas_api_and_models_answer_who_reaches_their_pods() {
    let sandbox = Sandbox::new();
    sandbox.simulate(&["apply", "stack.toml", "--yes"]).expect(0);
    let served = Served::start_with(&sandbox, &["simulate", "--simulate-speed", FAST]);
    // A Service on the way to maas-api, a pod on the way to a model.
    let health = served.send(
        (
            "GET",
            "/api/v1/namespaces/redhat-ods-applications/services/maas-api:8443/proxy/health",
        ),
        "application/json",
        "",
    );
    assert_eq!(health.as_deref(), Some(r#"{"status":"healthy"}"#));
    let bogus = r#"{"key": "sk-oai-bogus_bogus"}"#;
    let path = "/api/v1/namespaces/redhat-ods-applications/services/maas-api:8443/proxy/internal/v1/api-keys/validate";
    // A cluster that was just opened plays what it has seen by then.
    let valid = until_answered(path, || served.send(("POST", path), "application/json", bogus));
    assert_eq!(valid, r#"{"reason":"key not found","valid":false}"#);
    let label = "labelSelector=kserve.io%2Fcomponent%3Dworkload";
    let pods = served.get(&format!("/api/v1/namespaces/llm-d-demo/pods?{label}"));
    let pod = pods["items"][0]["metadata"]["name"].as_str().expect("a pod").to_owned();
    let path = format!("/api/v1/namespaces/llm-d-demo/pods/{pod}:8000/proxy/v1/models");
    let models = until_answered(&path, || served.find(&path));
    assert_eq!(models["data"][0]["id"], "alibaba/qwen3-8b");

    // As the manual reaches Limitador: its counters are nowhere else.
    let config = sandbox.path().join(".stackctl/simulator/kubeconfig");
    let forward = Command::new("kubectl")
        .arg("--kubeconfig")
        .arg(config)
        .args([
            "port-forward",
            "-n",
            "kuadrant-system",
            "deployment/limitador-limitador",
            ":8080",
        ])
        .env("HOME", sandbox.path())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut forward) = forward else {
        not_run("kubectl is not on this machine");
        return;
    };
    // It ends when nobody reads what it says.
    let mut lines = BufReader::new(forward.stdout.take().expect("piped"));
    let mut line = String::new();
    lines.read_line(&mut line).expect("it says where it listens");
    let address = line.split_whitespace().nth(2).expect("an address").to_owned();
    let ask = |path: &str| {
        let output = Command::new("curl")
            .args(["--silent", "--max-time", "20", &format!("http://{address}{path}")])
            .output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (limits, counters, metrics) = (
        ask("/limits/llm-d-demo%2Fqwen3-8b-kserve-route"),
        ask("/counters/llm-d-demo%2Fqwen3-8b-kserve-route"),
        ask("/metrics"),
    );
    drop(forward.kill());
    drop((forward.wait(), lines));
    let (Ok(limits), Ok(counters), Ok(metrics)) = (limits, counters, metrics) else {
        not_run("curl is not on this machine");
        return;
    };
    let limits: Value = serde_json::from_str(&limits).unwrap_or_else(|error| panic!("{error}: {limits}"));
    let mut budgets: Vec<_> = limits
        .as_array()
        .expect("a list")
        .iter()
        .map(|limit| limit["max_value"].clone())
        .collect();
    budgets.sort_by_key(Value::as_u64);
    assert_eq!(budgets, [json!(300), json!(3_000), json!(30_000)]);
    assert_eq!(counters, "[]", "nobody has used anything");
    assert!(metrics.contains("limitador_up 1"), "{metrics}");
}
