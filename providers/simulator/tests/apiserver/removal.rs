//! Removal, defaults that come back, absence, and the null parent (§3, §5).

use serde_json::{Value, json};

use crate::definitions::{THING, define_thing, thing};
use crate::harness::{Cluster, config_map, config_map_path, object};

#[tokio::test]
async fn a_dropped_key_of_a_sole_owner_is_gone_with_its_empty_parent() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    let body = object(
        "v1",
        "ConfigMap",
        "c",
        &json!({"metadata": {"labels": {"a": "b"}}, "data": {"k": "v"}}),
    );
    cluster.apply(&path, &body, "s").await.is_ok();
    let answer = cluster.apply(&path, &config_map("c", &json!({})), "s").await;
    assert_eq!(answer.body["metadata"]["labels"], Value::Null);
    assert_eq!(answer.body["data"], Value::Null);
    assert!(answer.managers().is_empty());
}

fn deployment(spec: &Value, container: &Value) -> Value {
    let mut body = object(
        "apps/v1",
        "Deployment",
        "d",
        &json!({"spec": {"selector": {"matchLabels": {"app": "d"}},
        "template": {"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [{"name": "main", "image": "i:1"}]}}}}),
    );
    for (key, value) in spec.as_object().into_iter().flatten() {
        body["spec"][key] = value.clone();
    }
    for (key, value) in container.as_object().into_iter().flatten() {
        body["spec"]["template"]["spec"]["containers"][0][key] = value.clone();
    }
    body
}

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/n/deployments/d";

#[tokio::test]
async fn defaults_are_back_in_the_answer_that_drops_a_value() {
    let cluster = Cluster::start().await;
    let spec = json!({"revisionHistoryLimit": 3, "strategy": {"type": "Recreate"}, "replicas": 4});
    let first = cluster.apply(DEPLOYMENT, &deployment(&spec, &json!({})), "s").await;
    assert_eq!(first.body["spec"]["strategy"], json!({"type": "Recreate"}));
    let answer = cluster
        .apply(DEPLOYMENT, &deployment(&json!({}), &json!({})), "s")
        .await;
    assert_eq!(answer.body["spec"]["revisionHistoryLimit"], 10);
    assert_eq!(answer.body["spec"]["replicas"], 1);
    assert_eq!(
        answer.body["spec"]["strategy"],
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}})
    );
}

#[tokio::test]
async fn a_dropped_list_item_goes_and_a_co_owned_one_keeps_its_name() {
    let cluster = Cluster::start().await;
    let env = |items: &[(&str, &str)]| {
        let items: Vec<Value> = items
            .iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect();
        deployment(&json!({}), &json!({ "env": items }))
    };
    cluster
        .apply(DEPLOYMENT, &env(&[("A", "1"), ("B", "2")]), "s")
        .await
        .is_ok();
    let answer = cluster.apply(DEPLOYMENT, &env(&[("A", "1")]), "s").await;
    assert_eq!(
        answer.body["spec"]["template"]["spec"]["containers"][0]["env"],
        json!([{"name": "A", "value": "1"}])
    );
    // Somebody else holds the item, not its value.
    let named = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template":
        {"spec": {"containers": [{"name": "main", "env": [{"name": "A"}]}]}}}});
    cluster.apply(DEPLOYMENT, &named, "other").await.is_ok();
    let answer = cluster
        .apply(DEPLOYMENT, &deployment(&json!({}), &json!({})), "s")
        .await;
    assert_eq!(
        answer.body["spec"]["template"]["spec"]["containers"][0]["env"],
        json!([{"name": "A"}])
    );
}

#[tokio::test]
async fn sets_keep_what_others_put_in_and_new_items_come_last() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    let with = |finalizers: &[&str]| object("v1", "ConfigMap", "c", &json!({"metadata": {"finalizers": finalizers}}));
    cluster.apply(&path, &with(&["x.io/w"]), "m2").await.is_ok();
    let answer = cluster.apply(&path, &with(&["x.io/y", "x.io/q"]), "s").await;
    assert_eq!(
        answer.body["metadata"]["finalizers"],
        json!(["x.io/w", "x.io/y", "x.io/q"])
    );
    let answer = cluster.apply(&path, &with(&["x.io/q"]), "s").await;
    assert_eq!(answer.body["metadata"]["finalizers"], json!(["x.io/w", "x.io/q"]));
}

#[tokio::test]
async fn an_atomic_list_belongs_to_who_wrote_it_last() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    let path = &format!("{THING}/t");
    cluster
        .apply(path, &thing("t", &json!({"atom": ["a"]})), "s")
        .await
        .is_ok();
    cluster
        .merge(path, &json!({"spec": {"atom": ["a", "b"]}}), "upd")
        .await
        .is_ok();
    let answer = cluster.apply(path, &thing("t", &json!({"atom": ["a"]})), "s").await;
    assert_eq!(answer.cause_fields(), [".spec.atom"]);
    let dropped = cluster.apply(path, &thing("t", &json!({"x": "y"})), "s").await;
    assert_eq!(dropped.body["spec"]["atom"], json!(["a", "b"]));
}

#[tokio::test]
async fn a_remover_gets_no_ownership_and_an_untracked_object_stays_so() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    cluster
        .apply(&path, &config_map("c", &json!({"k": "v"})), "s")
        .await
        .is_ok();
    let removed = cluster.merge(&path, &json!({"data": {"k": null}}), "rm").await;
    assert!(removed.managers().is_empty(), "{:?}", removed.managers());
    let dry = cluster
        .apply(&path, &config_map("c", &json!({"k": "v"})), "s&dryRun=All")
        .await;
    assert_eq!(dry.body["data"], json!({"k": "v"}));
    let later = cluster.merge(&path, &json!({"data": {"z": "1"}}), "rm").await;
    assert!(later.managers().is_empty());
    let next = cluster.apply(&path, &config_map("c", &json!({"k": "v"})), "s").await;
    assert_eq!(
        next.managers(),
        ["s/Apply[data.k]", "before-first-apply/Update[data. data.z]"]
    );
}

#[tokio::test]
async fn nulls_of_a_config_map_are_stored_as_nothing_or_the_empty_string() {
    let cluster = Cluster::start().await;
    let answer = cluster
        .apply(&config_map_path("c"), &config_map("c", &json!({"q": null})), "s")
        .await;
    assert_eq!(
        (&answer.body["data"], answer.managers()),
        (&json!({"q": ""}), vec!["s/Apply[data.q]".to_owned()])
    );
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"}, "data": null});
    let answer = cluster.apply(&config_map_path("d"), &body, "s").await;
    assert_eq!(
        (&answer.body["data"], answer.managers()),
        (&Value::Null, vec!["s/Apply[data]".to_owned()])
    );
}

#[tokio::test]
async fn string_data_is_owned_as_such_and_never_clears_data() {
    let cluster = Cluster::start().await;
    let path = "/api/v1/namespaces/n/secrets/x";
    let secret = |rest: &Value| object("v1", "Secret", "x", rest);
    let answer = cluster
        .apply(path, &secret(&json!({"stringData": {"p": "x"}})), "s")
        .await;
    assert_eq!(
        (&answer.body["data"], answer.managers()),
        (&json!({"p": "eA=="}), vec!["s/Apply[stringData.p]".to_owned()])
    );
    assert_eq!(answer.body["stringData"], Value::Null);
    let answer = cluster.apply(path, &secret(&json!({})), "s").await;
    assert_eq!(
        (&answer.body["data"], answer.managers()),
        (&json!({"p": "eA=="}), Vec::new())
    );
}

#[tokio::test]
async fn a_custom_null_is_an_error_a_default_or_a_value() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    let path = &format!("{THING}/t");
    let answer = cluster.apply(path, &thing("t", &json!({"x": null})), "s").await;
    assert_eq!(
        answer.summary(),
        "422 Invalid: Thing.exp-x.io \"t\" is invalid: spec.x: Invalid value: \"null\": spec.x in body must be of type string: \"null\""
    );
    let answer = cluster
        .apply(path, &thing("t", &json!({"d": null, "nul": null})), "s")
        .await;
    assert_eq!(
        (&answer.body["spec"]["d"], &answer.body["spec"]["nul"]),
        (&json!("dflt"), &Value::Null)
    );
    assert!(
        answer.body["spec"]
            .as_object()
            .is_some_and(|spec| spec.contains_key("nul"))
    );
    assert_eq!(answer.managers(), ["s/Apply[spec.d spec.nul]"]);
}

#[tokio::test]
async fn an_emptied_map_of_a_custom_object_is_refused_and_removing_by_patch_is_not() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    let path = &format!("{THING}/t");
    cluster
        .apply(path, &thing("t", &json!({"mtls": {"enable": true}, "x": "1"})), "s")
        .await
        .is_ok();
    let answer = cluster
        .apply(path, &thing("t", &json!({"mtls": {}, "x": "1"})), "s&dryRun=All")
        .await;
    assert_eq!(
        answer.summary(),
        "422 Invalid: Thing.exp-x.io \"t\" is invalid: spec.mtls: Invalid value: \"null\": spec.mtls in body must be of type object: \"null\""
    );
    assert!(answer.causes()[0].starts_with("FieldValueTypeInvalid spec.mtls"));
    // The parent left out altogether works while nobody else owns it.
    let dry = cluster
        .apply(path, &thing("t", &json!({"x": "1"})), "s&dryRun=All")
        .await;
    assert_eq!(dry.is_ok().body["spec"], json!({"d": "dflt", "x": "1"}));
    let patched = cluster
        .json_patch(path, &json!([{"op": "remove", "path": "/spec/mtls/enable"}]), "s")
        .await;
    assert_eq!(patched.is_ok().body["spec"]["mtls"], json!({}));
    assert_eq!(patched.managers(), ["s/Apply[spec.x]"]);
}

#[tokio::test]
async fn dropping_the_last_child_of_a_foreign_parent_is_refused_too() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    let path = &format!("{THING}/t");
    cluster
        .apply(path, &thing("t", &json!({"mtls": {}, "x": "1"})), "operator")
        .await
        .is_ok();
    cluster
        .apply(path, &thing("t", &json!({"mtls": {"enable": true}})), "s")
        .await
        .is_ok();
    let answer = cluster.apply(path, &thing("t", &json!({"y": "1"})), "s").await;
    assert_eq!(answer.cause_fields(), ["spec.mtls"], "{}", answer.text);
}

#[tokio::test]
async fn an_empty_keyed_list_is_not_owned_and_an_atomic_one_is() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    let path = &format!("{THING}/t");
    let answer = cluster
        .apply(path, &thing("t", &json!({"keyed": [], "atom": [], "x": "1"})), "s")
        .await;
    assert_eq!(answer.managers(), ["s/Apply[spec.atom spec.x]"]);
    assert_eq!(answer.body["spec"]["atom"], json!([]));
    cluster
        .apply(path, &thing("t", &json!({"keyed": [{"port": 80}], "x": "1"})), "s")
        .await
        .is_ok();
    let answer = cluster
        .apply(path, &thing("t", &json!({"keyed": [], "x": "1"})), "s&dryRun=All")
        .await;
    assert_ne!(answer.body["spec"]["keyed"], json!([]), "{}", answer.text);
}

#[tokio::test]
async fn an_overlay_cannot_take_a_sibling_away() {
    let cluster = Cluster::start().await;
    let from = json!({"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]});
    cluster
        .apply(DEPLOYMENT, &deployment(&json!({}), &from), "m")
        .await
        .is_ok();
    let overlay = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template":
        {"spec": {"containers": [{"name": "main", "env": [{"name": "A", "value": "1"}]}]}}}});
    let answer = cluster.apply(DEPLOYMENT, &overlay, "s&force=true").await;
    assert_eq!(
        answer.body["message"],
        "Deployment.apps \"d\" is invalid: spec.template.spec.containers[0].env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty"
    );
}

#[tokio::test]
async fn a_restore_by_one_patch_leaves_ownership_as_it_was() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    cluster
        .post(
            "/api/v1/namespaces/n/configmaps?fieldManager=upd",
            &config_map("c", &json!({"k": "prior"})),
        )
        .await
        .is_ok();
    let before = cluster.get(&path).await;
    cluster
        .apply(
            &path,
            &config_map("c", &json!({"k": "ours", "new": "ours"})),
            "ov&force=true",
        )
        .await
        .is_ok();
    let now = cluster.get(&path).await.body;
    let kept: Vec<Value> = now["metadata"]["managedFields"]
        .as_array()
        .expect("entries")
        .iter()
        .filter(|entry| entry["manager"] != "ov")
        .cloned()
        .collect();
    let restore = |version: &Value| {
        json!([{"op": "replace", "path": "/metadata/resourceVersion", "value": version},
            {"op": "replace", "path": "/data/k", "value": "prior"}, {"op": "remove", "path": "/data/new"},
            {"op": "replace", "path": "/metadata/managedFields", "value": kept}])
    };
    let stale = cluster.json_patch(&path, &restore(&json!("1")), "upd").await;
    assert!(
        stale.summary().contains("the object has been modified"),
        "{}",
        stale.summary()
    );
    let restored = cluster
        .json_patch(&path, &restore(&now["metadata"]["resourceVersion"]), "upd")
        .await;
    assert_eq!(restored.is_ok().body["data"], json!({"k": "prior"}));
    assert_eq!(restored.managers(), before.managers());
}
