//! What we may do, as the server says it (`SelfSubjectAccessReview`, authorization.k8s.io/v1).

use crate::{
    KubernetesProvider,
    transport::{Accepted, Answer},
};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;
use serde_json::{Value, json};
use stackctl_engine::{GroupKind, execute::ProviderError, rights::Right};
use std::collections::{BTreeMap, BTreeSet};

const REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/// A right that is not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// The right.
    pub right: Right,
    /// The plural of its type, as rules of RBAC name it.
    pub resource: String,
}

impl KubernetesProvider {
    /// The rights that are not given; kinds that neither the server nor `plurals` knows are passed over.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn denied(
        &self,
        rights: &BTreeSet<Right>,
        plurals: &BTreeMap<GroupKind, String>,
        width: usize,
    ) -> Result<Vec<Denied>, ProviderError> {
        if rights.is_empty() || self.may("*", "*", "*", None).await? {
            return Ok(Vec::new());
        }
        let asked = stream::iter(rights.iter().cloned()).map(|right| async move {
            let resource = match self.served(&right.of).await {
                Ok(served) => served.plural,
                Err(ProviderError::KindNotServed(_)) => match plurals.get(&right.of.group_kind()) {
                    Some(plural) => plural.clone(),
                    None => return Ok(None),
                },
                Err(error) => return Err(error),
            };
            let verb = right.verb.to_string();
            let is_given = self
                .may(&verb, right.of.group(), &resource, right.namespace.as_deref())
                .await?;
            Ok((!is_given).then_some(Denied { right, resource }))
        });
        let denied: Vec<Option<Denied>> = asked.buffered(width.max(1)).try_collect().await?;
        Ok(denied.into_iter().flatten().collect())
    }

    async fn may(
        &self,
        verb: &str,
        group: &str,
        resource: &str,
        namespace: Option<&str>,
    ) -> Result<bool, ProviderError> {
        let attributes =
            json!({"verb": verb, "group": group, "resource": resource, "namespace": namespace.unwrap_or_default()});
        let body = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        });
        let content = ("application/json", Bytes::from(body.to_string()));
        match self.transport().ask(Method::POST, REVIEWS, Some(content)).await? {
            Answer::Accepted(Accepted { body, .. }) => {
                let answer: Value = self.transport().parse("a SelfSubjectAccessReview", &body)?;
                Ok(answer["status"]["allowed"] == true)
            }
            // A server that does not review says so later, by refusing.
            Answer::Refused(_) => Ok(true),
        }
    }
}
