//! DELETE of one object or of many.
//!
//! Invariants (`reference/ssa-semantics.md` §12):
//! - Options in a body replace those in the query, dry-run included.
//! - An object with finalizers is marked and kept; one without is gone when the answer is sent.

use std::sync::Arc;

use serde_json::{Value, json};

use super::admission::Operation;
use super::request::Call;
use super::selector::Selector;
use super::server::{Server, Shown, Written, disk_failure};
use super::status::Refusal;
use super::store::{CommitError, ObjectKey, Stored};
use super::wall::Moment;
use super::{metadata, options};

/// The finalizer that keeps an owner until its dependents are gone.
pub(super) const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer that keeps an owner until its dependents are disowned.
pub(super) const ORPHAN: &str = "orphan";
/// The finalizer that keeps a definition until its instances are gone.
pub(super) const DEFINITION_CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// What becomes of dependents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// How to delete.
#[derive(Clone, Debug, Default)]
pub(super) struct DeleteOptions {
    propagation: Option<Propagation>,
    uid: Option<String>,
    resource_version: Option<String>,
    pub(super) dry_run: bool,
}

impl DeleteOptions {
    /// Options that only say what becomes of dependents.
    pub(super) fn with(propagation: Propagation) -> Self {
        Self {
            propagation: Some(propagation),
            ..Self::default()
        }
    }

    /// Reads the options of a request.
    pub(super) fn of(call: &Call, body: &[u8]) -> Result<Self, Refusal> {
        let propagation = |text: &str, orphans: Option<bool>| {
            options::check_propagation(text, orphans)?;
            Ok::<_, Refusal>(match (text, orphans) {
                ("Background", _) => Some(Propagation::Background),
                ("Foreground", _) => Some(Propagation::Foreground),
                ("Orphan", _) | (_, Some(true)) => Some(Propagation::Orphan),
                (_, _) => None,
            })
        };
        if body.is_empty() {
            if let Some(error) = options::dry_run(&call.query) {
                return Err(Refusal::invalid_options("DeleteOptions", &[error]));
            }
            let orphans = call.query.get("orphanDependents").map(|text| text == "true");
            let policy = call.query.get("propagationPolicy").unwrap_or_default();
            return Ok(Self {
                propagation: propagation(policy, orphans)?,
                dry_run: call.query.is_dry_run(),
                ..Self::default()
            });
        }
        let options = super::write::decode(body)?;
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let policy = options["propagationPolicy"].as_str().unwrap_or_default();
        Ok(Self {
            propagation: propagation(policy, options["orphanDependents"].as_bool())?,
            uid: text(&options["preconditions"]["uid"]),
            resource_version: text(&options["preconditions"]["resourceVersion"]),
            dry_run: options["dryRun"]
                .as_array()
                .is_some_and(|list| list.iter().any(|item| item == "All")),
        })
    }
}

fn finalizers(object: &Value) -> Vec<String> {
    let list = object["metadata"]["finalizers"].as_array().into_iter().flatten();
    list.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

impl Server {
    /// DELETE of one object.
    pub(super) fn delete(&self, call: &Call, options: &DeleteOptions) -> Result<Written, Refusal> {
        self.again(|| self.delete_once(call, options))
    }

    fn delete_once(&self, call: &Call, options: &DeleteOptions) -> Result<Written, Refusal> {
        let old = self.find(call)?;
        check_preconditions(call, options, &old)?;
        let mut warnings = Vec::new();
        let live = self.view(&call.kind, call.version(), &old.value);
        self.admit(call, Operation::Delete, call.name(), Some(&live), None, options.dry_run)?;
        let mut object = old.value.clone();
        let mut kept = finalizers(&object);
        let policy = match options.propagation {
            Some(policy) => Some(policy),
            None if call.kind.group == "batch" && call.kind.kind == "Job" && !old.is_terminating() => {
                warnings.push("child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning".to_owned());
                Some(Propagation::Orphan)
            }
            None => None,
        };
        match policy {
            Some(Propagation::Orphan) => set_propagation(&mut kept, Some(ORPHAN)),
            Some(Propagation::Foreground) => set_propagation(&mut kept, Some(FOREGROUND)),
            Some(Propagation::Background) => set_propagation(&mut kept, None),
            None => {}
        }
        let is_namespace = call.kind.group.is_empty() && call.kind.kind == "Namespace";
        let is_definition = call.kind.group == "apiextensions.k8s.io" && call.kind.kind == "CustomResourceDefinition";
        if is_definition && !old.is_terminating() && !kept.iter().any(|finalizer| finalizer == DEFINITION_CLEANUP) {
            kept.push(DEFINITION_CLEANUP.to_owned());
        }
        let has_content = is_namespace
            && object["spec"]["finalizers"]
                .as_array()
                .is_some_and(|list| !list.is_empty());
        if kept.is_empty() && !has_content {
            if !options.dry_run {
                let key = call.key(call.name());
                match self.store.remove(&key, old.resource_version) {
                    Ok(_) => self.after_removal(&key, &old),
                    Err(CommitError::Stale) => return Err(Refusal::stale(call.subject(call.name()))),
                    Err(error) => return Err(disk_failure(&error)),
                }
            }
            let shown = Shown::Value(Box::new(success(call, old.uid())));
            return Ok(Written {
                code: 200,
                before: Some(old),
                shown,
                warnings,
            });
        }
        let is_marked = old.is_terminating();
        let unchanged = is_marked && kept == finalizers(&old.value);
        if unchanged {
            let shown = Shown::Stored(Arc::clone(&old));
            return Ok(Written {
                code: 200,
                before: Some(old),
                shown,
                warnings,
            });
        }
        let map = metadata::of(&mut object);
        if kept.is_empty() {
            map.remove("finalizers")
        } else {
            map.insert("finalizers".to_owned(), json!(kept))
        };
        if !is_marked {
            map.insert("deletionTimestamp".to_owned(), json!(Moment::now().to_seconds()));
            // A namespace has no grace period, as its controller ends it in its own time.
            if !is_namespace {
                map.insert("deletionGracePeriodSeconds".to_owned(), json!(0));
            }
            if let Some(generation) = map.get("generation").and_then(Value::as_i64) {
                map.insert("generation".to_owned(), json!(generation + 1));
            }
            if is_namespace {
                object["status"]["phase"] = json!("Terminating");
            }
            if is_definition {
                super::crd::set_condition(
                    &mut object,
                    "Terminating",
                    true,
                    "InstanceDeletionPending",
                    "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
                );
            }
        }
        if options.dry_run {
            return Ok(Written {
                code: 200,
                before: Some(old),
                shown: Shown::Value(Box::new(object)),
                warnings,
            });
        }
        let key = call.key(call.name());
        let stored = match self.store.put(&key, Some(old.resource_version), object) {
            Ok(stored) => stored,
            Err(CommitError::Stale) => return Err(Refusal::stale(call.subject(call.name()))),
            Err(error) => return Err(disk_failure(&error)),
        };
        self.after_put(&key, Some(&old), &stored);
        Ok(Written {
            code: 200,
            before: Some(old),
            shown: Shown::Stored(stored),
            warnings,
        })
    }

    /// DELETE of everything that a selector keeps; returns what was there.
    pub(super) fn delete_collection(&self, call: &Call, options: &DeleteOptions) -> Result<Vec<Written>, Refusal> {
        let selector = Selector::of(call)?;
        let listing = self.store.list(
            &call.table(),
            call.path.namespace.as_deref(),
            None,
            None,
            usize::MAX,
            |stored| selector.matches(&stored.value),
        );
        let mut written = Vec::new();
        for stored in listing.map(|listing| listing.objects).unwrap_or_default() {
            let text = |field: &str| stored.value["metadata"][field].as_str().unwrap_or_default().to_owned();
            let key = ObjectKey {
                namespace: text("namespace"),
                name: text("name"),
                ..call.key("")
            };
            let one = Call::internal(&call.kind, &key, None, call.user.clone());
            match self.delete(&one, options) {
                Ok(one) => written.push(one),
                Err(refusal) if refusal.code == 404 => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(written)
    }

    /// Ends an object whose last finalizer went.
    pub(super) fn end(&self, key: &ObjectKey, last: &Arc<Stored>, user: &str, cause: &str) -> Result<(), Refusal> {
        match self.store.remove(key, last.resource_version) {
            Ok(_) => {
                self.audit_removal(&self.kinds.snapshot(), key, last, user, cause);
                self.after_removal(key, last);
                Ok(())
            }
            Err(CommitError::Stale) => Err(Refusal::stale(super::status::Subject {
                group: &key.group,
                kind: last.value["kind"].as_str().unwrap_or_default(),
                resource: &key.plural,
                name: &key.name,
            })),
            Err(error) => Err(disk_failure(&error)),
        }
    }
}

/// Leaves at most one of the two propagation finalizers.
fn set_propagation(kept: &mut Vec<String>, wanted: Option<&str>) {
    kept.retain(|finalizer| finalizer != ORPHAN && finalizer != FOREGROUND);
    kept.extend(wanted.map(ToOwned::to_owned));
}

fn check_preconditions(call: &Call, options: &DeleteOptions, old: &Stored) -> Result<(), Refusal> {
    let subject = call.subject(call.name());
    if let Some(uid) = &options.uid
        && uid != old.uid()
    {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            old.uid()
        );
        return Err(Refusal::precondition(subject, &why));
    }
    if let Some(version) = &options.resource_version
        && *version != old.resource_version.to_string()
    {
        let why = format!(
            "the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({}). The object might have been modified",
            old.resource_version
        );
        return Err(Refusal::precondition(subject, &why));
    }
    Ok(())
}

/// The `Status` of an object that is gone.
fn success(call: &Call, uid: &str) -> Value {
    let mut details = json!({ "name": call.name(), "kind": call.kind.plural, "uid": uid });
    if !call.kind.group.is_empty() {
        details["group"] = json!(call.kind.group);
    }
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}
