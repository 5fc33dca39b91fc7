//! Let's Encrypt: the staging and the production issuer, which prove the domain by a record in Route53.
//!
//! Facts: `reference/platform.md` §2.3, §4 G05.

use super::{ISSUER_KIND, issuer};
use crate::{
    components::{
        Context, cert_manager,
        draft::{Draft, at, seconds},
        platform_symptoms,
    },
    stack::Tls,
};
use serde_json::json;
use stackctl_engine::{ObjectRef, readiness::Rule};

/// The issuer of the certificates.
pub(super) const ISSUER: &str = "letsencrypt";

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let Tls::LetsEncrypt {
        email, hosted_zone_id, ..
    } = &context.stack.tls
    else {
        return Vec::new();
    };
    let key = |key: &str| json!({"name": cert_manager::CREDENTIALS, "key": key});
    let mut route53 = json!({
        "region": context.facts.region,
        "accessKeyIDSecretRef": key("aws_access_key_id"),
        "secretAccessKeySecretRef": key("aws_secret_access_key"),
    });
    if let Some(zone) = hosted_zone_id {
        route53["hostedZoneID"] = json!(zone);
    }
    let issuer_of = |address, name: &str, directory: &str| {
        let mut acme = json!({
            "server": directory,
            "privateKeySecretRef": {"name": format!("{name}-key")},
            "solvers": [{"dns01": {"route53": route53}}],
        });
        if let Some(email) = email {
            acme["email"] = json!(email);
        }
        Draft::object(
            address,
            json!({
                "apiVersion": ISSUER_KIND,
                "kind": "ClusterIssuer",
                "metadata": {"name": name},
                "spec": {"acme": acme},
            }),
        )
        .ready(Rule::condition("Ready"))
        .within(seconds(120))
        .diagnosed(platform_symptoms::issuer(name))
        .after(cert_manager::ready(), "its webhook judges every issuer")
        .after(
            cert_manager::credentials_made(),
            "it writes the proof of the domain into Route53 with these keys",
        )
        .leaves(
            ObjectRef::namespaced("v1", "Secret", cert_manager::OPERANDS, &format!("{name}-key")),
            "the account's key; it goes with its namespace",
        )
    };
    vec![
        issuer_of(
            at("tls.staging-issuer"),
            "letsencrypt-staging",
            "https://acme-staging-v02.api.letsencrypt.org/directory",
        )
        .note("for trials: nothing here is issued by it"),
        issuer_of(issuer(), ISSUER, "https://acme-v02.api.letsencrypt.org/directory"),
    ]
}
