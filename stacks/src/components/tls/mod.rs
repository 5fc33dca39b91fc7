//! Certificates: who issues the one that the gateways present, and what else presents it.
//!
//! With `issuer = "existing"` it is a Secret that is there already, the router's own unless another is named; only looked
//! at, never written. Else cert-manager issues one for the API server and one for the router's domain, and a client that
//! presents one of them is switched over only when it is there: `attach` are overlays after the certificates, and so are
//! taken back before them (`reference/platform.md` §4 G47: the Secret goes with its Certificate).
//!
//! Facts: `reference/platform.md` §2.3, §2.4, §6 item 8.

mod attach;
mod authority;
mod letsencrypt;
mod trust;

use super::{
    Context,
    draft::{Draft, at, seconds, see},
    names::INGRESS,
    platform_symptoms,
};
use crate::stack::Tls;
use serde_json::json;
use stackctl_engine::{Address, ObjectRef, readiness::Rule};

pub(super) use trust::trusted;

/// The Secret of the certificate for the apps domain (`reference/platform.md` §2.3).
pub(super) const INGRESS_SECRET: &str = "ingress-certs";
const API_SECRET: &str = "api-certs";
const ISSUER_KIND: &str = "cert-manager.io/v1";

/// The gate that the certificate is there.
pub(super) fn certificate() -> Address {
    at("tls.certificate")
}

fn ingress_certificate() -> Address {
    at("tls.ingress-certificate")
}

fn api_certificate() -> Address {
    at("tls.api-certificate")
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let mut nodes = attach::encryption(context);
    let mut gate = secret_there(certificate(), &context.facts.tls_secret);
    match &context.stack.tls {
        Tls::Existing { .. } => {}
        Tls::LetsEncrypt { attach, .. } => {
            nodes.extend(letsencrypt::resources(context));
            nodes.extend(certificates(context, letsencrypt::ISSUER, &issuer()));
            nodes.extend(attach::resources(context, *attach));
        }
        Tls::LocalCa { attach } => {
            nodes.extend(authority::resources());
            nodes.extend(certificates(context, authority::ISSUER, &issuer()));
            nodes.extend(attach::resources(context, *attach));
        }
    }
    if !matches!(context.stack.tls, Tls::Existing { .. }) {
        gate = gate.after(ingress_certificate(), "its Secret is written when it is issued");
    }
    nodes.push(gate);
    nodes.extend(trust::resources(context));
    nodes
}

/// The node of the issuer that the stack makes.
pub(super) fn issuer() -> Address {
    at("tls.issuer")
}

/// The gate that a Secret with a certificate is there for the gateways.
pub(super) fn secret_there(address: Address, name: &str) -> Draft {
    let secret = ObjectRef::namespaced("v1", "Secret", INGRESS, name);
    // The type alone: the API server admits it only with `tls.crt` and `tls.key`, and no verdict quotes a key.
    // https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets
    let is_there = see(secret, Rule::equals("type", "kubernetes.io/tls"));
    Draft::gate(address, vec![is_there])
        .within(seconds(60))
        .note(format!("waits for Secret {INGRESS}/{name}"))
}

/// One certificate for the API server and one for everything below the apps domain.
fn certificates(context: &Context<'_>, issuer: &str, issued_by: &Address) -> [Draft; 2] {
    let base = context.facts.base_domain.as_deref().unwrap_or_default();
    let apps = context.facts.apps_domain.as_str();
    let certificate = |address, (namespace, name): (&str, &str), secret: &str, names: &[String]| {
        Draft::object(
            address,
            json!({
                "apiVersion": ISSUER_KIND,
                "kind": "Certificate",
                "metadata": {"name": name, "namespace": namespace},
                "spec": {
                    "commonName": names.first(),
                    "dnsNames": names,
                    "isCA": false,
                    "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": issuer},
                    "secretName": secret,
                },
            }),
        )
        // By type: the order of conditions is not fixed (reference/platform.md §4 G06).
        .ready(Rule::condition("Ready"))
        .within(seconds(300))
        .diagnosed_by(platform_symptoms::certificate(namespace))
        .after(issued_by.clone(), "the issuer signs it")
        .note(format!("for {}", names.join(", ")))
    };
    [
        certificate(
            api_certificate(),
            ("openshift-config", "ocp-api"),
            API_SECRET,
            &[format!("api.{base}")],
        ),
        certificate(
            ingress_certificate(),
            (INGRESS, "ocp-ingress"),
            INGRESS_SECRET,
            &[apps.to_owned(), format!("*.{apps}")],
        ),
    ]
}
