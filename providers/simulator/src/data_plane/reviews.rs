//! What the API server says about a bearer and about rights: the questions that Authorino and maas-api ask it.
//!
//! Invariant: a server that gives no answer makes nobody known and nothing allowed.

use kube::Client;
use serde_json::{Value, json};

use crate::operators::object::Read;

/// Asks who the bearer of a token is, for one of these audiences: `{user: {username, groups}, ...}`; none for nobody.
pub(super) async fn token(client: &Client, token: &str, audiences: &Value) -> Option<Value> {
    let mut spec = json!({"token": token});
    if audiences.is_array() {
        spec["audiences"] = audiences.clone();
    }
    let status = review(client, "authentication.k8s.io", "TokenReview", "tokenreviews", spec).await?;
    status.is_true("/authenticated").then_some(status)
}

/// Asks whether somebody may do something; `spec` is that of a SubjectAccessReview.
pub(super) async fn access(client: &Client, spec: Value) -> bool {
    let status = review(
        client,
        "authorization.k8s.io",
        "SubjectAccessReview",
        "subjectaccessreviews",
        spec,
    )
    .await;
    status.is_some_and(|status| status.is_true("/allowed"))
}

async fn review(client: &Client, group: &str, kind: &str, plural: &str, spec: Value) -> Option<Value> {
    let body = json!({"apiVersion": format!("{group}/v1"), "kind": kind, "metadata": {}, "spec": spec});
    let request = http::Request::post(format!("/apis/{group}/v1/{plural}"))
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body.to_string().into_bytes())
        .ok()?;
    match client.request::<Value>(request).await {
        Ok(mut answer) => Some(answer["status"].take()),
        Err(error) => {
            tracing::debug!(kind, %error, "the API server gave no answer to a review");
            None
        }
    }
}
