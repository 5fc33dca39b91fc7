//! The merged policies of MaaS: one AuthPolicy and one TokenRateLimitPolicy per model, from all that name it.
//!
//! Source: reference/serving.md §1.12 (names, keys, predicates, phases, what deletion does), §4.3 (windows), §2.4.
//!
//! Invariants:
//! - A model has at most one `maas-auth-<ref>` and one `maas-trlp-<ref>`; edits change them in place.
//! - Deleting one parent deletes the merged policy, and the others rebuild it: for a moment the defaults rule (S20).
//! - A subscription with a window that is too long has no limit in a model's policy; a policy without limits is none.
//! - A generated policy annotated `opendatahub.io/managed: "false"` is left alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::kinds::{
    AUTH_POLICY, HTTP_ROUTE, Kind, MAAS_AUTH_POLICY, MAAS_MODEL_REF, MAAS_SUBSCRIPTION, TOKEN_RATE_LIMIT_POLICY,
};
use super::maas::NAMESPACE;
use super::maas_access;
use super::object::{Read, object, owned_by};
use super::policies::seconds;
use super::turn::{Turn, map, observed};
use crate::faults::FaultName;

/// 366 days.
const LONGEST_WINDOW_SECONDS: i64 = 8784 * 60 * 60;
const POLICIES: &str = "maas.opendatahub.io/auth-policies";
const SUBSCRIPTIONS: &str = "maas.opendatahub.io/subscriptions";

/// One of the two families of parents, and what is merged from them.
struct Family {
    parent: Kind,
    finalizer: &'static str,
    merged: Kind,
    prefix: &'static str,
    /// The annotation of the merged policy that lists its parents.
    annotation: &'static str,
    part_of: &'static str,
    spec: fn(&Value, &Value, &[Arc<Value>]) -> Value,
}

const FAMILIES: [Family; 2] = [
    Family {
        parent: MAAS_AUTH_POLICY,
        finalizer: "maas.opendatahub.io/authpolicy-cleanup",
        merged: AUTH_POLICY,
        prefix: "maas-auth",
        annotation: POLICIES,
        part_of: "maas-auth-policy",
        spec: access,
    },
    Family {
        parent: MAAS_SUBSCRIPTION,
        finalizer: "maas.opendatahub.io/subscription-cleanup",
        merged: TOKEN_RATE_LIMIT_POLICY,
        prefix: "maas-trlp",
        annotation: SUBSCRIPTIONS,
        part_of: "maas-subscription",
        spec: limits,
    },
];

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    for family in &FAMILIES {
        // Parents count only in their one namespace (reference/serving.md §1.10).
        let parents: Vec<Arc<Value>> = turn
            .all(family.parent)
            .into_iter()
            .filter(|parent| parent.namespace() == NAMESPACE)
            .collect();
        for reference in turn.all(MAAS_MODEL_REF) {
            if !reference.is_deleting() {
                merge(turn, family, &reference, &parents);
            }
        }
        for parent in &parents {
            if parent.is_deleting() {
                leave(turn, family, parent);
            } else {
                turn.finalize(family.parent, parent, family.finalizer);
                // The controller's own log says so, in a loop, and nothing else (reference/serving.md P17).
                let lags = family.parent == MAAS_AUTH_POLICY && turn.faults.on(FaultName::AuthPolicyStatusLags);
                if !lags {
                    tell(turn, family, parent, &parents);
                }
            }
        }
    }
}

/// Returns the route of a model: found by its three labels, or named after the external model (§1.12).
pub(crate) fn route_of(turn: &Turn<'_>, reference: &Value) -> Option<Arc<Value>> {
    let (namespace, name) = (reference.namespace(), reference.text("/spec/modelRef/name"));
    if reference.text("/spec/modelRef/kind") == "ExternalModel" {
        return turn.world.get(HTTP_ROUTE, namespace, name).cloned();
    }
    let routes = turn.world.list_in(HTTP_ROUTE, namespace);
    let wanted = [
        ("app.kubernetes.io/name", name),
        ("app.kubernetes.io/component", "llminferenceservice-router"),
        ("app.kubernetes.io/part-of", "llminferenceservice"),
    ];
    routes
        .into_iter()
        .find(|route| wanted.iter().all(|(key, value)| route.label(key) == Some(value)))
        .cloned()
}

fn names(parent: &Value, reference: &Value) -> bool {
    parent.list("/spec/modelRefs").iter().any(|entry| is(entry, reference))
}

fn is(entry: &Value, reference: &Value) -> bool {
    entry.text("/name") == reference.name() && entry.text("/namespace") == reference.namespace()
}

fn is_unmanaged(policy: &Value) -> bool {
    policy.annotation("opendatahub.io/managed") == Some("false")
}

fn merge(turn: &mut Turn<'_>, family: &Family, reference: &Value, parents: &[Arc<Value>]) {
    let name = format!("{}-{}", family.prefix, reference.name());
    let namespace = reference.namespace();
    let live = turn.world.get(family.merged, namespace, &name).cloned();
    if live.as_ref().is_some_and(|live| is_unmanaged(live)) {
        return;
    }
    if let Some(live) = live.as_ref()
        && family.merged == TOKEN_RATE_LIMIT_POLICY
        && turn.faults.at(FaultName::MergedPolicyUnmanaged, reference.name())
    {
        turn.patch(
            family.merged,
            live,
            json!({"metadata": {"annotations": {"opendatahub.io/managed": "false"}}}),
        );
        return;
    }
    let all: Vec<Arc<Value>> = parents
        .iter()
        .filter(|parent| !parent.is_deleting() && names(parent, reference))
        .cloned()
        .collect();
    let csv = all
        .iter()
        .map(|parent| format!("{}/{}", parent.namespace(), parent.name()))
        .collect::<Vec<_>>()
        .join(",");
    let before: BTreeSet<&str> = live
        .as_ref()
        .and_then(|live| live.annotation(family.annotation))
        .unwrap_or_default()
        .split(',')
        .filter(|name| !name.is_empty())
        .collect();
    let now: BTreeSet<&str> = csv.split(',').filter(|name| !name.is_empty()).collect();
    let route = route_of(turn, reference);
    // A parent that left takes the whole policy along; those that stay build it anew.
    if live.is_some() && (!before.is_subset(&now) || route.is_none()) {
        turn.delete(family.merged, namespace, &name);
        return;
    }
    let Some(route) = route.filter(|route| !route.is_deleting()) else {
        return;
    };
    if all.is_empty() {
        return;
    }
    let spec = (family.spec)(reference, &route, &all);
    if spec
        .pointer("/limits")
        .and_then(Value::as_object)
        .is_some_and(Map::is_empty)
    {
        turn.delete(family.merged, namespace, &name);
        return;
    }
    if let Some(live) = &live {
        drop_limits(turn, family, live, &spec);
    }
    let policy = object(
        family.merged,
        namespace,
        &name,
        json!({
            "metadata": {
                "labels": {
                    "maas.opendatahub.io/model": reference.name(), "maas.opendatahub.io/model-namespace": namespace,
                    "app.kubernetes.io/managed-by": "maas-controller", "app.kubernetes.io/part-of": family.part_of,
                },
                "annotations": {family.annotation: csv},
            },
            "spec": spec,
        }),
    );
    turn.ensure(family.merged, owned_by(policy, &route));
}

/// Takes limits away that nobody of those who stay gives any more.
fn drop_limits(turn: &mut Turn<'_>, family: &Family, live: &Value, spec: &Value) {
    let gone: Map<String, Value> = map(live, "/spec/limits")
        .into_iter()
        .filter(|(name, limit)| !limit.is_null() && spec["limits"].get(name.as_str()).is_none())
        .map(|(name, _)| (name.clone(), Value::Null))
        .collect();
    if !gone.is_empty() {
        turn.patch(family.merged, live, json!({"spec": {"limits": gone}}));
    }
}

fn target(route: &Value) -> Value {
    json!({"group": HTTP_ROUTE.group, "kind": HTTP_ROUTE.kind, "name": route.name()})
}

/// Who may call a model.
fn access(reference: &Value, route: &Value, parents: &[Arc<Value>]) -> Value {
    maas_access::of_model(reference, &target(route), parents)
}

/// Returns whether no window is longer than a year; the schema lets longer ones pass, and the controller leaves out whoever
/// has one (reference/serving.md §4.3).
fn has_usable_windows(entry: &Value) -> bool {
    let windows = entry.list("/tokenRateLimits").iter().map(|limit| limit.text("/window"));
    windows
        .filter_map(seconds)
        .all(|seconds| seconds <= LONGEST_WINDOW_SECONDS)
}

/// How much each subscription may use of a model.
fn limits(reference: &Value, route: &Value, parents: &[Arc<Value>]) -> Value {
    let (namespace, name) = (reference.namespace(), reference.name());
    let mut limits = Map::new();
    for parent in parents {
        for entry in parent
            .list("/spec/modelRefs")
            .iter()
            .filter(|entry| is(entry, reference) && has_usable_windows(entry))
        {
            let subscription = parent.name();
            let selected = format!("{NAMESPACE}/{subscription}@{namespace}/{name}");
            limits.insert(format!("{NAMESPACE}-{subscription}-{name}-tokens"), json!({
                "rates": entry["tokenRateLimits"],
                "counters": [{"expression": "auth.identity.userid"}],
                "when": [{"predicate": format!("auth.identity.selected_subscription_key == \"{selected}\" && !request.path.endsWith(\"/v1/models\")")}],
            }));
        }
    }
    json!({"targetRef": target(route), "limits": limits})
}

/// Lets a parent go once no merged policy lists it.
fn leave(turn: &mut Turn<'_>, family: &Family, parent: &Value) {
    let full = format!("{}/{}", parent.namespace(), parent.name());
    let listed = turn.world.list(family.merged).any(|policy| {
        !is_unmanaged(policy)
            && policy
                .annotation(family.annotation)
                .is_some_and(|csv| csv.split(',').any(|name| name == full))
    });
    if !listed {
        turn.release(family.parent, parent, family.finalizer);
    } else {
        // Its model may be gone already, and then nobody else deletes the policy.
        for policy in turn.all(family.merged) {
            if policy
                .annotation(family.annotation)
                .is_some_and(|csv| csv.split(',').any(|name| name == full))
                && !is_unmanaged(&policy)
            {
                turn.delete(family.merged, policy.namespace(), policy.name());
            }
        }
    }
}

/// Deletes the merged policies of a model that goes. Returns whether they are gone.
pub(crate) fn forget_model(turn: &mut Turn<'_>, reference: &Value) -> bool {
    let mut gone = true;
    for family in &FAMILIES {
        let name = format!("{}-{}", family.prefix, reference.name());
        if let Some(policy) = turn.world.get(family.merged, reference.namespace(), &name).cloned()
            && !is_unmanaged(&policy)
        {
            turn.delete(family.merged, policy.namespace(), policy.name());
            gone = false;
        }
    }
    gone
}

/// How one reference of a parent stands.
struct Standing {
    entry: Value,
    usable: bool,
    policy: Option<Arc<Value>>,
}

fn tell(turn: &mut Turn<'_>, family: &Family, parent: &Value, parents: &[Arc<Value>]) {
    let standings: Vec<Standing> = parent
        .list("/spec/modelRefs")
        .iter()
        .map(|entry| {
            let reference = turn
                .world
                .get(MAAS_MODEL_REF, entry.text("/namespace"), entry.text("/name"))
                .filter(|found| !found.is_deleting());
            let usable = reference.is_some_and(|reference| route_of(turn, reference).is_some());
            let name = format!("{}-{}", family.prefix, entry.text("/name"));
            let policy = turn.world.get(family.merged, entry.text("/namespace"), &name).cloned();
            Standing {
                entry: entry.clone(),
                usable,
                policy,
            }
        })
        .collect();
    let usable = standings.iter().filter(|standing| standing.usable).count();
    // A subscription looks at Accepted only; an auth policy at both (reference/serving.md §1.12).
    let both = family.parent == MAAS_AUTH_POLICY;
    let stands = |policy: &Option<Arc<Value>>| {
        policy
            .as_ref()
            .is_some_and(|policy| policy.is("Accepted") && (!both || policy.is("Enforced")))
    };
    let all = standings
        .iter()
        .all(|standing| standing.usable && stands(&standing.policy));
    let (phase, reason) = match (usable, all) {
        (0, _) => ("Failed", "ReconcileFailed"),
        (_, true) => ("Active", "Reconciled"),
        (_, false) => ("Degraded", "PartialFailure"),
    };
    let mut conditions = vec![observed(parent, "Ready", phase == "Active", reason, "")];
    let policies: Vec<Value> = standings
        .iter()
        .filter_map(|standing| {
            let policy = standing.policy.as_ref()?;
            let ready = stands(&standing.policy);
            let reason = match (ready, both) {
                (true, true) => "AcceptedEnforced",
                (true, false) => "Accepted",
                (false, true) => "NotEnforced",
                (false, false) => "NotAccepted",
            };
            let mut entry = json!({"name": policy.name(), "namespace": policy.namespace(), "model": standing.entry["name"], "ready": ready, "reason": reason});
            if both {
                entry["modelNamespace"] = standing.entry["namespace"].clone();
            }
            Some(entry)
        })
        .collect();
    let mut status = json!({"phase": phase});
    if both {
        status["authPolicies"] = json!(policies);
    } else {
        let references: Vec<Value> = standings
            .iter()
            .map(|standing| {
                json!({"name": standing.entry["name"], "namespace": standing.entry["namespace"], "ready": standing.usable,
                    "reason": if standing.usable { "Valid" } else { "NotFound" }})
            })
            .collect();
        status["modelRefStatuses"] = json!(references);
        status["tokenRateLimitStatuses"] = json!(policies);
        let priority = |parent: &Value| parent.number("/spec/priority").unwrap_or_default();
        let duplicate = parents
            .iter()
            .any(|other| other.uid() != parent.uid() && !other.is_deleting() && priority(other) == priority(parent));
        let reason = if duplicate {
            "DuplicatePriority"
        } else {
            "UniquePriority"
        };
        conditions.push(observed(parent, "SpecPriorityDuplicate", duplicate, reason, ""));
    }
    status["conditions"] = json!(conditions);
    turn.status(family.parent, parent, status);
}
