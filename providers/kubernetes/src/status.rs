//! A refusal as it came over the wire: the code, and a `Status` or a plain text.
//!
//! Only the parts of `Status` that decide something are read. Absent and empty mean the same here, because servers
//! leave out what is empty (ssa-semantics §1, §7).

use serde::Deserialize;
use std::time::Duration;

/// An answer that is not a success.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The HTTP code.
    pub(crate) code: u16,
    /// The header `Retry-After`, in seconds.
    pub(crate) retry_after: Option<Duration>,
    /// The body, if it is a `Status`; `None` for `404 page not found` and what proxies write.
    pub(crate) status: Option<Status>,
    /// The body as a text, when it is no `Status`.
    pub(crate) text: String,
}

/// The parts of a `meta/v1` `Status` that are used.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Status {
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) reason: String,
    pub(crate) code: u16,
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) details: Details,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Details {
    pub(crate) name: String,
    pub(crate) kind: String,
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) causes: Vec<StatusCause>,
    pub(crate) retry_after_seconds: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StatusCause {
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) field: String,
}

/// A text that is no `Status` is kept up to this many characters: proxies answer with whole pages.
const LONGEST_TEXT: usize = 300;

impl Refusal {
    /// Reads a body that came with a code.
    pub(crate) fn read(code: u16, retry_after: Option<Duration>, body: &[u8]) -> Self {
        let status = Status::read(body);
        let text = match status {
            Some(_) => String::new(),
            None => String::from_utf8_lossy(body)
                .trim()
                .chars()
                .take(LONGEST_TEXT)
                .collect(),
        };
        Self {
            code,
            retry_after,
            status,
            text,
        }
    }

    /// A refusal that came inside of a watch, whose HTTP code was 200 (ssa-semantics §13).
    pub(crate) fn of_status(status: Status) -> Self {
        Self {
            code: status.code,
            retry_after: None,
            status: Some(status),
            text: String::new(),
        }
    }

    /// Whether a resourceVersion or a continue token is too old. 410 has three shapes (ssa-semantics §13); this covers
    /// each once its `Status` is taken out of its wrapping.
    pub(crate) fn is_expired(&self) -> bool {
        self.code == 410 || matches!(self.reason(), "Expired" | "Gone")
    }

    pub(crate) fn reason(&self) -> &str {
        self.status.as_ref().map_or("", |status| &status.reason)
    }

    /// The server's words, whichever form they have.
    pub(crate) fn message(&self) -> &str {
        self.status.as_ref().map_or(&self.text, |status| &status.message)
    }

    pub(crate) fn causes(&self) -> &[StatusCause] {
        self.status.as_ref().map_or(&[], |status| &status.details.causes)
    }

    /// How long the server asks to wait: the header, else the details. A zero in either asks for nothing, so that whoever
    /// asks again does so by a back-off of its own and never without a pause.
    pub(crate) fn asked_delay(&self) -> Option<Duration> {
        let in_details = || Some(Duration::from_secs(self.status.as_ref()?.details.retry_after_seconds));
        let is_asked = |delay: &Duration| !delay.is_zero();
        self.retry_after
            .filter(is_asked)
            .or_else(|| in_details().filter(is_asked))
    }
}

impl Status {
    /// Reads a body that may be a `Status`.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice::<Self>(body)
            .ok()
            .filter(|status| status.kind == "Status")
    }
}

fn null_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_text_is_no_status_and_is_kept_short() {
        let refusal = Refusal::read(404, None, b"404 page not found\n");
        assert!(refusal.status.is_none());
        assert_eq!(refusal.message(), "404 page not found");
        let page = "x".repeat(10_000);
        assert_eq!(Refusal::read(502, None, page.as_bytes()).message().len(), LONGEST_TEXT);
    }

    #[test]
    fn all_three_shapes_of_410_are_expired() {
        let too_old = br#"{"kind":"Status","message":"The resourceVersion for the provided list is too old.","reason":"Expired","code":410}"#;
        assert!(Refusal::read(410, None, too_old).is_expired());
        let in_watch =
            br#"{"kind":"Status","message":"too old resource version: 1 (1473)","reason":"Expired","code":410}"#;
        assert!(Refusal::of_status(Status::read(in_watch).expect("a Status")).is_expired());
        assert!(Refusal::read(410, None, b"gone").is_expired());
        assert!(!Refusal::read(404, None, b"404 page not found").is_expired());
    }

    #[test]
    fn the_delay_is_the_header_else_the_details() {
        let body =
            br#"{"kind":"Status","reason":"Timeout","code":504,"details":{"causes":null,"retryAfterSeconds":1}}"#;
        let second = Some(Duration::from_secs(1));
        assert_eq!(Refusal::read(504, None, body).asked_delay(), second);
        let header = Some(Duration::from_secs(7));
        assert_eq!(Refusal::read(504, header, body).asked_delay(), header);
    }

    #[test]
    fn a_delay_of_zero_asks_for_nothing() {
        let zero = Some(Duration::ZERO);
        assert_eq!(Refusal::read(429, zero, b"Too many requests").asked_delay(), None);
        let in_both = br#"{"kind":"Status","code":429,"details":{"retryAfterSeconds":0}}"#;
        assert_eq!(Refusal::read(429, zero, in_both).asked_delay(), None);
        let in_details = br#"{"kind":"Status","code":429,"details":{"retryAfterSeconds":2}}"#;
        let asked = Some(Duration::from_secs(2));
        assert_eq!(Refusal::read(429, zero, in_details).asked_delay(), asked);
    }
}
