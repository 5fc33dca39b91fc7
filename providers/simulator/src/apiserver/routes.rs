//! From an HTTP request to an HTTP answer.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderValue, WARNING};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::access::{Attributes, openid_configuration, reviews};
use super::audit::{self, Record, Verb};
use super::delete::DeleteOptions;
use super::identity::Identity;
use super::kinds::{Kind, Version};
use super::request::{Call, PatchType, Query, ResourcePath, manager};
use super::server::{Server, Shown, Written};
use super::status::Refusal;
use super::trouble::Fate;
use super::{discovery, openapi, options, streams, wire};

/// The largest body of a request (`reference/ssa-semantics.md` §7).
const MAX_BODY: usize = 3_145_728;
const JSON: &str = "application/json";

/// What every handler gets.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) server: Arc<Server>,
    pub(super) stopping: watch::Receiver<bool>,
}

/// Answers any request.
pub(super) async fn handle(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return refuse(&Refusal::too_large());
    };
    if let Some(pages) = shared.server.access.registry.pages(parts.uri.path()) {
        return pages.answer(Request::from_parts(parts, body)).await.map(Body::from);
    }
    let answered = async || {
        let answer = answer(&shared, &parts, &body).await;
        answer.unwrap_or_else(|refusal| refuse(&refusal))
    };
    let fate = meet_trouble(&shared.server, &parts).await;
    if !matches!(fate, Fate::Served) {
        tracing::debug!(method = %parts.method, path = parts.uri.path(), %fate, "answered on purpose");
    }
    match fate {
        Fate::Served => answered().await,
        Fate::Instead(response) => response,
        Fate::Afterwards(response) => {
            drop(answered().await);
            response
        }
    }
}

/// Whoever looks whether the server is well is told the truth, and so is whoever it does not know.
async fn meet_trouble(server: &Server, parts: &Parts) -> Fate {
    let is_health_check = ["/healthz", "/readyz", "/livez"].contains(&parts.uri.path());
    let user = match server.enter(parts) {
        Ok(user) if !is_health_check => user,
        Ok(_) | Err(_) => return Fate::Served,
    };
    let latency = server.troubles.latency(&user);
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    server.troubles.fate(server, &server.kinds.snapshot(), parts, &user)
}

fn respond(code: u16, content_type: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    response
}

fn json_answer(value: &Value) -> Response {
    respond(200, JSON, Body::from(value.to_string()))
}

fn text_answer(text: &'static str) -> Response {
    respond(200, "text/plain; charset=utf-8", Body::from(text))
}

fn refuse(refusal: &Refusal) -> Response {
    let (code, content_type, body) = refusal.to_body();
    let mut response = respond(code.as_u16(), content_type, Body::from(body));
    warn(&mut response, refusal.warnings());
    response
}

/// Adds warnings to an answer.
fn warn(response: &mut Response, warnings: &[String]) {
    for warning in warnings {
        let text = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{text}\"")) {
            response.headers_mut().append(WARNING, value);
        }
    }
}

async fn answer(shared: &Shared, parts: &Parts, body: &Bytes) -> Result<Response, Refusal> {
    let server = &shared.server;
    let path = parts.uri.path();
    let user = server.enter(parts)?;
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let allowed = server.authorize(&user, &Attributes::of_request(&parts.method, path, &query));
    if let Err(refusal) = allowed {
        record_refused(server, parts, body, (user, query), &refusal);
        return Err(refusal);
    }
    match path.trim_end_matches('/') {
        "/healthz" | "/readyz" | "/livez" => return Ok(text_answer("ok")),
        "/version" => return Ok(json_answer(&version())),
        _ => {}
    }
    if let Some(document) = fixed(server, path, &parts.headers) {
        return document;
    }
    let resource = ResourcePath::parse(path).ok_or_else(Refusal::page_not_found)?;
    if parts.method == Method::POST
        && let Some(answer) = question(
            server,
            &resource,
            &read_protobuf(body)?,
            (&user, &manager(&query, &parts.headers)),
        )
    {
        return answer.map(|answer| respond(201, JSON, Body::from(answer.to_string())));
    }
    if parts.method == Method::GET
        && let Some(shown) = server.access.registry.personal(&resource, &user, &**server)
    {
        return Ok(json_answer(&shown));
    }
    let call = Call::new(&server.kinds.snapshot(), resource, query, &parts.headers, user)?;
    if call.kind.is_custom() && wire::is_protobuf(body) {
        // Custom resources have no such form on a real server either.
        return Err(Refusal::unsupported_media_type("application/json, application/yaml"));
    }
    let deprecation: Vec<_> = call.version().deprecation.clone().into_iter().collect();
    match serve(shared, parts, call, &read_protobuf(body)?).await {
        Ok(mut answer) => {
            warn(&mut answer, &deprecation);
            Ok(answer)
        }
        Err(refusal) => {
            let warnings = [&deprecation[..], refusal.warnings()].concat();
            Err(refusal.warning(&warnings))
        }
    }
}

/// The body as JSON, whichever form it was sent in.
fn read_protobuf(body: &Bytes) -> Result<Bytes, Refusal> {
    if wire::is_protobuf(body) {
        return Ok(Bytes::from(wire::decode(body)?.to_string()));
    }
    Ok(body.clone())
}

/// The answer to a POST that asks and stores nothing, if it is one.
fn question(
    server: &Server,
    resource: &ResourcePath,
    body: &[u8],
    asker: (&Identity, &str),
) -> Option<Result<Value, Refusal>> {
    if reviews::GROUPS.iter().any(|(group, _)| *group == resource.group) {
        return Some(super::write::decode(body).and_then(|question| server.review(resource, &question, asker)));
    }
    match (
        resource,
        &resource.namespace,
        &resource.name,
        resource.subresource.as_deref(),
    ) {
        (ResourcePath { group, plural, .. }, Some(namespace), Some(name), Some("token"))
            if group.is_empty() && plural == "serviceaccounts" =>
        {
            Some(super::write::decode(body).and_then(|request| server.request_token(namespace, name, &request)))
        }
        _ => None,
    }
}

/// What a request would write, if it would.
fn write_verb(method: &Method, call: &Call) -> Option<Verb> {
    match (method, call.path.name.is_some()) {
        (&Method::POST, false) => Some(Verb::Create),
        (&Method::PUT, true) => Some(Verb::Update),
        (&Method::PATCH, true) if call.patch_type() == Ok(PatchType::Apply) => Some(Verb::Apply),
        (&Method::PATCH, true) => Some(Verb::Patch),
        (&Method::DELETE, true) if call.path.subresource.is_none() => Some(Verb::Delete),
        (&Method::DELETE, false) => Some(Verb::DeleteCollection),
        _ => None,
    }
}

/// Writes the audit line of a write whose user may not do it.
fn record_refused(server: &Server, parts: &Parts, body: &[u8], (user, query): (Identity, Query), refusal: &Refusal) {
    let Some(resource) = ResourcePath::parse(parts.uri.path()) else {
        return;
    };
    let Ok(call) = Call::new(&server.kinds.snapshot(), resource, query, &parts.headers, user) else {
        return;
    };
    if let Some(verb) = write_verb(&parts.method, &call) {
        record(server, &call, verb, call.query.is_dry_run(), body, Err(refusal));
    }
}

/// Documents that are no resources.
fn fixed(server: &Server, path: &str, headers: &HeaderMap) -> Option<Result<Response, Refusal>> {
    let kinds = server.kinds.snapshot();
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let aggregated = |core: bool| {
        respond(
            200,
            discovery::AGGREGATED,
            Body::from(discovery::aggregated(&kinds, core).to_string()),
        )
    };
    let found = |document: Option<Value>| {
        Some(
            document
                .map(|document| json_answer(&document))
                .ok_or_else(Refusal::page_not_found),
        )
    };
    match segments.as_slice() {
        [] => Some(Ok(json_answer(
            &json!({ "paths": ["/api", "/apis", "/openapi/v3", "/readyz", "/version"] }),
        ))),
        ["api"] if discovery::wants_aggregated(headers) => Some(Ok(aggregated(true))),
        ["apis"] if discovery::wants_aggregated(headers) => Some(Ok(aggregated(false))),
        ["api"] => Some(Ok(json_answer(&discovery::core_versions("127.0.0.1")))),
        ["apis"] => Some(Ok(json_answer(&discovery::groups(&kinds)))),
        ["api", version] => found(discovery::resources(&kinds, "", version)),
        ["apis", group] => found(discovery::group(&kinds, group)),
        ["apis", group, version] => found(discovery::resources(&kinds, group, version)),
        ["openid", "v1", "jwks"] => found(Some(server.access.public_keys())),
        [".well-known", "openid-configuration"] => {
            let host = headers
                .get(HOST)
                .and_then(|host| host.to_str().ok())
                .unwrap_or_default();
            found(Some(openid_configuration(host)))
        }
        ["openapi", "v2"] => {
            let accept = headers
                .get(ACCEPT)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default();
            if accept.contains("protobuf") {
                return Some(Ok(respond(200, openapi::V2_PROTOBUF, Body::empty())));
            }
            Some(Ok(json_answer(&openapi::version_2())))
        }
        ["openapi", "v3"] => Some(Ok(json_answer(&openapi::index(&kinds)))),
        ["openapi", "v3", "api", version] => found(openapi::document(&kinds, "", version, |_, _| None)),
        ["openapi", "v3", "apis", group, version] => {
            let written = |kind: &Kind, version: &Version| server.schema_as_written(kind, version);
            found(openapi::document(&kinds, group, version, written))
        }
        _ => None,
    }
}

fn version() -> Value {
    // OpenShift 4.20 carries Kubernetes 1.33; this server's behaviour was recorded on 1.32.
    json!({"major": "1", "minor": "32", "gitVersion": "v1.32.0", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "", "platform": "linux/amd64"})
}

async fn serve(shared: &Shared, parts: &Parts, call: Call, body: &Bytes) -> Result<Response, Refusal> {
    let server = &shared.server;
    let has_name = call.path.name.is_some();
    if let Some(answer) = streams::serve(shared, parts, &call, body).await {
        return answer;
    }
    check_subresource(&call)?;
    match (&parts.method, has_name) {
        (&Method::GET, true) if !call.query.is_set("watch") => {
            let shown = server.read(&call)?;
            return Ok(respond(200, JSON, Body::from(server.show(&call, &shown))));
        }
        (&Method::GET, _) if call.query.is_set("watch") => {
            let body = super::watch::start(server, parts.uri.path(), call, shared.stopping.clone())?;
            return Ok(respond(200, JSON, body));
        }
        (&Method::GET, _) => {
            if call.query.get("continue").is_none() {
                // Before the list is made: its own version is this one or a later one.
                server
                    .troubles
                    .listed(parts.uri.path(), server.store.resource_version());
            }
            return Ok(respond(200, JSON, Body::from(server.list(&call)?)));
        }
        _ => {}
    }
    let verb = write_verb(&parts.method, &call).ok_or_else(|| {
        Refusal::method_not_allowed("the server does not allow this method on the requested resource")
    })?;
    options::check_write(&call, verb)?;
    let mut dry_run = call.query.is_dry_run();
    let result = match verb {
        Verb::Create => server.create(&call, body),
        Verb::Update => server.replace(&call, body),
        Verb::Patch | Verb::Apply => server.patch(&call, body),
        Verb::Delete => DeleteOptions::of(&call, body).and_then(|options| {
            dry_run = options.dry_run;
            server.delete(&call, &options)
        }),
        Verb::DeleteCollection => return delete_collection(server, &call, body),
        Verb::Removed => return Err(Refusal::resource_not_found()),
    };
    record(server, &call, verb, dry_run, body, result.as_ref());
    let written = result?;
    let mut response = respond(written.code, JSON, Body::from(server.show(&call, &written.shown)));
    warn(&mut response, &written.warnings);
    Ok(response)
}

fn check_subresource(call: &Call) -> Result<(), Refusal> {
    let is_there = match call.path.subresource.as_deref() {
        None => true,
        Some("status") => call.version().has_status,
        Some("scale") => call.version().scale.is_some(),
        Some("finalize") => call.kind.group.is_empty() && call.kind.kind == "Namespace",
        Some(_) => false,
    };
    match (is_there, call.kind.is_custom()) {
        (true, _) => Ok(()),
        (false, true) => Err(Refusal::not_found(call.subject(call.name()))),
        (false, false) => Err(Refusal::resource_not_found()),
    }
}

fn delete_collection(server: &Server, call: &Call, body: &Bytes) -> Result<Response, Refusal> {
    let options = DeleteOptions::of(call, body)?;
    let all = server.delete_collection(call, &options)?;
    let mut items = Vec::with_capacity(all.len());
    for written in &all {
        let Some(before) = &written.before else { continue };
        let name = before.value["metadata"]["name"].as_str().unwrap_or_default();
        let namespace = before.value["metadata"]["namespace"].as_str();
        append(
            server,
            call,
            Verb::DeleteCollection,
            options.dry_run,
            name,
            namespace,
            Ok(written),
        );
        let mut item = before.value.clone();
        if let (false, Value::Object(map)) = (call.kind.is_custom(), &mut item) {
            map.remove("apiVersion");
            map.remove("kind");
        }
        items.push(item);
    }
    let version = &call.version().api_version;
    Ok(json_answer(&json!({"kind": call.kind.list_kind, "apiVersion": version,
        "metadata": {"resourceVersion": server.store.resource_version().to_string()}, "items": items})))
}

pub(super) fn record(
    server: &Server,
    call: &Call,
    verb: Verb,
    dry_run: bool,
    body: &[u8],
    result: Result<&Written, &Refusal>,
) {
    let written_name = result.ok().and_then(|written| match &written.shown {
        Shown::Stored(stored) => stored.value["metadata"]["name"].as_str().map(ToOwned::to_owned),
        Shown::Value(value) => value["metadata"]["name"].as_str().map(ToOwned::to_owned),
    });
    let name = call.path.name.clone().or(written_name).or_else(|| {
        let body: Value = serde_json::from_slice(body).ok()?;
        body["metadata"]["name"].as_str().map(ToOwned::to_owned)
    });
    append(
        server,
        call,
        verb,
        dry_run,
        name.as_deref().unwrap_or_default(),
        call.path.namespace.as_deref(),
        result,
    );
}

fn append(
    server: &Server,
    call: &Call,
    verb: Verb,
    dry_run: bool,
    name: &str,
    namespace: Option<&str>,
    result: Result<&Written, &Refusal>,
) {
    let Identity { user, .. } = &call.user;
    let current = match result {
        // What a refused request left as it was.
        Err(_) if !name.is_empty() => server.store.get(&call.key(name)),
        _ => None,
    };
    let before = result.map_or(current.as_ref(), |written| written.before.as_ref());
    let after = match result {
        Ok(written) => match &written.shown {
            Shown::Stored(stored) => Some(&stored.value),
            Shown::Value(value) if matches!(value["kind"].as_str(), Some("Status" | "Scale")) => None,
            Shown::Value(value) => Some(&**value),
        },
        Err(_) => before.map(|stored| &stored.value),
    };
    let is_same =
        matches!((before, after), (Some(before), Some(after)) if std::ptr::eq(&raw const before.value, after));
    let before_digest = before.map(|stored| audit::digest(&stored.value));
    let after_digest = if is_same {
        before_digest.clone()
    } else {
        after.map(audit::digest)
    };
    let text = |value: Option<&Value>, field: &str| -> Option<String> {
        value
            .and_then(|value| value["metadata"][field].as_str())
            .map(ToOwned::to_owned)
    };
    let uid = text(after, "uid").or_else(|| text(before.map(|stored| &stored.value), "uid"));
    server.audit.append(&Record {
        time: audit::now(),
        user,
        agent: &call.agent,
        verb,
        dry_run,
        code: result.map_or_else(|refusal| refusal.code, |written| written.code),
        group: &call.kind.group,
        version: &call.version().name,
        kind: &call.kind.kind,
        resource: &call.kind.plural,
        subresource: call.path.subresource.as_deref(),
        namespace,
        name,
        uid: uid.as_deref(),
        field_manager: call.query.get("fieldManager"),
        created: result.is_ok_and(|written| written.code == 201) && !dry_run,
        before: before_digest,
        after: after_digest,
        resource_version: text(after, "resourceVersion"),
        // A refusal may quote the object, and no log may hold a secret.
        cause: result
            .err()
            .map(Refusal::message)
            .filter(|_| call.kind.kind != "Secret"),
    });
}
