//! What a new cluster lacks, where faults ask for it.
//!
//! Source: `reference/platform.md` §4 G41, G42; §1 (`router-certs-default`).
//!
//! Invariant: a cluster is spoilt right after it is seeded, and once: what somebody mends stays mended.

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::api::storage::v1::StorageClass;
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use super::PLATFORM_MANAGER;
use crate::faults::{Fault, FaultName, Faults};

const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";

/// Takes away what the faults say is not there.
///
/// # Errors
///
/// What the API server answers when it refuses a write.
pub(crate) async fn spoil(client: &Client, faults: &[Fault]) -> Result<(), kube::Error> {
    let faults = Faults(faults);
    if faults.on(FaultName::NoDefaultStorageClass) {
        let classes: Api<StorageClass> = Api::all(client.clone());
        let patch = Patch::Merge(json!({"metadata": {"annotations": {DEFAULT: "false"}}}));
        for class in classes.list(&ListParams::default()).await? {
            let name = class.metadata.name.unwrap_or_default();
            classes
                .patch(&name, &PatchParams::apply(PLATFORM_MANAGER), &patch)
                .await?;
        }
    }
    if let Some(registry) = faults.target_of(FaultName::NoPullSecret) {
        let secrets: Api<Secret> = Api::namespaced(client.clone(), "openshift-config");
        let secret = secrets.get("pull-secret").await?;
        let document = secret
            .data
            .unwrap_or_default()
            .remove(".dockerconfigjson")
            .unwrap_or_default();
        let mut document: Value = serde_json::from_slice(&document.0).unwrap_or_default();
        if let Some(known) = document["auths"].as_object_mut() {
            known.remove(registry);
        }
        let patch = Patch::Merge(json!({"stringData": {".dockerconfigjson": document.to_string()}}));
        secrets
            .patch("pull-secret", &PatchParams::apply(PLATFORM_MANAGER), &patch)
            .await?;
    }
    if faults.on(FaultName::NoRouterCertificate) {
        let secrets: Api<Secret> = Api::namespaced(client.clone(), "openshift-ingress");
        secrets.delete("router-certs-default", &DeleteParams::default()).await?;
    }
    Ok(())
}
