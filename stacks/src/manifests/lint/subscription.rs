//! Who may call how much.
//!
//! Facts: `reference/serving.md` §1.10 (last paragraph but one), §1.12, §4 item 3, §5.3 S9 to S12.

use super::{MAAS_GROUP, Seen, World};
use crate::{
    components::names::MAAS,
    manifests::{ManifestsError, read::Document},
    stack::Window,
};
use serde_json::Value;

/// How much.
pub(super) const SUBSCRIPTION: (&str, &str) = (MAAS_GROUP, "MaaSSubscription");
/// Who.
pub(super) const AUTH_POLICY: (&str, &str) = (MAAS_GROUP, "MaaSAuthPolicy");

/// How much: windows that the controller takes, and a priority of its own.
pub(super) fn limits(world: &World<'_>, subscription: Seen<'_>, at: &Document<'_>, errors: &mut Vec<ManifestsError>) {
    let all = |value: &'_ Value| value.as_array().cloned().unwrap_or_default().into_iter().enumerate();
    for (model, reference) in all(&subscription.value["spec"]["modelRefs"]) {
        for (rate, limit) in all(&reference["tokenRateLimits"]) {
            let Some(window) = limit["window"].as_str() else {
                continue;
            };
            if let Err(why) = window.parse::<Window>() {
                errors.push(ManifestsError::BadWindow {
                    at: at.at_field(&format!("spec.modelRefs[{model}].tokenRateLimits[{rate}].window")),
                    window: window.to_owned(),
                    why: why.to_string(),
                });
            }
        }
    }
    let priority = priority(subscription.value);
    if let Some(first) = world.priorities.get(&priority)
        && first.object != subscription.object
    {
        errors.push(ManifestsError::SamePriority {
            at: at.at_field("spec.priority"),
            subscription: subscription.object.to_string(),
            priority,
            first: first.place(),
        });
    }
}

/// The priority of a subscription; none is 0.
pub(super) fn priority(subscription: &Value) -> i64 {
    subscription["spec"]["priority"].as_i64().unwrap_or_default()
}

/// Both are looked at in one namespace only, and know a group by its name alone; `people` is the field that names them.
pub(super) fn check(one: Seen<'_>, people: &'static str, at: &Document<'_>, errors: &mut Vec<ManifestsError>) {
    if one.namespace() != MAAS {
        errors.push(ManifestsError::Unwatched {
            at: at.at_field("metadata.namespace"),
            object: one.object.to_string(),
        });
    }
    let groups = one.value["spec"][people]["groups"].as_array().into_iter().flatten();
    for (index, group) in groups.enumerate() {
        let is_a_name = group
            .as_object()
            .is_some_and(|fields| fields.keys().all(|field| field == "name"));
        if !is_a_name {
            errors.push(ManifestsError::GroupEntry {
                at: at.at_field(&format!("spec.{people}.groups[{index}]")),
                field: format!("spec.{people}.groups"),
                entry: group.to_string(),
            });
        }
    }
}
