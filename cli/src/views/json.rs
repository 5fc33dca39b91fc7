//! What machines read: versioned structs of their own, converted field by field. `docs/json.md` describes them.
//!
//! Invariants:
//! - `format_version` grows when a reader of the old form would misread the new one; new fields alone do not count.
//! - What people see as `(secret)` is `{"secret": true}` here.

use super::drift::Looked;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use stackctl_engine::{
    ObjectRef,
    degraded::Degraded,
    diff::drift::{Drift, There},
    execute::Failure,
    graph::Edge,
    moves::Rename,
    plan::{Counts, FieldChange, NodeKind, Partial, Pattern, Purpose, Refreshed, Shown},
    resource::{Consequence, ConsequenceClass, Remains},
    yields::Yielded,
};
use stackctl_stacks::preflight::Finding;
use std::collections::BTreeMap;

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

/// What differs between the record and the cluster at one address.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DriftedJson {
    address: String,
    object: ObjectJson,
    /// Whether the object that was recorded is gone.
    gone: bool,
    /// Whether another object of its name, which is not ours, is there in its place.
    another: bool,
    /// From what was recorded to what is there.
    changes: Vec<ChangeJson>,
}

/// `drift`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DriftJson {
    format_version: u32,
    drifted: Vec<DriftedJson>,
    /// Addresses whose secret values cannot be compared without the key that they were recorded with.
    unknown: Vec<String>,
    /// Fields that are left to managers that win; no drift.
    yielded: Vec<YieldedJson>,
    /// Gates that were ready and are not any more; no drift.
    degraded: Vec<DegradedJson>,
    summary: DriftSummaryJson,
}

/// A field that the stack says and that is left to who won it.
#[derive(Debug, Serialize, JsonSchema)]
struct YieldedJson {
    address: String,
    /// Who won it, as the server notes it.
    manager: &'static str,
    path: String,
    /// What the stack says.
    said: ShownJson,
    /// What is there.
    there: ShownJson,
}

/// A gate that was ready and is not any more.
#[derive(Debug, Serialize, JsonSchema)]
struct DegradedJson {
    address: String,
    why: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct DriftSummaryJson {
    drifted: usize,
    as_recorded: usize,
    /// How many of those that did not drift otherwise are unknown.
    unknown: usize,
}

/// `plan --refresh-only` and `apply --refresh-only`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RefreshJson {
    format_version: u32,
    /// What will be recorded otherwise.
    refreshed: Vec<DriftedJson>,
    /// Addresses whose secret values cannot be compared without the key that they were recorded with.
    unknown: Vec<String>,
    summary: RefreshSummaryJson,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RefreshSummaryJson {
    refreshed: usize,
    as_recorded: usize,
    /// How many of those that do not differ otherwise are unknown.
    unknown: usize,
}

/// `preflight`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PreflightJson {
    format_version: u32,
    stack: String,
    cluster: String,
    checks: Vec<CheckJson>,
    /// How many of each verdict.
    summary: BTreeMap<&'static str, usize>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CheckJson {
    name: &'static str,
    /// `pass`, `warn`, `fail`, or `unread` where it could not be made.
    verdict: &'static str,
    found: String,
    /// Where it was read.
    source: String,
    /// What to do; null for a pass.
    remedy: Option<String>,
}

/// `version`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VersionJson {
    format_version: u32,
    version: &'static str,
}

/// Converts the version.
pub fn version(version: &'static str) -> VersionJson {
    VersionJson {
        format_version: FORMAT_VERSION,
        version,
    }
}

impl From<&Yielded> for YieldedJson {
    fn from(yielded: &Yielded) -> Self {
        let Yielded {
            address,
            path,
            manager,
            said,
            there,
        } = yielded;
        Self {
            address: address.to_string(),
            manager,
            path: path.to_string(),
            said: shown(said),
            there: shown(there),
        }
    }
}

impl From<&Degraded> for DegradedJson {
    fn from(Degraded { address, why }: &Degraded) -> Self {
        Self {
            address: address.to_string(),
            why: why.clone(),
        }
    }
}

/// Converts what drifted.
pub fn drift(found: &[Drift], looked: &Looked) -> DriftJson {
    let counts = looked.counts(found);
    DriftJson {
        format_version: FORMAT_VERSION,
        drifted: found.iter().map(drifted).collect(),
        unknown: looked.unknown.iter().map(ToString::to_string).collect(),
        yielded: looked.yielded.iter().map(Into::into).collect(),
        degraded: looked.degraded.iter().map(Into::into).collect(),
        summary: DriftSummaryJson {
            drifted: counts.differs,
            as_recorded: counts.as_recorded,
            unknown: counts.unknown,
        },
    }
}

fn drifted(found: &Drift) -> DriftedJson {
    let Drift {
        address,
        object,
        there,
        changes,
    } = found;
    DriftedJson {
        address: address.to_string(),
        object: object.into(),
        gone: there.is_gone(),
        another: *there == There::Another,
        changes: changes.iter().map(Into::into).collect(),
    }
}

/// Converts what is recorded otherwise than it is.
pub fn refreshed(found: &[Refreshed], looked: &Looked) -> RefreshJson {
    let counts = looked.counts(found.iter().map(|one| &one.differs));
    RefreshJson {
        format_version: FORMAT_VERSION,
        refreshed: found.iter().map(|one| drifted(&one.differs)).collect(),
        unknown: looked.unknown.iter().map(ToString::to_string).collect(),
        summary: RefreshSummaryJson {
            refreshed: counts.differs,
            as_recorded: counts.as_recorded,
            unknown: counts.unknown,
        },
    }
}

/// Converts what the checks of a cluster found.
pub fn preflight(stack: &str, cluster: &str, findings: &[Finding]) -> PreflightJson {
    let check = |finding: &Finding| CheckJson {
        name: finding.check,
        verdict: super::preflight::word(finding.verdict),
        found: finding.found.clone(),
        source: finding.source.clone(),
        remedy: finding.remedy.clone(),
    };
    let counts = super::preflight::counts(findings).into_iter();
    PreflightJson {
        format_version: FORMAT_VERSION,
        stack: stack.to_owned(),
        cluster: cluster.to_owned(),
        checks: findings.iter().map(check).collect(),
        summary: counts
            .map(|(verdict, count)| (super::preflight::word(verdict), count))
            .collect(),
    }
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

pub(super) fn failure(
    Failure {
        what, because, hint, ..
    }: &Failure,
) -> FailureJson {
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

pub(super) fn shown(value: &Shown) -> ShownJson {
    match value {
        Shown::Absent => ShownJson::Absent(true),
        Shown::Value(value) => ShownJson::Value(value.clone()),
        Shown::Secret => ShownJson::Secret(true),
        Shown::KnownAfter(address) => ShownJson::KnownAfter(address.clone()),
    }
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
