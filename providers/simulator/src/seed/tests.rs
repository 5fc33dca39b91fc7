//! What every object of the seed must be, and what seeding asks of a server.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{Method, StatusCode, Uri},
};

use super::*;

/// Every object of the seed but the CRDs, in the order in which they are written.
fn all() -> Vec<Value> {
    [
        namespaces::objects(),
        foreign::namespaces(),
        configuration::objects(Platform::Aws),
        access::objects(Platform::Aws),
        authorities::objects("2026-11-02T08:00:00Z")
            .expect("certificates")
            .into(),
        machines::objects(),
        marketplace::objects(),
        foreign::objects(),
    ]
    .concat()
}

/// What a server was asked to keep, by path, and how often it was asked to write.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<(BTreeMap<String, Value>, usize)>>);

/// As much of an API server as seeding asks for: create, merge a status, list CRDs.
async fn answer(State(kept): State<Kept>, method: Method, uri: Uri, body: String) -> (StatusCode, String) {
    let mut kept = kept.0.lock().expect("no test panics while it holds the objects");
    let (objects, n_writes) = &mut *kept;
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    let path = match method {
        Method::POST => format!("{}/{}", uri.path(), name_of(&body)),
        _ => uri.path().trim_end_matches("/status").to_owned(),
    };
    match method {
        Method::GET if objects.contains_key(&path) => (StatusCode::OK, objects[&path].to_string()),
        Method::GET => {
            let items = objects
                .values()
                .filter(|object| object["kind"] == "CustomResourceDefinition")
                .map(|crd| {
                    let mut crd = crd.clone();
                    crd["status"] =
                        json!({"conditions": [object::condition("Established", "True", "InitialNamesAccepted")]});
                    crd
                });
            let items = items.collect::<Vec<_>>();
            (
                StatusCode::OK,
                json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items}).to_string(),
            )
        }
        Method::POST if objects.contains_key(&path) => {
            let status = json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "AlreadyExists", "code": 409,
                "message": "", "metadata": {}});
            (StatusCode::CONFLICT, status.to_string())
        }
        Method::POST => {
            *n_writes += 1;
            let mut body = body;
            body.as_object_mut().map(|object| object.remove("status"));
            objects.insert(path, body.clone());
            (StatusCode::CREATED, body.to_string())
        }
        Method::PATCH => {
            *n_writes += 1;
            let object = objects
                .get_mut(&path)
                .expect("a status is told of an object that was created");
            object["status"] = body["status"].clone();
            (StatusCode::OK, object.to_string())
        }
        other => panic!("seeding asks nothing by {other}"),
    }
}

#[tokio::test]
async fn seeding_twice_is_seeding_once() {
    let kept = Kept::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound port");
    let router = Router::new().fallback(answer).with_state(kept.clone());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let uri = format!("http://{address}").parse().expect("an address");
    let client = Client::try_from(kube::Config::new(uri)).expect("a client");

    seed(client.clone(), Platform::Aws, None)
        .await
        .expect("the first time writes everything");
    let (objects, n_writes) = kept.0.lock().expect("not poisoned").clone();
    assert_eq!(objects.len(), all().len() + schemas::openshift().len());
    let paths = [
        "/api/v1/namespaces/kube-system",
        "/api/v1/namespaces/openshift-config/secrets/pull-secret",
        "/apis/config.openshift.io/v1/dnses/cluster",
        "/apis/machine.openshift.io/v1beta1/namespaces/openshift-machine-api/machinesets/sandbox-x7k2p-worker-eu-west-1a",
        "/apis/packages.operators.coreos.com/v1/namespaces/openshift-marketplace/packagemanifests/rhcl-operator",
    ];
    for path in paths {
        assert!(objects.contains_key(path), "{path}");
    }

    seed(client.clone(), Platform::Aws, None)
        .await
        .expect("the second time finds everything");
    assert_eq!(kept.0.lock().expect("not poisoned").1, n_writes);

    // A seeding that was cut off between an object and its status is completed.
    let version = "/apis/config.openshift.io/v1/clusterversions/version";
    {
        let mut kept = kept.0.lock().expect("not poisoned");
        let object = kept.0.get_mut(version).and_then(Value::as_object_mut);
        object.expect("a ClusterVersion").remove("status");
    }
    seed(client, Platform::Aws, None)
        .await
        .expect("the third time tells one status");
    let kept = kept.0.lock().expect("not poisoned").clone();
    assert_eq!(kept.1, n_writes + 1);
    assert_eq!(kept.0[version], objects[version]);
    server.abort();
}

#[test]
fn every_object_has_a_known_kind_the_right_scope_and_a_namespace_of_its_own() {
    let kinds = Kinds::new(&schemas::openshift());
    let mut seen = BTreeSet::new();
    let mut namespaces = BTreeSet::new();
    for object in all() {
        let words = object::words(&object);
        let kind = kinds
            .of(&object)
            .unwrap_or_else(|| panic!("the kind of {words} is known"));
        let namespace = object
            .pointer("/metadata/namespace")
            .and_then(Value::as_str)
            .map(str::to_owned);
        assert_eq!(namespace.is_some(), kind.namespaced, "{words}");
        if object["kind"] == "Namespace" {
            namespaces.insert(name_of(&object));
        }
        if let Some(namespace) = namespace {
            assert!(namespaces.contains(&namespace), "{words} comes before its namespace");
        }
        assert!(seen.insert(words.clone()), "{words} is there twice");
    }
}

#[test]
fn every_status_has_a_place() {
    let kinds = Kinds::new(&schemas::openshift());
    // An aggregated kind keeps its status in the object itself.
    for object in all()
        .iter()
        .filter(|object| object.get("status").is_some() && object["kind"] != "PackageManifest")
    {
        let kind = kinds.of(object).expect("a known kind");
        assert!(
            kind.has_status,
            "{} has a status that would be dropped",
            object::words(object)
        );
    }
}
