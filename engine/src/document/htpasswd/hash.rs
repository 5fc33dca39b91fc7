//! bcrypt hashes as `htpasswd -B` writes them: `$2y$`, the cost, salt and hash in an alphabet of their own.
//!
//! The OAuth server takes `$2y$` and `$2a$` for bcrypt and no other prefix (openshift/oauth-server,
//! `pkg/authenticator/password/htpasswd/htpasswd.go`, `testPassword`): a `$2b$` hash lets nobody in, so none is written
//! and none counts.

use super::Password;
use crate::{digest::Digest, late::Secrets};
use base64::{
    Engine as _,
    alphabet::BCRYPT,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Two to this power are the rounds of a hash. Making or verifying one keeps a core busy for some 65 ms. 5, which `htpasswd` takes by itself, is too cheap to try passwords against;
/// at 12, verifying twenty users took a plan 5.3 seconds on one core, at 10 it took 1.3; 10 is
/// also what Go's bcrypt takes by itself.
const COST: u32 = 10;

/// The costliest hash that is verified: about a second. One of cost 31 would hold a plan up for days.
const COSTLIEST: u32 = 14;

/// How many bytes of a password bcrypt takes.
pub(super) const LONGEST_PASSWORD: usize = 72;

/// How many letters are drawn for a salt: some 190 bits, more than the 128 that a salt has.
const DRAWN: usize = 32;

/// How many bytes of what bcrypt answers are written.
const WRITTEN: usize = 23;

/// bcrypt's own alphabet, without padding. Writers differ in the two bits behind a salt; all readers pass them over.
const ALPHABET: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// What makes two hashes of one password differ.
pub(crate) struct Salt([u8; 16]);

impl Salt {
    /// Draws a salt from the shell's secure source.
    pub(crate) fn draw(secrets: &impl Secrets) -> Self {
        let drawn = Digest::of_bytes(secrets.draw(DRAWN).as_bytes());
        let mut salt = [0; 16];
        salt.copy_from_slice(&drawn.as_bytes()[..16]);
        Self(salt)
    }
}

/// The hash of a password as it stands in a line.
pub(super) fn of(password: &Password, salt: &Salt) -> String {
    let hash = encoded(password, COST, salt.0);
    format!("$2y${COST:02}${}{hash}", ALPHABET.encode(salt.0))
}

/// Whether a hash lets in who knows the password. One that is not read here, or too costly to verify, lets nobody in.
pub(super) fn lets_in(password: &Password, hash: &str) -> bool {
    let Some(Parts { cost, salt, hash }) = parts(hash) else {
        return false;
    };
    cost <= COSTLIEST && encoded(password, cost, salt) == hash
}

struct Parts<'a> {
    cost: u32,
    salt: [u8; 16],
    hash: &'a str,
}

/// Takes `$2y$10$` with 22 letters of salt and 31 of hash apart.
fn parts(text: &str) -> Option<Parts<'_>> {
    let rest = text.strip_prefix("$2y$").or_else(|| text.strip_prefix("$2a$"))?;
    let (cost, rest) = rest.split_once('$')?;
    let (salt, hash) = rest.split_at_checked(22)?;
    let is_cost = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
    Some(Parts {
        cost: cost.parse().ok().filter(|cost| is_cost && (4..=31).contains(cost))?,
        salt: ALPHABET.decode(salt).ok()?.try_into().ok()?,
        hash,
    })
}

fn encoded(password: &Password, cost: u32, salt: [u8; 16]) -> String {
    // A NUL ends the password, where there is room for it.
    let mut key = [password.0.as_bytes(), &[0]].concat();
    key.truncate(LONGEST_PASSWORD);
    ALPHABET.encode(&bcrypt::bcrypt(cost, salt, &key)[..WRITTEN])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text.to_owned()).expect("a password")
    }

    /// Made by `crypt` of libxcrypt.
    #[test]
    fn what_others_hashed_is_verified() {
        let known = [
            (
                "Bob1234!",
                "$2y$10$abcdefghijklmnopqrstuuLykTIZyU7Ah5lZKrEJqAmKUaC18iWrm",
            ),
            (
                "p\u{e4}ss",
                "$2a$05$abcdefghijklmnopqrstuuQNr.NUko7cjRuTOhPz.WP0eA4f4.Xuq",
            ),
            (
                &"x".repeat(71),
                "$2y$05$abcdefghijklmnopqrstuufmnYtZf4/LVIEdk8v40tikf/KPsqQ4m",
            ),
            (
                &"x".repeat(72),
                "$2y$05$abcdefghijklmnopqrstuujf8SX2ahXLwp9w/B.Y5XdysS6yR576q",
            ),
        ];
        for (text, hash) in known {
            assert!(lets_in(&password(text), hash), "{hash}");
            assert!(!lets_in(&password("another"), hash), "{hash}");
        }
        // Two bits of the last letter of a salt say nothing.
        assert!(lets_in(
            &password("Bob1234!"),
            "$2y$10$abcdefghijklmnopqrstuzLykTIZyU7Ah5lZKrEJqAmKUaC18iWrm"
        ));
    }

    #[test]
    fn what_the_server_would_not_take_lets_nobody_in() {
        for hash in [
            "",
            "Bob1234!",
            "known-after-apply",
            "$apr1$abcdefgh$aaaaaaaaaaaaaaaaaaaaaa",
            "$2b$10$abcdefghijklmnopqrstuuLykTIZyU7Ah5lZKrEJqAmKUaC18iWrm",
            "$2y$+5$abcdefghijklmnopqrstuuQNr.NUko7cjRuTOhPz.WP0eA4f4.Xuq",
            "$2y$03$abcdefghijklmnopqrstuuQNr.NUko7cjRuTOhPz.WP0eA4f4.Xuq",
            "$2y$10$abcdefghijklmnopqrst\u{fc}LykTIZyU7Ah5lZKrEJqAmKUaC18iWrm",
            "$2y$10$abc",
            "$2y$99$abcdefghijklmnopqrstuuLykTIZyU7Ah5lZKrEJqAmKUaC18iWrm",
            "$2y$31$abcdefghijklmnopqrstuuLykTIZyU7Ah5lZKrEJqAmKUaC18iWrm",
        ] {
            assert!(!lets_in(&password("Bob1234!"), hash), "{hash}");
        }
    }

    #[test]
    fn what_is_written_is_sixty_letters_and_verifies() {
        let hash = of(&password("Bob1234!"), &Salt([7; 16]));
        assert!(hash.len() == 60 && hash.starts_with("$2y$10$"), "{hash}");
        assert!(lets_in(&password("Bob1234!"), &hash));
    }
}
