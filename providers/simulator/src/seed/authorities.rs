//! The authorities of the platform, and the certificate that one of them signed: what the default router presents.
//!
//! Source: `reference/platform.md` §1 (`router-certs-default`),
//! <https://docs.redhat.com/en/documentation/openshift_container_platform/4.21/html/security_and_compliance/certificate-types-and-descriptions>
//! (the ingress operator's `router-ca` and its bundle `default-ingress-cert`, the service CA's `signing-key`).

use std::time::Duration;

use serde_json::{Value, json};

use super::object::namespaced;
use super::{BASE_DOMAIN, SeedError};
use crate::certificates::{Pair, Wanted};

const TWO_YEARS: Duration = Duration::from_secs(2 * 365 * 24 * 60 * 60);

/// The objects, with certificates that are valid from `now` on, a time as Kubernetes writes it.
///
/// # Errors
/// When a certificate cannot be made.
pub(super) fn objects(now: &str) -> Result<[Value; 4], SeedError> {
    let wanted = |common_name: &str, names: Vec<String>, is_authority: bool| Wanted {
        common_name: common_name.to_owned(),
        names,
        is_authority,
        from: now.to_owned(),
        lifetime: TWO_YEARS,
    };
    let apps = format!("*.apps.{BASE_DOMAIN}");
    let made = || {
        let ingress = Pair::self_signed(&wanted("ingress-operator", Vec::new(), true))?;
        let presented = Pair::signed_by(&wanted(&apps, vec![apps.clone()], false), &ingress)?;
        let services = Pair::self_signed(&wanted("openshift-service-serving-signer", Vec::new(), true))?;
        Ok([ingress, presented, services])
    };
    let [ingress, presented, services] = made().map_err(|cause: rcgen::Error| SeedError::Malformed {
        object: "Secret openshift-ingress/router-certs-default".to_owned(),
        why: cause.to_string(),
    })?;
    let tls = |namespace, name, data: Value| {
        let rest = json!({"type": "kubernetes.io/tls", "data": data});
        namespaced("v1", "Secret", namespace, name, rest)
    };
    Ok([
        tls("openshift-ingress-operator", "router-ca", ingress.data("")),
        tls(
            "openshift-ingress",
            "router-certs-default",
            presented.data(&ingress.certificate),
        ),
        namespaced(
            "v1",
            "ConfigMap",
            "openshift-config-managed",
            "default-ingress-cert",
            json!({"data": {"ca-bundle.crt": ingress.certificate}}),
        ),
        tls("openshift-service-ca", "signing-key", services.data("")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificates::names_in;

    #[test]
    fn the_router_presents_a_certificate_for_every_application() {
        let [_, presented, ..] = objects("2026-11-02T08:00:00Z").expect("certificates");
        let apps = format!("*.apps.{BASE_DOMAIN}");
        assert_eq!(names_in(&presented, "tls.crt"), Some(vec![apps]));
    }
}
