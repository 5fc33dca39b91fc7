//! Which cluster this is.

use crate::{ConnectError, KubernetesProvider, transport::Answer};
use serde::Deserialize;
use stackctl_engine::{
    ObjectRef,
    execute::{Provider as _, ProviderError},
};

/// What a cluster is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterIdentity {
    /// The uid of the namespace kube-system: made with the cluster, and never again (DESIGN §5, saved plans).
    pub uid: String,
    /// The URL that it was met at.
    pub server: String,
    /// The version of Kubernetes, such as `v1.32.13`.
    pub version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

impl KubernetesProvider {
    /// Asks the cluster who it is.
    ///
    /// # Errors
    /// Each with a [hint](ConnectError::hint): no answer, credentials not accepted, no right to read kube-system, no
    /// cluster at all.
    pub async fn cluster_id(&self) -> Result<ClusterIdentity, ConnectError> {
        let version = self.version().await.map_err(|error| self.connect_error(error))?;
        let object = ObjectRef::cluster("v1", "Namespace", "kube-system");
        let namespace = self.get(&object).await.map_err(|error| self.connect_error(error))?;
        let uid = namespace
            .as_ref()
            .and_then(|namespace| namespace["metadata"]["uid"].as_str())
            .filter(|uid| !uid.is_empty());
        let Some(uid) = uid else {
            return Err(self.no_cluster("it has no namespace kube-system".to_owned()));
        };
        Ok(ClusterIdentity {
            uid: uid.to_owned(),
            server: self.server().to_owned(),
            version,
        })
    }

    /// The version, which servers tell anybody.
    async fn version(&self) -> Result<String, ProviderError> {
        match self.transport().get("/version").await? {
            Answer::Accepted(accepted) => {
                let version: Version = self.transport().parse("/version", &accepted.body)?;
                Ok(version.git_version)
            }
            Answer::Refused(refusal) => match refusal.code {
                401 => Err(ProviderError::Unauthorized(refusal.message().to_owned())),
                403 => Err(ProviderError::Forbidden(refusal.message().to_owned())),
                502..=504 => Err(ProviderError::Unavailable(refusal.message().to_owned())),
                code => Err(ProviderError::Other(format!("/version answers {code}"))),
            },
        }
    }

    fn connect_error(&self, error: ProviderError) -> ConnectError {
        let server = self.server().to_owned();
        match error {
            ProviderError::Unreachable(reason) => ConnectError::Unreachable { reason },
            ProviderError::Unavailable(reason) => ConnectError::Unreachable {
                reason: format!("{server}: {reason}"),
            },
            ProviderError::Unauthorized(reason) => ConnectError::Unauthorized { server, reason },
            ProviderError::Forbidden(reason) => ConnectError::Forbidden { server, reason },
            other => self.no_cluster(other.to_string()),
        }
    }

    fn no_cluster(&self, reason: String) -> ConnectError {
        ConnectError::NoCluster {
            server: self.server().to_owned(),
            reason,
        }
    }
}
