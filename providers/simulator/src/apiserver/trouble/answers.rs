//! What a server in trouble says, in the forms that real ones have.
//!
//! Each text is a real server's; the source is beside it (Kubernetes 1.34, etcd 3.6).

use std::fmt;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_util::stream;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, StatusCode};

use crate::apiserver::request::ResourcePath;
use crate::apiserver::status::{self, Refusal};

/// One way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Nothing: the connection breaks.
    Nothing,
    /// 429 of priority and fairness: plain text, and a second to wait
    /// (`k8s.io/apiserver/pkg/server/filters/priority-and-fairness.go`).
    Throttled,
    /// 503 of an aggregated API whose server is away: plain text
    /// (`k8s.io/kube-aggregator/pkg/apiserver/handler_proxy.go`).
    Unavailable,
    /// 504 of a request that took more than a minute; it may still have been carried out
    /// (`k8s.io/apiserver/pkg/server/filters/timeout.go`).
    TimedOut,
    /// 500 without a reason: an error of etcd that nobody made an answer of
    /// (`k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/status.go`;
    /// `go.etcd.io/etcd/api/v3/v3rpc/rpctypes/error.go`).
    StoreTimedOut,
    /// The same, while etcd elects.
    LeaderChanged,
    /// 500 `ServerTimeout`: the store cannot be reached (`k8s.io/apiserver/pkg/storage/errors/storage.go`).
    ServerTimeout,
    /// 500 `InternalError`, its outcome unknown by its definition (`k8s.io/apimachinery/pkg/apis/meta/v1/types.go`):
    /// here a deadline within the server, that of the quota on writes
    /// (`k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go`).
    InternalError,
    /// 409 of a change that others were faster than, five times over (`reference/ssa-semantics.md` §4;
    /// `k8s.io/apiserver/pkg/endpoints/handlers/patch.go`, `MaxRetryWhenPatchConflicts`).
    Modified,
}

/// What a request is about, as far as an answer names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) method: &'a Method,
    pub(super) resource: Option<&'a ResourcePath>,
}

impl Subject<'_> {
    fn operation(&self) -> &'static str {
        match *self.method {
            Method::POST => "create",
            Method::PUT | Method::PATCH => "update",
            Method::DELETE => "delete",
            _ if self.resource.is_some_and(|resource| resource.name.is_none()) => "list",
            _ => "get",
        }
    }
}

impl Said {
    pub(super) fn response(self, subject: Subject<'_>) -> Response {
        let resource = subject.resource;
        let named = status::Subject {
            group: resource.map_or("", |resource| &resource.group),
            kind: "",
            resource: resource.map_or("", |resource| &resource.plural),
            name: resource
                .and_then(|resource| resource.name.as_deref())
                .unwrap_or_default(),
        };
        match self {
            Self::Nothing => Response::new(severed()),
            Self::Throttled => {
                let mut response = text(
                    StatusCode::TOO_MANY_REQUESTS,
                    "Too many requests, please try again later.\n",
                );
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
            Self::Unavailable => text(StatusCode::SERVICE_UNAVAILABLE, "service unavailable\n"),
            Self::TimedOut => refuse(&Refusal::timed_out()),
            Self::StoreTimedOut => refuse(&Refusal::untyped("etcdserver: request timed out")),
            Self::LeaderChanged => refuse(&Refusal::untyped("etcdserver: leader changed")),
            Self::ServerTimeout => {
                let mut response = refuse(&Refusal::server_timeout(named, subject.operation(), 2));
                // `k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/writers.go`
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from_static("2"));
                response
            }
            Self::InternalError if *subject.method == Method::GET => {
                refuse(&Refusal::internal("context deadline exceeded"))
            }
            Self::InternalError => refuse(&Refusal::internal("resource quota evaluation timed out")),
            Self::Modified => refuse(&Refusal::modified(named)),
        }
    }
}

/// 500 of a write whose webhook does not answer (`k8s.io/apiserver/pkg/util/webhook/error.go`). A webhook is named as
/// kubebuilder names them, and 10 s are the default of `timeoutSeconds`.
pub(super) fn webhook_timeout(kind: &str) -> Response {
    let kind = kind.to_lowercase();
    refuse(&Refusal::internal(&format!(
        "failed calling webhook \"v{kind}.kb.io\": failed to call webhook: Post \
         \"https://{kind}-webhook.webhooks.svc:443/validate-{kind}?timeout=10s\": context deadline exceeded"
    )))
}

/// 410 of a watch from what was compacted (`reference/ssa-semantics.md` §13).
pub(in crate::apiserver) fn expired(from: u64) -> Refusal {
    Refusal::expired(format!("too old resource version: {from} (compacted)"), None)
}

/// Why a body ends before its end.
#[derive(Debug)]
pub(in crate::apiserver) struct Severed;

impl fmt::Display for Severed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection is broken on purpose")
    }
}

impl std::error::Error for Severed {}

/// A body that fails at once: the server drops the connection before anything of the answer has left.
fn severed() -> Body {
    Body::from_stream(stream::iter([Err::<Bytes, Severed>(Severed)]))
}

fn refuse(refusal: &Refusal) -> Response {
    let (code, content_type, body) = refusal.to_body();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = code;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn text(code: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = code;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}
