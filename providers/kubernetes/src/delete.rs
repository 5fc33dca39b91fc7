//! Deleting one object.
//!
//! Invariant: the options travel in the body, since a server ignores a query beside a body (ssa-semantics §12).

use crate::{
    KubernetesProvider,
    client::{Ask, about},
    path,
    transport::Accepts,
};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use stackctl_engine::execute::{DeleteRequest, Deletion, ProviderError};

/// Deletes an object; what is not there counts as gone, whichever part of its path is missing.
pub(crate) async fn delete(provider: &KubernetesProvider, request: &DeleteRequest) -> Result<Deletion, ProviderError> {
    let ask = Ask {
        subject: about(&request.object),
        method: Method::DELETE,
        path: |served: &_| path::of_object(&request.object, served),
        content: Some(("application/json", Bytes::from(options(request).to_string()))),
        only_asks: false,
        accepts: Accepts::Whole,
    };
    match provider.accepted(ask).await {
        Ok(accepted) => {
            let answer: Value = provider
                .transport()
                .parse(&request.object.to_string(), &accepted.body)?;
            Ok(outcome(&answer))
        }
        Err(ProviderError::NotFound | ProviderError::NamespaceMissing(_) | ProviderError::KindNotServed(_)) => {
            Ok(Deletion::Gone)
        }
        Err(error) => Err(error),
    }
}

/// A propagation is always named: the default of a Job is to orphan its pods (ssa-semantics §12).
fn options(request: &DeleteRequest) -> Value {
    let propagation = if request.foreground { "Foreground" } else { "Background" };
    let mut options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation});
    if let Some(uid) = &request.uid {
        options["preconditions"]["uid"] = json!(uid);
    }
    if let Some(version) = &request.resource_version {
        options["preconditions"]["resourceVersion"] = json!(version);
    }
    options
}

/// The answer is a `Status` when it is gone, the object when finalizers are left (ssa-semantics §12). Some kinds answer
/// with the object they have just removed, without a deletionTimestamp (`k8s.io/apiserver`, `ReturnDeletedObject`).
fn outcome(answer: &Value) -> Deletion {
    let is_marked = answer["metadata"]["deletionTimestamp"].is_string();
    if is_marked { Deletion::Marked } else { Deletion::Gone }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackctl_engine::ObjectRef;

    #[test]
    fn preconditions_and_propagation_are_in_the_body() {
        let request = DeleteRequest {
            object: ObjectRef::namespaced("v1", "ConfigMap", "demo", "a"),
            uid: Some("u-1".to_owned()),
            resource_version: None,
            foreground: true,
        };
        let expected = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground",
            "preconditions": {"uid": "u-1"}});
        assert_eq!(options(&request), expected);
        let as_read = options(&DeleteRequest {
            resource_version: Some("7".to_owned()),
            ..request.clone()
        });
        assert_eq!(as_read["preconditions"], json!({"uid": "u-1", "resourceVersion": "7"}));
        let background = options(&DeleteRequest {
            uid: None,
            foreground: false,
            ..request
        });
        assert_eq!(background["propagationPolicy"], "Background");
        assert!(background.get("preconditions").is_none());
    }

    #[test]
    fn only_a_deletion_timestamp_means_marked() {
        let marked = json!({"kind": "ConfigMap", "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        assert_eq!(outcome(&marked), Deletion::Marked);
        assert_eq!(
            outcome(&json!({"kind": "ServiceAccount", "metadata": {}})),
            Deletion::Gone
        );
        let status = json!({"kind": "Status", "status": "Success", "details": {"uid": "u"}, "metadata": {}});
        assert_eq!(outcome(&status), Deletion::Gone);
    }
}
