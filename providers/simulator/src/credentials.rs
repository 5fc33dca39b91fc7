//! What a directory keeps so that its cluster is known again, and knows its administrator again: a certificate authority
//! and a token.
//!
//! Invariants:
//! - Both are made once for each directory; a kubeconfig stays good after a restart.
//! - Keys and tokens are in files that only their owner reads, and in no `Debug`.

use std::fmt;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};

use crate::SimulatorError;
use crate::apiserver::{ServingCertificate, Token};
use crate::certificates::{Pair, Wanted};
use crate::private_file::write_private;

const AUTHORITY: &str = "ca.crt";
const AUTHORITY_KEY: &str = "ca.key";
const ADMINISTRATOR: &str = "admin.token";

/// The life of what is signed here; clocks may differ by a day.
const LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
const CLOCKS_DIFFER_BY: Duration = Duration::from_secs(24 * 60 * 60);

/// The names that clients of an API server call it by, in the cluster and on this machine.
const NAMES: [&str; 5] = [
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// The authority and the administrator of one directory.
pub(crate) struct Credentials {
    authority: Pair,
    administrator: Token,
}

impl Credentials {
    /// Reads what a directory keeps, and makes what it does not keep yet.
    pub(crate) fn of(dir: &Path) -> Result<Self, SimulatorError> {
        let failed = |cause| SimulatorError::Directory {
            path: dir.to_owned(),
            cause,
        };
        Ok(Self {
            authority: authority(dir).map_err(failed)?,
            administrator: administrator(dir).map_err(failed)?,
        })
    }

    /// The certificate of the authority, as PEM.
    pub(crate) fn authority(&self) -> &str {
        &self.authority.certificate
    }

    pub(crate) fn administrator(&self) -> &Token {
        &self.administrator
    }

    /// Signs a certificate for a server that listens on this address.
    pub(crate) fn serving(&self, listens_on: IpAddr) -> Result<ServingCertificate, SimulatorError> {
        let mut names: Vec<String> = NAMES.map(str::to_owned).into();
        let addresses = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
        names.extend(addresses.map(|address| address.to_string()));
        if listens_on.is_unspecified() {
            names.push(rustix::system::uname().nodename().to_string_lossy().into_owned());
        } else if !addresses.contains(&listens_on) {
            names.push(listens_on.to_string());
        }
        let wanted = wanted("kube-apiserver", names, false);
        let pair = Pair::signed_by(&wanted, &self.authority).map_err(SimulatorError::Certificate)?;
        Ok(ServingCertificate {
            certificate: pair.certificate,
            key: pair.key,
            authority: self.authority.certificate.clone(),
        })
    }

    /// The way to a server that serves with this authority, for the bearer of a token.
    pub(crate) fn config(&self, url: &http::Uri, token: &Token) -> kube::Config {
        let mut config = kube::Config::new(url.clone());
        let authority = CertificateDer::pem_slice_iter(self.authority.certificate.as_bytes()).filter_map(Result::ok);
        config.root_cert = Some(authority.map(|certificate| certificate.to_vec()).collect());
        config.auth_info.token = Some(token.reveal().to_owned().into());
        config
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").finish_non_exhaustive()
    }
}

fn wanted(common_name: &str, names: Vec<String>, is_authority: bool) -> Wanted {
    let from = Timestamp::now()
        .checked_sub(CLOCKS_DIFFER_BY)
        .unwrap_or(Timestamp::UNIX_EPOCH);
    Wanted {
        common_name: common_name.to_owned(),
        names,
        is_authority,
        from: from.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        lifetime: LIFETIME,
    }
}

fn authority(dir: &Path) -> io::Result<Pair> {
    let (certificate, key) = (dir.join(AUTHORITY), dir.join(AUTHORITY_KEY));
    if let (Some(certificate), Some(key)) = (read(&certificate)?, read(&key)?) {
        return Ok(Pair { certificate, key });
    }
    let pair = Pair::self_signed(&wanted("simulated-cluster-ca", Vec::new(), true)).map_err(io::Error::other)?;
    write_private(&key, &pair.key)?;
    write_private(&certificate, &pair.certificate)?;
    Ok(pair)
}

fn administrator(dir: &Path) -> io::Result<Token> {
    let path = dir.join(ADMINISTRATOR);
    if let Some(text) = read(&path)? {
        return Ok(Token::new(text));
    }
    let token = Token::drawn()?;
    write_private(&path, token.reveal())?;
    Ok(token)
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_directory_keeps_its_authority_and_its_administrator_to_itself() {
        let dir = tempfile::tempdir().expect("a directory");
        let first = Credentials::of(dir.path()).expect("they are made");
        let again = Credentials::of(dir.path()).expect("they are read");
        assert_eq!(first.authority(), again.authority());
        assert_eq!(first.administrator().reveal(), again.administrator().reveal());
        for name in [AUTHORITY_KEY, ADMINISTRATOR] {
            let mode = fs::metadata(dir.path().join(name))
                .expect("a file")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        let shown = format!("{first:?} {:?}", first.administrator());
        assert!(!shown.contains(first.administrator().reveal()), "{shown}");
        let other = tempfile::tempdir().expect("a directory");
        let other = Credentials::of(other.path()).expect("they are made");
        assert_ne!(first.administrator().reveal(), other.administrator().reveal());
    }

    #[test]
    fn a_server_is_known_by_the_names_of_loopback_and_by_the_address_that_it_listens_on() {
        let dir = tempfile::tempdir().expect("a directory");
        let credentials = Credentials::of(dir.path()).expect("they are made");
        let names = |address: &str| {
            let serving = credentials
                .serving(address.parse().expect("an address"))
                .expect("a certificate");
            let secret = json!({"data": {"tls.crt": STANDARD.encode(serving.certificate)}});
            crate::certificates::names_in(&secret, "tls.crt").expect("names")
        };
        for (address, expected) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1", "::1"),
            ("127.0.0.1", "localhost"),
            ("10.0.0.7", "10.0.0.7"),
            ("0.0.0.0", "127.0.0.1"),
        ] {
            assert!(names(address).contains(&expected.to_owned()), "{address}: {expected}");
        }
        assert!(!names("0.0.0.0").contains(&"0.0.0.0".to_owned()));
    }
}
