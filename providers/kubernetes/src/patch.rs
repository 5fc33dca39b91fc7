//! JSON patches and merge patches.

use crate::{
    KubernetesProvider,
    client::{Ask, about},
    path,
    transport::Accepts,
};
use bytes::Bytes;
use http::Method;
use serde_json::Value;
use stackctl_engine::execute::{Patch, PatchRequest, ProviderError};

/// Sends a patch. With `fieldValidation=Strict`, since a merge patch would else lose an unknown field with no more than
/// a warning (ssa-semantics §8).
pub(crate) async fn patch(provider: &KubernetesProvider, request: &PatchRequest) -> Result<Value, ProviderError> {
    let query = [
        ("fieldManager", Some(request.manager.as_str())),
        ("dryRun", request.dry_run.then_some("All")),
        ("fieldValidation", Some("Strict")),
    ];
    let (content_type, body) = match &request.patch {
        Patch::Json(operations) => ("application/json-patch+json", operations),
        Patch::Merge(fragment) => ("application/merge-patch+json", fragment),
    };
    let ask = Ask {
        subject: about(&request.object),
        method: Method::PATCH,
        path: |served: &_| Ok(path::with_query(path::of_object(&request.object, served)?, &query)),
        content: Some((content_type, Bytes::from(body.to_string()))),
        only_asks: request.dry_run,
        accepts: Accepts::Whole,
    };
    let accepted = provider.accepted(ask).await?;
    provider.transport().parse(&request.object.to_string(), &accepted.body)
}
