//! The search for keys.
//!
//! Source: reference/serving.md §3.2 (filters, order, pages; every status where none is asked for; a body that is wrapped in
//! something is ignored), §7.14, §7.15.
//!
//! Invariant: whoever is no administrator finds their own keys only.

use std::cmp::Ordering;

use http::StatusCode;
use serde_json::{Value, json};

use super::super::call::Answer;
use super::super::time::Moment;
use super::keys::{Key, Status};
use super::storage::Storage;
use super::{Shared, User, failed, is_administrator, object, refused};
use crate::operators::object::Read;

const DEFAULT_PAGE: usize = 50;
const LARGEST_PAGE: usize = 100;

/// What is looked for.
#[derive(Debug)]
struct Search {
    username: String,
    statuses: Vec<Status>,
    with_ephemeral: bool,
    by: By,
    is_ascending: bool,
    limit: usize,
    offset: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Created,
    Expires,
    LastUsed,
    Name,
}

pub(super) async fn answer(shared: &Shared, storage: &Storage, user: &User, body: &[u8]) -> Answer {
    let body = match object(body) {
        Ok(body) => body,
        Err(answer) => return *answer,
    };
    let mut search = match read(&body) {
        Ok(search) => search,
        Err(why) => return refused(StatusCode::BAD_REQUEST, &why),
    };
    if !is_administrator(shared, user).await {
        if !search.username.is_empty() && search.username != user.name {
            return refused(
                StatusCode::FORBIDDEN,
                "non-admin users can only search their own API keys",
            );
        }
        search.username.clone_from(&user.name);
    }
    let now = shared.time.now();
    match shared.with_keys(storage, |keys| search.page(keys, now)) {
        Some(page) => Answer::json(StatusCode::OK, &page),
        None => failed("Failed to search API keys"),
    }
}

fn read(body: &Value) -> Result<Search, String> {
    let mut statuses = Vec::new();
    for status in body.list("/filters/status") {
        let status = status.text("");
        let known = Status::named(status.trim());
        statuses.push(known.ok_or_else(|| format!("invalid status '{status}': must be active, revoked, or expired"))?);
    }
    let by = match body.text("/sort/by") {
        "" | "created_at" => By::Created,
        "expires_at" => By::Expires,
        "last_used_at" => By::LastUsed,
        "name" => By::Name,
        _ => return Err("invalid sort.by: must be one of: created_at, expires_at, last_used_at, name".to_owned()),
    };
    let is_ascending = match body.text("/sort/order").trim().to_lowercase().as_str() {
        "" | "desc" => false,
        "asc" => true,
        _ => return Err("invalid sort.order: must be asc or desc".to_owned()),
    };
    let (mut limit, mut offset) = (DEFAULT_PAGE, 0);
    if let Some(page) = body.get("pagination").filter(|page| page.is_object()) {
        // A page that says no limit says zero.
        limit = usize::try_from(page.number("/limit").unwrap_or_default()).unwrap_or_default();
        offset = usize::try_from(page.number("/offset").unwrap_or_default())
            .map_err(|_| "pagination.offset must be non-negative".to_owned())?;
        if limit < 1 {
            return Err("pagination.limit must be at least 1".to_owned());
        }
    }
    Ok(Search {
        username: body.text("/filters/username").to_owned(),
        statuses,
        with_ephemeral: body.is_true("/filters/includeEphemeral"),
        by,
        is_ascending,
        limit: limit.min(LARGEST_PAGE),
        offset,
    })
}

impl Search {
    fn page(&self, keys: &[Key], now: Moment) -> Value {
        let mut found: Vec<&Key> = keys
            .iter()
            .filter(|key| self.username.is_empty() || key.username == self.username)
            .filter(|key| self.statuses.is_empty() || self.statuses.contains(&key.status(now)))
            .filter(|key| self.with_ephemeral || !key.is_ephemeral)
            .collect();
        found.sort_by(|one, other| {
            let order = self.compare(one, other);
            if self.is_ascending { order } else { order.reverse() }
        });
        let shown: Vec<Value> = found
            .iter()
            .skip(self.offset)
            .take(self.limit)
            .map(|key| key.shown(now))
            .collect();
        let has_more = self.offset + shown.len() < found.len();
        json!({"object": "list", "data": shown, "has_more": has_more})
    }

    fn compare(&self, one: &Key, other: &Key) -> Ordering {
        match self.by {
            By::Created => one.created.cmp(&other.created),
            By::Expires => one.expires.cmp(&other.expires),
            By::LastUsed => one.last_used.cmp(&other.last_used),
            By::Name => one.name.cmp(&other.name),
        }
    }
}
