//! What else presents the certificates: the API server and the router. Fields of objects that OpenShift owns.
//!
//! The named certificates of the API server are a list that the server knows only as a whole: ours is one item among
//! others'. Only the certificate is taken: the manual's chart sets replicas and tolerations of the router too, which moves its pods
//! to GPU and control-plane nodes (`reference/platform.md` §4 G39).
//!
//! Facts: `reference/platform.md` §2.3, §6 item 8.

use super::{API_SECRET, INGRESS_SECRET, api_certificate, ingress_certificate};
use crate::{
    components::{
        Context,
        draft::{Draft, at},
    },
    stack::Attach,
};
use serde_json::{Value, json};
use stackctl_engine::{
    FieldPath, ObjectRef,
    resource::{ConsequenceClass, Document, DocumentCodec},
};

fn api_server() -> ObjectRef {
    ObjectRef::cluster("config.openshift.io/v1", "APIServer", "cluster")
}

pub(super) fn resources(context: &Context<'_>, attach: Attach) -> Vec<Draft> {
    let mut nodes = Vec::new();
    if attach.api {
        let host = format!("api.{}", context.facts.base_domain.as_deref().unwrap_or_default());
        let named = Document {
            at: FieldPath::of("spec.servingCerts.namedCertificates"),
            codec: DocumentCodec::ListItem {
                by: "names".to_owned(),
                item: json!({"names": [host], "servingCertificate": {"name": API_SECRET}}),
            },
        };
        nodes.push(
            Draft::overlay(at("tls.api"), api_server(), Value::Null)
                .with_overlay(|overlay| overlay.documents.push(named))
                .after(api_certificate(), "it presents the certificate from then on")
                .note(format!("presents {API_SECRET} at {host}"))
                .tells(
                    ConsequenceClass::TakesFields,
                    "adds one named certificate to APIServer cluster: its pods restart one by one",
                ),
        );
    }
    if attach.ingress {
        nodes.push(
            Draft::overlay(
                at("tls.router"),
                ObjectRef::namespaced(
                    "operator.openshift.io/v1",
                    "IngressController",
                    "openshift-ingress-operator",
                    "default",
                ),
                json!({"spec": {"defaultCertificate": {"name": INGRESS_SECRET}}}),
            )
            .after(ingress_certificate(), "it presents the certificate from then on")
            .note(format!(
                "presents {INGRESS_SECRET} under *.{}",
                context.facts.apps_domain
            ))
            .tells(
                ConsequenceClass::TakesFields,
                "takes the default certificate of IngressController default: every host of the router presents it",
            ),
        );
    }
    nodes
}

/// Encryption of Secrets in etcd. Nothing documents a way back (`reference/platform.md` §6), so it stays.
pub(super) fn encryption(context: &Context<'_>) -> Vec<Draft> {
    if !context.stack.cluster.etcd_encryption {
        return Vec::new();
    }
    let why = "etcd stays encrypted: no way back is documented";
    vec![
        Draft::overlay(
            at("cluster.encryption"),
            api_server(),
            json!({"spec": {"encryption": {"type": "aescbc"}}}),
        )
        .retain(why)
        .leaves(api_server(), why)
        .note("encrypts Secrets in etcd")
        .tells(
            ConsequenceClass::Notice,
            "etcd is encrypted from then on, also after destroy",
        ),
    ]
}
