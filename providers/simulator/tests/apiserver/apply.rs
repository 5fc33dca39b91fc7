//! Conflicts, force, co-ownership, two managers on one object (§1, §2, §4, §6).

use serde_json::json;

use crate::harness::{Cluster, config_map, config_map_path, object};

#[tokio::test]
async fn another_manager_s_value_is_a_conflict_that_names_it() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    cluster
        .apply(&path, &config_map("c", &json!({"k": "1"})), "m2")
        .await
        .is_ok();
    let answer = cluster.apply(&path, &config_map("c", &json!({"k": "2"})), "s").await;
    assert_eq!(
        answer.summary(),
        "409 Conflict: Apply failed with 1 conflict: conflict with \"m2\": .data.k"
    );
    assert_eq!(answer.causes(), ["FieldManagerConflict .data.k conflict with \"m2\""]);
    assert_eq!(
        answer.body["details"].as_object().map(serde_json::Map::len),
        Some(1),
        "only causes"
    );

    // The same name by Update is another manager.
    cluster.merge(&path, &json!({"data": {"k": "3"}}), "s").await.is_ok();
    let answer = cluster.apply(&path, &config_map("c", &json!({"k": "2"})), "s").await;
    assert_eq!(
        answer.summary(),
        "409 Conflict: Apply failed with 1 conflict: conflict with \"s\" using v1: .data.k"
    );

    let forced = cluster
        .apply(&path, &config_map("c", &json!({"k": "2"})), "s&force=true")
        .await;
    assert_eq!(
        forced.managers(),
        ["s/Apply[data.k]"],
        "who is left with nothing has no entry"
    );
}

#[tokio::test]
async fn conflicts_of_a_deployment_name_every_manager_and_path() {
    let cluster = Cluster::start().await;
    let path = "/apis/apps/v1/namespaces/n/deployments/d1";
    let deployment = object(
        "apps/v1",
        "Deployment",
        "d1",
        &json!({"metadata": {"annotations": {"note": "ours"}}, "spec": {"replicas": 1,
            "selector": {"matchLabels": {"app": "d"}}, "template": {"metadata": {"labels": {"app": "d"}},
            "spec": {"tolerations": [{"key": "a", "operator": "Exists"}], "containers": [{"name": "main", "image": "i:1",
                "env": [{"name": "A", "value": "1"}], "ports": [{"containerPort": 80}]}]}}}}),
    );
    let created = cluster.apply(path, &deployment, "stackctl/s").await;
    assert_eq!(
        created.managers(),
        [
            "stackctl/s/Apply[metadata.annotations.note spec.replicas spec.selector spec.template.metadata.labels.app \
          spec.template.spec.containers[{\"name\":\"main\"}]. \
          spec.template.spec.containers[{\"name\":\"main\"}].env[{\"name\":\"A\"}]. \
          spec.template.spec.containers[{\"name\":\"main\"}].env[{\"name\":\"A\"}].name \
          spec.template.spec.containers[{\"name\":\"main\"}].env[{\"name\":\"A\"}].value \
          spec.template.spec.containers[{\"name\":\"main\"}].image \
          spec.template.spec.containers[{\"name\":\"main\"}].name \
          spec.template.spec.containers[{\"name\":\"main\"}].ports[{\"containerPort\":80,\"protocol\":\"TCP\"}]. \
          spec.template.spec.containers[{\"name\":\"main\"}].ports[{\"containerPort\":80,\"protocol\":\"TCP\"}].containerPort \
          spec.template.spec.tolerations]"
        ]
    );
    cluster
        .strategic(
            path,
            &json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "i:2", "env": [{"name": "A", "value": "2"}]}]}}}}),
            "kubectl-edit",
        )
        .await
        .is_ok();
    cluster
        .merge(&format!("{path}/scale"), &json!({"spec": {"replicas": 2}}), "kubectl")
        .await
        .is_ok();
    cluster
        .merge(
            path,
            &json!({"metadata": {"annotations": {"note": "theirs"}}}),
            "kubectl-annotate",
        )
        .await
        .is_ok();
    let answer = cluster.apply(path, &deployment, "stackctl/s").await;
    assert_eq!(
        answer.body["message"],
        "Apply failed with 4 conflicts: conflicts with \"kubectl\" with subresource \"scale\" using apps/v1:\n- .spec.replicas\n\
         conflicts with \"kubectl-annotate\" using apps/v1:\n- .metadata.annotations.note\n\
         conflicts with \"kubectl-edit\" using apps/v1:\n- .spec.template.spec.containers[name=\"main\"].image\n\
         - .spec.template.spec.containers[name=\"main\"].env[name=\"A\"].value"
    );
    let mut causes = answer.causes();
    causes.sort();
    assert_eq!(
        causes,
        [
            "FieldManagerConflict .metadata.annotations.note conflict with \"kubectl-annotate\" using apps/v1",
            "FieldManagerConflict .spec.replicas conflict with \"kubectl\" with subresource \"scale\" using apps/v1",
            "FieldManagerConflict .spec.template.spec.containers[name=\"main\"].env[name=\"A\"].value conflict with \"kubectl-edit\" using apps/v1",
            "FieldManagerConflict .spec.template.spec.containers[name=\"main\"].image conflict with \"kubectl-edit\" using apps/v1",
        ]
    );
}

#[tokio::test]
async fn an_edited_list_key_is_no_conflict_and_stays_beside_ours() {
    let cluster = Cluster::start().await;
    let path = "/api/v1/namespaces/n/services/s";
    let service = |port: i64| {
        object(
            "v1",
            "Service",
            "s",
            &json!({"spec": {"ports": [{"port": port, "name": format!("p{port}")}]}}),
        )
    };
    cluster.apply(path, &service(80), "s").await.is_ok();
    let patch = json!([{"op": "replace", "path": "/spec/ports/0/port", "value": 81}, {"op": "replace", "path": "/spec/ports/0/name", "value": "p81"}]);
    let patched = cluster.json_patch(path, &patch, "kubectl-patch").await;
    assert!(
        patched
            .managers()
            .iter()
            .any(|line| line.starts_with("kubectl-patch/Update[spec.ports[{\"port\":81,\"protocol\":\"TCP\"}].")),
        "{:?}",
        patched.managers()
    );
    let answer = cluster.apply(path, &service(80), "s&force=true").await;
    let ports: Vec<_> = answer.body["spec"]["ports"]
        .as_array()
        .expect("ports")
        .iter()
        .map(|port| port["port"].clone())
        .collect();
    assert_eq!(ports.len(), 2, "{}", answer.text);
    assert!(ports.contains(&json!(80)) && ports.contains(&json!(81)));
}

#[tokio::test]
async fn causes_render_keys_raw_and_list_keys_in_alphabetical_order() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    let annotated = |value: &str| {
        object(
            "v1",
            "ConfigMap",
            "c",
            &json!({"metadata": {"annotations": {"x.y/z": value}}, "data": {"a.b": value}}),
        )
    };
    cluster
        .apply(&path, &annotated("1"), "stackctl/s/x[%22q%22].y")
        .await
        .is_ok();
    let answer = cluster.apply(&path, &annotated("2"), "m").await;
    assert_eq!(
        answer.causes(),
        [
            "FieldManagerConflict .data.a.b conflict with \"stackctl/s/x[\\\"q\\\"].y\"",
            "FieldManagerConflict .metadata.annotations.x.y/z conflict with \"stackctl/s/x[\\\"q\\\"].y\"",
        ]
    );
}

#[tokio::test]
async fn equal_values_are_co_owned_and_stay_until_the_last_owner_drops_them() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    cluster
        .apply(&path, &config_map("c", &json!({"k": "v", "own": "1"})), "s")
        .await
        .is_ok();
    let both = cluster.apply(&path, &config_map("c", &json!({"k": "v"})), "m2").await;
    assert_eq!(both.managers(), ["m2/Apply[data.k]", "s/Apply[data.k data.own]"]);
    let dry = cluster
        .apply(&path, &config_map("c", &json!({"own": "1"})), "s&dryRun=All")
        .await;
    assert_eq!(dry.body["data"], json!({"k": "v", "own": "1"}));
    let real = cluster.apply(&path, &config_map("c", &json!({"own": "1"})), "s").await;
    assert_eq!(real.managers(), ["m2/Apply[data.k]", "s/Apply[data.own]"]);
    let last = cluster.apply(&path, &config_map("c", &json!({})), "m2").await;
    assert_eq!(last.body["data"], json!({"own": "1"}));
    assert_eq!(last.managers(), ["s/Apply[data.own]"]);
}

#[tokio::test]
async fn an_update_of_the_same_value_changes_nothing_and_of_another_moves_it() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    let first = cluster.apply(&path, &config_map("c", &json!({"k": "v"})), "s").await;
    let same = cluster.merge(&path, &json!({"data": {"k": "v"}}), "upd").await;
    assert_eq!(same.body, first.body);
    let moved = cluster.merge(&path, &json!({"data": {"k": "w"}}), "upd").await;
    assert_eq!(moved.managers(), ["upd/Update[data.k]"]);
    cluster.merge(&path, &json!({"data": {"k": "v"}}), "upd").await.is_ok();
    let joined = cluster.apply(&path, &config_map("c", &json!({"k": "v"})), "s").await;
    assert_eq!(joined.managers(), ["s/Apply[data.k]", "upd/Update[data.k]"]);
    let dropped = cluster.apply(&path, &config_map("c", &json!({})), "s").await;
    assert_eq!(dropped.body["data"], json!({"k": "v"}));
}

#[tokio::test]
async fn managed_fields_can_be_reset_by_anyone() {
    let cluster = Cluster::start().await;
    for fields in [json!([]), json!([{}])] {
        let path = config_map_path("c");
        cluster
            .apply(&path, &config_map("c", &json!({"k": "v"})), "s")
            .await
            .is_ok();
        let reset = cluster
            .merge(&path, &json!({"metadata": {"managedFields": fields}}), "x")
            .await;
        assert!(reset.is_ok().managers().is_empty(), "{}", reset.text);
        let untracked = cluster.merge(&path, &json!({"data": {"q": "1"}}), "rm").await;
        assert!(untracked.managers().is_empty());
        let next = cluster.apply(&path, &config_map("c", &json!({"k": "v"})), "s").await;
        assert_eq!(
            next.managers(),
            ["s/Apply[data.k]", "before-first-apply/Update[data. data.k data.q]"]
        );
        cluster.delete(&path, None).await.is_ok();
    }
}

#[tokio::test]
async fn an_object_and_an_overlay_share_an_object() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    cluster
        .apply(&path, &config_map("c", &json!({"a": "1"})), "stackctl/s")
        .await
        .is_ok();
    let both = cluster
        .apply(&path, &config_map("c", &json!({"b": "1"})), "stackctl/s/addr")
        .await;
    assert_eq!(
        both.managers(),
        ["stackctl/s/Apply[data.a]", "stackctl/s/addr/Apply[data.b]"]
    );
    cluster
        .apply(&path, &config_map("c", &json!({"a": "1", "c": "1"})), "stackctl/s")
        .await
        .is_ok();
    let answer = cluster
        .apply(&path, &config_map("c", &json!({"b": "2"})), "stackctl/s")
        .await;
    assert!(
        answer.summary().contains("conflict with \"stackctl/s/addr\": .data.b"),
        "{}",
        answer.summary()
    );
    let dropped = cluster
        .apply(&path, &config_map("c", &json!({})), "stackctl/s/addr")
        .await;
    assert_eq!(dropped.body["data"], json!({"a": "1", "c": "1"}));
    let again = cluster
        .apply(&path, &config_map("c", &json!({})), "stackctl/s/addr")
        .await;
    assert_eq!(again.body, dropped.body);
}

#[tokio::test]
async fn parallel_managers_all_get_their_field() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    let one = |index: usize| {
        let (cluster, path) = (&cluster, &path);
        async move {
            cluster
                .apply(
                    path,
                    &config_map("c", &json!({format!("k{index}"): "v"})),
                    &format!("m{index}"),
                )
                .await
        }
    };
    let answers = futures_util::future::join_all((0..32).map(one)).await;
    let n_created = answers.iter().filter(|answer| answer.code == 201).count();
    assert_eq!(n_created, 1);
    assert!(answers.iter().all(|answer| answer.code < 300));
    let object = cluster.get(&path).await;
    assert_eq!(object.body["data"].as_object().map(serde_json::Map::len), Some(32));
    assert_eq!(object.managers().len(), 32);
}

#[tokio::test]
async fn an_apply_is_an_upsert_unless_it_names_a_uid() {
    let cluster = Cluster::start().await;
    let path = config_map_path("nope");
    let uid = "8b7a9eb1-9e06-40b5-affe-2b6e3ebf95bd";
    let with_uid = object("v1", "ConfigMap", "nope", &json!({"metadata": {"uid": uid}}));
    let answer = cluster.apply(&path, &with_uid, "s").await;
    assert_eq!(
        answer.summary(),
        format!(
            "409 Conflict: Operation cannot be fulfilled on configmaps \"nope\": uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        )
    );
    let with_version = object(
        "v1",
        "ConfigMap",
        "nope",
        &json!({"metadata": {"resourceVersion": "1"}}),
    );
    assert_eq!(cluster.apply(&path, &with_version, "s").await.code, 201);
    let wrong = cluster.apply(&path, &with_uid, "s").await;
    assert_eq!(wrong.code, 422);
    assert_eq!(wrong.cause_fields(), ["metadata.uid", "metadata.uid"]);
    let stale = cluster.apply(&path, &with_version, "s&dryRun=All").await;
    assert_eq!(
        stale.summary(),
        "409 Conflict: Operation cannot be fulfilled on configmaps \"nope\": the object has been modified; please apply your changes to the latest version and try again"
    );
}

#[tokio::test]
async fn stale_and_conflicting_is_a_conflict() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    cluster
        .apply(&path, &config_map("c", &json!({"k": "1"})), "m2")
        .await
        .is_ok();
    let body = object(
        "v1",
        "ConfigMap",
        "c",
        &json!({"metadata": {"resourceVersion": "1"}, "data": {"k": "2"}}),
    );
    let answer = cluster.apply(&path, &body, "s").await;
    assert_eq!(answer.cause_fields(), [".data.k"]);
    let fresh = cluster.get(&path).await.body["metadata"]["resourceVersion"].clone();
    let body = object(
        "v1",
        "ConfigMap",
        "c",
        &json!({"metadata": {"resourceVersion": fresh}, "data": {"o": "2"}}),
    );
    let answer = cluster.apply(&path, &body, "s").await;
    assert_eq!(answer.managers(), ["m2/Apply[data.k]", "s/Apply[data.o]"]);
}

#[tokio::test]
async fn a_scaled_deployment_keeps_its_replicas_once_they_are_left_out() {
    let cluster = Cluster::start().await;
    let path = "/apis/apps/v1/namespaces/n/deployments/d";
    let deployment = |spec: serde_json::Value| {
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
        body
    };
    cluster
        .apply(path, &deployment(json!({"replicas": 0})), "s")
        .await
        .is_ok();
    let dry = cluster.apply(path, &deployment(json!({})), "s&dryRun=All").await;
    assert_eq!(
        (&dry.body["spec"]["replicas"], &dry.body["metadata"]["generation"]),
        (&json!(1), &json!(2))
    );
    let scale = cluster.get(&format!("{path}/scale")).await;
    let mut scale = scale.body;
    scale["spec"]["replicas"] = json!(2);
    cluster
        .put(&format!("{path}/scale?fieldManager=hpa"), &scale)
        .await
        .is_ok();
    let omitted = cluster.apply(path, &deployment(json!({})), "s").await;
    assert_eq!(omitted.body["spec"]["replicas"], 2);
    assert!(
        omitted
            .managers()
            .contains(&"hpa/Update/scale[spec.replicas]".to_owned()),
        "{:?}",
        omitted.managers()
    );
    let live = cluster.apply(path, &deployment(json!({"replicas": 2})), "s").await;
    assert!(live.managers()[0].contains("spec.replicas") && live.managers()[1].contains("spec.replicas"));
}
