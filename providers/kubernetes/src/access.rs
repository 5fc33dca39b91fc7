//! What we may do, as the server says it (`SelfSubjectAccessReview`, authorization.k8s.io/v1).

use crate::{
    KubernetesProvider,
    transport::{Accepted, Accepts, Answer},
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
    /// The rights that are not given. The plural of a kind that the server does not have yet is taken from `plurals`, or
    /// guessed as every Kubernetes client guesses it.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn denied(
        &self,
        rights: &BTreeSet<Right>,
        plurals: &BTreeMap<GroupKind, String>,
        width: usize,
    ) -> Result<Vec<Denied>, ProviderError> {
        if rights.is_empty() || self.may_do_everything().await? {
            return Ok(Vec::new());
        }
        let asked = stream::iter(rights.iter().cloned()).map(|right| async move {
            let resource = match self.served(&right.of).await {
                Ok(served) => served.plural,
                Err(ProviderError::KindNotServed(_)) => {
                    let kind = right.of.group_kind();
                    plurals.get(&kind).cloned().unwrap_or_else(|| guessed(&kind.kind))
                }
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

    /// Whether every verb on everything, in all namespaces, is ours: what cluster-admin gives.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn may_do_everything(&self) -> Result<bool, ProviderError> {
        self.may("*", "*", "*", None).await
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
        // A review changes nothing.
        let answer = self
            .transport()
            .ask_patiently(Method::POST, REVIEWS, Some(content), Accepts::Whole);
        match answer.await? {
            Answer::Accepted(Accepted { body, .. }) => {
                let answer: Value = self.transport().parse("a SelfSubjectAccessReview", &body)?;
                Ok(answer["status"]["allowed"] == true)
            }
            // A server that does not review says so later, by refusing.
            Answer::Refused(_) => Ok(true),
        }
    }
}

/// The plural that a kind most likely has
/// (<https://pkg.go.dev/k8s.io/apimachinery/pkg/api/meta#UnsafeGuessKindToResource>).
fn guessed(kind: &str) -> String {
    let singular = kind.to_lowercase();
    if singular.ends_with('s') {
        return singular + "es";
    }
    match singular.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => singular + "s",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_are_guessed_as_clients_do() {
        let guessed = ["EnvoyFilter", "GatewayClass", "AuthPolicy"].map(guessed);
        assert_eq!(guessed, ["envoyfilters", "gatewayclasses", "authpolicies"]);
    }
}
