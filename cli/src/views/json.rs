//! What machines read: versioned structs of their own, converted field by field. `docs/json.md` describes them.
//!
//! Invariants:
//! - `format_version` grows when a reader of the old form would misread the new one; new fields alone do not count.
//! - What people see as `(secret)` is `{"secret": true}` here.

use miette::Diagnostic as _;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use stackctl_engine::{
    ObjectRef,
    diff::drift::Drift,
    execute::Failure,
    graph::Edge,
    moves::Rename,
    plan::{Counts, FieldChange, NodeKind, Partial, Pattern, Purpose, Refreshed, Shown},
    recorded::{Origin, Recorded, RecordedNode},
    resource::{Consequence, ConsequenceClass, Remains},
    timeline::Timeline,
};
use stackctl_stacks::{
    StackError,
    definitions::{Coverage, DefinitionFault},
    manifests::ManifestsNotice,
    preflight::Finding,
};
use std::{collections::BTreeMap, time::Duration};

use crate::error::Problem;
use crate::views::state::Summary;

/// The version of every form but the plan and the events, which have Terraform's.
pub const FORMAT_VERSION: u32 = 1;

/// An object of the cluster.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ObjectJson {
    api_version: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
}

/// One record that gets another address.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MovedJson {
    from: String,
    to: String,
}

/// One field that changes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangeJson {
    path: String,
    before: ShownJson,
    after: ShownJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    drifted_by: Option<DriftedByJson>,
}

/// A value that may be hidden: one key tells which.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShownJson {
    /// This.
    Value(Value),
    /// Nothing is there; always true.
    Absent(bool),
    /// Something that nobody may see; always true.
    Secret(bool),
    /// Known only after the resource of this address is ready.
    KnownAfter(String),
}

#[derive(Debug, Serialize, JsonSchema)]
struct DriftedByJson {
    manager: Option<String>,
    time: Option<String>,
}

/// What something waits for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EdgeJson {
    address: String,
    until: String,
    reason: String,
}

/// Something to know before saying yes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConsequenceJson {
    class: &'static str,
    text: String,
}

/// The part of a stack that a plan is about.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PartialJson {
    target: Vec<String>,
    exclude: Vec<String>,
    until: Vec<String>,
    left_out: Vec<LeftOutJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LeftOutJson {
    address: String,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    because_of: Option<String>,
}

/// What stays in the cluster after a destroy.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RemainsJson {
    #[serde(flatten)]
    object: ObjectJson,
    why: String,
}

/// How many steps do what.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CountsJson {
    create: usize,
    update: usize,
    replace: usize,
    delete: usize,
    adopt: usize,
    release: usize,
    forget: usize,
    run: usize,
    wait: usize,
    check: usize,
    unchanged: usize,
    not_ready: usize,
}

impl From<&ObjectRef> for ObjectJson {
    fn from(object: &ObjectRef) -> Self {
        Self {
            api_version: object.object_type.api_version.clone(),
            kind: object.object_type.kind.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
        }
    }
}

impl From<Counts> for CountsJson {
    fn from(counts: Counts) -> Self {
        let Counts {
            create,
            update,
            replace,
            delete,
            adopt,
            release,
            forget,
            run,
            wait,
            check,
            unchanged,
            not_ready,
        } = counts;
        Self {
            create,
            update,
            replace,
            delete,
            adopt,
            release,
            forget,
            run,
            wait,
            check,
            unchanged,
            not_ready,
        }
    }
}

impl From<&FieldChange> for ChangeJson {
    fn from(change: &FieldChange) -> Self {
        let FieldChange {
            path,
            before,
            after,
            drift,
        } = change;
        Self {
            path: path.to_string(),
            before: shown(before),
            after: shown(after),
            drifted_by: drift.as_ref().map(|by| DriftedByJson {
                manager: by.manager.clone(),
                time: by.time.clone(),
            }),
        }
    }
}

impl From<&Edge> for EdgeJson {
    fn from(edge: &Edge) -> Self {
        Self {
            address: edge.to.to_string(),
            until: edge.until.to_string(),
            reason: edge.reason.clone(),
        }
    }
}

impl From<&Remains> for RemainsJson {
    fn from(is: &Remains) -> Self {
        Self {
            object: (&is.object).into(),
            why: is.why.clone(),
        }
    }
}

impl From<&Rename> for MovedJson {
    fn from(Rename { from, to }: &Rename) -> Self {
        Self {
            from: from.to_string(),
            to: to.to_string(),
        }
    }
}

impl From<&Partial> for PartialJson {
    fn from(Partial { asked, left_out }: &Partial) -> Self {
        let texts = |patterns: &[Pattern]| patterns.iter().map(ToString::to_string).collect();
        Self {
            target: texts(&asked.targets),
            exclude: texts(&asked.excludes),
            until: texts(&asked.until),
            left_out: left_out
                .iter()
                .map(|(address, why)| LeftOutJson {
                    address: address.to_string(),
                    code: why.code(),
                    because_of: why.because_of().map(ToString::to_string),
                })
                .collect(),
        }
    }
}

/// Converts what ran when, and what it waited for.
pub fn timeline(timeline: &Timeline, of: Purpose, took: Duration) -> Value {
    let seconds = |time: &Duration| json!(time.as_secs_f64());
    let resources: Vec<_> = timeline
        .spans()
        .map(|(address, span)| {
            let mut value = json!({
                "address": address.to_string(),
                "action": span.action.code(),
                "started_at": span.started.as_ref().map(seconds),
                "requests": span.written.iter().map(|(at, did)| json!({"at": seconds(at), "did": did.to_string()}))
                    .collect::<Vec<_>>(),
                "waits": span.waited.iter().map(|(since, why)| json!({"since": seconds(since), "why": why}))
                    .collect::<Vec<_>>(),
                "ended_at": span.ended.as_ref().map(|(at, _)| seconds(at)),
                "end": span.ended.as_ref().map(|(_, ending)| ending.code()),
            });
            if let Some(freed) = &span.freed_by {
                value["waited_for"] = json!({
                    "address": freed.edge.to.to_string(), "until": freed.edge.until.to_string(),
                    "reason": freed.edge.reason, "met_at": seconds(&freed.at),
                });
            }
            value
        })
        .collect();
    json!({
        "format_version": FORMAT_VERSION,
        "purpose": purpose(of),
        "seconds": took.as_secs_f64(),
        "resources": resources,
    })
}

/// Converts what drifted.
pub fn drift(found: &[Drift], recorded: usize) -> Value {
    let all: Vec<_> = found.iter().map(drifted).collect();
    json!({
        "format_version": FORMAT_VERSION,
        "drifted": all,
        "summary": {"drifted": found.len(), "as_recorded": recorded.saturating_sub(found.len())},
    })
}

fn drifted(found: &Drift) -> Value {
    let Drift {
        address,
        object,
        gone,
        changes,
    } = found;
    json!({
        "address": address.to_string(),
        "object": ObjectJson::from(object),
        "gone": gone,
        "changes": changes.iter().map(ChangeJson::from).collect::<Vec<_>>(),
    })
}

/// Converts what is recorded otherwise than it is.
pub fn refreshed(found: &[Refreshed], recorded: usize) -> Value {
    let differs: Vec<_> = found.iter().map(|one| drifted(&one.differs)).collect();
    json!({
        "format_version": FORMAT_VERSION,
        "refreshed": differs,
        "summary": {"refreshed": found.len(), "as_recorded": recorded.saturating_sub(found.len())},
    })
}

/// Converts what the checks of a cluster found.
pub fn preflight(stack: &str, cluster: &str, findings: &[Finding]) -> Value {
    let checks: Vec<_> = findings
        .iter()
        .map(
            |Finding {
                 check,
                 verdict,
                 found,
                 source,
                 remedy,
             }| {
                json!({
                    "name": check, "verdict": super::preflight::word(*verdict),
                    "found": found, "source": source, "remedy": remedy,
                })
            },
        )
        .collect();
    let counts = super::preflight::counts(findings);
    json!({
        "format_version": FORMAT_VERSION,
        "stack": stack,
        "cluster": cluster,
        "checks": checks,
        "summary": counts.into_iter().map(|(verdict, count)| (super::preflight::word(verdict), count))
            .collect::<BTreeMap<_, _>>(),
    })
}

/// Converts diagnostics of a stack.
pub fn diagnostics<'a>(all: impl Iterator<Item = &'a StackError>) -> Value {
    let all: Vec<_> = all
        .map(|found| {
            let (at, span) = (found.position(), found.span());
            json!({
                "code": found.code(),
                "severity": if found.is_warning() { "warning" } else { "error" },
                "message": found.to_string(),
                "help": found.help(),
                "file": at.file, "line": at.line, "column": at.column,
                "span": {"start": span.start, "end": span.end},
                "link": found.link(),
            })
        })
        .collect();
    let errors = all.iter().filter(|found| found["severity"] == "error").count();
    json!({
        "format_version": FORMAT_VERSION,
        "valid": errors == 0,
        "diagnostics": all,
        "summary": {"errors": errors, "warnings": all.len() - errors},
    })
}

/// Adds what definitions say against objects to the diagnostics of a stack.
pub fn add_faults(answer: &mut Value, errors: &[DefinitionFault], warnings: &[DefinitionFault]) {
    let one = |fault: &DefinitionFault, severity: &str| {
        let place = fault.place();
        let at = place.and_then(|place| place.at.as_ref());
        json!({
            "code": fault.code().map(|code| code.to_string()),
            "severity": severity,
            "message": fault.to_string(),
            "help": fault.help().map(|help| help.to_string()),
            "file": at.map(|at| &at.file), "line": at.map(|at| at.line), "column": null,
            "address": place.map(|place| place.address.to_string()),
            "field": fault.field(),
        })
    };
    let errors_as = errors.iter().map(|fault| one(fault, "error"));
    let faults: Vec<Value> = errors_as
        .chain(warnings.iter().map(|fault| one(fault, "warning")))
        .collect();
    if let Some(all) = answer["diagnostics"].as_array_mut() {
        all.extend(faults);
    }
    let count = |answer: &Value, key: &str| answer["summary"][key].as_u64().unwrap_or_default();
    answer["summary"]["errors"] = json!(count(answer, "errors") + errors.len() as u64);
    answer["summary"]["warnings"] = json!(count(answer, "warnings") + warnings.len() as u64);
    answer["valid"] = json!(count(answer, "errors") == 0);
}

/// Adds what keeps a stack from being compiled to its diagnostics; a message says its own file and line.
pub fn add_problems(answer: &mut Value, problems: &[Problem]) {
    let one = |problem: &Problem| {
        json!({
            "code": problem.code,
            "severity": "error",
            "message": problem.what,
            "help": problem.hint,
            "file": null, "line": null, "column": null,
        })
    };
    if let Some(all) = answer["diagnostics"].as_array_mut() {
        all.extend(problems.iter().map(one));
    }
    let before = answer["summary"]["errors"].as_u64().unwrap_or_default();
    answer["summary"]["errors"] = json!(before + problems.len() as u64);
    answer["valid"] = json!(false);
}

/// Converts how much definitions could judge.
pub fn coverage(coverage: Coverage) -> Value {
    json!({"objects": coverage.objects, "by_definition": coverage.judged})
}

/// Adds what people are told about their manifests to the diagnostics of a stack.
pub fn add_notices(answer: &mut Value, notices: &[ManifestsNotice]) {
    let one = |notice: &ManifestsNotice| {
        let at = notice.at();
        json!({
            "code": notice.code().map(|code| code.to_string()),
            "severity": "warning",
            "message": notice.to_string(),
            "help": notice.help().map(|help| help.to_string()),
            "file": at.file, "line": at.line, "column": null,
        })
    };
    if let Some(all) = answer["diagnostics"].as_array_mut() {
        all.extend(notices.iter().map(one));
    }
    let before = answer["summary"]["warnings"].as_u64().unwrap_or_default();
    answer["summary"]["warnings"] = json!(before + notices.len() as u64);
}

/// Converts what is recorded of one address, without the digests of secrets.
pub fn recorded(known: &Recorded) -> Value {
    let mut all = json!({
        "address": known.address.to_string(),
        "node": match &known.node {
            RecordedNode::Object(_) => "object",
            RecordedNode::Overlay { .. } => "overlay",
            RecordedNode::Gate => "gate",
            RecordedNode::Action { .. } => "action",
        },
        "waits_for": known.edges.iter().map(EdgeJson::from).collect::<Vec<_>>(),
    });
    if let Some(object) = known.object() {
        all["object"] = json!(ObjectJson::from(&object.object));
        all["uid"] = json!(object.uid);
        all["manager"] = json!(object.manager);
        all["origin"] = json!(match object.origin {
            Origin::Created => "created",
            Origin::Adopted => "adopted",
        });
        let fields: BTreeMap<_, _> = object
            .fields
            .iter()
            .map(|path| {
                let value = if object.sensitive.contains(path) {
                    Shown::Secret
                } else {
                    path.get(&object.manifest).cloned().map_or(Shown::Absent, Shown::Value)
                };
                (path.to_string(), shown(&value))
            })
            .collect();
        all["fields"] = json!(fields);
    }
    all
}

pub(super) fn consequence(is: &Consequence) -> ConsequenceJson {
    let class = match is.class {
        ConsequenceClass::Approval => "approval",
        ConsequenceClass::Cost => "cost",
        ConsequenceClass::ClusterRights => "cluster-rights",
        ConsequenceClass::TakesFields => "takes-fields",
        ConsequenceClass::DataLoss => "data-loss",
        ConsequenceClass::Disruption => "disruption",
        ConsequenceClass::Access => "access",
        ConsequenceClass::Notice => "notice",
    };
    ConsequenceJson {
        class,
        text: is.text.clone(),
    }
}

/// How something failed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FailureJson {
    /// What went wrong.
    what: String,
    /// The causes below it, outermost first.
    because: Vec<String>,
    /// What to type or change next.
    hint: Option<String>,
}

pub(super) fn failure(Failure { what, because, hint }: &Failure) -> FailureJson {
    FailureJson {
        what: what.clone(),
        because: because.clone(),
        hint: hint.clone(),
    }
}

/// What is to be known, without the classes.
pub(super) fn consequence_texts(all: &[Consequence]) -> Vec<String> {
    all.iter().map(|is| is.text.clone()).collect()
}

pub(super) fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Apply => "apply",
        Purpose::Destroy => "destroy",
    }
}

pub(super) fn node_code(node: NodeKind) -> &'static str {
    match node {
        NodeKind::Object => "object",
        NodeKind::Overlay => "overlay",
        NodeKind::Gate => "gate",
        NodeKind::Action => "action",
        NodeKind::Check => "check",
    }
}

fn shown(value: &Shown) -> ShownJson {
    match value {
        Shown::Absent => ShownJson::Absent(true),
        Shown::Value(value) => ShownJson::Value(value.clone()),
        Shown::Secret => ShownJson::Secret(true),
        Shown::KnownAfter(address) => ShownJson::KnownAfter(address.clone()),
    }
}

/// What is kept of earlier states: the newest only, so far.
pub fn history(state: &Summary) -> Value {
    let newest = json!({
        "serial": state.serial,
        "recorded": state.recorded,
        "created": state.created,
        "created_by": state.created_by,
    });
    json!({
        "format_version": FORMAT_VERSION,
        "stack": state.stack,
        "lineage": state.lineage,
        "states": [newest],
    })
}

/// What a state that was made again holds, and what was lost.
pub fn rebuilt(state: &Summary, has_key: bool) -> Value {
    json!({
        "format_version": FORMAT_VERSION,
        "stack": state.stack,
        "lineage": state.lineage,
        "serial": state.serial,
        "recorded": state.recorded,
        "open": state.open,
        "lost": crate::views::state::lost(has_key),
    })
}

/// One object on one line.
pub fn line(value: &impl Serialize) -> String {
    // Our structs have text keys and no fallible `Serialize`, which is all that could fail.
    let mut text = serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"));
    text.push('\n');
    text
}

/// One object on several lines.
pub fn pretty(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"));
    text.push('\n');
    text
}
