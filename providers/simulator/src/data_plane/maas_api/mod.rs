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

mod database;
mod keys;
mod models;
mod search;
mod subscriptions;
mod tiers;

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::shared::Shared;
use super::time::Moment;
use super::{endpoints, reviews};
use crate::operators::kinds::{CONFIG_MAP, PVC, SECRET, TENANT};
use crate::operators::object::Read;

pub(super) use database::Databases;
use database::{Place, Target};
use keys::{EPHEMERAL, Key, Status, Wish};
use subscriptions::{Caller, Refusal};

/// Where maas-api of the newer generation runs, and its Secret (reference/serving.md §1.7).
const NAMESPACE: &str = "redhat-ods-applications";
const DATABASE_SECRET: &str = "maas-db-config";
/// How long a key may live where the Tenant does not say (reference/serving.md §1.10).
const DEFAULT_MAXIMUM_DAYS: i64 = 90;
const DAY: u64 = 24 * 60 * 60;

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
        return lookup(shared, pod, &call.body).await;
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

/// Answers a question that Authorino asks within the cluster; none where there is no answer that it could use.
pub(super) async fn inside(shared: &Shared, pod: &Value, path: &str, body: &Value) -> Option<Value> {
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

async fn lookup(shared: &Shared, pod: &Value, body: &[u8]) -> Answer {
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

/// Why keys cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unreadable {
    /// maas-api started without the URL of one.
    NoDatabase,
    /// It is not there, has no tables, or refuses the password.
    NoAnswer,
}

/// Keys that can be read.
#[derive(Clone, Debug)]
struct Storage {
    target: Target,
    name: String,
}

impl Shared {
    /// Lends the keys of a storage and keeps what became of them; none where the database does not answer any more.
    fn with_keys<T>(&self, storage: &Storage, with: impl FnOnce(&mut Vec<Key>) -> T) -> Option<T> {
        self.with_databases(|databases| databases.keys(&storage.target, &storage.name).map(with))
    }
}

async fn storage(shared: &Shared, pod: &Value) -> Result<Storage, Unreadable> {
    started(shared, pod).await;
    let known = shared.with_databases(|databases| databases.known(pod.uid()).cloned());
    let target = known.ok_or(Unreadable::NoAnswer)?.ok_or(Unreadable::NoDatabase)?;
    let name = named(shared, &target).await.ok_or(Unreadable::NoAnswer)?;
    let storage = Storage { target, name };
    let answers = shared.with_keys(&storage, |_| ()).is_some();
    answers.then_some(storage).ok_or(Unreadable::NoAnswer)
}

/// Returns what the files of a database are known by.
async fn named(shared: &Shared, target: &Target) -> Option<String> {
    Some(match shared.view.read(|world| target.place(world))? {
        Place::Pod(uid) => format!("pod {uid}"),
        Place::Claim(namespace, name) => {
            let claim = shared.view.get(PVC, &namespace, &name).await?;
            format!("claim {}", claim.uid())
        }
        Place::Elsewhere(name) => format!("elsewhere {name}"),
    })
}

/// Lets every pod of maas-api that has become Ready read its Secret, and forgets those that are gone.
pub(super) async fn attend(shared: &Shared) {
    let pods = shared.view.read(|world| endpoints::maas_api(world, NAMESPACE));
    shared.with_databases(|databases| databases.retain(|known| pods.iter().any(|pod| pod.uid() == known)));
    for pod in pods.iter().filter(|pod| pod.is("Ready")) {
        started(shared, pod).await;
    }
}

/// Lets a pod read its Secret and make its tables, if it has not. One that cannot reach its database is not started.
async fn started(shared: &Shared, pod: &Value) {
    if pod.namespace() != NAMESPACE || shared.with_databases(|databases| databases.known(pod.uid()).is_some()) {
        return;
    }
    let secret = shared.view.get(SECRET, NAMESPACE, DATABASE_SECRET).await;
    let target = secret
        .as_ref()
        .and_then(database::url_in)
        .and_then(|url| Target::parse(&url));
    let target = match target {
        None => None,
        Some(target) => match named(shared, &target).await {
            Some(name) => Some((target, name)),
            None => return,
        },
    };
    shared.with_databases(|databases| databases.start(pod.uid(), target));
}

async fn keys_answer(shared: &Shared, storage: &Storage, user: &User, call: &Call, path: &[&str]) -> Answer {
    match (&call.method, path) {
        (&Method::POST, []) => create(shared, storage, user, &call.body),
        (&Method::POST, ["search"]) => search::answer(shared, storage, user, &call.body).await,
        (&Method::POST, ["bulk-revoke"]) => revoke_all(shared, storage, user, &call.body).await,
        (&Method::GET, [id]) => one(shared, storage, user, id, false).await,
        (&Method::DELETE, [id]) => one(shared, storage, user, id, true).await,
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

fn create(shared: &Shared, storage: &Storage, user: &User, body: &[u8]) -> Answer {
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

/// Shows or revokes one key.
async fn one(shared: &Shared, storage: &Storage, user: &User, id: &str, revokes: bool) -> Answer {
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

async fn revoke_all(shared: &Shared, storage: &Storage, user: &User, body: &[u8]) -> Answer {
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
