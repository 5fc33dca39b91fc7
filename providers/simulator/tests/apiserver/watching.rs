//! WATCH: order, selectors, bookmarks, 410 (§12, §13).

use futures_util::{AsyncBufReadExt as _, StreamExt as _};
use http::Request;
use serde_json::{Value, json};

use crate::definitions::{THING, define_thing, thing};
use crate::harness::{Cluster, config_map, config_map_path, object};

const CONFIG_MAPS: &str = "/api/v1/namespaces/n/configmaps";

/// Reads `n` events of a watch.
async fn events(cluster: &Cluster, query: &str, n: usize) -> Vec<Value> {
    let request = Request::get(format!("{CONFIG_MAPS}?watch=true&{query}"))
        .body(Vec::new())
        .expect("a request");
    let lines = cluster
        .client
        .request_stream(request)
        .await
        .expect("the watch starts")
        .lines();
    let taken: Vec<_> = lines.take(n).collect().await;
    taken
        .into_iter()
        .map(|line| serde_json::from_str(&line.expect("a line")).expect("an event"))
        .collect()
}

fn short(events: &[Value]) -> Vec<String> {
    let text = |event: &Value| {
        let object = &event["object"];
        format!(
            "{} {}",
            event["type"].as_str().unwrap_or_default(),
            object["metadata"]["name"].as_str().unwrap_or("-")
        )
    };
    events.iter().map(text).collect()
}

#[tokio::test]
async fn the_life_of_an_object_is_told_in_order() {
    let cluster = Cluster::start().await;
    let from = cluster.get(CONFIG_MAPS).await.body["metadata"]["resourceVersion"].clone();
    let path = config_map_path("f");
    let held = object("v1", "ConfigMap", "f", &json!({"metadata": {"finalizers": ["x.io/f"]}}));
    cluster.apply(&path, &held, "s").await.is_ok();
    cluster.delete(&path, None).await.is_ok();
    cluster.apply(&path, &config_map("f", &json!({})), "s").await.is_ok();
    cluster.apply(&path, &config_map("f", &json!({})), "s").await.is_ok();
    let events = events(
        &cluster,
        &format!("resourceVersion={}", from.as_str().expect("a version")),
        4,
    )
    .await;
    assert_eq!(short(&events), ["ADDED f", "MODIFIED f", "DELETED f", "ADDED f"]);
    assert_ne!(
        events[2]["object"]["metadata"]["uid"],
        events[3]["object"]["metadata"]["uid"]
    );
    let version = |index: usize| {
        events[index]["object"]["metadata"]["resourceVersion"]
            .as_str()
            .and_then(|text| text.parse::<u64>().ok())
    };
    assert!(version(2) > version(1));
}

#[tokio::test]
async fn leaving_a_selector_is_a_deletion_and_entering_it_an_addition() {
    let cluster = Cluster::start().await;
    let from = cluster.get(CONFIG_MAPS).await.body["metadata"]["resourceVersion"].clone();
    let path = config_map_path("c");
    let labelled = |value: &str| object("v1", "ConfigMap", "c", &json!({"metadata": {"labels": {"l": value}}}));
    for value in ["x", "y", "x"] {
        cluster.apply(&path, &labelled(value), "s").await.is_ok();
    }
    let query = format!(
        "labelSelector=l%3Dx&resourceVersion={}",
        from.as_str().expect("a version")
    );
    assert_eq!(
        short(&events(&cluster, &query, 3).await),
        ["ADDED c", "DELETED c", "ADDED c"]
    );
}

#[tokio::test]
async fn initial_events_end_with_a_bookmark() {
    let cluster = Cluster::start().await;
    cluster
        .apply(&config_map_path("c"), &config_map("c", &json!({"k": "v"})), "s")
        .await
        .is_ok();
    for query in [
        "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
        "resourceVersion=0&allowWatchBookmarks=true",
    ] {
        let events = events(&cluster, query, 2).await;
        assert_eq!(short(&events), ["ADDED c", "BOOKMARK -"], "{query}");
        assert_eq!(
            events[1]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"],
            "true"
        );
    }
    let refused = cluster
        .get(&format!("{CONFIG_MAPS}?watch=true&sendInitialEvents=true"))
        .await;
    assert_eq!(refused.code, 422);
    assert!(
        refused
            .text
            .contains("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
    );
}

#[tokio::test]
async fn a_version_that_is_too_old_is_an_error_event_in_a_200() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    cluster
        .apply(&format!("{THING}/t"), &thing("t", &json!({"x": "0"})), "s")
        .await
        .is_ok();
    let from = cluster.get(CONFIG_MAPS).await.body["metadata"]["resourceVersion"].clone();
    let path = config_map_path("c");
    cluster
        .apply(&path, &config_map("c", &json!({"k": "v"})), "s")
        .await
        .is_ok();
    for index in 0..8_200 {
        cluster
            .merge(&path, &json!({"data": {"k": index.to_string()}}), "u")
            .await
            .is_ok();
    }
    let events = events(
        &cluster,
        &format!("resourceVersion={}", from.as_str().expect("a version")),
        1,
    )
    .await;
    assert_eq!(
        (
            &events[0]["type"],
            &events[0]["object"]["code"],
            &events[0]["object"]["reason"]
        ),
        (&json!("ERROR"), &json!(410), &json!("Expired"))
    );
    assert!(
        events[0]["object"]["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("too old resource version: "))
    );
    let garbage = cluster
        .get(&format!("{CONFIG_MAPS}?watch=true&resourceVersion=garbage"))
        .await;
    assert_eq!(garbage.code, 500);
}
