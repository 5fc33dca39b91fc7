//! The verbs on the wire: what is sent, and what each answer becomes.

use crate::stub::{Chunk, Reply, Stub, kinds, page, status};
use serde_json::json;
use stackctl_engine::{
    ObjectRef, ObjectType,
    execute::{ApplyRequest, DeleteRequest, Deletion, Patch, PatchRequest, Provider as _, ProviderError, Selector},
};
use std::{collections::BTreeMap, time::Duration};

const CORE: &[(&str, &str, bool)] = &[
    ("ConfigMap", "configmaps", true),
    ("Secret", "secrets", true),
    ("Namespace", "namespaces", false),
];

fn core() -> Reply {
    kinds(&["GET /api/v1 "], CORE)
}

async fn serve(mut replies: Vec<Reply>) -> Stub {
    replies.push(core());
    Stub::serve(replies).await
}

fn config_map() -> ObjectRef {
    ObjectRef::namespaced("v1", "ConfigMap", "demo", "a")
}

fn apply_of(object: ObjectRef) -> ApplyRequest {
    ApplyRequest {
        object,
        body: json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}),
        manager: "stackctl/s/m[\"q\"]".to_owned(),
        force: false,
        dry_run: false,
    }
}

fn widget() -> ObjectRef {
    ObjectRef::namespaced("example.com/v1", "Widget", "demo", "a")
}

fn not_found(name: &str, kind: &str) -> serde_json::Value {
    status(404, "NotFound", "not found", &json!({"name": name, "kind": kind}))
}

#[tokio::test]
async fn an_apply_tells_created_from_changed() {
    let live = json!({"kind": "ConfigMap", "metadata": {"name": "a", "uid": "u"}});
    let stub = serve(vec![
        Reply::json(&["PATCH"], 201, &live),
        Reply::json(&["PATCH"], 200, &live),
    ])
    .await;
    let provider = stub.provider();
    let created = provider.apply(&apply_of(config_map())).await.expect("accepted");
    assert!(created.created);
    assert_eq!(created.object, live);
    let forced = ApplyRequest {
        force: true,
        dry_run: true,
        ..apply_of(config_map())
    };
    assert!(!provider.apply(&forced).await.expect("accepted").created);
    insta::assert_snapshot!(stub.lines().join("\n"), @r"
    GET /api/v1
    PATCH /api/v1/namespaces/demo/configmaps/a?fieldManager=stackctl%2Fs%2Fm%5B%22q%22%5D&fieldValidation=Strict
    PATCH /api/v1/namespaces/demo/configmaps/a?fieldManager=stackctl%2Fs%2Fm%5B%22q%22%5D&force=true&dryRun=All&fieldValidation=Strict
    ");
    let sent = &stub.received()[1];
    assert_eq!(sent.header("content-type"), Some("application/apply-patch+yaml"));
    assert_eq!(sent.header("authorization"), Some("Bearer a-token"));
    assert_eq!(sent.header("user-agent"), Some("stackctl/test"));
    assert_eq!(sent.body, apply_of(config_map()).body);
}

#[tokio::test]
async fn patches_say_which_kind_they_are() {
    let live = json!({"kind": "ConfigMap"});
    let stub = serve(vec![Reply::json(&["PATCH"], 200, &live).lasting()]).await;
    let provider = stub.provider();
    for patch in [
        Patch::Json(json!([{"op": "remove", "path": "/data/k"}])),
        Patch::Merge(json!({"data": null})),
    ] {
        let request = PatchRequest {
            object: config_map(),
            patch,
            manager: "stackctl/s".to_owned(),
            dry_run: true,
        };
        assert_eq!(provider.patch(&request).await.expect("accepted"), live);
    }
    let received = stub.received();
    assert!(
        received[1]
            .line
            .ends_with("configmaps/a?fieldManager=stackctl%2Fs&dryRun=All&fieldValidation=Strict")
    );
    assert_eq!(received[1].header("content-type"), Some("application/json-patch+json"));
    assert_eq!(received[1].body, json!([{"op": "remove", "path": "/data/k"}]));
    assert_eq!(received[2].header("content-type"), Some("application/merge-patch+json"));
}

#[tokio::test]
async fn a_deletion_is_gone_or_marked_and_its_options_are_in_the_body() {
    let marked = json!({"kind": "ConfigMap", "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
    let stub = serve(vec![
        Reply::json(
            &["DELETE"],
            200,
            &json!({"kind": "Status", "status": "Success", "details": {"uid": "u"}}),
        ),
        Reply::json(&["DELETE"], 200, &marked),
        Reply::json(&["DELETE"], 404, &not_found("a", "configmaps")),
        Reply::json(
            &["DELETE"],
            409,
            &status(
                409,
                "Conflict",
                "the ResourceVersion in the precondition (7) does not match the ResourceVersion in record (8). …",
                &json!({}),
            ),
        ),
        Reply::json(
            &["DELETE"],
            409,
            &status(
                409,
                "Conflict",
                "the UID in the precondition (u) does not match the UID in record (w). …",
                &json!({}),
            ),
        ),
    ])
    .await;
    let provider = stub.provider();
    let request = DeleteRequest {
        object: config_map(),
        uid: Some("u".to_owned()),
        resource_version: Some("7".to_owned()),
        foreground: false,
    };
    assert_eq!(provider.delete(&request).await, Ok(Deletion::Gone));
    assert_eq!(provider.delete(&request).await, Ok(Deletion::Marked));
    assert_eq!(provider.delete(&request).await, Ok(Deletion::Gone));
    assert_eq!(provider.delete(&request).await, Err(ProviderError::Modified));
    assert_eq!(provider.delete(&request).await, Err(ProviderError::OtherUid));
    let sent = &stub.received()[1];
    assert_eq!(sent.line, "DELETE /api/v1/namespaces/demo/configmaps/a");
    assert_eq!(
        sent.body,
        json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background",
            "preconditions": {"uid": "u", "resourceVersion": "7"}})
    );
}

#[tokio::test]
async fn what_is_not_there_reads_as_nothing() {
    let stub = serve(vec![Reply::json(
        &["GET", "configmaps/a"],
        404,
        &not_found("a", "configmaps"),
    )])
    .await;
    let provider = stub.provider();
    assert_eq!(provider.get(&config_map()).await, Ok(None));
    assert_eq!(provider.get(&widget()).await, Ok(None));
    let widgets = provider.list(&widget().object_type, None, &Selector::default()).await;
    assert_eq!(widgets, Ok(Vec::new()));
    let applied = provider.apply(&apply_of(widget())).await;
    assert_eq!(
        applied,
        Err(ProviderError::KindNotServed(ObjectType::new(
            "example.com/v1",
            "Widget"
        )))
    );
}

#[tokio::test]
async fn a_list_is_read_in_pages_and_its_items_say_what_they_are() {
    let stub = serve(vec![
        page(&["continue=t1"], "7", "", &["c"]),
        page(&["limit=500"], "7", "t1", &["a", "b"]),
    ])
    .await;
    let selector = Selector {
        labels: BTreeMap::from([("stackctl.dev/stack".to_owned(), "s".to_owned())]),
    };
    let items = stub
        .provider()
        .list(&config_map().object_type, Some("demo"), &selector)
        .await;
    let items = items.expect("accepted");
    assert_eq!(
        items[2],
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}})
    );
    insta::assert_snapshot!(stub.lines()[1..].join("\n"), @r"
    GET /api/v1/namespaces/demo/configmaps?labelSelector=stackctl.dev%2Fstack%3Ds&limit=500
    GET /api/v1/namespaces/demo/configmaps?labelSelector=stackctl.dev%2Fstack%3Ds&limit=500&continue=t1
    ");
}

#[tokio::test]
async fn an_expired_token_starts_the_list_anew_and_at_last_in_one_piece() {
    let expired = status(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result. …",
        &json!({}),
    );
    let stub = serve(vec![
        Reply::json(&["continue=t1"], 410, &expired).lasting(),
        page(&["limit=500"], "7", "t1", &["a"]).lasting(),
        page(&["GET /api/v1/configmaps"], "8", "", &["a", "b"]),
    ])
    .await;
    let items = stub
        .provider()
        .list(&config_map().object_type, None, &Selector::default())
        .await;
    assert_eq!(items.expect("accepted").len(), 2);
    assert_eq!(stub.lines().len(), 1 + 2 * 3 + 1);
}

#[tokio::test]
async fn discovery_reads_a_group_once_and_looks_again_for_what_it_lacks() {
    let stub = serve(vec![
        Reply::json(&["GET", "configmaps/a"], 200, &json!({"kind": "ConfigMap"})).lasting(),
        kinds(&["GET /apis/example.com/v1 "], &[("Gadget", "gadgets", true)]),
        kinds(
            &["GET /apis/example.com/v1 "],
            &[("Gadget", "gadgets", true), ("Widget", "widgets", true)],
        ),
        Reply::json(&["widgets/a"], 200, &json!({"kind": "Widget"})),
    ])
    .await;
    let provider = stub.provider();
    let target = config_map();
    let reads = (0..20).map(|_| provider.get(&target));
    for read in futures_util::future::join_all(reads).await {
        assert!(read.expect("accepted").is_some());
    }
    assert_eq!(stub.lines().iter().filter(|line| *line == "GET /api/v1").count(), 1);
    assert_eq!(provider.get(&widget()).await, Ok(None));
    assert!(provider.get(&widget()).await.expect("accepted").is_some());
}

#[tokio::test]
async fn a_404_against_discovery_is_asked_once_more() {
    let discovered = || kinds(&["GET /apis/example.com/v1 "], &[("Widget", "widgets", true)]);
    let page_not_found = || Reply::text(&["PATCH"], 404, "text/plain", "404 page not found\n".to_owned());
    let stub = serve(vec![
        discovered(),
        discovered(),
        discovered(),
        page_not_found(),
        Reply::json(&["PATCH"], 201, &json!({"kind": "Widget"})),
        page_not_found(),
        page_not_found(),
    ])
    .await;
    let provider = stub.provider();
    assert!(provider.apply(&apply_of(widget())).await.expect("accepted").created);
    let gone = provider.apply(&apply_of(widget())).await;
    assert_eq!(
        gone,
        Err(ProviderError::KindNotServed(ObjectType::new(
            "example.com/v1",
            "Widget"
        )))
    );
    assert_eq!(stub.lines().iter().filter(|line| line.starts_with("PATCH")).count(), 4);
}

#[tokio::test]
async fn nothing_else_is_sent_twice() {
    for code in [429, 500, 503, 504] {
        let refusal = Reply::text(&["PATCH"], code, "text/plain", "later".to_owned()).with_header("Retry-After: 3");
        let stub = serve(vec![refusal.lasting()]).await;
        let error = stub
            .provider()
            .apply(&apply_of(config_map()))
            .await
            .expect_err("refused");
        let expected = match code {
            429 => ProviderError::Throttled {
                retry_after: Some(Duration::from_secs(3)),
            },
            500 => ProviderError::Schema("later".to_owned()),
            _ => ProviderError::Unavailable("later".to_owned()),
        };
        assert_eq!(error, expected);
        assert_eq!(stub.lines().len(), 2);
    }
}

#[tokio::test]
async fn what_changes_nothing_is_asked_again_while_the_server_is_in_trouble() {
    let (broken, cut) = Reply::open(&["GET /api/v1/namespaces/demo/configmaps/a"]);
    broken.send(Chunk::Text("{".to_owned())).expect("somebody answers");
    broken.send(Chunk::Cut).expect("somebody answers");
    let internal = status(
        500,
        "InternalError",
        "Internal error occurred: context deadline exceeded",
        &json!({}),
    );
    let stub = serve(vec![
        Reply::text(
            &["GET /api/v1/namespaces/demo/configmaps/a"],
            503,
            "text/plain",
            "service unavailable".to_owned(),
        ),
        Reply::json(
            &["GET /api/v1/namespaces/demo/configmaps/a"],
            500,
            &status(500, "", "etcdserver: leader changed", &json!({})),
        ),
        Reply::json(&["GET /api/v1/namespaces/demo/configmaps/a"], 500, &internal),
        cut,
        Reply::json(
            &["GET /api/v1/namespaces/demo/configmaps/a"],
            200,
            &json!({"metadata": {"name": "a"}}),
        ),
    ])
    .await;
    let found = stub.provider().get(&config_map()).await.expect("an answer");
    assert!(found.is_some());
    assert_eq!(
        stub.lines()
            .iter()
            .filter(|line| line.starts_with("GET /api/v1/namespaces/demo/configmaps/a"))
            .count(),
        5
    );

    let stub = serve(vec![
        Reply::text(&["PATCH"], 503, "text/plain", "service unavailable".to_owned()),
        Reply::json(&["PATCH"], 201, &json!({"metadata": {"name": "a"}})),
    ])
    .await;
    let dry_run = ApplyRequest {
        dry_run: true,
        ..apply_of(config_map())
    };
    assert!(stub.provider().apply(&dry_run).await.expect("an answer").created);
}

#[tokio::test]
async fn no_server_and_no_json_are_told_without_what_was_sent() {
    let stub = serve(vec![Reply::text(
        &["PATCH"],
        200,
        "text/html",
        "<html>v</html>".to_owned(),
    )])
    .await;
    let error = stub
        .provider()
        .apply(&apply_of(config_map()))
        .await
        .expect_err("no JSON");
    assert!(
        error
            .to_string()
            .contains("no usable JSON to ConfigMap demo/a (line 1, column 1)"),
        "{error}"
    );

    let port = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port")
        .local_addr()
        .expect("an address");
    let url = format!("http://{port}");
    let provider = stackctl_kubernetes::KubernetesProvider::from_url(&url, "a-token", None, "x").expect("a good URL");
    let error = provider
        .apply(&apply_of(config_map()))
        .await
        .expect_err("nobody listens");
    let ProviderError::Unreachable(reason) = error else {
        panic!("not {error}")
    };
    assert!(
        reason.starts_with(&url) && reason.contains("Connection refused"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_cluster_says_who_it_is_or_why_not() {
    let version = || Reply::json(&["GET /version"], 200, &json!({"gitVersion": "v1.33.5", "major": "1"}));
    let namespace = json!({"kind": "Namespace", "metadata": {"name": "kube-system", "uid": "u-1"}});
    let stub = serve(vec![
        version(),
        Reply::json(&["namespaces/kube-system"], 200, &namespace),
    ])
    .await;
    let met = stub.provider().cluster_id().await.expect("a cluster");
    assert_eq!((met.uid.as_str(), met.version.as_str()), ("u-1", "v1.33.5"));
    assert_eq!(met.server, stub.provider().server());

    let unauthorized = status(401, "Unauthorized", "Unauthorized", &json!({}));
    let stub = Stub::serve(vec![Reply::json(&["GET"], 401, &unauthorized).lasting()]).await;
    let error = stub.provider().cluster_id().await.expect_err("not known");
    assert_eq!(
        error.to_string(),
        format!(
            "{} does not accept our credentials: Unauthorized",
            stub.provider().server()
        )
    );
    assert!(error.hint().contains("oc login"));

    let stub = Stub::serve(vec![
        Reply::text(&["GET"], 200, "text/html", "<html>".to_owned()).lasting(),
    ])
    .await;
    let error = stub.provider().cluster_id().await.expect_err("no cluster");
    assert!(
        error.to_string().contains("does not answer as a cluster does"),
        "{error}"
    );
}
