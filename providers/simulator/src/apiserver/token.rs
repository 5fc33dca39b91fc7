//! Bearer tokens as text that is never shown.

use std::fmt;
use std::io;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

/// What an opaque token begins with (OpenShift, `oauth-server/pkg/osinserver/tokengen.go`; Kubernetes asks for nothing).
const PREFIX: &str = "sha256~";

/// A bearer token. `Debug` does not show it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(String);

impl Token {
    /// Returns a token that was drawn before.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Draws a token that nobody guesses: 256 bits of the system.
    ///
    /// # Errors
    ///
    /// The system gives no random bytes.
    pub fn drawn() -> io::Result<Self> {
        let mut bytes = [0_u8; 32];
        let filled = SystemRandom::new().fill(&mut bytes);
        filled.map_err(|_| io::Error::other("the system gives no random bytes"))?;
        Ok(Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// The text that its bearer sends.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// A name that tells the token from others and does not open anything: its SHA-256, written as OpenShift names an
    /// OAuthAccessToken.
    pub fn digest(&self) -> String {
        let drawn = self.0.strip_prefix(PREFIX).unwrap_or(&self.0);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(Sha256::digest(drawn.as_bytes())))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_are_not_shown() {
        let token = Token::drawn().expect("random bytes");
        assert_ne!(token, Token::drawn().expect("random bytes"));
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_eq!(token.reveal().len(), PREFIX.len() + 43);
    }

    #[test]
    fn the_digest_of_a_token_is_named_as_openshift_names_it() {
        // printf %s abc | openssl dgst -sha256 -binary | basenc --base64url
        assert_eq!(
            Token::new("sha256~abc").digest(),
            "sha256~ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
        );
    }
}
