//! SPDY/3.1 as `kubectl port-forward` speaks it: frames, streams, compressed headers
//! (<https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/>).
//!
//! In: a connection on which a client opens pairs of streams, one for data and one for errors. Out: each pair connected to
//! a port of a pod, until both are closed.
//!
//! Invariant: whatever a client sends, the connection goes on or ends with an error; it holds at most [`MAX_FRAME`] bytes of
//! a frame and [`WINDOW`] of headers.
//!
//! Deliberately absent: flow control, which clients of Kubernetes do not do either.

use std::collections::BTreeMap;
use std::io;

use bytes::Bytes;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::apiserver::pod_runtime::PodStream;

/// What both sides begin their compression with (SPDY draft 3, section 2.6.10.1).
const DICTIONARY: &[u8] = include_bytes!("spdy_dictionary.bin");
const MAX_FRAME: usize = 1 << 20;
/// How far back compressed headers may refer.
const WINDOW: usize = 32 * 1024;
const MAX_HEADERS: usize = 64 * 1024;
/// How many pieces of data may wait in each direction.
const QUEUE: usize = 16;
const PIECE: usize = 16 * 1024;

const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const PING: u16 = 6;
const GOAWAY: u16 = 7;
const FIN: u8 = 1;

/// Why a connection ended early.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpdyError {
    #[error("read or write the connection")]
    Connection(#[from] io::Error),
    #[error("a frame of {0} bytes is too long")]
    TooLong(usize),
    #[error("a frame is cut short")]
    Short,
    #[error("headers cannot be unpacked")]
    Headers,
}

/// One frame for the client.
#[derive(Debug)]
enum Outgoing {
    Data { stream: u32, bytes: Bytes, is_last: bool },
    Reply { stream: u32 },
    Pong(u32),
}

impl Outgoing {
    fn encode(&self, replies: &mut Replies) -> Vec<u8> {
        match self {
            Self::Data { stream, bytes, is_last } => {
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX) & 0x00ff_ffff;
                let flags = if *is_last { u32::from(FIN) << 24 } else { 0 };
                let head = [stream.to_be_bytes(), (flags | length).to_be_bytes()].concat();
                [&head, &bytes[..]].concat()
            }
            Self::Reply { stream } => {
                let block = replies.empty_headers();
                control(SYN_REPLY, &[&stream.to_be_bytes()[..], &block].concat())
            }
            Self::Pong(id) => control(PING, &id.to_be_bytes()),
        }
    }
}

fn control(kind: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX) & 0x00ff_ffff;
    let mut frame = vec![0x80, 3];
    frame.extend(kind.to_be_bytes());
    frame.extend(length.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Header blocks of our answers: always empty, in a zlib stream that compresses nothing (RFC 1951 §3.2.4).
#[derive(Debug, Default)]
struct Replies {
    has_begun: bool,
}

impl Replies {
    fn empty_headers(&mut self) -> Vec<u8> {
        let mut block = Vec::new();
        if !std::mem::replace(&mut self.has_begun, true) {
            block.extend([0x78, 0x01]);
        }
        // A stored block of four bytes, the number of headers: none. Then an empty one, at which readers let go of what they
        // have (Go's `compress/flate` does not before).
        block.extend([0, 4, 0, 0xfb, 0xff, 0, 0, 0, 0]);
        block.extend([0, 0, 0, 0xff, 0xff]);
        block
    }
}

/// Unpacks the header blocks of one connection, which are one zlib stream.
struct Headers {
    core: Box<DecompressorOxide>,
    window: Vec<u8>,
    has_begun: bool,
}

impl Headers {
    fn new() -> Self {
        Self {
            core: Box::default(),
            window: DICTIONARY.to_vec(),
            has_begun: false,
        }
    }

    fn read(&mut self, mut block: &[u8]) -> Result<BTreeMap<String, String>, SpdyError> {
        if !std::mem::replace(&mut self.has_begun, true) {
            // The header of zlib, and the checksum of the dictionary where it says that there is one.
            let flags = *block.get(1).ok_or(SpdyError::Headers)?;
            let length = if flags & 0x20 == 0 { 2 } else { 6 };
            block = block.get(length..).ok_or(SpdyError::Headers)?;
        }
        if self.window.len() > 2 * WINDOW {
            self.window.drain(..self.window.len() - WINDOW);
        }
        let start = self.window.len();
        self.window.resize(start + MAX_HEADERS, 0);
        let flags = inflate_flags::TINFL_FLAG_HAS_MORE_INPUT | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, _, n_written) = decompress(&mut self.core, block, &mut self.window, start, flags);
        self.window.truncate(start + n_written);
        match status {
            TINFLStatus::NeedsMoreInput | TINFLStatus::Done => pairs(&self.window[start..]),
            _ => Err(SpdyError::Headers),
        }
    }
}

fn pairs(mut block: &[u8]) -> Result<BTreeMap<String, String>, SpdyError> {
    let mut found = BTreeMap::new();
    let number = take_number(&mut block)?;
    for _ in 0..number {
        let name = take_text(&mut block)?;
        let value = take_text(&mut block)?;
        found.insert(name.to_lowercase(), value);
    }
    Ok(found)
}

fn take_number(block: &mut &[u8]) -> Result<usize, SpdyError> {
    let (number, rest) = block.split_first_chunk::<4>().ok_or(SpdyError::Headers)?;
    *block = rest;
    usize::try_from(u32::from_be_bytes(*number)).map_err(|_| SpdyError::Headers)
}

fn take_text(block: &mut &[u8]) -> Result<String, SpdyError> {
    let length = take_number(block)?;
    let (text, rest) = block.split_at_checked(length).ok_or(SpdyError::Headers)?;
    *block = rest;
    Ok(String::from_utf8_lossy(text).into_owned())
}

/// What a client opened for one connection to a port.
#[derive(Debug, Default)]
struct Pair {
    port: u16,
    error: Option<u32>,
    data: Option<u32>,
}

/// Serves one connection until the client closes it.
pub(super) async fn serve<S>(
    connection: S,
    connect: impl Fn(u16) -> io::Result<Box<dyn PodStream>>,
) -> Result<(), SpdyError>
where
    S: AsyncRead + AsyncWrite + Send,
{
    let (reader, mut writer) = tokio::io::split(connection);
    let (outgoing, mut to_write) = mpsc::channel::<Outgoing>(QUEUE);
    let write = async {
        let mut replies = Replies::default();
        while let Some(frame) = to_write.recv().await {
            writer.write_all(&frame.encode(&mut replies)).await?;
            writer.flush().await?;
        }
        Ok::<(), SpdyError>(())
    };
    tokio::select! {
        ended = read(reader, &outgoing, connect) => ended,
        ended = write => ended,
    }
}

async fn read<R: AsyncRead + Unpin>(
    mut reader: R,
    outgoing: &mpsc::Sender<Outgoing>,
    connect: impl Fn(u16) -> io::Result<Box<dyn PodStream>>,
) -> Result<(), SpdyError> {
    let mut headers = Headers::new();
    let mut pairs: BTreeMap<String, Pair> = BTreeMap::new();
    let mut inward: BTreeMap<u32, mpsc::Sender<Bytes>> = BTreeMap::new();
    // Ends with the connection, and all that it forwards with it.
    let mut forwards = JoinSet::new();
    loop {
        let mut head = [0u8; 8];
        if reader.read_exact(&mut head).await.is_err() {
            return Ok(());
        }
        let [first, second, third, fourth, flags, l1, l2, l3] = head;
        let length = usize::from(l1) << 16 | usize::from(l2) << 8 | usize::from(l3);
        if length > MAX_FRAME {
            return Err(SpdyError::TooLong(length));
        }
        let mut payload = vec![0; length];
        reader.read_exact(&mut payload).await?;
        while forwards.try_join_next().is_some() {}
        if first & 0x80 == 0 {
            let stream = u32::from_be_bytes([first, second, third, fourth]);
            if let Some(to_pod) = inward.get(&stream)
                && !payload.is_empty()
                && to_pod.send(Bytes::from(payload)).await.is_err()
            {
                inward.remove(&stream);
            }
            if flags & FIN != 0 {
                inward.remove(&stream);
            }
            continue;
        }
        match u16::from_be_bytes([third, fourth]) {
            SYN_STREAM => {
                let stream = number_at(&payload, 0)?;
                let block = payload.get(10..).ok_or(SpdyError::Short)?;
                let told = headers.read(block)?;
                send(outgoing, Outgoing::Reply { stream }).await;
                let request = told.get("requestid").cloned().unwrap_or_default();
                let pair = pairs.entry(request.clone()).or_default();
                pair.port = told.get("port").and_then(|port| port.parse().ok()).unwrap_or_default();
                match told.get("streamtype").map(String::as_str) {
                    Some("error") => pair.error = Some(stream),
                    _ => pair.data = Some(stream),
                }
                if let (Some(error), Some(data)) = (pair.error, pair.data) {
                    let (to_pod, from_client) = mpsc::channel(QUEUE);
                    inward.insert(data, to_pod);
                    forwards.spawn(forward(
                        connect(pair.port),
                        pair.port,
                        error,
                        data,
                        from_client,
                        outgoing.clone(),
                    ));
                    pairs.remove(&request);
                }
            }
            PING => send(outgoing, Outgoing::Pong(number_at(&payload, 0)?)).await,
            RST_STREAM => {
                inward.remove(&number_at(&payload, 0)?);
            }
            GOAWAY => return Ok(()),
            // Settings and windows, which change nothing here.
            _ => {}
        }
    }
}

fn number_at(payload: &[u8], position: usize) -> Result<u32, SpdyError> {
    let bytes = payload.get(position..position + 4).and_then(<[u8]>::first_chunk::<4>);
    bytes
        .map(|bytes| u32::from_be_bytes(*bytes) & 0x7fff_ffff)
        .ok_or(SpdyError::Short)
}

/// Hands a frame to the writer; if that is gone, so is the connection, and who reads it finds out.
async fn send(outgoing: &mpsc::Sender<Outgoing>, frame: Outgoing) {
    if outgoing.send(frame).await.is_err() {
        tracing::debug!("the client of a port-forward is gone");
    }
}

/// Copies between a client's data stream and a port, and says on the error stream what went wrong.
async fn forward(
    connected: io::Result<Box<dyn PodStream>>,
    port: u16,
    error: u32,
    data: u32,
    mut from_client: mpsc::Receiver<Bytes>,
    outgoing: mpsc::Sender<Outgoing>,
) {
    let last = |stream: u32, bytes: Bytes| Outgoing::Data {
        stream,
        bytes,
        is_last: true,
    };
    let stream = match connected {
        Ok(stream) => stream,
        Err(cause) => {
            let text = format!("error forwarding port {port} to pod: {cause}");
            send(&outgoing, last(error, Bytes::from(text))).await;
            send(&outgoing, last(data, Bytes::new())).await;
            return;
        }
    };
    let (mut from_pod, mut to_pod) = tokio::io::split(stream);
    let inward = async {
        while let Some(bytes) = from_client.recv().await {
            if to_pod.write_all(&bytes).await.is_err() {
                return;
            }
        }
        if let Err(error) = to_pod.shutdown().await {
            tracing::debug!(%error, "a pod did not hear that its client is done");
        }
    };
    let outward = async {
        let mut piece = vec![0; PIECE];
        while let Ok(length @ 1..) = from_pod.read(&mut piece).await {
            let bytes = Bytes::copy_from_slice(&piece[..length]);
            let is_last = false;
            send(
                &outgoing,
                Outgoing::Data {
                    stream: data,
                    bytes,
                    is_last,
                },
            )
            .await;
        }
        send(&outgoing, last(data, Bytes::new())).await;
        send(&outgoing, last(error, Bytes::new())).await;
    };
    tokio::join!(inward, outward);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stored block after a zlib header: what a client may send that compresses nothing.
    fn block(headers: &[(&str, &str)], is_first: bool) -> Vec<u8> {
        let mut plain = u32::try_from(headers.len()).expect("few").to_be_bytes().to_vec();
        for text in headers.iter().flat_map(|(name, value)| [name, value]) {
            plain.extend(u32::try_from(text.len()).expect("short").to_be_bytes());
            plain.extend(text.as_bytes());
        }
        let length = u16::try_from(plain.len()).expect("short");
        let mut block = if is_first { vec![0x78, 0x01] } else { Vec::new() };
        block.push(0);
        block.extend(length.to_le_bytes());
        block.extend((!length).to_le_bytes());
        block.extend(plain);
        block
    }

    fn syn(stream: u32, headers: &[(&str, &str)], is_first: bool) -> Vec<u8> {
        let payload = [&stream.to_be_bytes()[..], &[0; 6], &block(headers, is_first)].concat();
        control(SYN_STREAM, &payload)
    }

    #[test]
    fn replies_are_what_the_library_of_kubectl_reads() {
        // Held to github.com/moby/spdystream v0.5.0, whose reader takes both frames.
        let mut replies = Replies::default();
        let frames = [1, 3].map(|stream| Outgoing::Reply { stream }.encode(&mut replies));
        let hex = |frame: &Vec<u8>| frame.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(
            hex(&frames[0]),
            "8003000200000014000000017801000400fbff00000000000000ffff"
        );
        assert_eq!(hex(&frames[1]), "800300020000001200000003000400fbff00000000000000ffff");
    }

    /// Two SYN_STREAM frames as kubectl's own library writes them (github.com/moby/spdystream v0.5.0).
    const PACKED: [&str; 2] = [
        "800300010000003e0000000100000000000078f9e3c6a7c202253a703a2b294a4dcc851625aca9a0808614cb45e01c60616061c0c0c0c0590489c64c50f2663400000000ffff",
        "800300010000001800000003000000000000c2aa19540e2512d60b000000ffff",
    ];

    #[test]
    fn packed_headers_are_read_one_after_the_other() {
        let bytes = |hex: &str| -> Vec<u8> {
            let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
            (0..hex.len()).step_by(2).map(pair).collect()
        };
        let mut headers = Headers::new();
        for (frame, kind) in PACKED.iter().zip(["error", "data"]) {
            let told = headers.read(&bytes(frame)[18..]).expect("headers");
            let expected = [("port", "8080"), ("requestid", "0"), ("streamtype", kind)];
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(told, BTreeMap::from(expected));
        }
    }

    #[tokio::test]
    async fn a_pair_of_streams_is_a_connection_to_a_port() {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let serving = tokio::spawn(serve(server, |port| {
            assert_eq!(port, 80);
            let (near, mut far) = tokio::io::duplex(1 << 10);
            tokio::spawn(async move {
                let mut word = [0; 4];
                far.read_exact(&mut word).await.expect("it reads");
                far.write_all(&word).await.expect("it writes");
            });
            Ok(Box::new(near) as Box<dyn PodStream>)
        }));
        let mut sent = syn(1, &[("streamtype", "error"), ("port", "80"), ("requestid", "0")], true);
        sent.extend(syn(
            3,
            &[("streamtype", "data"), ("port", "80"), ("requestid", "0")],
            false,
        ));
        sent.extend([0, 0, 0, 3, FIN, 0, 0, 4]);
        sent.extend(b"echo");
        sent.extend(control(PING, &7u32.to_be_bytes()));
        client.write_all(&sent).await.expect("it is taken");
        let mut seen = Vec::new();
        let mut has_ended = false;
        while !has_ended {
            let mut piece = [0; 1024];
            let length = client.read(&mut piece).await.expect("it answers");
            seen.extend_from_slice(&piece[..length]);
            // The error stream ends last, without a word.
            has_ended = seen.ends_with(&[0, 0, 0, 1, FIN, 0, 0, 0]);
        }
        assert!(seen.windows(4).any(|bytes| bytes == b"echo"));
        assert!(
            seen.windows(12)
                .any(|bytes| bytes == control(PING, &7u32.to_be_bytes()))
        );
        drop(client);
        serving.await.expect("no panic").expect("a good end");
    }

    #[tokio::test]
    async fn a_port_on_which_nothing_listens_is_said_on_the_error_stream() {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let serving = tokio::spawn(serve(server, |port| Err(crate::apiserver::refused(port))));
        let mut sent = syn(1, &[("streamtype", "error"), ("port", "81"), ("requestid", "0")], true);
        sent.extend(syn(
            3,
            &[("streamtype", "data"), ("port", "81"), ("requestid", "0")],
            false,
        ));
        client.write_all(&sent).await.expect("it is taken");
        let mut seen = String::new();
        while !seen.contains("connection refused") {
            let mut piece = [0; 1024];
            let length = client.read(&mut piece).await.expect("it answers");
            seen += &String::from_utf8_lossy(&piece[..length]);
        }
        drop(client);
        serving.await.expect("no panic").expect("a good end");
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_a_connection_or_are_gone_over(sent in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                let (outgoing, _kept) = mpsc::channel(1024);
                drop(read(&sent[..], &outgoing, |port| Err(crate::apiserver::refused(port))).await);
            });
        }
    }
}
