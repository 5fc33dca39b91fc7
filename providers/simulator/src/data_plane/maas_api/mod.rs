//! maas-api: keys, subscriptions and models for people; validation and selection for Authorino; tiers of the older
//! generation.
//!
//! Source: reference/serving.md §3.2 (paths, bodies, status codes), §3.1 (who asks, by which headers; who is an
//! administrator); `maas-api/cmd/main.go` of <https://github.com/opendatahub-io/models-as-a-service> v0.1.1.
//!
//! Invariants:
//! - Who asks is what the gateway's policy says in headers; without them nothing is answered (`AUTH_FAILURE`).
//! - Unknown fields of a body are ignored, as the real service ignores them.
//! - A key of somebody else is not there (404), unless an administrator asks.
//!
//! Left out: OIDC, metrics. The internal paths are not reachable through the gateway.

mod creation;
mod database;
mod inside;
mod keys;
mod models;
mod revocation;
mod search;
mod storage;
mod subscriptions;
mod tiers;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::reviews;
use super::shared::Shared;

pub(super) use database::Databases;
pub(super) use inside::inside;
pub(super) use storage::attend;
use storage::{Storage, Unreadable, storage};
use subscriptions::Caller;

/// Who asks, as the gateway says.
#[derive(Clone, Debug)]
struct User {
    name: String,
    groups: Vec<String>,
}

impl User {
    fn caller(&self) -> Caller<'_> {
        Caller {
            username: &self.name,
            groups: &self.groups,
        }
    }
}

/// Answers a call of the gateway to a pod of maas-api.
pub(super) async fn answer(shared: &Shared, pod: &Value, call: &Call) -> Answer {
    let path = call.path.trim_end_matches('/');
    if path == "/health" {
        return Answer::json(StatusCode::OK, &json!({"status": "healthy"}));
    }
    if !path.starts_with("/v1/") {
        return nowhere();
    }
    if path == "/v1/tiers/lookup" {
        return inside::lookup(shared, pod, &call.body).await;
    }
    let user = match user(call) {
        Ok(user) => user,
        Err(reference) => {
            let body = json!({"error": "Exception thrown while generating token", "exceptionCode": "AUTH_FAILURE", "refId": reference});
            return Answer::json(StatusCode::INTERNAL_SERVER_ERROR, &body);
        }
    };
    let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
    match (&call.method, parts.as_slice()) {
        (&Method::GET, ["models"]) => models::list(shared, &user, call).await,
        (&Method::GET, ["subscriptions"]) => {
            let all = shared.view.read(|world| subscriptions::usable(world, user.caller()));
            Answer::json(
                StatusCode::OK,
                &all.iter().map(|one| subscriptions::listed(one)).collect(),
            )
        }
        (&Method::GET, ["model", model, "subscriptions"]) => {
            let all = shared.view.read(|world| subscriptions::usable(world, user.caller()));
            let having = all.iter().filter(|one| subscriptions::includes(one, model));
            Answer::json(StatusCode::OK, &having.map(|one| subscriptions::listed(one)).collect())
        }
        (_, ["api-keys", rest @ ..]) => match storage(shared, pod).await {
            Ok(storage) => keys_answer(shared, &storage, &user, call, rest).await,
            Err(Unreadable::NoDatabase) => nowhere(),
            Err(Unreadable::NoAnswer) => failed("the database does not answer"),
        },
        _ => nowhere(),
    }
}

fn user(call: &Call) -> Result<User, &'static str> {
    let name = call.header("x-maas-username").trim();
    if name.is_empty() {
        return Err("001");
    }
    let groups = call.header("x-maas-group");
    if groups.is_empty() {
        return Err("002");
    }
    let groups: Vec<String> = serde_json::from_str(groups).map_err(|_| "003")?;
    if groups.is_empty() {
        return Err("003");
    }
    Ok(User {
        name: name.to_owned(),
        groups,
    })
}

async fn keys_answer(shared: &Shared, storage: &Storage, user: &User, call: &Call, path: &[&str]) -> Answer {
    match (&call.method, path) {
        (&Method::POST, []) => creation::create(shared, storage, user, &call.body),
        (&Method::POST, ["search"]) => search::answer(shared, storage, user, &call.body).await,
        (&Method::POST, ["bulk-revoke"]) => revocation::revoke_all(shared, storage, user, &call.body).await,
        (&Method::GET, [id]) => revocation::one(shared, storage, user, id, false).await,
        (&Method::DELETE, [id]) => revocation::one(shared, storage, user, id, true).await,
        _ => nowhere(),
    }
}

/// Reads a body as an object.
fn object(body: &[u8]) -> Result<Value, Box<Answer>> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(Value::Object(object)),
        Ok(_) => Err(Box::new(refused(
            StatusCode::BAD_REQUEST,
            "the body is not a JSON object",
        ))),
        Err(error) => Err(Box::new(refused(StatusCode::BAD_REQUEST, &error.to_string()))),
    }
}

/// Whoever may create MaaSAuthPolicies is an administrator (reference/serving.md §3.1).
async fn is_administrator(shared: &Shared, user: &User) -> bool {
    let attributes = json!({"group": "maas.opendatahub.io", "resource": "maasauthpolicies", "verb": "create", "namespace": "models-as-a-service"});
    let spec = json!({"user": user.name, "groups": user.groups, "resourceAttributes": attributes});
    reviews::access(shared.view.client(), spec).await
}

fn nowhere() -> Answer {
    Answer::text(StatusCode::NOT_FOUND, "404 page not found")
}

fn refused(status: StatusCode, why: &str) -> Answer {
    Answer::json(status, &json!({"error": why}))
}

fn failed(why: &str) -> Answer {
    refused(StatusCode::INTERNAL_SERVER_ERROR, why)
}
