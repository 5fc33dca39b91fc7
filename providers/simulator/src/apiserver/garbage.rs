//! The background worker: what follows from ends and deletions.
//!
//! It does what the garbage collector, the namespace controller and the definition finalizer of a real cluster do
//! (<https://kubernetes.io/docs/concepts/architecture/garbage-collection/>, `reference/ssa-semantics.md` §12).
//!
//! Invariants:
//! - Every step looks at what is stored now and is harmless to repeat, so work that a kill lost is found at start by
//!   [`Server::survey`].
//! - It writes as any client does: through the verbs, with their checks.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::crd::set_condition_of;
use super::delete::{DeleteOptions, FOREGROUND, ORPHAN, Propagation};
use super::identity::Identity;
use super::request::Call;
use super::server::{Server, Work, Written, namespace_key, system_user};
use super::status::Refusal;
use super::store::{ObjectKey, Stored};

fn collector() -> Identity {
    Identity::named("system:serviceaccount:kube-system:generic-garbage-collector")
}

fn namespace_controller() -> Identity {
    Identity::named("system:serviceaccount:kube-system:namespace-controller")
}

/// Works off what happened until the server is gone.
pub(super) async fn run(server: Arc<Server>, mut work: mpsc::UnboundedReceiver<Work>) {
    while let Some(item) = work.recv().await {
        server.work_off(&item);
        // Requests go first.
        tokio::task::yield_now().await;
    }
}

impl Server {
    /// Finds the work that is open in what was loaded.
    pub(super) fn survey(&self) {
        for stored in self.store.everything() {
            let text = |field: &str| stored.value["metadata"][field].as_str().unwrap_or_default().to_owned();
            let kinds = self.kinds.snapshot();
            let group = stored.value["apiVersion"]
                .as_str()
                .and_then(|version| version.split_once('/'))
                .map_or("", |(group, _)| group);
            let Some(kind) = kinds.of_kind(group, stored.value["kind"].as_str().unwrap_or_default()) else {
                continue;
            };
            let key = ObjectKey {
                group: kind.group.clone(),
                plural: kind.plural.clone(),
                namespace: text("namespace"),
                name: text("name"),
            };
            self.after_put(&key, None, &stored);
            if stored.is_terminating() && key == namespace_key(&key.name) {
                self.later(Work::Namespace(key.name));
            }
        }
    }

    fn work_off(&self, work: &Work) {
        match work {
            Work::Ended { uid } => {
                for key in self.store.owned_by(uid) {
                    self.collect(&key);
                }
            }
            Work::Look(key) => {
                self.collect(key);
                self.finalize(key);
            }
            Work::NewNamespace(name) => self.furnish_namespace(name),
            Work::Namespace(name) => self.empty_namespace(name),
            Work::Definition(name) => self.follow_definition(name),
            Work::AggregateRoles => self.aggregate_roles(),
            Work::AccountToken(key) => self.put_account_token(key),
        }
    }

    /// Deletes an object as some part of the control plane.
    fn delete_as(&self, key: &ObjectKey, user: Identity, propagation: Propagation, cause: &str) {
        let kinds = self.kinds.snapshot();
        let Some(kind) = kinds.get(&key.group, &key.plural) else {
            return;
        };
        let name = user.user.clone();
        let call = Call::internal(kind, key, None, user);
        let options = DeleteOptions::with(propagation);
        match self.delete(&call, &options) {
            Ok(written) => {
                let is_gone = self
                    .store
                    .get(key)
                    .is_none_or(|now| written.before.as_ref().is_none_or(|old| now.uid() != old.uid()));
                if let Some(before) = written.before.as_deref().filter(|_| is_gone) {
                    self.audit_removal(&kinds, key, before, &name, cause);
                }
            }
            Err(refusal) => tracing::debug!(
                code = refusal.code,
                message = refusal.message(),
                "a deletion was refused"
            ),
        }
    }

    /// Changes an object as some part of the control plane.
    pub(super) fn change_as(
        &self,
        key: &ObjectKey,
        subresource: Option<&str>,
        user: &Identity,
        change: impl Fn(&mut Value),
    ) -> Result<Written, Refusal> {
        let kinds = self.kinds.snapshot();
        let Some(kind) = kinds.get(&key.group, &key.plural) else {
            return Err(Refusal::page_not_found());
        };
        let call = Call::internal(kind, key, subresource, user.clone());
        self.again(|| {
            let old = self.find(&call)?;
            let mut object = self.view(&call.kind, call.version(), &old.value).into_owned();
            change(&mut object);
            let sent = super::write::take_managed_fields(&mut object);
            self.store_update(&call, &old, object, &sent, false)
        })
    }

    /// Deletes an object all of whose owners are gone; forgets owners that are gone while others are there.
    fn collect(&self, key: &ObjectKey) {
        let Some(stored) = self.store.get(key) else { return };
        let Some(owners) = stored.value["metadata"]["ownerReferences"].as_array() else {
            return;
        };
        let is_there = |owner: &Value| {
            owner["uid"]
                .as_str()
                .and_then(|uid| self.store.key_of_uid(uid))
                .is_some_and(|owner| owner.namespace.is_empty() || owner.namespace == key.namespace)
        };
        let gone: Vec<Value> = owners
            .iter()
            .filter(|owner| !is_there(owner))
            .map(|owner| owner["uid"].clone())
            .collect();
        if gone.is_empty() {
            return;
        }
        if gone.len() == owners.len() {
            if !stored.is_terminating() {
                self.delete_as(key, collector(), Propagation::Background, "its owner is gone");
            }
            return;
        }
        self.disown(key, &gone);
    }

    fn disown(&self, key: &ObjectKey, owners: &[Value]) {
        let result = self.change_as(key, None, &collector(), |object| {
            let Some(metadata) = object["metadata"].as_object_mut() else {
                return;
            };
            let Some(Value::Array(list)) = metadata.get_mut("ownerReferences") else {
                return;
            };
            list.retain(|owner| !owners.contains(&owner["uid"]));
            if list.is_empty() {
                metadata.remove("ownerReferences");
            }
        });
        if let Err(refusal) = result {
            tracing::debug!(
                message = refusal.message(),
                "an owner could not be removed from a dependent"
            );
        }
    }

    /// Does what the propagation finalizers of a terminating object wait for.
    fn finalize(&self, key: &ObjectKey) {
        let Some(stored) = self.store.get(key).filter(|stored| stored.is_terminating()) else {
            return;
        };
        let has = |finalizer: &str| {
            stored.value["metadata"]["finalizers"]
                .as_array()
                .is_some_and(|list| list.iter().any(|item| item == finalizer))
        };
        let uid = json!(stored.uid());
        if has(ORPHAN) {
            for dependent in self.store.owned_by(stored.uid()) {
                self.disown(&dependent, std::slice::from_ref(&uid));
            }
            self.drop_finalizer(key, ORPHAN);
        } else if has(FOREGROUND) {
            let mut is_blocked = false;
            for dependent in self.store.owned_by(stored.uid()) {
                is_blocked |= self.delete_dependent(&dependent, &uid);
            }
            if !is_blocked {
                self.drop_finalizer(key, FOREGROUND);
            }
        }
    }

    /// Deletes a dependent of an object that waits; returns whether it must be waited for.
    fn delete_dependent(&self, key: &ObjectKey, owner: &Value) -> bool {
        let reference = |stored: &Stored| {
            let list = stored.value["metadata"]["ownerReferences"].as_array();
            list.into_iter()
                .flatten()
                .find(|reference| reference["uid"] == *owner)
                .cloned()
        };
        let Some(stored) = self.store.get(key) else {
            return false;
        };
        let n_owners = stored.value["metadata"]["ownerReferences"]
            .as_array()
            .map_or(0, Vec::len);
        if n_owners > 1 {
            self.disown(key, std::slice::from_ref(owner));
            return false;
        }
        if !stored.is_terminating() {
            self.delete_as(
                key,
                collector(),
                Propagation::Foreground,
                "its owner is deleted in the foreground",
            );
        }
        let Some(still) = self.store.get(key) else { return false };
        reference(&still).is_some_and(|reference| reference["blockOwnerDeletion"] == true)
    }

    pub(super) fn drop_finalizer(&self, key: &ObjectKey, finalizer: &str) {
        let result = self.change_as(key, None, &system_user(), |object| {
            if let Some(Value::Array(list)) = object["metadata"].get_mut("finalizers") {
                list.retain(|item| item != finalizer);
            }
        });
        if let Err(refusal) = result {
            tracing::debug!(
                message = refusal.message(),
                finalizer,
                "a finalizer could not be removed"
            );
        }
    }

    /// Puts the default service account into a new namespace.
    fn furnish_namespace(&self, name: &str) {
        let kinds = self.kinds.snapshot();
        let Some(kind) = kinds.get("", "serviceaccounts") else {
            return;
        };
        let key = ObjectKey {
            group: String::new(),
            plural: "serviceaccounts".to_owned(),
            namespace: name.to_owned(),
            name: "default".to_owned(),
        };
        if self.store.get(&key).is_some() {
            return;
        }
        let mut call = Call::internal(kind, &key, None, system_user());
        call.path.name = None;
        let body =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}});
        if let Err(refusal) = self.create(&call, body.to_string().as_bytes()) {
            tracing::debug!(
                message = refusal.message(),
                namespace = name,
                "no default service account"
            );
        }
    }

    /// Deletes what is in a terminating namespace; ends the namespace once it is empty.
    fn empty_namespace(&self, name: &str) {
        let namespace = namespace_key(name);
        if !self.store.get(&namespace).is_some_and(|stored| stored.is_terminating()) {
            return;
        }
        for key in self.store.in_namespace(name) {
            if self.store.get(&key).is_some_and(|stored| !stored.is_terminating()) {
                self.delete_as(
                    &key,
                    namespace_controller(),
                    Propagation::Background,
                    "its namespace is deleted",
                );
            }
        }
        let mut n_of: BTreeMap<String, usize> = BTreeMap::new();
        let mut n_with: BTreeMap<String, usize> = BTreeMap::new();
        for key in self.store.in_namespace(name) {
            let Some(stored) = self.store.get(&key) else { continue };
            let resource = if key.group.is_empty() {
                key.plural.clone()
            } else {
                format!("{}.{}", key.plural, key.group)
            };
            *n_of.entry(resource).or_default() += 1;
            for finalizer in stored.value["metadata"]["finalizers"].as_array().into_iter().flatten() {
                *n_with
                    .entry(finalizer.as_str().unwrap_or_default().to_owned())
                    .or_default() += 1;
            }
        }
        let user = namespace_controller();
        let result = if n_of.is_empty() {
            self.change_as(&namespace, Some("finalize"), &user, |object| {
                if let Value::Object(spec) = &mut object["spec"] {
                    spec.remove("finalizers");
                }
            })
        } else {
            let words = |counts: &BTreeMap<String, usize>, what: &str| -> String {
                let words: Vec<String> = counts
                    .iter()
                    .map(|(name, n)| format!("{name} {what} {n} resource instances"))
                    .collect();
                words.join(", ")
            };
            let content = format!("Some resources are remaining: {}", words(&n_of, "has"));
            let finalizers = format!(
                "Some content in the namespace has finalizers remaining: {}",
                words(&n_with, "in")
            );
            self.change_as(&namespace, Some("status"), &user, |object| {
                let status = &mut object["status"];
                set_condition_of(
                    status,
                    "NamespaceDeletionDiscoveryFailure",
                    false,
                    "ResourcesDiscovered",
                    "All resources successfully discovered",
                );
                set_condition_of(
                    status,
                    "NamespaceDeletionGroupVersionParsingFailure",
                    false,
                    "ParsedGroupVersions",
                    "All legacy kube types successfully parsed",
                );
                set_condition_of(
                    status,
                    "NamespaceDeletionContentFailure",
                    false,
                    "ContentDeleted",
                    "All content successfully deleted, may be waiting on finalization",
                );
                set_condition_of(
                    status,
                    "NamespaceContentRemaining",
                    true,
                    "SomeResourcesRemain",
                    &content,
                );
                if n_with.is_empty() {
                    set_condition_of(
                        status,
                        "NamespaceFinalizersRemaining",
                        false,
                        "ContentHasNoFinalizers",
                        "All content-preserving finalizers finished",
                    );
                } else {
                    set_condition_of(
                        status,
                        "NamespaceFinalizersRemaining",
                        true,
                        "SomeFinalizersRemain",
                        &finalizers,
                    );
                }
            })
        };
        if let Err(refusal) = result {
            tracing::debug!(
                message = refusal.message(),
                namespace = name,
                "a namespace could not be finalized"
            );
        }
    }
}
