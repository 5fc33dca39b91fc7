//! What Authorino asks maas-api within the cluster: whether a key is good, which subscription counts, and in the older
//! generation which tier somebody is in.
//!
//! Source: reference/serving.md §1.12 (what policies ask), §3.2 (answers).
//!
//! Invariant: a question that fails is answered in words, so that the rules of a policy decide; only a path that is not
//! there and keys that cannot be read have no answer.

use serde_json::{Value, json};

use super::super::call::Answer;
use super::keys::{self, Status};
use super::storage::{Storage, storage};
use super::subscriptions::{self, Caller};
use super::{Shared, tiers};
use crate::operators::kinds::CONFIG_MAP;
use crate::operators::object::Read;

/// Answers a question that Authorino asks within the cluster; none where there is no answer that it could use.
pub(in crate::data_plane) async fn inside(shared: &Shared, pod: &Value, path: &str, body: &Value) -> Option<Value> {
    match path {
        "/internal/v1/api-keys/validate" => {
            let storage = storage(shared, pod).await.ok()?;
            let text = body.text("/key");
            Some(validated(shared, &storage, text))
        }
        "/internal/v1/subscriptions/select" => {
            let groups: Vec<String> = body
                .list("/groups")
                .iter()
                .map(|group| group.text("").to_owned())
                .collect();
            let username = body.text("/username");
            if username.is_empty() {
                return Some(
                    json!({"error": "bad_request", "message": "invalid request body: a username is required", "phase": "", "ready": false}),
                );
            }
            let caller = Caller {
                username,
                groups: &groups,
            };
            let chosen = shared.view.read(|world| {
                subscriptions::select(
                    world,
                    caller,
                    body.text("/requestedSubscription"),
                    body.text("/requestedModel"),
                )
            });
            Some(match chosen {
                Ok(subscription) => subscriptions::selected(&subscription),
                Err(refusal) => subscriptions::refused(&refusal),
            })
        }
        "/v1/tiers/lookup" => lookup(shared, pod, body.to_string().as_bytes())
            .await
            .body()
            .filter(|body| body.get("tier").is_some()),
        _ => None,
    }
}

pub(super) async fn lookup(shared: &Shared, pod: &Value, body: &[u8]) -> Answer {
    let mapping = shared.view.get(CONFIG_MAP, pod.namespace(), tiers::MAPPING).await;
    tiers::answer(&serde_json::from_slice(body).unwrap_or_default(), mapping.as_ref())
}

fn validated(shared: &Shared, storage: &Storage, text: &str) -> Value {
    let invalid = |reason: &str| json!({"valid": false, "reason": reason});
    if keys::parts(text).is_none() {
        return invalid("invalid key format");
    }
    let now = shared.time.now();
    let found = shared.with_keys(storage, |keys| {
        let key = keys.iter_mut().find(|key| key.is(text))?;
        let status = key.status(now);
        if status == Status::Active {
            key.last_used = Some(now);
        }
        Some((status, key.clone()))
    });
    match found.flatten() {
        None => invalid("key not found"),
        Some((Status::Revoked | Status::Expired, _)) => invalid("key revoked or expired"),
        Some((Status::Active, key)) => json!({
            "valid": true, "userId": key.id, "username": key.username, "keyId": key.id, "groups": key.groups,
            "subscription": key.subscription,
        }),
    }
}
