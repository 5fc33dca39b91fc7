//! The model server of an LLMInferenceService, as vLLM answers.
//!
//! Source: reference/serving.md §3.3 (the model's name), M19, M20 (`--served-model-name`: names with spaces between them, the
//! first is the model's own); <https://docs.vllm.ai/en/stable/serving/openai_compatible_server/> (paths, 404 for an unknown
//! model).
//!
//! Invariant: the names are those that the answering pod was started with.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::echo;
use crate::operators::object::Read;

const ARGUMENTS: &str = "VLLM_ADDITIONAL_ARGS";
const NAMES: &str = "--served-model-name";

/// Returns the names under which a pod serves its model.
fn names(service: &Value, pod: &Value) -> Vec<String> {
    let containers = pod.list("/spec/containers").iter();
    let variables = containers.flat_map(|container| container.list("/env"));
    let arguments = variables
        .filter(|variable| variable.text("/name") == ARGUMENTS)
        .map(|variable| variable.text("/value"));
    let text = arguments.collect::<Vec<_>>().join(" ");
    let mut words = text.split_whitespace();
    let mut names = Vec::new();
    while let Some(word) = words.next() {
        if let Some(name) = word.strip_prefix(NAMES).and_then(|rest| rest.strip_prefix('=')) {
            names = vec![name.to_owned()];
        } else if word == NAMES {
            names = words
                .clone()
                .take_while(|word| !word.starts_with("--"))
                .map(str::to_owned)
                .collect();
        }
    }
    if names.is_empty() {
        let own = match service.text("/spec/model/name") {
            "" => service.name(),
            name => name,
        };
        names.push(own.to_owned());
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// Answers a call.
pub(super) fn answer(service: &Value, pod: &Value, call: &Call) -> Answer {
    let names = names(service, pod);
    let path = call.path.as_str();
    match (&call.method, path) {
        (&Method::GET, "/health" | "/ping") => Answer::empty(StatusCode::OK),
        (&Method::GET, "/version") => Answer::json(StatusCode::OK, &json!({"version": "0.18.0"})),
        (&Method::GET, "/v1/models") => Answer::json(StatusCode::OK, &echo::listed(names.iter().map(String::as_str))),
        (&Method::POST, _) => match echo::Kind::of(path) {
            Some(kind) => asked(kind, call, &names, service.name()),
            None => nowhere(),
        },
        (_, "/health" | "/ping" | "/version" | "/v1/models" | "/v1/completions" | "/v1/chat/completions") => {
            Answer::json(StatusCode::METHOD_NOT_ALLOWED, &json!({"detail": "Method Not Allowed"}))
        }
        _ => nowhere(),
    }
}

fn nowhere() -> Answer {
    Answer::json(StatusCode::NOT_FOUND, &json!({"detail": "Not Found"}))
}

fn asked(kind: echo::Kind, call: &Call, names: &[String], speaker: &str) -> Answer {
    let Ok(question) = serde_json::from_slice::<Value>(&call.body) else {
        return echo::refused(StatusCode::BAD_REQUEST, "the body is not JSON", "BadRequestError");
    };
    let wanted = question.text("/model");
    let own = names.first().map_or("", String::as_str);
    if !wanted.is_empty() && !names.iter().any(|name| name == wanted) {
        let why = format!("The model `{wanted}` does not exist.");
        return echo::refused(StatusCode::NOT_FOUND, &why, "NotFoundError");
    }
    echo::answer(kind, &question, if wanted.is_empty() { own } else { wanted }, speaker)
}

#[cfg(test)]
mod tests {
    use super::super::testing::call;
    use super::*;

    fn service() -> Value {
        json!({"metadata": {"name": "qwen3-8b"}, "spec": {"model": {"name": "alibaba/qwen3-8b"}}})
    }

    fn pod(arguments: &str) -> Value {
        json!({"spec": {"containers": [{"name": "main", "env": [{"name": ARGUMENTS, "value": arguments}]}]}})
    }

    #[test]
    fn names_are_separated_by_spaces_and_a_comma_is_part_of_one() {
        for (arguments, expected) in [
            ("", vec!["alibaba/qwen3-8b"]),
            (
                "--enable-prefix-caching --served-model-name own stable --trust-remote-code",
                vec!["own", "stable"],
            ),
            ("--served-model-name own,stable", vec!["own,stable"]),
            ("--served-model-name=own", vec!["own"]),
        ] {
            assert_eq!(names(&service(), &pod(arguments)), expected, "{arguments}");
        }
    }

    #[test]
    fn an_unknown_model_is_not_found_and_other_paths_are_not_there() {
        let ask = |method: &str, path: &str, body: Value| {
            let call = call(method, &format!("https://h{path}")).json(&body).done();
            answer(&service(), &pod(""), &call).status.as_u16()
        };
        let chat = |model: &str| json!({"model": model, "messages": [{"role": "user", "content": "x"}]});
        assert_eq!(ask("POST", "/v1/chat/completions", chat("alibaba/qwen3-8b")), 200);
        assert_eq!(ask("POST", "/v1/chat/completions", chat("qwen3-8b")), 404);
        assert_eq!(
            ask("POST", "/v1/completions", json!({"prompt": "x"})),
            200,
            "its own model by default"
        );
        assert_eq!(ask("GET", "/v1/models", Value::Null), 200);
        assert_eq!(ask("GET", "/health", Value::Null), 200);
        assert_eq!(ask("GET", "/v1/completions", Value::Null), 405);
        assert_eq!(ask("GET", "/", Value::Null), 404);
    }
}
