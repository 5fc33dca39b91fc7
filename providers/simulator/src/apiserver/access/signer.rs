//! Tokens of service accounts: JSON web tokens that the server signs, and knows again.
//!
//! Invariants:
//! - The key is made once for each directory, and is in a file that only its owner reads: tokens outlive the process.
//! - What is not signed by it is nobody's, whatever it says.
//!
//! Source: RFC 7515 and RFC 7518 §3.4 (ES256); claims as a kube-apiserver 1.34 writes them.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use serde_json::{Value, json};

use crate::apiserver::Token;
use crate::private_file::write_private;

const KEY: &str = "service-account.key";

/// Signs claims, and reads those that it signed.
pub(in crate::apiserver) struct Signer {
    pair: EcdsaKeyPair,
    key_id: String,
}

impl Signer {
    /// Reads the key of a directory, or makes it.
    pub(in crate::apiserver) fn open(dir: &Path) -> io::Result<Self> {
        let unusable = |what: &str| io::Error::other(format!("{KEY} {what}"));
        let path = dir.join(KEY);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                    .map_err(|_| unusable("cannot be drawn"))?;
                let text = URL_SAFE_NO_PAD.encode(document);
                write_private(&path, &text)?;
                text
            }
            Err(error) => return Err(error),
        };
        let document = URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_| unusable("is no key"))?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &document, &SystemRandom::new())
            .map_err(|_| unusable("is no key"))?;
        let key_id = URL_SAFE_NO_PAD.encode(digest(&SHA256, pair.public_key().as_ref()));
        Ok(Self { pair, key_id })
    }

    /// Returns a token that says these claims; none if the system gives no random bytes.
    pub(in crate::apiserver) fn sign(&self, claims: &Value) -> Option<Token> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "ES256", "kid": self.key_id});
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        Some(Token::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }

    /// Returns the claims of a token that was signed here.
    pub(in crate::apiserver) fn read(&self, token: &Token) -> Option<Value> {
        let (signed, signature) = token.reveal().rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key().as_ref());
        key.verify(signed.as_bytes(), &signature).ok()?;
        let (_, claims) = signed.split_once('.')?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }

    /// The public half, as a set of JSON web keys (RFC 7517).
    pub(in crate::apiserver) fn public(&self) -> Value {
        // Uncompressed: a four, x, y.
        let point = self.pair.public_key().as_ref();
        let (x, y) = point.split_at(point.len() / 2 + 1);
        json!({"keys": [{"use": "sig", "kty": "EC", "kid": self.key_id, "crv": "P-256", "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(&x[1..]), "y": URL_SAFE_NO_PAD.encode(y)}]})
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Signer")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_again_after_a_restart_and_by_nobody_else() {
        let (dir, other) = (
            tempfile::tempdir().expect("a directory"),
            tempfile::tempdir().expect("a directory"),
        );
        let signer = Signer::open(dir.path()).expect("a key is made");
        let token = signer.sign(&json!({"sub": "somebody"})).expect("it signs");
        let again = Signer::open(dir.path()).expect("the key is read");
        assert_eq!(again.read(&token), Some(json!({"sub": "somebody"})));
        assert_eq!(Signer::open(other.path()).expect("a key is made").read(&token), None);
    }

    #[test]
    fn a_token_that_was_tampered_with_is_nobodys() {
        let dir = tempfile::tempdir().expect("a directory");
        let signer = Signer::open(dir.path()).expect("a key is made");
        let token = signer.sign(&json!({"sub": "a"})).expect("it signs");
        let parts: Vec<&str> = token.reveal().split('.').collect();
        let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"b"}"#);
        for forged in [
            format!("{}.{claims}.{}", parts[0], parts[2]),
            format!("{}.{claims}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#)),
            format!("{}.{}", parts[0], parts[1]),
            String::new(),
        ] {
            assert_eq!(signer.read(&Token::new(forged.clone())), None, "{forged}");
        }
    }
}
