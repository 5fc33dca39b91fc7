//! Deletion: preconditions, finalizers, propagation, namespaces (§12).

use serde_json::{Value, json};

use crate::harness::{Answer, Cluster, config_map, config_map_path, object};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/n/deployments";
const REPLICA_SETS: &str = "/apis/apps/v1/namespaces/n/replicasets";

fn held(name: &str) -> Value {
    object(
        "v1",
        "ConfigMap",
        name,
        &json!({"metadata": {"finalizers": ["x.io/f"]}, "data": {"k": "v"}}),
    )
}

#[tokio::test]
async fn preconditions_name_the_kind_and_what_is_in_record() {
    let cluster = Cluster::start().await;
    let path = config_map_path("f1");
    let created = cluster.apply(&path, &config_map("f1", &json!({"k": "v"})), "s").await;
    let (uid, version) = (
        &created.body["metadata"]["uid"],
        &created.body["metadata"]["resourceVersion"],
    );
    let wrong = cluster
        .delete(&path, Some(&json!({"preconditions": {"uid": "u"}})))
        .await;
    assert_eq!(
        wrong.summary(),
        format!(
            "409 Conflict: Operation cannot be fulfilled on ConfigMap \"f1\": the UID in the precondition (u) does not match the UID in record ({}). The object might have been deleted and then recreated",
            uid.as_str().unwrap_or_default()
        )
    );
    let stale = cluster
        .delete(&path, Some(&json!({"preconditions": {"resourceVersion": "1"}})))
        .await;
    assert!(stale.summary().contains(&format!("the ResourceVersion in the precondition (1) does not match the ResourceVersion in record ({}). The object might have been modified", version.as_str().unwrap_or_default())), "{}", stale.summary());
    let gone = cluster
        .delete(
            &path,
            Some(&json!({"preconditions": {"uid": uid, "resourceVersion": version}})),
        )
        .await;
    assert_eq!(
        (&gone.body["kind"], &gone.body["status"], &gone.body["details"]["uid"]),
        (&json!("Status"), &json!("Success"), uid)
    );
    assert_eq!(
        cluster.delete(&path, None).await.summary(),
        "404 NotFound: configmaps \"f1\" not found"
    );
}

#[tokio::test]
async fn a_body_replaces_the_query() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    cluster
        .apply(&path, &config_map("c", &json!({"k": "v"})), "s")
        .await
        .is_ok();
    cluster.delete(&format!("{path}?dryRun=All"), None).await.is_ok();
    cluster.delete(&path, Some(&json!({"dryRun": ["All"]}))).await.is_ok();
    assert_eq!(cluster.get(&path).await.code, 200);
    cluster
        .delete(
            &format!("{path}?dryRun=All"),
            Some(&json!({"propagationPolicy": "Background"})),
        )
        .await
        .is_ok();
    assert_eq!(cluster.get(&path).await.code, 404);
}

#[tokio::test]
async fn a_terminating_object_takes_applies_and_ends_with_its_last_finalizer() {
    let cluster = Cluster::start().await;
    let path = config_map_path("f1");
    cluster.apply(&path, &held("f1"), "s").await.is_ok();
    let deleted = cluster.delete(&path, None).await;
    assert!(deleted.body["metadata"]["deletionTimestamp"].is_string());
    assert_eq!(deleted.body["metadata"]["deletionGracePeriodSeconds"], 0);
    assert_eq!(cluster.delete(&path, None).await.body, deleted.body);
    let other = cluster.apply(&path, &config_map("f1", &json!({"o": "1"})), "m2").await;
    assert_eq!(other.is_ok().body["data"]["o"], "1");
    let more = object(
        "v1",
        "ConfigMap",
        "f1",
        &json!({"metadata": {"finalizers": ["x.io/g"]}}),
    );
    let refused = cluster.apply(&path, &more, "m2").await;
    assert_eq!(
        refused.causes(),
        [
            "FieldValueForbidden metadata.finalizers Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"x.io/g\"}",
            "FieldValueForbidden metadata.finalizers Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"x.io/g\"}"
        ]
    );
    let posted = cluster
        .post("/api/v1/namespaces/n/configmaps", &config_map("f1", &json!({})))
        .await;
    assert_eq!(
        posted.summary(),
        "409 AlreadyExists: object is being deleted: configmaps \"f1\" already exists"
    );
    let last = cluster.apply(&path, &config_map("f1", &json!({"k": "v"})), "s").await;
    assert_eq!(last.code, 200);
    assert_eq!(cluster.get(&path).await.code, 404);
    let lines = std::fs::read_to_string(cluster.dir.path().join("audit.ndjson")).expect("the audit log");
    assert!(
        lines
            .lines()
            .any(|line| line.contains("\"verb\":\"removed\"") && line.contains("its last finalizer was removed"))
    );
}

/// Makes a Deployment and a ReplicaSet that it owns.
async fn owner_and_dependent(cluster: &Cluster) -> Answer {
    let template =
        json!({"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [{"name": "main", "image": "i:1"}]}});
    let spec = json!({"spec": {"selector": {"matchLabels": {"app": "d"}}, "template": template}});
    let owner = cluster
        .post(DEPLOYMENTS, &object("apps/v1", "Deployment", "d", &spec))
        .await;
    let uid = &owner.is_ok().body["metadata"]["uid"];
    let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d", "uid": uid, "controller": true, "blockOwnerDeletion": true});
    let mut dependent = object("apps/v1", "ReplicaSet", "r", &spec);
    dependent["metadata"]["ownerReferences"] = json!([reference]);
    cluster.post(REPLICA_SETS, &dependent).await.is_ok();
    owner
}

#[tokio::test]
async fn background_deletion_takes_dependents_after_the_owner() {
    let cluster = Cluster::start().await;
    owner_and_dependent(&cluster).await;
    let answer = cluster
        .delete(
            &format!("{DEPLOYMENTS}/d"),
            Some(&json!({"propagationPolicy": "Background"})),
        )
        .await;
    assert_eq!(answer.body["kind"], "Status");
    assert_eq!(cluster.get(&format!("{DEPLOYMENTS}/d")).await.code, 404);
    cluster
        .until(&format!("{REPLICA_SETS}/r"), |answer| answer.code == 404)
        .await;
}

#[tokio::test]
async fn foreground_deletion_takes_dependents_before_the_owner() {
    let cluster = Cluster::start().await;
    owner_and_dependent(&cluster).await;
    cluster
        .merge(
            &format!("{REPLICA_SETS}/r"),
            &json!({"metadata": {"finalizers": ["x.io/f"]}}),
            "u",
        )
        .await
        .is_ok();
    let answer = cluster
        .delete(
            &format!("{DEPLOYMENTS}/d"),
            Some(&json!({"propagationPolicy": "Foreground"})),
        )
        .await;
    assert_eq!(answer.body["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    cluster
        .until(&format!("{REPLICA_SETS}/r"), |answer| {
            answer.body["metadata"]["deletionTimestamp"].is_string()
        })
        .await;
    assert_eq!(cluster.get(&format!("{DEPLOYMENTS}/d")).await.code, 200);
    cluster
        .merge(
            &format!("{REPLICA_SETS}/r"),
            &json!({"metadata": {"finalizers": null}}),
            "u",
        )
        .await
        .is_ok();
    cluster
        .until(&format!("{DEPLOYMENTS}/d"), |answer| answer.code == 404)
        .await;
}

#[tokio::test]
async fn orphaning_keeps_dependents_without_their_owner() {
    let cluster = Cluster::start().await;
    owner_and_dependent(&cluster).await;
    let answer = cluster
        .delete(
            &format!("{DEPLOYMENTS}/d"),
            Some(&json!({"propagationPolicy": "Orphan"})),
        )
        .await;
    assert_eq!(answer.body["metadata"]["finalizers"], json!(["orphan"]));
    cluster
        .until(&format!("{DEPLOYMENTS}/d"), |answer| answer.code == 404)
        .await;
    let kept = cluster.get(&format!("{REPLICA_SETS}/r")).await;
    assert_eq!(
        (kept.code, &kept.body["metadata"]["ownerReferences"]),
        (200, &Value::Null)
    );
}

#[tokio::test]
async fn a_job_orphans_by_default_and_says_so() {
    let cluster = Cluster::start().await;
    let jobs = "/apis/batch/v1/namespaces/n/jobs";
    let pod = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "i:1"}]}});
    let created = cluster
        .post(
            jobs,
            &object("batch/v1", "Job", "j", &json!({"spec": {"template": pod}})),
        )
        .await;
    let uid = created.is_ok().body["metadata"]["uid"].clone();
    assert_eq!(
        created.body["spec"]["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"],
        uid
    );
    let answer = cluster.delete(&format!("{jobs}/j"), None).await;
    assert!(
        answer.warnings[0].starts_with("299 - \"child pods are preserved by default when jobs are deleted"),
        "{:?}",
        answer.warnings
    );
}

#[tokio::test]
async fn a_dependent_whose_owner_never_was_is_collected() {
    let cluster = Cluster::start().await;
    let reference = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "no-such-uid"});
    let body = object(
        "v1",
        "ConfigMap",
        "c",
        &json!({"metadata": {"ownerReferences": [reference]}}),
    );
    cluster.post("/api/v1/namespaces/n/configmaps", &body).await.is_ok();
    cluster.until(&config_map_path("c"), |answer| answer.code == 404).await;
}

#[tokio::test]
async fn a_namespace_ends_after_its_content_and_says_what_holds_it() {
    let cluster = Cluster::start().await;
    cluster
        .apply(&config_map_path("stuck"), &held("stuck"), "s")
        .await
        .is_ok();
    cluster
        .apply(&config_map_path("free"), &config_map("free", &json!({"k": "v"})), "s")
        .await
        .is_ok();
    let namespace = "/api/v1/namespaces/n";
    let answer = cluster.delete(namespace, None).await;
    assert_eq!(
        (&answer.body["kind"], &answer.body["status"]["phase"]),
        (&json!("Namespace"), &json!("Terminating"))
    );
    let refused = cluster
        .apply(
            &config_map_path("new"),
            &config_map("new", &json!({"k": "v"})),
            "s&dryRun=All",
        )
        .await;
    assert_eq!(
        refused.summary(),
        "403 Forbidden: configmaps \"new\" is forbidden: unable to create new content in namespace n because it is being terminated"
    );
    assert_eq!(refused.cause_fields(), ["metadata.namespace"]);
    assert_eq!(refused.body["details"]["causes"][0]["reason"], "NamespaceTerminating");
    let there = cluster.apply(&config_map_path("stuck"), &held("stuck"), "s").await;
    assert_eq!(there.code, 200);
    let waiting = cluster
        .until(namespace, |answer| answer.text.contains("SomeFinalizersRemain"))
        .await;
    let message = |condition: &str| {
        let conditions = waiting.body["status"]["conditions"].as_array().into_iter().flatten();
        conditions
            .filter(|one| one["type"] == condition)
            .map(|one| one["message"].clone())
            .next()
            .unwrap_or_default()
    };
    assert_eq!(
        message("NamespaceContentRemaining"),
        "Some resources are remaining: configmaps has 1 resource instances"
    );
    assert_eq!(
        message("NamespaceFinalizersRemaining"),
        "Some content in the namespace has finalizers remaining: x.io/f in 1 resource instances"
    );
    cluster
        .merge(
            &config_map_path("stuck"),
            &json!({"metadata": {"finalizers": null}}),
            "u",
        )
        .await
        .is_ok();
    cluster.until(namespace, |answer| answer.code == 404).await;
    assert_eq!(
        cluster
            .post("/api/v1/namespaces", &json!({"metadata": {"name": "n"}}))
            .await
            .code,
        201
    );
}

#[tokio::test]
async fn a_collection_is_deleted_by_selector() {
    let cluster = Cluster::start().await;
    for (name, value) in [("a", "x"), ("b", "x"), ("c", "y")] {
        let body = object("v1", "ConfigMap", name, &json!({"metadata": {"labels": {"l": value}}}));
        cluster.post("/api/v1/namespaces/n/configmaps", &body).await.is_ok();
    }
    let answer = cluster
        .delete("/api/v1/namespaces/n/configmaps?labelSelector=l%3Dx", None)
        .await;
    assert_eq!(answer.is_ok().body["items"].as_array().map(Vec::len), Some(2));
    let left = cluster.get("/api/v1/namespaces/n/configmaps").await;
    assert_eq!(left.body["items"].as_array().map(Vec::len), Some(1));
}
