//! One user's line in a text of `user:hash` lines that others write too.
//!
//! The text is read as OpenShift's OAuth server reads it (openshift/oauth-server,
//! `pkg/authenticator/password/htpasswd/htpasswd.go`): what stands before the first colon of a line is the user, a line
//! without a colon is passed over, nothing is trimmed but a carriage return at the end, no line is a comment, and of two
//! lines of one user the last one counts.
//!
//! A hash is salted, so a line is never compared with a password, it is *verified* (`login`): a line that lets the user
//! in with the password is as desired, whoever wrote it. A hash is made only right before a write, so nothing of a plan
//! hangs on a fresh salt.
//!
//! **Who was there before us.** To give a prior line back on destroy, its hash would have to be kept, and there is no
//! place for it: state holds no secret, and nothing of ours is kept in the cluster but marks. So a line is replaced only
//! where we put the user in. A user who has a line already, with another password, is an error of the plan; one whose
//! password is the desired one is taken as it is and stays on destroy. Nobody loses anything by that.
//!
//! What somebody writes over a line of ours is drift. With another password it is mended; with the same one it is no
//! change. On destroy it stays, and that is said.
//!
//! Invariants:
//! - Nothing but a whole line of the user is put in, replaced or taken out; every byte of others stays.
//! - No password and no hash is shown or recorded, only the digest of a line. It needs no key: without the 128 bits of
//!   salt, which a state does not hold, no password can be tried against it.

mod hash;

pub(crate) use hash::Salt;

use super::DocumentError;
use crate::{address::Address, digest::Digest};
use std::{fmt, ops::Range};

/// The name of a user of an htpasswd text.
///
/// Invariant: it is not empty and holds neither a colon nor a line break, so it ends where its line says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct User(String);

impl User {
    /// Takes a name that an htpasswd text can hold.
    ///
    /// # Errors
    /// When it is empty, or holds what ends a name or a line.
    pub fn new(name: &str) -> Result<Self, DocumentError> {
        if name.is_empty() || name.contains([':', '\n', '\r']) {
            return Err(DocumentError::NoUser { name: name.to_owned() });
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A password, in memory and only for as long as it takes to verify a line or to make one. It shows nothing.
pub(crate) struct Password(String);

impl Password {
    /// Takes a text that bcrypt hashes as a whole and a person can type.
    ///
    /// # Errors
    /// When it is empty, longer than the 72 bytes of which bcrypt takes no more, or holds a control character: a line
    /// break at its end is a slip of who stored it, and nobody could log in with it.
    pub(crate) fn new(text: String) -> Result<Self, DocumentError> {
        if text.is_empty() || text.len() > hash::LONGEST_PASSWORD || text.contains(char::is_control) {
            return Err(DocumentError::NoPassword);
        }
        Ok(Self(text))
    }
}

/// A line of a user, without its end: it shows its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Line(String);

impl Line {
    /// The digest of the line, salt included.
    pub fn digest(&self) -> Digest {
        Digest::of_bytes(self.0.as_bytes())
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Line({})", self.digest())
    }
}

/// What is to stand in a text for a user.
#[derive(Clone, Debug, PartialEq)]
pub enum Login {
    /// The line of this digest, which is there and lets the user in with the password.
    Kept(Digest),
    /// This line.
    Written(Line),
    /// A line that is made when it is written, since its salt is drawn then.
    ToCome,
    /// A line whose password is known only after that resource is ready.
    After(Address),
}

/// What is to stand in a text for a user, once the password is known; without a salt, as a plan has none.
pub(crate) fn login(text: &str, user: &User, password: &Password, salt: Option<&Salt>) -> Login {
    let there = line_in(text, user);
    let is_kept = there.as_ref().is_some_and(|line| {
        let content = content(text, line);
        let hash = content
            .strip_prefix(user.as_str())
            .and_then(|rest| rest.strip_prefix(':'));
        hash.is_some_and(|hash| hash::lets_in(password, hash))
    });
    match (there, salt) {
        (Some(line), _) if is_kept => Login::Kept(digest(text, &line)),
        (_, Some(salt)) => Login::Written(Line(format!("{user}:{}", hash::of(password, salt)))),
        (_, None) => Login::ToCome,
    }
}

/// What stands for a line that a plan does not know, so that the server says what else would happen.
const PLACEHOLDER: &str = "known-after-apply";

/// The text with the user's line as it is to be: in the place of the line that counts, else at the end.
///
/// # Errors
/// When there is a line that would be replaced and is not ours.
pub(super) fn with(text: &str, user: &User, login: &Login, is_ours: bool) -> Result<String, DocumentError> {
    let line = match login {
        Login::Kept(_) => return Ok(text.to_owned()),
        Login::Written(Line(line)) => line.clone(),
        Login::ToCome | Login::After(_) => format!("{user}:{PLACEHOLDER}"),
    };
    let mut after = text.to_owned();
    match line_in(text, user) {
        // Whether the password is its own is not known before it is there.
        Some(_) if !is_ours && !matches!(login, Login::After(_)) => {
            return Err(DocumentError::UserIsThere { user: user.clone() });
        }
        Some(there) => after.replace_range(there.start..there.start + content(text, &there).len(), &line),
        None => {
            if !after.is_empty() && !after.ends_with('\n') {
                after.push('\n');
            }
            after.push_str(&line);
            after.push('\n');
        }
    }
    Ok(after)
}

/// The text without the lines of a user that have one of these digests.
pub(super) fn without(text: &str, user: &User, written: &[Digest]) -> String {
    let mut after = text.to_owned();
    let ours: Vec<_> = lines_in(text, user)
        .filter(|line| written.contains(&digest(text, line)))
        .collect();
    for line in ours.into_iter().rev() {
        after.replace_range(line, "");
    }
    after
}

/// The digest of the line of a user that counts.
pub(super) fn present(text: &str, user: &User) -> Option<Digest> {
    line_in(text, user).map(|line| digest(text, &line))
}

fn digest(text: &str, line: &Range<usize>) -> Digest {
    Digest::of_bytes(content(text, line).as_bytes())
}

/// A line without its end.
fn content<'a>(text: &'a str, line: &Range<usize>) -> &'a str {
    let line = &text[line.clone()];
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// The line of a user that counts: the last one.
fn line_in(text: &str, user: &User) -> Option<Range<usize>> {
    lines_in(text, user).last()
}

/// The bytes of each line of a user, its end included.
fn lines_in(text: &str, user: &User) -> impl Iterator<Item = Range<usize>> {
    let mut end = 0;
    let lines = text.split_inclusive('\n').map(move |line| {
        let start = end;
        end += line.len();
        start..end
    });
    lines.filter(move |line| {
        text[line.clone()]
            .split_once(':')
            .is_some_and(|(name, _)| name == user.as_str())
    })
}

#[cfg(test)]
mod tests;
