//! A new key: what is asked for, which subscription it is bound to, and how long it lives.
//!
//! Source: reference/serving.md §3.2 (fields, defaults, refusals), §1.10 (the longest life), §4.5 (the subscription).
//!
//! Invariants:
//! - A key is bound to a subscription that its owner has at this moment; whoever has none learns nothing of others.
//! - No key lives longer than the Tenant allows, and an ephemeral one not longer than an hour.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::super::call::Answer;
use super::super::time::Moment;
use super::keys::{self, EPHEMERAL, Key, Wish};
use super::storage::Storage;
use super::subscriptions::{self, Refusal};
use super::{Shared, User, failed, object, refused};
use crate::operators::kinds::TENANT;
use crate::operators::object::Read;

/// How long a key may live where the Tenant does not say (reference/serving.md §1.10).
const DEFAULT_MAXIMUM_DAYS: i64 = 90;
const DAY: u64 = 24 * 60 * 60;

/// A key as it is asked for, before it is known who is bound to what.
#[derive(Debug)]
struct Request {
    name: String,
    description: String,
    subscription: String,
    lives: Duration,
    is_ephemeral: bool,
}

fn request(body: &Value, maximum_days: i64, now: Moment) -> Result<Request, String> {
    for field in ["name", "description", "subscription"] {
        if body
            .get(field)
            .is_some_and(|value| !value.is_string() && !value.is_null())
        {
            return Err(format!("`{field}` is not a text"));
        }
    }
    let is_ephemeral = match body.get("ephemeral") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(is_ephemeral)) => *is_ephemeral,
        Some(_) => return Err("`ephemeral` is not true or false".to_owned()),
    };
    let mut name = body.text("/name").to_owned();
    if name.is_empty() {
        if !is_ephemeral {
            return Err("name is required for non-ephemeral keys".to_owned());
        }
        name = format!("ephemeral-{now}");
    }
    let name = name.trim();
    if name.is_empty() {
        return Err("key name cannot be whitespace only".to_owned());
    }
    let maximum = Duration::from_secs(u64::try_from(maximum_days).unwrap_or_default() * DAY);
    let maximum = if is_ephemeral { EPHEMERAL } else { maximum };
    let lives = match body.get("expiresIn") {
        None | Some(Value::Null) => maximum,
        Some(value) => {
            let seconds = keys::lives(value).ok_or_else(|| format!("`expiresIn`: {value} is not a duration"))?;
            if seconds <= 0.0 {
                return Err("expiration must be positive".to_owned());
            }
            Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?
        }
    };
    if lives > maximum {
        let most = if is_ephemeral {
            "1 hour".to_owned()
        } else {
            format!("{maximum_days} days")
        };
        return Err(format!("requested expiration exceeds the maximum of {most}"));
    }
    Ok(Request {
        name: name.to_owned(),
        description: body.text("/description").to_owned(),
        subscription: body.text("/subscription").trim().to_owned(),
        lives,
        is_ephemeral,
    })
}

pub(super) fn create(shared: &Shared, storage: &Storage, user: &User, body: &[u8]) -> Answer {
    let body = match object(body) {
        Ok(body) => body,
        Err(answer) => return *answer,
    };
    let maximum = shared.view.read(|world| {
        let tenant = world.list(TENANT).next();
        tenant.and_then(|tenant| tenant.number("/spec/apiKeys/maxExpirationDays"))
    });
    let request = match request(&body, maximum.unwrap_or(DEFAULT_MAXIMUM_DAYS), shared.time.now()) {
        Ok(request) => request,
        Err(why) => return refused(StatusCode::BAD_REQUEST, &why),
    };
    let chosen = shared.view.read(|world| match request.subscription.as_str() {
        "" => subscriptions::highest(world, user.caller()),
        wanted => subscriptions::select(world, user.caller(), wanted, ""),
    });
    let subscription = match chosen {
        Ok(subscription) => subscription,
        Err(Refusal::Unhealthy { phase, message }) => {
            let status = if phase == "Failed" {
                StatusCode::FORBIDDEN
            } else {
                StatusCode::BAD_REQUEST
            };
            return Answer::json(status, &json!({"error": message, "code": "subscription_not_ready"}));
        }
        Err(_) => {
            // One answer for all, so that nobody learns which subscriptions there are.
            let body =
                json!({"error": "Unable to resolve a subscription for this API key", "code": "invalid_subscription"});
            return Answer::json(StatusCode::BAD_REQUEST, &body);
        }
    };
    let wish = Wish {
        name: request.name,
        description: request.description,
        username: user.name.clone(),
        groups: user.groups.clone(),
        subscription: subscription.name().to_owned(),
        lives: request.lives,
        is_ephemeral: request.is_ephemeral,
    };
    match Key::draw(wish, shared.time) {
        Ok((key, text)) => {
            let shown = key.shown_once(&text);
            match shared.with_keys(storage, |keys| keys.push(key)) {
                Some(()) => Answer::json(StatusCode::CREATED, &shown),
                None => failed("Failed to create API key"),
            }
        }
        Err(_) => failed("Failed to create API key"),
    }
}
