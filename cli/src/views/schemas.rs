//! The JSON Schema of every document that we print, made of the types that print it.
//!
//! Invariant: what `--json` prints validates; CI holds what the whole-program tests print against it, each kind of document at
//! least once (`cargo xtask documents`). A schema allows keys that it does not name: more may come.

use super::{
    estimate::CriticalPathJson, events, graph::GraphJson, init, json, logs, output::OutputsJson,
    plan_document::PlanJson, simulator, stack, state_document, status, timeline_document::TimelineJson,
    validate_document::ValidateJson,
};
use schemars::{JsonSchema, Schema, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value, json};
use stackctl_stacks::cluster_facts::key;

/// A document, and the command that prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Document {
    /// `plan`, `diff` and `show PLANFILE`
    Plan,
    /// A line of `apply` and `destroy`
    Events,
    /// `plan --refresh-only` and `apply --refresh-only`
    Refresh,
    /// `drift`
    Drift,
    /// `validate`
    Validate,
    /// `preflight`
    Preflight,
    /// `status`
    Status,
    /// A line of `status --watch`
    StatusWatch,
    /// A line of `logs`
    Logs,
    /// `init`
    Init,
    /// `output`
    Output,
    /// `show` of a stack
    Show,
    /// `state list`
    StateList,
    /// `state show`
    StateShow,
    /// `state history`
    StateHistory,
    /// `state rebuild`
    StateRebuild,
    /// `graph`
    Graph,
    /// `graph --critical-path`
    CriticalPath,
    /// The file of `--timeline`
    Timeline,
    /// `explain`
    Explain,
    /// `explain CODE`
    ExplainCode,
    /// `version`
    Version,
    /// A line of `simulate`
    Simulate,
    /// `simulate --list-faults`
    Faults,
    /// The file of `--facts`, which is read
    Facts,
}

/// The schema of a document, as it is written.
pub fn schema(document: Document) -> Schema {
    match document {
        Document::Plan => of::<PlanJson>(),
        Document::Events => of::<events::Line>(),
        Document::Refresh => of::<json::RefreshJson>(),
        Document::Drift => of::<json::DriftJson>(),
        Document::Validate => of::<ValidateJson>(),
        Document::Preflight => of::<json::PreflightJson>(),
        Document::Status => of::<status::StatusJson>(),
        Document::StatusWatch => of::<status::WatchLineJson>(),
        Document::Logs => of::<logs::LogLineJson>(),
        Document::Init => of::<init::InitJson>(),
        Document::Output => of::<OutputsJson>(),
        Document::Show => of::<state_document::ShowJson>(),
        Document::StateList => of::<state_document::StateListJson>(),
        Document::StateShow => of::<state_document::StateShowJson>(),
        Document::StateHistory => of::<state_document::HistoryJson>(),
        Document::StateRebuild => of::<state_document::RebuiltJson>(),
        Document::Graph => of::<GraphJson>(),
        Document::CriticalPath => of::<CriticalPathJson>(),
        Document::Timeline => of::<TimelineJson>(),
        Document::Explain => of::<Vec<stack::ExplanationJson>>(),
        Document::ExplainCode => of::<stack::ExplanationJson>(),
        Document::Version => of::<json::VersionJson>(),
        Document::Simulate => of::<simulator::SimulateJson>(),
        Document::Faults => of::<simulator::FaultsJson>(),
        Document::Facts => facts(),
    }
}

/// The schema of a file of facts: each bare, or as `show` prints it. What `show` prints of a whole state is read too, and
/// has a schema of its own.
fn facts() -> Schema {
    let fact = |value: &Value| {
        json!({"anyOf": [
            value,
            {"type": "object", "required": ["value", "holding"], "properties": {
                "value": {"anyOf": [value, {"type": "null"}]},
                "source": {"type": "string"},
                "holding": {"enum": ["live", "pinned"]},
            }},
        ]})
    };
    let (text, list) = (fact(&json!({"type": "string"})), fact(&json!({"type": "array"})));
    let mut keys: Map<String, Value> = key::TEXTS.iter().map(|key| ((*key).to_owned(), text.clone())).collect();
    for key in [key::REGISTRIES, key::IDENTITY_PROVIDERS] {
        keys.insert(key.to_owned(), list.clone());
    }
    json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Facts",
        "description": "facts of a cluster by key, as docs/facts.md has them",
        "type": "object",
        "properties": keys,
        "patternProperties": {r"^package\[.+\]\.channels$": list, r"^package\[.+\]\.default-channel$": text},
    })
}

fn of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum as _;

    /// Whether a schema says anything about what it is of.
    fn names_something(schema: &Value) -> bool {
        ["properties", "oneOf", "items"]
            .iter()
            .any(|key| schema.get(key).is_some())
    }

    #[test]
    fn every_document_has_a_schema_that_says_something() {
        for document in Document::value_variants() {
            let schema = schema(*document).to_value();
            assert!(names_something(&schema), "{document:?}: {schema}");
        }
    }
}
