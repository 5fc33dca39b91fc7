//! Keys that are there: shown or revoked one by one, or all of a person at once.
//!
//! Source: reference/serving.md §3.2 (paths, answers), §3.1 (who may do it for others).
//!
//! Invariant: a revoked key stays, and stays revoked.

use http::StatusCode;
use serde_json::json;

use super::super::call::Answer;
use super::keys::Status;
use super::storage::Storage;
use super::{Shared, User, failed, is_administrator, object, refused};
use crate::operators::object::Read;

/// Shows or revokes one key.
pub(super) async fn one(shared: &Shared, storage: &Storage, user: &User, id: &str, revokes: bool) -> Answer {
    let missing = || refused(StatusCode::NOT_FOUND, "API key not found");
    let owner = shared.with_keys(storage, |keys| {
        keys.iter().find(|key| key.id == id).map(|key| key.username.clone())
    });
    let Some(owner) = owner.flatten() else { return missing() };
    if owner != user.name && !is_administrator(shared, user).await {
        return missing();
    }
    let now = shared.time.now();
    let shown = shared.with_keys(storage, |keys| {
        let key = keys.iter_mut().find(|key| key.id == id)?;
        key.is_revoked |= revokes;
        Some(key.shown(now))
    });
    shown
        .flatten()
        .map_or_else(missing, |shown| Answer::json(StatusCode::OK, &shown))
}

pub(super) async fn revoke_all(shared: &Shared, storage: &Storage, user: &User, body: &[u8]) -> Answer {
    let body = match object(body) {
        Ok(body) => body,
        Err(answer) => return *answer,
    };
    let owner = body.text("/username");
    if owner.is_empty() {
        return refused(StatusCode::BAD_REQUEST, "username is required");
    }
    if owner != user.name && !is_administrator(shared, user).await {
        return refused(
            StatusCode::FORBIDDEN,
            "Access denied: you can only bulk revoke your own API keys",
        );
    }
    let now = shared.time.now();
    let revoked = shared.with_keys(storage, |keys| {
        let active = keys
            .iter_mut()
            .filter(|key| key.username == owner && key.status(now) == Status::Active);
        active.map(|key| key.is_revoked = true).count()
    });
    match revoked {
        Some(count) => {
            let message = format!("Successfully revoked {count} active API key(s) for user {owner}");
            Answer::json(StatusCode::OK, &json!({"revokedCount": count, "message": message}))
        }
        None => failed("Failed to revoke API keys"),
    }
}
