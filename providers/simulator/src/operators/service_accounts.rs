//! `service-accounts`: stands for the token controller of kube-controller-manager: a Secret of type
//! `kubernetes.io/service-account-token` gets the token of the account that its annotation names.
//!
//! Source: <https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets>.
//!
//! Left out: signatures; the token is no real one.

use serde_json::json;

use super::kinds::{SECRET, SERVICE_ACCOUNT};
use super::object::Read;
use super::service_ca::encode;
use super::turn::Turn;
use crate::certificates;

const ACCOUNT: &str = "kubernetes.io/service-account.name";

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    for secret in turn.all(SECRET) {
        let is_asking = secret.text("/type") == "kubernetes.io/service-account-token"
            && secret.pointer("/data/token").is_none()
            && !secret.is_deleting();
        let Some(account) = secret.annotation(ACCOUNT).filter(|_| is_asking) else {
            continue;
        };
        let namespace = secret.namespace();
        let Some(account) = turn.world.get(SERVICE_ACCOUNT, namespace, account).cloned() else {
            continue;
        };
        let token = format!("simulated.{}.{}", account.uid(), secret.uid());
        let patch = json!({
            "metadata": {"annotations": {"kubernetes.io/service-account.uid": account.uid()}},
            "data": {"token": encode(&token), "namespace": encode(namespace), "ca.crt": encode(certificates::TRUSTED)},
        });
        turn.patch(SECRET, &secret, patch);
    }
}
