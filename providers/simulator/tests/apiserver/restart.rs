//! Persistence, identity and the audit log.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stackctl_simulator::apiserver::{ApiServer, ApiServerError, ApiServerOptions, Identity, StoreError, Token};

use crate::definitions::{THING, define_thing, thing};
use crate::harness::{Cluster, client_of, config_map, config_map_path, object, send};

#[tokio::test]
async fn everything_acknowledged_is_there_after_a_restart() {
    let cluster = Cluster::start().await;
    assert!(cluster.server.is_new());
    define_thing(&cluster).await;
    cluster
        .apply(&format!("{THING}/t"), &thing("t", &json!({"x": "1"})), "s")
        .await
        .is_ok();
    let path = config_map_path("c");
    let before = cluster.apply(&path, &config_map("c", &json!({"k": "v"})), "s").await;
    cluster
        .apply(&config_map_path("gone"), &config_map("gone", &json!({})), "s")
        .await
        .is_ok();
    cluster.delete(&config_map_path("gone"), None).await.is_ok();
    let last = cluster.get("/api/v1/configmaps").await.body["metadata"]["resourceVersion"].clone();
    let Cluster { server, client, dir } = cluster;
    drop(client);
    server.stop().await;
    let server = ApiServer::start(ApiServerOptions::new(dir.path()))
        .await
        .expect("the server starts again");
    assert!(!server.is_new());
    let cluster = Cluster {
        client: client_of(&server),
        server,
        dir,
    };
    assert_eq!(cluster.get(&path).await.body, before.body);
    assert_eq!(cluster.get(&config_map_path("gone")).await.code, 404);
    assert_eq!(cluster.get(&format!("{THING}/t")).await.body["spec"]["x"], "1");
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<u64>().ok());
    let now = cluster.get("/api/v1/configmaps").await.body["metadata"]["resourceVersion"].clone();
    assert!(number(&now) >= number(&last), "{now} after {last}");
    assert!(cluster.server.snapshot().iter().any(|object| object["kind"] == "Thing"));
}

/// Stops a cluster in which `a`, `b` and `c` were made in this order, lets its journal be damaged, and starts it again.
async fn damaged(damage: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Result<Cluster, ApiServerError> {
    let cluster = Cluster::start().await;
    for name in ["a", "b", "c"] {
        let body = config_map(name, &json!({"k": "v"}));
        cluster.apply(&config_map_path(name), &body, "s").await.is_ok();
    }
    let Cluster { server, client, dir } = cluster;
    drop(client);
    server.stop().await;
    let journal = dir.path().join("objects/0.jnl");
    let mut bytes = std::fs::read(&journal).expect("the journal");
    // It is made longer than it is full.
    let end = bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .expect("something was written")
        + 1;
    bytes.truncate(end);
    std::fs::write(&journal, damage(bytes)).expect("writable");
    let server = ApiServer::start(ApiServerOptions::new(dir.path())).await?;
    let client = client_of(&server);
    Ok(Cluster { server, client, dir })
}

#[tokio::test]
async fn a_record_that_was_cut_short_goes_and_all_before_it_stays() {
    let cut = |mut bytes: Vec<u8>| {
        bytes.truncate(bytes.len() - 10);
        bytes
    };
    let cluster = damaged(cut).await.expect("it opens");
    let mut codes = Vec::new();
    for name in ["a", "b", "c"] {
        codes.push(cluster.get(&config_map_path(name)).await.code);
    }
    assert_eq!(codes, [200, 200, 404]);
    let body = config_map("c", &json!({"k": "again"}));
    assert_eq!(cluster.apply(&config_map_path("c"), &body, "s").await.code, 201);
}

#[tokio::test]
async fn a_record_that_was_changed_is_an_error_and_nothing_is_guessed() {
    let change = |mut bytes: Vec<u8>| {
        let at = bytes
            .windows(10)
            .rposition(|window| window == b"\"ConfigMap")
            .expect("it is in the journal");
        bytes[at + 1] = b'k';
        bytes
    };
    let refused = damaged(change).await.map(|cluster| cluster.server.is_new());
    assert!(
        matches!(refused, Err(ApiServerError::Store(StoreError::Database(_)))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn one_process_serves_a_directory_and_it_must_be_writable() {
    let cluster = Cluster::start().await;
    let second = ApiServer::start(ApiServerOptions::new(cluster.dir.path())).await;
    assert!(
        matches!(second, Err(ApiServerError::Store(StoreError::Locked { .. }))),
        "{second:?}"
    );
    let file = cluster.dir.path().join("a-file");
    std::fs::File::create(&file).expect("a file");
    let on_a_file = ApiServer::start(ApiServerOptions::new(file)).await;
    assert!(
        matches!(on_a_file, Err(ApiServerError::Store(StoreError::Unwritable { .. }))),
        "{on_a_file:?}"
    );
}

#[tokio::test]
async fn a_token_is_somebody_and_an_unknown_one_nobody() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let tokens = BTreeMap::from([(Token::new("good"), Identity::named("alice"))]);
    let options = ApiServerOptions {
        tokens,
        ..ApiServerOptions::new(dir.path())
    };
    let server = ApiServer::start(options).await.expect("the server starts");
    let client = client_of(&server);
    let ask = |token: &'static str| {
        let client = client.clone();
        async move {
            let headers = [("content-type", "application/json"), ("authorization", token)];
            let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
            send(&client, http::Method::POST, path, &headers, b"{}").await
        }
    };
    assert_eq!(ask("Bearer good").await.body["status"]["userInfo"]["username"], "alice");
    assert_eq!(ask("").await.body["status"]["userInfo"]["username"], "kube:admin");
    assert_eq!(ask("Bearer bad").await.summary(), "401 Unauthorized: Unauthorized");
}

#[tokio::test]
async fn the_audit_log_tells_every_write_and_no_secret() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    cluster
        .apply(&path, &config_map("c", &json!({"k": "v"})), "s")
        .await
        .is_ok();
    cluster.apply(&path, &config_map("c", &json!({"k": "w"})), "m2").await;
    cluster
        .apply(&path, &config_map("c", &json!({"k": "w"})), "s&dryRun=All")
        .await
        .is_ok();
    cluster.delete(&path, None).await.is_ok();
    let secret = object("v1", "Secret", "x", &json!({"stringData": {"p": "hunter2"}}));
    cluster.post("/api/v1/namespaces/n/secrets", &secret).await.is_ok();
    cluster
        .merge(
            "/api/v1/namespaces/n/secrets/x",
            &json!({"bogus": "hunter2"}),
            "u&fieldValidation=Strict",
        )
        .await;
    let text = std::fs::read_to_string(cluster.dir.path().join("audit.ndjson")).expect("the audit log");
    assert!(!text.contains("hunter2"));
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    let of: Vec<&Value> = lines.iter().filter(|line| line["name"] == "c").collect();
    let short: Vec<String> = of
        .iter()
        .map(|line| {
            format!(
                "{} {} {} {}",
                line["verb"], line["code"], line["dry_run"], line["created"]
            )
        })
        .collect();
    assert_eq!(
        short,
        [
            "\"apply\" 201 false true",
            "\"apply\" 409 false false",
            "\"apply\" 200 true false",
            "\"delete\" 200 false false"
        ]
    );
    assert_eq!(of[0]["before"], Value::Null);
    assert_eq!(of[0]["after"], of[1]["before"]);
    assert_eq!(of[1]["before"], of[1]["after"]);
    assert_ne!(of[2]["before"], of[2]["after"]);
    assert_eq!(
        (&of[3]["after"], &of[3]["field_manager"], &of[0]["field_manager"]),
        (&Value::Null, &Value::Null, &json!("s"))
    );
}
