//! `service-ca`: stands for the service-ca operator: serving certificates for Services that ask for one.
//!
//! Source: reference/serving.md §1.9 (step 4a), reference/platform.md G10: it overwrites a Secret that somebody else
//! made, which breaks every other consumer of that Secret.
//!
//! Left out: rotation, injection into CRDs and webhooks. The bytes are no real certificate.

use serde_json::{Value, json};

use super::kinds::{CONFIG_MAP, SECRET, SERVICE};
use super::object::{Read, object, owned_by};
use super::turn::Turn;

const ASKS: &str = "service.beta.openshift.io/serving-cert-secret-name";
const ORIGIN: &str = "service.beta.openshift.io/originating-service-name";
const INJECT: &str = "service.beta.openshift.io/inject-cabundle";
const SECONDS: u64 = 2;

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    for service in turn.all(SERVICE) {
        if let Some(name) = service.annotation(ASKS).filter(|_| !service.is_deleting()) {
            serve(turn, &service, name);
        }
    }
    for config in turn.all(CONFIG_MAP) {
        if config.annotation(INJECT) == Some("true") && !config.is_deleting() {
            turn.patch(
                CONFIG_MAP,
                &config,
                json!({"data": {"service-ca.crt": pem("service-ca")}}),
            );
        }
    }
}

fn serve(turn: &mut Turn<'_>, service: &Value, name: &str) {
    let namespace = service.namespace();
    let ours = turn
        .world
        .get(SECRET, namespace, name)
        .is_some_and(|secret| secret.annotation(ORIGIN) == Some(service.name()));
    if ours || !turn.held(format!("sign {} {name}", service.uid()), SECONDS) {
        return;
    }
    let host = format!("{}.{namespace}.svc", service.name());
    let data = json!({"tls.crt": encode(&pem(&host)), "tls.key": encode(&pem(&format!("key of {host}")))});
    let secret = object(
        SECRET,
        namespace,
        name,
        json!({
            "metadata": {"annotations": {ORIGIN: service.name()}}, "type": "kubernetes.io/tls", "data": data,
        }),
    );
    turn.ensure(SECRET, owned_by(secret, service));
    let patch = json!({"metadata": {"annotations": {"service.beta.openshift.io/serving-cert-signed-by": "openshift-service-serving-signer"}}});
    turn.patch(SERVICE, service, patch);
}

/// Returns a block that looks like a PEM certificate and says what it stands for.
pub(crate) fn pem(subject: &str) -> String {
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        encode(&format!("simulated certificate for {subject}"))
    )
}

/// Encodes as Secrets do.
pub(crate) fn encode(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
