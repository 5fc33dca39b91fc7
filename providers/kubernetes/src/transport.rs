//! One request, one answer: what lies between the verbs and kube's HTTP client.
//!
//! kube's own calls hide the status code that tells created from changed, and log what they could not read; so requests
//! are built here and sent by `Client::send`. HTTP/1.1 with as many connections as requests in flight, which a real
//! server answers faster than one HTTP/2 connection (`apiserver-baseline.md`).
//!
//! Invariants: what changes something is sent once; what changes nothing is asked again, for a short while, when the
//! server's trouble passes or the connection broke; no body is logged or put into an error; every request but a watch waits
//! for its turn ([`crate::pace`]).

use crate::{
    error,
    pace::{Asked, Load, Pacer, Turn},
    status::Refusal,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, header};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde::de::{DeserializeOwned, DeserializeSeed};
use stackctl_engine::{
    execute::ProviderError,
    retry::{RetryClass, delay},
};
use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    marker::PhantomData,
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// After this long there is no answer: a little more than the minute that an API server gives itself
/// (kube-apiserver, `--request-timeout`).
const REQUEST_TIMEOUT: Duration = Duration::from_secs(75);

/// How long what changes nothing is asked again: a server that elects a leader or restarts one of its processes is back
/// within seconds, and whoever waits for an answer wants to hear of anything longer. What we let it wait for its turn is
/// no silence of the server and does not count.
const PATIENCE: Duration = Duration::from_secs(15);

/// How many requests are in flight at most unless it is said: what `--parallelism` is by default.
const PARALLELISM: usize = 16;

/// A connection to one server.
#[derive(Clone)]
pub(crate) struct Transport {
    client: kube::Client,
    server: String,
    pacer: Arc<Pacer>,
}

/// What the server said.
pub(crate) enum Answer {
    /// 2xx.
    Accepted(Accepted),
    /// Anything else.
    Refused(Refusal),
}

/// That there was no answer.
struct Silence {
    /// Whether there was a connection, which broke.
    is_lost: bool,
    error: ProviderError,
}

impl From<ProviderError> for Silence {
    fn from(error: ProviderError) -> Self {
        Self { is_lost: false, error }
    }
}

/// What of an object an answer is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accepts {
    /// All of it.
    Whole,
    /// Its metadata alone: the answer of a list then holds no values of Secrets.
    Metadata,
}

/// How metadata alone is asked for
/// (<https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches>).
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// A success.
pub(crate) struct Accepted {
    /// Whether it was 201.
    pub(crate) created: bool,
    /// What the server warns of, as it says it.
    pub(crate) warnings: Vec<String>,
    /// The whole body.
    pub(crate) body: Bytes,
}

/// An open answer whose body goes on.
pub(crate) enum Opened {
    /// 2xx.
    Stream(Body),
    /// Anything else.
    Refused(Refusal),
}

impl Transport {
    /// Speaks to a server through a client.
    pub(crate) fn new(client: kube::Client, server: String) -> Self {
        Self {
            client,
            server,
            pacer: Pacer::new(PARALLELISM),
        }
    }

    /// Sends so many requests at once at most.
    pub(crate) fn with_parallelism(mut self, parallelism: usize) -> Self {
        self.pacer = Pacer::new(parallelism);
        self
    }

    /// The URL of the server.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// Reads a path, patiently.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer, ProviderError> {
        self.ask_patiently(Method::GET, path, None, Accepts::Whole).await
    }

    /// Sends a request that changes nothing, again while the server is in trouble, and not again once it does not answer
    /// at all. client-go does so for whatever the server asks to send later
    /// (`k8s.io/client-go/rest/with_retry.go`), and for reads whose connection broke (`rest/request.go`).
    pub(crate) async fn ask_patiently(
        &self,
        method: Method,
        path: &str,
        content: Option<(&'static str, Bytes)>,
        accepts: Accepts,
    ) -> Result<Answer, ProviderError> {
        let mut deadline = Instant::now() + PATIENCE;
        let mut count = 0;
        loop {
            let wanted = Instant::now();
            let turn = self.pacer.turn(Asked::of(&method, path)).await;
            deadline += wanted.elapsed();
            let answer = self
                .exchange(turn, method.clone(), path, content.clone(), accepts)
                .await;
            let class = match &answer {
                Ok(Answer::Accepted(_)) => RetryClass::Never,
                Ok(Answer::Refused(refusal)) => error::patience(refusal),
                Err(silence) if silence.is_lost => RetryClass::BackOff,
                Err(_) => RetryClass::Never,
            };
            count += 1;
            match delay(class, count, jitter()) {
                Some(wait) if Instant::now() + wait < deadline => tokio::time::sleep(wait).await,
                Some(_) | None => return answer.map_err(|silence| silence.error),
            }
        }
    }

    /// Sends a request with a body of some content type, once, and reads the whole answer.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        content: Option<(&'static str, Bytes)>,
    ) -> Result<Answer, ProviderError> {
        let turn = self.pacer.turn(Asked::of(&method, path)).await;
        let answer = self.exchange(turn, method, path, content, Accepts::Whole).await;
        answer.map_err(|silence| silence.error)
    }

    async fn exchange(
        &self,
        turn: Turn<'_>,
        method: Method,
        path: &str,
        content: Option<(&'static str, Bytes)>,
        accepts: Accepts,
    ) -> Result<Answer, Silence> {
        let mut request = build(method.clone(), path, content)?;
        if accepts == Accepts::Metadata {
            request
                .headers_mut()
                .insert(header::ACCEPT, HeaderValue::from_static(METADATA));
        }
        let began = Instant::now();
        let whole = async {
            let sent = self.client.send(request).await;
            let response = sent.map_err(|error| Silence {
                is_lost: error::is_lost(&error),
                error: error::silence(&self.server, &error),
            })?;
            let (parts, body) = response.into_parts();
            let collected = body.collect().await.map_err(|error| Silence {
                is_lost: true,
                error: error::silence(&self.server, &error),
            })?;
            Ok::<_, Silence>((parts.status.as_u16(), parts.headers, collected.to_bytes()))
        };
        let (code, headers, body) = timeout(REQUEST_TIMEOUT, whole).await.map_err(|_| {
            turn.learn(Load::Unavailable);
            self.too_late()
        })??;
        turn.learn(match code {
            429 => Load::Refused,
            503 | 504 => Load::Unavailable,
            _ => Load::Borne,
        });
        let milliseconds = began.elapsed().as_millis();
        tracing::debug!(%method, path, code, milliseconds, "answered");
        Ok(match code {
            200..=299 => Answer::Accepted(Accepted {
                created: code == 201,
                warnings: warnings(&headers),
                body,
            }),
            _ => Answer::Refused(Refusal::read(code, retry_after(&headers), &body)),
        })
    }

    /// Opens a path whose answer goes on; only its head is waited for.
    pub(crate) async fn open(&self, path: &str) -> Result<Opened, ProviderError> {
        self.opened(path, build(Method::GET, path, None)?).await
    }

    /// Opens a path that answers in plain text, as [`Self::open`] does.
    pub(crate) async fn open_text(&self, path: &str) -> Result<Opened, ProviderError> {
        let mut request = build(Method::GET, path, None)?;
        let any = HeaderValue::from_static("text/plain, */*");
        request.headers_mut().insert(header::ACCEPT, any);
        self.opened(path, request).await
    }

    async fn opened(&self, path: &str, request: Request<Body>) -> Result<Opened, ProviderError> {
        let head = timeout(REQUEST_TIMEOUT, self.send(request)).await;
        let (parts, body) = head.map_err(|_| self.too_late())??.into_parts();
        tracing::debug!(path, code = parts.status.as_u16(), "opened");
        if parts.status.is_success() {
            return Ok(Opened::Stream(body));
        }
        let rest = timeout(REQUEST_TIMEOUT, body.collect())
            .await
            .map_err(|_| self.too_late())?;
        let rest = rest.map_err(|error| error::silence(&self.server, &error))?.to_bytes();
        let refusal = Refusal::read(parts.status.as_u16(), retry_after(&parts.headers), &rest);
        Ok(Opened::Refused(refusal))
    }

    /// Reads a body as JSON; what it held is not repeated.
    pub(crate) fn parse<T: DeserializeOwned>(&self, path: &str, body: &[u8]) -> Result<T, ProviderError> {
        self.parse_by(path, body, PhantomData)
    }

    /// The same by a reader of one's own.
    pub(crate) fn parse_by<'b, S>(&self, path: &str, body: &'b [u8], reader: S) -> Result<S::Value, ProviderError>
    where
        S: DeserializeSeed<'b>,
    {
        let mut text = serde_json::Deserializer::from_slice(body);
        let read = reader.deserialize(&mut text).and_then(|read| text.end().map(|()| read));
        read.map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            ProviderError::Other(format!("{} answered no usable JSON to {path} ({place})", self.server))
        })
    }

    async fn send(&self, request: Request<Body>) -> Result<http::Response<Body>, ProviderError> {
        let sent = self.client.send(request).await;
        sent.map_err(|error| error::silence(&self.server, &error))
    }

    fn too_late(&self) -> ProviderError {
        let seconds = REQUEST_TIMEOUT.as_secs();
        ProviderError::Unreachable(format!("{}: no answer within {seconds} s", self.server))
    }
}

fn build(method: Method, path: &str, content: Option<(&'static str, Bytes)>) -> Result<Request<Body>, ProviderError> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::ACCEPT, "application/json");
    let request = match content {
        Some((content_type, bytes)) => request
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from(bytes)),
        None => request.body(Body::empty()),
    };
    request.map_err(|error| ProviderError::Other(format!("{path} cannot be requested: {error}")))
}

/// A number from 0 to 1, so that those who were refused together do not come back together. The standard library seeds
/// each hasher anew, from the system's randomness.
fn jitter() -> f64 {
    let drawn = RandomState::new().build_hasher().finish() % 1_000;
    u32::try_from(drawn).map_or(0.5, |drawn| f64::from(drawn) / 999.0)
}

/// The texts of the headers that say `299 - "text"`, each once; a backslash stands before a quote and a backslash. Those of
/// other codes are of proxies on the way (`k8s.io/apimachinery/pkg/util/net/http.go`, `ParseWarningHeaders`).
fn warnings(headers: &HeaderMap) -> Vec<String> {
    let mut texts = Vec::new();
    for value in headers.get_all(header::WARNING) {
        // An agent may stand where the server writes a dash.
        let quoted = std::str::from_utf8(value.as_bytes())
            .ok()
            .and_then(|value| value.strip_prefix("299 "))
            .and_then(|rest| rest.split_once(" \""));
        let Some((_, quoted)) = quoted else { continue };
        let mut text = String::new();
        let mut characters = quoted.chars();
        loop {
            match characters.next() {
                None | Some('"') => break,
                Some('\\') => text.extend(characters.next()),
                Some(character) => text.push(character),
            }
        }
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// The header in seconds; the form with a date is not used by API servers (`k8s.io/apiserver`, `RetryAfter`).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        collections::VecDeque,
        convert::Infallible,
        sync::{Mutex, PoisonError},
    };

    /// A server that answers with these codes, one after the other, and then with success.
    fn transport(codes: &[u16], parallelism: usize) -> Transport {
        let codes = Mutex::new(VecDeque::from(codes.to_vec()));
        let service = tower::service_fn(move |_: Request<Body>| {
            let code = codes.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let answer = http::Response::builder()
                .status(code.unwrap_or(200))
                .body(Body::empty());
            std::future::ready(Ok::<_, Infallible>(answer.expect("a code")))
        });
        Transport::new(kube::Client::new(service, "default"), "https://here".to_owned()).with_parallelism(parallelism)
    }

    #[test]
    fn warnings_of_the_server_are_read_once_each_and_those_of_proxies_are_not() {
        let mut headers = HeaderMap::new();
        for value in [
            r#"299 - "unknown field \"spec.bogus\"""#,
            r#"299 - "unknown field \"spec.bogus\"""#,
            r#"299 apiserver "a \\ b" "Sun, 29 Nov 2026 01:00:00 GMT""#,
            r#"199 proxy "stale""#,
            r#"299 - """#,
            "299 -",
        ] {
            headers.append(header::WARNING, HeaderValue::from_static(value));
        }
        assert_eq!(warnings(&headers), [r#"unknown field "spec.bogus""#, r"a \ b"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_we_let_a_question_wait_for_its_turn_is_no_silence_of_the_server() {
        let transport = transport(&[503], 1);
        let holding = transport.pacer.turn(Asked::of(&Method::GET, "/version")).await;
        let held = async {
            tokio::time::sleep(2 * PATIENCE).await;
            drop(holding);
        };
        let (answer, ()) = tokio::join!(transport.get("/version"), held);
        assert!(matches!(answer, Ok(Answer::Accepted(_))), "it was asked again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_is_not_asked_for_ever() {
        let transport = transport(&[503; 100], 1);
        let began = Instant::now();
        assert!(matches!(transport.get("/version").await, Ok(Answer::Refused(_))));
        assert!(began.elapsed() <= PATIENCE, "{:?}", began.elapsed());
    }
}
