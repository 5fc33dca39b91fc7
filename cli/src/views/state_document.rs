//! What is recorded, for machines: `show` of a stack, and `state`.
//!
//! Invariant: nothing of a secret is in it, its digest neither.

use super::{
    json::{EdgeJson, FORMAT_VERSION, ObjectJson, ShownJson, shown},
    state::Summary,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use stackctl_engine::{
    Address,
    facts::{Facts, Holding},
    plan::Shown,
    recorded::{Origin, Recorded, RecordedNode},
};
use std::collections::BTreeMap;

/// `show` of a stack.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ShowJson {
    format_version: u32,
    stack: String,
    /// Null before the first apply.
    state: Option<StateJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct StateJson {
    /// The id of the cluster.
    cluster: String,
    lineage: String,
    serial: u64,
    /// What was read of the cluster, by key.
    facts: BTreeMap<String, FactJson>,
    recorded: Vec<RecordedJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FactJson {
    value: Value,
    /// Where it was read.
    source: String,
    /// `live`, or `pinned` where it stays as it was read first.
    holding: &'static str,
}

/// `state list`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StateListJson {
    format_version: u32,
    recorded: Vec<RecordedJson>,
}

/// `state show`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StateShowJson {
    format_version: u32,
    #[serde(flatten)]
    recorded: RecordedJson,
}

/// What is recorded of one resource.
#[derive(Debug, Serialize, JsonSchema)]
struct RecordedJson {
    address: String,
    /// `object`, `overlay`, `gate` or `action`.
    node: &'static str,
    waits_for: Vec<EdgeJson>,
    /// What was written.
    #[serde(flatten)]
    written: Option<WrittenJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct WrittenJson {
    object: ObjectJson,
    uid: String,
    /// In whose name it was written.
    manager: String,
    /// `created` or `adopted`.
    origin: &'static str,
    /// What was written, by path.
    fields: BTreeMap<String, ShownJson>,
}

/// `state history`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HistoryJson {
    format_version: u32,
    stack: String,
    lineage: String,
    /// Newest first.
    states: Vec<FormerStateJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct FormerStateJson {
    serial: u64,
    /// How many resources are recorded.
    recorded: usize,
    created: String,
    created_by: String,
}

/// `state rebuild`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RebuiltJson {
    format_version: u32,
    stack: String,
    lineage: String,
    serial: u64,
    /// How many resources are recorded.
    recorded: usize,
    /// How many a run that did not end may have written.
    open: usize,
    /// What the cluster does not keep, in words.
    lost: Vec<&'static str>,
}

/// What a state says beside its records.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The id of the cluster.
    pub cluster: &'a str,
    /// The lineage.
    pub lineage: &'a str,
    /// The serial number.
    pub serial: u64,
    /// The facts.
    pub facts: &'a Facts,
}

/// Converts a state, if there is one.
pub fn show(stack: &str, state: Option<(Known<'_>, &BTreeMap<Address, Recorded>)>) -> ShowJson {
    ShowJson {
        format_version: FORMAT_VERSION,
        stack: stack.to_owned(),
        state: state.map(|(known, recorded)| StateJson {
            cluster: known.cluster.to_owned(),
            lineage: known.lineage.to_owned(),
            serial: known.serial,
            facts: facts(known.facts),
            recorded: recorded.values().map(of).collect(),
        }),
    }
}

/// Converts all that is recorded.
pub fn list(recorded: &BTreeMap<Address, Recorded>) -> StateListJson {
    StateListJson {
        format_version: FORMAT_VERSION,
        recorded: recorded.values().map(of).collect(),
    }
}

/// Converts what is recorded of one address.
pub fn one(known: &Recorded) -> StateShowJson {
    StateShowJson {
        format_version: FORMAT_VERSION,
        recorded: of(known),
    }
}

/// What is kept of earlier states: the newest only, so far.
pub fn history(state: &Summary) -> HistoryJson {
    HistoryJson {
        format_version: FORMAT_VERSION,
        stack: state.stack.clone(),
        lineage: state.lineage.clone(),
        states: vec![FormerStateJson {
            serial: state.serial,
            recorded: state.recorded,
            created: state.created.clone(),
            created_by: state.created_by.clone(),
        }],
    }
}

/// What a state that was made again holds, and what was lost.
pub fn rebuilt(state: &Summary, has_key: bool) -> RebuiltJson {
    RebuiltJson {
        format_version: FORMAT_VERSION,
        stack: state.stack.clone(),
        lineage: state.lineage.clone(),
        serial: state.serial,
        recorded: state.recorded,
        open: state.open,
        lost: super::state::lost(has_key),
    }
}

fn facts(facts: &Facts) -> BTreeMap<String, FactJson> {
    let of = |(key, fact): (&str, &stackctl_engine::facts::Fact)| {
        let json = FactJson {
            value: fact.value.clone(),
            source: fact.source.clone(),
            holding: match fact.holding {
                Holding::Live => "live",
                Holding::Pinned => "pinned",
            },
        };
        (key.to_owned(), json)
    };
    facts.iter().map(of).collect()
}

fn of(known: &Recorded) -> RecordedJson {
    let written = known.object().map(|object| {
        let manifest = object.manifest.open();
        let field = |path: &stackctl_engine::FieldPath| {
            let value = if object.sensitive.contains(path) {
                Shown::Secret
            } else {
                path.get(&manifest).cloned().map_or(Shown::Absent, Shown::Value)
            };
            (path.to_string(), shown(&value))
        };
        WrittenJson {
            object: (&object.object).into(),
            uid: object.uid.clone(),
            manager: object.manager.clone(),
            origin: match object.origin {
                Origin::Created => "created",
                Origin::Adopted => "adopted",
            },
            fields: object.fields.iter().map(field).collect(),
        }
    });
    RecordedJson {
        address: known.address.to_string(),
        node: match &known.node {
            RecordedNode::Object(_) => "object",
            RecordedNode::Overlay { .. } => "overlay",
            RecordedNode::Gate => "gate",
            RecordedNode::Action { .. } => "action",
        },
        waits_for: known.edges.iter().map(Into::into).collect(),
        written,
    }
}
