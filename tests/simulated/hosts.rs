//! The hosts of a served cluster, asked by stock curl, which trusts what the cluster itself says is to be trusted.

use crate::{
    cluster::Served,
    sandbox::{FAST, Sandbox},
};
use std::process::Command;

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
        println!("NOT TRIED: there is no curl on this machine");
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
    let authority = served.get("/api/v1/namespaces/openshift-config-managed/configmaps/default-ingress-cert");
    let bundle = authority["data"]["ca-bundle.crt"].as_str().expect("a certificate");
    std::fs::write(sandbox.path().join("ca.pem"), bundle).expect("writable");

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
