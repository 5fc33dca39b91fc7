//! JSON, merge and strategic merge patches (§5).

use serde_json::{Value, json};

use crate::harness::{Cluster, config_map, config_map_path, object};

#[tokio::test]
async fn a_json_patch_that_does_not_fit_says_nothing_more() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    cluster
        .apply(&path, &config_map("c", &json!({"k": "v"})), "s")
        .await
        .is_ok();
    for patch in [
        json!([{"op": "test", "path": "/data/k", "value": "w"}]),
        json!([{"op": "remove", "path": "/data/nope"}]),
        json!([{"op": "add", "path": "/metadata/annotations/x", "value": "y"}]),
        json!([{"op": "test", "path": "/metadata/resourceVersion", "value": "1"}]),
    ] {
        let answer = cluster.json_patch(&path, &patch, "u").await;
        assert_eq!(
            answer.summary(),
            "422 Invalid: the server rejected our request due to an error in our request",
            "{patch}"
        );
        assert_eq!(answer.body["details"], json!({}));
    }
    let other = cluster
        .json_patch(
            &path,
            &json!([{"op": "replace", "path": "/metadata/uid", "value": "u"}]),
            "u",
        )
        .await;
    assert_eq!((other.code, other.cause_fields()[0].as_str()), (422, "metadata.uid"));
    for answer in [
        cluster.json_patch(&config_map_path("none"), &json!([]), "u").await,
        cluster.merge(&config_map_path("none"), &json!({}), "u").await,
    ] {
        assert_eq!(answer.summary(), "404 NotFound: configmaps \"none\" not found");
    }
    cluster
        .merge(&path, &json!({"metadata": {"annotations": {"x": "y"}}}), "u")
        .await
        .is_ok();
    let removed = cluster
        .json_patch(
            &path,
            &json!([{"op": "remove", "path": "/metadata/annotations/x"}]),
            "u",
        )
        .await;
    assert_eq!(removed.body["metadata"]["annotations"], Value::Null);
}

#[tokio::test]
async fn a_strategic_merge_patch_merges_lists_by_key() {
    let cluster = Cluster::start().await;
    let path = "/apis/apps/v1/namespaces/n/deployments/d";
    let deployment = object(
        "apps/v1",
        "Deployment",
        "d",
        &json!({"spec": {"selector": {"matchLabels": {"app": "d"}},
        "template": {"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [
            {"name": "main", "image": "i:1", "args": ["a"], "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}]}}}}),
    );
    cluster
        .post("/apis/apps/v1/namespaces/n/deployments", &deployment)
        .await
        .is_ok();
    let container = |change: Value| json!({"spec": {"template": {"spec": {"containers": [change]}}}});
    let patch = container(
        json!({"name": "main", "args": ["b"], "$setElementOrder/env": [{"name": "C"}, {"name": "A"}],
        "env": [{"name": "C", "value": "3"}, {"name": "B", "$patch": "delete"}]}),
    );
    let answer = cluster.strategic(path, &patch, "u").await;
    let main = &answer.is_ok().body["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(main["args"], json!(["b"]));
    assert_eq!(
        main["env"],
        json!([{"name": "C", "value": "3"}, {"name": "A", "value": "1"}])
    );
    let recreate = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    let answer = cluster.strategic(path, &recreate, "u").await;
    assert_eq!(answer.is_ok().body["spec"]["strategy"], json!({"type": "Recreate"}));
    let removed = cluster
        .strategic(path, &json!({"spec": {"revisionHistoryLimit": null}}), "u")
        .await;
    assert_eq!(removed.is_ok().body["spec"]["revisionHistoryLimit"], 10);
}

#[tokio::test]
async fn a_custom_object_takes_no_strategic_merge_patch() {
    let cluster = Cluster::start().await;
    crate::definitions::define_thing(&cluster).await;
    let path = format!("{}/t", crate::definitions::THING);
    cluster
        .apply(&path, &crate::definitions::thing("t", &json!({"x": "1"})), "s")
        .await
        .is_ok();
    assert_eq!(
        cluster.strategic(&path, &json!({"spec": {"x": "2"}}), "u").await.code,
        415
    );
}

#[tokio::test]
async fn a_put_is_booked_as_a_patch_of_what_differs() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    let mut object = cluster
        .apply(&path, &config_map("c", &json!({"a": "1", "b": "1"})), "s")
        .await
        .body;
    object["data"]["b"] = json!("2");
    for with_managers in [true, false] {
        let mut body = object.clone();
        body["data"]["b"] = json!(if with_managers { "2" } else { "3" });
        body["metadata"]
            .as_object_mut()
            .expect("metadata")
            .remove("resourceVersion");
        if !with_managers {
            body["metadata"]
                .as_object_mut()
                .expect("metadata")
                .remove("managedFields");
        }
        let answer = cluster.put(&format!("{path}?fieldManager=u"), &body).await;
        assert_eq!(answer.managers(), ["s/Apply[data.a]", "u/Update[data.b]"]);
    }
}
