//! Models elsewhere: what the payload processing does to a call for one, and the provider that it reaches.
//!
//! Source: reference/serving.md §1.15 (key of the Secret, its label, Host), E1 (no label: no credentials), §1.8 (it fails
//! closed).
//!
//! Invariants:
//! - A call leaves the cluster only with the credential of its ExternalModel, and never with the caller's.
//! - The provider, which is embedded, answers only calls to its own host that carry a credential.
//!
//! Simplified: one embedded provider stands for all, it speaks OpenAI's API whatever `spec.provider` says, any credential is
//! right for it, and its certificate is never looked at (E7).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Method, StatusCode};
use serde_json::Value;

use super::call::{Answer, Call};
use super::echo;
use super::shared::Shared;
use crate::operators::kinds::SECRET;
use crate::operators::object::Read;

/// Without it the payload processing does not see a Secret.
const MANAGED: &str = "inference.networking.k8s.io/bbr-managed";
const KEY: &str = "api-key";

/// Answers a call for an external model.
pub(super) async fn answer(shared: &Shared, model: &Value, mut call: Call) -> Answer {
    let secret = shared
        .view
        .get(SECRET, model.namespace(), model.text("/spec/credentialRef/name"))
        .await;
    let credential = secret
        .filter(|secret| secret.label(MANAGED) == Some("true"))
        .and_then(|secret| String::from_utf8(STANDARD.decode(secret["data"][KEY].as_str()?).ok()?).ok());
    let Some(credential) = credential else {
        let why = format!("provider '{}' credentials not found", model.text("/spec/provider"));
        return Answer::text(StatusCode::INTERNAL_SERVER_ERROR, why);
    };
    let prefix = format!("/{}/{}", model.namespace(), model.name());
    if let Some(rest) = call.path.strip_prefix(&prefix) {
        call.path = rest.to_owned();
    }
    call.set("authorization", &format!("Bearer {}", credential.trim()));
    provided(model.text("/spec/endpoint"), model.text("/spec/targetModel"), &call)
}

/// The provider at a host, which has one model.
fn provided(host: &str, model: &str, call: &Call) -> Answer {
    if call.host != host {
        let why = format!("nobody here is called {}", call.host);
        return echo::refused(StatusCode::MISDIRECTED_REQUEST, &why, "invalid_request_error");
    }
    if call.bearer().is_none() {
        return echo::refused(
            StatusCode::UNAUTHORIZED,
            "no API key was given",
            "invalid_request_error",
        );
    }
    if call.method == Method::GET && call.path == "/v1/models" {
        return Answer::json(StatusCode::OK, &echo::listed([model]));
    }
    let Some(kind) = echo::Kind::of(&call.path).filter(|_| call.method == Method::POST) else {
        return echo::refused(
            StatusCode::NOT_FOUND,
            "there is nothing at this path",
            "invalid_request_error",
        );
    };
    let Ok(question) = serde_json::from_slice::<Value>(&call.body) else {
        return echo::refused(StatusCode::BAD_REQUEST, "the body is not JSON", "invalid_request_error");
    };
    if question.text("/model") != model {
        let why = format!("The model `{}` does not exist.", question.text("/model"));
        return echo::refused(StatusCode::NOT_FOUND, &why, "invalid_request_error");
    }
    echo::answer(kind, &question, model, &format!("{model} at {host}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::call;
    use super::*;

    #[test]
    fn the_provider_wants_its_host_and_a_credential() {
        let question = json!({"model": "qwen3-14b", "messages": [{"role": "user", "content": "x"}]});
        let ask = |host: &str, credential: &str| {
            let call = call("POST", &format!("https://{host}/v1/chat/completions"))
                .header("authorization", credential)
                .json(&question);
            provided("litellm.example.com", "qwen3-14b", &call.done())
                .status
                .as_u16()
        };
        assert_eq!(ask("litellm.example.com", "Bearer x"), 200);
        assert_eq!(ask("maas.apps.example.com", "Bearer x"), 421);
        assert_eq!(ask("litellm.example.com", "Bearer "), 401);
    }
}
