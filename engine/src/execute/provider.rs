//! The verbs that an execution has for a cluster; the contract in words.
//!
//! A provider sends one request for each call that changes something, and tells what the server said, as a value; what
//! changes nothing it may ask again for some seconds. It decides nothing and knows no component. `ssa-semantics.md` is
//! what the server behind it was seen to do.

use crate::{
    object_key::{ObjectRef, ObjectType},
    retry::RetryClass,
};
use futures_util::stream::BoxStream;
use serde_json::Value;
use std::{collections::BTreeMap, future::Future, time::Duration};

/// Everything that planning and execution ask of a cluster.
pub trait Provider: Sync {
    /// Reads one object; `None` when the object, its namespace or its kind is not there.
    fn get(&self, object: &ObjectRef) -> impl Future<Output = Result<Option<Value>, ProviderError>> + Send;

    /// Reads all objects of a type that a selector admits, in pages; in all namespaces when none is given. An empty
    /// list when the kind is not served.
    fn list(
        &self,
        object_type: &ObjectType,
        namespace: Option<&str>,
        selector: &Selector,
    ) -> impl Future<Output = Result<Vec<Value>, ProviderError>> + Send;

    /// Reads what [`Self::list`] reads and keeps of each object what `keep` makes of it as it comes: of a long list all maps
    /// at once would be many times its text.
    fn list_as<T: Send>(
        &self,
        object_type: &ObjectType,
        namespace: Option<&str>,
        selector: &Selector,
        keep: impl Fn(Value) -> T + Send + Sync,
    ) -> impl Future<Output = Result<Vec<T>, ProviderError>> + Send {
        async move {
            let objects = self.list(object_type, namespace, selector).await?;
            Ok(objects.into_iter().map(keep).collect())
        }
    }

    /// Server-side apply.
    fn apply(&self, request: &ApplyRequest) -> impl Future<Output = Result<ApplyAnswer, ProviderError>> + Send;

    /// A JSON patch or a merge patch, which are `Update`s to the server.
    fn patch(&self, request: &PatchRequest) -> impl Future<Output = Result<Value, ProviderError>> + Send;

    /// Deletes one object; options travel in the body (ssa-semantics §12).
    fn delete(&self, request: &DeleteRequest) -> impl Future<Output = Result<Deletion, ProviderError>> + Send;

    /// Watches a type in one namespace, or in all of them. The stream starts with a [`WatchEvent::Snapshot`], resumes
    /// by itself after drops and 410 (with a new snapshot when it lost track), waits for a kind that is not served
    /// yet (an empty snapshot first), and never ends.
    fn watch(&self, object_type: &ObjectType, namespace: Option<&str>) -> BoxStream<'static, WatchEvent>;
}

/// Which objects a list is about.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Selector {
    /// Labels that must be equal.
    pub labels: BTreeMap<String, String>,
}

/// One server-side apply.
#[derive(Clone, Debug, PartialEq)]
pub struct ApplyRequest {
    /// The object.
    pub object: ObjectRef,
    /// The whole body, late values in place; with `metadata.uid` and `metadata.resourceVersion` as preconditions
    /// where the caller wants them.
    pub body: Value,
    /// The field manager.
    pub manager: String,
    /// Takes fields from other managers.
    pub force: bool,
    /// Asks only.
    pub dry_run: bool,
}

/// What the server answered to an apply.
#[derive(Clone, Debug, PartialEq)]
pub struct ApplyAnswer {
    /// The object as it is, or would be, afterwards.
    pub object: Value,
    /// Whether it was, or would be, created (201) rather than changed (200).
    pub created: bool,
    /// What the server, or one of its webhooks or policies, warns of, each fit to be shown.
    pub warnings: Vec<String>,
}

/// One patch.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchRequest {
    /// The object.
    pub object: ObjectRef,
    /// The patch.
    pub patch: Patch,
    /// The field manager.
    pub manager: String,
    /// Asks only.
    pub dry_run: bool,
}

/// The two kinds of patch that are used.
#[derive(Clone, Debug, PartialEq)]
pub enum Patch {
    /// RFC 6902: a list of operations.
    Json(Value),
    /// RFC 7386.
    Merge(Value),
}

/// One deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteRequest {
    /// The object.
    pub object: ObjectRef,
    /// Its uid must be this one; another one answers [`ProviderError::OtherUid`].
    pub uid: Option<String>,
    /// Its resourceVersion must be this one; another one answers [`ProviderError::Modified`]. For a deletion that was decided
    /// by what is in the object: beside a uid alone, what others wrote since it was read would go along.
    pub resource_version: Option<String>,
    /// Whether its dependents go before it (foreground) rather than after it (background).
    pub foreground: bool,
}

/// What became of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone, or was not there.
    Gone,
    /// It is marked; finalizers have still to be cleared.
    Marked,
}

/// What a watch tells.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent {
    /// Everything that is there now; what was known before and is not in it is gone.
    Snapshot(Vec<Value>),
    /// An object was created or changed.
    Changed(Value),
    /// An object is gone; its last state.
    Gone(Value),
    /// The watch is being set up again, and why; for people.
    Interrupted(String),
    /// The watch goes on where it was interrupted; nothing was missed.
    Resumed,
}

/// One manager and field that stand in the way of an apply.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// The other manager, as the server names it.
    pub manager: String,
    /// The field, as the server writes it: `.spec.replicas`. Compared as text, never parsed.
    pub field: String,
    /// The cause in the server's words.
    pub message: String,
}

/// What the server refused, or why it could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Other managers own fields that an unforced apply would change.
    #[error("other managers own fields of it")]
    Conflict(Vec<Cause>),
    /// The resourceVersion that was read is not the present one.
    #[error("it was changed meanwhile")]
    Modified,
    /// The uid that was read is not the present one: the object is gone, or another one.
    #[error("it is gone, or another object of that name was made meanwhile")]
    OtherUid,
    /// It is being deleted, and cannot be made until it is gone.
    #[error("it is still being deleted")]
    BeingDeleted,
    /// Its namespace is being deleted.
    #[error("its namespace is being deleted")]
    NamespaceTerminating,
    /// Somebody made it.
    #[error("it is there already")]
    AlreadyExists,
    /// The object is not there.
    #[error("it is not there")]
    NotFound,
    /// The kind is not served (yet), or not in this version.
    #[error("the cluster does not serve {0}")]
    KindNotServed(ObjectType),
    /// The namespace is not there (yet).
    #[error("there is no namespace {0}")]
    NamespaceMissing(String),
    /// The content breaks the schema: a 500 without a reason, whose text names the field (ssa-semantics §8).
    #[error("{0}")]
    Schema(String),
    /// A rule of the schema or of the server's own validation refused it, each field with the server's words.
    #[error("{message}")]
    Invalid {
        /// The server's message.
        message: String,
        /// Field and text of each cause, without repetition.
        causes: Vec<(String, String)>,
    },
    /// An admission webhook or policy said no.
    #[error("admission denied it: {message}")]
    Denied {
        /// The webhook, if the server names it.
        webhook: Option<String>,
        /// Its words.
        message: String,
    },
    /// A webhook has side effects and cannot be asked: a dry run that it would see is refused. A write is not.
    #[error("admission webhook `{webhook}` takes no dry run")]
    TakesNoDryRun {
        /// The webhook.
        webhook: String,
    },
    /// A webhook could not be called (yet).
    #[error("a webhook could not be called: {0}")]
    WebhookUnavailable(String),
    /// We lack the right.
    #[error("{0}")]
    Forbidden(String),
    /// We are not known to the cluster.
    #[error("the cluster does not accept our credentials: {0}")]
    Unauthorized(String),
    /// The server asks for patience.
    #[error("the server asks to wait")]
    Throttled {
        /// For how long, if it says so; never for no time at all.
        retry_after: Option<Duration>,
    },
    /// The server cannot answer now (503, 504, and what its store says in 500).
    #[error("the server cannot answer now: {0}")]
    Unavailable(String),
    /// Something went wrong within the server (500 `InternalError`): the outcome is unknown by its definition, and what
    /// was sent may be at fault.
    #[error("{0}")]
    Internal(String),
    /// There was no answer: whether the request was carried out is not known.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// A managedFields entry is in a version that its CRD no longer serves: every apply fails until it is mended
    /// (ssa-semantics §9).
    #[error("an entry of its managedFields is in a version that is no longer served: {0}")]
    VersionGone(String),
    /// Another run is at work on the same stack, or was meanwhile: nothing may be written.
    #[error("{0}")]
    Fenced(String),
    /// Anything else, in the server's words.
    #[error("{0}")]
    Other(String),
}

impl ProviderError {
    /// What to do about fields that others own.
    pub(crate) const OF_A_CONFLICT: &'static str = "take the fields with `--force-conflicts`; of `[[manifests]]` leave them \
                                                    to others with `ignore_fields`, or out of the manifest";

    /// Whether asking again can help, by itself (DESIGN §6, Retries).
    pub fn retry(&self) -> RetryClass {
        match self {
            Self::Throttled { retry_after } => RetryClass::After(*retry_after),
            Self::Unavailable(_)
            | Self::Unreachable(_)
            | Self::WebhookUnavailable(_)
            | Self::KindNotServed(_)
            | Self::BeingDeleted
            | Self::NamespaceTerminating => RetryClass::BackOff,
            Self::Internal(_) => RetryClass::AFewTimes,
            Self::Modified => RetryClass::ReadAgain,
            Self::Conflict(_)
            | Self::OtherUid
            | Self::AlreadyExists
            | Self::NotFound
            | Self::NamespaceMissing(_)
            | Self::Schema(_)
            | Self::Invalid { .. }
            | Self::Denied { .. }
            | Self::TakesNoDryRun { .. }
            | Self::Forbidden(_)
            | Self::Unauthorized(_)
            | Self::VersionGone(_)
            | Self::Fenced(_)
            | Self::Other(_) => RetryClass::Never,
        }
    }
}
