//! A certificate authority of the stack's own.
//!
//! Facts: `reference/platform.md` §2.4.

use super::{ISSUER_KIND, issuer, trust::Anchor};
use crate::components::{
    cert_manager,
    draft::{Draft, at, seconds},
};
use serde_json::{Value, json};
use stackctl_engine::{Address, ObjectRef, readiness::Rule};

/// The issuer of the certificates.
pub(super) const ISSUER: &str = "local-ca";
const ROOT: &str = "selfsigned-ca";
const ROOT_ISSUER: &str = "selfsigned-issuer";
const ROOT_SECRET: &str = "cert-manager-ca";

fn root() -> Address {
    at("tls.root")
}

pub(super) fn resources() -> Vec<Draft> {
    let issuer_of = |address, name: &str, spec: Value| {
        Draft::object(
            address,
            json!({
                "apiVersion": ISSUER_KIND,
                "kind": "ClusterIssuer",
                "metadata": {"name": name},
                "spec": spec,
            }),
        )
        .ready(Rule::condition("Ready"))
        .within(seconds(120))
        .after(cert_manager::ready(), "its webhook judges every issuer")
    };
    vec![
        issuer_of(at("tls.root-issuer"), ROOT_ISSUER, json!({"selfSigned": {}})),
        Draft::object(
            root(),
            json!({
                "apiVersion": ISSUER_KIND,
                "kind": "Certificate",
                "metadata": {"name": ROOT, "namespace": cert_manager::OPERANDS},
                "spec": {
                    "isCA": true,
                    "commonName": ROOT,
                    "secretName": ROOT_SECRET,
                    "privateKey": {"algorithm": "ECDSA", "size": 256},
                    "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": ROOT_ISSUER},
                },
            }),
        )
        .ready(Rule::condition("Ready"))
        .within(seconds(120))
        .after(at("tls.root-issuer"), "it signs itself")
        .note("the certificate authority"),
        issuer_of(issuer(), ISSUER, json!({"ca": {"secretName": ROOT_SECRET}}))
            .after(root(), "it signs with the authority's key"),
    ]
}

/// What the cluster is to trust of it.
pub(super) fn anchor() -> Anchor {
    Anchor::Of {
        address: root(),
        secret: ObjectRef::namespaced("v1", "Secret", cert_manager::OPERANDS, ROOT_SECRET),
        key: "tls.crt",
    }
}
