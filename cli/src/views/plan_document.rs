//! The plan for machines: Terraform's plan representation with our own words beside. `docs/json.md` describes it.
//!
//! Invariants:
//! - A reader of Terraform's plans counts the changes that we count (`views/terraform.rs`).
//! - No secret's value is in it: it shows as `(secret)`, as `(new secret)` where another one takes its place, and is
//!   marked in `before_sensitive` and `after_sensitive`.
//! - What is known only later is absent from `after` and marked in `after_unknown`.

use super::{
    estimate::{self, EstimateJson},
    json::{ChangeJson, ConsequenceJson, CountsJson, EdgeJson, MovedJson, ObjectJson, PartialJson, RemainsJson},
    json::{consequence, node_code, purpose},
    plan::Surroundings,
    terraform,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};
use stackctl_engine::{
    Address, FieldPath,
    diff::drift::Drift,
    digest::Digest,
    facts::MovedFact,
    plan::{Action, Picture, Plan, Side, Step},
    resource::{Consequence, ConsequenceClass},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// What machines are told of a plan, and people are not.
#[derive(Debug)]
pub struct Details {
    /// The digest of what is desired.
    pub desired: Digest,
    /// The objects before and after, by address.
    pub pictures: BTreeMap<Address, Picture>,
    /// What drifted since it was recorded.
    pub drift: Vec<Drift>,
}

/// A plan.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlanJson {
    /// The version of Terraform's plan representation that this follows.
    format_version: &'static str,
    /// The version of stackctl that made it.
    stackctl_version: &'static str,
    /// The name of the stack.
    stack: String,
    /// The cluster, for people.
    cluster: String,
    /// `apply` or `destroy`.
    purpose: &'static str,
    /// Whether anything would be written or run; waiting alone is no change.
    has_changes: bool,
    /// The same, in Terraform's word.
    applyable: bool,
    /// Only of a change that an apply refuses: true, Terraform's word for a plan that is not to be applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    errored: Option<bool>,
    /// Whether the plan is about all of the stack.
    complete: bool,
    /// The digest of what is desired.
    desired: String,
    /// One for each resource, dependencies first.
    resource_changes: Vec<ResourceChangeJson>,
    /// What somebody else changed since it was recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource_drift: Vec<ResourceDriftJson>,
    /// How many resources are dealt with in which way.
    summary: CountsJson,
    /// What to know before saying yes.
    consequences: Vec<ConsequenceJson>,
    /// What stays in the cluster after a destroy.
    remains: Vec<RemainsJson>,
    /// Of a plan of a part of the stack, which part.
    #[serde(skip_serializing_if = "Option::is_none")]
    partial: Option<PartialJson>,
    /// How long a real cluster takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<EstimateJson>,
    /// Records that get another address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    moved: Vec<MovedJson>,
    /// What the cluster says otherwise than when it was recorded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    facts_moved: Vec<MovedFactJson>,
    /// The file of the plan, of `plan -o FILE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    saved: Option<SavedJson>,
    /// What `apply --expect` takes, of `show PLANFILE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

/// A fact of the cluster that reads otherwise than it did.
#[derive(Debug, Serialize, JsonSchema)]
struct MovedFactJson {
    key: String,
    /// Where it was read.
    source: String,
    /// Null when there was no such thing.
    before: Value,
    /// Null when there is no such thing.
    after: Value,
}

impl From<&MovedFact> for MovedFactJson {
    fn from(fact: &MovedFact) -> Self {
        let MovedFact {
            key,
            source,
            before,
            after,
        } = fact;
        Self {
            key: key.clone(),
            source: source.clone(),
            before: before.clone(),
            after: after.clone(),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
struct SavedJson {
    /// The file.
    path: String,
    /// What `apply --expect` takes.
    digest: String,
}

/// What would be done about one resource.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ResourceChangeJson {
    /// The resource.
    address: String,
    /// The address under which it is recorded, where that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_address: Option<String>,
    /// `managed`, or `data` of what is only waited for.
    mode: &'static str,
    /// `Kind.group` of its object, `Kind` in the core group; `gate`, `action` or `check` without one.
    #[serde(rename = "type")]
    resource_type: String,
    /// The name of its object, or the address.
    name: String,
    /// Always `stackctl`.
    provider_name: &'static str,
    /// What would be done, in Terraform's words.
    change: ObjectChangeJson,
    /// Why, in Terraform's word where it has one, else the code of the first of `reasons`.
    #[serde(skip_serializing_if = "Option::is_none")]
    action_reason: Option<&'static str>,
    /// `object`, `overlay`, `gate`, `action` or `check`.
    node: &'static str,
    /// What would be done, in our word.
    action: &'static str,
    /// Why; the first is the one that decided.
    reasons: Vec<ReasonJson>,
    /// The object.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<ObjectJson>,
    /// Which fields change.
    changes: Vec<ChangeJson>,
    /// What the catalogue says beside the address.
    note: String,
    /// What it waits for, directly.
    waits_for: Vec<EdgeJson>,
    /// How ready it is now, of what is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    readiness: Option<ReadinessJson>,
    /// What to know of this one before saying yes.
    consequences: Vec<ConsequenceJson>,
}

/// What somebody else changed about one resource since it was recorded.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ResourceDriftJson {
    address: String,
    /// Always `managed`.
    mode: &'static str,
    #[serde(rename = "type")]
    resource_type: String,
    name: String,
    provider_name: &'static str,
    /// `update`, or `delete` of what is gone, from what was recorded to what is there.
    change: ObjectChangeJson,
    object: ObjectJson,
    /// Which fields, and who wrote them.
    changes: Vec<ChangeJson>,
}

/// A change of an object, as Terraform represents it.
#[derive(Debug, Serialize, JsonSchema)]
struct ObjectChangeJson {
    /// `["no-op"]`, `["create"]`, `["read"]`, `["update"]`, `["delete", "create"]`, `["delete"]` or `["forget"]`.
    actions: &'static [&'static str],
    /// What is there of what is ours, or null.
    before: Option<Value>,
    /// What will be there of it, or null; without what is known only later.
    after: Option<Value>,
    /// `true` in the place of each value that is known only later.
    after_unknown: Value,
    /// `true` in the place of each secret.
    before_sensitive: Value,
    /// `true` in the place of each secret.
    after_sensitive: Value,
    /// Of what becomes ours though it was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    importing: Option<ImportingJson>,
    /// The fields that take a replacement.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replace_paths: Vec<Vec<String>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ImportingJson {
    /// The object that is there.
    id: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ReasonJson {
    /// One word for machines.
    code: &'static str,
    /// For people.
    text: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ReadinessJson {
    ready: bool,
    why: String,
}

/// Converts a plan.
pub fn plan(plan: &Plan, around: &Surroundings, details: &Details) -> PlanJson {
    let Surroundings {
        stack,
        cluster,
        estimate,
        rehearsal,
        is_simulated: _,
        moved,
        facts_moved,
    } = around;
    let formerly: BTreeMap<_, _> = moved.iter().map(|rename| (&rename.to, &rename.from)).collect();
    let nothing = Picture::default();
    let change = |step: &Step| {
        let picture = details.pictures.get(&step.address).unwrap_or(&nothing);
        let before = formerly.get(&step.address).map(ToString::to_string);
        resource_change(step, picture, before)
    };
    PlanJson {
        format_version: terraform::PLAN_FORMAT_VERSION,
        stackctl_version: env!("CARGO_PKG_VERSION"),
        stack: stack.clone(),
        cluster: cluster.clone(),
        purpose: purpose(plan.purpose),
        has_changes: plan.has_changes(),
        applyable: plan.has_changes(),
        errored: None,
        complete: plan.partial.is_none(),
        desired: details.desired.to_string(),
        resource_changes: plan.steps.iter().map(change).collect(),
        resource_drift: details.drift.iter().map(resource_drift).collect(),
        summary: plan.counts().into(),
        consequences: plan.consequences().into_iter().map(consequence).collect(),
        remains: plan.remains.iter().map(Into::into).collect(),
        partial: plan.partial.as_ref().map(Into::into),
        estimate: estimate
            .as_ref()
            .map(|estimate| estimate::of_plan_json(plan, estimate, *rehearsal)),
        moved: moved.iter().map(Into::into).collect(),
        facts_moved: facts_moved.iter().map(Into::into).collect(),
        saved: None,
        digest: None,
    }
}

/// Converts a plan that was saved, with the file and the digest.
pub fn saved(mut plan: PlanJson, saved: Option<(&Path, Digest)>) -> PlanJson {
    plan.saved = saved.map(|(path, digest)| SavedJson {
        path: path.display().to_string(),
        digest: digest.to_string(),
    });
    plan
}

/// Says of a plan that the stack has another name now, which no resource shows.
pub fn renamed(mut plan: PlanJson, told: &str) -> PlanJson {
    plan.has_changes = true;
    plan.applyable = true;
    plan.consequences.push(consequence(&Consequence {
        class: ConsequenceClass::Disruption,
        text: told.to_owned(),
    }));
    plan
}

/// Says of a plan that an apply refuses it.
pub fn refused(plan: PlanJson) -> PlanJson {
    PlanJson {
        applyable: false,
        errored: Some(true),
        ..plan
    }
}

fn resource_change(step: &Step, picture: &Picture, previous_address: Option<String>) -> ResourceChangeJson {
    let Step {
        address,
        node,
        action,
        reasons,
        object,
        changes,
        note,
        waits_for,
        readiness,
        consequences,
    } = step;
    let importing = (*action == Action::Adopt).then(|| ImportingJson {
        id: object.as_ref().map_or_else(|| address.to_string(), ToString::to_string),
    });
    ResourceChangeJson {
        address: address.to_string(),
        previous_address,
        mode: terraform::mode(*node),
        resource_type: terraform::resource_type(step),
        name: terraform::resource_name(step),
        provider_name: terraform::PROVIDER,
        change: ObjectChangeJson {
            importing,
            replace_paths: terraform::replace_paths(step),
            ..object_change(terraform::actions(step), picture)
        },
        action_reason: terraform::action_reason(step),
        node: node_code(*node),
        action: action.code(),
        reasons: reasons
            .iter()
            .map(|reason| ReasonJson {
                code: reason.code(),
                text: reason.to_string(),
            })
            .collect(),
        object: object.as_ref().map(Into::into),
        changes: changes.iter().map(Into::into).collect(),
        note: note.clone(),
        waits_for: waits_for.iter().map(Into::into).collect(),
        readiness: readiness.as_ref().map(|is| ReadinessJson {
            ready: is.is_ready(),
            why: is.why().to_owned(),
        }),
        consequences: consequences.iter().map(consequence).collect(),
    }
}

/// Only what drifted is pictured: all else is as it was recorded.
fn resource_drift(found: &Drift) -> ResourceDriftJson {
    let Drift {
        address,
        object,
        there,
        changes,
    } = found;
    let gone = there.is_gone();
    let picture = Picture::of_changes(object, changes, gone);
    ResourceDriftJson {
        address: address.to_string(),
        mode: "managed",
        resource_type: terraform::type_of(object),
        name: object.name.clone(),
        provider_name: terraform::PROVIDER,
        change: object_change(if gone { &["delete"] } else { &["update"] }, &picture),
        object: object.into(),
        changes: changes.iter().map(Into::into).collect(),
    }
}

fn object_change(actions: &'static [&'static str], picture: &Picture) -> ObjectChangeJson {
    let none = BTreeSet::new();
    let of = |side: Option<&Side>| side.map_or(json!({}), |side| marked(side, &side.secrets));
    // Of what is made nothing is there yet: of fields that are taken, `changes` says what stood there.
    let before = picture.before.as_ref().filter(|_| actions != ["create"]);
    ObjectChangeJson {
        actions,
        before: before.map(|side| masked(side, &none)),
        after: picture
            .after
            .as_ref()
            .map(|side| masked(side, &picture.changed_secrets)),
        after_unknown: picture
            .after
            .as_ref()
            .map_or(json!({}), |side| marked(side, &side.unknown)),
        before_sensitive: of(before),
        after_sensitive: of(picture.after.as_ref()),
        importing: None,
        replace_paths: Vec::new(),
    }
}

/// An object with words in the place of its secrets: equal words say equal secrets.
fn masked(side: &Side, changed: &BTreeSet<FieldPath>) -> Value {
    let mut value = side.value.clone();
    for path in &side.secrets {
        let word = if changed.contains(path) {
            "(new secret)"
        } else {
            "(secret)"
        };
        path.set(&mut value, Value::from(word));
    }
    value
}

/// Nested maps and lists with `true` at the places of some paths, as Terraform marks them.
fn marked(side: &Side, paths: &BTreeSet<FieldPath>) -> Value {
    if paths.is_empty() {
        return json!({});
    }
    let mut whole = side.value.clone();
    for path in side.secrets.iter().chain(&side.unknown) {
        path.set(&mut whole, Value::Null);
    }
    let mut marks = json!({});
    for pointer in paths.iter().filter_map(|path| path.pointer(&whole)) {
        let mut at = (&mut marks, Some(&whole));
        for name in pointer.split('/').skip(1) {
            at = step_into(at, &name.replace("~1", "/").replace("~0", "~"));
        }
        *at.0 = Value::Bool(true);
    }
    marks
}

fn step_into<'a>((marks, whole): (&'a mut Value, Option<&'a Value>), name: &str) -> (&'a mut Value, Option<&'a Value>) {
    if let (Some(Value::Array(items)), Ok(index)) = (whole, name.parse::<usize>()) {
        if !marks.is_array() {
            // Every item has its place, marked or not.
            *marks = Value::Array(vec![Value::Bool(false); items.len()]);
        }
        return (&mut marks[index], items.get(index));
    }
    if !marks.is_object() {
        *marks = Value::Object(Map::new());
    }
    (&mut marks[name], whole.and_then(|value| value.get(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::views::testing::{drifted_dashboard, plan_of_three_components, surroundings};
    use stackctl_engine::{
        ObjectRef,
        plan::{FieldChange, Shown},
    };

    fn details(plan: &Plan) -> Details {
        let of = |step: &Step| {
            let object = step.object.as_ref()?;
            Some((step.address.clone(), Picture::of_changes(object, &step.changes, false)))
        };
        Details {
            desired: Digest::of(&serde_json::json!("hand-made")),
            pictures: plan.steps.iter().filter_map(of).collect(),
            drift: vec![drifted_dashboard()],
        }
    }

    #[test]
    fn the_summary_agrees_with_the_changes() {
        let of = plan_of_three_components();
        let plan = serde_json::to_value(plan(&of, &surroundings(), &details(&of))).expect("JSON");
        let steps = plan["resource_changes"].as_array().expect("a list");
        let counted = |action: &str| steps.iter().filter(|step| step["action"] == action).count();
        for (action, key) in [
            ("create", "create"),
            ("update", "update"),
            ("wait", "wait"),
            ("run", "run"),
            ("no-op", "unchanged"),
        ] {
            assert_eq!(plan["summary"][key], json!(counted(action)), "{action}");
        }
        assert!(plan.to_string().contains(r#"{"secret":true}"#));
    }

    #[test]
    fn secrets_and_what_comes_later_are_marked_where_they_are() {
        let of = plan_of_three_components();
        let plan = serde_json::to_value(plan(&of, &surroundings(), &details(&of))).expect("JSON");
        let all = plan["resource_changes"].as_array().expect("a list");
        let change = all
            .iter()
            .find(|change| change["address"] == "maas.database.secret")
            .expect("there");
        insta::assert_snapshot!(serde_json::to_string_pretty(&change["change"]).expect("JSON"));
        insta::assert_snapshot!(serde_json::to_string_pretty(&plan["resource_drift"]).expect("JSON"));
    }

    #[test]
    fn a_mark_in_a_list_stands_at_its_item_and_another_secret_reads_otherwise() {
        let path = FieldPath::of("spec.keys[name=b].value");
        let side = Side {
            value: json!({"spec": {"keys": [{"name": "a", "value": "open"}, {"name": "b"}]}}),
            secrets: BTreeSet::from([path.clone()]),
            unknown: BTreeSet::from([FieldPath::of("spec.late")]),
        };
        let picture = Picture {
            before: Some(side.clone()),
            after: Some(side),
            changed_secrets: BTreeSet::from([path.clone()]),
        };
        let change = object_change(&["update"], &picture);
        assert_eq!(
            change.after_sensitive,
            json!({"spec": {"keys": [false, {"value": true}]}})
        );
        assert_eq!(change.after_unknown, json!({"spec": {"late": true}}));
        let value = |object: Option<Value>| object.as_ref().and_then(|object| path.get(object).cloned());
        assert_eq!(value(change.before), Some(json!("(secret)")));
        assert_eq!(value(change.after), Some(json!("(new secret)")));
    }

    #[test]
    fn a_change_of_shared_text_is_a_change_of_its_part() {
        let config = ObjectRef::namespaced("v1", "ConfigMap", "openshift-monitoring", "cluster-monitoring-config");
        let changes = [FieldChange {
            path: FieldPath::fields(["data", "config.yaml", "enableUserWorkload"]),
            before: Shown::Absent,
            after: Shown::Value(json!(true)),
            drift: None,
        }];
        let change = object_change(&["update"], &Picture::of_changes(&config, &changes, false));
        assert_ne!(change.before, change.after);
        assert_eq!(
            change.after.expect("there")["data"],
            json!({"config.yaml": {"enableUserWorkload": true}})
        );
    }
}
