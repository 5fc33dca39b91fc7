//! The certificate that the gateways present.
//!
//! With `issuer = "existing"` it is a Secret that is there already, the router's own unless another is named; only looked
//! at, never written.

use super::{
    Context,
    draft::{Draft, at, seconds, see},
    names::INGRESS,
};
use stackctl_engine::{Address, ObjectRef, readiness::Rule};

/// The gate that the certificate is there.
pub(super) fn certificate() -> Address {
    at("tls.certificate")
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let Some(name) = &context.facts.tls_secret else {
        return Vec::new();
    };
    let secret = ObjectRef::namespaced("v1", "Secret", INGRESS, name);
    // The type alone: the API server admits it only with `tls.crt` and `tls.key`, and no verdict quotes a key.
    // https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets
    let is_there = see(secret, Rule::equals("type", "kubernetes.io/tls"));
    vec![
        Draft::gate(certificate(), vec![is_there])
            .within(seconds(60))
            .note(format!("waits for Secret {INGRESS}/{name}")),
    ]
}
