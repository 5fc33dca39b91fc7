//! Carrying out the effects that actions, remedies and destroy steps are made of.
//!
//! Invariant: a deed names the uid of the object that it was decided on, and its resourceVersion where what is in the object
//! decided: of another one, or one that has changed, nothing is done, and it is looked at again.

use super::{
    DeleteRequest, Intent, Journal, Patch, PatchRequest, Provider, ProviderError,
    context::{Context, StepError},
    secrets::SecretSource,
};
use crate::{
    FieldPath,
    address::Address,
    digest::Digest,
    object_key::{ObjectRef, ObjectType},
    readiness::{Seen, Sight},
    resource::Effect,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::{Instant, sleep};

/// One request of an effect, found on what was seen.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Deed {
    /// A merge patch of the object whose uid is in it.
    Patch(ObjectRef, Value),
    /// A deletion of this uid.
    Delete(ObjectRef, String),
}

/// What an effect has to act on now; empty when there is nothing yet. `done` holds the uids that were acted on.
pub(super) fn deeds(effect: &Effect, trigger: &Digest, seen: &impl Seen, done: &BTreeSet<String>) -> Vec<Deed> {
    match effect {
        Effect::MergePatch { target, patch } => seen
            .object(target)
            .map(|object| Deed::Patch(target.clone(), of_this(object, patch, &["uid"])))
            .into_iter()
            .collect(),
        Effect::PatchAdmitted {
            of,
            namespace,
            path,
            must_hold,
            may_start_with,
            unless,
            patch,
        } => seen
            .objects(of, Some(namespace))
            .into_iter()
            .filter(|object| !done.contains(&uid(object)) && unless.0.get(object) != Some(&unless.1))
            .filter(|object| is_admitted(object, path, must_hold, may_start_with))
            .filter_map(|object| {
                let patch = of_this(object, patch, &["uid", "resourceVersion"]);
                Some(Deed::Patch(named(of, object)?, patch))
            })
            .collect(),
        Effect::Restart { target } => {
            let patch = json!({"spec": {"template": {"metadata": {"annotations": {RESTARTED: trigger.short()}}}}});
            let current = seen
                .object(target)
                .and_then(|o| o.pointer("/spec/template/metadata/annotations"));
            let restarted = current.and_then(|annotations| annotations.get(RESTARTED)) == Some(&json!(trigger.short()));
            seen.object(target)
                .filter(|_| !restarted)
                .map(|object| Deed::Patch(target.clone(), of_this(object, &patch, &["uid"])))
                .into_iter()
                .collect()
        }
        Effect::Delete { target } => target
            .find(seen)
            .into_iter()
            .filter_map(|object| {
                let of = ObjectType::new(object["apiVersion"].as_str()?, object["kind"].as_str()?);
                Some(Deed::Delete(named(&of, object)?, uid(object)))
            })
            .collect(),
        Effect::Touch { target, annotation } => {
            let patch = json!({"metadata": {"annotations": {annotation: trigger.short()}}});
            seen.object(target)
                .map(|object| Deed::Patch(target.clone(), of_this(object, &patch, &["uid"])))
                .into_iter()
                .collect()
        }
    }
}

/// The same patch, for the object that was seen and for no other one of its name: a merge patch with another uid is refused
/// as a change of what cannot change, one with another resourceVersion as stale (ssa-semantics §5).
pub(super) fn of_this(seen: &Value, patch: &Value, names: &[&str]) -> Value {
    let mut patch = patch.clone();
    for name in names {
        if let Some(value) = seen["metadata"].get(*name) {
            patch["metadata"][*name] = value.clone();
        }
    }
    patch
}

/// How long a watch has to tell of what a patch met before it is looked at again.
const LOOKS_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// The annotation that says for which trigger a Deployment was restarted last.
const RESTARTED: &str = "stackctl.dev/restarted-for";

/// What an effect looks at.
pub(super) fn sights(effect: &Effect) -> Vec<Sight> {
    match effect {
        Effect::MergePatch { target, .. } | Effect::Restart { target } | Effect::Touch { target, .. } => {
            vec![Sight::One(target.clone())]
        }
        Effect::PatchAdmitted { of, namespace, .. } => vec![Sight::All(of.clone(), Some(namespace.clone()))],
        Effect::Delete { target } => target.sights(),
    }
}

/// The scopes that an effect looks at.
pub(crate) fn scopes(effect: &Effect) -> Vec<(ObjectType, Option<String>)> {
    sights(effect).iter().map(Sight::scope).collect()
}

/// Carries one deed out; answers the object afterwards, if it is still there.
pub(super) async fn carry_out<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    address: &Address,
    deed: &Deed,
    deadline: Instant,
) -> Result<Option<Value>, StepError> {
    let what = match deed {
        Deed::Patch(object, _) => format!("patches {object}"),
        Deed::Delete(object, _) => format!("deletes {object}"),
    };
    let intent = Intent::Act {
        address: address.clone(),
        what,
    };
    context.intend(&intent).await?;
    context
        .until(deadline, || async {
            match deed {
                Deed::Patch(object, patch) => {
                    let request = PatchRequest {
                        object: object.clone(),
                        patch: Patch::Merge(patch.clone()),
                        manager: context.identity.overlay_manager(address),
                        dry_run: false,
                    };
                    match context.provider.patch(&request).await {
                        Ok(after) => Ok(Some(after)),
                        // Another one than the one that was looked at, or no longer as it was then: the watch has not told of
                        // that yet, or it would not have been sent.
                        Err(ProviderError::OtherUid | ProviderError::Modified | ProviderError::NotFound) => {
                            sleep(LOOKS_AGAIN_AFTER).await;
                            Ok(None)
                        }
                        Err(error) => Err(error.into()),
                    }
                }
                Deed::Delete(object, uid) => {
                    let request = DeleteRequest {
                        object: object.clone(),
                        uid: Some(uid.clone()),
                        // Whatever is in it by then: which object it is decided.
                        resource_version: None,
                        foreground: false,
                    };
                    match context.provider.delete(&request).await {
                        Ok(_) | Err(ProviderError::NotFound | ProviderError::OtherUid) => Ok(None),
                        Err(error) => Err(error.into()),
                    }
                }
            }
        })
        .await
}

/// Whether a list of texts holds the one that has to be there, and nothing that is not admitted beside it.
fn is_admitted(object: &Value, path: &FieldPath, must_hold: &str, may_start_with: &[String]) -> bool {
    let texts: Vec<_> = path
        .get(object)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    texts.contains(&must_hold)
        && texts
            .iter()
            .all(|text| *text == must_hold || may_start_with.iter().any(|start| text.starts_with(start.as_str())))
}

fn named(of: &ObjectType, object: &Value) -> Option<ObjectRef> {
    Some(ObjectRef {
        object_type: of.clone(),
        namespace: object["metadata"]["namespace"].as_str().map(str::to_owned),
        name: object["metadata"]["name"].as_str()?.to_owned(),
    })
}

pub(super) fn uid(object: &Value) -> String {
    object["metadata"]["uid"].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_combined_or_newer_plan_is_not_admitted() {
        let plan = |names: &[&str]| json!({"spec": {"names": names}});
        let admitted = |names: &[&str]| {
            is_admitted(
                &plan(names),
                &FieldPath::of("spec.names"),
                "rhcl.v1.3.4",
                &["authorino".to_owned()],
            )
        };
        assert!(admitted(&["rhcl.v1.3.4", "authorino.v1"]));
        assert!(!admitted(&["rhcl.v1.4.0"]));
        assert!(!admitted(&["rhcl.v1.3.4", "pipelines.v1"]));
    }
}
