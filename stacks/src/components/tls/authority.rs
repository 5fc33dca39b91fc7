//! A certificate authority of the stack's own, and the cluster's trust in it.
//!
//! The trust is the point: what calls the platform from inside, the dashboard above all, verifies certificates
//! (`reference/platform.md` §4 G09). The authority's certificate is added to the bundle that the cluster's proxy names,
//! beside what others put there (G38), OpenShift AI hands the bundle to its namespaces, and the dashboard, which reads it
//! only when it starts, is restarted once.
//!
//! Facts: `reference/platform.md` §2.4, §2.12 (trusted bundle).

use super::ISSUER_KIND;
use crate::{
    components::{
        Context, cert_manager,
        draft::{Draft, at, seconds},
        names::APPLICATIONS,
        rhoai, secret,
    },
    stack::Tls,
};
use serde_json::{Value, json};
use stackctl_engine::{
    Address, FieldPath, ObjectRef,
    late::{Encoding, LateSource},
    readiness::{Observation, Rule, Target},
    resource::{ConsequenceClass, Document, DocumentCodec},
};

/// The issuer of the certificates.
pub(super) const ISSUER: &str = "local-ca";
const ROOT: &str = "selfsigned-ca";
const ROOT_ISSUER: &str = "selfsigned-issuer";
const ROOT_SECRET: &str = "cert-manager-ca";
const BUNDLE_KEY: &str = r#"data["ca-bundle.crt"]"#;

/// The node of the issuer.
pub(super) fn issuer() -> Address {
    at("tls.issuer")
}

/// The gate that OpenShift AI trusts the authority; none without one.
pub(in crate::components) fn trusted(context: &Context<'_>) -> Option<Address> {
    matches!(context.stack.tls, Tls::LocalCa { .. }).then(|| at("tls.trusted"))
}

fn root() -> Address {
    at("tls.root")
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
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
    let mut nodes = vec![
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
    ];
    nodes.extend(trust(context));
    nodes
}

fn root_secret() -> ObjectRef {
    ObjectRef::namespaced("v1", "Secret", cert_manager::OPERANDS, ROOT_SECRET)
}

fn trust(context: &Context<'_>) -> Vec<Draft> {
    let bundle = context.facts.trusted_bundle.as_str();
    let config = ObjectRef::namespaced("v1", "ConfigMap", "openshift-config", bundle);
    let certificate = LateSource::Object {
        address: root(),
        object: root_secret(),
        path: secret::data("tls.crt"),
        encoding: Encoding::Base64,
    };
    let mut nodes = vec![
        Draft::overlay(at("tls.bundle"), config, Value::Null)
            .with_overlay(|overlay| {
                overlay.documents.push(Document {
                    at: FieldPath::of(BUNDLE_KEY),
                    codec: DocumentCodec::Pem {
                        certificates: certificate,
                    },
                });
                overlay.create_if_absent = true;
            })
            .after(root(), "its certificate is what is added")
            .note("one certificate among others")
            .tells(
                ConsequenceClass::TakesFields,
                format!("adds one certificate to ConfigMap openshift-config/{bundle}: the whole cluster trusts it"),
            ),
        Draft::overlay(
            at("tls.proxy"),
            ObjectRef::cluster("config.openshift.io/v1", "Proxy", "cluster"),
            json!({"spec": {"trustedCA": {"name": bundle}}}),
        )
        .after(at("tls.bundle"), "the bundle that it names has to be there")
        .note(format!("trusts ConfigMap {bundle}"))
        .tells(ConsequenceClass::TakesFields, "takes field trustedCA of Proxy cluster"),
    ];
    nodes.push(platform_trust());
    nodes
}

/// OpenShift AI copies the bundle into its namespaces, which takes up to a minute (`reference/platform.md` §2.4).
fn platform_trust() -> Draft {
    let copy = ObjectRef::namespaced("v1", "ConfigMap", APPLICATIONS, "odh-trusted-ca-bundle");
    let holds_it = Target::Copied {
        to: copy,
        at: FieldPath::of(BUNDLE_KEY),
        from: root_secret(),
        of: secret::data("tls.crt"),
    };
    Draft::gate(at("tls.trusted"), vec![Observation::new(holds_it, Rule::Exists)])
        .after(at("tls.proxy"), "the bundle is copied from there")
        .after(
            rhoai::initialization(),
            "its setting for trusted authorities makes the copies",
        )
        .within(seconds(180))
        .note("waits for the authority in ConfigMap odh-trusted-ca-bundle")
}
