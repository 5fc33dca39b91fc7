//! Which MaaSSubscription a caller has: by name, by being the only one, or by priority.
//!
//! Source: reference/serving.md §4.5 to §4.8, §3.2 (errors of a selection), §1.12 (phases);
//! `maas-api/internal/subscription` of <https://github.com/opendatahub-io/models-as-a-service> v0.1.1.
//!
//! Invariants:
//! - A selection for a model asks for phase Active or Degraded; the mint of a key only for a phase that is not Failed, and
//!   the choice by priority for none at all.
//! - A priority below zero counts as zero.

use std::cmp::Reverse;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::operators::kinds::MAAS_SUBSCRIPTION;
use crate::operators::object::Read;
use crate::operators::world::World;

/// Where subscriptions count (reference/serving.md §1.10).
const NAMESPACE: &str = "models-as-a-service";

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller<'a> {
    pub(super) username: &'a str,
    pub(super) groups: &'a [String],
}

/// Why nobody was selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The caller has none.
    None,
    /// The one that was asked for is not there.
    Unknown(String),
    /// It is somebody else's.
    Denied(String),
    /// There are several, and none was asked for.
    Several(Vec<String>),
    /// It has not the model.
    Without { subscription: String, model: String },
    /// It cannot be used now.
    Unhealthy { phase: String, message: String },
}

impl Refusal {
    /// Returns the code that a policy passes on as `x-ext-auth-reason`.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::None | Self::Unknown(_) => "not_found",
            Self::Denied(_) => "access_denied",
            Self::Several(_) => "multiple_subscriptions",
            Self::Without { .. } => "model_not_in_subscription",
            Self::Unhealthy { .. } => "model_unhealthy",
        }
    }

    /// Returns what a person is told.
    pub(super) fn message(&self) -> String {
        match self {
            Self::None => "no subscription of this user was found".to_owned(),
            Self::Unknown(name) => format!("subscription {name} was not found"),
            Self::Denied(name) => format!("access to subscription {name} is denied"),
            Self::Several(names) => format!("there are several subscriptions, name one: {}", names.join(", ")),
            Self::Without { subscription, model } => {
                format!("subscription {subscription} does not include model {model}")
            }
            Self::Unhealthy { message, .. } => message.clone(),
        }
    }
}

/// Returns every subscription, the first being what a key without a wish is bound to.
fn all(world: &World) -> Vec<&Arc<Value>> {
    let mut all: Vec<_> = world.list_in(MAAS_SUBSCRIPTION, NAMESPACE).collect();
    all.sort_by_key(|one| (Reverse(priority(one)), Reverse(most(one)), one.name().to_owned()));
    all
}

fn priority(subscription: &Value) -> i64 {
    subscription.number("/spec/priority").unwrap_or_default().max(0)
}

/// Returns the largest limit that a subscription gives.
fn most(subscription: &Value) -> i64 {
    let limits = subscription
        .list("/spec/modelRefs")
        .iter()
        .flat_map(|entry| entry.list("/tokenRateLimits"));
    limits
        .filter_map(|limit| limit.number("/limit"))
        .max()
        .unwrap_or_default()
}

fn owns(subscription: &Value, caller: Caller<'_>) -> bool {
    let users = subscription.list("/spec/owner/users").iter();
    let groups = subscription.list("/spec/owner/groups").iter();
    users.clone().any(|user| user.text("") == caller.username)
        || groups
            .clone()
            .any(|group| caller.groups.iter().any(|one| one.trim() == group.text("/name")))
}

fn phase(subscription: &Value) -> &str {
    subscription.text("/status/phase")
}

fn is_usable(subscription: &Value) -> bool {
    ["Active", "Degraded"].contains(&phase(subscription))
}

fn entry<'a>(subscription: &'a Value, model: &str) -> Option<&'a Value> {
    let entries = subscription.list("/spec/modelRefs").iter();
    let mut named = entries.filter(|entry| format!("{}/{}", entry.text("/namespace"), entry.text("/name")) == model);
    named.next()
}

/// Selects a subscription, by name if one is asked for, for a model if one is named (`namespace/name`).
pub(super) fn select(world: &World, caller: Caller<'_>, wanted: &str, model: &str) -> Result<Arc<Value>, Refusal> {
    let all = all(world);
    if all.is_empty() {
        return Err(Refusal::None);
    }
    if !wanted.is_empty() {
        let qualified = |one: &Value| format!("{}/{}", one.namespace(), one.name());
        let named = all.iter().find(|one| qualified(one) == wanted || one.name() == wanted);
        let found = named.ok_or_else(|| Refusal::Unknown(wanted.to_owned()))?;
        if !owns(found, caller) {
            return Err(Refusal::Denied(wanted.to_owned()));
        }
        if !model.is_empty() && entry(found, model).is_none() {
            return Err(Refusal::Without {
                subscription: wanted.to_owned(),
                model: model.to_owned(),
            });
        }
        healthy(found, model)?;
        return Ok(Arc::clone(found));
    }
    let having = all
        .iter()
        .filter(|one| owns(one, caller) && (model.is_empty() || entry(one, model).is_some()));
    match having.collect::<Vec<_>>().as_slice() {
        [] => Err(Refusal::None),
        [one] => healthy(one, model).map(|()| Arc::clone(one)),
        several => Err(Refusal::Several(
            several.iter().map(|one| one.name().to_owned()).collect(),
        )),
    }
}

/// Selects what a key without a wish is bound to: health and models count for nothing.
pub(super) fn highest(world: &World, caller: Caller<'_>) -> Result<Arc<Value>, Refusal> {
    let found = all(world).into_iter().find(|one| owns(one, caller));
    found.cloned().ok_or(Refusal::None)
}

fn healthy(subscription: &Value, model: &str) -> Result<(), Refusal> {
    let phase = phase(subscription);
    let unhealthy = |message: String| {
        Err(Refusal::Unhealthy {
            phase: phase.to_owned(),
            message,
        })
    };
    if model.is_empty() {
        return match phase {
            "" => unhealthy("the subscription is not reconciled: it has no status.phase".to_owned()),
            "Failed" => unhealthy("the subscription is in phase Failed: it gets no API keys".to_owned()),
            _ => Ok(()),
        };
    }
    if !is_usable(subscription) {
        let phase = if phase.is_empty() { "unreconciled" } else { phase };
        return unhealthy(format!(
            "the subscription is in phase {phase}, allowed are Active and Degraded"
        ));
    }
    let limited = entry(subscription, model).is_some_and(|entry| !entry.list("/tokenRateLimits").is_empty());
    if phase == "Degraded" && limited {
        let name = model.split_once('/').map_or(model, |(_, name)| name);
        let statuses = subscription.list("/status/tokenRateLimitStatuses");
        let mut of_model = statuses.iter().filter(|status| status.text("/model") == name);
        if !of_model.any(|status| status.is_true("/ready")) {
            return unhealthy(format!("the limits of model {model} are not accepted"));
        }
    }
    Ok(())
}

/// Returns every usable subscription of a caller, by name.
pub(super) fn usable(world: &World, caller: Caller<'_>) -> Vec<Arc<Value>> {
    let all = world.list_in(MAAS_SUBSCRIPTION, NAMESPACE);
    all.filter(|one| owns(one, caller) && is_usable(one) && !one.is_deleting())
        .cloned()
        .collect()
}

/// Returns whether a subscription has a model of this reference name, or `namespace/name`.
pub(super) fn includes(subscription: &Value, model: &str) -> bool {
    let entries = subscription.list("/spec/modelRefs");
    entry(subscription, model).is_some() || entries.iter().any(|entry| entry.text("/name") == model)
}

fn models(subscription: &Value) -> Vec<Value> {
    let entries = subscription.list("/spec/modelRefs").iter();
    entries
        .map(|entry| {
            let mut shown = json!({"name": entry["name"], "namespace": entry["namespace"]});
            if !entry.list("/tokenRateLimits").is_empty() {
                shown["token_rate_limits"] = entry["tokenRateLimits"].clone();
            }
            if let Some(rate) = entry.pointer("/billingRate/perToken") {
                shown["billing_rate"] = json!({"per_token": rate});
            }
            shown
        })
        .collect()
}

const DISPLAY_NAME: &str = "openshift.io/display-name";
const DESCRIPTION: &str = "openshift.io/description";

/// Puts fields into an answer, without those that are empty.
fn filled(into: Value, fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let Value::Object(mut into) = into else { return into };
    let present = fields
        .into_iter()
        .filter(|(_, value)| !value.is_null() && *value != json!(""));
    into.extend(present.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(into)
}

/// Returns the answer to Authorino.
pub(super) fn selected(subscription: &Value) -> Value {
    let metadata = &subscription["spec"]["tokenMetadata"];
    let head = json!({"name": subscription.name(), "namespace": subscription.namespace(), "phase": phase(subscription), "ready": subscription.is("Ready")});
    filled(
        head,
        [
            ("displayName", json!(subscription.annotation(DISPLAY_NAME))),
            ("description", json!(subscription.annotation(DESCRIPTION))),
            (
                "priority",
                json!(Some(priority(subscription)).filter(|priority| *priority != 0)),
            ),
            ("modelRefs", json!(models(subscription))),
            ("organizationId", metadata["organizationId"].clone()),
            ("costCenter", metadata["costCenter"].clone()),
            ("labels", metadata["labels"].clone()),
            (
                "deletionTimestamp",
                subscription["metadata"]["deletionTimestamp"].clone(),
            ),
        ],
    )
}

/// Returns the answer to Authorino when nothing was selected: 200 as well, with the error in it.
pub(super) fn refused(refusal: &Refusal) -> Value {
    let phase = match refusal {
        Refusal::Unhealthy { phase, .. } => phase.as_str(),
        _ => "",
    };
    json!({"error": refusal.code(), "message": refusal.message(), "phase": phase, "ready": false})
}

/// Returns an entry of the list of subscriptions.
pub(super) fn listed(subscription: &Value) -> Value {
    let metadata = &subscription["spec"]["tokenMetadata"];
    let head = json!({
        "subscription_id_header": subscription.name(),
        "subscription_description": subscription.annotation(DESCRIPTION).unwrap_or_default(),
        "priority": priority(subscription), "model_refs": models(subscription),
    });
    filled(
        head,
        [
            ("display_name", json!(subscription.annotation(DISPLAY_NAME))),
            ("organization_id", metadata["organizationId"].clone()),
            ("cost_center", metadata["costCenter"].clone()),
            ("labels", metadata["labels"].clone()),
        ],
    )
}

/// Returns what an entry of the list of models says about a subscription.
pub(super) fn mentioned(subscription: &Value) -> Value {
    let head = Value::Object(Map::from_iter([("name".to_owned(), json!(subscription.name()))]));
    filled(
        head,
        [
            ("displayName", json!(subscription.annotation(DISPLAY_NAME))),
            ("description", json!(subscription.annotation(DESCRIPTION))),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(name: &str, priority: i64, group: &str, models: &[(&str, i64)], phase: &str) -> Value {
        let models: Vec<Value> = models
            .iter()
            .map(|(model, limit)| json!({"name": model, "namespace": "llm", "tokenRateLimits": [{"limit": limit, "window": "5m"}]}))
            .collect();
        json!({
            "metadata": {"name": name, "namespace": NAMESPACE, "resourceVersion": "1"},
            "spec": {"priority": priority, "owner": {"groups": [{"name": group}]}, "modelRefs": models},
            "status": {"phase": phase},
        })
    }

    fn world(subscriptions: Vec<Value>) -> World {
        let mut world = World::default();
        world.relist(MAAS_SUBSCRIPTION, subscriptions);
        world
    }

    fn caller(groups: &[String]) -> Caller<'_> {
        Caller {
            username: "alice",
            groups,
        }
    }

    #[test]
    fn a_key_without_a_wish_gets_priority_then_the_larger_limit_then_the_name() {
        let groups = ["g".to_owned()];
        let chosen = |subscriptions| highest(&world(subscriptions), caller(&groups)).map(|one| one.name().to_owned());
        let one = |name, priority, limit| subscription(name, priority, "g", &[("m", limit)], "Failed");
        assert_eq!(
            chosen(vec![one("a", 1, 9), one("b", 2, 1)]).as_deref(),
            Ok("b"),
            "also one that is Failed"
        );
        assert_eq!(chosen(vec![one("a", 1, 1), one("b", 1, 9)]).as_deref(), Ok("b"));
        assert_eq!(chosen(vec![one("b", 1, 9), one("a", 1, 9)]).as_deref(), Ok("a"));
        assert_eq!(
            chosen(vec![one("a", -5, 1), one("b", 0, 9)]).as_deref(),
            Ok("b"),
            "below zero is zero"
        );
        assert_eq!(
            chosen(vec![subscription("a", 1, "other", &[], "Active")]),
            Err(Refusal::None)
        );
    }

    #[test]
    fn a_selection_says_why_it_selects_nothing() {
        let groups = ["g".to_owned()];
        let world = world(vec![
            subscription("mine", 1, "g", &[("m", 1)], "Active"),
            subscription("also-mine", 2, "g", &[("m", 1), ("n", 1)], "Active"),
            subscription("pending", 3, "g", &[("p", 1)], "Pending"),
            subscription("failed", 4, "g", &[("f", 1)], "Failed"),
            subscription("theirs", 5, "h", &[("m", 1)], "Active"),
        ]);
        let code = |wanted: &str, model: &str| match select(&world, caller(&groups), wanted, model) {
            Ok(one) => one.name().to_owned(),
            Err(refusal) => refusal.code().to_owned(),
        };
        assert_eq!(code("mine", "llm/m"), "mine");
        assert_eq!(code("models-as-a-service/mine", "llm/m"), "mine");
        assert_eq!(code("other/mine", ""), "not_found");
        assert_eq!(code("theirs", ""), "access_denied");
        assert_eq!(code("mine", "llm/n"), "model_not_in_subscription");
        assert_eq!(code("", "llm/n"), "also-mine");
        assert_eq!(code("", "llm/m"), "multiple_subscriptions");
        assert_eq!(code("", "llm/x"), "not_found");
        assert_eq!(code("pending", "llm/p"), "model_unhealthy");
        assert_eq!(code("pending", ""), "pending", "a key may be minted while it is set up");
        assert_eq!(code("failed", ""), "model_unhealthy");
    }
}
