//! The check of the certificates that the gateways present.
//!
//! Rows G4, G5, P12, P13 and P18 of `reference/serving.md` §5.

use super::{Evidence, Outcome, Reading, Unread, counted};
use crate::{
    cluster_facts::{Certificate, FactRead, FactRequest, Issuer, Take, key, makes_certificates, request, tls_secret},
    components::{gateway_hosts, names::INGRESS},
    stack::{GatewayTls, OpenShift, Tls},
};
use stackctl_engine::{
    ObjectRef,
    facts::{Fact, Holding},
};
use std::collections::BTreeMap;

/// How the keys of facts about certificates begin.
pub(super) const CERTIFICATE: &str = "gateway.certificate";

const DAY: i64 = 86_400;
/// How near its end a certificate is doubtful: cert-manager renews one of Let's Encrypt 30 days before.
const SOON: i64 = 7 * DAY;

/// A certificate that gateways of the stack present.
struct Presented {
    /// Its Secret in the namespace of the gateways.
    secret: String,
    /// The hosts that it has to be for.
    hosts: Vec<String>,
    /// Whether it is that of the platform.
    is_platforms: bool,
    /// Whether the stack makes it.
    is_made: bool,
}

impl Presented {
    fn key(&self) -> String {
        match self.is_platforms {
            true => CERTIFICATE.to_owned(),
            false => format!("{CERTIFICATE}[{}]", self.secret),
        }
    }
}

/// Whether the stack has gateways that present the certificate of the platform.
pub(super) fn is_presented(stack: &OpenShift) -> bool {
    gateway_hosts(stack, "")
        .iter()
        .any(|(_, tls)| **tls == GatewayTls::Platform)
}

/// The certificates that gateways present, each once; a generated one is for its host by making, and needs no look.
fn presented(stack: &OpenShift, domain: &str, router: Option<&str>) -> Vec<Presented> {
    let mut all: Vec<Presented> = Vec::new();
    for (host, tls) in gateway_hosts(stack, domain) {
        let (secret, is_made) = match tls {
            GatewayTls::Platform => (tls_secret(&stack.tls, router).to_owned(), makes_certificates(stack)),
            GatewayTls::Secret(secret) => (secret.to_string(), false),
            GatewayTls::Generated { .. } | GatewayTls::Plain => continue,
        };
        let is_platforms = *tls == GatewayTls::Platform;
        match all.iter_mut().find(|one| one.secret == secret) {
            Some(one) => one.hosts.push(host),
            None => all.push(Presented {
                secret,
                hosts: vec![host],
                is_platforms,
                is_made,
            }),
        }
    }
    all
}

/// The facts about the certificates that gateways present, as far as it is known which Secrets those are.
pub(super) fn facts(stack: &OpenShift, facts: &BTreeMap<String, Reading<Fact>>) -> Vec<FactRequest> {
    let router = match facts.get(key::ROUTER_CERTIFICATE) {
        Some(Ok(fact)) => fact.value.as_str().filter(|name| !name.is_empty()),
        Some(Err(_)) => return Vec::new(),
        None => None,
    };
    let ask = |one: Presented| FactRequest {
        take: Take::Certificate,
        ..request(
            &one.key(),
            FactRead::Object(ObjectRef::namespaced("v1", "Secret", INGRESS, &one.secret)),
            r#"data["tls.crt"], names and expiry only"#,
            Holding::Live,
        )
    };
    presented(stack, "", router).into_iter().map(ask).collect()
}

/// What is doubtful about a certificate, and what to do.
struct Doubt {
    found: String,
    remedy: String,
    /// Whether clients or the gateway refuse it.
    is_refused: bool,
}

/// Each certificate is for the hosts of the gateways that present it, and those who call them from inside trust it.
pub(super) fn gateway_certificate(stack: &OpenShift, evidence: &Evidence) -> Reading<Outcome> {
    let (domain, domain_source) = evidence.text(key::APPS_DOMAIN)?;
    if gateway_hosts(stack, "").is_empty() {
        return Ok(Outcome::pass("the stack has no gateway", "the stack"));
    }
    let Some(domain) = domain else {
        return Err(Unread {
            source: domain_source.to_owned(),
            why: "without it the hosts of the gateways are not known".to_owned(),
        });
    };
    let router = match &stack.tls {
        Tls::Existing { secret: None } if is_presented(stack) => evidence.text(key::ROUTER_CERTIFICATE)?.0,
        Tls::Existing { .. } | Tls::LetsEncrypt { .. } | Tls::LocalCa { .. } => None,
    };
    let mut worst: Option<Outcome> = None;
    for one in presented(stack, domain, router) {
        let outcome = of_secret(stack, evidence, &one)?;
        worst = Some(match worst {
            None => outcome,
            Some(before) => before.and(outcome),
        });
    }
    Ok(worst.unwrap_or_else(|| {
        let found = "the gateways present certificates that the stack makes for them, or none";
        Outcome::pass(found, "the stack")
    }))
}

fn of_secret(stack: &OpenShift, evidence: &Evidence, one: &Presented) -> Reading<Outcome> {
    let secret = format!("{INGRESS}/{}", one.secret);
    let (hosts, is_made) = (one.hosts.as_slice(), one.is_made);
    let (value, source) = evidence.fact(&one.key())?;
    if value.is_null() {
        return Ok(if is_made {
            let found = format!(
                "not there yet: the stack makes Secret {secret} for {}",
                hosts.join(", ")
            );
            Outcome::pass(found, source)
        } else {
            let remedy = "put it there (`tls.crt`, `tls.key`), name another one, or let the stack make one: \
                          `issuer = \"local-ca\"`, on AWS \"letsencrypt\"";
            Outcome::fail(format!("Secret {secret} is not there"), source, remedy)
        });
    }
    let doubts = match Certificate::of_fact(value) {
        None => vec![Doubt {
            found: "its `tls.crt` is no certificate".to_owned(),
            remedy: format!("put a certificate for {} there", hosts.join(" and ")),
            is_refused: true,
        }],
        Some(certificate) => doubts(stack, &certificate, hosts, evidence.now),
    };
    if doubts.is_empty() {
        return Ok(Outcome::pass(
            format!("Secret {secret} is for {}", hosts.join(", ")),
            source,
        ));
    }
    let is_refused = doubts.iter().any(|doubt| doubt.is_refused);
    let (found, remedies): (Vec<_>, Vec<_>) = doubts.into_iter().map(|doubt| (doubt.found, doubt.remedy)).unzip();
    let found = format!("Secret {secret}: {}", found.join("; "));
    Ok(if is_refused && is_made {
        // It compares the Secret with its Certificate: https://cert-manager.io/docs/usage/certificate/
        let remedy = format!(
            "cert-manager issues it anew once the stack has asked for it; if it stays so, `oc delete secret -n {}`",
            secret.replace('/', " ")
        );
        Outcome::warn(found, source, remedy)
    } else if is_refused {
        Outcome::fail(found, source, remedies.join("; "))
    } else {
        Outcome::warn(found, source, remedies.join("; "))
    })
}

fn doubts(stack: &OpenShift, certificate: &Certificate, hosts: &[String], now: i64) -> Vec<Doubt> {
    let doubts = [
        uncovered(certificate, hosts),
        expiry(certificate, now),
        distrust(stack, certificate),
    ];
    doubts.into_iter().flatten().collect()
}

/// Hosts that it is not for (rows G5, P12, P18).
fn uncovered(certificate: &Certificate, hosts: &[String]) -> Option<Doubt> {
    let missing: Vec<_> = hosts
        .iter()
        .filter(|host| !certificate.covers(host))
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return None;
    }
    let names = match certificate.names.as_slice() {
        [] => "no name".to_owned(),
        names => names.join(", "),
    };
    // What the service CA writes is for the names of a Service (row G5).
    let is_of_a_service = |name: &String| name.ends_with(".svc") || name.ends_with(".svc.cluster.local");
    let overwritten = !certificate.names.is_empty() && certificate.names.iter().all(is_of_a_service);
    let remedy = if overwritten {
        "the service CA wrote it: take the annotation service.beta.openshift.io/serving-cert-secret-name off the Service \
         that names this Secret, and put the former certificate back; or name another in `[tls] secret`"
    } else {
        "name a Secret in `[tls] secret` whose certificate is for these hosts, or for `*.` and the apps domain: \
         router-certs-default is, unless it was replaced"
    };
    Some(Doubt {
        found: format!("it is for {names}, and not for {}", missing.join(", ")),
        remedy: remedy.to_owned(),
        is_refused: true,
    })
}

fn expiry(certificate: &Certificate, now: i64) -> Option<Doubt> {
    let left = certificate.expires - now;
    let days = |seconds: i64| match usize::try_from(seconds / DAY) {
        Ok(0) | Err(_) => "less than a day".to_owned(),
        Ok(days) => counted(days, "day"),
    };
    let found = if left <= 0 {
        format!("it expired {} ago", days(-left))
    } else if left <= SOON {
        format!("it expires in {}", days(left))
    } else {
        return None;
    };
    Some(Doubt {
        found,
        remedy: "renew it: gateways present what the Secret holds".to_owned(),
        is_refused: left <= 0,
    })
}

/// The dashboard calls the gateway of MaaS and verifies its certificate (row P13).
fn distrust(stack: &OpenShift, certificate: &Certificate) -> Option<Doubt> {
    let who = match certificate.issuer {
        Issuer::Itself => "it is signed by itself",
        Issuer::Along => "it is signed by an authority that it brings along",
        Issuer::Known => return None,
    };
    if stack.maas.is_none() || trusts_an_authority(stack) {
        return None;
    }
    Some(Doubt {
        found: format!("{who}: the dashboard's pages of API keys answer 500 unless the cluster trusts it"),
        remedy: "see that the ConfigMap which Proxy cluster names in `trustedCA` has that authority, and restart the \
                 dashboard; or take `issuer = \"local-ca\"`, whose authority the stack makes known, or name yours in `[tls] trusted_ca`"
            .to_owned(),
        is_refused: false,
    })
}

/// Whether the stack makes an authority known to the cluster.
fn trusts_an_authority(stack: &OpenShift) -> bool {
    stack.trusted_ca.is_some() || matches!(stack.tls, Tls::LocalCa { .. })
}
