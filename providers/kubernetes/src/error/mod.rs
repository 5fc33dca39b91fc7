//! What a refusal means: the one table from the server's answer to a [`ProviderError`].
//!
//! Each row cites the section of `ssa-semantics.md` where the answer was seen, or the source of Kubernetes where it was
//! not. Whether an error is worth another try is not said here but by [`ProviderError::retry`].
//!
//! Invariants: nothing of a request's body gets into an error; a message about a Secret repeats no value.

use crate::{
    quoted::{first_quoted, without_long_values, without_values},
    status::{Refusal, StatusCause},
};
use stackctl_engine::{
    ObjectType,
    execute::{Cause, ProviderError},
    retry::RetryClass,
};
use std::{collections::BTreeSet, error::Error, fmt::Write as _, io};

/// What a request was about, as far as the meaning of its refusal depends on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    /// The type of the object or list.
    pub(crate) object_type: &'a ObjectType,
    /// Whether the request named a namespace.
    pub(crate) is_in_namespace: bool,
}

impl Subject<'_> {
    /// The server's words, fit to be shown.
    pub(crate) fn shown(&self, message: &str) -> String {
        if self.object_type.kind == "Secret" && self.object_type.group().is_empty() {
            without_values(message)
        } else {
            without_long_values(message)
        }
    }
}

/// Says what a refusal means. The first row that fits holds.
pub(crate) fn meaning(refusal: &Refusal, subject: Subject<'_>) -> ProviderError {
    let message = refusal.message();
    let shown = || match message {
        "" => format!("the server answered {} without a word", refusal.code),
        words => subject.shown(words),
    };
    match (refusal.code, refusal.reason()) {
        // §7, last rows of the table; §13 for 504. A webhook's own 429 is about patience too.
        (429, _) => ProviderError::Throttled {
            retry_after: refusal.asked_delay(),
        },
        (502..=504, _) => ProviderError::Unavailable(shown()),
        // §7: a bad token.
        (401, _) => ProviderError::Unauthorized(shown()),
        // A webhook chooses its code freely: k8s.io/apiserver/pkg/admission/plugin/webhook/errors/statuserror.go.
        _ if is_webhook_denial(message) => ProviderError::Denied {
            webhook: first_quoted(message),
            message: shown(),
        },
        // k8s.io/apiserver/pkg/admission/plugin/webhook/errors/statuserror.go, `NewDryRunUnsupportedErr`.
        (400, _) if is_no_dry_run(message) => ProviderError::TakesNoDryRun {
            webhook: first_quoted(message).unwrap_or_default(),
        },
        // §7: ValidatingAdmissionPolicy, seen with 422 Invalid; its `reason` may make it another code.
        _ if is_policy_denial(message) => ProviderError::Denied {
            webhook: None,
            message: shown(),
        },
        // §12: create in a namespace that is being deleted, dry-run too.
        (403, _) if has_cause(refusal, "NamespaceTerminating") => ProviderError::NamespaceTerminating,
        // Without credentials we are this user: k8s.io/apiserver/pkg/authentication/user/user.go.
        (403, _) if message.contains("User \"system:anonymous\"") => ProviderError::Unauthorized(shown()),
        // §7: not allowed.
        (403, _) => ProviderError::Forbidden(shown()),
        (404, _) => absence(refusal, subject),
        // §12: POST of an instance while its CRD is terminating.
        (405, _) if message.contains("custom resource definition is terminating") => ProviderError::BeingDeleted,
        (409, reason) => conflict(refusal, reason, shown),
        // §4: an apply, and a JSON patch, that name another uid than the live one.
        (422, _) if is_immutable_uid(refusal) => ProviderError::OtherUid,
        // §12: a new finalizer on a terminating object.
        (422, _) if message.contains("no new finalizers can be added if the object is being deleted") => {
            ProviderError::BeingDeleted
        }
        // §7, §8, §10, §3: schema bounds, CEL, required, immutable, null parents, failed JSON patches.
        (422, _) => ProviderError::Invalid {
            message: shown(),
            causes: field_texts(refusal.causes(), subject),
        },
        (500, reason) => internal(message, reason, shown),
        // §8: a duplicate key; §15: a time with the wrong number of decimals.
        (400, _) if message.contains("strict decoding") || message.contains("cannot be handled as a") => {
            ProviderError::Schema(shown())
        }
        // §7: 400 of a body that is not what the URL says, 413; §5: managedFields in an apply.
        _ => ProviderError::Other(shown()),
    }
}

/// Whether a 404 says that the path itself is unknown: a plain text for an unknown group or version, a `Status` without
/// details for an unknown kind of a known group (§7).
pub(crate) fn is_unknown_path(refusal: &Refusal) -> bool {
    refusal.code == 404
        && refusal.status.as_ref().is_none_or(|status| {
            status.message == "the server could not find the requested resource"
                || (status.details.name.is_empty() && status.details.kind.is_empty())
        })
}

/// The three meanings of 404 (§7).
fn absence(refusal: &Refusal, subject: Subject<'_>) -> ProviderError {
    match &refusal.status {
        _ if is_unknown_path(refusal) => ProviderError::KindNotServed(subject.object_type.clone()),
        Some(status) if status.details.kind == "namespaces" && subject.is_in_namespace => {
            ProviderError::NamespaceMissing(status.details.name.clone())
        }
        _ => ProviderError::NotFound,
    }
}

/// The five meanings of 409.
fn conflict(refusal: &Refusal, reason: &str, shown: impl Fn() -> String) -> ProviderError {
    let message = refusal.message();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    // §1. The server reports these before staleness (§4).
    if has_cause(refusal, FIELD_CONFLICT) {
        ProviderError::Conflict(managers(refusal.causes()))
    } else if reason == "AlreadyExists" && message.starts_with("object is being deleted:") {
        // §12: POST of an object that is terminating.
        ProviderError::BeingDeleted
    } else if reason == "AlreadyExists" {
        // §15.
        ProviderError::AlreadyExists
    } else if says(&["uid mismatch", "UID in precondition", "the UID in the precondition"]) {
        // §4 for apply, §15 for PUT, §12 for DELETE.
        ProviderError::OtherUid
    } else if says(&[
        "the object has been modified",
        "ResourceVersion in precondition",
        "the ResourceVersion in the precondition",
    ]) {
        // §4, §5, §15; the last for DELETE, §12.
        ProviderError::Modified
    } else {
        ProviderError::Other(shown())
    }
}

/// The meanings of 500. With `reason` it is the server's trouble, without it our content's (§8), but for what the
/// server passes on from elsewhere.
fn internal(message: &str, reason: &str, shown: impl Fn() -> String) -> ProviderError {
    // §7: webhook without service, or refused. A conversion webhook comes without a reason:
    // k8s.io/apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go.
    if message.contains("failed calling webhook") || message.contains("conversion webhook for") {
        ProviderError::WebhookUnavailable(shown())
    // §9: a version is gone from its CRD while a managedFields entry is in it.
    } else if message.contains("request to convert CR to an invalid group/version") {
        ProviderError::VersionGone(shown())
    } else if is_trouble_of_store(message) || reason == "ServerTimeout" {
        // k8s.io/apimachinery/pkg/apis/meta/v1/types.go on ServerTimeout: "the client should retry the request".
        ProviderError::Unavailable(shown())
    // The same file on InternalError: "unexpected and the outcome of the call is unknown". Kubernetes' own tests try it
    // again (k8s.io/kubernetes/test/utils/create_resources.go, `IsRetryableAPIError`), kubectl and Terraform do not; a
    // defect that our content meets says it for ever. So it is tried a few times.
    } else if reason == "InternalError" {
        ProviderError::Internal(shown())
    } else if reason.is_empty() || message.starts_with("etcdserver:") {
        ProviderError::Schema(shown())
    } else {
        ProviderError::Other(shown())
    }
}

/// Whether the store is in trouble that passes. Its errors are passed on without a reason
/// (k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/status.go); these are the ones with the code `Unavailable`
/// (go.etcd.io/etcd/api/v3/v3rpc/rpctypes/error.go), and no leader is what a caller waits out. Others, such as a request
/// that is too large, do not pass. client-go retries none of them; kapp learnt to
/// (<https://github.com/carvel-dev/kapp/issues/106>).
fn is_trouble_of_store(message: &str) -> bool {
    const PASSES: [&str; 6] = [
        "request timed out",
        "leader changed",
        "no leader",
        "server stopped",
        "unhealthy cluster",
        "too many requests",
    ];
    let of_store = message.strip_prefix("etcdserver: ");
    of_store.is_some_and(|said| PASSES.iter().any(|passes| said.starts_with(passes)))
        || message.starts_with("rpc error: code = Unavailable")
}

/// What a refusal says about asking again for what changes nothing: only trouble of the server itself counts, since
/// whoever asked decides about all else.
pub(crate) fn patience(refusal: &Refusal) -> RetryClass {
    let any = ObjectType::new("v1", "Status");
    let error = meaning(
        refusal,
        Subject {
            object_type: &any,
            is_in_namespace: false,
        },
    );
    match error {
        ProviderError::Throttled { .. } | ProviderError::Unavailable(_) | ProviderError::Internal(_) => error.retry(),
        _ => RetryClass::Never,
    }
}

/// Whether a connection was there and broke before the answer had come.
pub(crate) fn is_lost(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let broke = error.downcast_ref::<io::Error>().is_some_and(|error| {
            matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::UnexpectedEof
            )
        });
        // The words of hyper's `Error::is_incomplete_message`.
        if broke || error.to_string() == "connection closed before message completed" {
            return true;
        }
        next = error.source();
    }
    false
}

const FIELD_CONFLICT: &str = "FieldManagerConflict";

fn has_cause(refusal: &Refusal, reason: &str) -> bool {
    refusal.causes().iter().any(|cause| cause.reason == reason)
}

/// `admission webhook "x" denied the request: …`
/// (`k8s.io/apiserver/pkg/admission/plugin/webhook/errors/statuserror.go`).
fn is_webhook_denial(message: &str) -> bool {
    message.starts_with("admission webhook \"") && message.contains("\" denied the request")
}

/// A webhook whose `sideEffects` are `Some` or `Unknown` is not called for a dry run, and the request is refused.
fn is_no_dry_run(message: &str) -> bool {
    message.starts_with("admission webhook \"") && message.ends_with("\" does not support dry run")
}

fn is_policy_denial(message: &str) -> bool {
    message.contains("ValidatingAdmissionPolicy '") && message.contains(" denied request")
}

fn is_immutable_uid(refusal: &Refusal) -> bool {
    let causes = refusal.causes();
    causes
        .iter()
        .any(|cause| cause.field == "metadata.uid" && cause.message.contains("field is immutable"))
}

/// The managers in the way. The name ends at its closing quote; against an `Update` more words follow (§1).
fn managers(causes: &[StatusCause]) -> Vec<Cause> {
    let conflicts = causes.iter().filter(|cause| cause.reason == FIELD_CONFLICT);
    let once: BTreeSet<Cause> = conflicts
        .map(|cause| Cause {
            manager: first_quoted(&cause.message).unwrap_or_else(|| cause.message.clone()),
            field: cause.field.clone(),
            message: cause.message.clone(),
        })
        .collect();
    once.into_iter().collect()
}

/// Field and text of each cause, in the server's order, each once; a field `<nil>` only says that some rules were not
/// checked (§7).
fn field_texts(causes: &[StatusCause], subject: Subject<'_>) -> Vec<(String, String)> {
    let mut texts = Vec::new();
    for cause in causes.iter().filter(|cause| cause.field != "<nil>") {
        let text = (cause.field.clone(), subject.shown(&cause.message));
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// What it means that there was no answer at all.
pub(crate) fn silence(server: &str, error: &kube::Error) -> ProviderError {
    match error {
        kube::Error::Auth(error) => ProviderError::Unauthorized(credentials_trouble(error)),
        error => match auth_error_in(error) {
            Some(error) => ProviderError::Unauthorized(credentials_trouble(error)),
            None => ProviderError::Unreachable(format!("{server}: {}", chain(error))),
        },
    }
}

fn auth_error_in(error: &kube::Error) -> Option<&kube::client::AuthError> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(auth) = error.downcast_ref() {
            return Some(auth);
        }
        source = error.source();
    }
    None
}

/// Why no credentials could be had. What a credential command printed may be a token, and kube shows the command with
/// its environment: neither is repeated.
pub(crate) fn credentials_trouble(error: &kube::client::AuthError) -> String {
    use kube::client::AuthError;
    match error {
        AuthError::AuthExecRun { out, .. } => {
            format!("the credential command of the kubeconfig ended with {}", out.status)
        }
        AuthError::AuthExecStart(cause) => {
            format!("the credential command of the kubeconfig cannot be started: {cause}")
        }
        AuthError::ReadTokenFile(cause, path) => format!("the token file {} cannot be read: {cause}", path.display()),
        AuthError::AuthExecParse(_) | AuthError::ParseTokenKey(_) | AuthError::ExecPluginFailed => {
            "the credential command of the kubeconfig gave no usable answer".to_owned()
        }
        _ => "the credentials of the kubeconfig cannot be used".to_owned(),
    }
}

/// An error and what caused it, each said once.
fn chain(error: &dyn Error) -> String {
    let mut text = String::new();
    let mut next: Option<&dyn Error> = Some(innermost_of_kube(error));
    while let Some(error) = next {
        let words = error.to_string();
        if text.is_empty() {
            text = words;
        } else if !text.contains(&words) {
            // Writing to a String cannot fail.
            let _infallible = write!(text, ": {words}");
        }
        next = error.source();
    }
    text
}

/// kube's own wrapper repeats its cause in its text.
fn innermost_of_kube(error: &dyn Error) -> &dyn Error {
    error.source().unwrap_or(error)
}

#[cfg(test)]
mod tests;
