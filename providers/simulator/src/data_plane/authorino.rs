//! Authorino: who a caller is, what is known about them, and whether they may, as the AuthPolicy of the route says.
//!
//! Source: <https://docs.kuadrant.io/latest/authorino/docs/features/> (phases, denials), reference/serving.md §1.11, §1.12
//! (both generations of policies), §3.1, §3.3 (status codes), §4.9 (caches).
//!
//! Invariants:
//! - The phases come in order: identity, metadata, authorization, response; within one, by priority.
//! - Metadata that cannot be had is not there; a rule that asks for it does not hold.
//! - A rule of a kind that is not played here denies.
//!
//! Left out: every source of identity but API-server tokens, plain values and anonymity; OPA, SpiceDB; tokens signed by
//! Authorino (wristbands); the timeout of the proxy (K5).

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::call::{Answer, Call};
use super::expressions::Known;
use super::policies::part;
use super::reviews;
use super::shared::Shared;
use super::time::Moment;
use crate::operators::object::Read;

/// What became of a call.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It goes on, with headers set, and with what limits may ask about the caller.
    Allowed {
        headers: Vec<(String, String)>,
        identity: Value,
    },
    /// It ends here.
    Denied(Box<Answer>),
}

/// Answers that Authorino keeps for a while; they are one pod's.
#[derive(Debug, Default)]
pub(super) struct Kept {
    holder: String,
    answers: BTreeMap<String, (Value, Moment)>,
}

impl Kept {
    fn get(&mut self, holder: &str, key: &str, now: Moment) -> Option<Value> {
        if self.holder != holder {
            self.answers.clear();
            holder.clone_into(&mut self.holder);
        }
        self.answers.retain(|_, (_, ends)| *ends > now);
        self.answers.get(key).map(|(answer, _)| answer.clone())
    }

    fn put(&mut self, key: String, answer: Value, ends: Moment) {
        self.answers.insert(key, (answer, ends));
    }
}

/// The Authorino that is asked.
#[derive(Clone, Debug)]
pub(super) struct Authorino {
    /// The uid of its pod.
    pub(super) pod: String,
    /// Whether it trusts the cluster's service CA, and so whoever has a serving certificate.
    pub(super) trusts_services: bool,
}

/// Judges a call by an AuthPolicy.
pub(super) async fn judge(shared: &Shared, authorino: &Authorino, policy: &Value, call: &Call) -> Verdict {
    let mut known = Known::of(call);
    let empty = json!({});
    let when = part(policy, "when").and_then(Value::as_array);
    if !known.all_hold(when.map_or(&[], Vec::as_slice)) {
        return Verdict::Allowed {
            headers: Vec::new(),
            identity: Value::Null,
        };
    }
    let rules = part(policy, "rules").unwrap_or(&empty);
    match identity(shared, rules, call, &known).await {
        Ok(identity) => known.set_identity(identity),
        Err(names) => return Verdict::Denied(Box::new(unauthenticated(rules, &known, &names))),
    }
    for (name, evaluator) in in_order(&rules["metadata"]) {
        if known.all_hold(evaluator.list("/when"))
            && let Some(value) = metadata(shared, authorino, policy, (name, evaluator), &known).await
        {
            known.set_metadata(name, value);
        }
    }
    for (name, rule) in in_order(&rules["authorization"]) {
        if known.all_hold(rule.list("/when")) && !holds(shared, name, rule, &known).await {
            return Verdict::Denied(Box::new(unauthorized(rules, &known)));
        }
    }
    let success = &rules["response"]["success"];
    let headers = in_order(&success["headers"]).into_iter().filter_map(|(name, header)| {
        let name = match header.text("/key") {
            "" => name,
            key => key,
        };
        known
            .all_hold(header.list("/when"))
            .then(|| (name.to_owned(), said(header, &known)))
    });
    let headers = headers.collect();
    let mut identity = Map::new();
    for (_, filter) in in_order(&success["filters"]) {
        if let Value::Object(properties) = properties(filter, &known) {
            identity.extend(properties);
        }
    }
    Verdict::Allowed {
        headers,
        identity: Value::Object(identity),
    }
}

/// Returns the named parts of a phase, by priority and then by name.
fn in_order(phase: &Value) -> Vec<(&str, &Value)> {
    let mut parts: Vec<(&str, &Value)> = phase
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, part)| (name.as_str(), part))
        .collect();
    parts.sort_by_key(|(name, part)| (part.number("/priority").unwrap_or_default(), *name));
    parts
}

/// Finds out who calls, or names every source of identity that did not know.
async fn identity(shared: &Shared, rules: &Value, call: &Call, known: &Known) -> Result<Value, Vec<String>> {
    let sources = in_order(&rules["authentication"]);
    if sources.is_empty() {
        return Ok(json!({}));
    }
    for (_, source) in &sources {
        if !known.all_hold(source.list("/when")) {
            continue;
        }
        let found = if let Some(review) = source.get("kubernetesTokenReview") {
            match call.bearer() {
                Some(token) => reviews::token(shared.view.client(), token, &review["audiences"]).await,
                None => None,
            }
        } else if let Some(plain) = source.get("plain") {
            known.value_of(plain).filter(|value| !value.is_null())
        } else if source.get("anonymous").is_some() {
            Some(json!({"anonymous": true}))
        } else {
            None
        };
        if let Some(mut identity) = found {
            extend(&mut identity, source, known);
            return Ok(identity);
        }
    }
    Err(sources.iter().map(|(name, _)| (*name).to_owned()).collect())
}

/// Adds what a source says about whoever it knows; defaults do not replace what is there.
fn extend(identity: &mut Value, source: &Value, known: &Known) {
    let mut known = known.clone();
    known.set_identity(identity.clone());
    let Some(properties) = identity.as_object_mut() else {
        return;
    };
    for (part, replaces) in [("defaults", false), ("overrides", true)] {
        for (name, value) in source[part].as_object().into_iter().flatten() {
            if let Some(value) = known
                .value_of(value)
                .filter(|_| replaces || !properties.contains_key(name))
            {
                properties.insert(name.clone(), value);
            }
        }
    }
}

async fn metadata(
    shared: &Shared,
    authorino: &Authorino,
    policy: &Value,
    (name, evaluator): (&str, &Value),
    known: &Known,
) -> Option<Value> {
    let http = evaluator.get("http")?;
    let key = evaluator.pointer("/cache/key").and_then(|key| known.text_of(key));
    let key = key.map(|key| format!("{} {} {name} {key}", policy.uid(), policy["metadata"]["generation"]));
    let time = shared.time;
    if let Some(key) = &key
        && let Some(answer) = shared.kept().get(&authorino.pod, key, time.now())
    {
        return Some(answer);
    }
    let url = http.text("/url");
    let is_tls = url.starts_with("https://");
    if is_tls && !authorino.trusts_services {
        return None;
    }
    let body = match http.get("body") {
        Some(body) => known.value_of(body)?,
        None => Value::Null,
    };
    let answer = shared.inside(url, &body).await?;
    if let Some(key) = key {
        let seconds = evaluator.pointer("/cache/ttl").and_then(Value::as_u64).unwrap_or(60);
        shared
            .kept()
            .put(key, answer.clone(), time.after(Duration::from_secs(seconds)));
    }
    Some(answer)
}

async fn holds(shared: &Shared, name: &str, rule: &Value, known: &Known) -> bool {
    if let Some(matching) = rule.get("patternMatching") {
        return known.all_hold(matching.list("/patterns"));
    }
    if let Some(review) = rule.get("kubernetesSubjectAccessReview") {
        return reviews::access(shared.view.client(), question(review, known)).await;
    }
    tracing::warn!(
        rule = name,
        "a rule of an AuthPolicy is of a kind that nobody plays here, so it denies"
    );
    false
}

/// Returns the spec of a SubjectAccessReview.
fn question(review: &Value, known: &Known) -> Value {
    let mut spec = json!({"user": known.text_of(&review["user"]).unwrap_or_default()});
    let groups = review
        .get("authorizationGroups")
        .and_then(|groups| known.value_of(groups));
    if let Some(groups) = groups.or_else(|| review.get("groups").cloned()) {
        spec["groups"] = groups;
    }
    match review.get("resourceAttributes").and_then(Value::as_object) {
        Some(attributes) => {
            for (name, value) in attributes {
                spec["resourceAttributes"][name] = json!(known.text_of(value).unwrap_or_default());
            }
        }
        None => {
            let verb = known
                .select("request.method")
                .unwrap_or_default()
                .text("")
                .to_lowercase();
            let path = known.select("request.url_path").unwrap_or_default();
            spec["nonResourceAttributes"] = json!({"path": path, "verb": verb});
        }
    }
    spec
}

/// Returns the text of a header of a successful response.
fn said(header: &Value, known: &Known) -> String {
    match header.get("plain") {
        Some(plain) => known.text_of(plain).unwrap_or_default(),
        None => properties(header, known).to_string(),
    }
}

fn properties(part: &Value, known: &Known) -> Value {
    let properties = part.pointer("/json/properties").and_then(Value::as_object);
    let values = properties.into_iter().flatten();
    values
        .filter_map(|(name, value)| Some((name.clone(), known.value_of(value)?)))
        .collect::<Map<_, _>>()
        .into()
}

fn unauthenticated(rules: &Value, known: &Known, sources: &[String]) -> Answer {
    let wanted = &rules["response"]["unauthenticated"];
    let mut answer = denied(wanted, StatusCode::UNAUTHORIZED, "credential not found", known);
    // One challenge for each source: the last one that is written is the one that stays here.
    for source in sources {
        answer = answer.with("www-authenticate", &format!("Bearer realm=\"{source}\""));
    }
    answer
}

fn unauthorized(rules: &Value, known: &Known) -> Answer {
    denied(
        &rules["response"]["unauthorized"],
        StatusCode::FORBIDDEN,
        "Unauthorized",
        known,
    )
}

fn denied(wanted: &Value, status: StatusCode, reason: &str, known: &Known) -> Answer {
    let code = wanted
        .get("code")
        .and_then(Value::as_u64)
        .and_then(|code| u16::try_from(code).ok());
    let status = code.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(status);
    let text = wanted
        .get("body")
        .and_then(|body| known.text_of(body))
        .unwrap_or_default();
    let mut answer = Answer::text(status, text);
    let message = wanted.get("message").and_then(|message| known.text_of(message));
    answer = answer.with("x-ext-auth-reason", &message.unwrap_or_else(|| reason.to_owned()));
    for (name, value) in wanted["headers"].as_object().into_iter().flatten() {
        answer = answer.with(name, &known.text_of(value).unwrap_or_default());
    }
    answer
}
