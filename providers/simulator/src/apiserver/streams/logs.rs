//! `pods/log`: what a container wrote, as lines, and what it writes while somebody follows.

use std::convert::Infallible;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::time::sleep;

use crate::apiserver::pod_runtime::{LogLine, containers, status_of};
use crate::apiserver::request::{Call, Query};
use crate::apiserver::routes::Shared;
use crate::apiserver::status::Refusal;
use crate::apiserver::store::ObjectKey;
use crate::apiserver::wall::Moment;

/// How often a follower looks for new lines.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// What is asked of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    container: String,
    since: Option<SystemTime>,
    tail: Option<usize>,
    limit: Option<usize>,
    with_times: bool,
    follows: bool,
}

/// Answers with the log of a container.
///
/// # Errors
///
/// 404 for a pod that is not there; 400 in the words of the API server or the kubelet where no container is meant, it has
/// not started, or it never ran before.
pub(super) fn serve(shared: &Shared, call: &Call) -> Result<Response, Refusal> {
    let pod = shared.server.find(call)?;
    let pod = &pod.value;
    let container = container(pod, &call.query, call.name())?;
    let mut response = Response::new(Body::empty());
    let text = HeaderValue::from_static("text/plain");
    response.headers_mut().insert(CONTENT_TYPE, text);
    if pod["spec"]["nodeName"].as_str().is_none_or(str::is_empty) {
        // A pod without a node has no log yet, and that is no error.
        return Ok(response);
    }
    if call.query.is_set("previous") {
        let name = call.name();
        return Err(Refusal::bad_request(format!(
            "previous terminated container \"{container}\" in pod \"{name}\" not found"
        )));
    }
    if let Some(reason) = waits(pod, &container) {
        let name = call.name();
        return Err(Refusal::bad_request(format!(
            "container \"{container}\" in pod \"{name}\" is waiting to start: {reason}"
        )));
    }
    let asked = asked(&call.query, container)?;
    let lines = shared.server.pod_runtimes.of(pod).log(pod, &asked.container);
    let n_lines = lines.len();
    let text = print(&asked, &lines);
    *response.body_mut() = if asked.follows {
        follow(shared.clone(), call.key(call.name()), pod, asked, text, n_lines)
    } else {
        Body::from(text)
    };
    Ok(response)
}

fn asked(query: &Query, container: String) -> Result<Asked, Refusal> {
    let number = |key: &str| -> Result<Option<usize>, Refusal> {
        let Some(text) = query.get(key) else {
            return Ok(None);
        };
        let unreadable = |_| Refusal::bad_request(format!("strconv.ParseInt: parsing \"{text}\": invalid syntax"));
        text.parse().map(Some).map_err(unreadable)
    };
    let ago = number("sinceSeconds")?.and_then(|seconds| {
        let now = Moment::now().to_system_time();
        now.checked_sub(Duration::from_secs(u64::try_from(seconds).ok()?))
    });
    let since = query.get("sinceTime").and_then(Moment::parse);
    Ok(Asked {
        container,
        since: ago.or(since.map(Moment::to_system_time)),
        tail: number("tailLines")?,
        limit: number("limitBytes")?,
        with_times: query.is_set("timestamps"),
        follows: query.is_set("follow"),
    })
}

/// The container that is meant
/// (<https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/core/pod/strategy.go>, `LogLocation`).
fn container(pod: &Value, query: &Query, name: &str) -> Result<String, Refusal> {
    let names = |list: &str| -> Vec<String> {
        let list = pod["spec"][list].as_array().into_iter().flatten();
        list.filter_map(|container| container["name"].as_str().map(ToOwned::to_owned))
            .collect()
    };
    if let Some(asked) = query.get("container") {
        let mut all = containers(pod);
        return if all.any(|container| container["name"] == asked) {
            Ok(asked.to_owned())
        } else {
            Err(Refusal::bad_request(format!(
                "container {asked} is not valid for pod {name}"
            )))
        };
    }
    let (regular, initial) = (names("containers"), names("initContainers"));
    match regular.as_slice() {
        [only] if initial.is_empty() => Ok(only.clone()),
        _ => {
            let others = if initial.is_empty() {
                String::new()
            } else {
                format!(" or one of the init containers: [{}]", initial.join(" "))
            };
            Err(Refusal::bad_request(format!(
                "a container name must be specified for pod {name}, choose one of: [{}]{others}",
                regular.join(" ")
            )))
        }
    }
}

/// Why a container has not started.
fn waits(pod: &Value, container: &str) -> Option<String> {
    let Some(status) = status_of(pod, container) else {
        let is_done = pod["status"]["phase"] == "Succeeded";
        return (!is_done).then(|| "ContainerCreating".to_owned());
    };
    let reason = status["state"]["waiting"]["reason"].as_str()?;
    Some(reason.to_owned())
}

/// The lines that are asked for, as text.
fn print(asked: &Asked, lines: &[LogLine]) -> String {
    let recent: Vec<&LogLine> = lines
        .iter()
        .filter(|line| asked.since.is_none_or(|since| line.at >= since))
        .collect();
    let first = asked.tail.map_or(0, |tail| recent.len().saturating_sub(tail));
    let mut text = String::new();
    for line in &recent[first..] {
        if asked.with_times {
            text += &Moment::of_system_time(line.at).to_nanos();
            text.push(' ');
        }
        text += &line.text;
        text.push('\n');
    }
    if let Some(limit) = asked.limit {
        let mut end = limit.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}

/// What is there, and then what comes, until the pod goes or the server stops.
fn follow(shared: Shared, key: ObjectKey, pod: &Value, asked: Asked, first: String, n_lines: usize) -> Body {
    let rest = Asked {
        since: None,
        tail: None,
        limit: None,
        ..asked
    };
    let uid = pod["metadata"]["uid"].clone();
    let state = (shared, rest, Some(first), n_lines);
    let pieces = stream::unfold(state, move |(mut shared, asked, ready, seen)| {
        let (key, uid) = (key.clone(), uid.clone());
        async move {
            if let Some(text) = ready.filter(|text| !text.is_empty()) {
                let piece = Ok::<Bytes, Infallible>(Bytes::from(text));
                return Some((piece, (shared, asked, None, seen)));
            }
            loop {
                tokio::select! {
                    _ = shared.stopping.wait_for(|stop| *stop) => return None,
                    () = sleep(LOOK_AGAIN_AFTER) => {}
                }
                let pod = shared.server.store.get(&key)?;
                let pod = &pod.value;
                let phase = pod["status"]["phase"].as_str().unwrap_or_default();
                if pod["metadata"]["uid"] != uid || ["Succeeded", "Failed"].contains(&phase) {
                    return None;
                }
                let lines = shared.server.pod_runtimes.of(pod).log(pod, &asked.container);
                if let Some(new) = lines.get(seen..).filter(|new| !new.is_empty()) {
                    let piece = Ok(Bytes::from(print(&asked, new)));
                    return Some((piece, (shared, asked, None, lines.len())));
                }
            }
        }
    });
    Body::from_stream(pieces)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(query: &str) -> String {
        let at = |seconds: u64| Moment::since_epoch(1_796_000_000 + seconds, 0).to_system_time();
        let lines = ["one", "two", "three"].into_iter().zip(0..);
        let lines: Vec<LogLine> = lines
            .map(|(text, seconds)| LogLine {
                at: at(seconds),
                text: text.to_owned(),
            })
            .collect();
        let asked = asked(&Query::parse(query), "main".to_owned());
        asked.map_or_else(|refusal| refusal.message().to_owned(), |asked| print(&asked, &lines))
    }

    #[test]
    fn a_log_is_cut_as_it_is_asked() {
        assert_eq!(printed(""), "one\ntwo\nthree\n");
        assert_eq!(printed("tailLines=1"), "three\n");
        assert_eq!(printed("tailLines=0"), "");
        assert_eq!(printed("limitBytes=5"), "one\nt");
        assert_eq!(printed("sinceTime=2026-11-30T00:53:22Z"), "three\n");
        assert_eq!(
            printed("timestamps=true&tailLines=1"),
            "2026-11-30T00:53:22.000000000Z three\n"
        );
        assert_eq!(
            printed("tailLines=x"),
            "strconv.ParseInt: parsing \"x\": invalid syntax"
        );
    }

    #[test]
    fn of_several_containers_one_must_be_named() {
        let pod = json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}], "initContainers": [{"name": "i"}]}});
        let of =
            |query: &str| container(&pod, &Query::parse(query), "p").map_err(|refusal| refusal.message().to_owned());
        assert_eq!(of("container=i"), Ok("i".to_owned()));
        assert_eq!(of("container=x"), Err("container x is not valid for pod p".to_owned()));
        let expected =
            "a container name must be specified for pod p, choose one of: [a b] or one of the init containers: [i]";
        assert_eq!(of(""), Err(expected.to_owned()));
    }
}
