//! Kubeconfigs: who asks, and where.

use serde_json::json;

use super::{
    ApiserverError,
    credentials::{CA, Token},
    folder::Folder,
};

/// The name of the cluster.
const CLUSTER: &str = "stackctl-test";

/// A kubeconfig with a context for each user, named like the user; the first is the current one.
///
/// # Errors
/// When it cannot be printed as YAML.
pub(super) fn text(folder: &Folder, port: u16, tokens: &[&Token]) -> Result<String, ApiserverError> {
    let users: Vec<_> = tokens
        .iter()
        .map(|token| json!({"name": token.user.name, "user": {"token": token.secret}}))
        .collect();
    let contexts: Vec<_> = tokens
        .iter()
        .map(|token| json!({"name": token.user.name, "context": {"cluster": CLUSTER, "user": token.user.name}}))
        .collect();
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": CLUSTER,
            "cluster": {"server": format!("https://127.0.0.1:{port}"), "certificate-authority": folder.file(CA)},
        }],
        "users": users,
        "contexts": contexts,
        "current-context": tokens.first().map(|token| token.user.name),
    });
    serde_saphyr::to_string(&config).map_err(|error| ApiserverError::Kubeconfig(error.to_string()))
}
