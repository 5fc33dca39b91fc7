//! What was ours in a shared text, as recorded: enough to tell drift and to give the text back without the stack.

use super::{
    DocumentError,
    htpasswd::{self, User},
    list::{item, with_item},
    pem,
    yaml::{with_yaml_key, yaml_key},
};
use crate::{FieldPath, digest::Digest, field::PathElement};
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
    /// One user's line in an htpasswd text.
    Htpasswd {
        /// The user.
        user: User,
        /// The digest of the line; while a write is only intended, of the one before as well.
        written: Vec<Digest>,
        /// Whether the line was there before us: it stays.
        was_there: bool,
    },
}

impl RecordedDocument {
    /// The path of our part: of the text and in it.
    pub fn path(&self) -> FieldPath {
        self.at.field(&match &self.fragment {
            RecordedFragment::YamlKey { key, .. } => yaml_part(key),
            RecordedFragment::ListItem { by, written, .. } => item_part(by, &written[by.as_str()]),
            RecordedFragment::Pem { .. } => PEM_PART.to_owned(),
            RecordedFragment::Htpasswd { user, .. } => htpasswd_part(user),
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
            RecordedFragment::Htpasswd { written, was_there, .. } => {
                // A line that was there before us and has gone since is not ours if it comes back.
                if let Some(RecordedFragment::Htpasswd {
                    written: known,
                    was_there: before,
                    ..
                }) = last.map(|last| &last.fragment)
                    && before == was_there
                {
                    let old: Vec<_> = known.iter().filter(|d| !written.contains(d)).copied().collect();
                    written.extend(old);
                }
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

    /// Whether nobody may see what of a text it is, not even its digest.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Htpasswd { .. })
    }

    /// What was written and what of it is in a text, if that is not the same; for people, unless it is secret.
    pub fn drifted(&self, text: &str) -> Option<(Option<Value>, Option<Value>)> {
        let (written, there) = match self {
            Self::YamlKey { written, .. } | Self::ListItem { written, .. } => (Some(written.clone()), self.there(text)),
            Self::Pem { written, .. } => (shown(written), self.there(text)),
            Self::Htpasswd { user, written, .. } => {
                let there = htpasswd::present(text, user);
                let ours = there.filter(|line| written.contains(line)).or(written.first().copied());
                (ours.and_then(|line| shown(&[line])), self.there(text))
            }
        };
        (written != there).then_some((written, there))
    }

    /// What of a text is where ours was put; for people, unless it is secret.
    pub fn there(&self, text: &str) -> Option<Value> {
        match self {
            Self::YamlKey { key, .. } => yaml_key(text, key).ok().flatten(),
            Self::ListItem { by, written, .. } => item(text, by, &written[by.as_str()]),
            Self::Pem { written, .. } => shown(&pem::present(text, written)),
            Self::Htpasswd { user, .. } => htpasswd::present(text, user).and_then(|line| shown(&[line])),
        }
    }

    /// The text as if our part had never been put in.
    ///
    /// # Errors
    /// When the text cannot be edited without touching what others wrote, or ours is not what we wrote any more.
    pub fn restore_in(&self, text: &str) -> Result<String, DocumentError> {
        match self {
            Self::YamlKey { key, prior, .. } => with_yaml_key(text, key, prior.as_ref()),
            Self::ListItem { by, written, prior } => with_item(text, by, &written[by.as_str()], prior.as_ref()),
            Self::Pem { written, prior } => {
                let ours: Vec<_> = written.iter().filter(|d| !prior.contains(d)).copied().collect();
                Ok(pem::without(text, &ours))
            }
            Self::Htpasswd {
                user,
                written,
                was_there,
            } => {
                let there = htpasswd::present(text, user);
                let without = htpasswd::without(text, user, written);
                match there {
                    _ if *was_there => Ok(text.to_owned()),
                    Some(_) if without == text => Err(DocumentError::LineChanged { user: user.clone() }),
                    _ => Ok(without),
                }
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
            Self::Htpasswd { user, written, .. } => htpasswd::without(text, user, written),
        }
    }

    /// What of it was there before; for people, unless it is secret.
    pub fn prior(&self) -> Option<Value> {
        match self {
            Self::YamlKey { prior, .. } | Self::ListItem { prior, .. } => prior.clone(),
            Self::Pem { prior, .. } => shown(prior),
            Self::Htpasswd { written, was_there, .. } => shown(if *was_there { written } else { &[] }),
        }
    }
}

/// What a path of a part of a shared text means, for people: `enableUserWorkload in .data.config.yaml`. `None` of any
/// other path.
pub fn in_words(path: &FieldPath) -> Option<String> {
    let PathElement::Field(last) = path.elements().last()? else {
        return None;
    };
    let part = if **last == *PEM_PART {
        "certificates".to_owned()
    } else if let Some(user) = last.strip_prefix(HTPASSWD_PART) {
        format!("user {user}")
    } else if let Some(key) = last.strip_prefix(YAML_PART) {
        key.to_owned()
    } else {
        format!("the item {}", last.strip_prefix('|')?)
    };
    Some(format!("{part} in {}", path.parent()?))
}

/// The last element of the path of certificates.
pub(crate) const PEM_PART: &str = "|pem";

/// The last element of the path of a user's line.
pub(crate) fn htpasswd_part(user: &User) -> String {
    format!("{HTPASSWD_PART}{user}")
}

/// The user of a path, where that ends in a user's line.
pub(crate) fn htpasswd_user(path: &FieldPath) -> Option<User> {
    match path.elements().last()? {
        PathElement::Field(part) => User::new(part.strip_prefix(HTPASSWD_PART)?).ok(),
        PathElement::Key(_) | PathElement::Value(_) | PathElement::Index(_) => None,
    }
}

/// What the last element of the path of a user's line starts with.
const HTPASSWD_PART: &str = "|htpasswd.";

/// The last element of the path of a YAML key.
pub(crate) fn yaml_part(key: &str) -> String {
    format!("{YAML_PART}{key}")
}

/// What the last element of the path of a YAML key starts with.
const YAML_PART: &str = "|yaml.";

/// The last element of the path of an item.
pub(crate) fn item_part(by: &str, key: &Value) -> String {
    format!("|{by}={key}")
}

/// What was recorded of certificates: all of ours, and those of them that were there before us.
pub(super) fn written_and_prior(last: Option<&RecordedFragment>) -> (&[Digest], &[Digest]) {
    match last {
        Some(RecordedFragment::Pem { written, prior }) => (written, prior),
        Some(
            RecordedFragment::YamlKey { .. } | RecordedFragment::ListItem { .. } | RecordedFragment::Htpasswd { .. },
        )
        | None => (&[], &[]),
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
