//! What a run says to machines while it runs: Terraform's machine-readable UI, one object a line, with lines of our own
//! where it has none. `docs/json.md` describes it.
//!
//! Invariants:
//! - Every line has `@level`, `@message`, `@module`, `@timestamp` and `type`; time comes in from outside.
//! - What a plan leaves as it is, is told as `refresh_*`, what it does something about as `apply_*`.
//! - No secret is in a line: it holds what a plan and the engine's events hold.

use super::{
    json::{FailureJson, ObjectJson, consequence_texts, failure, purpose},
    plan::{self, Surroundings},
    plan_document::{self, Details, PlanJson},
    style,
    terraform::{self, ChangesJson, Done},
};
use crate::error::{Error, Problem};
use schemars::JsonSchema;
use serde::Serialize;
use stackctl_engine::{
    Address,
    execute::Event,
    plan::{Plan, Purpose, Step},
    report::Report,
};
use stackctl_stacks::{StackError, components::Output};
use std::{collections::BTreeMap, time::Duration};

/// One line.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Line {
    /// `info`, `warn` or `error`.
    #[serde(rename = "@level")]
    level: &'static str,
    /// The line for people.
    #[serde(rename = "@message")]
    message: String,
    /// Always `stackctl.ui`.
    #[serde(rename = "@module")]
    module: &'static str,
    /// When it was said, as RFC 3339.
    #[serde(rename = "@timestamp")]
    timestamp: String,
    /// Since the run began, in seconds; absent before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_seconds: Option<f64>,
    #[serde(flatten)]
    said: Said,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    /// The first line.
    Version {
        /// The version of stackctl.
        stackctl: &'static str,
        /// The version of the machine-readable UI that this follows.
        ui: &'static str,
    },
    /// One for each resource that is not left as it is.
    PlannedChange { change: ChangeJson },
    /// One for each resource that somebody else changed.
    ResourceDrift { change: ChangeJson },
    /// How many changes are planned, or were made.
    ChangeSummary { changes: ChangesJson },
    /// The plan that is carried out. Ours.
    Plan { plan: Box<PlanJson> },
    /// Something begins.
    ApplyStart { hook: Hook },
    /// It waits.
    ApplyProgress { hook: Hook },
    /// It is done: ready, or gone.
    ApplyComplete { hook: Hook },
    /// It failed.
    ApplyErrored { hook: Hook },
    /// Something that stays as it is, is looked at.
    RefreshStart { hook: Hook },
    /// It is ready.
    RefreshComplete { hook: Hook },
    /// A write was accepted. Ours.
    Written { hook: Hook },
    /// The remedy of a gate was carried out. Ours.
    Remedied { hook: Hook },
    /// Something to know. Ours.
    Noted { hook: Hook },
    /// It will not start, because of one that failed. Ours.
    Blocked { hook: Hook },
    /// For a while the cluster has told nothing of what is waited for. Ours.
    Unheard {
        /// Why.
        why: String,
    },
    /// After that it tells again. Ours.
    Heard {
        /// For how long it told nothing, in seconds.
        after_seconds: f64,
    },
    /// The person asked to stop. Ours.
    Interrupted,
    /// What went wrong.
    Diagnostic { diagnostic: DiagnosticJson },
    /// What the platform offers, after an apply of all of the stack.
    Outputs { outputs: BTreeMap<String, OutputJson> },
    /// How it ended. Ours.
    Finished(FinishedJson),
}

/// A resource, as Terraform names it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct ResourceJson {
    /// The address.
    addr: String,
    /// Always empty: there are no modules.
    module: &'static str,
    /// The address again.
    resource: String,
    /// Always `stackctl`.
    implied_provider: &'static str,
    /// As `type` in a plan.
    resource_type: String,
    /// As `name` in a plan.
    resource_name: String,
    /// Always null.
    resource_key: (),
}

#[derive(Debug, Serialize, JsonSchema)]
struct ChangeJson {
    resource: ResourceJson,
    /// `create`, `read`, `update`, `replace`, `delete` or `forget`.
    action: &'static str,
    /// As `action_reason` in a plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// What to know before saying yes. Ours.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    consequences: Vec<String>,
}

/// What happens to a resource.
#[derive(Debug, Serialize, JsonSchema)]
struct Hook {
    resource: ResourceJson,
    /// What is done, in the one word of the UI.
    action: &'static str,
    /// Since it began, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    elapsed_seconds: Option<f64>,
    /// What a write did: `created`, `updated`, `adopted`, `unchanged`, `deleted`, `released`, `forgotten` or `done`.
    #[serde(skip_serializing_if = "Option::is_none")]
    did: Option<String>,
    /// What was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectJson>,
    /// On what it waits, what was seen, what the remedy is, or what there is to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// How it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureJson>,
    /// The one that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct DiagnosticJson {
    /// `error`.
    severity: &'static str,
    summary: String,
    /// The causes, one a line; empty where there is none.
    detail: String,
    /// The resource, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// What `explain` knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// What to type or change.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// The stack file.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The line in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// The column in it, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OutputJson {
    /// Always false: no output is a secret.
    sensitive: bool,
    /// Always `string`.
    #[serde(rename = "type")]
    output_type: &'static str,
    value: String,
    description: String,
}

/// How a run ended.
#[derive(Debug, Serialize, JsonSchema)]
struct FinishedJson {
    /// `apply` or `destroy`.
    purpose: &'static str,
    succeeded: bool,
    interrupted: bool,
    seconds: f64,
    summary: ReportCountsJson,
    /// How what failed did, by address.
    failed: BTreeMap<String, FailureJson>,
    /// What never started, and because of which.
    blocked: BTreeMap<String, String>,
    /// Remedies that were carried out.
    remedied: Vec<RemediedJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ReportCountsJson {
    created: usize,
    updated: usize,
    adopted: usize,
    deleted: usize,
    /// Objects that others had made for what was deleted, and that were deleted after it.
    cleared: usize,
    released: usize,
    forgotten: usize,
    ran: usize,
    ready: usize,
    failed: usize,
    blocked: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RemediedJson {
    address: String,
    why: String,
}

fn line(level: &'static str, message: String, at: Option<Duration>, now: &str, said: Said) -> Line {
    Line {
        level,
        message,
        module: "stackctl.ui",
        timestamp: now.to_owned(),
        at_seconds: at.map(|at| at.as_secs_f64()),
        said,
    }
}

/// The first line.
pub fn version(now: &str) -> Line {
    let stackctl = env!("CARGO_PKG_VERSION");
    let said = Said::Version {
        stackctl,
        ui: terraform::UI_VERSION,
    };
    line("info", format!("stackctl {stackctl}"), None, now, said)
}

/// The lines before a run: each change and drift, how many, and the plan.
pub fn planned(of: &Plan, around: &Surroundings, details: &Details, now: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for found in &details.drift {
        let action = if found.there.is_gone() { "delete" } else { "update" };
        let resource = resource(
            &found.address,
            terraform::type_of(&found.object),
            found.object.name.clone(),
        );
        let change = ChangeJson {
            resource,
            action,
            reason: None,
            consequences: Vec::new(),
        };
        let message = format!("{}: Drift detected ({action})", found.address);
        lines.push(line("info", message, None, now, Said::ResourceDrift { change }));
    }
    for step in &of.steps {
        let action = terraform::ui_action(step);
        if action == "noop" {
            continue;
        }
        let change = ChangeJson {
            resource: resource_of(step),
            action,
            reason: terraform::action_reason(step),
            consequences: consequence_texts(&step.consequences),
        };
        let message = format!("{}: Plan to {action}", step.address);
        lines.push(line("info", message, None, now, Said::PlannedChange { change }));
    }
    let changes = terraform::planned(&of.steps);
    let summary = plan::summary(of);
    lines.push(line(
        "info",
        summary.clone(),
        None,
        now,
        Said::ChangeSummary { changes },
    ));
    let plan = Box::new(plan_document::plan(of, around, details));
    lines.push(line("info", summary, None, now, Said::Plan { plan }));
    lines
}

/// Says the events of one run.
#[derive(Debug)]
pub struct Events {
    steps: BTreeMap<Address, (ResourceJson, &'static str)>,
    began: BTreeMap<Address, Duration>,
    /// What was written last: of what then says nothing else.
    did: BTreeMap<Address, String>,
}

impl Events {
    /// Of the run of a plan.
    pub fn of(plan: &Plan) -> Self {
        let of = |step: &Step| (step.address.clone(), (resource_of(step), terraform::ui_action(step)));
        Self {
            steps: plan.steps.iter().map(of).collect(),
            began: BTreeMap::new(),
            did: BTreeMap::new(),
        }
    }

    /// The lines of one event; `at` is what has passed since the run began.
    pub fn event(&mut self, event: &Event, at: Duration, now: &str) -> Vec<Line> {
        let one = |level, message, said| vec![line(level, message, Some(at), now, said)];
        match event {
            Event::Started { address } => {
                self.began.insert(address.clone(), at);
                let hook = self.hook(address, None);
                let message = format!("{address}: starts");
                let is_kept = hook.action == "noop";
                one(
                    "info",
                    message,
                    if is_kept {
                        Said::RefreshStart { hook }
                    } else {
                        Said::ApplyStart { hook }
                    },
                )
            }
            Event::Written { address, did, object } => {
                let mut hook = self.hook(address, None);
                hook.did = Some(did.to_string());
                self.did.insert(address.clone(), did.to_string());
                hook.object = object.as_ref().map(Into::into);
                one("info", format!("{address}: {did}"), Said::Written { hook })
            }
            Event::Waiting { address, why } => {
                let elapsed = self.began.get(address).map(|began| at.saturating_sub(*began));
                let mut hook = self.hook(address, elapsed);
                hook.why = Some(why.clone());
                let so_far = elapsed.map(style::running).unwrap_or_default();
                one(
                    "info",
                    format!("{address}: waits on {why} [{so_far}]"),
                    Said::ApplyProgress { hook },
                )
            }
            Event::Remedied { address, why } => {
                let mut hook = self.hook(address, None);
                hook.why = Some(why.clone());
                one("warn", format!("{address}: {why}"), Said::Remedied { hook })
            }
            Event::Noted { address, text } => {
                let mut hook = self.hook(address, None);
                hook.why = Some(text.clone());
                one("warn", format!("{address}: {text}"), Said::Noted { hook })
            }
            Event::Ready { address, why, took } => {
                let mut hook = self.hook(address, Some(*took));
                hook.why = Some(why.clone());
                let did = self.did.get(address).map_or("done", String::as_str);
                let words = if why.is_empty() { did } else { why };
                let message = format!("{address}: {words} after {}", style::spent(*took));
                let is_kept = hook.action == "noop";
                one(
                    "info",
                    message,
                    if is_kept {
                        Said::RefreshComplete { hook }
                    } else {
                        Said::ApplyComplete { hook }
                    },
                )
            }
            Event::Failed {
                address,
                failure: is,
                took,
            } => {
                let mut hook = self.hook(address, Some(*took));
                hook.failure = Some(failure(is));
                let message = format!("{address}: {}", is.what);
                let diagnostic = DiagnosticJson {
                    address: Some(address.to_string()),
                    ..told(&is.what, &is.because, is.hint.as_deref())
                };
                let mut lines = one("error", message.clone(), Said::ApplyErrored { hook });
                lines.extend(one(
                    "error",
                    format!("Error: {message}"),
                    Said::Diagnostic { diagnostic },
                ));
                lines
            }
            Event::Blocked { address, by } => {
                let mut hook = self.hook(address, None);
                hook.by = Some(by.to_string());
                one("error", format!("{address}: blocked by {by}"), Said::Blocked { hook })
            }
            Event::Unheard { why } => one(
                "warn",
                format!("nothing is heard of the cluster: {why}"),
                Said::Unheard { why: why.clone() },
            ),
            Event::Heard { after } => one(
                "info",
                format!("the cluster answers again, after {}", style::spent(*after)),
                Said::Heard {
                    after_seconds: after.as_secs_f64(),
                },
            ),
            Event::Interrupted => one("warn", "stopping: nothing new starts".to_owned(), Said::Interrupted),
        }
    }

    fn hook(&self, address: &Address, elapsed: Option<Duration>) -> Hook {
        let (resource, action) = self.steps.get(address).cloned().unwrap_or_else(|| {
            let name = address.to_string();
            (resource(address, "gate".to_owned(), name), "read")
        });
        Hook {
            resource,
            action,
            elapsed_seconds: elapsed.map(|time| time.as_secs_f64()),
            did: None,
            object: None,
            why: None,
            failure: None,
            by: None,
        }
    }
}

/// The last lines of a run: how many changes were made, and how it ended.
pub fn finished(report: &Report, of: Purpose, took: Duration, now: &str) -> Vec<Line> {
    let Report {
        created,
        updated,
        adopted,
        deleted,
        cleared,
        released,
        forgotten,
        ran,
        ready,
        failed,
        failed_after: _,
        blocked,
        remedied,
        interrupted,
        deleted_of: _,
    } = report;
    let changes = terraform::applied(
        Done {
            created: *created,
            updated: *updated,
            adopted: *adopted,
            deleted: *deleted,
            ran: *ran,
        },
        of,
    );
    let text = super::report::summary(report, of, took, &style::Style::PLAIN);
    let message = text.lines().next().unwrap_or_default().to_owned();
    let finished = FinishedJson {
        purpose: purpose(of),
        succeeded: report.succeeded(),
        interrupted: *interrupted,
        seconds: took.as_secs_f64(),
        summary: ReportCountsJson {
            created: *created,
            updated: *updated,
            adopted: *adopted,
            deleted: *deleted,
            cleared: *cleared,
            released: *released,
            forgotten: *forgotten,
            ran: *ran,
            ready: ready.len(),
            failed: failed.len(),
            blocked: blocked.len(),
        },
        failed: failed
            .iter()
            .map(|(address, is)| (address.to_string(), failure(is)))
            .collect(),
        blocked: blocked
            .iter()
            .map(|(address, by)| (address.to_string(), by.to_string()))
            .collect(),
        remedied: remedied
            .iter()
            .map(|(address, why)| RemediedJson {
                address: address.to_string(),
                why: why.clone(),
            })
            .collect(),
    };
    let at = Some(took);
    let level = if report.succeeded() { "info" } else { "error" };
    vec![
        line(level, message.clone(), at, now, Said::ChangeSummary { changes }),
        line(level, message, at, now, Said::Finished(finished)),
    ]
}

/// What the platform offers.
pub fn outputs(outputs: &[Output], now: &str) -> Line {
    let one = |output: &Output| {
        let json = OutputJson {
            sensitive: false,
            output_type: "string",
            value: output.value.clone(),
            description: output.description.clone(),
        };
        (output.name.clone(), json)
    };
    let outputs: BTreeMap<_, _> = outputs.iter().map(one).collect();
    let message = format!("Outputs: {}", outputs.len());
    line("info", message, None, now, Said::Outputs { outputs })
}

/// What kept a command from its end.
pub fn errors(error: &Error, now: &str) -> Vec<Line> {
    let one = |diagnostic: DiagnosticJson| {
        let message = format!("Error: {}", diagnostic.summary);
        line("error", message, None, now, Said::Diagnostic { diagnostic })
    };
    match error {
        Error::Interrupted => Vec::new(),
        Error::Problems(problems) => problems.iter().map(of_problem).map(one).collect(),
        Error::Stack(all) => all.errors().iter().map(of_stack).map(one).collect(),
    }
}

fn of_problem(problem: &Problem) -> DiagnosticJson {
    DiagnosticJson {
        code: problem.code.clone(),
        ..told(&problem.what, &problem.because, problem.hint.as_deref())
    }
}

fn of_stack(error: &StackError) -> DiagnosticJson {
    let at = error.position();
    DiagnosticJson {
        code: Some(error.code()),
        help: error.help(),
        file: Some(at.file.clone()),
        line: Some(at.line),
        column: Some(at.column),
        ..told(&error.to_string(), &[], None)
    }
}

fn told(summary: &str, because: &[String], help: Option<&str>) -> DiagnosticJson {
    DiagnosticJson {
        severity: "error",
        summary: summary.to_owned(),
        detail: because.join("\n"),
        address: None,
        code: None,
        help: help.map(str::to_owned),
        file: None,
        line: None,
        column: None,
    }
}

fn resource_of(step: &Step) -> ResourceJson {
    resource(
        &step.address,
        terraform::resource_type(step),
        terraform::resource_name(step),
    )
}

fn resource(address: &Address, resource_type: String, resource_name: String) -> ResourceJson {
    ResourceJson {
        addr: address.to_string(),
        module: "",
        resource: address.to_string(),
        implied_provider: terraform::PROVIDER,
        resource_type,
        resource_name,
        resource_key: (),
    }
}
