//! Refusals: the `Status` objects that a failed request is answered with.
//!
//! Invariant: texts, reasons, causes and codes are those of a real server (`reference/ssa-semantics.md`, §1, §4, §7, §8,
//! §12, §13); clients match on some of them.

use http::StatusCode;
use serde_json::{Map, Value, json};
pub(super) use stackctl_schema::{FieldError, go_quote};

/// What a request is about, for the words of a refusal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) group: &'a str,
    pub(super) kind: &'a str,
    pub(super) resource: &'a str,
    pub(super) name: &'a str,
}

impl Subject<'_> {
    /// `things.exp-x.io`, or `configmaps` in the core group.
    pub(super) fn qualified_resource(&self) -> String {
        if self.group.is_empty() {
            self.resource.to_owned()
        } else {
            format!("{}.{}", self.resource, self.group)
        }
    }

    /// `Thing.exp-x.io`, or `ConfigMap` in the core group.
    fn qualified_kind(&self) -> String {
        if self.group.is_empty() {
            self.kind.to_owned()
        } else {
            format!("{}.{}", self.kind, self.group)
        }
    }

    fn details(&self, kind: &str) -> Map<String, Value> {
        let mut details = Map::new();
        if !self.name.is_empty() {
            details.insert("name".to_owned(), json!(self.name));
        }
        if !self.group.is_empty() {
            details.insert("group".to_owned(), json!(self.group));
        }
        if !kind.is_empty() {
            details.insert("kind".to_owned(), json!(kind));
        }
        details
    }
}

/// A refused request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) code: u16,
    reason: Option<&'static str>,
    message: String,
    details: Option<Map<String, Value>>,
    continue_token: Option<String>,
    /// A body that is no `Status` (`404 page not found`).
    plain: bool,
    /// Not for the client: the write is to be computed again.
    is_stale: bool,
    /// What the client is warned of beside it. Boxed: a refusal is the error of nearly every function here.
    warnings: Box<[String]>,
}

impl Refusal {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: Some(reason),
            message: message.into(),
            details: None,
            continue_token: None,
            plain: false,
            is_stale: false,
            warnings: Box::default(),
        }
    }

    fn about(mut self, details: Map<String, Value>) -> Self {
        self.details = Some(details);
        self
    }

    fn with_cause(mut self, reason: &str, message: &str, field: Option<&str>) -> Self {
        let mut cause = Map::new();
        cause.insert("reason".to_owned(), json!(reason));
        cause.insert("message".to_owned(), json!(message));
        if let Some(field) = field {
            cause.insert("field".to_owned(), json!(field));
        }
        let details = self.details.get_or_insert_with(Map::new);
        if let Some(Value::Array(causes)) = details.get_mut("causes") {
            causes.push(Value::Object(cause));
        } else {
            details.insert("causes".to_owned(), json!([cause]));
        }
        self
    }

    /// The same refusal, with warnings that came up before it.
    pub(super) fn warning(mut self, warnings: &[String]) -> Self {
        self.warnings = warnings.into();
        self
    }

    /// What the client is warned of.
    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The message, for logs and tests.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Somebody else was faster; the write is to be computed again.
    pub(super) fn stale(subject: Subject<'_>) -> Self {
        Self {
            is_stale: true,
            ..Self::modified(subject)
        }
    }

    pub(super) fn is_stale(&self) -> bool {
        self.is_stale
    }

    pub(super) fn is_already_exists(&self) -> bool {
        self.reason == Some("AlreadyExists")
    }

    /// 404 `text/plain`: the group, or a version of a custom kind, is not served (§7).
    pub(super) fn page_not_found() -> Self {
        Self {
            plain: true,
            ..Self::new(404, "NotFound", "404 page not found")
        }
    }

    /// 404: a kind or version that a known group does not serve (§7).
    pub(super) fn resource_not_found() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource").about(Map::new())
    }

    pub(super) fn not_found(subject: Subject<'_>) -> Self {
        let message = format!("{} \"{}\" not found", subject.qualified_resource(), subject.name);
        Self::new(404, "NotFound", message).about(subject.details(subject.resource))
    }

    pub(super) fn already_exists(subject: Subject<'_>) -> Self {
        let message = format!("{} \"{}\" already exists", subject.qualified_resource(), subject.name);
        Self::new(409, "AlreadyExists", message).about(subject.details(subject.resource))
    }

    /// 409 for a create of what still terminates (§12).
    pub(super) fn being_deleted(subject: Subject<'_>) -> Self {
        let message = format!(
            "object is being deleted: {} \"{}\" already exists",
            subject.qualified_resource(),
            subject.name
        );
        Self::new(409, "AlreadyExists", message).about(subject.details(subject.resource))
    }

    pub(super) fn conflict(subject: Subject<'_>, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{}\": {why}",
            subject.qualified_resource(),
            subject.name
        );
        Self::new(409, "Conflict", message).about(subject.details(subject.resource))
    }

    /// 409 of a delete's precondition, which names the kind and not the resource (§12).
    pub(super) fn precondition(subject: Subject<'_>, why: &str) -> Self {
        let message = format!(
            "Operation cannot be fulfilled on {} \"{}\": {why}",
            subject.qualified_kind(),
            subject.name
        );
        Self::new(409, "Conflict", message).about(subject.details(subject.kind))
    }

    pub(super) fn modified(subject: Subject<'_>) -> Self {
        Self::conflict(
            subject,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// 409 of an apply: `causes` are (message, path) (§1).
    pub(super) fn apply_conflict(message: String, causes: Vec<(String, String)>) -> Self {
        let mut refusal = Self::new(409, "Conflict", message).about(Map::new());
        for (message, field) in causes {
            refusal = refusal.with_cause("FieldManagerConflict", &message, Some(&field));
        }
        refusal
    }

    pub(super) fn invalid(subject: Subject<'_>, errors: &[FieldError]) -> Self {
        let mut texts: Vec<String> = Vec::new();
        for error in errors {
            let text = error.text();
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        let joined = match texts.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let message = format!("{} \"{}\" is invalid: {joined}", subject.qualified_kind(), subject.name);
        let mut refusal = Self::new(422, "Invalid", message).about(subject.details(subject.kind));
        for error in errors {
            refusal = refusal.with_cause(error.reason, &error.body, Some(&error.field));
        }
        refusal
    }

    /// 422 for options of a request, not for an object.
    pub(super) fn invalid_options(kind: &str, errors: &[FieldError]) -> Self {
        Self::invalid(
            Subject {
                group: "meta.k8s.io",
                kind,
                resource: "",
                name: "",
            },
            errors,
        )
    }

    /// 422 of a JSON patch that could not be applied: no detail at all (§5).
    pub(super) fn unusable_patch() -> Self {
        Self::new(
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
        )
        .about(Map::new())
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub(super) fn forbidden_text(message: impl Into<String>) -> Self {
        Self::new(403, "Forbidden", message)
    }

    /// 403 about a resource: `pods "a" is forbidden: <why>`.
    pub(super) fn forbidden(subject: Subject<'_>, why: &str) -> Self {
        let name = match subject.name {
            "" => String::new(),
            name => format!(" \"{name}\""),
        };
        let message = format!("{}{name} is forbidden: {why}", subject.qualified_resource());
        Self::new(403, "Forbidden", message).about(subject.details(subject.resource))
    }

    /// 403 about a path that is no resource.
    pub(super) fn forbidden_path(why: &str) -> Self {
        Self::new(403, "Forbidden", format!("forbidden: {why}")).about(Map::new())
    }

    /// An answer of the server's frame, not of the API: text alone.
    pub(super) fn plain(code: u16, message: String) -> Self {
        Self {
            plain: true,
            ..Self::new(code, "", message)
        }
    }

    /// 403 for content in a namespace that terminates (§12).
    pub(super) fn namespace_terminating(subject: Subject<'_>, namespace: &str) -> Self {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let message = format!(
            "{} \"{}\" is forbidden: {why}",
            subject.qualified_resource(),
            subject.name
        );
        Self::new(403, "Forbidden", message)
            .about(subject.details(subject.resource))
            .with_cause(
                "NamespaceTerminating",
                &format!("namespace {namespace} is being terminated"),
                Some("metadata.namespace"),
            )
    }

    /// 500 with reason `InternalError`, for what could be tried again (§7).
    pub(super) fn internal(why: &str) -> Self {
        Self::new(500, "InternalError", format!("Internal error occurred: {why}")).with_cause_text(why)
    }

    fn with_cause_text(mut self, message: &str) -> Self {
        self.details = Some(Map::from_iter([("causes".to_owned(), json!([{ "message": message }]))]));
        self
    }

    /// 500 without a reason: what Go's API machinery makes of an error that is no API error (§8, §9).
    pub(super) fn untyped(message: impl Into<String>) -> Self {
        Self {
            reason: None,
            ..Self::new(500, "", message)
        }
    }

    pub(super) fn method_not_allowed(message: impl Into<String>) -> Self {
        Self::new(405, "MethodNotAllowed", message).about(Map::new())
    }

    /// 405 for a create of a custom object whose definition terminates (§12).
    pub(super) fn definition_terminating(subject: Subject<'_>) -> Self {
        Self::new(
            405,
            "MethodNotAllowed",
            "create not allowed while custom resource definition is terminating",
        )
        .about(subject.details(subject.resource))
    }

    pub(super) fn unsupported_media_type(accepted: &str) -> Self {
        let message =
            format!("the body of the request was in an unknown format - accepted media types include: {accepted}");
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// 503: what is asked for is known, and nobody answers for it.
    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(503, "ServiceUnavailable", message).about(Map::new())
    }

    /// 429: an eviction that a disruption budget forbids.
    pub(super) fn disruption_budget() -> Self {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        Self::new(429, "TooManyRequests", message).about(Map::new())
    }

    pub(super) fn too_large() -> Self {
        Self::new(
            413,
            "RequestEntityTooLarge",
            "Request entity too large: limit is 3145728",
        )
        .about(Map::new())
    }

    /// 410 with an optional token to go on inconsistently (§13).
    pub(super) fn expired(message: impl Into<String>, continue_token: Option<String>) -> Self {
        Self {
            continue_token,
            ..Self::new(410, "Expired", message)
        }
    }

    /// 504 of a request that took too long; it may still be carried out
    /// (`k8s.io/apiserver/pkg/server/filters/timeout.go`).
    pub(super) fn timed_out() -> Self {
        Self::new(
            504,
            "Timeout",
            "Timeout: request did not complete within the allotted timeout",
        )
        .about(Map::new())
    }

    /// 500 `ServerTimeout`, of a store that cannot be reached
    /// (`k8s.io/apimachinery/pkg/api/errors/errors.go`, `NewServerTimeout`).
    pub(super) fn server_timeout(subject: Subject<'_>, operation: &str, retry_after_seconds: u64) -> Self {
        let message = format!(
            "The {operation} operation against {} could not be completed at this time, please try again.",
            subject.qualified_resource()
        );
        let mut details = subject.details(subject.resource);
        details.insert("name".to_owned(), json!(operation));
        details.insert("retryAfterSeconds".to_owned(), json!(retry_after_seconds));
        Self::new(500, "ServerTimeout", message).about(details)
    }

    /// 504 for a resourceVersion from the future (§13).
    pub(super) fn too_new(asked: u64, current: u64) -> Self {
        let mut refusal = Self::new(
            504,
            "Timeout",
            format!("Timeout: Too large resource version: {asked}, current: {current}"),
        )
        .with_cause("ResourceVersionTooLarge", "Too large resource version", None);
        if let Some(details) = &mut refusal.details {
            details.insert("retryAfterSeconds".to_owned(), json!(1));
        }
        refusal
    }

    /// The `Status` object.
    pub(super) fn to_status(&self) -> Value {
        let mut metadata = Map::new();
        if let Some(token) = &self.continue_token {
            metadata.insert("continue".to_owned(), json!(token));
        }
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if let Some(reason) = self.reason {
            status["reason"] = json!(reason);
        }
        if let Some(details) = &self.details {
            status["details"] = Value::Object(details.clone());
        }
        status
    }

    /// Body and content type of the answer.
    pub(super) fn to_body(&self) -> (StatusCode, &'static str, Vec<u8>) {
        let code = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if self.plain {
            return (
                code,
                "text/plain; charset=utf-8",
                format!("{}\n", self.message).into_bytes(),
            );
        }
        (code, "application/json", self.to_status().to_string().into_bytes())
    }
}
