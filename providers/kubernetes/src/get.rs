//! Reading one object.

use crate::{
    KubernetesProvider,
    client::{Ask, about},
    path,
    transport::Accepts,
};
use http::Method;
use serde_json::Value;
use stackctl_engine::{ObjectRef, execute::ProviderError};

/// Reads an object through to the store; `None` when it, its namespace or its kind is not there.
pub(crate) async fn get(provider: &KubernetesProvider, object: &ObjectRef) -> Result<Option<Value>, ProviderError> {
    let ask = Ask {
        subject: about(object),
        method: Method::GET,
        path: |served: &_| path::of_object(object, served),
        content: None,
        only_asks: true,
        accepts: Accepts::Whole,
    };
    match provider.accepted(ask).await {
        Ok(accepted) => provider
            .transport()
            .parse(&object.to_string(), &accepted.body)
            .map(Some),
        Err(ProviderError::NotFound | ProviderError::NamespaceMissing(_) | ProviderError::KindNotServed(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
