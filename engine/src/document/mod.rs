//! Texts that others write too: which part of one is ours, and how it is put in and taken out.
//!
//! In: a text, what is ours in it, and what was recorded as ours. Out: the text with our part changed. Pure.
//!
//! Invariants:
//! - Every byte that is not ours stays as it was, but for a line end that a last line lacked.
//! - What stood in the text before us stands in it after us ([`RecordedFragment::restore_in`]).
//! - Of certificates only digests are recorded and shown.

mod fragment;
pub mod list;
pub mod pem;
mod recorded;
pub mod yaml;

pub(crate) use fragment::digests;
pub use fragment::{Fragment, ResolvedDocument};
pub(crate) use recorded::{PEM_PART, item_part, shown, yaml_part};
pub use recorded::{RecordedDocument, RecordedFragment};

use crate::FieldPath;
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
}

/// The text of a shared document in an object: a list is its JSON.
pub(crate) fn text_at(object: &Value, at: &FieldPath) -> Option<String> {
    match at.get(object)? {
        Value::String(text) => Some(text.clone()),
        list @ Value::Array(_) => Some(list.to_string()),
        _ => None,
    }
}

/// Puts the text of a shared document back as what it is: a list where `is_list`.
pub(crate) fn set_text(object: &mut Value, at: &FieldPath, text: &str, is_list: bool) {
    let value = match is_list {
        true if text.is_empty() => Value::Array(Vec::new()),
        true => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        false => Value::from(text),
    };
    at.set(object, value);
}
