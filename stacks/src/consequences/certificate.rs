//! Certificate of cert-manager: issued anew when what it says of itself changes, and renewed by nobody once it is gone.
//!
//! Facts: <https://cert-manager.io/docs/usage/certificate/> (issuance triggers; the Secret of a Certificate that goes stays,
//! and is not renewed), <https://cert-manager.io/docs/faq/#when-do-certs-get-re-issued> (which fields).

use super::{
    is_part_to_come,
    words::{disruption, listed, made_again, notice},
    world::{World, texts},
};
use serde_json::Value;
use stackctl_engine::{plan::Transition, resource::Consequence};

/// What a request for it is made of; `renewBefore` and its like only say when the next one is made.
const OF_THE_REQUEST: [&str; 12] = [
    "commonName",
    "dnsNames",
    "duration",
    "emailAddresses",
    "ipAddresses",
    "isCA",
    "issuerRef",
    "literalSubject",
    "privateKey",
    "subject",
    "uris",
    "usages",
];

pub(super) fn consequences(_: &World<'_>, transition: &Transition) -> Vec<Consequence> {
    let Some(before) = transition.before.as_ref().filter(|_| !is_part_to_come(transition)) else {
        return Vec::new();
    };
    let name = &transition.object.name;
    let Some(after) = &transition.after else {
        return vec![disruption(format!(
            "stops renewing certificate {name}{}: Secret {} ends when it expires",
            hosts(before),
            secret(before)
        ))];
    };
    let again = transition.is_made_again().then(|| {
        disruption(format!(
            "{}: Secret {} stays with what is in it, unless cert-manager is told to delete Secrets too",
            made_again(&format!("certificate {name}{}", hosts(before))),
            secret(before)
        ))
    });
    let mut told = Vec::from_iter(again);
    told.extend(issued(name, before, after));
    told
}

/// That it is issued anew, if it is.
fn issued(name: &str, before: &Value, after: &Value) -> Option<Consequence> {
    let (old, new) = (&before["spec"], &after["spec"]);
    if secret(before) != secret(after) {
        return Some(disruption(format!(
            "issues certificate {name}{} into Secret {}: who reads {} gets no renewal any more",
            hosts(after),
            secret(after),
            secret(before)
        )));
    }
    let issuer = |spec: &Value| spec["issuerRef"]["name"].as_str().unwrap_or_default().to_owned();
    if issuer(old) != issuer(new) {
        return Some(disruption(format!(
            "re-issues certificate {name}{} by {} instead of {}: clients have to trust that one",
            hosts(after),
            issuer(new),
            issuer(old)
        )));
    }
    let differs = OF_THE_REQUEST.iter().any(|field| old.get(field) != new.get(field));
    differs.then(|| {
        notice(format!(
            "re-issues certificate {name}{} by {}",
            hosts(after),
            issuer(new)
        ))
    })
}

fn secret(certificate: &Value) -> &str {
    certificate["spec"]["secretName"].as_str().unwrap_or_default()
}

/// ` of a.example.com and b.example.com`
fn hosts(certificate: &Value) -> String {
    const MOST: usize = 4;
    let names: Vec<_> = texts(&certificate["spec"]["dnsNames"]).into_iter().collect();
    match names.len() {
        0 => String::new(),
        count if count <= MOST => format!(" of {}", listed(&names)),
        count => format!(" of {} and {} more hosts", names[..MOST].join(", "), count - MOST),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{gone, kept, made, table, turned, with};
    use serde_json::{Value, json};

    fn certificate() -> Value {
        json!({
            "apiVersion": "cert-manager.io/v1",
            "kind": "Certificate",
            "metadata": {"name": "ingress", "namespace": "openshift-ingress"},
            "spec": {"secretName": "ingress-certs", "dnsNames": ["maas.apps.example.com"],
                "issuerRef": {"kind": "ClusterIssuer", "name": "letsencrypt"}},
        })
    }

    #[test]
    fn a_certificate_that_is_issued_anew_is_told_with_its_hosts() {
        let names = json!(["a.b", "c.d"]);
        let cases = [
            (
                "other hosts",
                vec![turned(certificate(), with(certificate(), "spec.dnsNames", names))],
            ),
            (
                "another issuer",
                vec![turned(
                    certificate(),
                    with(certificate(), "spec.issuerRef.name", json!("local-ca")),
                )],
            ),
            (
                "another Secret",
                vec![turned(
                    certificate(),
                    with(certificate(), "spec.secretName", json!("new")),
                )],
            ),
            (
                "another time",
                vec![turned(
                    certificate(),
                    with(certificate(), "spec.renewBefore", json!("1h")),
                )],
            ),
            ("gone", vec![gone(certificate())]),
            ("made", vec![made(certificate())]),
            ("kept", vec![kept(certificate())]),
        ];
        insta::assert_snapshot!(table(&cases), @r"
        # other hosts
        notice: re-issues certificate ingress of a.b and c.d by letsencrypt
        # another issuer
        disruption: re-issues certificate ingress of maas.apps.example.com by local-ca instead of letsencrypt: clients have to trust that one
        # another Secret
        disruption: issues certificate ingress of maas.apps.example.com into Secret new: who reads ingress-certs gets no renewal any more
        # another time
        nothing
        # gone
        disruption: stops renewing certificate ingress of maas.apps.example.com: Secret ingress-certs ends when it expires
        # made
        nothing
        # kept
        nothing
        ");
    }
}
