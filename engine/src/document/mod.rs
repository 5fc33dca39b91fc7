//! Texts that others write too: which part of one is ours, and how it is put in and taken out.
//!
//! In: a text, what is ours in it, and what was recorded as ours. Out: the text with our part changed. Pure.
//!
//! Invariants:
//! - Every byte that is not ours stays as it was, but for a line end that a last line lacked.
//! - What stood in the text before us stands in it after us ([`RecordedFragment::restore_in`]).
//! - Of certificates only digests are recorded and shown, of a user's line a digest is recorded and nothing shown.
//! - How an object writes a text is a fact of the object, known here alone: what a Secret holds is in base64.

mod fragment;
pub mod htpasswd;
pub mod list;
pub mod pem;
mod recorded;
pub mod yaml;

pub use fragment::{Fragment, ResolvedDocument};
pub(crate) use fragment::{digests, dropped};
pub(crate) use recorded::{PEM_PART, htpasswd_part, htpasswd_user, item_part, shown, yaml_part};
pub use recorded::{RecordedDocument, RecordedFragment, in_words};

use crate::{FieldPath, late::Encoding};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use htpasswd::User;
use serde_json::Value;

/// Why a shared text cannot be edited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The text is not a YAML block mapping.
    #[error("the text is not a block of `key: value` lines: edit `{key}` by hand")]
    NotABlock {
        /// The key that was wanted.
        key: String,
    },
    /// The key holds more than a scalar.
    #[error("`{key}` holds more than one value there: edit it by hand")]
    NotAScalar {
        /// The key that was wanted.
        key: String,
    },
    /// A PEM block has no end, so what is put after it would be read as a part of it.
    #[error("its last PEM block has no end: mend it by hand")]
    OpenBlock,
    /// What should be a list is none.
    #[error("it is not a list")]
    NotAList,
    /// What should be certificates is none, or not in base64.
    #[error("there is no PEM certificate in it, or one that is not in base64")]
    NoCertificate,
    /// What should be a text is none.
    #[error("what stands there is no text")]
    NotText,
    /// What should be the name of a user is none.
    #[error("`{name}` can be no user there: a name is not empty, and holds neither a `:` nor a line break")]
    NoUser {
        /// The name.
        name: String,
    },
    /// What should be a password is none.
    #[error("a password has 1 to 72 bytes, and no line break or other control character")]
    NoPassword,
    /// A user's line is not ours and does not let in who has the password.
    #[error("htpasswd user `{user}` is there already, with another password or another kind of hash")]
    UserIsThere {
        /// The user.
        user: User,
    },
    /// A user's line is not the one that we wrote.
    #[error("the line of htpasswd user `{user}` was changed since; left as it is")]
    LineChanged {
        /// The user.
        user: User,
    },
    /// Nothing of ours would be left in the text while the rest of its resource stays: an apply without the text would
    /// take it away as a whole.
    #[error("nothing of this resource would be left in {at}, which others write too: take the resource away first")]
    NothingLeft {
        /// Where the text stands.
        at: FieldPath,
    },
}

impl DocumentError {
    /// What to type or change next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UserIsThere { user } => Some(format!(
                "give `{user}` the password that it has, name another user, or take its line out of the text first"
            )),
            Self::NotABlock { .. }
            | Self::NotAScalar { .. }
            | Self::OpenBlock
            | Self::NotAList
            | Self::NoCertificate
            | Self::NotText
            | Self::NoUser { .. }
            | Self::NoPassword
            | Self::LineChanged { .. }
            | Self::NothingLeft { .. } => None,
        }
    }
}

/// The text of a shared document in an object, as it is for who reads it: a list is its JSON.
///
/// # Errors
/// When something stands there that is no text.
pub(crate) fn text_at(object: &Value, at: &FieldPath) -> Result<Option<String>, DocumentError> {
    match (at.get(object), encoding_of(object, at)) {
        (None | Some(Value::Null), _) => Ok(None),
        (Some(Value::String(text)), Encoding::Plain) => Ok(Some(text.clone())),
        (Some(Value::String(text)), Encoding::Base64) => {
            let bytes = STANDARD.decode(text).map_err(|_| DocumentError::NotText)?;
            String::from_utf8(bytes).map(Some).map_err(|_| DocumentError::NotText)
        }
        (Some(list @ Value::Array(_)), _) => Ok(Some(list.to_string())),
        (Some(_), _) => Err(DocumentError::NotText),
    }
}

/// Puts the text of a shared document back as what it is: a list where `is_list`.
pub(crate) fn set_text(object: &mut Value, at: &FieldPath, text: &str, is_list: bool) {
    let value = match (is_list, encoding_of(object, at)) {
        (true, _) if text.is_empty() => Value::Array(Vec::new()),
        (true, _) => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        (false, Encoding::Plain) => Value::from(text),
        (false, Encoding::Base64) => Value::from(STANDARD.encode(text)),
    };
    at.set(object, value);
}

/// How a text is written there: `data` of a Secret is in base64 (Kubernetes API reference, Secret v1 core).
fn encoding_of(object: &Value, at: &FieldPath) -> Encoding {
    if object["apiVersion"] == "v1" && object["kind"] == "Secret" && FieldPath::of("data").contains(at) {
        Encoding::Base64
    } else {
        Encoding::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at() -> FieldPath {
        FieldPath::of("data.htpasswd")
    }

    #[test]
    fn what_a_secret_holds_is_in_base64_and_nothing_else_is() {
        let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "data": {"htpasswd": "YTpi"}});
        assert_eq!(text_at(&secret, &at()), Ok(Some("a:b".to_owned())));
        set_text(&mut secret, &at(), "a:c", false);
        assert_eq!(secret["data"]["htpasswd"], "YTpj");
        for other in [
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"htpasswd": "YTpi"}}),
            json!({"apiVersion": "example.com/v1", "kind": "Secret", "data": {"htpasswd": "YTpi"}}),
        ] {
            assert_eq!(text_at(&other, &at()), Ok(Some("YTpi".to_owned())));
        }
    }

    #[test]
    fn what_is_no_text_is_not_taken_for_an_empty_one() {
        for value in [json!("%"), json!("/w=="), json!(1), json!({"a": "b"})] {
            let secret = json!({"apiVersion": "v1", "kind": "Secret", "data": {"htpasswd": value}});
            assert_eq!(text_at(&secret, &at()), Err(DocumentError::NotText), "{secret}");
        }
        assert_eq!(text_at(&json!({"data": {"htpasswd": null}}), &at()), Ok(None));
    }
}
