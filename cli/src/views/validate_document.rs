//! What is wrong with a stack, for machines: the answer of `validate`.

use super::json::FORMAT_VERSION;
use crate::error::Problem;
use miette::Diagnostic as _;
use schemars::JsonSchema;
use serde::Serialize;
use stackctl_stacks::{
    StackError,
    definitions::{Coverage, DefinitionFault},
    manifests::ManifestsNotice,
};

/// `validate`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ValidateJson {
    format_version: u32,
    /// Whether the stack can be used.
    valid: bool,
    /// The name of the stack, once it parses.
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<String>,
    diagnostics: Vec<DiagnosticJson>,
    summary: SummaryJson,
    /// How much definitions could judge, once the stack compiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    checked: Option<CheckedJson>,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct DiagnosticJson {
    /// What `explain` knows; null where there is none.
    code: Option<String>,
    /// `error` or `warning`.
    severity: &'static str,
    message: String,
    /// What to do.
    help: Option<String>,
    file: Option<String>,
    /// From 1.
    line: Option<usize>,
    /// From 1; null of what is told of a manifest.
    column: Option<usize>,
    /// The bytes in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<SpanJson>,
    /// Where the code is explained.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// The resource that a definition speaks against.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// The field that a definition speaks against.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SpanJson {
    /// The first byte, from 0.
    start: usize,
    /// The one after the last.
    end: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SummaryJson {
    errors: usize,
    warnings: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CheckedJson {
    objects: usize,
    /// How many of them a definition is known of.
    by_definition: usize,
}

/// Converts diagnostics of a stack.
pub fn diagnostics<'a>(all: impl Iterator<Item = &'a StackError>) -> ValidateJson {
    let one = |found: &StackError| {
        let (at, span) = (found.position(), found.span());
        DiagnosticJson {
            code: Some(found.code()),
            severity: if found.is_warning() { "warning" } else { "error" },
            message: found.to_string(),
            help: found.help(),
            file: Some(at.file.clone()),
            line: Some(at.line),
            column: Some(at.column),
            span: Some(SpanJson {
                start: span.start,
                end: span.end,
            }),
            link: found.link(),
            ..DiagnosticJson::default()
        }
    };
    let mut answer = ValidateJson {
        format_version: FORMAT_VERSION,
        valid: true,
        stack: None,
        diagnostics: Vec::new(),
        summary: SummaryJson { errors: 0, warnings: 0 },
        checked: None,
    };
    answer.add(all.map(one));
    answer
}

impl ValidateJson {
    /// Of a stack that parses.
    #[must_use]
    pub fn of_stack(mut self, name: &str) -> Self {
        self.stack = Some(name.to_owned());
        self
    }

    /// Adds what definitions say against objects.
    #[must_use]
    pub fn with_faults(mut self, errors: &[DefinitionFault], warnings: &[DefinitionFault]) -> Self {
        self.add(errors.iter().map(|fault| of_fault(fault, "error")));
        self.add(warnings.iter().map(|fault| of_fault(fault, "warning")));
        self
    }

    /// Adds what keeps a stack from being compiled; a message says its own file and line.
    #[must_use]
    pub fn with_problems(mut self, problems: &[Problem]) -> Self {
        self.add(problems.iter().map(|problem| DiagnosticJson {
            code: problem.code.clone(),
            severity: "error",
            message: problem.what.clone(),
            help: problem.hint.clone(),
            ..DiagnosticJson::default()
        }));
        self
    }

    /// Adds what people are told about their manifests.
    #[must_use]
    pub fn with_notices(mut self, notices: &[ManifestsNotice]) -> Self {
        self.add(notices.iter().map(|notice| {
            let at = notice.at();
            DiagnosticJson {
                code: notice.code().map(|code| code.to_string()),
                severity: "warning",
                message: notice.to_string(),
                help: notice.help().map(|help| help.to_string()),
                file: Some(at.file.clone()),
                line: Some(at.line),
                ..DiagnosticJson::default()
            }
        }));
        self
    }

    /// Adds how much definitions could judge.
    #[must_use]
    pub fn with_coverage(mut self, coverage: Coverage) -> Self {
        self.checked = Some(CheckedJson {
            objects: coverage.objects,
            by_definition: coverage.judged,
        });
        self
    }

    fn add(&mut self, all: impl Iterator<Item = DiagnosticJson>) {
        for found in all {
            let is_error = found.severity == "error";
            self.summary.errors += usize::from(is_error);
            self.summary.warnings += usize::from(!is_error);
            self.valid &= !is_error;
            self.diagnostics.push(found);
        }
    }
}

fn of_fault(fault: &DefinitionFault, severity: &'static str) -> DiagnosticJson {
    let place = fault.place();
    let at = place.and_then(|place| place.at.as_ref());
    DiagnosticJson {
        code: fault.code().map(|code| code.to_string()),
        severity,
        message: fault.to_string(),
        help: fault.help().map(|help| help.to_string()),
        file: at.map(|at| at.file.clone()),
        line: at.map(|at| at.line),
        address: place.map(|place| place.address.to_string()),
        field: fault.field().map(str::to_owned),
        ..DiagnosticJson::default()
    }
}
