//! Where everything of a stack stands, for machines: one object, and while it is watched one a line.

use super::Screen;
use crate::views::json::{EdgeJson, FORMAT_VERSION, ObjectJson, node_code};
use schemars::JsonSchema;
use serde::Serialize;
use stackctl_engine::status::{Is, Standing, Tally, held_up_by};
use std::collections::BTreeMap;

/// The whole of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatusJson {
    format_version: u32,
    /// `status`, where it is the first line of a watch.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
    stack: String,
    cluster: String,
    /// `stack`, or `record` where no stack was read.
    judged_by: &'static str,
    all_ready: bool,
    /// How many stand how.
    summary: BTreeMap<String, usize>,
    /// What others wait for, and waits for nothing itself.
    held_up_by: Vec<HeldUpJson>,
    resources: Vec<StandingJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct HeldUpJson {
    address: String,
    /// How many wait for it.
    waiting: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct StandingJson {
    address: String,
    /// `object`, `overlay`, `gate`, `action` or `check`.
    node: &'static str,
    /// `ready`, `failed`, `not-ready`, `deleting`, `absent` or `unknown`.
    status: &'static str,
    why: String,
    waits_for: Vec<EdgeJson>,
    is_recorded: bool,
    is_in_stack: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectJson>,
    /// What a known symptom says.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
    /// What a person has to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// A line of `status --watch`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum StatusLineJson {
    /// The first.
    Status(StatusJson),
    /// A resource that stands otherwise than before.
    Changed(ChangedJson),
    /// The last.
    Finished(FinishedJson),
}

/// One resource that stands otherwise than before.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangedJson {
    /// `changed`.
    event: &'static str,
    at_seconds: f64,
    #[serde(flatten)]
    standing: StandingJson,
}

/// The end of a watch.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FinishedJson {
    /// `finished`.
    event: &'static str,
    at_seconds: f64,
    all_ready: bool,
    summary: BTreeMap<String, usize>,
}

/// The whole of it.
pub fn whole(screen: &Screen<'_>) -> StatusJson {
    let tally = screen.tally();
    let held = held_up_by(screen.standings).into_iter();
    StatusJson {
        format_version: FORMAT_VERSION,
        event: None,
        stack: screen.stack.to_owned(),
        cluster: screen.cluster.to_owned(),
        judged_by: if screen.by_record { "record" } else { "stack" },
        all_ready: tally.is_all_ready(),
        summary: counts(&tally),
        held_up_by: held
            .filter(|(root, _)| screen.shown.contains(root))
            .map(|(root, waiting)| HeldUpJson {
                address: root.to_string(),
                waiting,
            })
            .collect(),
        resources: screen.chosen().map(one).collect(),
    }
}

/// The whole of it, as the first line of a watch.
pub fn first(screen: &Screen<'_>) -> StatusJson {
    StatusJson {
        event: Some("status"),
        ..whole(screen)
    }
}

/// One resource that stands otherwise than before.
pub fn changed(standing: &Standing, at_seconds: f64) -> ChangedJson {
    ChangedJson {
        event: "changed",
        at_seconds,
        standing: one(standing),
    }
}

/// The end of a watch.
pub fn finished(tally: &Tally, at_seconds: f64) -> FinishedJson {
    FinishedJson {
        event: "finished",
        at_seconds,
        all_ready: tally.is_all_ready(),
        summary: counts(tally),
    }
}

fn counts(tally: &Tally) -> BTreeMap<String, usize> {
    let mut counts: BTreeMap<_, _> = Is::CODES
        .iter()
        .map(|code| (code.replace('-', "_"), tally.count(code)))
        .collect();
    counts.insert("total".to_owned(), tally.total());
    counts.insert("left_the_stack".to_owned(), tally.left);
    counts
}

fn one(standing: &Standing) -> StandingJson {
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
    StandingJson {
        address: address.to_string(),
        node: node_code(*node),
        status: is.code(),
        why: is.why().to_owned(),
        waits_for: waits_for.iter().map(Into::into).collect(),
        is_recorded: *is_recorded,
        is_in_stack: *is_desired,
        object: object.as_ref().map(Into::into),
        because: because.clone(),
        hint: asks.clone(),
    }
}
