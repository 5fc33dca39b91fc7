//! What cert-manager signs: Secrets of Certificates, by an authority in a Secret, by themselves, or by an ACME server.
//!
//! Source: <https://cert-manager.io/docs/usage/certificate/> (which keys and annotations a Secret gets, when it is
//! issued anew), <https://cert-manager.io/docs/configuration/ca/>, <https://cert-manager.io/docs/configuration/selfsigned/>;
//! reference/platform.md §2.3 and §2.4, G47.
//!
//! Invariants:
//! - A Secret that says it was made for what its Certificate asks is left alone, whatever became of the bytes in it: who
//!   overwrites them (the service CA, reference/serving.md G5) is not found out, and deleting the Secret issues anew.
//! - A Certificate that was issued stays Ready while its issuer is not.
//!
//! Left out: renewal, key algorithms, keystores, what certificates may be used for.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::acme;
use super::cert_manager::OPERANDS;
use super::kinds::{CERT_MANAGER, CERTIFICATE, CLUSTER_ISSUER, ISSUER, Kind, SECRET};
use super::object::{Read, object, owned_by};
use super::turn::{Turn, condition, observed};
use crate::certificates::{Pair, Wanted};

/// An ACME order takes a minute or two (reference/platform.md §2.3: 300 s at most).
const ACME_SECONDS: u64 = 60;
/// Whoever has the key signs at once.
const SIGNING_SECONDS: u64 = 2;
/// The life of a certificate that asks for none (<https://cert-manager.io/docs/usage/certificate/>).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(90 * 24 * 60 * 60);

pub(super) fn reconcile(turn: &mut Turn<'_>) {
    for certificate in turn.all(CERTIFICATE) {
        if !certificate.is_deleting() {
            issue(turn, &certificate);
        }
    }
}

/// Returns the Secret of an issuer that signs with one, if it is there: beside an Issuer, in cert-manager's namespace for a
/// ClusterIssuer.
pub(super) fn authority(turn: &Turn<'_>, kind: Kind, issuer: &Value) -> Option<Arc<Value>> {
    let namespace = match kind {
        ISSUER => issuer.namespace(),
        _ => OPERANDS,
    };
    let secret = turn.world.get(SECRET, namespace, issuer.text("/spec/ca/secretName"))?;
    Some(Arc::clone(secret)).filter(|secret| !secret.is_deleting())
}

fn issue(turn: &mut Turn<'_>, certificate: &Value) {
    let live = turn
        .world
        .get(SECRET, certificate.namespace(), certificate.text("/spec/secretName"))
        .cloned();
    if live.as_ref().is_some_and(|live| is_current(live, certificate)) {
        let ready = "Certificate is up to date and has not expired";
        say(turn, certificate, true, "Ready", ready);
        return;
    }
    let (kind, name) = match certificate.text("/spec/issuerRef/kind") {
        "ClusterIssuer" => (CLUSTER_ISSUER, certificate.text("/spec/issuerRef/name")),
        _ => (ISSUER, certificate.text("/spec/issuerRef/name")),
    };
    let namespace = if kind == ISSUER { certificate.namespace() } else { "" };
    let Some(issuer) = turn
        .world
        .get(kind, namespace, name)
        .filter(|issuer| issuer.is("Ready"))
        .cloned()
    else {
        say(
            turn,
            certificate,
            false,
            "DoesNotExist",
            &format!("issuer {name} is not ready"),
        );
        return;
    };
    let by_order = issuer.pointer("/spec/acme").is_some();
    let seconds = if by_order { ACME_SECONDS } else { SIGNING_SECONDS };
    if !turn.held(
        format!("issue {} {}", certificate.uid(), certificate["metadata"]["generation"]),
        seconds,
    ) {
        let why = "Issuing certificate as Secret does not exist";
        say(turn, certificate, false, "DoesNotExist", why);
        if by_order {
            acme::order(turn, certificate);
        }
        return;
    }
    if by_order && !acme::is_fulfilled(turn, certificate) {
        return;
    }
    match signed(turn, certificate, kind, &issuer) {
        Ok(data) => store(turn, certificate, live.as_deref(), &data),
        Err(cause) => say(
            turn,
            certificate,
            false,
            "Failed",
            &format!("The certificate request has failed: {cause}"),
        ),
    }
}

/// Returns whether a Secret says that it was made for what a Certificate asks.
fn is_current(secret: &Value, certificate: &Value) -> bool {
    let marks = marks(certificate);
    !secret.is_deleting()
        && ["tls.crt", "tls.key"]
            .iter()
            .all(|key| !secret["data"][key].as_str().unwrap_or_default().is_empty())
        && super::turn::map(&marks, "")
            .iter()
            .all(|(key, value)| secret.annotation(key) == value.as_str())
}

/// The annotations of a Secret: which Certificate, issuer and names it is for.
fn marks(certificate: &Value) -> Value {
    let joined = |pointer: &str| {
        let names: Vec<&str> = certificate.list(pointer).iter().filter_map(Value::as_str).collect();
        names.join(",")
    };
    let kind = match certificate.text("/spec/issuerRef/kind") {
        "" => "Issuer",
        kind => kind,
    };
    json!({
        "cert-manager.io/certificate-name": certificate.name(),
        "cert-manager.io/common-name": certificate.text("/spec/commonName"),
        "cert-manager.io/alt-names": joined("/spec/dnsNames"),
        "cert-manager.io/ip-sans": joined("/spec/ipAddresses"),
        "cert-manager.io/issuer-kind": kind,
        "cert-manager.io/issuer-name": certificate.text("/spec/issuerRef/name"),
    })
}

/// Signs what a Certificate asks for. Returns the data of its Secret.
fn signed(turn: &Turn<'_>, certificate: &Value, kind: Kind, issuer: &Value) -> Result<Value, rcgen::Error> {
    let names = ["/spec/dnsNames", "/spec/ipAddresses"];
    let names = names.iter().flat_map(|pointer| certificate.list(pointer));
    let wanted = Wanted {
        common_name: certificate.text("/spec/commonName").to_owned(),
        names: names.filter_map(Value::as_str).map(str::to_owned).collect(),
        is_authority: certificate.is_true("/spec/isCA"),
        from: turn.stamp.to_owned(),
        lifetime: lifetime(certificate.text("/spec/duration")).unwrap_or(DEFAULT_LIFETIME),
    };
    let with_authority = |pair: &Pair, authority: &str| {
        let mut data = pair.data("");
        data["ca.crt"] = json!(super::service_ca::encode(authority));
        data
    };
    if let Some(secret) = authority(turn, kind, issuer) {
        let authority = Pair::of_secret(&secret).ok_or(rcgen::Error::CouldNotParseCertificate)?;
        let pair = Pair::signed_by(&wanted, &authority)?;
        return Ok(with_authority(&pair, &authority.certificate));
    }
    if issuer.pointer("/spec/selfSigned").is_some() {
        let pair = Pair::self_signed(&wanted)?;
        return Ok(with_authority(&pair, &pair.certificate));
    }
    // A public authority is known to everybody: its Secrets have no `ca.crt`, and the key of its intermediate nobody has.
    let intermediate = Pair::self_signed(&Wanted {
        common_name: format!("simulated intermediate of {}", issuer.name()),
        names: Vec::new(),
        is_authority: true,
        ..wanted.clone()
    })?;
    Ok(Pair::signed_by(&wanted, &intermediate)?.data(&intermediate.certificate))
}

/// Reads a duration as Go writes it (`2160h`, `1h30m0s`), in whole units.
fn lifetime(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let factor = match after.chars().next()? {
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        seconds = seconds.checked_add(number.parse::<u64>().ok()?.checked_mul(factor)?)?;
        rest = &after[1..];
    }
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

fn store(turn: &mut Turn<'_>, certificate: &Value, live: Option<&Value>, data: &Value) {
    // The type of a Secret never changes: one that was there keeps its own.
    let kind = live.map_or("kubernetes.io/tls", |live| live.text("/type"));
    let secret = object(
        SECRET,
        certificate.namespace(),
        certificate.text("/spec/secretName"),
        json!({
            "metadata": {"labels": {"controller.cert-manager.io/fao": "true"}, "annotations": marks(certificate)},
            "type": kind, "data": data,
        }),
    );
    // `--enable-certificate-owner-ref` makes the Secret a child of the Certificate (G47).
    let owner = turn.world.get(CERT_MANAGER, "", "cluster").is_some_and(|manager| {
        manager
            .list("/spec/controllerConfig/overrideArgs")
            .iter()
            .any(|flag| flag == "--enable-certificate-owner-ref")
    });
    turn.ensure(SECRET, if owner { owned_by(secret, certificate) } else { secret });
}

fn say(turn: &mut Turn<'_>, certificate: &Value, ready: bool, reason: &str, why: &str) {
    let mut conditions = vec![observed(certificate, "Ready", ready, reason, why)];
    if !ready || !certificate.condition("Issuing").is_empty() {
        let reason = if ready { "Issued" } else { reason };
        conditions.push(condition("Issuing", !ready, reason, why));
    }
    turn.status(CERTIFICATE, certificate, json!({"conditions": conditions}));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_read_as_go_writes_it() {
        let hours = |hours: u64| Some(Duration::from_secs(hours * 3600));
        assert_eq!(lifetime("2160h"), hours(2160));
        assert_eq!(lifetime("87600h0m0s"), hours(87_600));
        assert_eq!(lifetime("1h30m"), Some(Duration::from_secs(5400)));
        for nothing in ["", "90d", "h", "5", "0s"] {
            assert_eq!(lifetime(nothing), None, "{nothing}");
        }
    }
}
