//! The lines of an answer that goes on.

use bytes::{Buf as _, Bytes, BytesMut};
use http_body_util::BodyExt as _;
use kube::client::Body;
use std::error::Error as _;

/// A body, line by line.
///
/// Invariant: a line is given out only when its end was seen, so half a line of a cut connection is never read.
pub(super) struct Lines {
    body: Body,
    buffer: BytesMut,
    /// Up to here the buffer holds no end of line.
    searched: usize,
}

impl Lines {
    pub(super) fn new(body: Body) -> Self {
        Self {
            body,
            buffer: BytesMut::new(),
            searched: 0,
        }
    }

    /// The next line that is not empty; `None` when the body has ended as it should.
    ///
    /// # Errors
    /// Why the connection broke.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, String> {
        loop {
            if let Some(line) = self.buffered() {
                if !line.is_empty() {
                    return Ok(Some(line));
                }
                continue;
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => self
                    .buffer
                    .extend_from_slice(frame.data_ref().map_or(&[], |chunk| chunk)),
                Some(Err(error)) => {
                    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
                    return Err(format!("the connection broke: {cause}"));
                }
            }
        }
    }

    fn buffered(&mut self) -> Option<Bytes> {
        match self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') {
            Some(offset) => {
                let line = self.buffer.split_to(self.searched + offset).freeze();
                self.buffer.advance(1);
                self.searched = 0;
                Some(line)
            }
            None => {
                self.searched = self.buffer.len();
                None
            }
        }
    }
}
