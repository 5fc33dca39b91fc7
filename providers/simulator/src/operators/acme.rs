//! How cert-manager gets a certificate from an ACME server: an Order, and a Challenge for each name.
//!
//! Source: <https://cert-manager.io/docs/concepts/acme-orders-challenges/>, reference/platform.md G05: while a challenge
//! does not succeed the Certificate stays `Issuing`, and only the Challenge's `.status.reason` says why.
//!
//! Invariants:
//! - Orders and Challenges belong to their Certificate, so that they go with it.
//! - A Challenge goes once its Order is valid; the Order stays.
//!
//! Left out: CertificateRequests between the two, the state `invalid` (a DNS challenge is presented again and again),
//! HTTP challenges, the ACME server itself.

use serde_json::{Value, json};

use super::kinds::{CHALLENGE, ORDER};
use super::object::{Read, object, owned_by, suffix};
use super::turn::Turn;
use crate::faults::FaultName;

/// Where a simulated ACME server would have its resources.
const SERVER: &str = "https://acme.invalid/acme";

/// Makes the Order of a Certificate and its Challenges, and says how far they are.
pub(super) fn order(turn: &mut Turn<'_>, certificate: &Value) {
    let (namespace, name) = (certificate.namespace(), order_name(certificate));
    let spec = &certificate["spec"];
    let order = json!({"spec": {
        "commonName": spec["commonName"], "dnsNames": spec["dnsNames"], "issuerRef": spec["issuerRef"],
        "request": super::service_ca::encode("simulated"),
    }});
    turn.ensure(ORDER, owned_by(object(ORDER, namespace, &name, order), certificate));
    if let Some(order) = turn.world.get(ORDER, namespace, &name).cloned() {
        turn.status(
            ORDER,
            &order,
            json!({"state": "pending", "url": format!("{SERVER}/order/{name}")}),
        );
    }
    for challenge in challenges(certificate) {
        let live = turn.world.get(CHALLENGE, namespace, challenge.name()).cloned();
        turn.ensure(CHALLENGE, owned_by(challenge, certificate));
        if let Some(live) = live {
            let (presented, reason) = progress(turn, &live);
            let status = json!({"presented": presented, "processing": true, "state": "pending", "reason": reason});
            turn.status(CHALLENGE, &live, status);
        }
    }
}

/// Returns whether every challenge has succeeded; what is left of them is cleaned up then.
pub(super) fn is_fulfilled(turn: &mut Turn<'_>, certificate: &Value) -> bool {
    if turn.faults.on(FaultName::ChallengeFails) {
        order(turn, certificate);
        return false;
    }
    for challenge in challenges(certificate) {
        turn.delete(CHALLENGE, certificate.namespace(), challenge.name());
    }
    if let Some(order) = turn
        .world
        .get(ORDER, certificate.namespace(), &order_name(certificate))
        .cloned()
    {
        turn.status(ORDER, &order, json!({"state": "valid"}));
    }
    true
}

/// Whether the record of a challenge was written, and what is said about it.
fn progress(turn: &Turn<'_>, challenge: &Value) -> (bool, String) {
    let domain = challenge.text("/spec/dnsName");
    if turn.faults.on(FaultName::ChallengeFails) {
        let zone = domain.split_once('.').map_or(domain, |(_, zone)| zone);
        let why = format!(
            "failed to determine Route 53 hosted zone ID: zone {zone}. not found in Route 53 for domain _acme-challenge.{domain}."
        );
        return (false, why);
    }
    let why = format!("Waiting for DNS-01 challenge propagation: DNS record for \"{domain}\" not yet propagated");
    (true, why)
}

fn order_name(certificate: &Value) -> String {
    let seed = format!("{} {}", certificate.uid(), certificate["metadata"]["generation"]);
    format!("{}-1-{}", certificate.name(), suffix(&seed))
}

/// A challenge for each name; a wildcard is proved by the record of the name below it.
fn challenges(certificate: &Value) -> Vec<Value> {
    let names = certificate.list("/spec/dnsNames").iter().filter_map(Value::as_str);
    names
        .map(|name| {
            let domain = name.trim_start_matches("*.");
            let of = format!("{}-{}", order_name(certificate), suffix(name));
            let url = format!("{SERVER}/challenge/{of}");
            let solver = json!({"dns01": {"route53": {}}});
            let spec = json!({"spec": {
                "authorizationURL": url, "url": url, "dnsName": domain, "wildcard": domain != name, "type": "DNS-01",
                "issuerRef": certificate["spec"]["issuerRef"], "key": "simulated", "token": "simulated", "solver": solver,
            }});
            object(CHALLENGE, certificate.namespace(), &of, spec)
        })
        .collect()
}
