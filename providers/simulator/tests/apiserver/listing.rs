//! LIST: pages, selectors, forms, expiry (§13).

use serde_json::{Value, json};

use crate::harness::{Cluster, config_map, config_map_path, object};

const CONFIG_MAPS: &str = "/api/v1/namespaces/n/configmaps";

async fn fill(cluster: &Cluster, n: usize) {
    for index in 0..n {
        let body = object(
            "v1",
            "ConfigMap",
            &format!("c{index:03}"),
            &json!({"metadata": {"labels": {"l": "x"}}, "data": {"k": "v"}}),
        );
        cluster.post(CONFIG_MAPS, &body).await.is_ok();
    }
}

fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().into_iter().flatten();
    items
        .map(|item| item["metadata"]["name"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn pages_show_one_state_even_while_it_changes() {
    let cluster = Cluster::start().await;
    fill(&cluster, 5).await;
    let first = cluster.get(&format!("{CONFIG_MAPS}?limit=2")).await.body;
    assert_eq!(names(&first), ["c000", "c001"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    assert_eq!(
        (&first["kind"], &first["items"][0]["kind"]),
        (&json!("ConfigMapList"), &Value::Null)
    );
    cluster.delete(&config_map_path("c003"), None).await.is_ok();
    cluster
        .merge(&config_map_path("c004"), &json!({"data": {"k": "w"}}), "u")
        .await
        .is_ok();
    cluster.post(CONFIG_MAPS, &config_map("c005", &json!({}))).await.is_ok();
    let token = first["metadata"]["continue"].as_str().expect("a token");
    let rest = cluster
        .get(&format!("{CONFIG_MAPS}?limit=50&continue={token}"))
        .await
        .body;
    assert_eq!(names(&rest), ["c002", "c003", "c004"]);
    assert_eq!(rest["items"][2]["data"]["k"], "v");
    assert_eq!(
        rest["metadata"]["resourceVersion"],
        first["metadata"]["resourceVersion"]
    );
    let all = cluster
        .get(&format!("{CONFIG_MAPS}?limit=2&resourceVersion=0"))
        .await
        .body;
    assert_eq!(names(&all).len(), 5, "resourceVersion=0 ignores the limit");
}

#[tokio::test]
async fn selectors_keep_what_they_name() {
    let cluster = Cluster::start().await;
    fill(&cluster, 3).await;
    cluster
        .post(CONFIG_MAPS, &config_map("other", &json!({})))
        .await
        .is_ok();
    let page = cluster
        .get(&format!("{CONFIG_MAPS}?labelSelector=l%3Dx&limit=1"))
        .await
        .body;
    assert!(page["metadata"]["continue"].is_string());
    assert_eq!(page["metadata"]["remainingItemCount"], Value::Null);
    let one = cluster
        .get(&format!("{CONFIG_MAPS}?fieldSelector=metadata.name%3Dother"))
        .await
        .body;
    assert_eq!(names(&one), ["other"]);
    let illegal = cluster.get(&format!("{CONFIG_MAPS}?labelSelector=l%3D-x")).await;
    assert_eq!(illegal.code, 400);
}

#[tokio::test]
async fn versions_that_are_forgotten_or_to_come_are_refused() {
    let cluster = Cluster::start().await;
    let future = cluster.get(&format!("{CONFIG_MAPS}?resourceVersion=99999999")).await;
    assert_eq!(future.code, 504);
    assert!(
        future
            .summary()
            .starts_with("504 Timeout: Timeout: Too large resource version: 99999999, current: "),
        "{}",
        future.summary()
    );
    assert_eq!(future.body["details"]["causes"][0]["reason"], "ResourceVersionTooLarge");
    assert_eq!(future.body["details"]["retryAfterSeconds"], 1);
    let garbage = cluster.get(&format!("{CONFIG_MAPS}?continue=garbage")).await;
    assert_eq!(garbage.code, 400);
    // 9,000 changes are more than are remembered.
    fill(&cluster, 3).await;
    let page = cluster.get(&format!("{CONFIG_MAPS}?limit=1")).await.body;
    let path = config_map_path("c000");
    for index in 0..9_000 {
        cluster
            .merge(&path, &json!({"data": {"k": index.to_string()}}), "u")
            .await
            .is_ok();
    }
    let exact = cluster
        .get(&format!(
            "{CONFIG_MAPS}?resourceVersion={}&resourceVersionMatch=Exact",
            page["metadata"]["resourceVersion"].as_str().expect("a version")
        ))
        .await;
    assert_eq!(
        exact.summary(),
        "410 Expired: The resourceVersion for the provided list is too old."
    );
    let expired = cluster
        .get(&format!(
            "{CONFIG_MAPS}?limit=1&continue={}",
            page["metadata"]["continue"].as_str().expect("a token")
        ))
        .await;
    assert!(
        expired.summary().starts_with(
            "410 Expired: The provided continue parameter is too old to display a consistent list result."
        )
    );
    let token = expired.body["metadata"]["continue"].as_str().expect("a new token");
    let rest = cluster.get(&format!("{CONFIG_MAPS}?continue={token}")).await.body;
    assert_eq!(names(&rest), ["c001", "c002"]);
}

#[tokio::test]
async fn lists_come_as_tables_and_as_metadata() {
    let cluster = Cluster::start().await;
    fill(&cluster, 1).await;
    let table = cluster
        .get_as(
            CONFIG_MAPS,
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json",
        )
        .await
        .body;
    let columns: Vec<_> = table["columnDefinitions"]
        .as_array()
        .expect("columns")
        .iter()
        .map(|column| column["name"].clone())
        .collect();
    assert_eq!(columns, ["Name", "Data", "Age"]);
    assert_eq!(table["rows"][0]["cells"][0], "c000");
    assert_eq!(table["rows"][0]["cells"][1], 1);
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    let metadata = cluster
        .get_as(
            CONFIG_MAPS,
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
        )
        .await
        .body;
    assert_eq!(
        (&metadata["kind"], &metadata["items"][0]["data"]),
        (&json!("PartialObjectMetadataList"), &Value::Null)
    );
    assert!(metadata["items"][0]["metadata"]["managedFields"].is_array());
}
