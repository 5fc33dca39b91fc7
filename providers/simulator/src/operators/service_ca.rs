//! `service-ca`: stands for the service-ca operator: serving certificates for Services that ask for one.
//!
//! Source: reference/serving.md §1.9 (step 4a), §5.1 G5, reference/platform.md G10: it overwrites a Secret that somebody
//! else made, which breaks every other consumer of that Secret;
//! <https://docs.redhat.com/en/documentation/openshift_container_platform/4.21/html/security_and_compliance/configuring-certificates>
//! (the authority `signing-key`, the names of a certificate).
//!
//! Invariant: while a Service asks for a Secret, that Secret is for the Service's names and for no others.
//!
//! Left out: rotation, injection into CRDs and webhooks.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::kinds::{CONFIG_MAP, SECRET, SERVICE};
use super::object::{Read, object, owned_by};
use super::turn::Turn;
use crate::certificates::{Pair, Wanted, names_in};

const ASKS: &str = "service.beta.openshift.io/serving-cert-secret-name";
const ORIGIN: &str = "service.beta.openshift.io/originating-service-name";
const INJECT: &str = "service.beta.openshift.io/inject-cabundle";
/// Where the authority is.
const NAMESPACE: &str = "openshift-service-ca";
const AUTHORITY: &str = "signing-key";
const SECONDS: u64 = 2;
/// A serving certificate lives two years, the authority 26 months.
const LIFETIME: Duration = Duration::from_secs(2 * 365 * 24 * 60 * 60);
const AUTHORITY_LIFETIME: Duration = Duration::from_secs(26 * 30 * 24 * 60 * 60);

pub(crate) fn reconcile(turn: &mut Turn<'_>) {
    let services: Vec<Arc<Value>> = turn
        .all(SERVICE)
        .into_iter()
        .filter(|service| service.annotation(ASKS).is_some() && !service.is_deleting())
        .collect();
    let bundles: Vec<Arc<Value>> = turn
        .all(CONFIG_MAP)
        .into_iter()
        .filter(|config| config.annotation(INJECT) == Some("true") && !config.is_deleting())
        .collect();
    if services.is_empty() && bundles.is_empty() {
        return;
    }
    let Some(authority) = authority(turn) else { return };
    for service in services {
        serve(turn, &service, &authority);
    }
    for config in bundles {
        let patch = json!({"data": {"service-ca.crt": authority.certificate}});
        turn.patch(CONFIG_MAP, &config, patch);
    }
}

/// Returns the authority, which is there from the installation on, and made anew where somebody deleted it.
fn authority(turn: &mut Turn<'_>) -> Option<Pair> {
    if let Some(secret) = turn.world.get(SECRET, NAMESPACE, AUTHORITY) {
        return Pair::of_secret(secret);
    }
    let wanted = Wanted {
        common_name: "openshift-service-serving-signer".to_owned(),
        names: Vec::new(),
        is_authority: true,
        from: turn.stamp.to_owned(),
        lifetime: AUTHORITY_LIFETIME,
    };
    match Pair::self_signed(&wanted) {
        Ok(pair) => {
            let parts = json!({"type": "kubernetes.io/tls", "data": pair.data("")});
            turn.create(SECRET, object(SECRET, NAMESPACE, AUTHORITY, parts));
        }
        Err(error) => tracing::warn!(%error, "the authority of service certificates cannot be made"),
    }
    None
}

fn serve(turn: &mut Turn<'_>, service: &Value, authority: &Pair) {
    let namespace = service.namespace();
    let Some(name) = service.annotation(ASKS) else { return };
    let host = format!("{}.{namespace}.svc", service.name());
    let live = turn.world.get(SECRET, namespace, name).cloned();
    let ours = live.as_ref().is_some_and(|secret| {
        secret.annotation(ORIGIN) == Some(service.name())
            && names_in(secret, "tls.crt").is_some_and(|names| names.contains(&host))
    });
    if ours || !turn.held(format!("sign {} {name}", service.uid()), SECONDS) {
        return;
    }
    let wanted = Wanted {
        common_name: host.clone(),
        names: vec![host.clone(), format!("{host}.cluster.local")],
        is_authority: false,
        from: turn.stamp.to_owned(),
        lifetime: LIFETIME,
    };
    let pair = match Pair::signed_by(&wanted, authority) {
        Ok(pair) => pair,
        Err(error) => {
            tracing::warn!(%error, host, "a service certificate cannot be signed");
            return;
        }
    };
    // The type of a Secret never changes: one that was there keeps its own.
    let kind = live.as_ref().map_or("kubernetes.io/tls", |live| live.text("/type"));
    let secret = object(
        SECRET,
        namespace,
        name,
        json!({
            "metadata": {"annotations": {ORIGIN: service.name()}}, "type": kind, "data": pair.data(&authority.certificate),
        }),
    );
    turn.ensure(SECRET, owned_by(secret, service));
    let patch = json!({"metadata": {"annotations": {"service.beta.openshift.io/serving-cert-signed-by": "openshift-service-serving-signer"}}});
    turn.patch(SERVICE, service, patch);
}

/// Encodes as Secrets do.
pub(crate) fn encode(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
