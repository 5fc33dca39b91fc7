//! What every model on the simulated cluster says: it repeats the last message, after a thought of its own.
//!
//! Invariants:
//! - The same question to the same model has the same answer and the same `usage`.
//! - A token is four characters, a part of one counts whole. A chat has [`TEMPLATE`] tokens more than its texts and four more
//!   for each message, as a real template wraps them.
//! - An answer that has no room in `max_tokens` is cut there (`finish_reason: length`), and otherwise ends (`stop`).
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat> (bodies and events),
//! <https://docs.vllm.ai/en/stable/serving/openai_compatible_server/>; reference/serving.md §3.5, M6 (a short question with
//! `max_tokens` 30 costs between 75 and 100 tokens, so that 300 last for four calls), §1.4 (models are told apart by content).

use http::StatusCode;
use serde_json::{Value, json};

use super::call::Answer;
use crate::operators::object::Read;

/// The tokens of a chat template without any message.
const TEMPLATE: usize = 42;
const OF_A_MESSAGE: usize = 4;
/// The default of completions; chats have none.
const DEFAULT_COMPLETION: usize = 16;

/// Which of the two questions it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Chat,
    Completion,
}

impl Kind {
    /// Returns the question that a path asks.
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "/v1/chat/completions" => Some(Self::Chat),
            "/v1/completions" => Some(Self::Completion),
            _ => None,
        }
    }
}

/// Counts tokens.
pub(super) fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}

/// Returns the error of a body that cannot be answered, as OpenAI's API has it.
pub(super) fn refused(status: StatusCode, message: &str, kind: &str) -> Answer {
    let error = json!({"message": message, "type": kind, "param": null, "code": status.as_u16()});
    Answer::json(status, &json!({"error": error}))
}

/// Returns the text of a message, also one in parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(|part| part.text("/text")).collect(),
        _ => String::new(),
    }
}

/// Answers a question as a model of this name; `speaker` is what it calls itself.
pub(super) fn answer(kind: Kind, question: &Value, model: &str, speaker: &str) -> Answer {
    let invalid = |why: &str| refused(StatusCode::BAD_REQUEST, why, "BadRequestError");
    let (said, prompt) = match kind {
        Kind::Chat => {
            let messages = question.list("/messages");
            let Some(last) = messages.last() else {
                return invalid("`messages` is missing or empty");
            };
            let cost = |message: &Value| OF_A_MESSAGE + tokens(&text(&message["content"]));
            (
                text(&last["content"]),
                TEMPLATE + messages.iter().map(cost).sum::<usize>(),
            )
        }
        Kind::Completion => {
            let prompt = text(&question["prompt"]);
            if prompt.is_empty() {
                return invalid("`prompt` is missing or empty");
            }
            let cost = tokens(&prompt);
            (prompt, cost)
        }
    };
    let most = ["/max_completion_tokens", "/max_tokens"]
        .iter()
        .find_map(|key| question.number(key));
    let most = match (most, kind) {
        (Some(most), _) if most < 1 => return invalid("`max_tokens` is less than 1"),
        (Some(most), _) => usize::try_from(most).unwrap_or(usize::MAX),
        (None, Kind::Completion) => DEFAULT_COMPLETION,
        (None, Kind::Chat) => usize::MAX,
    };
    let whole = format!(
        "<think>\nThis is {speaker}, a model of a simulated cluster. It repeats what the last message says and adds nothing else.\n</think>\n\n{said}"
    );
    let (answer, reason) = if tokens(&whole) > most {
        (whole.chars().take(most * 4).collect(), "length")
    } else {
        (whole, "stop")
    };
    let spoken = Spoken {
        kind,
        id: id(question, model),
        model,
        text: answer,
        reason,
        prompt,
    };
    if question.is_true("/stream") {
        spoken.streamed(question.is_true("/stream_options/include_usage"))
    } else {
        spoken.whole()
    }
}

/// Returns the id of an answer; the same question gets the same one.
fn id(question: &Value, model: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(format!("{model} {question}").as_bytes());
    digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// An answer before it is put into a form.
struct Spoken<'a> {
    kind: Kind,
    id: String,
    model: &'a str,
    text: String,
    reason: &'static str,
    prompt: usize,
}

impl Spoken<'_> {
    fn usage(&self) -> Value {
        let completion = tokens(&self.text);
        json!({"prompt_tokens": self.prompt, "completion_tokens": completion, "total_tokens": self.prompt + completion})
    }

    fn head(&self, is_part: bool) -> Value {
        let (prefix, object) = match (self.kind, is_part) {
            (Kind::Chat, false) => ("chatcmpl", "chat.completion"),
            (Kind::Chat, true) => ("chatcmpl", "chat.completion.chunk"),
            (Kind::Completion, _) => ("cmpl", "text_completion"),
        };
        json!({"id": format!("{prefix}-{}", self.id), "object": object, "created": 0, "model": self.model})
    }

    fn whole(&self) -> Answer {
        let mut body = self.head(false);
        let mut choice = json!({"index": 0, "logprobs": null, "finish_reason": self.reason});
        match self.kind {
            Kind::Chat => choice["message"] = json!({"role": "assistant", "content": self.text}),
            Kind::Completion => choice["text"] = json!(self.text),
        }
        body["choices"] = json!([choice]);
        body["usage"] = self.usage();
        Answer::json(StatusCode::OK, &body)
    }

    fn streamed(&self, with_usage: bool) -> Answer {
        let part = |text: &str, reason: Option<&str>| {
            let mut body = self.head(true);
            let mut choice = json!({"index": 0, "finish_reason": reason});
            match self.kind {
                Kind::Chat => choice["delta"] = json!({"role": "assistant", "content": text}),
                Kind::Completion => choice["text"] = json!(text),
            }
            body["choices"] = json!([choice]);
            body.to_string()
        };
        let mut lines: Vec<String> = self.text.split_inclusive(' ').map(|word| part(word, None)).collect();
        lines.push(part("", Some(self.reason)));
        if with_usage {
            let mut body = self.head(true);
            body["choices"] = json!([]);
            body["usage"] = self.usage();
            lines.push(body.to_string());
        }
        lines.push("[DONE]".to_owned());
        Answer::events(lines)
    }
}

/// Returns the list of these models.
pub(super) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> Value {
    let models = names.into_iter().map(
        |name| json!({"id": name, "object": "model", "created": 0, "owned_by": "vllm", "root": name, "parent": null}),
    );
    json!({"object": "list", "data": models.collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(more: &Value) -> Value {
        let mut question = json!({"model": "m", "messages": [{"role": "user", "content": "Say hello"}]});
        question
            .as_object_mut()
            .expect("a map")
            .extend(more.as_object().expect("a map").clone());
        question
    }

    #[test]
    fn a_short_question_with_thirty_tokens_costs_a_quarter_to_a_third_of_three_hundred() {
        let answer = answer(Kind::Chat, &chat(&json!({"max_tokens": 30})), "m", "qwen")
            .body()
            .expect("JSON");
        assert_eq!(answer["choices"][0]["finish_reason"], json!("length"));
        assert_eq!(
            answer["usage"],
            json!({"prompt_tokens": 49, "completion_tokens": 30, "total_tokens": 79})
        );
    }

    #[test]
    fn an_answer_with_room_is_the_message_and_tells_the_model_apart() {
        let answer = answer(Kind::Chat, &chat(&json!({})), "m", "qwen").body().expect("JSON");
        let content = answer["choices"][0]["message"]["content"].as_str().expect("a text");
        assert!(
            content.ends_with("\n\nSay hello") && content.contains("This is qwen"),
            "{content}"
        );
        assert_eq!(answer["choices"][0]["finish_reason"], json!("stop"));
    }

    #[test]
    fn a_stream_says_the_same_and_its_usage_only_when_asked() {
        let lines = |question: &Value| match answer(Kind::Chat, question, "m", "qwen").content {
            super::super::call::Content::Events(events) => events
                .iter()
                .map(|event| String::from_utf8_lossy(event).into_owned())
                .collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let plain = lines(&chat(&json!({"stream": true, "max_tokens": 30})));
        assert!(!plain.concat().contains("usage"));
        assert_eq!(plain.last().map(String::as_str), Some("data: [DONE]\n\n"));
        let told = lines(&chat(
            &json!({"stream": true, "max_tokens": 30, "stream_options": {"include_usage": true}}),
        ));
        assert!(told[told.len() - 2].contains("\"total_tokens\":79"));
    }

    #[test]
    fn what_cannot_be_answered_is_refused() {
        for (kind, question) in [
            (Kind::Chat, json!({})),
            (Kind::Completion, json!({})),
            (Kind::Completion, json!({"prompt": "x", "max_tokens": 0})),
        ] {
            assert_eq!(answer(kind, &question, "m", "qwen").status, StatusCode::BAD_REQUEST);
        }
    }
}
