//! What ran when, for machines: the file of `--timeline`.

use super::json::{FORMAT_VERSION, purpose};
use schemars::JsonSchema;
use serde::Serialize;
use stackctl_engine::{
    Address,
    plan::Purpose,
    timeline::{Span, Timeline},
};
use std::time::Duration;

/// What ran when, in seconds since the run began.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TimelineJson {
    format_version: u32,
    /// `apply` or `destroy`.
    purpose: &'static str,
    /// How long all of it took.
    seconds: f64,
    /// In the order in which they started.
    resources: Vec<SpanJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SpanJson {
    address: String,
    /// What was done to it.
    action: &'static str,
    /// When it could start; null where something else failed before.
    started_at: Option<f64>,
    /// What it had to wait for last before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    waited_for: Option<WaitedForJson>,
    /// Each that wrote, when its answer came.
    requests: Vec<RequestJson>,
    /// Since when it waited to be ready or gone, and why.
    waits: Vec<WaitJson>,
    /// When it ended; null where the run ended before.
    ended_at: Option<f64>,
    /// `ready`, `failed` or `blocked`.
    end: Option<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct WaitedForJson {
    address: String,
    /// `applied` or `ready`.
    until: String,
    reason: String,
    met_at: f64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RequestJson {
    at: f64,
    did: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct WaitJson {
    since: f64,
    why: String,
}

/// Converts what ran when, and what it waited for.
pub fn timeline(timeline: &Timeline, of: Purpose, took: Duration) -> TimelineJson {
    TimelineJson {
        format_version: FORMAT_VERSION,
        purpose: purpose(of),
        seconds: took.as_secs_f64(),
        resources: timeline
            .spans()
            .map(|(address, span)| resource(address, span))
            .collect(),
    }
}

fn resource(address: &Address, span: &Span) -> SpanJson {
    let request = |(at, did): &(Duration, _)| RequestJson {
        at: at.as_secs_f64(),
        did: ToString::to_string(did),
    };
    let wait = |(since, why): &(Duration, String)| WaitJson {
        since: since.as_secs_f64(),
        why: why.clone(),
    };
    SpanJson {
        address: address.to_string(),
        action: span.action.code(),
        started_at: span.started.as_ref().map(Duration::as_secs_f64),
        waited_for: span.freed_by.as_ref().map(|freed| WaitedForJson {
            address: freed.edge.to.to_string(),
            until: freed.edge.until.to_string(),
            reason: freed.edge.reason.clone(),
            met_at: freed.at.as_secs_f64(),
        }),
        requests: span.written.iter().map(request).collect(),
        waits: span.waited.iter().map(wait).collect(),
        ended_at: span.ended.as_ref().map(|(at, _)| at.as_secs_f64()),
        end: span.ended.as_ref().map(|(_, ending)| ending.code()),
    }
}
