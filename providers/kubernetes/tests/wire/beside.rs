//! Another service of the cluster: asked with the same token, and briefly.

use crate::stub::{Reply, Stub};
use serde_json::json;
use stackctl_kubernetes::BesideError;

#[tokio::test]
async fn it_is_asked_with_the_token_of_the_connection_and_its_answer_is_json() {
    let (cluster, service) = (Stub::serve(Vec::new()).await, Stub::serve(Vec::new()).await);
    service.add(Reply::json(&["POST /keys/search "], 200, &json!({"data": [1]})));
    let url = format!("{}/keys/search", service.url());
    let answer = cluster.provider().post_beside(&url, &json!({"all": true})).await;
    assert_eq!(answer, Ok(json!({"data": [1]})));
    let asked = service.received().pop().expect("it was asked");
    assert_eq!(asked.body, json!({"all": true}));
    let token = asked.headers.iter().find(|(name, _)| name == "authorization");
    assert_eq!(token.map(|(_, value)| value.as_str()), Some("Bearer a-token"));
    assert!(cluster.received().is_empty(), "the API server was asked");
}

#[tokio::test]
async fn a_refusal_and_a_page_are_no_answer_and_a_redirect_is_not_followed() {
    let (cluster, service) = (Stub::serve(Vec::new()).await, Stub::serve(Vec::new()).await);
    service.add(Reply::json(&["POST /refuses "], 403, &json!({})));
    service.add(Reply::text(&["POST /page "], 200, "text/html", "<html>".to_owned()));
    let elsewhere = Reply::json(&["POST /moved "], 302, &json!({})).with_header("location: http://127.0.0.1:1/");
    service.add(elsewhere);
    let provider = cluster.provider();
    let ask = async |path: &str| {
        provider
            .post_beside(&format!("{}{path}", service.url()), &json!({}))
            .await
    };
    assert_eq!(ask("/refuses").await, Err(BesideError::Refused(403)));
    assert_eq!(ask("/page").await, Err(BesideError::NoJson));
    assert_eq!(ask("/moved").await, Err(BesideError::Refused(302)));
    let nowhere = provider.post_beside("http://127.0.0.1:1/x", &json!({})).await;
    assert!(matches!(nowhere, Err(BesideError::Unreachable(_))), "{nowhere:?}");
    assert_eq!(
        provider.post_beside("no url", &json!({})).await,
        Err(BesideError::Malformed)
    );
}

#[tokio::test]
async fn the_hosts_of_an_embedded_cluster_are_asked_where_they_are_said_to_be() {
    let (cluster, service) = (Stub::serve(Vec::new()).await, Stub::serve(Vec::new()).await);
    service.add(Reply::json(&["POST /keys/search "], 200, &json!({"data": []})));
    let address = service.url().trim_start_matches("http://").parse().expect("an address");
    let provider = cluster.provider().with_hosts_at(address);
    let answer = provider
        .post_beside("http://maas.apps.example.com/keys/search", &json!({}))
        .await;
    assert_eq!(answer, Ok(json!({"data": []})));
    let asked = service.received().pop().expect("it was asked");
    let host = asked.headers.iter().find(|(name, _)| name == "host");
    assert_eq!(host.map(|(_, value)| value.as_str()), Some("maas.apps.example.com"));
}
