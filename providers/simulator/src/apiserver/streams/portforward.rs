//! `pods/portforward`: by SPDY/3.1 in a WebSocket, which kubectl tries first, by SPDY/3.1 itself, its older way, and by
//! the channels of a WebSocket, the way of kube-rs.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRequestParts as _;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::{channels, spdy};
use crate::apiserver::pod_runtime::PodStream;
use crate::apiserver::request::Call;
use crate::apiserver::routes::Shared;
use crate::apiserver::status::Refusal;
use crate::apiserver::store::Stored;

/// SPDY in the binary messages of a WebSocket
/// (<https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/4006-transition-spdy-to-websockets>).
const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";
const CHANNELS: &str = "v4.channel.k8s.io";
const SPDY: &str = "SPDY/3.1";
const BUFFER: usize = 64 * 1024;
const PIECE: usize = 16 * 1024;

/// Switches to one of the three protocols.
///
/// # Errors
///
/// 404 for a pod that is not there, 400 for one that does not run or a request that upgrades to nothing.
pub(super) async fn serve(shared: &Shared, parts: &Parts, call: &Call) -> Result<Response, Refusal> {
    let pod = shared.server.find(call)?;
    if pod.value["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
        return Err(Refusal::bad_request(format!(
            "pod {} does not have a host assigned",
            call.name()
        )));
    }
    if parts
        .headers
        .get(UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(SPDY.as_bytes()))
    {
        return by_spdy(shared, parts, pod);
    }
    let mut parts = parts.clone();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let upgrade = upgrade.map_err(|_| Refusal::bad_request("unable to upgrade: missing upgrade headers in request"))?;
    let upgrade = upgrade.protocols([TUNNEL, CHANNELS]);
    let connect = connector(shared, pod);
    match upgrade.selected_protocol().and_then(|protocol| protocol.to_str().ok()) {
        Some(TUNNEL) => Ok(upgrade.on_upgrade(move |socket| tunnel(socket, connect))),
        Some(CHANNELS) => {
            let ports = ports(call.query.get("ports").unwrap_or_default())?;
            Ok(upgrade.on_upgrade(move |socket| channels::serve(socket, ports, connect)))
        }
        _ => Err(Refusal::bad_request(format!(
            "unable to upgrade: none of the protocols is known, known are {TUNNEL} and {CHANNELS}"
        ))),
    }
}

fn ports(text: &str) -> Result<Vec<u16>, Refusal> {
    let ports = text.split(',').map(|port| port.parse().ok().filter(|port| *port > 0));
    let ports: Option<Vec<u16>> = ports.collect();
    ports.ok_or_else(|| Refusal::bad_request("query parameter \"ports\" must be a list of ports"))
}

fn connector(shared: &Shared, pod: Arc<Stored>) -> impl Fn(u16) -> io::Result<Box<dyn PodStream>> + use<> {
    let runtime = shared.server.pod_runtimes.of(&pod.value);
    move |port| runtime.connect(&pod.value, port)
}

fn by_spdy(shared: &Shared, parts: &Parts, pod: Arc<Stored>) -> Result<Response, Refusal> {
    let upgrade = parts.extensions.get::<OnUpgrade>().cloned();
    let upgrade = upgrade.ok_or_else(|| Refusal::bad_request("unable to upgrade: this connection cannot be"))?;
    let connect = connector(shared, pod);
    tokio::spawn(async move {
        match upgrade.await {
            Ok(upgraded) => log(spdy::serve(TokioIo::new(upgraded), connect).await),
            Err(error) => tracing::debug!(%error, "a port-forward did not begin"),
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static(SPDY));
    headers.insert(
        "x-stream-protocol-version",
        HeaderValue::from_static("portforward.k8s.io"),
    );
    Ok(response)
}

fn log(ended: Result<(), spdy::SpdyError>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a port-forward ended early");
    }
}

/// SPDY in a WebSocket: its messages are pieces of one stream of bytes.
async fn tunnel(socket: WebSocket, connect: impl Fn(u16) -> io::Result<Box<dyn PodStream>>) {
    let (near, far) = tokio::io::duplex(BUFFER);
    tokio::select! {
        ended = spdy::serve(near, connect) => log(ended),
        () = pump(socket, far) => {}
    }
}

async fn pump(socket: WebSocket, bytes: DuplexStream) {
    let (mut sink, mut messages) = socket.split();
    let (mut reader, mut writer) = tokio::io::split(bytes);
    let inward = async {
        while let Some(Ok(message)) = messages.next().await {
            match message {
                Message::Binary(piece) => {
                    if writer.write_all(&piece).await.is_err() {
                        return;
                    }
                }
                Message::Close(_) => return,
                Message::Text(_) | Message::Ping(_) | Message::Pong(_) => {}
            }
        }
    };
    let outward = async {
        let mut piece = vec![0; PIECE];
        while let Ok(length @ 1..) = reader.read(&mut piece).await {
            let message = Message::Binary(bytes::Bytes::copy_from_slice(&piece[..length]));
            if sink.send(message).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = inward => {}
        () = outward => {}
    }
}
