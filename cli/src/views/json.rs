//! What machines read: versioned structs of their own, converted field by field. `docs/json.md` describes them.
//!
//! Invariants:
//! - `format_version` grows when a reader of the old form would misread the new one; new fields alone do not count.
//! - What people see as `(secret)` is `{"secret": true}` here.

use miette::Diagnostic as _;
use serde::Serialize;
use serde_json::{Value, json};
use stackctl_engine::{
    ObjectRef,
    diff::drift::Drift,
    digest::Digest,
    execute::{Event, Failure},
    plan::{Counts, FieldChange, NodeKind, Partial, Pattern, Plan, Purpose, Refreshed, Shown, Step},
    recorded::{Origin, Recorded, RecordedNode},
    report::Report,
    resource::ConsequenceClass,
    timeline::Timeline,
};
use stackctl_stacks::{
    StackError,
    definitions::{Coverage, DefinitionFault},
    manifests::ManifestsNotice,
    preflight::Finding,
};
use std::{collections::BTreeMap, path::Path, time::Duration};

use crate::error::Problem;
use crate::views::{
    estimate::{self, EstimateJson},
    plan::Surroundings,
    state::Summary,
};

/// The version of every form below.
pub const FORMAT_VERSION: u32 = 1;

/// An object of the cluster.
#[derive(Debug, Serialize)]
pub struct ObjectJson {
    api_version: String,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
}

/// A plan.
#[derive(Debug, Serialize)]
pub struct PlanJson {
    format_version: u32,
    stack: String,
    cluster: String,
    purpose: &'static str,
    has_changes: bool,
    /// The digest of what is desired.
    desired: String,
    steps: Vec<StepJson>,
    summary: CountsJson,
    consequences: Vec<ConsequenceJson>,
    remains: Vec<RemainsJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partial: Option<PartialJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<EstimateJson>,
    /// Records that get another address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    moved: Vec<MovedJson>,
}

/// One record that gets another address.
#[derive(Debug, Serialize)]
pub struct MovedJson {
    from: String,
    to: String,
}

/// One step of a plan.
#[derive(Debug, Serialize)]
pub struct StepJson {
    address: String,
    node: &'static str,
    action: &'static str,
    reasons: Vec<ReasonJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectJson>,
    changes: Vec<ChangeJson>,
    note: String,
    waits_for: Vec<EdgeJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    readiness: Option<ReadinessJson>,
    consequences: Vec<ConsequenceJson>,
}

#[derive(Debug, Serialize)]
struct ReasonJson {
    code: &'static str,
    text: String,
}

/// One field that changes.
#[derive(Debug, Serialize)]
pub struct ChangeJson {
    path: String,
    before: Value,
    after: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    drifted_by: Option<DriftedByJson>,
}

#[derive(Debug, Serialize)]
struct DriftedByJson {
    manager: Option<String>,
    time: Option<String>,
}

#[derive(Debug, Serialize)]
struct EdgeJson {
    address: String,
    until: String,
    reason: String,
}

#[derive(Debug, Serialize)]
struct ReadinessJson {
    ready: bool,
    why: String,
}

#[derive(Debug, Serialize)]
struct ConsequenceJson {
    class: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct PartialJson {
    target: Vec<String>,
    exclude: Vec<String>,
    until: Vec<String>,
    left_out: Vec<LeftOutJson>,
}

#[derive(Debug, Serialize)]
struct LeftOutJson {
    address: String,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    because_of: Option<String>,
}

#[derive(Debug, Serialize)]
struct RemainsJson {
    #[serde(flatten)]
    object: ObjectJson,
    why: String,
}

/// How many steps do what.
#[derive(Debug, Serialize)]
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
    record: usize,
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
            record,
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
            record,
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

impl From<&Step> for StepJson {
    fn from(step: &Step) -> Self {
        // The projection is for the saved plan alone.
        let Step {
            address,
            node,
            action,
            reasons,
            object,
            changes,
            note,
            waits_for,
            readiness,
            consequences,
            projection: _,
        } = step;
        Self {
            address: address.to_string(),
            node: node_code(*node),
            action: action.code(),
            reasons: reasons
                .iter()
                .map(|reason| ReasonJson {
                    code: reason.code(),
                    text: reason.to_string(),
                })
                .collect(),
            object: object.as_ref().map(Into::into),
            changes: changes.iter().map(Into::into).collect(),
            note: note.clone(),
            waits_for: waits_for
                .iter()
                .map(|edge| EdgeJson {
                    address: edge.to.to_string(),
                    until: edge.until.to_string(),
                    reason: edge.reason.clone(),
                })
                .collect(),
            readiness: readiness.as_ref().map(|is| ReadinessJson {
                ready: is.is_ready(),
                why: is.why().to_owned(),
            }),
            consequences: consequences.iter().map(consequence).collect(),
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

/// Converts a plan.
pub fn plan(plan: &Plan, around: &Surroundings) -> PlanJson {
    let Surroundings {
        stack,
        cluster,
        estimate,
        rehearsal,
        is_simulated: _,
        moved,
    } = around;
    PlanJson {
        format_version: FORMAT_VERSION,
        stack: stack.clone(),
        cluster: cluster.clone(),
        purpose: purpose(plan.purpose),
        has_changes: plan.has_changes(),
        desired: plan.desired.to_string(),
        steps: plan.steps.iter().map(Into::into).collect(),
        summary: plan.counts().into(),
        consequences: plan.consequences().into_iter().map(consequence).collect(),
        remains: plan
            .remains
            .iter()
            .map(|is| RemainsJson {
                object: (&is.object).into(),
                why: is.why.clone(),
            })
            .collect(),
        partial: plan.partial.as_ref().map(Into::into),
        estimate: estimate
            .as_ref()
            .map(|estimate| estimate::of_plan_json(plan, estimate, *rehearsal)),
        moved: moved
            .iter()
            .map(|rename| MovedJson {
                from: rename.from.to_string(),
                to: rename.to.to_string(),
            })
            .collect(),
    }
}

/// Converts a plan; where it was saved, with the file and the digest.
pub fn plan_saved(is: &Plan, around: &Surroundings, saved: Option<(&Path, Digest)>) -> Value {
    let mut value = json!(plan(is, around));
    if let Some((path, digest)) = saved {
        value["saved"] = json!({"path": path.display().to_string(), "digest": digest.to_string()});
    }
    value
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

/// Converts a plan to the first line of the events of its execution.
pub fn planned(is: &Plan, around: &Surroundings) -> Value {
    json!({"format_version": FORMAT_VERSION, "event": "planned", "at_seconds": 0.0, "plan": plan(is, around)})
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

/// Converts one event; `at` is what has passed since the start.
pub fn event(event: &Event, at: Duration) -> Value {
    let mut line = match event {
        Event::Started { address } => json!({"event": "started", "address": address.to_string()}),
        Event::Written { address, did, object } => json!({
            "event": "written", "address": address.to_string(), "did": did.to_string(),
            "object": object.as_ref().map(ObjectJson::from),
        }),
        Event::Waiting { address, why } => json!({"event": "waiting", "address": address.to_string(), "why": why}),
        Event::Remedied { address, why } => json!({"event": "remedied", "address": address.to_string(), "why": why}),
        Event::Noted { address, text } => json!({"event": "noted", "address": address.to_string(), "text": text}),
        Event::Ready { address, why, took } => {
            json!({"event": "ready", "address": address.to_string(), "why": why, "seconds": took.as_secs_f64()})
        }
        Event::Failed {
            address,
            failure: is,
            took,
        } => {
            json!({"event": "failed", "address": address.to_string(), "failure": failure(is), "seconds": took.as_secs_f64()})
        }
        Event::Blocked { address, by } => {
            json!({"event": "blocked", "address": address.to_string(), "by": by.to_string()})
        }
        Event::Interrupted => json!({"event": "interrupted"}),
    };
    line["format_version"] = json!(FORMAT_VERSION);
    line["at_seconds"] = json!(at.as_secs_f64());
    line
}

/// Converts the end of an execution: the last line of its events.
pub fn report(report: &Report, purpose: Purpose, took: Duration) -> Value {
    let Report {
        created,
        updated,
        adopted,
        deleted,
        released,
        forgotten,
        ran,
        ready,
        failed,
        blocked,
        remedied,
        interrupted,
    } = report;
    let failed: BTreeMap<_, _> = failed
        .iter()
        .map(|(address, is)| (address.to_string(), failure(is)))
        .collect();
    let blocked: BTreeMap<_, _> = blocked
        .iter()
        .map(|(address, by)| (address.to_string(), by.to_string()))
        .collect();
    json!({
        "format_version": FORMAT_VERSION,
        "event": "finished",
        "purpose": self::purpose(purpose),
        "succeeded": report.succeeded(),
        "interrupted": interrupted,
        "seconds": took.as_secs_f64(),
        "summary": {
            "created": created, "updated": updated, "adopted": adopted, "deleted": deleted, "released": released,
            "forgotten": forgotten, "ran": ran, "ready": ready.len(), "failed": failed.len(), "blocked": blocked.len(),
        },
        "failed": failed,
        "blocked": blocked,
        "remedied": remedied.iter().map(|(address, why)| json!({"address": address.to_string(), "why": why})).collect::<Vec<_>>(),
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
        "waits_for": known.edges.iter().map(|edge| EdgeJson {
            address: edge.to.to_string(), until: edge.until.to_string(), reason: edge.reason.clone(),
        }).collect::<Vec<_>>(),
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

fn consequence(is: &stackctl_engine::resource::Consequence) -> ConsequenceJson {
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

fn failure(Failure { what, because, hint }: &Failure) -> Value {
    json!({"what": what, "because": because, "hint": hint})
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Apply => "apply",
        Purpose::Destroy => "destroy",
    }
}

/// The word for what a resource is.
pub(super) fn node_code(node: NodeKind) -> &'static str {
    match node {
        NodeKind::Object => "object",
        NodeKind::Overlay => "overlay",
        NodeKind::Gate => "gate",
        NodeKind::Action => "action",
        NodeKind::Check => "check",
    }
}

/// `{"value": …}`, `{"absent": true}`, `{"secret": true}` or `{"known_after": address}`: one key tells which.
fn shown(value: &Shown) -> Value {
    match value {
        Shown::Absent => json!({"absent": true}),
        Shown::Value(value) => json!({"value": value}),
        Shown::Secret => json!({"secret": true}),
        Shown::KnownAfter(address) => json!({"known_after": address}),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::{plan_of_three_components, surroundings};

    #[test]
    fn the_summary_agrees_with_the_steps() {
        let plan = serde_json::to_value(plan(&plan_of_three_components(), &surroundings())).expect("JSON");
        let steps = plan["steps"].as_array().expect("a list");
        let counted = |action: &str| steps.iter().filter(|step| step["action"] == action).count();
        for (action, key) in [
            ("create", "create"),
            ("update", "update"),
            ("wait", "wait"),
            ("run", "run"),
            ("no-op", "unchanged"),
        ] {
            assert_eq!(plan["summary"][key], json!(counted(action)), "{action}");
        }
        assert_eq!(plan["format_version"], json!(1));
        assert!(plan.to_string().contains(r#"{"secret":true}"#));
    }
}
