//! Where everything of a stack stands, for machines: one object, and while it is watched one a line.

use super::Screen;
use crate::views::json::{EdgeJson, FORMAT_VERSION, ObjectJson, node_code};
use schemars::JsonSchema;
use serde::Serialize;
use stackctl_engine::status::{Standing, Tally, held_up_by};
use std::time::Duration;

/// `status`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatusJson {
    format_version: u32,
    stack: String,
    /// For people.
    cluster: String,
    /// What says when something is ready: `stack`, or `record` where the stack file is gone.
    judged_by: &'static str,
    all_ready: bool,
    summary: TallyJson,
    /// What is not ready and waits for nothing of the stack, while others wait for it; the one for most first.
    held_up_by: Vec<HoldingJson>,
    resources: Vec<StandingJson>,
}

/// How many stand how.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TallyJson {
    total: usize,
    ready: usize,
    failed: usize,
    not_ready: usize,
    deleting: usize,
    absent: usize,
    unknown: usize,
    /// Recorded, and no longer in the stack; not in the total.
    left_the_stack: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct HoldingJson {
    address: String,
    /// How many wait for it, however far.
    waiting: usize,
}

/// One resource.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StandingJson {
    address: String,
    node: &'static str,
    /// `ready`, `failed`, `not-ready`, `deleting`, `absent` or `unknown`.
    status: &'static str,
    /// In the controller's own words where it has any.
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectJson>,
    /// What a known symptom says beside that.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
    /// What a person has to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    waits_for: Vec<EdgeJson>,
    is_recorded: bool,
    is_in_stack: bool,
}

/// A line of `status --watch`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum WatchLineJson {
    /// The first line: everything.
    Status(StatusJson),
    /// One resource that stands otherwise than before.
    Changed {
        /// Since the watch began.
        at_seconds: f64,
        /// The resource.
        #[serde(flatten)]
        resource: StandingJson,
    },
    /// The last line.
    Finished {
        /// Since the watch began.
        at_seconds: f64,
        /// Whether everything was ready.
        all_ready: bool,
        /// How many stood how.
        summary: TallyJson,
    },
}

/// The whole of it.
pub fn whole(screen: &Screen<'_>) -> StatusJson {
    let tally = screen.tally();
    let held = held_up_by(screen.standings).into_iter();
    StatusJson {
        format_version: FORMAT_VERSION,
        stack: screen.stack.to_owned(),
        cluster: screen.cluster.to_owned(),
        judged_by: if screen.by_record { "record" } else { "stack" },
        all_ready: tally.is_all_ready(),
        summary: (&tally).into(),
        held_up_by: held
            .filter(|(root, _)| screen.shown.contains(root))
            .map(|(root, waiting)| HoldingJson {
                address: root.to_string(),
                waiting,
            })
            .collect(),
        resources: screen.chosen().map(Into::into).collect(),
    }
}

/// One resource that stands otherwise than before.
pub fn changed(standing: &Standing, at: Duration) -> WatchLineJson {
    WatchLineJson::Changed {
        at_seconds: at.as_secs_f64(),
        resource: standing.into(),
    }
}

/// The end of a watch.
pub fn finished(tally: &Tally, at: Duration) -> WatchLineJson {
    WatchLineJson::Finished {
        at_seconds: at.as_secs_f64(),
        all_ready: tally.is_all_ready(),
        summary: tally.into(),
    }
}

impl From<&Tally> for TallyJson {
    fn from(tally: &Tally) -> Self {
        Self {
            total: tally.total(),
            ready: tally.count("ready"),
            failed: tally.count("failed"),
            not_ready: tally.count("not-ready"),
            deleting: tally.count("deleting"),
            absent: tally.count("absent"),
            unknown: tally.count("unknown"),
            left_the_stack: tally.left,
        }
    }
}

impl From<&Standing> for StandingJson {
    fn from(standing: &Standing) -> Self {
        let Standing {
            address,
            node,
            object,
            is,
            because,
            asks,
            waits_for,
            is_recorded,
            is_desired,
        } = standing;
        Self {
            address: address.to_string(),
            node: node_code(*node),
            status: is.code(),
            why: is.why().to_owned(),
            object: object.as_ref().map(Into::into),
            because: because.clone(),
            hint: asks.clone(),
            waits_for: waits_for.iter().map(Into::into).collect(),
            is_recorded: *is_recorded,
            is_in_stack: *is_desired,
        }
    }
}
