//! In-process admission: what a webhook would decide about a write.
//!
//! Invariants:
//! - Mutation runs before validation, each in the order of registration.
//! - A refusal answers in the words of a real webhook's denial; an unavailable one answers as a real server does when
//!   it cannot call a webhook (`reference/ssa-semantics.md` §7).
//! - Admission runs for dry-runs too, and knows that it does.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::Value;

use super::identity::Identity;
use super::status::Refusal;

/// What a write does to its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The object is new.
    Create,
    /// The object exists and changes.
    Update,
    /// The object is to be deleted.
    Delete,
}

/// Reads other objects while a write is judged.
pub trait ObjectReader {
    /// Returns every object of a kind.
    fn objects(&self, group: &str, kind: &str) -> Vec<Arc<Value>>;
    /// Returns one object; `namespace` is `None` for cluster-scoped kinds.
    fn object(&self, group: &str, kind: &str, namespace: Option<&str>, name: &str) -> Option<Arc<Value>>;
}

/// One write as admission sees it.
#[derive(Clone, Copy)]
pub struct AdmissionRequest<'a> {
    /// Create, update or delete.
    pub operation: Operation,
    /// API group of the request, empty for core.
    pub group: &'a str,
    /// API version of the request.
    pub version: &'a str,
    /// Kind of the object.
    pub kind: &'a str,
    /// Plural of the kind.
    pub resource: &'a str,
    /// `status`, `scale`, or `None` for the object itself.
    pub subresource: Option<&'a str>,
    /// Namespace, `None` for cluster-scoped kinds.
    pub namespace: Option<&'a str>,
    /// Name of the object.
    pub name: &'a str,
    /// The object before the write; `None` for a create.
    pub old: Option<&'a Value>,
    /// Who writes.
    pub user: &'a Identity,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// The other objects.
    pub objects: &'a dyn ObjectReader,
}

impl fmt::Debug for AdmissionRequest<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AdmissionRequest")
            .field("operation", &self.operation)
            .field("group", &self.group)
            .field("kind", &self.kind)
            .field("namespace", &self.namespace)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Why admission did not let a write through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The webhook said no, with this message (403).
    Denied(String),
    /// The webhook could not be called; the text after `failed calling webhook "…": ` (500 `InternalError`).
    Unavailable(String),
    /// The webhook has side effects, and the write is a dry run (400).
    TakesNoDryRun,
}

/// Something that judges, and may change, writes of some kinds.
pub trait Admission: Send + Sync {
    /// The webhook's name as it appears in answers, `dscinitialization.opendatahub.io`.
    fn name(&self) -> &str;

    /// Whether this write concerns it at all.
    fn handles(&self, request: &AdmissionRequest<'_>) -> bool;

    /// Changes the object that is to be written; not called for deletes.
    ///
    /// # Errors
    ///
    /// The rejection that is answered to the client.
    fn mutate(&self, request: &AdmissionRequest<'_>, object: &mut Value) -> Result<(), Rejection> {
        let _unused = (request, object);
        Ok(())
    }

    /// Judges the write; `object` is what will be stored, `None` for deletes.
    ///
    /// # Errors
    ///
    /// The rejection that is answered to the client.
    fn validate(&self, request: &AdmissionRequest<'_>, object: Option<&Value>) -> Result<(), Rejection> {
        let _unused = (request, object);
        Ok(())
    }
}

/// The admissions in force. Cheap to clone; clones share one list.
#[derive(Clone, Default)]
pub struct AdmissionRegistry {
    state: Arc<RwLock<State>>,
}

#[derive(Default)]
struct State {
    admissions: Vec<Arc<dyn Admission>>,
    unavailable: BTreeMap<String, String>,
}

impl AdmissionRegistry {
    /// Adds an admission; one of the same name is replaced.
    pub fn register(&self, admission: Arc<dyn Admission>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.admissions.retain(|other| other.name() != admission.name());
        state.admissions.push(admission);
    }

    /// Takes the admission of that name out of force.
    pub fn unregister(&self, name: &str) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.admissions.retain(|other| other.name() != name);
        state.unavailable.remove(name);
    }

    /// Makes every write that the named admission handles fail as if its webhook could not be called:
    /// `failed calling webhook "<name>": <message>`.
    pub fn set_unavailable(&self, name: impl Into<String>, message: impl Into<String>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.unavailable.insert(name.into(), message.into());
    }

    /// Ends what [`Self::set_unavailable`] began.
    pub fn set_available(&self, name: &str) {
        self.state
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .unavailable
            .remove(name);
    }

    fn concerned(&self, request: &AdmissionRequest<'_>) -> Result<Vec<Arc<dyn Admission>>, Refusal> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let mut concerned = Vec::new();
        for admission in &state.admissions {
            if !admission.handles(request) {
                continue;
            }
            if let Some(message) = state.unavailable.get(admission.name()) {
                return Err(refusal(admission.name(), Rejection::Unavailable(message.clone())));
            }
            concerned.push(Arc::clone(admission));
        }
        Ok(concerned)
    }

    /// Lets every concerned admission change the object. Returns whether any is concerned.
    pub(super) fn mutate(&self, request: &AdmissionRequest<'_>, object: &mut Value) -> Result<bool, Refusal> {
        let concerned = self.concerned(request)?;
        for admission in &concerned {
            admission
                .mutate(request, object)
                .map_err(|rejection| refusal(admission.name(), rejection))?;
        }
        Ok(!concerned.is_empty())
    }

    /// Lets every concerned admission judge the write.
    pub(super) fn validate(&self, request: &AdmissionRequest<'_>, object: Option<&Value>) -> Result<(), Refusal> {
        for admission in self.concerned(request)? {
            admission
                .validate(request, object)
                .map_err(|rejection| refusal(admission.name(), rejection))?;
        }
        Ok(())
    }
}

impl fmt::Debug for AdmissionRegistry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        formatter
            .debug_list()
            .entries(state.admissions.iter().map(|admission| admission.name()))
            .finish()
    }
}

fn refusal(name: &str, rejection: Rejection) -> Refusal {
    match rejection {
        Rejection::Denied(message) => {
            Refusal::forbidden_text(format!("admission webhook \"{name}\" denied the request: {message}"))
        }
        // k8s.io/apiserver/pkg/admission/plugin/webhook/errors/statuserror.go, `NewDryRunUnsupportedErr`.
        Rejection::TakesNoDryRun => {
            Refusal::bad_request(format!("admission webhook \"{name}\" does not support dry run"))
        }
        Rejection::Unavailable(message) => Refusal::internal(&format!("failed calling webhook \"{name}\": {message}")),
    }
}
