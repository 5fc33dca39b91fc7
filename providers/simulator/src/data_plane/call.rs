//! One call to a host of the cluster, and its answer, as plain values.
//!
//! Invariants:
//! - A [`Call`] is whole: its body has been read, up to [`LARGEST_BODY`].
//! - An [`Answer`] says nothing about connections; only the listener turns it into bytes.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

/// The largest body of a call, in bytes.
pub(super) const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// One call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: Method,
    /// The host that was asked for: lower case, without a port.
    pub(super) host: String,
    /// The path without its query, beginning with `/`.
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Whether the client speaks TLS.
    pub(super) is_tls: bool,
}

impl Call {
    /// Returns a header's value, empty if there is none that is text.
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    /// Returns the bearer's token, if there is one.
    pub(super) fn bearer(&self) -> Option<&str> {
        let token = self.header("authorization").strip_prefix("Bearer ")?.trim();
        (!token.is_empty()).then_some(token)
    }

    /// Sets a header; a value that no header can hold is left out, and an empty one takes the header away.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        let Ok(name) = name.parse::<HeaderName>() else { return };
        match HeaderValue::from_str(value) {
            Ok(value) if !value.is_empty() => drop(self.headers.insert(name, value)),
            Ok(_) | Err(_) => drop(self.headers.remove(name)),
        }
    }

    /// Returns path and query as the client wrote them.
    pub(super) fn path_and_query(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}

/// What is sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// All of it.
    Whole(Bytes),
    /// Server-sent events, one after the other.
    Events(Vec<Bytes>),
    /// Nothing, and no end until somebody closes the connection.
    Hanging,
}

/// The answer to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) content: Content,
}

impl Answer {
    /// Returns an answer without a body.
    pub(super) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            content: Content::Whole(Bytes::new()),
        }
    }

    /// Returns an answer in plain text.
    pub(super) fn text(status: StatusCode, text: impl Into<String>) -> Self {
        let mut answer = Self::empty(status).with("content-type", "text/plain");
        answer.content = Content::Whole(text.into().into_bytes().into());
        answer
    }

    /// Returns an answer in JSON.
    pub(super) fn json(status: StatusCode, body: &Value) -> Self {
        let mut answer = Self::empty(status).with("content-type", "application/json");
        answer.content = Content::Whole(body.to_string().into_bytes().into());
        answer
    }

    /// Returns an answer of server-sent events, each of one line of data.
    pub(super) fn events(lines: impl IntoIterator<Item = String>) -> Self {
        let mut answer = Self::empty(StatusCode::OK).with("content-type", "text/event-stream");
        let events = lines.into_iter().map(|line| Bytes::from(format!("data: {line}\n\n")));
        answer.content = Content::Events(events.collect());
        answer
    }

    /// Adds a header; a value that no header can hold is left out.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            self.headers.insert(name, value);
        }
        self
    }

    /// Returns the body if it is JSON and whole.
    pub(super) fn body(&self) -> Option<Value> {
        match &self.content {
            Content::Whole(bytes) => serde_json::from_slice(bytes).ok(),
            Content::Events(_) | Content::Hanging => None,
        }
    }

    /// Returns whether this is a stream of events.
    pub(super) fn is_stream(&self) -> bool {
        self.headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind == "text/event-stream")
    }
}
