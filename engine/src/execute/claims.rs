//! What others made for a resource: found once it is ready, and left where somebody else needs it.
//!
//! Invariants:
//! - What was there before the resource was not made for it. The server's own times say so, and what was claimed once stays
//!   claimed while it is the same object: a resource that was made anew finds what was made for the one before it.
//! - Nothing that another object needs is deleted, as far as the claim says how such a need is seen.

use super::{
    Journal, Provider, Selector,
    context::{Context, StepError},
    effect,
    secrets::SecretSource,
};
use crate::{
    object_key::ObjectRef,
    readiness::Target,
    recorded::{Claimed, Recorded},
    resource::Claim,
};
use serde_json::Value;

/// What others made for a resource, by uid: what was claimed before and what is found now.
pub(super) async fn claimed<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    claims: &[Claim],
    known: &Recorded,
) -> Result<Vec<Claimed>, StepError> {
    let own = match known.object() {
        Some(last) => context.provider.get(&last.object).await?,
        None => None,
    };
    let since = own.as_ref().and_then(made_at);
    let mut claimed = Vec::new();
    for claim in claims {
        for object in find(context, &claim.target).await? {
            let Some(named) = ObjectRef::of_live(&object) else {
                continue;
            };
            let uid = effect::uid(&object);
            // Two claims may lead to one object.
            if claimed.iter().any(|one: &Claimed| one.uid == uid) {
                continue;
            }
            let is_known = known.destroy.claims.iter().any(|one| one.uid == uid);
            // Both are in UTC to the second, so that they sort as texts.
            if !is_known && (since.is_none() || made_at(&object) < since) {
                continue;
            }
            claimed.push(Claimed {
                object: named,
                uid,
                why: claim.why.clone(),
                needed_by: claim.needed_by.clone(),
            });
        }
    }
    Ok(claimed)
}

/// Who else needs what is claimed, if there is somebody.
pub(super) async fn user_of<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    claimed: &Claimed,
    known: &Recorded,
) -> Result<Option<ObjectRef>, StepError> {
    let Some(needed) = &claimed.needed_by else {
        return Ok(None);
    };
    let namespace = claimed.object.namespace.as_deref();
    let all = context
        .provider
        .list(&needed.of, namespace, &Selector::default())
        .await?;
    let ours = known.object().map(|object| object.uid.as_str());
    let ours: Vec<&str> = ours
        .into_iter()
        .chain(known.destroy.claims.iter().map(|claimed| claimed.uid.as_str()))
        .collect();
    let needs = |object: &&Value| {
        let names = needed.at.get(object).and_then(Value::as_str);
        names == Some(claimed.object.name.as_str()) && !ours.contains(&effect::uid(object).as_str())
    };
    Ok(all.iter().find(needs).and_then(ObjectRef::of_live))
}

/// When the server made an object, as it is written.
fn made_at(object: &Value) -> Option<&str> {
    object["metadata"]["creationTimestamp"].as_str()
}

/// The objects of a target, read now.
async fn find<P: Provider, J: Journal, S: SecretSource>(
    context: &Context<'_, P, J, S>,
    target: &Target,
) -> Result<Vec<Value>, StepError> {
    let mut objects = Vec::new();
    match target {
        Target::Named(object) => objects.extend(context.provider.get(object).await?),
        Target::Copied { to, from, .. } => {
            let mut both = Vec::new();
            for object in [to, from] {
                both.extend(context.provider.get(object).await?);
            }
            let seen = super::view::Listed(both);
            objects.extend(target.find(&seen).into_iter().cloned());
        }
        Target::Linked { from, at, of } => {
            let holder = context.provider.get(from).await?;
            if let Some(name) = holder
                .as_ref()
                .and_then(|holder| at.get(holder)?.as_str())
                .filter(|n| !n.is_empty())
            {
                let linked = ObjectRef {
                    object_type: of.clone(),
                    namespace: from.namespace.clone(),
                    name: name.to_owned(),
                };
                objects.extend(context.provider.get(&linked).await?);
            }
        }
        Target::Every {
            of, namespace, labels, ..
        }
        | Target::Some {
            of, namespace, labels, ..
        } => {
            let selector = Selector { labels: labels.clone() };
            objects.extend(context.provider.list(of, namespace.as_deref(), &selector).await?);
        }
        Target::Prefixed { of, namespace, .. } => {
            let all = context.provider.list(of, Some(namespace), &Selector::default()).await?;
            let seen = super::view::Listed(all);
            objects.extend(target.find(&seen).into_iter().cloned());
        }
    }
    Ok(objects)
}
