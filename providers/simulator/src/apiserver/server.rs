//! The parts of one API server, and what the verbs share.
//!
//! Invariant: nothing here knows of OpenShift; every rule is Kubernetes'.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tokio::sync::mpsc;

use super::access::Access;
use super::admission::{AdmissionRegistry, AdmissionRequest, ObjectReader, Operation};
use super::audit::{self, Audit, Record, Verb};
use super::identity::Identity;
use super::kinds::{self, Kind, Kinds, Registry, Version};
use super::pod_runtime::PodRuntimes;
use super::request::Call;
use super::status::{FieldError, Refusal, Subject};
use super::store::{CommitError, ObjectKey, Store, Stored, owner_uids};
use super::trouble::Troubles;
use super::typed;
use super::unjudged::Told;
use super::wall::Moment;
use super::{native, schema};

/// Something that happened and has consequences; worked off in the background, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// An object ended: what it owned may go too.
    Ended { uid: String },
    /// An object names owners that may not be there, or terminates and its finalizers may be ours to remove.
    Look(ObjectKey),
    /// A namespace is new.
    NewNamespace(String),
    /// A namespace terminates and is to be emptied.
    Namespace(String),
    /// A custom resource definition is new, changed or terminates.
    Definition(String),
    /// ClusterRoles changed that others may be made of.
    AggregateRoles,
    /// A Secret is to hold the token of a service account.
    AccountToken(ObjectKey),
}

/// Everything a request is served from.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) store: Store,
    pub(super) kinds: Registry,
    pub(super) admission: AdmissionRegistry,
    pub(super) pod_runtimes: PodRuntimes,
    pub(super) access: Access,
    pub(super) audit: Audit,
    pub(super) troubles: Arc<Troubles>,
    pub(super) unjudged: Told,
    work: mpsc::UnboundedSender<Work>,
    counter: AtomicU64,
    seed: u64,
}

/// What a write came to.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) code: u16,
    pub(super) before: Option<Arc<Stored>>,
    /// The object as it is, or would be, in the version of the request.
    pub(super) shown: Shown,
    pub(super) warnings: Vec<String>,
}

/// What is shown of an object.
#[derive(Clone, Debug)]
pub(super) enum Shown {
    Stored(Arc<Stored>),
    /// A dry-run's answer, a subresource, or a `Status`.
    Value(Box<Value>),
}

impl Server {
    pub(super) fn new(store: Store, audit: Audit, access: Access, work: mpsc::UnboundedSender<Work>) -> Self {
        let seed = u64::try_from(Moment::now().as_nanos() % u128::from(u64::MAX)).unwrap_or_default();
        Self {
            store,
            kinds: Registry::new(),
            admission: AdmissionRegistry::default(),
            pod_runtimes: PodRuntimes::default(),
            access,
            audit,
            troubles: Arc::default(),
            unjudged: Told::new(),
            work,
            counter: AtomicU64::new(0),
            seed,
        }
    }

    /// Makes the namespaces that every cluster has, where they are missing.
    pub(super) fn furnish(&self) {
        let kinds = self.kinds.snapshot();
        let Some(kind) = kinds.get("", "namespaces") else {
            return;
        };
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            let key = namespace_key(name);
            if self.store.get(&key).is_some() {
                continue;
            }
            let mut call = Call::internal(kind, &key, None, Identity::named("system:kube-apiserver"));
            call.path.name = None;
            let body = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
            if let Err(refusal) = self.create(&call, body.to_string().as_bytes()) {
                tracing::warn!(
                    message = refusal.message(),
                    namespace = name,
                    "a namespace could not be made"
                );
            }
        }
    }

    /// Hands something to the background worker; after a stop nobody listens, and nothing is lost that a start would
    /// not find again.
    pub(super) fn later(&self, work: Work) {
        if self.work.send(work).is_err() {
            tracing::debug!("the background worker has stopped");
        }
    }

    /// 128 bits that were not given out before.
    fn unique(&self) -> u128 {
        // splitmix64 (Steele, Lea, Flood 2014) over a start value and a count: distinct by its bijectivity.
        let mix = |mut state: u64| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            state ^ (state >> 31)
        };
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        let high = mix(self.seed.wrapping_add(count.wrapping_mul(2)));
        let low = mix(self.seed.rotate_left(17).wrapping_add(count.wrapping_mul(2) + 1));
        u128::from(high) << 64 | u128::from(low)
    }

    /// A new uid, in the form of a random UUID.
    pub(super) fn new_uid(&self) -> String {
        let hex = format!("{:032x}", self.unique());
        format!(
            "{}-{}-4{}-a{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[13..16],
            &hex[17..20],
            &hex[20..]
        )
    }

    /// The five characters after a generateName.
    pub(super) fn new_suffix(&self) -> String {
        const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        let mut bits = self.unique();
        let mut suffix = String::with_capacity(5);
        for _ in 0..5 {
            let index = usize::try_from(bits % 27).unwrap_or_default();
            suffix.push(char::from(ALPHABET[index]));
            bits /= 27;
        }
        suffix
    }

    /// An address of the service network that is likely free.
    pub(super) fn new_cluster_ip(&self) -> String {
        let bits = self.unique();
        format!("172.30.{}.{}", (bits >> 8) % 255, bits % 253 + 2)
    }

    /// What a definition says of a version, word for word; `None` for built-in kinds.
    pub(super) fn schema_as_written(&self, kind: &Kind, version: &Version) -> Option<Value> {
        let definition = self.store.get(&definition_key(kind.definition.as_deref()?))?;
        let versions = definition.value["spec"]["versions"].as_array()?;
        let found = versions.iter().find(|one| one["name"] == version.name.as_str())?;
        found.pointer("/schema/openAPIV3Schema").cloned()
    }

    /// The object in a version of its kind.
    pub(super) fn view<'a>(&self, kind: &Kind, version: &Version, value: &'a Value) -> Cow<'a, Value> {
        if value["apiVersion"] == version.api_version.as_str() {
            return Cow::Borrowed(value);
        }
        let mut converted = typed::in_version(value, &version.api_version).into_owned();
        if kind.is_custom() {
            schema::prune(&version.schema, &mut converted);
            schema::apply_defaults(&version.schema, &mut converted);
        } else {
            kinds::convert(&mut converted);
        }
        Cow::Owned(converted)
    }

    /// The object in the version its kind is stored in.
    pub(super) fn to_storage(&self, kind: &Kind, value: Value) -> Value {
        let version = kind.storage_version();
        if value["apiVersion"] == version.api_version.as_str() {
            return value;
        }
        self.view(kind, version, &value).into_owned()
    }

    /// Brings a proposed object into the form that its kind is stored in: undeclared fields out, values normalised,
    /// defaults in. Returns the paths of undeclared fields.
    ///
    /// # Errors
    ///
    /// 400 for a value that a built-in type cannot hold.
    pub(super) fn shape(&self, kind: &Kind, version: &Version, object: &mut Value) -> Result<Vec<String>, Refusal> {
        let mut unknown = schema::prune(&version.schema, object);
        let meta_schema = kinds::object_meta();
        let unreadable = |error: String| {
            Refusal::bad_request(format!(
                "{} in version \"{}\" cannot be handled as a {}: {error}",
                kind.kind, version.name, kind.kind
            ))
        };
        if let Some(metadata) = object.get_mut("metadata") {
            let undeclared = schema::prune(&meta_schema, metadata);
            unknown.extend(undeclared.into_iter().map(|path| format!("metadata.{path}")));
            native::normalise(&meta_schema, metadata).map_err(unreadable)?;
        }
        if kind.is_custom() {
            schema::apply_defaults(&version.schema, object);
        } else {
            native::normalise(&version.schema, object).map_err(unreadable)?;
            kinds::complete(kind, &version.schema, object);
            // Defaults are constants in canonical form, but a struct that came by default may hold nulls of its own.
        }
        Ok(unknown)
    }

    /// Runs the admissions of a write.
    pub(super) fn admit(
        &self,
        call: &Call,
        operation: Operation,
        name: &str,
        old: Option<&Value>,
        object: Option<&mut Value>,
        dry_run: bool,
    ) -> Result<(), Refusal> {
        let request = AdmissionRequest {
            operation,
            group: &call.kind.group,
            version: &call.version().name,
            kind: &call.kind.kind,
            resource: &call.kind.plural,
            subresource: call.path.subresource.as_deref(),
            namespace: call.path.namespace.as_deref(),
            name,
            old,
            user: &call.user,
            dry_run,
            objects: self,
        };
        match object {
            Some(object) => {
                if operation == Operation::Create {
                    self.authorize_creation(call, name)?;
                }
                self.check_escalation(call, name, old, object)?;
                if self.admission.mutate(&request, object)? {
                    self.shape(&call.kind, call.version(), object)?;
                }
                self.admission.validate(&request, Some(object))
            }
            None => self.admission.validate(&request, None),
        }
    }

    /// Refuses content in a namespace that is not there or terminates (`reference/ssa-semantics.md` §7, §12).
    pub(super) fn check_namespace(&self, call: &Call, name: &str) -> Result<(), Refusal> {
        let Some(namespace) = call.path.namespace.as_deref() else {
            return Ok(());
        };
        let subject = Subject {
            group: "",
            kind: "Namespace",
            resource: "namespaces",
            name: namespace,
        };
        let found = self
            .store
            .get(&namespace_key(namespace))
            .ok_or_else(|| Refusal::not_found(subject))?;
        if found.is_terminating() {
            return Err(Refusal::namespace_terminating(call.subject(name), namespace));
        }
        Ok(())
    }

    /// What follows from a stored change.
    pub(super) fn after_put(&self, key: &ObjectKey, before: Option<&Stored>, after: &Stored) {
        self.access_after(key, before, Some(after));
        let is_definition = key.group == "apiextensions.k8s.io" && key.plural == "customresourcedefinitions";
        let is_namespace = key.group.is_empty() && key.plural == "namespaces";
        if is_definition {
            self.later(Work::Definition(key.name.clone()));
        } else if is_namespace && before.is_none() {
            self.later(Work::NewNamespace(key.name.clone()));
        } else if is_namespace && after.is_terminating() {
            self.later(Work::Namespace(key.name.clone()));
        }
        let names_owners = !after.value["metadata"]["ownerReferences"].is_null();
        if after.is_terminating() || names_owners && before.is_none() {
            self.later(Work::Look(key.clone()));
        }
    }

    /// What follows from an end.
    pub(super) fn after_removal(&self, key: &ObjectKey, before: &Stored) {
        self.access_after(key, Some(before), None);
        self.later(Work::Ended {
            uid: before.uid().to_owned(),
        });
        for owner in owner_uids(&before.value) {
            if let Some(owner) = self.store.key_of_uid(owner) {
                self.later(Work::Look(owner));
            }
        }
        if key.group == "apiextensions.k8s.io" && key.plural == "customresourcedefinitions" {
            self.later(Work::Definition(key.name.clone()));
        }
        if !key.namespace.is_empty()
            && self
                .store
                .get(&namespace_key(&key.namespace))
                .is_some_and(|namespace| namespace.is_terminating())
        {
            self.later(Work::Namespace(key.namespace.clone()));
        }
        let kinds = self.kinds.snapshot();
        if let Some(definition) = kinds
            .get(&key.group, &key.plural)
            .and_then(|kind| kind.definition.clone())
            && self
                .store
                .get(&definition_key(&definition))
                .is_some_and(|definition| definition.is_terminating())
        {
            self.later(Work::Definition(definition));
        }
    }

    /// Every object of a kind, as it is stored.
    pub(super) fn all_of(&self, group: &str, plural: &str) -> Vec<Arc<Stored>> {
        let table = (group.to_owned(), plural.to_owned());
        let listing = self.store.list(&table, None, None, None, usize::MAX, |_| true);
        listing.map(|listing| listing.objects).unwrap_or_default()
    }

    /// Writes the audit line of an end that no DELETE of its own asked for.
    pub(super) fn audit_removal(&self, kinds: &Kinds, key: &ObjectKey, last: &Stored, user: &str, cause: &str) {
        let kind = kinds.get(&key.group, &key.plural);
        self.audit.append(&Record {
            time: audit::now(),
            user,
            agent: "",
            verb: Verb::Removed,
            dry_run: false,
            code: 200,
            group: &key.group,
            version: kind.map_or("", |kind| kind.storage_version().name.as_str()),
            kind: last.value["kind"].as_str().unwrap_or_default(),
            resource: &key.plural,
            subresource: None,
            namespace: (!key.namespace.is_empty()).then_some(key.namespace.as_str()),
            name: &key.name,
            uid: Some(last.uid()),
            field_manager: None,
            created: false,
            before: Some(audit::digest(&last.value)),
            after: None,
            resource_version: Some(last.resource_version.to_string()),
            cause: Some(cause),
        });
    }

    /// Refuses an object with errors, 422.
    pub(super) fn refuse_invalid(subject: Subject<'_>, errors: &[FieldError]) -> Result<(), Refusal> {
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Refusal::invalid(subject, errors))
        }
    }
}

impl ObjectReader for Server {
    fn objects(&self, group: &str, kind: &str) -> Vec<Arc<Value>> {
        let kinds = self.kinds.snapshot();
        let Some(kind) = kinds.of_kind(group, kind) else {
            return Vec::new();
        };
        let objects = self.all_of(&kind.group, &kind.plural);
        objects.iter().map(|stored| Arc::new(stored.value.clone())).collect()
    }

    fn object(&self, group: &str, kind: &str, namespace: Option<&str>, name: &str) -> Option<Arc<Value>> {
        let kinds = self.kinds.snapshot();
        let kind = kinds.of_kind(group, kind)?;
        let key = ObjectKey {
            group: kind.group.clone(),
            plural: kind.plural.clone(),
            namespace: namespace.unwrap_or_default().to_owned(),
            name: name.to_owned(),
        };
        self.store.get(&key).map(|stored| Arc::new(stored.value.clone()))
    }
}

/// The key of a Namespace.
pub(super) fn namespace_key(name: &str) -> ObjectKey {
    ObjectKey {
        group: String::new(),
        plural: "namespaces".to_owned(),
        namespace: String::new(),
        name: name.to_owned(),
    }
}

/// The key of a custom resource definition.
pub(super) fn definition_key(name: &str) -> ObjectKey {
    ObjectKey {
        group: "apiextensions.k8s.io".to_owned(),
        plural: "customresourcedefinitions".to_owned(),
        namespace: String::new(),
        name: name.to_owned(),
    }
}

/// The user that background work is done as.
pub(super) fn system_user() -> Identity {
    Identity::named("system:kube-controller-manager")
}

/// A disk that fails is no fault of the request.
pub(super) fn disk_failure(error: &CommitError) -> Refusal {
    Refusal::internal(&format!("the object store failed: {error}"))
}
