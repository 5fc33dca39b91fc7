//! Certificates that any client can read: X.509, signed, for the names that were asked for.
//!
//! In: what a certificate is to say, and who signs it. Out: PEM, as Secrets of type `kubernetes.io/tls` hold it.
//!
//! Invariants:
//! - The key of a [`Pair`] is the key of its certificate.
//! - What Secrets hold protects nothing of value: the cluster is simulated. The authority of the API server is not among
//!   them (`credentials`).
//!
//! Deliberately absent: requests, revocation, other keys than ECDSA P-256.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use k8s_openapi::jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, DnType, Error, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::{Value, json};
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;

/// The certificate of an authority whose key nobody has: it stands for what a cluster trusts from its installation.
pub(crate) const TRUSTED: &str = include_str!("certificates/trusted.pem");

/// The longest life that is given: a wish beyond it is met by this.
const LONGEST: Duration = Duration::from_secs(1000 * 365 * 24 * 60 * 60);

/// What a certificate is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) common_name: String,
    /// Host names, wildcards included, and addresses: its subject alternative names.
    pub(crate) names: Vec<String>,
    /// Whether it may sign others.
    pub(crate) is_authority: bool,
    /// From when it is valid, as Kubernetes writes times.
    pub(crate) from: String,
    pub(crate) lifetime: Duration,
}

/// A certificate and its key, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Pair {
    /// Makes a certificate that its own key signs.
    ///
    /// # Errors
    /// When a name is none that a certificate can hold.
    pub(crate) fn self_signed(wanted: &Wanted) -> Result<Self, Error> {
        let key = KeyPair::generate()?;
        let certificate = parameters(wanted)?.self_signed(&key)?;
        Ok(Self {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }

    /// Makes a certificate that an authority signs.
    ///
    /// # Errors
    /// When a name is none that a certificate can hold, or the authority's certificate or key cannot be read.
    pub(crate) fn signed_by(wanted: &Wanted, authority: &Self) -> Result<Self, Error> {
        let issuer = Issuer::from_ca_cert_pem(&authority.certificate, KeyPair::from_pem(&authority.key)?)?;
        let key = KeyPair::generate()?;
        let certificate = parameters(wanted)?.signed_by(&key, &issuer)?;
        Ok(Self {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }

    /// Reads the pair of a Secret; none if it has not both, as text.
    pub(crate) fn of_secret(secret: &Value) -> Option<Self> {
        Some(Self {
            certificate: decoded(secret, "tls.crt")?,
            key: decoded(secret, "tls.key")?,
        })
    }

    /// Returns the data of a Secret of type `kubernetes.io/tls`, with the certificates of `chain` behind its own.
    pub(crate) fn data(&self, chain: &str) -> Value {
        json!({
            "tls.crt": STANDARD.encode(format!("{}{chain}", self.certificate)),
            "tls.key": STANDARD.encode(&self.key),
        })
    }
}

fn parameters(wanted: &Wanted) -> Result<CertificateParams, Error> {
    let mut parameters = CertificateParams::new(wanted.names.clone())?;
    if !wanted.common_name.is_empty() {
        parameters
            .distinguished_name
            .push(DnType::CommonName, wanted.common_name.as_str());
    }
    if wanted.is_authority {
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    }
    let seconds = wanted
        .from
        .parse::<Timestamp>()
        .map_or(0, |from| from.as_second().unsigned_abs());
    parameters.not_before = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
    parameters.not_after = parameters.not_before + wanted.lifetime.min(LONGEST);
    parameters.use_authority_key_identifier_extension = true;
    Ok(parameters)
}

fn decoded(secret: &Value, key: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(secret["data"][key].as_str()?).ok()?).ok()
}

/// Returns the names that the first certificate of a Secret's key is for; none if it holds no certificate.
pub(crate) fn names_in(secret: &Value, key: &str) -> Option<Vec<String>> {
    let text = decoded(secret, key)?;
    let pem = Pem::iter_from_buffer(text.as_bytes()).next()?.ok()?;
    let certificate = pem.parse_x509().ok()?;
    let names = certificate.subject_alternative_name().ok()?;
    let names = names.map_or(&[] as &[_], |names| &names.value.general_names);
    let texts = names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes),
        _ => None,
    });
    Some(texts.collect())
}

fn address(bytes: &[u8]) -> Option<String> {
    let four = <[u8; 4]>::try_from(bytes).map(|bytes| std::net::IpAddr::from(bytes).to_string());
    let sixteen = || <[u8; 16]>::try_from(bytes).map(|bytes| std::net::IpAddr::from(bytes).to_string());
    four.or_else(|_| sixteen()).ok()
}

/// Returns whether a Secret's `tls.crt` is a certificate that may sign others.
pub(crate) fn is_authority(secret: &Value) -> bool {
    let Some(text) = decoded(secret, "tls.crt") else {
        return false;
    };
    let Some(Ok(pem)) = Pem::iter_from_buffer(text.as_bytes()).next() else {
        return false;
    };
    pem.parse_x509().is_ok_and(|certificate| certificate.is_ca())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(names: &[&str], is_authority: bool) -> Wanted {
        Wanted {
            common_name: "a name".to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            is_authority,
            from: "2026-01-01T00:00:00Z".to_owned(),
            lifetime: Duration::from_secs(3600),
        }
    }

    fn secret(pair: &Pair) -> Value {
        json!({"data": pair.data("")})
    }

    #[test]
    fn a_certificate_is_for_the_names_that_were_asked_for() {
        let asked = ["*.apps.example.com", "inference.example.com", "192.0.2.7", "fd00::1"];
        let pair = Pair::self_signed(&wanted(&asked, false)).expect("a certificate");
        assert_eq!(
            names_in(&secret(&pair), "tls.crt"),
            Some(asked.map(str::to_owned).into())
        );
        assert_eq!(Pair::of_secret(&secret(&pair)), Some(pair.clone()));
        assert!(!is_authority(&secret(&pair)));
        assert!(pair.key.starts_with("-----BEGIN PRIVATE KEY-----"));
    }

    #[test]
    fn an_authority_signs_and_its_signature_is_its_own() {
        let authority = Pair::self_signed(&wanted(&[], true)).expect("an authority");
        assert!(is_authority(&secret(&authority)));
        let pair = Pair::signed_by(&wanted(&["a.example.com"], false), &authority).expect("a certificate");
        let parse = |text: &str| {
            let pem = Pem::iter_from_buffer(text.as_bytes()).next().expect("a block");
            pem.expect("PEM").contents
        };
        let (leaf, root) = (parse(&pair.certificate), parse(&authority.certificate));
        let read = |der| x509_parser::parse_x509_certificate(der).expect("a certificate").1;
        assert_eq!(read(&leaf).issuer(), read(&root).subject());
        assert!(read(&leaf).verify_signature(Some(read(&root).public_key())).is_ok());
        assert_eq!(read(&leaf).validity().not_before.timestamp(), 1_767_225_600);
        assert_eq!(read(&leaf).validity().not_after.timestamp(), 1_767_229_200);
    }

    #[test]
    fn what_is_no_certificate_has_no_names() {
        let text = |text: &str| json!({"data": {"tls.crt": STANDARD.encode(text)}});
        assert_eq!(names_in(&text("x"), "tls.crt"), None);
        assert_eq!(names_in(&json!({}), "tls.crt"), None);
        assert!(!is_authority(&text("x")));
        let trusted = json!({"data": {"tls.crt": STANDARD.encode(TRUSTED)}});
        assert!(
            is_authority(&trusted),
            "the one that stands for what the cluster trusts"
        );
    }

    #[test]
    fn a_name_that_no_certificate_can_hold_is_an_error() {
        assert!(Pair::self_signed(&wanted(&["übel.example.com"], false)).is_err());
    }
}
