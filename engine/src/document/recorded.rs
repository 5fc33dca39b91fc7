//! What was ours in a shared text, as recorded: enough to tell drift and to give the text back without the stack.

use super::{
    DocumentError,
    list::{item, with_item},
    pem,
    yaml::{with_yaml_key, yaml_key},
};
use crate::{FieldPath, digest::Digest};
use serde_json::Value;

/// A fragment of a shared text.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedDocument {
    /// Where the text stands.
    pub at: FieldPath,
    /// Our part of it.
    pub fragment: RecordedFragment,
    /// Whether the text itself was absent.
    pub made_text: bool,
    /// Maps above the text that were not there before us, the highest first.
    pub absent_ancestors: Vec<FieldPath>,
}

/// What was ours in a shared text.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordedFragment {
    /// One key of a YAML text.
    YamlKey {
        /// The key.
        key: String,
        /// What was written.
        written: Value,
        /// What was there before: the value, or nothing.
        prior: Option<Value>,
    },
    /// One item of a list.
    ListItem {
        /// The field that tells items apart.
        by: String,
        /// What was written.
        written: Value,
        /// What was there before under the same key, or nothing.
        prior: Option<Value>,
    },
    /// Certificates in a PEM text, by the digests of their decoded bytes.
    Pem {
        /// All that are to be there.
        written: Vec<Digest>,
        /// Of those, the ones that were there before us: they stay.
        prior: Vec<Digest>,
    },
}

impl RecordedDocument {
    /// The path of our part: of the text and in it.
    pub fn path(&self) -> FieldPath {
        self.at.field(&match &self.fragment {
            RecordedFragment::YamlKey { key, .. } => yaml_part(key),
            RecordedFragment::ListItem { by, written, .. } => item_part(by, &written[by.as_str()]),
            RecordedFragment::Pem { .. } => PEM_PART.to_owned(),
        })
    }

    /// The same, and what was ours before besides: an intent, after which either may be in the text.
    #[must_use]
    pub fn or(mut self, last: Option<&Self>) -> Self {
        let (known, kept) = written_and_prior(last.map(|last| &last.fragment));
        match &mut self.fragment {
            RecordedFragment::YamlKey { .. } | RecordedFragment::ListItem { .. } => {}
            RecordedFragment::Pem { written, prior } => {
                let old: Vec<_> = known.iter().filter(|d| !written.contains(d)).copied().collect();
                prior.extend(old.iter().filter(|d| kept.contains(d)));
                written.extend(old);
            }
        }
        self
    }
}

impl RecordedFragment {
    /// Whether the text is a list.
    pub fn is_list(&self) -> bool {
        matches!(self, Self::ListItem { .. })
    }

    /// What was written and what of it is in a text, if that is not the same.
    pub fn drifted(&self, text: &str) -> Option<(Option<Value>, Option<Value>)> {
        let (written, there) = match self {
            Self::YamlKey { key, written, .. } => (Some(written.clone()), yaml_key(text, key).ok().flatten()),
            Self::ListItem { by, written, .. } => (Some(written.clone()), item(text, by, &written[by.as_str()])),
            Self::Pem { written, .. } => (shown(written), shown(&pem::present(text, written))),
        };
        (written != there).then_some((written, there))
    }

    /// The text as if our part had never been put in.
    ///
    /// # Errors
    /// When the text cannot be edited without touching what others wrote.
    pub fn restore_in(&self, text: &str) -> Result<String, DocumentError> {
        match self {
            Self::YamlKey { key, prior, .. } => with_yaml_key(text, key, prior.as_ref()),
            Self::ListItem { by, written, prior } => with_item(text, by, &written[by.as_str()], prior.as_ref()),
            Self::Pem { written, prior } => {
                let ours: Vec<_> = written.iter().filter(|d| !prior.contains(d)).copied().collect();
                Ok(pem::without(text, &ours))
            }
        }
    }

    /// The text without our part, whatever was there before; as it is where that cannot be told apart.
    pub fn strip_from(&self, text: &str) -> String {
        match self {
            Self::YamlKey { key, .. } => with_yaml_key(text, key, None).unwrap_or_else(|_| text.to_owned()),
            Self::ListItem { by, written, .. } => {
                with_item(text, by, &written[by.as_str()], None).unwrap_or_else(|_| text.to_owned())
            }
            Self::Pem { written, .. } => pem::without(text, written),
        }
    }

    /// What of it was there before; for people.
    pub fn prior(&self) -> Option<Value> {
        match self {
            Self::YamlKey { prior, .. } | Self::ListItem { prior, .. } => prior.clone(),
            Self::Pem { prior, .. } => shown(prior),
        }
    }
}

/// The last element of the path of certificates.
pub(crate) const PEM_PART: &str = "|pem";

/// The last element of the path of a YAML key.
pub(crate) fn yaml_part(key: &str) -> String {
    format!("|yaml.{key}")
}

/// The last element of the path of an item.
pub(crate) fn item_part(by: &str, key: &Value) -> String {
    format!("|{by}={key}")
}

/// What was recorded of certificates: all of ours, and those of them that were there before us.
pub(super) fn written_and_prior(last: Option<&RecordedFragment>) -> (&[Digest], &[Digest]) {
    match last {
        Some(RecordedFragment::Pem { written, prior }) => (written, prior),
        Some(RecordedFragment::YamlKey { .. } | RecordedFragment::ListItem { .. }) | None => (&[], &[]),
    }
}

/// Certificates for people: the digest of one, the digests of several.
pub(crate) fn shown(digests: &[Digest]) -> Option<Value> {
    match digests {
        [] => None,
        [one] => Some(Value::from(one.to_string())),
        several => Some(several.iter().map(ToString::to_string).collect()),
    }
}
