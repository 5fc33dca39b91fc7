//! What is kept of a certificate: whom it is for, until when, and whether it says who vouches for it.
//!
//! In: a Secret of type `kubernetes.io/tls`, as the cluster has it. Out: a [`Certificate`], and its form as a fact.
//!
//! Invariants:
//! - Only `tls.crt` is decoded; of `ca.crt` it is only asked whether there is one, and `tls.key` is never looked at.
//! - A fact and its [`Certificate`] are inverses: [`Certificate::to_fact`], [`Certificate::of_fact`].
//!
//! Deliberately absent: whether anybody trusts it. No signature is verified here and no authority is known by name.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use x509_parser::{extensions::GeneralName, pem::Pem, prelude::X509Certificate};

/// What is kept of the first certificate of a chain, which is the one that a server presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The DNS names that it is for, as they are written: `*.apps.example.com`. What stands only in its common name is
    /// not among them: no client looks there (<https://www.rfc-editor.org/rfc/rfc9110#section-4.3.4>).
    pub names: Vec<String>,
    /// When it expires, in seconds since 1970.
    pub expires: i64,
    /// Who vouches for it.
    pub issuer: Issuer,
}

/// Who vouches for a certificate, as far as it can be told without knowing any authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// Nobody else: it is signed by itself.
    Itself,
    /// An authority that comes along: as `ca.crt`, which cert-manager writes for the authorities of a cluster and not for
    /// Let's Encrypt (<https://cert-manager.io/docs/usage/certificate/#target-secret>), or as a root at the end of the
    /// chain, which the default certificate of a router has
    /// (<https://github.com/openshift/library-go/blob/master/pkg/crypto/crypto.go>, `MakeServerCert`).
    Along,
    /// An authority that has to be known already.
    Known,
}

impl Issuer {
    const ALL: [Self; 3] = [Self::Itself, Self::Along, Self::Known];

    /// The word of a fact.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Itself => "itself",
            Self::Along => "along",
            Self::Known => "known",
        }
    }
}

impl Certificate {
    /// Reads the certificate in a Secret; nothing where its text is no certificate.
    pub(super) fn of_secret(secret: &Value) -> Option<Self> {
        let data = &secret["data"];
        let text = STANDARD.decode(data["tls.crt"].as_str()?).ok()?;
        let chain: Vec<Pem> = Pem::iter_from_buffer(&text)
            .map_while(Result::ok)
            .filter(|pem| pem.label == "CERTIFICATE")
            .collect();
        let first = chain.first()?.parse_x509().ok()?;
        let has_root = || {
            chain
                .iter()
                .filter_map(|pem| pem.parse_x509().ok())
                .any(|one| is_root(&one))
        };
        let has_authority = data["ca.crt"].as_str().is_some_and(|text| !text.is_empty());
        let issuer = if is_root(&first) {
            Issuer::Itself
        } else if has_authority || has_root() {
            Issuer::Along
        } else {
            Issuer::Known
        };
        Some(Self {
            names: names(&first),
            expires: first.validity().not_after.timestamp(),
            issuer,
        })
    }

    /// The form that a fact holds.
    pub(super) fn to_fact(&self) -> Value {
        let Self { names, expires, issuer } = self;
        json!({"names": names, "expires": expires, "issuer": issuer.as_str()})
    }

    /// Reads the form that a fact holds; nothing where the text was no certificate.
    pub fn of_fact(fact: &Value) -> Option<Self> {
        let names = fact["names"].as_array()?.iter().filter_map(Value::as_str);
        let word = fact["issuer"].as_str()?;
        Some(Self {
            names: names.map(str::to_owned).collect(),
            expires: fact["expires"].as_i64()?,
            issuer: Issuer::ALL.into_iter().find(|issuer| issuer.as_str() == word)?,
        })
    }

    /// Whether clients take it for that host: by its very name, or by a `*` that stands for the first label, and for no
    /// more than one (<https://www.rfc-editor.org/rfc/rfc6125#section-6.4.3>).
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        let rest = host.split_once('.').map(|(_, rest)| rest);
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(domain) => rest.is_some_and(|rest| rest.eq_ignore_ascii_case(domain)),
            None => name.eq_ignore_ascii_case(host),
        })
    }
}

/// Whether nobody else signed it, by the names alone.
fn is_root(certificate: &X509Certificate<'_>) -> bool {
    certificate.issuer().as_raw() == certificate.subject().as_raw()
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let extension = certificate.subject_alternative_name().ok().flatten();
    let names = extension.iter().flat_map(|names| &names.value.general_names);
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

    const HOST: &str = "maas.apps.example.com";

    fn params(name: &str, names: &[&str]) -> CertificateParams {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("DNS names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2030, 1, 1);
        params
    }

    fn secret(chain: &str, authority: Option<&str>) -> Value {
        let mut secret = json!({"data": {"tls.crt": STANDARD.encode(chain), "tls.key": "bm90IGxvb2tlZCBhdA=="}});
        if let Some(authority) = authority {
            secret["data"]["ca.crt"] = json!(STANDARD.encode(authority));
        }
        secret
    }

    /// A certificate for these names, and that of the authority which signed it.
    fn signed(names: &[&str]) -> (String, String) {
        let mut root = params("a root", &[]);
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(root, KeyPair::generate().expect("a key")).expect("a root");
        let key = KeyPair::generate().expect("a key");
        let leaf = params("a server", names).signed_by(&key, &root).expect("a certificate");
        (leaf.pem(), root.pem())
    }

    fn kept(secret: &Value) -> Certificate {
        let certificate = Certificate::of_secret(secret).expect("a certificate");
        assert_eq!(
            Certificate::of_fact(&certificate.to_fact()).as_ref(),
            Some(&certificate)
        );
        certificate
    }

    #[test]
    fn names_and_expiry_are_kept_and_nothing_of_the_key() {
        let (leaf, _) = signed(&["apps.example.com", "*.apps.example.com"]);
        let fact = kept(&secret(&leaf, None)).to_fact();
        assert_eq!(
            fact,
            json!({"names": ["apps.example.com", "*.apps.example.com"], "expires": 1_893_456_000, "issuer": "known"})
        );
    }

    #[test]
    fn an_authority_of_the_cluster_is_told_by_what_comes_along() {
        let (leaf, root) = signed(&[HOST]);
        let issuer = |chain: &str, authority| kept(&secret(chain, authority)).issuer;
        assert_eq!(issuer(&leaf, None), Issuer::Known);
        assert_eq!(issuer(&leaf, Some("")), Issuer::Known);
        assert_eq!(issuer(&leaf, Some(&root)), Issuer::Along);
        assert_eq!(issuer(&format!("{leaf}{root}"), None), Issuer::Along);
        let key = KeyPair::generate().expect("a key");
        let alone = params("alone", &[HOST]).self_signed(&key).expect("a certificate");
        assert_eq!(issuer(&alone.pem(), None), Issuer::Itself);
    }

    #[test]
    fn a_star_stands_for_one_label() {
        let covers = |name: &str, host: &str| {
            let (names, issuer) = (vec![name.to_owned()], Issuer::Known);
            let certificate = Certificate {
                names,
                expires: 0,
                issuer,
            };
            certificate.covers(host)
        };
        assert!(covers("*.apps.example.com", HOST));
        assert!(covers("*.Apps.Example.com", HOST));
        assert!(covers(HOST, HOST));
        assert!(!covers("*.example.com", HOST));
        assert!(!covers("*.apps.example.com", "apps.example.com"));
        assert!(!covers("apps.example.com", HOST));
        assert!(!covers("*", "com"));
    }

    #[test]
    fn what_is_no_certificate_is_told_apart_from_one() {
        let garbage = "-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";
        let key = KeyPair::generate().expect("a key").serialize_pem();
        for text in ["", "no PEM", garbage, &key] {
            assert_eq!(Certificate::of_secret(&secret(text, None)), None, "{text}");
        }
        assert_eq!(Certificate::of_secret(&json!({"data": {"ca.crt": "eA=="}})), None);
        assert_eq!(Certificate::of_fact(&json!({})), None);
    }
}
