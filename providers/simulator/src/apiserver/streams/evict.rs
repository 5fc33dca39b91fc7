//! `pods/eviction`: a delete that asks the disruption budgets of a pod first
//! (<https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/>).

use axum::body::{Body, Bytes};
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::apiserver::admission::ObjectReader as _;
use crate::apiserver::audit::Verb;
use crate::apiserver::delete::DeleteOptions;
use crate::apiserver::request::Call;
use crate::apiserver::routes::record;
use crate::apiserver::selector;
use crate::apiserver::server::Server;
use crate::apiserver::status::Refusal;
use crate::apiserver::write::decode;

/// Deletes a pod unless a budget forbids it.
///
/// # Errors
///
/// 404 for a pod that is not there, 429 where a budget allows no disruption.
pub(super) fn serve(server: &Server, call: &Call, body: &Bytes) -> Result<Response, Refusal> {
    let pod = server.find(call)?;
    let eviction = decode(body)?;
    if is_guarded(server, call.namespace(), &pod.value) {
        return Err(Refusal::disruption_budget());
    }
    let options = match &eviction["deleteOptions"] {
        Value::Null => json!({}),
        options => options.clone(),
    };
    let options = DeleteOptions::of(call, options.to_string().as_bytes())?;
    let inner = Call::internal(&call.kind, &call.key(call.name()), None, call.user.clone());
    let deleted = server.delete(&inner, &options);
    record(server, &inner, Verb::Delete, options.dry_run, body, deleted.as_ref());
    deleted?;
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201});
    let mut response = Response::new(Body::from(status.to_string()));
    *response.status_mut() = StatusCode::CREATED;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}

/// Whether a budget needs every pod that is Ready now, this one among them.
fn is_guarded(server: &Server, namespace: &str, pod: &Value) -> bool {
    let in_namespace = |object: &Value| object["metadata"]["namespace"] == namespace;
    server.objects("policy", "PodDisruptionBudget").iter().any(|budget| {
        let wanted = &budget["spec"]["selector"];
        if !in_namespace(budget) || !selector::selects(wanted, pod) {
            return false;
        }
        let pods = server.objects("", "Pod");
        let chosen: Vec<_> = pods
            .iter()
            .filter(|pod| in_namespace(pod) && selector::selects(wanted, pod))
            .collect();
        let healthy = chosen.iter().filter(|pod| is_ready(pod)).count();
        let spec = &budget["spec"];
        let needed = match amount(&spec["minAvailable"], chosen.len()) {
            Some(needed) => needed,
            None => chosen
                .len()
                .saturating_sub(amount(&spec["maxUnavailable"], chosen.len()).unwrap_or(0)),
        };
        healthy <= needed && is_ready(pod)
    })
}

/// A number, or a percentage of all, rounded up.
fn amount(value: &Value, all: usize) -> Option<usize> {
    match value {
        Value::Number(number) => usize::try_from(number.as_u64()?).ok(),
        Value::String(text) => {
            let percentage: usize = text.strip_suffix('%')?.parse().ok()?;
            Some((percentage * all).div_ceil(100))
        }
        _ => None,
    }
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}
