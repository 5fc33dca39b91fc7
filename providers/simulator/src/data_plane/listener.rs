//! The one door for every host: plain HTTP and TLS on the same port, told apart by the first byte.
//!
//! Invariants:
//! - A client that is slow with its handshake keeps nobody else waiting.
//! - A host without a certificate gets no handshake, as one that nobody serves.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use futures_util::future::BoxFuture;
use futures_util::stream::{self, FuturesUnordered};
use futures_util::{FutureExt as _, StreamExt as _};
use http::header::HOST;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;

use super::call::{Answer, Call, Content, LARGEST_BODY};
use super::shared::Shared;
use super::tls;

/// How long the calls in flight get when the cluster stops.
pub(super) const ENDS_WITHIN: Duration = Duration::from_secs(1);
/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The first byte of a TLS record that begins a handshake (RFC 8446, §5.1).
const BEGINS_TLS: u8 = 0x16;

/// The open door.
pub(super) struct Doors {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
    greeting: FuturesUnordered<BoxFuture<'static, Option<(Connection, SocketAddr)>>>,
}

/// A connection, with TLS or without.
pub(super) enum Connection {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Doors {
    /// Listens.
    pub(super) async fn open(listen: SocketAddr, shared: Arc<Shared>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            shared,
            greeting: FuturesUnordered::new(),
        })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Finds out how a client speaks, and does the handshake; none if it comes to nothing.
async fn greet(stream: TcpStream, shared: Arc<Shared>) -> Option<Connection> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "small answers may be late");
    }
    let mut first = [0];
    if stream.peek(&mut first).await.ok()? == 0 {
        return None;
    }
    if first[0] != BEGINS_TLS {
        return Some(Connection::Plain(stream));
    }
    let start = LazyConfigAcceptor::new(Acceptor::default(), stream).await.ok()?;
    let host = start
        .client_hello()
        .server_name()
        .unwrap_or_default()
        .to_ascii_lowercase();
    shared.view.complete().await;
    let configuration = tls::configuration(&shared, &host).await;
    if configuration.is_none() {
        tracing::debug!(host, "no certificate for this host");
    }
    let stream = start.into_stream(configuration?).await.ok()?;
    Some(Connection::Tls(Box::new(stream)))
}

impl Listener for Doors {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        let greeting = greet(stream, Arc::clone(&self.shared));
                        let greeting = tokio::time::timeout(HANDSHAKE, greeting);
                        self.greeting.push(greeting.map(move |connection| Some((connection.ok()??, peer))).boxed());
                    }
                    Err(error) => {
                        tracing::debug!(%error, "a connection was not accepted");
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                },
                Some(greeted) = self.greeting.next() => if let Some(connection) = greeted { return connection },
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// How a client speaks.
#[derive(Clone, Copy, Debug)]
struct Peer {
    is_tls: bool,
}

impl Connected<IncomingStream<'_, Doors>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Doors>) -> Self {
        Self {
            is_tls: matches!(stream.io(), Connection::Tls(_)),
        }
    }
}

#[derive(Clone)]
struct Serving {
    shared: Arc<Shared>,
    stopping: watch::Receiver<bool>,
}

/// Answers until it is to stop.
pub(super) async fn serve(doors: Doors, shared: Arc<Shared>, stopping: watch::Receiver<bool>) {
    let mut until = stopping.clone();
    let router = Router::new().fallback(answer).with_state(Serving { shared, stopping });
    let service = router.into_make_service_with_connect_info::<Peer>();
    let ended = async move {
        // An error means that the sender is gone, which is a stop too.
        drop(until.wait_for(|stop| *stop).await);
    };
    if let Err(error) = axum::serve(doors, service).with_graceful_shutdown(ended).await {
        tracing::warn!(%error, "the data plane ended badly");
    }
}

async fn answer(State(serving): State<Serving>, ConnectInfo(peer): ConnectInfo<Peer>, request: Request) -> Response {
    let answer = match read(request, peer.is_tls).await {
        Ok(call) => {
            serving.shared.view.complete().await;
            serving.shared.serve(call).await
        }
        Err(answer) => *answer,
    };
    sent(answer, serving.stopping)
}

/// Reads a request to its end; one that is too large has its answer at once.
pub(super) async fn read(request: Request, is_tls: bool) -> Result<Call, Box<Answer>> {
    let (parts, body) = request.into_parts();
    let named = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = parts.uri.host().or(named).unwrap_or_default();
    let host = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(host, |(host, _)| host);
    let body = axum::body::to_bytes(body, LARGEST_BODY).await;
    let body = body.map_err(|_| Box::new(Answer::empty(http::StatusCode::PAYLOAD_TOO_LARGE)))?;
    Ok(Call {
        method: parts.method,
        host: host.to_ascii_lowercase(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body,
        is_tls,
    })
}

/// Turns an answer into bytes; one that hangs ends when the cluster stops.
pub(super) fn sent(answer: Answer, mut stopping: watch::Receiver<bool>) -> Response {
    let body = match answer.content {
        Content::Whole(bytes) => Body::from(bytes),
        Content::Events(events) => {
            Body::from_stream(stream::iter(events.into_iter().map(Ok::<_, std::convert::Infallible>)))
        }
        Content::Hanging => {
            let until = async move {
                drop(stopping.wait_for(|stop| *stop).await);
            };
            let silence = stream::pending::<Result<bytes::Bytes, std::convert::Infallible>>();
            Body::from_stream(silence.take_until(until))
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
