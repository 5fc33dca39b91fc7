//! Whether a document of users and hashes lets somebody in.
//!
//! Source: openshift/oauth-server, `pkg/authenticator/password/htpasswd/htpasswd.go`: lines of `user:hash`, of which the
//! last of a user counts; `$2y$` and `$2a$` are bcrypt.

use base64::{
    Engine as _,
    alphabet::BCRYPT,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// bcrypt's own alphabet; the bits that a salt and a hash do not fill are not looked at.
const ALPHABET: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// The salt in letters, in front of the hash.
const SALT: usize = 22;
/// What bcrypt reads of a password, with the zero byte behind it.
const READ: usize = 72;
/// The costliest hash that is verified, about a second: one of cost 31 would keep a core for days.
const COSTLIEST: u32 = 14;

/// Returns whether the document has this user with this password. Takes as long as its hash was made to take.
pub(super) fn lets_in(document: &str, user: &str, password: &str) -> bool {
    let mut backwards = document.lines().rev().filter_map(|line| line.trim().split_once(':'));
    let line = backwards.find(|(name, _)| *name == user);
    line.is_some_and(|(_, hash)| is_of(hash, password).unwrap_or(false))
}

/// Whether a hash is that of a password; none if it is no hash that is read here.
fn is_of(hash: &str, password: &str) -> Option<bool> {
    let rest = hash.strip_prefix("$2y$").or_else(|| hash.strip_prefix("$2a$"))?;
    let (cost, rest) = rest.split_once('$')?;
    let cost = cost.parse().ok().filter(|cost| (4..=COSTLIEST).contains(cost))?;
    let (salt, hash) = rest.split_at_checked(SALT)?;
    let salt = ALPHABET.decode(salt).ok()?.try_into().ok()?;
    let hash = ALPHABET.decode(hash).ok()?;
    let mut key = [password.as_bytes(), &[0]].concat();
    key.truncate(READ);
    let made = bcrypt::bcrypt(cost, salt, &key);
    Some(hash == made[..made.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_in_the_document_gets_in_with_the_password_and_nobody_else() {
        let document = format!(
            "{}:{}\nnobody:plain\n",
            crate::seed::ADMIN_USER,
            crate::seed::ADMIN_HASH
        );
        let (user, password) = (crate::seed::ADMIN_USER, crate::seed::ADMIN_PASSWORD);
        for (user, password, expected) in [
            (user, password, true),
            (user, "wrong", false),
            (user, "", false),
            ("bob", password, false),
            ("nobody", "plain", false),
        ] {
            assert_eq!(lets_in(&document, user, password), expected, "{user} {password}");
        }
        // The last line of a user counts, and a prefix that the OAuth server does not know lets nobody in.
        assert!(!lets_in(&format!("{document}{user}:nothing\n"), user, password));
        assert!(!lets_in(&document.replace("$2y$", "$2b$"), user, password));
    }
}
