//! `pods/proxy` and `services/proxy`: an HTTP request goes on to a port of a pod
//! (<https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls>).

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST};
use http::request::Parts;
use http::{HeaderValue, Request, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::apiserver::admission::ObjectReader as _;
use crate::apiserver::pod_runtime::containers;
use crate::apiserver::request::Call;
use crate::apiserver::routes::Shared;
use crate::apiserver::server::Server;
use crate::apiserver::status::{Refusal, Subject};

/// Sends a request on, and its answer back.
///
/// # Errors
///
/// 404 for what is not there, 503 where nothing can answer.
pub(super) async fn serve(
    shared: &Shared,
    parts: &Parts,
    call: &Call,
    path: &str,
    body: &Bytes,
) -> Result<Response, Refusal> {
    let (name, port) = name_and_port(call.name());
    let (pod, port) = if call.kind.kind == "Service" {
        of_service(&shared.server, call, name, port)?
    } else {
        of_pod(&shared.server, call, name, port)?
    };
    let unreachable =
        |error: &dyn std::fmt::Display| Refusal::unavailable(format!("error trying to reach service: {error}"));
    let runtime = shared.server.pod_runtimes.of(&pod);
    let stream = runtime.connect(&pod, port).map_err(|error| unreachable(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| unreachable(&error))?;
    // It ends when the answer has been read, or the client is gone.
    tokio::spawn(connection);
    let target = match parts.uri.query() {
        Some(query) => format!("/{path}?{query}"),
        None => format!("/{path}"),
    };
    let mut request = Request::new(Body::from(body.clone()));
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = target.parse::<Uri>().map_err(|error| unreachable(&error))?;
    request.headers_mut().clone_from(&parts.headers);
    // The credentials were for this server.
    request.headers_mut().remove(AUTHORIZATION);
    request.headers_mut().remove(CONTENT_LENGTH);
    let host = format!("{name}:{port}");
    if let Ok(host) = HeaderValue::from_str(&host) {
        request.headers_mut().insert(HOST, host);
    }
    let answer = sender
        .send_request(request)
        .await
        .map_err(|error| unreachable(&error))?;
    Ok(answer.map(Body::new))
}

/// `name`, `name:port` or `scheme:name:port`.
fn name_and_port(text: &str) -> (&str, &str) {
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        [name, port] | [_, name, port] => (name, port),
        _ => (text, ""),
    }
}

fn of_pod(server: &Server, call: &Call, name: &str, port: &str) -> Result<(Arc<Value>, u16), Refusal> {
    let missing = || Refusal::not_found(call.subject(name));
    let pod = server
        .object("", "Pod", Some(call.namespace()), name)
        .ok_or_else(missing)?;
    if pod["status"]["podIP"].as_str().is_none_or(str::is_empty) {
        return Err(Refusal::bad_request("address not allowed"));
    }
    let first = containers(&pod).find_map(|container| container["ports"][0]["containerPort"].as_u64());
    let number = port.parse().ok().or(first.and_then(|port| u16::try_from(port).ok()));
    Ok((pod, number.unwrap_or(80)))
}

/// A ready pod behind a port of a Service.
fn of_service(server: &Server, call: &Call, name: &str, port: &str) -> Result<(Arc<Value>, u16), Refusal> {
    let subject = Subject {
        group: "",
        kind: "Service",
        resource: "services",
        name,
    };
    let service = server.object("", "Service", Some(call.namespace()), name);
    let service = service.ok_or_else(|| Refusal::not_found(subject))?;
    let none = || Refusal::unavailable(format!("no endpoints available for service \"{name}\""));
    let ports = service["spec"]["ports"].as_array().map_or(&[][..], Vec::as_slice);
    let chosen = match port {
        "" if ports.len() == 1 => ports.first(),
        port => ports.iter().find(|one| {
            one["name"].as_str().unwrap_or_default() == port
                || one["port"].as_u64().is_some_and(|number| number.to_string() == port)
        }),
    };
    let chosen = chosen
        .ok_or_else(|| Refusal::unavailable(format!("no service port \"{port}\" found for service \"{name}\"")))?;
    let selector = service["spec"]["selector"].as_object().ok_or_else(none)?;
    let pods = server.objects("", "Pod");
    let pod = pods.into_iter().find(|pod| {
        let labels = &pod["metadata"]["labels"];
        pod["metadata"]["namespace"] == call.namespace()
            && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
            && is_ready(pod)
    });
    let pod = pod.ok_or_else(none)?;
    let number = match &chosen["targetPort"] {
        Value::String(name) => containers(&pod)
            .flat_map(|container| container["ports"].as_array().into_iter().flatten())
            .find(|port| port["name"] == name.as_str())
            .and_then(|port| port["containerPort"].as_u64()),
        target => target.as_u64(),
    };
    let number = number.and_then(|number| u16::try_from(number).ok()).ok_or_else(none)?;
    Ok((pod, number))
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_a_port_and_a_scheme() {
        assert_eq!(name_and_port("s"), ("s", ""));
        assert_eq!(name_and_port("s:80"), ("s", "80"));
        assert_eq!(name_and_port("https:s:web"), ("s", "web"));
    }
}
