//! Custom resource definitions: the kinds they bring, their conditions, and their end.
//!
//! Invariants:
//! - A kind is served before its definition says `Established`.
//! - A definition that terminates is served until its last instance is gone (`reference/ssa-semantics.md` §12).

use std::sync::Arc;

use serde_json::{Value, json};

use super::delete::{DEFINITION_CLEANUP, DeleteOptions, Propagation};
use super::identity::Identity;
use super::kinds::{Column, Kind, Scale, Version, object_meta, version_priority};
use super::request::Call;
use super::schema::{self, Gaps, Schema, Type};
use super::server::{Server, definition_key};
use super::status::Refusal;
use super::store::ObjectKey;
use super::wall::Moment;

/// The annotation of a definition that says which names its objects may have.
pub const NAMES_ANNOTATION: &str = "simulator.stackctl.dev/names";
/// Its value where any part of a path is a name, as aggregated servers and built-in kinds may have it.
pub const NAMES_IN_PATHS: &str = "path-segments";

/// Reads a definition into the kind that it brings; `None` if it lacks something without which there is no kind. Its rules
/// that are not judged are counted in `gaps`.
pub(super) fn kind_of(definition: &Value, gaps: &mut Gaps) -> Option<Kind> {
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let list = |value: &Value| -> Vec<String> { value.as_array().into_iter().flatten().filter_map(text).collect() };
    let (group, kind) = (text(&spec["group"])?, text(&spec["names"]["kind"])?);
    let versions: Vec<Version> = spec["versions"]
        .as_array()?
        .iter()
        .filter_map(|version| {
            let deprecation = deprecation(spec, version);
            let version = version_of(&group, version, gaps)?;
            Some(Version { deprecation, ..version })
        })
        .collect();
    let storage = spec["versions"]
        .as_array()?
        .iter()
        .position(|version| version["storage"] == true)?;
    Some(Kind {
        stored_in: group.clone(),
        list_kind: text(&spec["names"]["listKind"]).unwrap_or_else(|| format!("{kind}List")),
        plural: text(&spec["names"]["plural"])?,
        singular: text(&spec["names"]["singular"]).unwrap_or_else(|| kind.to_lowercase()),
        short_names: list(&spec["names"]["shortNames"]),
        categories: list(&spec["names"]["categories"]),
        is_namespaced: spec["scope"] == "Namespaced",
        storage: storage.min(versions.len().checked_sub(1)?),
        definition: text(&definition["metadata"]["name"]),
        has_free_names: definition["metadata"]["annotations"][NAMES_ANNOTATION] == NAMES_IN_PATHS,
        has_generation: true,
        creates_on_update: false,
        updates_unconditionally: false,
        group,
        kind,
        versions,
    })
}

fn version_of(group: &str, version: &Value, gaps: &mut Gaps) -> Option<Version> {
    let name = version["name"].as_str()?;
    let dotted = |value: &Value| -> Option<Vec<String>> {
        Some(
            value
                .as_str()?
                .split('.')
                .filter(|key| !key.is_empty())
                .map(ToOwned::to_owned)
                .collect(),
        )
    };
    let scale = &version["subresources"]["scale"];
    let mut schema = schema::from_definition(version["schema"].get("openAPIV3Schema"), gaps);
    let text = || {
        Arc::new(Schema {
            value_type: Type::String,
            ..Schema::default()
        })
    };
    schema.properties.insert("apiVersion".to_owned(), text());
    schema.properties.insert("kind".to_owned(), text());
    schema.properties.insert("metadata".to_owned(), object_meta());
    Some(Version {
        name: name.to_owned(),
        api_version: format!("{group}/{name}"),
        schema: Arc::new(schema),
        is_served: version["served"] == true,
        has_status: version["subresources"]
            .get("status")
            .is_some_and(|status| !status.is_null()),
        scale: dotted(&scale["specReplicasPath"])
            .zip(dotted(&scale["statusReplicasPath"]))
            .map(|(spec_replicas, status_replicas)| Scale {
                spec_replicas,
                status_replicas,
                selector: dotted(&scale["labelSelectorPath"]),
            }),
        columns: version["additionalPrinterColumns"]
            .as_array()
            .into_iter()
            .flatten()
            .map(column_of)
            .collect(),
        deprecation: None,
    })
}

/// What is said of a version that goes out of use (k8s.io/apiextensions-apiserver/pkg/apiserver,
/// `customresource_handler.go`, `defaultDeprecationWarning`).
fn deprecation(spec: &Value, version: &Value) -> Option<String> {
    if version["deprecated"] != true {
        return None;
    }
    if let Some(text) = version["deprecationWarning"].as_str() {
        return Some(text.to_owned());
    }
    let called = |version: &str| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        format!("{}/{version} {}", text(&spec["group"]), text(&spec["names"]["kind"]))
    };
    let versions = spec["versions"].as_array().into_iter().flatten();
    let others = versions.filter(|other| other["served"] == true && other["deprecated"] != true);
    let best = others
        .filter_map(|other| other["name"].as_str())
        .max_by_key(|name| version_priority(name));
    let said = format!("{} is deprecated", called(version["name"].as_str()?));
    Some(match best {
        Some(best) => format!("{said}; use {}", called(best)),
        None => said,
    })
}

fn column_of(column: &Value) -> Column {
    let text = |key: &str| column[key].as_str().unwrap_or_default().to_owned();
    Column {
        name: text("name"),
        column_type: text("type"),
        format: text("format"),
        description: text("description"),
        priority: column["priority"].as_i64().unwrap_or_default(),
        json_path: text("jsonPath"),
    }
}

/// Sets a condition in the status of an object.
pub(super) fn set_condition(object: &mut Value, condition: &str, is_true: bool, reason: &str, message: &str) {
    if !object["status"].is_object() {
        object["status"] = json!({});
    }
    set_condition_of(&mut object["status"], condition, is_true, reason, message);
}

/// Sets a condition; its time moves only when its status does.
pub(super) fn set_condition_of(status: &mut Value, condition: &str, is_true: bool, reason: &str, message: &str) {
    if !status["conditions"].is_array() {
        status["conditions"] = json!([]);
    }
    let value = if is_true { "True" } else { "False" };
    let Some(list) = status["conditions"].as_array_mut() else {
        return;
    };
    let mut next = json!({"type": condition, "status": value, "reason": reason, "message": message,
        "lastTransitionTime": Moment::now().to_seconds()});
    match list.iter_mut().find(|existing| existing["type"] == condition) {
        Some(existing) => {
            if existing["status"] == value {
                next["lastTransitionTime"] = existing["lastTransitionTime"].clone();
            }
            *existing = next;
        }
        None => list.push(next),
    }
}

fn api_server() -> Identity {
    Identity::named("system:kube-apiserver")
}

/// Splits `things.exp-x.io` into plural and group.
fn split_name(name: &str) -> (&str, &str) {
    name.split_once('.').unwrap_or((name, ""))
}

impl Server {
    /// Serves the kinds of every stored definition; for the start.
    pub(super) fn load_definitions(&self) {
        for stored in self.store.everything() {
            if stored.value["kind"] == "CustomResourceDefinition" {
                self.serve_definition(&stored.value);
            }
        }
    }

    fn serve_definition(&self, definition: &Value) {
        let mut gaps = Gaps::new();
        if let Some(kind) = kind_of(definition, &mut gaps) {
            self.unjudged
                .tell(definition["metadata"]["name"].as_str().unwrap_or_default(), &gaps);
            self.kinds.put(kind);
        }
    }

    /// Refuses a POST of an instance while its definition terminates; an apply passes (§12).
    pub(super) fn check_definition(&self, call: &Call, name: &str) -> Result<(), Refusal> {
        let Some(definition) = &call.kind.definition else {
            return Ok(());
        };
        match self.store.get(&definition_key(definition)) {
            Some(stored) if stored.is_terminating() => Err(Refusal::definition_terminating(call.subject(name))),
            _ => Ok(()),
        }
    }

    /// Brings what is served in line with a definition.
    pub(super) fn follow_definition(&self, name: &str) {
        let (plural, group) = split_name(name);
        let key = definition_key(name);
        let Some(stored) = self.store.get(&key) else {
            self.kinds.remove(group, plural);
            return;
        };
        self.serve_definition(&stored.value);
        if stored.is_terminating() {
            self.end_definition(&key, group, plural);
            return;
        }
        let spec = stored.value["spec"].clone();
        let result = self.change_as(&key, Some("status"), &api_server(), |object| {
            let storage = spec["versions"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|version| version["storage"] == true);
            let storage = storage.map(|version| version["name"].clone()).unwrap_or_default();
            let status = &mut object["status"];
            if !status.is_object() {
                *status = json!({});
            }
            status["acceptedNames"] = spec["names"].clone();
            match status["storedVersions"].as_array_mut() {
                Some(list) if list.contains(&storage) => {}
                Some(list) => list.push(storage),
                None => status["storedVersions"] = json!([storage]),
            }
            set_condition_of(status, "NamesAccepted", true, "NoConflicts", "no conflicts found");
            set_condition_of(
                status,
                "Established",
                true,
                "InitialNamesAccepted",
                "the initial names have been accepted",
            );
        });
        if let Err(refusal) = result {
            tracing::debug!(
                message = refusal.message(),
                definition = name,
                "a definition could not be established"
            );
        }
    }

    fn end_definition(&self, key: &ObjectKey, group: &str, plural: &str) {
        let kinds = self.kinds.snapshot();
        let table = (group.to_owned(), plural.to_owned());
        let list = || {
            self.store
                .list(&table, None, None, None, usize::MAX, |_| true)
                .map(|listing| listing.objects)
                .unwrap_or_default()
        };
        if let Some(kind) = kinds.get(group, plural) {
            for stored in list().into_iter().filter(|stored| !stored.is_terminating()) {
                let text = |field: &str| stored.value["metadata"][field].as_str().unwrap_or_default().to_owned();
                let instance = ObjectKey {
                    group: group.to_owned(),
                    plural: plural.to_owned(),
                    namespace: text("namespace"),
                    name: text("name"),
                };
                let call = Call::internal(kind, &instance, None, api_server());
                match self.delete(&call, &DeleteOptions::with(Propagation::Background)) {
                    Ok(_) if self.store.get(&instance).is_none() => {
                        self.audit_removal(
                            &kinds,
                            &instance,
                            &stored,
                            "system:kube-apiserver",
                            "its definition is deleted",
                        );
                    }
                    Ok(_) => {}
                    Err(refusal) => tracing::debug!(message = refusal.message(), "an instance could not be deleted"),
                }
            }
        }
        if list().is_empty() {
            self.drop_finalizer(key, DEFINITION_CLEANUP);
            return;
        }
        let result = self.change_as(key, Some("status"), &api_server(), |object| {
            set_condition(
                object,
                "Terminating",
                true,
                "InstanceDeletionInProgress",
                "CustomResource deletion is in progress",
            );
        });
        if let Err(refusal) = result {
            tracing::debug!(message = refusal.message(), "a definition's condition could not be set");
        }
    }
}
