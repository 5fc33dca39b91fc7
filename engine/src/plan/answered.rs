//! What the server's answer says of one object: what is there, whether that is as it would be, and what stands against it.
//!
//! Invariant: what the server could not know yet is no error below something that is still to come, and is said.

use super::{Inputs, Live, PlanError, Reason, Unasked, taken};
use crate::{
    address::Address,
    diff::differences,
    execute::ProviderError,
    marks::Whose,
    object_key::{ObjectRef, ObjectType},
    recorded::Recorded,
    resource::{Resource, asked_of},
    survey::{Answer, Found, Unanswered},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// What the cluster holds, by the server's answer; and why the server has not said it, where it has not.
pub(super) fn live_of(
    inputs: &Inputs<'_>,
    resource: &Resource,
    found: &Found,
    after: Option<&Value>,
    is_overlay: bool,
    drifted: bool,
    above: Option<&Address>,
) -> Result<(Live, Option<Reason>), PlanError> {
    let address = resource.address.clone();
    let object = resource
        .object()
        .cloned()
        .expect("objects and overlays name their object");
    if let Some(Whose::OtherStack(stack)) = &found.whose {
        return Err(PlanError::OtherStack {
            address,
            object: Box::new(object),
            stack: stack.clone(),
        });
    }
    let foreign = matches!(found.whose, Some(Whose::Foreign));
    if found.held.as_ref().is_some_and(|held| held.is_leaving()) {
        return Ok((Live::Terminating, None));
    }
    let is_like = |live: &Value| after.is_some_and(|after| differences(live, after).is_empty());
    // It is still there and goes with its namespace or its kind.
    let nowhere = match &found.held {
        Some(_) => Live::Terminating,
        None => Live::Nowhere,
    };
    Ok(match &found.answer {
        Answer::Would { .. } if foreign => (Live::Foreign, None),
        // Somebody made it between our read and our question.
        Answer::Would { created: false, .. } if found.held.is_none() && !is_overlay => (Live::Foreign, None),
        Answer::Would { .. } => match found.live() {
            None => (Live::Absent, None),
            Some(live) if is_like(live) => (Live::Same, None),
            Some(_) => (Live::Different { drifted }, None),
        },
        Answer::Unverified { why, .. } => {
            if let Unanswered::VersionToCome(kind) = why {
                is_provided(inputs, &address, kind)?;
            }
            let reason = Some(match why {
                Unanswered::TakesNoDryRun(webhook) => Reason::Unverified {
                    webhook: webhook.clone(),
                    why: Unasked::TakesNoDryRun,
                },
                Unanswered::VersionGone => Reason::VersionGone,
                Unanswered::VersionToCome(_) => Reason::KindOrNamespaceToCome,
            });
            match found.live() {
                Some(_) if foreign => (Live::Foreign, reason),
                None => (Live::Absent, reason),
                Some(live) if is_like(live) => (Live::Same, reason),
                Some(_) => (Live::Different { drifted }, reason),
            }
        }
        Answer::KindToCome(kind) => {
            is_provided(inputs, &address, kind)?;
            (nowhere, None)
        }
        Answer::NamespaceToCome(_) => (nowhere, None),
        Answer::TargetToCome | Answer::NotAsked => (Live::Absent, None),
        Answer::Unchanged => (Live::Same, None),
        Answer::Late(cause) => {
            return Err(PlanError::Late {
                address,
                cause: Box::new(cause.clone()),
            });
        }
        Answer::Uneditable(cause) => {
            return Err(PlanError::Uneditable {
                address,
                object: Box::new(object),
                cause: cause.clone(),
            });
        }
        // What cannot be changed is no obstacle where it is deleted first.
        Answer::Refused(_) if after.is_some() => (Live::Different { drifted }, None),
        Answer::Refused(cause) => {
            // Below something that is still to come the server cannot know yet.
            let webhook = match cause {
                ProviderError::Denied { webhook, .. } => webhook.clone(),
                ProviderError::WebhookUnavailable(text) => Some(text.clone()),
                _ => None,
            };
            let too_early = |webhook| Reason::Unverified {
                webhook,
                why: Unasked::TooEarly,
            };
            match (webhook, above) {
                (Some(webhook), Some(_)) if found.held.is_none() => (Live::Absent, Some(too_early(webhook))),
                (Some(webhook), Some(_)) => (Live::Different { drifted }, Some(too_early(webhook))),
                _ => {
                    let said = cause.to_string();
                    return Err(PlanError::Refused {
                        address,
                        object: Box::new(object),
                        cause: Box::new(cause.clone()),
                        asks: asked_of(&resource.denials, [said.as_str()]).map(str::to_owned),
                    });
                }
            }
        }
    })
}

/// Refuses a kind that neither the cluster serves nor the stack brings.
fn is_provided(inputs: &Inputs<'_>, address: &Address, kind: &ObjectType) -> Result<(), PlanError> {
    let mut provided = inputs.resources.iter().flat_map(|resource| &resource.provides);
    if provided.any(|provides| provides.kind == kind.group_kind()) {
        return Ok(());
    }
    Err(PlanError::UnknownKind {
        address: address.clone(),
        kind: Box::new(kind.clone()),
    })
}

/// Fields of others that we would set and never recorded are an error, unless the person forces them. An overlay takes
/// fields by its nature, and says so before the prompt.
pub(super) fn refuse_conflicts(
    inputs: &Inputs<'_>,
    resource: &Resource,
    known: Option<&Recorded>,
    found: &Found,
    is_overlay: bool,
    object: &ObjectRef,
) -> Result<(), PlanError> {
    let (Answer::Would { taken, .. } | Answer::Unverified { taken, .. }) = &found.answer else {
        return Ok(());
    };
    let adopting = resource.lifecycle.adopt.is_given(inputs.adopt);
    if inputs.force_conflicts || is_overlay || (known.is_none() && adopting) {
        return Ok(());
    }
    let foreign = taken::of_others(taken, known);
    if foreign.is_empty() {
        return Ok(());
    }
    let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for cause in foreign {
        owners
            .entry(cause.manager.clone())
            .or_default()
            .push(cause.field.clone());
    }
    Err(PlanError::Conflict {
        address: resource.address.clone(),
        object: Box::new(object.clone()),
        owners,
    })
}
