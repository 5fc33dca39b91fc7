//! Create, update, patch and apply: from a body to a stored object.
//!
//! Invariants:
//! - A write is computed from one state and stored only if that is still the state; else it is computed again.
//! - A write that changes nothing but the times of managedFields stores nothing (`reference/ssa-semantics.md` §7).
//! - A dry-run takes the same path up to the store.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::admission::Operation;
use super::fields::FieldSet;
use super::managed::{Managers, Scope, Tracking};
use super::request::{Call, PatchType};
use super::schema;
use super::server::{Server, Shown, Written, disk_failure};
use super::status::{FieldError, Refusal};
use super::store::{CommitError, Stored};
use super::wall::Moment;
use super::{kinds, metadata, patch, scale, typed};

/// How often a write is computed again before its conflict is answered.
const MAX_ATTEMPTS: usize = 64;

/// How unknown fields of a request are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FieldValidation {
    Ignore,
    Warn,
    Strict,
}

impl FieldValidation {
    fn of(call: &Call) -> Self {
        match call.query.get("fieldValidation") {
            Some("Ignore") => Self::Ignore,
            Some("Strict") => Self::Strict,
            _ => Self::Warn,
        }
    }
}

/// Reads a body of JSON or YAML; one in protobuf has become JSON before (`wire`).
pub(super) fn decode(body: &[u8]) -> Result<Value, Refusal> {
    if let Ok(value) = serde_json::from_slice(body) {
        return Ok(value);
    }
    let text =
        std::str::from_utf8(body).map_err(|error| Refusal::bad_request(format!("error decoding body: {error}")))?;
    serde_saphyr::from_str(text).map_err(|error| Refusal::bad_request(format!("error decoding YAML: {error}")))
}

/// Takes metadata.managedFields out of an object.
pub(super) fn take_managed_fields(object: &mut Value) -> Value {
    object
        .get_mut("metadata")
        .and_then(Value::as_object_mut)
        .and_then(|map| map.remove("managedFields"))
        .unwrap_or(Value::Null)
}

fn put_managed_fields(object: &mut Value, managers: &mut Managers) {
    match managers.encode() {
        Value::Null => {}
        list => {
            metadata::of(object).insert("managedFields".to_owned(), list);
        }
    }
}

impl Server {
    /// The fields that this endpoint may own and change.
    fn scope(call: &Call) -> Scope {
        let status = || FieldSet::of_fields(&[&["status"]]);
        match call.path.subresource.as_deref() {
            Some("status") => Scope::Only(status()),
            Some(_) => Scope::Whole,
            None if call.version().has_status => Scope::Except(status()),
            None => Scope::Whole,
        }
    }

    fn track<R>(call: &Call, scope: Scope, run: impl FnOnce(&Tracking<'_>) -> R) -> R {
        let version = call.version();
        let schema_of = |api_version: &str| call.kind.schema_of(api_version);
        run(&Tracking {
            schema_of: &schema_of,
            schema: &version.schema,
            api_version: &version.api_version,
            subresource: call.path.subresource.as_deref().unwrap_or_default(),
            is_custom: call.kind.is_custom(),
            scope,
            now: Moment::now().to_seconds(),
        })
    }

    /// Checks that a body is of the kind, name and namespace of the URL, and fills in what it leaves out (§7).
    ///
    /// A POST or PUT is decoded before its kind is looked at (`takes_any_kind`), which changes what is said.
    fn check_identity(call: &Call, object: &mut Value, takes_any_kind: bool) -> Result<(), Refusal> {
        let (api_version, kind) = (object["apiVersion"].as_str(), object["kind"].as_str());
        if kind.is_none() && api_version.is_none() && object.is_object() {
            object["apiVersion"] = json!(call.version().api_version);
            object["kind"] = json!(call.kind.kind);
        } else if kind != Some(&call.kind.kind) || api_version != Some(&call.version().api_version) {
            if takes_any_kind && !call.kind.is_custom() && api_version == Some(&call.version().api_version) {
                let (given, wanted) = (kind.unwrap_or_default(), &call.kind.kind);
                let version = &call.version().name;
                let group = if call.kind.group.is_empty() {
                    "core"
                } else {
                    &call.kind.group
                };
                return Err(Refusal::bad_request(format!(
                    "{given} in version \"{version}\" cannot be handled as a {wanted}: converting ({version}.{given}) to ({group}.{wanted}): unknown conversion"
                )));
            }
            let (group, version) = match api_version.unwrap_or_default().split_once('/') {
                Some((group, version)) => (group, version),
                None => ("", api_version.unwrap_or_default()),
            };
            return Err(Refusal::bad_request(format!(
                "invalid object type: {group}/{version}, Kind={}",
                kind.unwrap_or_default()
            )));
        }
        let metadata = metadata::of(object);
        if let Some(found) = metadata
            .get("namespace")
            .and_then(Value::as_str)
            .filter(|found| !found.is_empty())
            && found != call.namespace()
        {
            if call.path.namespace.is_none() {
                return Err(Refusal::bad_request("namespace is not allowed on this type"));
            }
            return Err(Refusal::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        match &call.path.namespace {
            Some(namespace) => metadata.insert("namespace".to_owned(), json!(namespace)),
            None => metadata.remove("namespace"),
        };
        if let Some(name) = &call.path.name {
            match metadata.get("name").and_then(Value::as_str).unwrap_or_default() {
                "" => {
                    return Err(Refusal::bad_request(
                        "name on object metadata was undeterminable: name must be provided",
                    ));
                }
                found if found != name => {
                    return Err(Refusal::bad_request(format!(
                        "the name of the object ({found}) does not match the name on the URL ({name})"
                    )));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// POST.
    pub(super) fn create(&self, call: &Call, body: &[u8]) -> Result<Written, Refusal> {
        check_manager(call, "CreateOptions")?;
        let mut object = decode(body)?;
        Self::check_identity(call, &mut object, true)?;
        let suffix = self.new_suffix();
        let metadata = metadata::of(&mut object);
        if metadata.get("name").and_then(Value::as_str).is_none_or(str::is_empty) {
            let Some(prefix) = metadata
                .get("generateName")
                .and_then(Value::as_str)
                .filter(|prefix| !prefix.is_empty())
            else {
                let error = FieldError::required("metadata.name", "name or generateName is required");
                return Err(Refusal::invalid(call.subject(""), &[error]));
            };
            metadata.insert("name".to_owned(), json!(format!("{prefix}{suffix}")));
        }
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        self.check_namespace(call, &name)?;
        self.check_definition(call, &name)?;
        if object["metadata"]["resourceVersion"]
            .as_str()
            .is_some_and(|given| !given.is_empty())
        {
            return Err(Refusal::untyped(
                "resourceVersion should not be set on objects to be created",
            ));
        }
        let sent = take_managed_fields(&mut object);
        let unknown = self.shape(&call.kind, call.version(), &mut object)?;
        let warnings = unknown_fields(call, &unknown, |text| undecodable(call, text))?;
        if let Some(existing) = self.store.get(&call.key(&name)) {
            return Err(exists(call, &name, &existing));
        }
        if call.kind.group.is_empty() && call.kind.kind == "Namespace" {
            kinds::label_namespace(&mut object);
            if let Some(map) = object.as_object_mut()
                && map.get("spec").and_then(Value::as_object).is_some_and(Map::is_empty)
            {
                map.remove("spec");
            }
        }
        let mut managers = Managers::for_update(&Value::Null, &sent, false);
        let tracked = Self::track(call, Self::scope(call), |tracking| {
            tracking.update(None, &object, &mut managers, &call.manager())
        });
        if tracked.is_err() {
            managers = Managers::default();
        }
        let written = self.store_new(call, &name, object, managers, call.query.is_dry_run());
        let mut written = written.map_err(|refusal| refusal.warning(&warnings))?;
        written.warnings = warnings;
        Ok(written)
    }

    /// Fills in, checks and stores a new object.
    fn store_new(
        &self,
        call: &Call,
        name: &str,
        mut object: Value,
        mut managers: Managers,
        dry_run: bool,
    ) -> Result<Written, Refusal> {
        let uid = self.new_uid();
        self.prepare_new(call, &mut object, &uid);
        self.admit(call, Operation::Create, name, None, Some(&mut object), dry_run)?;
        let mut errors = metadata::check(&call.kind, &object["metadata"]);
        errors.extend(Self::check_object(call, &object, None));
        Self::refuse_invalid(call.subject(name), &errors)?;
        put_managed_fields(&mut object, &mut managers);
        check_size(call, name, &object)?;
        if dry_run {
            return Ok(Written {
                code: 201,
                before: None,
                shown: Shown::Value(Box::new(object)),
                warnings: Vec::new(),
            });
        }
        let key = call.key(name);
        let stored = match self.store.put(&key, None, self.to_storage(&call.kind, object)) {
            Ok(stored) => stored,
            Err(CommitError::Stale) => {
                return Err(match self.store.get(&key) {
                    Some(existing) => exists(call, name, &existing),
                    None => Refusal::already_exists(call.subject(name)),
                });
            }
            Err(error) => return Err(disk_failure(&error)),
        };
        self.after_put(&key, None, &stored);
        Ok(Written {
            code: 201,
            before: None,
            shown: Shown::Stored(stored),
            warnings: Vec::new(),
        })
    }

    fn prepare_new(&self, call: &Call, object: &mut Value, uid: &str) {
        let metadata = metadata::of(object);
        for field in [
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "resourceVersion",
            "generation",
        ] {
            metadata.remove(field);
        }
        metadata.insert("uid".to_owned(), json!(uid));
        metadata.insert("creationTimestamp".to_owned(), json!(Moment::now().to_seconds()));
        let kind = &call.kind;
        if kind.has_generation {
            metadata.insert("generation".to_owned(), json!(1));
        }
        // A node reports its own status from the start; everything else begins without one.
        if call.version().has_status
            && kind.kind != "Node"
            && let Value::Object(map) = object
        {
            map.remove("status");
        }
        if !kind.is_custom() {
            kinds::complete(kind, &call.version().schema, object);
            kinds::complete_on_create(kind, object, uid, || self.new_cluster_ip());
        }
    }

    fn check_object(call: &Call, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
        let schema = &call.version().schema;
        if !call.kind.is_custom() {
            return kinds::check_create(&call.kind, schema, object);
        }
        let mut errors = schema::validate(schema, object);
        if !errors.iter().any(FieldError::blocks_rules) {
            errors.extend(schema::judge(schema, object, old));
        } else if schema.has_rules {
            errors.push(FieldError::invalid_text("<nil>", "null", "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"));
        }
        errors
    }

    /// PUT.
    pub(super) fn replace(&self, call: &Call, body: &[u8]) -> Result<Written, Refusal> {
        check_manager(call, "UpdateOptions")?;
        if call.path.subresource.as_deref() == Some("scale") {
            let scale = decode(body)?;
            return self.again(|| self.write_scale(call, |_| Ok(scale.clone())));
        }
        let mut object = decode(body)?;
        Self::check_identity(call, &mut object, true)?;
        self.again(|| {
            let mut object = object.clone();
            let Some(old) = self.store.get(&call.key(call.name())) else {
                return self.replace_absent(call, object);
            };
            let given_uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
            if !given_uid.is_empty() && given_uid != old.uid() {
                return Err(uid_precondition(call, &given_uid, old.uid()));
            }
            let sent = take_managed_fields(&mut object);
            let unknown = self.shape(&call.kind, call.version(), &mut object)?;
            let warnings = unknown_fields(call, &unknown, |text| undecodable(call, text))?;
            let written = self.store_update(call, &old, object, &sent, true);
            let mut written = written.map_err(|refusal| refusal.warning(&warnings))?;
            written.warnings = warnings;
            Ok(written)
        })
    }

    /// A PUT of what is not there creates some kinds (§15).
    fn replace_absent(&self, call: &Call, mut object: Value) -> Result<Written, Refusal> {
        if !call.kind.creates_on_update || call.path.subresource.is_some() {
            return Err(Refusal::not_found(call.subject(call.name())));
        }
        let given_uid = object["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        if !given_uid.is_empty() {
            return Err(uid_precondition(call, &given_uid, ""));
        }
        self.authorize_creation(call, call.name())?;
        if !call.kind.updates_unconditionally {
            check_resource_version_given(call, &object)?;
        }
        self.check_namespace(call, call.name())?;
        let sent = take_managed_fields(&mut object);
        self.shape(&call.kind, call.version(), &mut object)?;
        let mut managers = Managers::for_update(&Value::Null, &sent, false);
        let tracked = Self::track(call, Self::scope(call), |tracking| {
            tracking.update(None, &object, &mut managers, &call.manager())
        });
        if tracked.is_err() {
            managers = Managers::default();
        }
        self.store_new(call, call.name(), object, managers, call.query.is_dry_run())
    }

    /// PATCH, apply included.
    pub(super) fn patch(&self, call: &Call, body: &[u8]) -> Result<Written, Refusal> {
        let patch_type = call.patch_type()?;
        if patch_type == PatchType::Apply {
            return self.apply(call, body);
        }
        check_manager(call, "PatchOptions")?;
        let parsed = match patch_type {
            PatchType::Json => Value::Null,
            PatchType::Merge if serde_json::from_slice::<Value>(body).is_err_and(|error| error.is_eof()) => {
                return Err(Refusal::bad_request(
                    "error decoding patch: unexpected end of JSON input",
                ));
            }
            PatchType::Merge | PatchType::Strategic | PatchType::Apply => decode(body)?,
        };
        let apply_to = |value: &mut Value, schema: &schema::Schema| match patch_type {
            PatchType::Json => patch::json(value, body),
            PatchType::Strategic => patch::strategic(schema, value, parsed.clone()),
            PatchType::Merge | PatchType::Apply => {
                patch::merge(value, &parsed);
                Ok(())
            }
        };
        if call.path.subresource.as_deref() == Some("scale") {
            return self.again(|| {
                self.write_scale(call, |mut scale| {
                    apply_to(&mut scale, &schema::ANYTHING)?;
                    Ok(scale)
                })
            });
        }
        self.again(|| {
            let old = self.find(call)?;
            let mut object = self.view(&call.kind, call.version(), &old.value).into_owned();
            apply_to(&mut object, &call.version().schema)?;
            Self::check_patched(call, &mut object)?;
            let sent = take_managed_fields(&mut object);
            let whole = object.clone();
            let unknown = self.shape(&call.kind, call.version(), &mut object)?;
            let warnings = unknown_fields(call, &unknown, |text| {
                let error = FieldError::invalid("patch", &whole, &format!("strict decoding error: {text}"));
                Refusal::invalid(
                    super::status::Subject {
                        group: "",
                        kind: "",
                        resource: "",
                        name: "",
                    },
                    &[error],
                )
            })?;
            let written = self.store_update(call, &old, object, &sent, false);
            let mut written = written.map_err(|refusal| refusal.warning(&warnings))?;
            written.warnings = warnings;
            Ok(written)
        })
    }

    fn check_patched(call: &Call, object: &mut Value) -> Result<(), Refusal> {
        if !object.is_object() || !object["metadata"].is_object() {
            return Err(Refusal::unusable_patch());
        }
        Self::check_identity(call, object, false)
    }

    pub(super) fn find(&self, call: &Call) -> Result<Arc<Stored>, Refusal> {
        self.store
            .get(&call.key(call.name()))
            .ok_or_else(|| Refusal::not_found(call.subject(call.name())))
    }

    /// Computes a write again while somebody else was faster.
    pub(super) fn again(&self, mut write: impl FnMut() -> Result<Written, Refusal>) -> Result<Written, Refusal> {
        for _ in 1..MAX_ATTEMPTS {
            match write() {
                Err(refusal) if refusal.is_stale() => {}
                other => return other,
            }
        }
        write()
    }

    /// Books and stores an update; `object` is in the version of the request and has no managedFields.
    pub(super) fn store_update(
        &self,
        call: &Call,
        old: &Arc<Stored>,
        mut object: Value,
        sent: &Value,
        is_put: bool,
    ) -> Result<Written, Refusal> {
        let mut live = self.view(&call.kind, call.version(), &old.value).into_owned();
        let live_fields = take_managed_fields(&mut live);
        if call.path.subresource.as_deref() == Some("status") {
            object = with_status_of(&live, &object);
        }
        let is_subresource = call.path.subresource.is_some();
        let mut managers = Managers::for_update(&live_fields, sent, is_subresource);
        let tracked = Self::track(call, Self::scope(call), |tracking| {
            tracking.update(Some(&live), &object, &mut managers, &call.manager())
        });
        if tracked.is_err() {
            managers = Managers::default();
        }
        if is_put && !call.kind.updates_unconditionally {
            check_resource_version_given(call, &object)?;
        }
        self.store_changed(call, old, &live, object, managers, call.query.is_dry_run())
    }

    /// Checks and stores a changed object, or finds that nothing changed.
    fn store_changed(
        &self,
        call: &Call,
        old: &Arc<Stored>,
        live: &Value,
        mut object: Value,
        mut managers: Managers,
        dry_run: bool,
    ) -> Result<Written, Refusal> {
        let name = call.name();
        let subject = call.subject(name);
        let given = object["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        if !given.is_empty() && given != "0" && given != old.resource_version.to_string() {
            return Err(Refusal::modified(subject));
        }
        let mut errors = metadata::check_update(&live["metadata"], &object["metadata"]);
        metadata::keep_system_fields(live, &mut object);
        metadata::of(&mut object).insert("resourceVersion".to_owned(), json!(old.resource_version.to_string()));
        if call.path.subresource.is_none()
            && call.version().has_status
            && let Value::Object(map) = &mut object
        {
            match live.get("status") {
                Some(status) => map.insert("status".to_owned(), status.clone()),
                None => map.remove("status"),
            };
        }
        self.keep_allocated(call, live, &mut object);
        self.admit(call, Operation::Update, name, Some(live), Some(&mut object), dry_run)?;
        count_generation(call, live, &mut object);
        let is_same_object = object == *live;
        if !is_same_object {
            errors.extend(metadata::check(&call.kind, &object["metadata"]));
            // The strategies of workloads look at what may not change last.
            let own = Self::check_object(call, &object, Some(live));
            let fixed = if call.kind.is_custom() {
                Vec::new()
            } else {
                kinds::check_update(&call.kind, live, &object)
            };
            let (first, last) = if call.kind.group == "apps" {
                (own, fixed)
            } else {
                (fixed, own)
            };
            errors.extend(first.into_iter().chain(last));
        }
        Self::refuse_invalid(subject, &errors)?;
        put_managed_fields(&mut object, &mut managers);
        check_size(call, name, &object)?;
        let unchanged = is_same_object
            && same_managers(
                &old.value["metadata"]["managedFields"],
                &object["metadata"]["managedFields"],
            );
        let done = |shown| {
            Ok(Written {
                code: 200,
                before: Some(Arc::clone(old)),
                shown,
                warnings: Vec::new(),
            })
        };
        let ends = !object["metadata"]["deletionTimestamp"].is_null() && has_no_finalizers(call, &object);
        if unchanged && !ends {
            return done(Shown::Stored(Arc::clone(old)));
        }
        if dry_run {
            return done(Shown::Value(Box::new(object)));
        }
        let key = call.key(name);
        if ends {
            self.end(&key, old, &call.user.user, "its last finalizer was removed")?;
            return done(Shown::Value(Box::new(object)));
        }
        let stored = match self
            .store
            .put(&key, Some(old.resource_version), self.to_storage(&call.kind, object))
        {
            Ok(stored) => stored,
            Err(CommitError::Stale) => return Err(Refusal::stale(subject)),
            Err(error) => return Err(disk_failure(&error)),
        };
        self.after_put(&key, Some(old), &stored);
        done(Shown::Stored(stored))
    }

    /// Carries over what was allocated to an object and an update may leave out.
    fn keep_allocated(&self, call: &Call, live: &Value, object: &mut Value) {
        // Only the finalize endpoint changes what a namespace waits for.
        if call.kind.group.is_empty() && call.kind.kind == "Namespace" && call.path.subresource.is_none() {
            object["spec"] = live["spec"].clone();
            kinds::label_namespace(object);
        }
        if call.kind.group.is_empty() && call.kind.kind == "Service" && object["spec"]["type"] != "ExternalName" {
            for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                if object["spec"][field].is_null() && !live["spec"][field].is_null() {
                    object["spec"][field] = live["spec"][field].clone();
                }
            }
        }
    }

    /// Server-side apply.
    fn apply(&self, call: &Call, body: &[u8]) -> Result<Written, Refusal> {
        let Some(manager) = call.query.get("fieldManager") else {
            let error = FieldError::required("fieldManager", "is required for apply patch");
            return Err(Refusal::invalid_options("PatchOptions", &[error]));
        };
        check_manager(call, "PatchOptions")?;
        if call.path.subresource.as_deref() == Some("scale") {
            let scale = decode(body)?;
            return self.again(|| self.write_scale(call, |_| Ok(scale.clone())));
        }
        let mut applied = decode(body)?;
        if applied["metadata"]
            .get("managedFields")
            .is_some_and(|fields| !fields.is_null())
        {
            return Err(Refusal::bad_request("metadata.managedFields must be nil"));
        }
        let sent_namespace = applied["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
        Self::check_identity(call, &mut applied, false)?;
        let dry_run = call.query.is_dry_run();
        let force = call.query.is_set("force");
        let version = call.version();
        self.again(|| {
            let old = self.store.get(&call.key(call.name()));
            if old.is_none() {
                self.check_absent(call, &applied)?;
            }
            let errors = typed::check(&version.schema, &applied, false);
            if !errors.is_empty() {
                let gv = if call.kind.group.is_empty() {
                    format!("/{}", version.name)
                } else {
                    version.api_version.clone()
                };
                return Err(Refusal::untyped(format!(
                    "failed to create typed patch object ({sent_namespace}/{}; {gv}, Kind={}): {}",
                    call.name(),
                    call.kind.kind,
                    typed::join(&errors)
                )));
            }
            let live = old.as_ref().map(|old| {
                let mut live = self.view(&call.kind, version, &old.value).into_owned();
                let fields = take_managed_fields(&mut live);
                (live, fields)
            });
            let mut managers = live
                .as_ref()
                .map(|(_, fields)| Managers::decode(fields).unwrap_or_default())
                .unwrap_or_default();
            let merged = Self::track(call, Self::scope(call), |tracking| {
                tracking.apply(
                    live.as_ref().map(|(live, _)| live),
                    &applied,
                    &mut managers,
                    manager,
                    force,
                )
            })?;
            match (&old, live) {
                (Some(old), Some((live, _))) => {
                    let object = match merged {
                        Some(mut object) => {
                            self.shape(&call.kind, version, &mut object)?;
                            if call.path.subresource.as_deref() == Some("status") {
                                object = with_status_of(&live, &object);
                            }
                            object
                        }
                        None => live.clone(),
                    };
                    self.store_changed(call, old, &live, object, managers, dry_run)
                }
                _ => {
                    let mut object = merged.unwrap_or_else(|| applied.clone());
                    self.shape(&call.kind, version, &mut object)?;
                    match self.store_new(call, call.name(), object, managers, dry_run) {
                        // Somebody created it meanwhile: then this is an update.
                        Err(refusal) if refusal.is_already_exists() => Err(Refusal::stale(call.subject(call.name()))),
                        other => other,
                    }
                }
            }
        })
    }

    /// What an apply to an absent object may not say (§4).
    fn check_absent(&self, call: &Call, applied: &Value) -> Result<(), Refusal> {
        if call.path.subresource.is_some() {
            return Err(Refusal::not_found(call.subject(call.name())));
        }
        if let Some(uid) = applied["metadata"]["uid"].as_str().filter(|uid| !uid.is_empty()) {
            let why =
                format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            return Err(Refusal::conflict(call.subject(call.name()), &why));
        }
        self.check_namespace(call, call.name())
    }

    /// PUT or PATCH of the scale of an object.
    fn write_scale(
        &self,
        call: &Call,
        change: impl FnOnce(Value) -> Result<Value, Refusal>,
    ) -> Result<Written, Refusal> {
        let old = self.find(call)?;
        let Some(paths) = call.version().scale.clone() else {
            return Err(Refusal::resource_not_found());
        };
        let mut live = self.view(&call.kind, call.version(), &old.value).into_owned();
        let scaled = change(scale::of(&live, &paths))?;
        let given = scaled["metadata"]["resourceVersion"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let fields = take_managed_fields(&mut live);
        let mut object = live.clone();
        scale::set(&mut object, &paths, &scaled["spec"]["replicas"]);
        if !given.is_empty() {
            metadata::of(&mut object).insert("resourceVersion".to_owned(), json!(given));
        }
        let mut managers = Managers::for_update(&fields, &Value::Null, true);
        let tracked = Self::track(call, Scope::Whole, |tracking| {
            tracking.update(Some(&live), &object, &mut managers, &call.manager())
        });
        if tracked.is_err() {
            managers = Managers::default();
        }
        let mut written = self.store_changed(call, &old, &live, object, managers, call.query.is_dry_run())?;
        let shown = match &written.shown {
            Shown::Stored(stored) => scale::of(&stored.value, &paths),
            Shown::Value(value) => scale::of(value, &paths),
        };
        written.shown = Shown::Value(Box::new(shown));
        Ok(written)
    }
}

/// The live object with the status of another one, and its resourceVersion for the precondition.
fn with_status_of(live: &Value, proposed: &Value) -> Value {
    let mut object = live.clone();
    if let Value::Object(map) = &mut object {
        match proposed.get("status") {
            Some(status) => map.insert("status".to_owned(), status.clone()),
            None => map.remove("status"),
        };
    }
    // The controller numbers the revisions of a Deployment with its status
    // (<https://github.com/kubernetes/kubernetes/blob/v1.34.4/pkg/registry/apps/deployment/strategy.go>).
    if live["kind"] == "Deployment" && live["apiVersion"] == "apps/v1" {
        match proposed["metadata"].get("annotations") {
            Some(annotations) => metadata::of(&mut object).insert("annotations".to_owned(), annotations.clone()),
            None => metadata::of(&mut object).remove("annotations"),
        };
    }
    for field in ["resourceVersion", "uid"] {
        if let Some(given) = proposed["metadata"].get(field) {
            metadata::of(&mut object).insert(field.to_owned(), given.clone());
        }
    }
    object
}

/// Raises metadata.generation where the kind counts this change (§11).
fn count_generation(call: &Call, live: &Value, object: &mut Value) {
    if !call.kind.has_generation || call.path.subresource.as_deref() == Some("status") {
        return;
    }
    let counts = |value: &Value| -> Map<String, Value> {
        let Some(map) = value.as_object() else {
            return Map::new();
        };
        let has_status = call.version().has_status;
        map.iter()
            .filter(|(key, _)| !(*key == "metadata" || *key == "apiVersion" || *key == "status" && has_status))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    // Annotations of a Deployment are copied to its ReplicaSets, so they count
    // (<https://github.com/kubernetes/kubernetes/blob/v1.32.0/pkg/registry/apps/deployment/strategy.go>).
    let is_deployment = call.kind.group == "apps" && call.kind.kind == "Deployment";
    let annotations_differ = is_deployment && live["metadata"]["annotations"] != object["metadata"]["annotations"];
    if annotations_differ || counts(live) != counts(object) {
        let generation = live["metadata"]["generation"].as_i64().unwrap_or_default() + 1;
        metadata::of(object).insert("generation".to_owned(), json!(generation));
    }
}

/// Whether two managedFields lists differ in their times at most.
fn same_managers(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (one, other) if one == other => true,
        (Value::Array(one), Value::Array(other)) => {
            let strip = |entry: &Value| {
                let mut entry = entry.clone();
                if let Value::Object(map) = &mut entry {
                    map.remove("time");
                }
                entry
            };
            one.len() == other.len()
                && one
                    .iter()
                    .all(|entry| other.iter().any(|candidate| strip(candidate) == strip(entry)))
        }
        (one, other) => one.is_null() && other.is_null(),
    }
}

fn has_no_finalizers(call: &Call, object: &Value) -> bool {
    let none = |value: &Value| value.as_array().is_none_or(Vec::is_empty);
    let is_namespace = call.kind.group.is_empty() && call.kind.kind == "Namespace";
    none(&object["metadata"]["finalizers"]) && (!is_namespace || none(&object["spec"]["finalizers"]))
}

fn exists(call: &Call, name: &str, existing: &Stored) -> Refusal {
    if existing.is_terminating() {
        Refusal::being_deleted(call.subject(name))
    } else {
        Refusal::already_exists(call.subject(name))
    }
}

fn uid_precondition(call: &Call, given: &str, found: &str) -> Refusal {
    let key = call.key(call.name());
    let place = [key.group.as_str(), &key.plural, &key.namespace, &key.name];
    let place: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: /registry/{}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {given}, UID in object meta: {found}",
        place.join("/")
    );
    Refusal::conflict(call.subject(call.name()), &why)
}

fn check_resource_version_given(call: &Call, object: &Value) -> Result<(), Refusal> {
    if matches!(object["metadata"]["resourceVersion"].as_str(), None | Some("" | "0")) {
        let error = FieldError::invalid_text("metadata.resourceVersion", "0", "must be specified for an update");
        let subject = super::status::Subject {
            kind: &call.kind.plural,
            ..call.subject(call.name())
        };
        return Err(Refusal::invalid(subject, &[error]));
    }
    Ok(())
}

/// Refuses or warns of undeclared fields, as `fieldValidation` says (§8).
fn unknown_fields(call: &Call, paths: &[String], refuse: impl FnOnce(&str) -> Refusal) -> Result<Vec<String>, Refusal> {
    let texts: Vec<String> = paths.iter().map(|path| format!("unknown field \"{path}\"")).collect();
    match FieldValidation::of(call) {
        FieldValidation::Ignore => Ok(Vec::new()),
        FieldValidation::Warn => Ok(texts),
        FieldValidation::Strict if texts.is_empty() => Ok(texts),
        FieldValidation::Strict => Err(refuse(&texts.join(", "))),
    }
}

/// The refusal of an object that holds what its kind has not.
fn undecodable(call: &Call, text: &str) -> Refusal {
    let kind = &call.kind.kind;
    let version = &call.version().name;
    Refusal::bad_request(format!(
        "{kind} in version \"{version}\" cannot be handled as a {kind}: strict decoding error: {text}"
    ))
}

/// Checks the name of a field manager (§8).
fn check_manager(call: &Call, options: &str) -> Result<(), Refusal> {
    const MAX_BYTES: usize = 128;
    let Some(manager) = call.query.get("fieldManager") else {
        return Ok(());
    };
    let mut errors = Vec::new();
    if manager.len() > MAX_BYTES {
        errors.push(FieldError::too_long("fieldManager", MAX_BYTES));
    }
    if let Some((position, character)) = manager.char_indices().find(|(_, character)| character.is_control()) {
        let detail = format!("invalid character U+{:04X} (at position {position})", character as u32);
        errors.push(FieldError::invalid("fieldManager", &Value::from(manager), &detail));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Refusal::invalid_options(options, &errors))
    }
}

/// A ConfigMap or Secret holds values of at most 1 MiB (§7); of what is written in base64 the bytes count that it stands for
/// (`ValidateSecret` and `ValidateConfigMap` of Kubernetes 1.34 count values, and no keys).
fn check_size(call: &Call, name: &str, object: &Value) -> Result<(), Refusal> {
    const MAX_BYTES: usize = 1_048_576;
    if !call.kind.group.is_empty() || !matches!(call.kind.kind.as_str(), "ConfigMap" | "Secret") {
        return Ok(());
    }
    let is_text = |field: &str| call.kind.kind == "ConfigMap" && field == "data";
    let size_of = |field: &str| -> usize {
        let values = object[field].as_object().into_iter().flat_map(|map| map.values());
        let texts = values.filter_map(Value::as_str);
        if is_text(field) {
            texts.map(str::len).sum()
        } else {
            texts.map(|text| text.trim_end_matches('=').len() * 3 / 4).sum()
        }
    };
    if size_of("data") + size_of("binaryData") > MAX_BYTES {
        let field = if call.kind.kind == "ConfigMap" { "[]" } else { "data" };
        return Err(Refusal::invalid(
            call.subject(name),
            &[FieldError::too_long(field, MAX_BYTES)],
        ));
    }
    Ok(())
}
