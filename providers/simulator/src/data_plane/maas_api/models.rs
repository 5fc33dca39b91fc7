//! The list of models: those whose own list the caller may read.
//!
//! Source: reference/serving.md §3.2 (fields; probes with the caller's Authorization; 2xx and 405 count), §4.5 (how a caller's
//! subscriptions are found: by the key, by a header, or all of them).

use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

use super::super::call::{Answer, Call};
use super::subscriptions::{self, Refusal};
use super::{Shared, User};
use crate::operators::kinds::MAAS_MODEL_REF;
use crate::operators::object::Read;

pub(super) async fn list(shared: &Shared, user: &User, call: &Call) -> Answer {
    let authorization = call.header("authorization").trim();
    if authorization.is_empty() {
        return refused(
            StatusCode::UNAUTHORIZED,
            "Authorization required",
            "authentication_error",
        );
    }
    let wanted = call.header("x-maas-subscription").trim();
    let is_key = authorization.starts_with("Bearer sk-oai-");
    if is_key && wanted.is_empty() {
        return refused(
            StatusCode::FORBIDDEN,
            "API key has no subscription bound",
            "permission_error",
        );
    }
    let chosen = shared.view.read(|world| {
        if wanted.is_empty() {
            return Ok(subscriptions::usable(world, user.caller()));
        }
        subscriptions::select(world, user.caller(), wanted, "").map(|one| vec![one])
    });
    let chosen = match chosen {
        Ok(chosen) => chosen,
        Err(Refusal::Unhealthy { .. }) => {
            return refused(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Failed to select subscription",
                "server_error",
            );
        }
        Err(refusal) => return refused(StatusCode::FORBIDDEN, &refusal.message(), "permission_error"),
    };
    let references = shared
        .view
        .read(|world| world.list(MAAS_MODEL_REF).cloned().collect::<Vec<_>>());
    let mut listed: Vec<Value> = Vec::new();
    for reference in &references {
        let name = format!("{}/{}", reference.namespace(), reference.name());
        let mut mentioned = Vec::new();
        let mut id = None;
        for subscription in chosen.iter().filter(|one| subscriptions::includes(one, &name)) {
            if let Some(found) = probe(shared, reference, authorization, subscription.name()).await {
                id = Some(found);
                mentioned.push(subscriptions::mentioned(subscription));
            }
        }
        if let Some(id) = id {
            listed.push(entry(reference, &id, &mentioned));
        }
    }
    listed.sort_by(|one, other| one.text("/id").cmp(other.text("/id")));
    Answer::json(StatusCode::OK, &json!({"object": "list", "data": listed}))
}

/// Asks a model for its own list as the caller. Returns the id that it has.
async fn probe(shared: &Shared, reference: &Value, authorization: &str, subscription: &str) -> Option<String> {
    let endpoint = reference.text("/status/endpoint").trim_end_matches('/');
    let (scheme, rest) = endpoint.split_once("://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut call = Call {
        method: Method::GET,
        host: host.to_owned(),
        path: format!("/{path}/v1/models"),
        query: None,
        headers: HeaderMap::new(),
        body: bytes::Bytes::new(),
        is_tls: scheme == "https",
    };
    call.set("authorization", authorization);
    call.set("x-maas-subscription", subscription);
    let answer = Box::pin(shared.serve(call)).await;
    if !answer.status.is_success() && answer.status != StatusCode::METHOD_NOT_ALLOWED {
        return None;
    }
    let id = answer.body().map(|body| body.text("/data/0/id").to_owned());
    Some(
        id.filter(|id| !id.is_empty())
            .unwrap_or_else(|| reference.name().to_owned()),
    )
}

fn entry(reference: &Value, id: &str, subscriptions: &[Value]) -> Value {
    let created = reference
        .text("/metadata/creationTimestamp")
        .parse::<k8s_openapi::jiff::Timestamp>();
    let mut entry = json!({
        "id": id, "object": "model", "created": created.map_or(0, |at| at.as_second()),
        "owned_by": format!("{}/{}", reference.namespace(), reference.name()),
        "ready": reference.text("/status/phase") == "Ready", "url": reference["status"]["endpoint"],
        "kind": reference["spec"]["modelRef"]["kind"], "subscriptions": subscriptions,
    });
    let details = [
        ("displayName", "openshift.io/display-name"),
        ("description", "openshift.io/description"),
        ("genaiUseCase", "opendatahub.io/genai-use-case"),
        ("contextWindow", "opendatahub.io/context-window"),
    ];
    for (name, annotation) in details {
        if let Some(value) = reference.annotation(annotation) {
            entry["modelDetails"][name] = json!(value);
        }
    }
    entry
}

fn refused(status: StatusCode, message: &str, kind: &str) -> Answer {
    Answer::json(status, &json!({"error": {"message": message, "type": kind}}))
}
