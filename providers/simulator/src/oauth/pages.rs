//! The pages that clients log in at: where they are, and the challenge by a password.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, LOCATION, WARNING, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use kube::Client;
use serde_json::{Value, json};

use super::LIFETIME_SECONDS;
use super::login::{LoginError, log_in};

/// Where clients read how to log in.
const METADATA: &str = "/.well-known/oauth-authorization-server";
const AUTHORIZE: &str = "/oauth/authorize";
/// Where whoever logged in is sent, with the token behind the `#`.
const IMPLICIT: &str = "/oauth/token/implicit";

/// The OAuth client that answers a challenge: `oc login`, and `curl` in its place.
const CHALLENGING: &str = "openshift-challenging-client";

/// What a browser does not send by itself, so that no page can make it log in.
const CSRF: &str = "x-csrf-token";

/// The pages.
pub(super) struct OauthPages {
    pub(super) client: Client,
}

impl crate::apiserver::Pages for OauthPages {
    fn serves(&self, path: &str) -> bool {
        [METADATA, AUTHORIZE, IMPLICIT].contains(&path)
    }

    fn answer(&self, request: Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> {
        let client = self.client.clone();
        Box::pin(async move {
            let headers = request.headers();
            if request.method() != Method::GET {
                return response(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "use GET\n".to_owned());
            }
            match request.uri().path() {
                METADATA => json_page(StatusCode::OK, &metadata(&base(headers))),
                IMPLICIT => response(
                    StatusCode::OK,
                    "text/plain",
                    "the token is behind the # of this address\n".to_owned(),
                ),
                _ => authorize(&client, request.uri().query().unwrap_or_default(), headers).await,
            }
        })
    }
}

/// The server as the client calls it.
fn base(headers: &HeaderMap) -> String {
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    format!("https://{host}")
}

fn metadata(base: &str) -> Value {
    json!({
        "issuer": base, "authorization_endpoint": format!("{base}{AUTHORIZE}"), "token_endpoint": format!("{base}/oauth/token"),
        "scopes_supported": ["user:full"], "response_types_supported": ["token"], "grant_types_supported": ["implicit"],
    })
}

async fn authorize(client: &Client, query: &str, headers: &HeaderMap) -> Response<Bytes> {
    let asked = |key: &str| {
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
    };
    if asked("client_id") != Some(CHALLENGING) {
        return refused("unauthorized_client", "only openshift-challenging-client logs in here");
    }
    if asked("response_type") != Some("token") {
        return refused("unsupported_response_type", "only response_type=token is answered here");
    }
    if headers.get(CSRF).is_none_or(HeaderValue::is_empty) {
        let mut answer = response(StatusCode::UNAUTHORIZED, "text/plain", String::new());
        let warning = "199 OpenShift \"A non-empty X-CSRF-Token header is required to receive basic-auth challenges\"";
        answer.headers_mut().insert(WARNING, HeaderValue::from_static(warning));
        return answer;
    }
    let Some((name, password)) = credentials(headers) else {
        return challenge();
    };
    match log_in(client, &name, &password, CHALLENGING).await {
        Ok(token) => {
            let location = format!(
                "{}{IMPLICIT}#access_token={}&expires_in={LIFETIME_SECONDS}&scope=user%3Afull&token_type=Bearer",
                base(headers),
                token.reveal()
            );
            let mut answer = response(StatusCode::FOUND, "text/plain", String::new());
            if let Ok(mut location) = HeaderValue::from_str(&location) {
                location.set_sensitive(true);
                answer.headers_mut().insert(LOCATION, location);
            }
            answer
        }
        Err(LoginError::Unknown) => challenge(),
        Err(error @ LoginError::Claimed { .. }) => refused("access_denied", &error.to_string()),
        Err(error @ (LoginError::Cluster(_) | LoginError::Random(_))) => {
            tracing::warn!(%error, cause = ?std::error::Error::source(&error), "nobody can log in");
            let why = json!({"error": "server_error", "error_description": error.to_string()});
            json_page(StatusCode::INTERNAL_SERVER_ERROR, &why)
        }
    }
}

/// The name and the password that were sent (RFC 7617).
fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let decoded = STANDARD
        .decode(encoded.trim())
        .ok()
        .filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

fn challenge() -> Response<Bytes> {
    let mut answer = response(StatusCode::UNAUTHORIZED, "text/plain", String::new());
    let realm = HeaderValue::from_static("Basic realm=\"openshift\"");
    answer.headers_mut().insert(WWW_AUTHENTICATE, realm);
    answer
}

fn refused(error: &str, why: &str) -> Response<Bytes> {
    json_page(
        StatusCode::BAD_REQUEST,
        &json!({"error": error, "error_description": why}),
    )
}

fn json_page(code: StatusCode, value: &Value) -> Response<Bytes> {
    response(code, "application/json", value.to_string())
}

fn response(code: StatusCode, content_type: &'static str, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = code;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
