//! A server that says what a test wrote down, in the wire forms that `ssa-semantics.md` quotes.
//!
//! Each reply waits for the first request that fits it and is used once, but for those that stand for good. A request
//! that nothing fits is answered as an API server answers an unknown path, and is in the record like any other.

use serde_json::{Value, json};
use stackctl_kubernetes::KubernetesProvider;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream, tcp::OwnedWriteHalf},
    sync::mpsc,
};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// Method and path with query, as they were on the wire.
    pub(crate) line: String,
    /// The headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body as JSON; null without one.
    pub(crate) body: Value,
}

/// What a test wrote down.
pub(crate) struct Reply {
    fits: Vec<&'static str>,
    lasts: bool,
    head: String,
    body: Body,
}

enum Body {
    Whole(String),
    /// Chunk by chunk, as the test sends them; what ends it says how.
    Open(mpsc::UnboundedReceiver<Chunk>),
}

/// A piece of an open answer.
#[derive(Debug)]
pub(crate) enum Chunk {
    /// Bytes, sent at once.
    Text(String),
    /// The proper end.
    End,
    /// The connection is cut without one.
    Cut,
}

/// The server; what it received so far can be read at any time.
pub(crate) struct Stub {
    url: String,
    script: Arc<Script>,
}

struct Script {
    replies: Mutex<Vec<Reply>>,
    received: Mutex<Vec<Received>>,
}

impl Reply {
    /// A JSON answer to the first request whose line, with a blank at its end, holds all the given parts.
    pub(crate) fn json(fits: &[&'static str], code: u16, body: &Value) -> Self {
        Self::text(fits, code, "application/json", body.to_string())
    }

    /// An answer in any form.
    pub(crate) fn text(fits: &[&'static str], code: u16, content_type: &str, body: String) -> Self {
        let head = format!("HTTP/1.1 {code} Said\r\ncontent-type: {content_type}\r\n");
        Self {
            fits: fits.to_vec(),
            lasts: false,
            head,
            body: Body::Whole(body),
        }
    }

    /// An answer that goes on, and what to send it by.
    pub(crate) fn open(fits: &[&'static str]) -> (mpsc::UnboundedSender<Chunk>, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let reply = Self {
            fits: fits.to_vec(),
            lasts: false,
            head: "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n".to_owned(),
            body: Body::Open(receiver),
        };
        (sender, reply)
    }

    /// The same answer every time.
    pub(crate) fn lasting(mut self) -> Self {
        self.lasts = true;
        self
    }

    /// With one more header.
    pub(crate) fn with_header(mut self, header: &str) -> Self {
        self.head.push_str(header);
        self.head.push_str("\r\n");
        self
    }
}

impl Stub {
    /// Serves the replies on a port of its own until the test ends.
    pub(crate) async fn serve(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let script = Arc::new(Script {
            replies: Mutex::new(replies),
            received: Mutex::default(),
        });
        let shared = Arc::clone(&script);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, Arc::clone(&shared)));
            }
        });
        Self { url, script }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A provider that speaks to this server.
    pub(crate) fn provider(&self) -> KubernetesProvider {
        KubernetesProvider::from_url(&self.url, "a-token", None, "stackctl/test").expect("a good URL")
    }

    /// Writes down one more reply.
    pub(crate) fn add(&self, reply: Reply) {
        self.script.replies.lock().expect("no test panicked").push(reply);
    }

    /// Everything that was asked, in order.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.script.received.lock().expect("no test panicked").clone()
    }

    /// The lines of everything that was asked.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.received().into_iter().map(|received| received.line).collect()
    }
}

impl Received {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The kinds of a group and version, as discovery tells them: kind, plural, namespaced.
pub(crate) fn kinds(fits: &[&'static str], kinds: &[(&str, &str, bool)]) -> Reply {
    let resources: Vec<Value> = kinds
        .iter()
        .flat_map(|(kind, plural, namespaced)| {
            [
                json!({"name": plural, "kind": kind, "namespaced": namespaced, "verbs": ["get"]}),
                json!({"name": format!("{plural}/status"), "kind": "Other", "namespaced": namespaced, "verbs": []}),
            ]
        })
        .collect();
    Reply::json(fits, 200, &json!({"kind": "APIResourceList", "resources": resources}))
}

/// A list of one page.
pub(crate) fn page(fits: &[&'static str], resource_version: &str, next: &str, names: &[&str]) -> Reply {
    let items: Vec<Value> = names.iter().map(|name| json!({"metadata": {"name": name}})).collect();
    let metadata = json!({"resourceVersion": resource_version, "continue": next});
    Reply::json(
        fits,
        200,
        &json!({"kind": "List", "metadata": metadata, "items": items}),
    )
}

/// A `Status`.
pub(crate) fn status(code: u16, reason: &str, message: &str, details: &Value) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "details": details, "code": code})
}

/// A line of a watch.
pub(crate) fn event(change: &str, object: &Value) -> Chunk {
    Chunk::Text(format!("{}\n", json!({"type": change, "object": object})))
}

async fn serve(connection: TcpStream, script: Arc<Script>) {
    let (reader, mut writer) = connection.into_split();
    let mut reader = BufReader::new(reader);
    while let Some(received) = receive(&mut reader).await {
        let (head, body) = script.reply_to(&format!("{} ", received.line));
        script.received.lock().expect("no test panicked").push(received);
        if !answer(&mut writer, head, body).await {
            return;
        }
    }
}

async fn receive(reader: &mut (impl AsyncBufRead + Unpin)) -> Option<Received> {
    let first = line(reader).await?;
    let mut headers = Vec::new();
    loop {
        let line = line(reader).await?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().expect("a length"))];
    reader.read_exact(&mut body).await.ok()?;
    Some(Received {
        line: first.trim_end_matches(" HTTP/1.1").to_owned(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

async fn line(reader: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut text = String::new();
    let n_bytes = reader.read_line(&mut text).await.ok()?;
    (n_bytes > 0).then(|| text.trim_end().to_owned())
}

impl Script {
    fn reply_to(&self, line: &str) -> (String, Body) {
        let mut replies = self.replies.lock().expect("no test panicked");
        let fitting = replies
            .iter()
            .position(|reply| reply.fits.iter().all(|part| line.contains(part)));
        match fitting {
            None => {
                let unknown = Reply::text(&[], 404, "text/plain", "404 page not found\n".to_owned());
                (unknown.head, unknown.body)
            }
            Some(index) if replies[index].lasts => {
                let Body::Whole(text) = &replies[index].body else {
                    panic!("an open answer cannot last")
                };
                (replies[index].head.clone(), Body::Whole(text.clone()))
            }
            Some(index) => {
                let reply = replies.remove(index);
                (reply.head, reply.body)
            }
        }
    }
}

/// Sends an answer; whether the connection may be used again.
async fn answer(writer: &mut OwnedWriteHalf, head: String, body: Body) -> bool {
    match body {
        Body::Whole(text) => {
            let whole = format!("{head}content-length: {}\r\n\r\n{text}", text.len());
            writer.write_all(whole.as_bytes()).await.is_ok()
        }
        Body::Open(mut chunks) => {
            let head = format!("{head}transfer-encoding: chunked\r\n\r\n");
            if writer.write_all(head.as_bytes()).await.is_err() {
                return false;
            }
            while let Some(chunk) = chunks.recv().await {
                let piece = match chunk {
                    Chunk::Text(text) => format!("{:x}\r\n{text}\r\n", text.len()),
                    Chunk::End => return writer.write_all(b"0\r\n\r\n").await.is_ok(),
                    Chunk::Cut => return false,
                };
                if writer.write_all(piece.as_bytes()).await.is_err() {
                    return false;
                }
            }
            false
        }
    }
}
