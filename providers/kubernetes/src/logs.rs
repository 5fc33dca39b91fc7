//! What a container wrote, line by line, and what it writes while somebody follows.
//!
//! Invariants: a line is what the container wrote, whatever its bytes; the last one counts though no end of line follows it;
//! nothing is read before it is asked for, and dropping the stream ends the request.

use crate::{
    KubernetesProvider,
    error::{Subject, meaning},
    transport::Opened,
};
use bytes::{Buf as _, BytesMut};
use futures_util::{StreamExt as _, stream, stream::BoxStream};
use http_body_util::BodyExt as _;
use k8s_openapi::api::core::v1::Pod;
use kube::{
    api::LogParams,
    client::Body,
    core::{Request, Resource as _},
};
use stackctl_engine::{ObjectType, execute::ProviderError};
use std::time::Duration;

/// The log of one container that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodLog {
    /// The namespace of the pod.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// Whether what it will write is told too.
    pub follow: bool,
    /// Of its last run before the present one.
    pub previous: bool,
    /// Only what is not older than this.
    pub since: Option<Duration>,
    /// Only so many of the last lines.
    pub tail: Option<u32>,
    /// Whether each line begins with its time, in RFC 3339.
    pub timestamps: bool,
}

/// Lines as they come; an error is the last of them.
pub type LogLines = BoxStream<'static, Result<String, ProviderError>>;

impl KubernetesProvider {
    /// Opens the log of a container.
    ///
    /// # Errors
    /// What the server said: that the pod is not there, that its container has not started, that there is no earlier run.
    pub async fn log(&self, log: &PodLog) -> Result<LogLines, ProviderError> {
        let pods = Request::new(Pod::url_path(&(), Some(&log.namespace)));
        let parameters = LogParams {
            container: Some(log.container.clone()),
            follow: log.follow,
            previous: log.previous,
            // Less than a second is asked for as one: zero would be refused.
            since_seconds: log
                .since
                .map(|since| i64::try_from(since.as_secs().max(1)).unwrap_or(i64::MAX)),
            tail_lines: log.tail.map(i64::from),
            timestamps: log.timestamps,
            ..LogParams::default()
        };
        let wrong = |error: &dyn std::fmt::Display| {
            ProviderError::Other(format!("the log of {} cannot be requested: {error}", log.pod))
        };
        let request = pods.logs(&log.pod, &parameters).map_err(|error| wrong(&error))?;
        match self.transport().open_text(&request.uri().to_string()).await? {
            Opened::Stream(body) => Ok(lines(body)),
            Opened::Refused(refusal) => Err(meaning(
                &refusal,
                Subject {
                    object_type: &ObjectType::new("v1", "Pod"),
                    is_in_namespace: true,
                },
            )),
        }
    }
}

/// The lines of a body, the last one without an end included.
fn lines(body: Body) -> LogLines {
    let state = (Some(body), BytesMut::new());
    let next = |(mut body, mut buffer): (Option<Body>, BytesMut)| async move {
        loop {
            if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line = buffer.split_to(end);
                buffer.advance(1);
                return Some((Ok(text(&line)), (body, buffer)));
            }
            let frame = match &mut body {
                Some(open) => open.frame().await,
                None => None,
            };
            match frame {
                Some(Ok(frame)) => buffer.extend_from_slice(frame.data_ref().map_or(&[], |chunk| chunk)),
                Some(Err(error)) => {
                    let error = ProviderError::Unreachable(format!("the connection broke: {error}"));
                    return Some((Err(error), (None, BytesMut::new())));
                }
                None if buffer.is_empty() => return None,
                None => return Some((Ok(text(&buffer)), (None, BytesMut::new()))),
            }
        }
    };
    stream::unfold(state, next).boxed()
}

fn text(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8_lossy(line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_what_was_written_whatever_its_bytes() {
        let body = Body::from(b"one\r\n\ntwo \xff\nthree".to_vec());
        let lines: Vec<_> = lines(body).map(|line| line.expect("a line")).collect().await;
        assert_eq!(lines, ["one", "", "two \u{fffd}", "three"]);
    }
}
