//! What goes to pods and comes from them, as a kubelet would do it: logs, port-forward, proxy, eviction.
//!
//! Invariants:
//! - A pod is judged by what the server holds of it: one without a node says nothing, one that waits says why.
//! - What it says and which ports answer is its runtime's ([`PodRuntime`](super::pod_runtime::PodRuntime)).
//!
//! Deliberately absent: processes. `exec` and `attach` are refused, and with them `cp`.

mod channels;
mod evict;
mod logs;
mod portforward;
mod proxy;
mod spdy;

use axum::body::Bytes;
use axum::response::Response;
use http::Method;
use http::request::Parts;

use super::request::Call;
use super::routes::Shared;
use super::status::Refusal;

/// Answers a request for one of these subresources; `None` if it is for another.
pub(super) async fn serve(
    shared: &Shared,
    parts: &Parts,
    call: &Call,
    body: &Bytes,
) -> Option<Result<Response, Refusal>> {
    let is_core = call.kind.group.is_empty();
    let subresource = call.path.subresource.as_deref().filter(|_| is_core)?;
    let (first, path) = subresource.split_once('/').unwrap_or((subresource, ""));
    let get = parts.method == Method::GET;
    let create = get || parts.method == Method::POST;
    match (call.kind.kind.as_str(), first) {
        ("Pod", "log") if get => Some(logs::serve(shared, call)),
        ("Pod", "portforward") if create => Some(portforward::serve(shared, parts, call).await),
        ("Pod", "exec" | "attach") if create => Some(Err(refuse_processes(shared, call))),
        ("Pod", "eviction") if parts.method == Method::POST => Some(evict::serve(&shared.server, call, body)),
        ("Pod" | "Service", "proxy") => Some(proxy::serve(shared, parts, call, path, body).await),
        _ => None,
    }
}

fn refuse_processes(shared: &Shared, call: &Call) -> Refusal {
    match shared.server.find(call) {
        Err(refusal) => refusal,
        Ok(pod) if pod.value["spec"]["nodeName"].is_null() => {
            Refusal::bad_request(format!("pod {} does not have a host assigned", call.name()))
        }
        Ok(_) => Refusal::bad_request(
            "the containers of a simulated cluster run no processes: exec, attach and cp cannot be",
        ),
    }
}
