//! What a request may say, dry-runs and no-ops (§7, §8, §15).

use serde_json::{Value, json};

use crate::definitions::{define_thing, thing};
use crate::harness::{Cluster, config_map, config_map_path, object};

#[tokio::test]
async fn the_kinds_of_404_differ() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    let missing = cluster
        .apply(
            "/api/v1/namespaces/exp-missing/configmaps/c",
            &config_map("c", &json!({"k": "v"})),
            "s&dryRun=All",
        )
        .await;
    assert_eq!(missing.summary(), "404 NotFound: namespaces \"exp-missing\" not found");
    assert_eq!(missing.body["details"]["kind"], "namespaces");
    for path in [
        "/apis/no.such.io/v1/namespaces/n/xs/x",
        "/apis/exp-x.io/v9/namespaces/n/things/x",
    ] {
        let answer = cluster.get(path).await;
        assert_eq!((answer.code, answer.text.trim()), (404, "404 page not found"), "{path}");
    }
    for path in [
        "/apis/apps/v9/namespaces/n/deployments/x",
        "/api/v1/namespaces/n/nosuch/x",
    ] {
        let answer = cluster.get(path).await;
        assert_eq!(
            answer.summary(),
            "404 NotFound: the server could not find the requested resource",
            "{path}"
        );
        assert_eq!(answer.body["details"], json!({}));
    }
    let answer = cluster.get(&config_map_path("c")).await;
    assert_eq!(answer.body["details"], json!({"name": "c", "kind": "configmaps"}));
}

#[tokio::test]
async fn a_body_must_fit_its_url() {
    let cluster = Cluster::start().await;
    let path = config_map_path("x");
    let secret = object("v1", "Secret", "x", &json!({}));
    assert_eq!(
        cluster.apply(&path, &secret, "s").await.summary(),
        "400 BadRequest: invalid object type: /v1, Kind=Secret"
    );
    let named = cluster.apply(&path, &config_map("y", &json!({})), "s").await;
    assert_eq!(
        named.summary(),
        "400 BadRequest: the name of the object (y) does not match the name on the URL (x)"
    );
    let elsewhere = object("v1", "ConfigMap", "x", &json!({"metadata": {"namespace": "other"}}));
    assert!(
        cluster
            .apply(&path, &elsewhere, "s")
            .await
            .summary()
            .starts_with("400 BadRequest: the namespace of the provided object does not match")
    );
    let nameless = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}});
    assert!(
        cluster
            .apply(&path, &nameless, "s")
            .await
            .summary()
            .ends_with("was undeterminable: name must be provided")
    );
    let managed = object("v1", "ConfigMap", "x", &json!({"metadata": {"managedFields": []}}));
    assert_eq!(
        cluster.apply(&path, &managed, "s").await.summary(),
        "400 BadRequest: metadata.managedFields must be nil"
    );
}

#[tokio::test]
async fn field_managers_have_a_name_of_at_most_128_printable_bytes() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    let body = config_map("c", &json!({"k": "v"}));
    let missing = cluster.apply(&path, &body, "").await;
    assert_eq!(
        missing.summary(),
        "422 Invalid: PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"
    );
    for (manager, expected) in [
        ("a".repeat(128), 201),
        ("a".repeat(129), 422),
        ("%C3%BC".repeat(64), 200),
        ("%C3%BC".repeat(65), 422),
        ("a%09b".to_owned(), 422),
        ("stackctl/stack/maas.tier[pro].subscription".to_owned(), 200),
    ] {
        assert_eq!(cluster.apply(&path, &body, &manager).await.code, expected, "{manager}");
    }
    let tab = cluster.apply(&path, &body, "a%09b").await;
    assert!(
        tab.text.contains("invalid character U+0009 (at position 1)"),
        "{}",
        tab.text
    );
}

#[tokio::test]
async fn a_dry_run_answers_what_the_real_request_will() {
    let cluster = Cluster::start().await;
    let path = "/apis/apps/v1/namespaces/n/deployments/d";
    let deployment = object(
        "apps/v1",
        "Deployment",
        "d",
        &json!({"spec": {"selector": {"matchLabels": {"app": "d"}},
        "template": {"metadata": {"labels": {"app": "d"}}, "spec": {"containers": [{"name": "main", "image": "i:1",
            "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}}}]}}}}),
    );
    let comparable = |mut body: Value| {
        for field in ["uid", "resourceVersion", "creationTimestamp"] {
            body["metadata"].as_object_mut().expect("metadata").remove(field);
        }
        for entry in body["metadata"]["managedFields"].as_array_mut().expect("entries") {
            entry.as_object_mut().expect("an entry").remove("time");
        }
        body
    };
    let dry = cluster.apply(path, &deployment, "s&dryRun=All").await;
    assert_eq!(
        (dry.code, &dry.body["metadata"]["resourceVersion"]),
        (201, &Value::Null)
    );
    assert_eq!(cluster.get(path).await.code, 404);
    let real = cluster.apply(path, &deployment, "s").await;
    assert_eq!(comparable(dry.body), comparable(real.body.clone()));
    let requests = &real.body["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"];
    assert_eq!(requests, &json!({"cpu": "1", "memory": "1Gi"}));
    let again = cluster.apply(path, &deployment, "s").await;
    assert_eq!(
        (again.code, &again.body),
        (200, &real.body),
        "a no-op answers the live object"
    );
    let mut changed = deployment.clone();
    changed["spec"]["replicas"] = json!(3);
    let dry = cluster.apply(path, &changed, "s&dryRun=All").await;
    assert_eq!(
        dry.body["metadata"]["resourceVersion"],
        real.body["metadata"]["resourceVersion"]
    );
    assert_eq!(dry.body["metadata"]["generation"], 2);
    let real = cluster.apply(path, &changed, "s").await;
    assert_eq!(comparable(dry.body), comparable(real.body));
}

#[tokio::test]
async fn an_entry_that_changed_no_value_has_no_time() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    let first = cluster.apply(&path, &config_map("c", &json!({"k": "v"})), "s").await;
    assert!(first.body["metadata"]["managedFields"][0]["time"].is_string());
    let joined = cluster.apply(&path, &config_map("c", &json!({"k": "v"})), "m2").await;
    let entry = joined.body["metadata"]["managedFields"]
        .as_array()
        .expect("entries")
        .iter()
        .find(|entry| entry["manager"] == "m2")
        .expect("m2's entry");
    assert_eq!(entry["time"], Value::Null);
    assert_ne!(
        first.body["metadata"]["resourceVersion"],
        joined.body["metadata"]["resourceVersion"]
    );
}

#[tokio::test]
async fn leases_want_six_decimals_and_a_resource_version() {
    let cluster = Cluster::start().await;
    let leases = "/apis/coordination.k8s.io/v1/namespaces/n/leases";
    let lease = |metadata: Value, time: &str| {
        object(
            "coordination.k8s.io/v1",
            "Lease",
            "lk",
            &json!({"metadata": metadata, "spec": {"renewTime": time}}),
        )
    };
    let good = "2026-11-24T00:00:00.123456Z";
    for bad in [
        "2026-11-24T00:00:00.123456789Z",
        "2026-11-24T00:00:00Z",
        "2026-11-24T00:00:00.5Z",
    ] {
        let answer = cluster.post(leases, &lease(json!({}), bad)).await;
        assert!(
            answer
                .summary()
                .starts_with("400 BadRequest: Lease in version \"v1\" cannot be handled as a Lease: parsing time "),
            "{}",
            answer.summary()
        );
    }
    let path = &format!("{leases}/lk");
    let absent = cluster.put(path, &lease(json!({}), good)).await;
    assert_eq!(
        absent.summary(),
        "422 Invalid: leases.coordination.k8s.io \"lk\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update"
    );
    let revived = cluster.put(path, &lease(json!({"resourceVersion": "5"}), good)).await;
    assert_eq!((revived.code, &revived.body["spec"]["renewTime"]), (201, &json!(good)));
    let stale = cluster.put(path, &lease(json!({"resourceVersion": "5"}), good)).await;
    assert_eq!(
        stale.summary(),
        "409 Conflict: Operation cannot be fulfilled on leases.coordination.k8s.io \"lk\": the object has been modified; please apply your changes to the latest version and try again"
    );
    let other = cluster
        .put(path, &lease(json!({"resourceVersion": "5", "uid": "u"}), good))
        .await;
    assert!(
        other
            .summary()
            .contains("Precondition failed: UID in precondition: u, UID in object meta: "),
        "{}",
        other.summary()
    );
    assert_eq!(
        cluster.post(leases, &lease(json!({}), good)).await.summary(),
        "409 AlreadyExists: leases.coordination.k8s.io \"lk\" already exists"
    );
    let version = revived.body["metadata"]["resourceVersion"].clone();
    let racer = |index: u8| {
        let body = lease(
            json!({ "resourceVersion": version }),
            &format!("2026-11-24T00:00:00.12345{index}Z"),
        );
        let cluster = &cluster;
        async move { cluster.put(path, &body).await.code }
    };
    let codes: Vec<u16> =
        futures_util::future::join_all((0..8).filter(|index| *index != 6).chain([9]).map(racer)).await;
    assert_eq!(codes.iter().filter(|code| **code == 200).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == 409).count(), 7, "{codes:?}");
}

#[tokio::test]
async fn limits_on_size() {
    let cluster = Cluster::start().await;
    let path = config_map_path("c");
    let big = config_map("c", &json!({"k": "x".repeat(1_048_577)}));
    let answer = cluster.apply(&path, &big, "s").await;
    assert_eq!(
        answer.causes(),
        ["FieldValueTooLong [] Too long: may not be more than 1048576 bytes"]
    );
    let annotated = object(
        "v1",
        "ConfigMap",
        "c",
        &json!({"metadata": {"annotations": {"k": "x".repeat(262_144)}}}),
    );
    let answer = cluster.apply(&path, &annotated, "s").await;
    assert_eq!(
        answer.causes(),
        ["FieldValueTooLong metadata.annotations Too long: may not be more than 262144 bytes"]
    );
    let huge = cluster
        .post(
            "/api/v1/namespaces/n/configmaps",
            &config_map("c", &json!({"k": "x".repeat(3_200_000)})),
        )
        .await;
    assert_eq!(
        huge.summary(),
        "413 RequestEntityTooLarge: Request entity too large: limit is 3145728"
    );
}

#[tokio::test]
async fn labels_and_names_obey_their_grammar() {
    let cluster = Cluster::start().await;
    for (metadata, expected) in [
        (json!({"labels": {"a": "b[c]"}}), "metadata.labels"),
        (json!({"labels": {"a": "-b"}}), "metadata.labels"),
        (json!({"annotations": {"a[b]": "x"}}), "metadata.annotations"),
        (json!({"name": "Upper"}), "metadata.name"),
    ] {
        let answer = cluster
            .post(
                "/api/v1/namespaces/n/configmaps?dryRun=All",
                &object("v1", "ConfigMap", "c", &json!({ "metadata": metadata })),
            )
            .await;
        assert_eq!(
            (answer.code, answer.cause_fields()),
            (422, vec![expected.to_owned()]),
            "{}",
            answer.text
        );
    }
    let free = object(
        "v1",
        "ConfigMap",
        "c",
        &json!({"metadata": {"annotations": {"X.Y/z": "maas.tier[\"pro/x].y\"].subscription ü\n\t"}}}),
    );
    assert_eq!(cluster.post("/api/v1/namespaces/n/configmaps", &free).await.code, 201);
}

#[tokio::test]
async fn an_update_is_booked_under_its_user_agent() {
    let cluster = Cluster::start().await;
    let body = config_map("c", &json!({"k": "v"})).to_string();
    let headers = [
        ("content-type", "application/json"),
        ("user-agent", "stackctl/1.2.3 (linux)"),
    ];
    let answer = crate::harness::send(
        &cluster.client,
        http::Method::POST,
        "/api/v1/namespaces/n/configmaps",
        &headers,
        body.as_bytes(),
    )
    .await;
    assert_eq!(answer.managers(), ["stackctl/Update[data. data.k]"]);
}

#[tokio::test]
async fn yaml_bodies_are_read_too() {
    let cluster = Cluster::start().await;
    let yaml = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  k: \"1\"\n";
    let answer = cluster
        .send(
            http::Method::PATCH,
            &format!("{}?fieldManager=s", config_map_path("c")),
            "application/apply-patch+yaml",
            yaml,
        )
        .await;
    assert_eq!((answer.code, &answer.body["data"]), (201, &json!({"k": "1"})));
}

#[tokio::test]
async fn answers_can_be_metadata_only() {
    let cluster = Cluster::start().await;
    define_thing(&cluster).await;
    cluster
        .apply(
            &format!("{}/t", crate::definitions::THING),
            &thing("t", &json!({"x": "1"})),
            "s",
        )
        .await
        .is_ok();
    let accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    let answer = cluster
        .get_as(&format!("{}/t", crate::definitions::THING), accept)
        .await;
    assert_eq!(
        (&answer.body["kind"], &answer.body["spec"]),
        (&json!("PartialObjectMetadata"), &Value::Null)
    );
    assert_eq!(answer.managers(), ["s/Apply[spec.x]"]);
}
