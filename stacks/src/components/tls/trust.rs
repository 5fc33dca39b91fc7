//! The cluster's trust in an authority that is not public.
//!
//! The trust is the point: what calls the platform from inside, the dashboard above all, verifies certificates
//! (`reference/platform.md` §4 G09, `reference/serving.md` §5.2 P13). The authority's certificate is added to the bundle
//! that the cluster's proxy names, beside what others put there (G38), OpenShift AI hands the bundle to its namespaces, and
//! the dashboard, which reads it only when it starts, is restarted once.
//!
//! Facts: `reference/platform.md` §2.4, §2.12 (trusted bundle); `reference/serving.md` §1.17.

use super::authority;
use crate::{
    components::{
        Context,
        draft::{Draft, at, keyed, seconds},
        llm_d, maas,
        names::{APPLICATIONS, INGRESS},
        platform_symptoms, rhoai, secret,
    },
    stack::{GatewayTls, GeneratedFor, Tls, TrustedCa},
};
use serde_json::{Value, json};
use stackctl_engine::{
    Address, FieldPath, ObjectRef,
    late::{Encoding, LateSource, SecretFile, SecretInput},
    readiness::{Observation, Rule, Target},
    resource::{ConsequenceClass, Document, DocumentCodec},
};

const BUNDLE_KEY: &str = r#"data["ca-bundle.crt"]"#;

/// Where a certificate that is to be trusted comes from.
pub(super) enum Anchor {
    /// From a Secret, once that resource is ready.
    Of {
        /// The resource.
        address: Address,
        /// The Secret.
        secret: ObjectRef,
        /// Its key.
        key: &'static str,
    },
    /// From a file of the person who applies.
    File(SecretFile),
}

/// The gate that OpenShift AI trusts the authority; none where every authority is public.
pub(in crate::components) fn trusted(context: &Context<'_>) -> Option<Address> {
    anchor(context).map(|_| at("tls.trusted"))
}

/// The language lets a stack have one of the two.
fn anchor(context: &Context<'_>) -> Option<Anchor> {
    if matches!(context.stack.tls, Tls::LocalCa { .. }) {
        return Some(authority::anchor());
    }
    match context.stack.trusted_ca.as_ref()? {
        TrustedCa::File(path) => Some(Anchor::File(path.clone())),
        TrustedCa::OfGateway(GeneratedFor::LlmD) => of_gateway(llm_d::COMPONENT, &context.stack.gateway.tls),
        TrustedCa::OfGateway(GeneratedFor::Maas) => {
            of_gateway(maas::COMPONENT, &context.stack.maas.as_ref()?.gateway.tls)
        }
    }
}

/// cert-manager writes the authority beside the certificate that it signed (`reference/serving.md` §1.17).
fn of_gateway(component: &str, tls: &GatewayTls) -> Option<Anchor> {
    let GatewayTls::Generated { secret, .. } = tls else {
        return None;
    };
    Some(Anchor::Of {
        address: keyed(&[(component, ""), ("certificate", "")]),
        secret: ObjectRef::namespaced("v1", "Secret", INGRESS, secret.as_str()),
        key: "ca.crt",
    })
}

pub(super) fn resources(context: &Context<'_>) -> Vec<Draft> {
    let Some(anchor) = anchor(context) else {
        return Vec::new();
    };
    let bundle = context.facts.trusted_bundle.as_str();
    let config = ObjectRef::namespaced("v1", "ConfigMap", "openshift-config", bundle);
    let certificates = match &anchor {
        Anchor::Of { address, secret, key } => LateSource::Object {
            address: address.clone(),
            object: secret.clone(),
            path: secret::data(key),
            encoding: Encoding::Base64,
        },
        Anchor::File(path) => LateSource::Input(SecretInput::File(path.clone())),
    };
    let mut node = Draft::overlay(at("tls.bundle"), config.clone(), Value::Null)
        .with_overlay(|overlay| {
            overlay.documents.push(Document {
                at: FieldPath::of(BUNDLE_KEY),
                codec: DocumentCodec::Pem { certificates },
            });
            overlay.create_if_absent = true;
        })
        .note("one certificate among others")
        .tells(
            ConsequenceClass::TakesFields,
            format!("adds one certificate to ConfigMap openshift-config/{bundle}: the whole cluster trusts it"),
        );
    if let Anchor::Of { address, .. } = &anchor {
        node = node.after(address.clone(), "its certificate is what is added");
    }
    vec![
        node,
        Draft::overlay(
            at("tls.proxy"),
            ObjectRef::cluster("config.openshift.io/v1", "Proxy", "cluster"),
            json!({"spec": {"trustedCA": {"name": bundle}}}),
        )
        .after(at("tls.bundle"), "the bundle that it names has to be there")
        .note(format!("trusts ConfigMap {bundle}"))
        .tells(ConsequenceClass::TakesFields, "takes field trustedCA of Proxy cluster"),
        platform_trust(&anchor, config),
    ]
}

/// OpenShift AI copies the bundle into its namespaces, which takes up to a minute (`reference/platform.md` §2.4).
fn platform_trust(anchor: &Anchor, bundle: ObjectRef) -> Draft {
    let (from, of) = match anchor {
        Anchor::Of { secret, key, .. } => (secret.clone(), secret::data(key)),
        Anchor::File(_) => (bundle, FieldPath::of(BUNDLE_KEY)),
    };
    let holds_it = Target::Copied {
        to: ObjectRef::namespaced("v1", "ConfigMap", APPLICATIONS, "odh-trusted-ca-bundle"),
        at: FieldPath::of(BUNDLE_KEY),
        from,
        of,
    };
    Draft::gate(at("tls.trusted"), vec![Observation::new(holds_it, Rule::Exists)])
        .after(at("tls.proxy"), "the bundle is copied from there")
        .after(
            rhoai::initialization(),
            "its setting for trusted authorities makes the copies",
        )
        .within(seconds(180))
        .usually(seconds(60))
        .diagnosed(platform_symptoms::trust())
        .note("waits for the authority in ConfigMap odh-trusted-ca-bundle")
}
