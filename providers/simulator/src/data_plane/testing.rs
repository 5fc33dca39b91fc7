//! What the tests of the data plane share: calls, and a cluster that is written down.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::call::{Call, Content, LARGEST_BODY};
use super::shared::Shared;
use super::time::Time;
use super::view::View;
use crate::clock::Clock;
use crate::operators::kinds::ALL;
use crate::operators::world::World;

/// A call that is being put together.
pub(super) struct Calling(Call);

/// Begins a call to a URL.
pub(super) fn call(method: &str, url: &str) -> Calling {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (path, query) = path
        .split_once('?')
        .map_or((path, None), |(path, query)| (path, Some(query.to_owned())));
    Calling(Call {
        method: method.parse::<Method>().expect("a method"),
        host: host.to_owned(),
        path: format!("/{path}"),
        query,
        headers: HeaderMap::new(),
        body: Bytes::new(),
        is_tls: scheme == "https",
    })
}

impl Calling {
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.0.set(name, value);
        self
    }

    pub(super) fn json(mut self, body: &Value) -> Self {
        self.0.body = body.to_string().into_bytes().into();
        self
    }

    pub(super) fn done(self) -> Call {
        self.0
    }
}

/// A data plane over a cluster that is a map, with people who have tokens.
pub(crate) struct Stage {
    shared: Arc<Shared>,
    server: Arc<Mutex<Server>>,
}

/// What stands in for the API server.
#[derive(Default)]
struct Server {
    world: World,
    /// By token: the name, the groups and the audience; an empty audience is every one.
    people: BTreeMap<String, (String, Vec<String>, String)>,
    /// Every question about rights that was asked.
    asked: Vec<Value>,
}

/// What a call came to.
#[derive(Debug)]
pub(crate) struct Came {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) text: String,
    pub(crate) reason: String,
    /// Whether the answer begins and never ends.
    pub(crate) hangs: bool,
}

impl Stage {
    /// Returns a data plane that keeps what it holds in a directory, if it is given one.
    pub(crate) fn new(world: &World, speed: f64, dir: Option<&Path>) -> Self {
        let server = Arc::new(Mutex::new(Server::default()));
        let router = Router::new().fallback(respond).with_state(Arc::clone(&server));
        let view = View::of(World::default(), kube::Client::new(router, "default"));
        let shared = Shared::of(view, Time::from_now(Clock::new(speed)), dir).expect("what was kept can be read");
        let stage = Self {
            shared: Arc::new(shared),
            server,
        };
        stage.see(world);
        stage
    }

    /// Lets it see another state of the cluster.
    pub(crate) fn see(&self, world: &World) {
        self.server.lock().expect("not poisoned").world = world.clone();
        self.shared.view.see(world.clone());
    }

    /// Lets it notice what has started.
    pub(crate) async fn attend(&self) {
        super::maas_api::attend(&self.shared).await;
    }

    /// Gives somebody a token for an audience; without one, for every audience.
    pub(crate) fn knows(&self, token: &str, name: &str, groups: &[&str], audience: &str) {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let person = (name.to_owned(), groups, audience.to_owned());
        self.server
            .lock()
            .expect("not poisoned")
            .people
            .insert(token.to_owned(), person);
    }

    /// Returns the last question about rights.
    pub(crate) fn asked(&self) -> Value {
        self.server
            .lock()
            .expect("not poisoned")
            .asked
            .last()
            .cloned()
            .unwrap_or_default()
    }

    /// Calls a URL with a token, and with a body unless it is null.
    pub(crate) async fn call(&self, method: &str, url: &str, token: &str, body: &Value) -> Came {
        let mut calling = call(method, url);
        if !token.is_empty() {
            calling = calling.header("authorization", &format!("Bearer {token}"));
        }
        if !body.is_null() {
            calling = calling.json(body);
        }
        let answer = self.shared.serve(calling.done()).await;
        let text = match &answer.content {
            Content::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Content::Events(events) => events
                .iter()
                .map(|event| String::from_utf8_lossy(event).into_owned())
                .collect(),
            Content::Hanging => String::new(),
        };
        let reason = answer
            .headers
            .get("x-ext-auth-reason")
            .and_then(|reason| reason.to_str().ok());
        Came {
            status: answer.status.as_u16(),
            body: answer.body().unwrap_or_default(),
            text,
            reason: reason.unwrap_or_default().to_owned(),
            hangs: answer.content == Content::Hanging,
        }
    }

    /// Asks Limitador's own API.
    pub(crate) async fn limitador(&self, path: &str) -> String {
        let client = kube::Client::new(super::kuadrant::api(Arc::clone(&self.shared)), "default");
        let request = http::Request::get(path).body(Vec::new()).expect("a request");
        client.request_text(request).await.expect("an answer")
    }
}

/// Answers reviews by the people it knows, and reads by the world.
async fn respond(
    State(server): State<Arc<Mutex<Server>>>,
    request: axum::extract::Request,
) -> (http::StatusCode, String) {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, LARGEST_BODY).await.expect("a body");
    let mut question: Value = serde_json::from_slice(&body).unwrap_or_default();
    let mut server = server.lock().expect("not poisoned");
    let path = parts.uri.path();
    if path.ends_with("/tokenreviews") {
        let audiences = question["spec"]["audiences"].clone();
        let person = server
            .people
            .get(question["spec"]["token"].as_str().unwrap_or_default());
        let known = person.filter(|(_, _, audience)| {
            audience.is_empty()
                || audiences
                    .as_array()
                    .is_some_and(|all| all.iter().any(|one| one == audience.as_str()))
        });
        question["status"] = match known {
            Some((name, groups, _)) => json!({"authenticated": true, "user": {"username": name, "groups": groups}}),
            None => json!({"authenticated": false}),
        };
        return (http::StatusCode::CREATED, question.to_string());
    }
    if path.ends_with("/subjectaccessreviews") {
        let groups = question["spec"]["groups"].clone();
        let is_in = |group: &str| groups.as_array().is_some_and(|all| all.iter().any(|one| one == group));
        question["status"] = json!({"allowed": is_in("system:masters") || is_in("may-call-models")});
        server.asked.push(question["spec"].clone());
        return (http::StatusCode::CREATED, question.to_string());
    }
    let found = ALL.iter().find_map(|kind| {
        let (place, name) = path.rsplit_once(&format!("/{}/", kind.plural))?;
        let (group, namespace) = place.split_once("/namespaces/").unwrap_or((place, ""));
        (group.trim_start_matches("/apis/").trim_start_matches("/api/") == kind.api_version())
            .then(|| server.world.get(*kind, namespace, name))?
    });
    match found {
        Some(object) => (http::StatusCode::OK, object.to_string()),
        None => (
            http::StatusCode::NOT_FOUND,
            json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}).to_string(),
        ),
    }
}
