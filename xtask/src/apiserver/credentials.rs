//! Certificates, keys and tokens of one server, made anew for each and kept in its folder alone.

use std::{
    fs::File,
    io::{self, Read as _},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

use super::{ApiserverError, folder::Folder};

/// A user whom the server knows by a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    /// The user's name, which is also that of the kubeconfig's context.
    pub(super) name: &'static str,
    group: &'static str,
}

/// May do everything: RBAC lets the group pass.
/// <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles>
pub(super) const ADMIN: User = User {
    name: "admin",
    group: "system:masters",
};

/// Who the controller manager is. RBAC binds this name from the start.
/// <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#core-component-roles>
pub(super) const CONTROLLER_MANAGER: User = User {
    name: "system:kube-controller-manager",
    group: "system:authenticated",
};

/// The people of the kubeconfig. But for the admin they may do nothing until a test binds a role to them or their group.
pub(super) const PEOPLE: [User; 4] = [
    ADMIN,
    User {
        name: "alice",
        group: "developers",
    },
    User {
        name: "bob",
        group: "viewers",
    },
    User {
        name: "ci",
        group: "stackctl",
    },
];

/// The file of the certificate that clients trust.
pub(super) const CA: &str = "ca.crt";
/// The API server's certificate.
pub(super) const SERVING_CERTIFICATE: &str = "serving.crt";
/// The key of that certificate.
pub(super) const SERVING_KEY: &str = "serving.key";
/// What signs the tokens of service accounts.
pub(super) const SERVICE_ACCOUNT_KEY: &str = "service-account.key";
/// What their tokens are checked with.
pub(super) const SERVICE_ACCOUNT_PUBLIC_KEY: &str = "service-account.pub";
/// The users' tokens, as the API server reads them.
pub(super) const TOKENS: &str = "tokens.csv";

/// A user with the token that proves it.
pub(super) struct Token {
    /// Whose it is.
    pub(super) user: User,
    /// The secret itself.
    pub(super) secret: String,
}

/// Writes all certificates and keys into the folder.
///
/// # Errors
/// When one cannot be made or written.
pub(super) fn write_certificates(folder: &Folder) -> Result<(), ApiserverError> {
    let made = || -> Result<_, rcgen::Error> {
        let mut ca = named(Vec::new(), "stackctl test apiserver CA")?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate()?)?;
        // The last is the name by which pods know the API server.
        let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"].map(str::to_owned);
        let key = KeyPair::generate()?;
        let certificate = named(names.to_vec(), "kube-apiserver")?.signed_by(&key, &ca)?;
        let service_account = KeyPair::generate()?;
        Ok([
            (CA, ca.pem()),
            (SERVING_CERTIFICATE, certificate.pem()),
            (SERVING_KEY, key.serialize_pem()),
            (SERVICE_ACCOUNT_KEY, service_account.serialize_pem()),
            (SERVICE_ACCOUNT_PUBLIC_KEY, service_account.public_key_pem()),
        ])
    };
    for (name, text) in made().map_err(ApiserverError::Certificate)? {
        folder.write(name, &text)?;
    }
    Ok(())
}

fn named(names: Vec<String>, common: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut certificate = CertificateParams::new(names)?;
    certificate.distinguished_name.push(DnType::CommonName, common);
    Ok(certificate)
}

/// Makes a token for everybody and writes the file that the API server reads.
///
/// # Errors
/// When the system gives no random bytes, or the file cannot be written.
pub(super) fn write_tokens(folder: &Folder) -> Result<Vec<Token>, ApiserverError> {
    let mut tokens = Vec::new();
    for user in PEOPLE.into_iter().chain([CONTROLLER_MANAGER]) {
        let secret = secret().map_err(|cause| ApiserverError::Read {
            path: RANDOM.into(),
            cause,
        })?;
        tokens.push(Token { user, secret });
    }
    folder.write(TOKENS, &tokens.iter().map(line).collect::<String>())?;
    Ok(tokens)
}

/// Token, name, uid, groups.
/// <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#static-token-file>
fn line(token: &Token) -> String {
    let User { name, group } = token.user;
    format!("{},{name},{name},\"{group}\"\n", token.secret)
}

/// Where the system gives random bytes.
const RANDOM: &str = "/dev/urandom";

fn secret() -> io::Result<String> {
    let mut bytes = [0_u8; 24];
    File::open(RANDOM)?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::{ADMIN, Token, line, secret};

    #[test]
    fn a_line_of_the_token_file_has_four_cells() {
        let token = Token {
            user: ADMIN,
            secret: "s3".to_owned(),
        };
        assert_eq!(line(&token), "s3,admin,admin,\"system:masters\"\n");
    }

    #[test]
    fn no_two_secrets_are_the_same() {
        let [one, other] = [secret().expect("random"), secret().expect("random")];
        assert_eq!(one.len(), 48);
        assert_ne!(one, other);
    }
}
