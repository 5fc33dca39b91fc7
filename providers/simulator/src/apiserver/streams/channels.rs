//! `v4.channel.k8s.io`: port-forward over a WebSocket, as kube-rs and browsers speak it. Each message begins with the number
//! of its channel: 2n carries the data of the nth port, 2n + 1 its errors; both begin with the port, two bytes,
//! little-endian (<https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/kubelet/cri/streaming/portforward/websocket.go>).

use std::io;

use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::apiserver::pod_runtime::PodStream;

const QUEUE: usize = 16;
const PIECE: usize = 16 * 1024;

/// Serves the ports that a client asked for until it closes the socket.
pub(super) async fn serve(socket: WebSocket, ports: Vec<u16>, connect: impl Fn(u16) -> io::Result<Box<dyn PodStream>>) {
    let (sink, stream) = socket.split();
    let (outgoing, to_write) = mpsc::channel(QUEUE);
    let mut writers: Vec<Option<WriteHalf<Box<dyn PodStream>>>> = Vec::new();
    let mut readers = JoinSet::new();
    for (port, channel) in ports.into_iter().zip((0..=254u8).step_by(2)) {
        let [low, high] = port.to_le_bytes();
        for channel in [channel, channel + 1] {
            send(&outgoing, Bytes::from(vec![channel, low, high])).await;
        }
        match connect(port) {
            Ok(connected) => {
                let (mut reader, writer) = tokio::io::split(connected);
                writers.push(Some(writer));
                let outgoing = outgoing.clone();
                readers.spawn(async move {
                    let mut piece = vec![0; PIECE];
                    piece[0] = channel;
                    while let Ok(length @ 1..) = reader.read(&mut piece[1..]).await {
                        send(&outgoing, Bytes::copy_from_slice(&piece[..=length])).await;
                    }
                });
            }
            Err(cause) => {
                writers.push(None);
                let text = format!("error forwarding port {port} to pod: {cause}");
                let message = [&[channel + 1], text.as_bytes()].concat();
                send(&outgoing, Bytes::from(message)).await;
            }
        }
    }
    // The readers hold the rest: when all pods have closed, the socket is closed too.
    drop(outgoing);
    tokio::select! {
        () = read(stream, writers) => {}
        () = write(sink, to_write) => {}
    }
}

async fn send(outgoing: &mpsc::Sender<Bytes>, message: Bytes) {
    if outgoing.send(message).await.is_err() {
        tracing::debug!("the client of a port-forward is gone");
    }
}

async fn read(mut stream: SplitStream<WebSocket>, mut writers: Vec<Option<WriteHalf<Box<dyn PodStream>>>>) {
    while let Some(Ok(message)) = stream.next().await {
        let Message::Binary(bytes) = message else {
            continue;
        };
        let Some((channel, data)) = bytes.split_first().filter(|(channel, _)| *channel % 2 == 0) else {
            continue;
        };
        let Some(place) = writers.get_mut(usize::from(channel / 2)) else {
            continue;
        };
        if let Some(writer) = place
            && writer.write_all(data).await.is_err()
        {
            *place = None;
        }
    }
}

async fn write(mut sink: SplitSink<WebSocket, Message>, mut to_write: mpsc::Receiver<Bytes>) {
    while let Some(message) = to_write.recv().await {
        if sink.send(Message::Binary(message)).await.is_err() {
            return;
        }
    }
    if let Err(error) = sink.close().await {
        tracing::debug!(%error, "a port-forward did not end well");
    }
}
