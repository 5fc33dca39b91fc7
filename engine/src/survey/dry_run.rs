//! What the server would answer to our apply, asked by a dry run.

use super::{Answer, Unanswered};
use crate::{
    diff::expected::expected,
    execute::{ApplyRequest, Provider, ProviderError},
    object_key::ObjectRef,
    packed::Packed,
};
use serde_json::Value;

/// Asks without force first; where others own fields, asks again with force to see what would be there.
pub(super) async fn dry_run<P: Provider>(
    provider: &P,
    object: &ObjectRef,
    mut body: Value,
    live: Option<&Value>,
    manager: &str,
) -> Answer {
    if let Some(uid) = live.and_then(|live| live["metadata"].get("uid")) {
        body["metadata"]["uid"] = uid.clone();
    }
    let mut request = ApplyRequest {
        object: object.clone(),
        body,
        manager: manager.to_owned(),
        force: false,
        dry_run: true,
    };
    let mut taken = Vec::new();
    loop {
        return match provider.apply(&request).await {
            Ok(answer) => Answer::Would {
                object: Packed::of(&answer.object),
                created: answer.created,
                taken,
                warnings: answer.warnings,
            },
            Err(ProviderError::Conflict(causes)) if !request.force => {
                request.force = true;
                taken = causes;
                continue;
            }
            Err(ProviderError::TakesNoDryRun { webhook }) => Answer::Unverified {
                object: Packed::of(&expected(live, &request.body, manager)),
                why: Unanswered::TakesNoDryRun(webhook),
                taken,
            },
            Err(ProviderError::VersionGone(_)) => Answer::Unverified {
                object: Packed::of(&expected(live, &request.body, manager)),
                why: Unanswered::VersionGone,
                taken,
            },
            // It is there, in another version of its kind.
            Err(ProviderError::KindNotServed(kind)) if live.is_some() => Answer::Unverified {
                object: Packed::of(&expected(live, &request.body, manager)),
                why: Unanswered::VersionToCome(kind),
                taken,
            },
            Err(ProviderError::KindNotServed(kind)) => Answer::KindToCome(kind),
            Err(ProviderError::NamespaceMissing(namespace)) => Answer::NamespaceToCome(namespace),
            Err(error) => Answer::Refused(error),
        };
    }
}
