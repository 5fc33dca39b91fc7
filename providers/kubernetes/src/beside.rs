//! Another service of the cluster, asked over HTTP as the person who speaks to its API server.
//!
//! Its certificate is judged by what everybody trusts, not by the API server's own authority, and the answer is waited for
//! briefly: who asks can do without it.
//!
//! The hosts of an embedded cluster are not where names lead: they are asked at an address that is given beforehand.
//!
//! Invariant: the token goes to the URL that was given and to no other; redirects are not followed.

use http::{Method, Request, Uri, header};
use http_body_util::BodyExt as _;
use kube::{Config, client::Body};
use serde_json::Value;
use std::{net::SocketAddr, time::Duration};

/// How long the whole of one answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Why another service gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BesideError {
    /// The URL is none.
    #[error("it has no URL that can be asked")]
    Malformed,
    /// It does not answer, or not in time.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// It answers that it will not.
    #[error("it answers {0}")]
    Refused(u16),
    /// It answers something else than JSON.
    #[error("it does not answer in JSON")]
    NoJson,
}

/// Posts JSON to a URL with the credentials of a connection, and gives the answer.
pub(crate) async fn post(
    config: &Config,
    hosts: Option<SocketAddr>,
    url: &str,
    body: &Value,
) -> Result<Value, BesideError> {
    let url: Uri = url.parse().map_err(|_| BesideError::Malformed)?;
    let host = url.host().ok_or(BesideError::Malformed)?.to_owned();
    let authority = url.authority().ok_or(BesideError::Malformed)?.to_string();
    let mut parts = url.into_parts();
    let path = parts.path_and_query.take().ok_or(BesideError::Malformed)?;
    if let Some(address) = hosts {
        parts.authority = Some(address.to_string().parse().map_err(|_| BesideError::Malformed)?);
    }
    parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    let mut config = config.clone();
    config.cluster_url = Uri::from_parts(parts).map_err(|_| BesideError::Malformed)?;
    config.root_cert = None;
    // What an embedded cluster presents is signed by an authority of its own, and nobody is between us and loopback.
    config.accept_invalid_certs = hosts.is_some();
    config.tls_server_name = hosts.map(|_| host);
    config.connect_timeout = Some(TIMEOUT);
    let client = kube::Client::try_from(config).map_err(|error| BesideError::Unreachable(error.to_string()))?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(path.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::HOST, authority)
        .body(Body::from(body.to_string().into_bytes()))
        .map_err(|_| BesideError::Malformed)?;
    let answer = async {
        let response = client
            .send(request)
            .await
            .map_err(|error| BesideError::Unreachable(error.to_string()))?;
        let status = response.status();
        if !status.is_success() {
            return Err(BesideError::Refused(status.as_u16()));
        }
        let body = response.into_body().collect().await;
        let body = body
            .map_err(|error| BesideError::Unreachable(error.to_string()))?
            .to_bytes();
        serde_json::from_slice(&body).map_err(|_| BesideError::NoJson)
    };
    let late = || BesideError::Unreachable(format!("no answer within {} s", TIMEOUT.as_secs()));
    tokio::time::timeout(TIMEOUT, answer).await.map_err(|_| late())?
}
